"""Pages that write products."""

from __future__ import annotations

from fabrique.portfolio.pages import beginning

routes = [*beginning.routes]
