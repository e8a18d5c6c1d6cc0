"""Pages that write products."""

from __future__ import annotations

from fabrique.portfolio.pages import beginning, team

routes = [*beginning.routes, *team.routes]
