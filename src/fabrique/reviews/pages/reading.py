"""What every page of a review says the same way: who reads, what they may do, and what stands beside each criterion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body

from fabrique.accounts.rules import Person
from fabrique.portfolio.rules import STAGE_LABELS
from fabrique.reviews.defaults import DRAW_LABELS
from fabrique.reviews.drafts import PARTS
from fabrique.reviews.rules import (
    ANSWER_LABELS,
    DECISION_LABELS,
    DECISION_SHORT,
    DUE_LABELS,
    REVIEW_LABELS,
    Seat,
    may_ask,
    may_prepare,
    may_sign,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.web.visit import Visit

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LABELS = {
    "answers": ANSWER_LABELS,
    "decisions": DECISION_LABELS,
    "short": DECISION_SHORT,
    "review_states": REVIEW_LABELS,
    "due_reasons": DUE_LABELS,
    "draws": DRAW_LABELS,
    "stages": STAGE_LABELS,
    "parts": PARTS,
}


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may do to a review."""

    prepares: bool
    asks: bool
    signs: bool


def person_of(visit: Visit) -> Person:
    """Who is signed in; the route's permission made sure that somebody is."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


def rights(visit: Visit, product_id: int, committee: Sequence[Seat] = ()) -> Rights:
    """The reader's rights."""
    person = visit.visitor
    if not isinstance(person, Person):
        return Rights(prepares=False, asks=False, signs=False)
    return Rights(may_prepare(person, product_id), may_ask(person, product_id), may_sign(person, product_id, committee))
