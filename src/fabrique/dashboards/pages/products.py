"""Which products are where, and one product's home."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from fabrique.accounts.rules import Permission
from fabrique.dashboards import queries
from fabrique.dashboards.pages.asked import LONGEST_SEARCH, one_of
from fabrique.experiments.rules import CHOICE_SHORT, STATE_LABELS, VERDICT_LABELS
from fabrique.portfolio.rules import Stage
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit

TRIAL_LABELS = {"states": STATE_LABELS, "verdicts": VERDICT_LABELS, "short": CHOICE_SHORT}


@get("/produits", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def products(visit: NamedDependency[Visit], phase: FromQuery[str] = "", q: FromQuery[str] = "") -> Response[bytes]:
    """Which products are where?"""
    chosen = one_of(Stage, phase)
    search = q[:LONGEST_SEARCH].strip()
    return answer(
        visit,
        lambda s: render(visit, "dashboards/products.html", page=queries.products(s, visit.today, chosen, search), search=search),
    )


@get("/produits/{slug:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def product(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """How is this product?"""
    return answer(
        visit, lambda s: render(visit, "dashboards/product.html", page=queries.product(s, slug, visit.today), **TRIAL_LABELS)
    )


routes = [products, product]
