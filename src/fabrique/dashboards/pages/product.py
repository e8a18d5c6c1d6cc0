"""One product's home."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fabrique.accounts.rules import Permission
from fabrique.dashboards import queries
from fabrique.experiments.rules import CHOICE_SHORT, STATE_LABELS, VERDICT_LABELS
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit

TRIAL_LABELS = {"states": STATE_LABELS, "verdicts": VERDICT_LABELS, "short": CHOICE_SHORT}


@get("/produits/{slug:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def product(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """How is this product?"""
    return answer(
        visit, lambda s: render(visit, "dashboards/product.html", page=queries.product(s, slug, visit.today), **TRIAL_LABELS)
    )


routes = [product]
