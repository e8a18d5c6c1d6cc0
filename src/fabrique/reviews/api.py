"""Gate reviews for programs: what was decided of a product, on which conditions, and the frozen record of each decision."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import PathParameter
from msgspec import Meta, Struct

from fabrique.accounts.rules import Permission
from fabrique.language import n_
from fabrique.portfolio.rules import Stage
from fabrique.reviews.queries import sitting
from fabrique.reviews.queries.holding import conditions_of, review
from fabrique.reviews.rules import Decision, ReviewState
from fabrique.web.errors import not_there
from fabrique.web.visit import Visit

LARGEST_ID = 2**31 - 1
Slug = Annotated[
    str,
    PathParameter(
        description=n_("The product’s short name, as in its page’s address."), examples=[Example(value="demo-aidants-ensemble")]
    ),
]

Id = Annotated[
    int,
    PathParameter(le=LARGEST_ID, description=n_("The review’s number, as in the list of reviews."), examples=[Example(value=1)]),
]


class ConditionTold(Struct, frozen=True):
    """Something that a decision asks for by a day."""

    text: str
    due_on: date
    met_on: Annotated[date | None, Meta(description=n_("Null as long as nobody has marked it as met."))]


class ReviewTold(Struct, frozen=True):
    """A gate review."""

    id: int
    gate: Annotated[Stage, Meta(description=n_("The stage that one leaves."))]
    state: ReviewState
    planned_on: Annotated[date | None, Meta(description=n_("The committee’s day as planned."))]
    held_on: Annotated[date | None, Meta(description=n_("The committee’s day."))]
    decision: Annotated[Decision | None, Meta(description=n_("Null until it is signed."))]
    next_stage: Annotated[Stage | None, Meta(description=n_("The stage that the decision leads to, where it leads to one."))]
    continue_until: date | None
    signed_at: datetime | None
    conditions: list[ConditionTold]


class Reviews(Struct, frozen=True):
    """A product's reviews, the latest first."""

    due_on: Annotated[date | None, Meta(description=n_("When the next review is due; null where no phase has one."))]
    total: int
    items: list[ReviewTold]


class RecordTold(Struct, frozen=True):
    """The frozen record of a signed review."""

    sha256: Annotated[str, Meta(description=n_("Of the record as JSON with sorted keys and no spaces, in UTF-8."))]
    record: dict[str, Any]


@get(
    "/api/products/{slug:str}/reviews", permission=Permission.READ_API, sync_to_thread=True, summary=n_("A product’s gate reviews"),
    description=n_("What was decided, where it led, on which conditions; and when the next review is due."),
)  # fmt: skip
def list_reviews(visit: NamedDependency[Visit], slug: Slug) -> Reviews:
    """A product's reviews, the latest first."""
    with visit.site.database.read() as session:
        page = sitting.reviews_page(session, slug, visit.today)
        conditions = conditions_of(session, [one.id for one in page.lines])
    items = [
        ReviewTold(
            id=one.id, gate=one.from_stage, state=one.state, planned_on=one.planned_on, held_on=one.held_on,
            decision=one.decision if one.signed_at else None, next_stage=one.next_stage if one.signed_at else None,
            continue_until=one.continue_until if one.signed_at else None, signed_at=one.signed_at,
            conditions=[ConditionTold(condition.text, condition.due_on, condition.met_on) for condition in conditions[one.id]],
        )
        for one in page.lines
    ]  # fmt: skip
    return Reviews(page.agenda.due.day if page.agenda.due else None, len(items), items)


@get(
    "/api/products/{slug:str}/reviews/{review_id:int}/record", permission=Permission.READ_API, sync_to_thread=True,
    summary=n_("A review’s frozen record"),
    description=n_("Criteria, answers, evidence, committee and decision as they stood at the signature, with their fingerprint."),
)  # fmt: skip
def one_record(visit: NamedDependency[Visit], slug: Slug, review_id: Id) -> RecordTold:
    """What a signature froze."""
    with visit.site.database.read() as session:
        found = review(session, slug, review_id)
    if found.record is None:
        raise not_there(str(review_id))
    return RecordTold(found.record_sha256, found.record)


routes = [list_reviews, one_record]
