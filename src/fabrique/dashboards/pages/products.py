"""Which products are where?"""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from fabrique.accounts.rules import Permission
from fabrique.dashboards import queries
from fabrique.dashboards.pages.asked import LONGEST_SEARCH, one_of
from fabrique.portfolio.rules import Stage
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit


@get("/produits", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def products(visit: NamedDependency[Visit], phase: FromQuery[str] = "", q: FromQuery[str] = "") -> Response[bytes]:
    """Which products are where?"""
    chosen = one_of(Stage, phase)
    search = q[:LONGEST_SEARCH].strip()
    return answer(
        visit,
        lambda s: render(visit, "dashboards/products.html", page=queries.products(s, visit.today, chosen, search), search=search),
    )


routes = [products]
