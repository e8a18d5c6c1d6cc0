"""Pages that write products."""

from __future__ import annotations

from fabrique.portfolio.pages import beginning, happenings, stays, team

routes = [*beginning.routes, *team.routes, *happenings.routes, *stays.routes]
