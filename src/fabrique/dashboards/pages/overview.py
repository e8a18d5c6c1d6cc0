"""The first page, the dashboard, and the watch's own health."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from fabrique.accounts.rules import Permission
from fabrique.dashboards import queries
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit


@get("/", permission=Permission.PUBLIC, sync_to_thread=True)
def front(visit: NamedDependency[Visit]) -> Response[bytes] | Redirect:
    """Straight to work for who is signed in; else what this is."""
    if visit.visitor is not None:
        return see_other("/tableau-de-bord")
    return private_answer(visit, render(visit, "dashboards/front.html"))


@get("/tableau-de-bord", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def portfolio(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Is the programme making services better, and where must I look?"""
    return answer(visit, lambda s: render(visit, "dashboards/portfolio.html", page=queries.portfolio(s, visit.today)))


@get("/veille", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def watch(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Is the watch itself well?"""
    return answer(visit, lambda s: render(visit, "dashboards/watch.html", page=queries.watch_page(s)))


routes = [front, portfolio, watch]
