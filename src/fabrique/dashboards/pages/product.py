"""One product's home."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fabrique.accounts.rules import Permission, Person
from fabrique.dashboards import queries
from fabrique.experiments.rules import CHOICE_SHORT, STATE_LABELS, VERDICT_LABELS
from fabrique.portfolio.programme import ANSWER_LABELS
from fabrique.reviews.rules import DECISION_SHORT
from fabrique.web.durations import lasting
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit

SHORT = {one.value: label for labels in (CHOICE_SHORT, DECISION_SHORT) for one, label in labels.items()}
"""The cards of trials and the block of the next gate call “short” the words for what was decided."""
LABELS = {"states": STATE_LABELS, "verdicts": VERDICT_LABELS, "short": SHORT, "answers": ANSWER_LABELS}


@get("/produits/{slug:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def product(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """How is this product?"""
    person = visit.visitor if isinstance(visit.visitor, Person) else None
    return answer(
        visit,
        lambda s: render(
            visit, "dashboards/product.html", page=queries.product(s, slug, visit.today, person), lasting=lasting, **LABELS
        ),
    )


routes = [product]
