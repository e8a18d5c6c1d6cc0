"""What the pages of reviews show: a product's reviews, one with its evidence and what is missing, dates for calendars."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.model import PersonRow
from fabrique.accounts.rules import Role
from fabrique.language import _, folded
from fabrique.portfolio.model import ProductRow
from fabrique.reviews import evidence as gathering
from fabrique.reviews.drafts import draft_of, whole_fingerprint
from fabrique.reviews.model import ConditionRow, ReviewRow
from fabrique.reviews.queries.criteria import criteria_set, latest_criteria
from fabrique.reviews.queries.due import Agenda, agendas
from fabrique.reviews.queries.holding import (
    Review,
    ReviewLine,
    ground_of,
    is_corrected,
    is_supersedable,
    review,
    review_lines,
    team_of,
)
from fabrique.reviews.rules import NEXT, DueReason, Lack, ReviewState, back_stages, lacks, leads_to, missing_of, stop_stage
from fabrique.web.calendar import Entry
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.portfolio.rules import Stage
    from fabrique.reviews.defaults import Draw
    from fabrique.reviews.evidence import Item
    from fabrique.reviews.versions import CriteriaSet, Criterion


@dataclass(frozen=True, slots=True)
class ReviewsPage:
    """A product's reviews."""

    product_id: int
    slug: str
    product: str
    lines: tuple[ReviewLine, ...]
    agenda: Agenda
    coaches: tuple[str, ...]
    today: date

    @property
    def preparing(self) -> ReviewLine | None:
        """The one in preparation."""
        return next((one for one in self.lines if one.state is ReviewState.PREPARING), None)

    @property
    def has_gate(self) -> bool:
        """Whether the product is in a phase that a review could end."""
        return self.agenda.stay is not None and self.agenda.stay.stage in NEXT


def reviews_page(session: Session, slug: str, today: date) -> ReviewsPage:
    """A product's reviews. Raises NotThere."""
    row = session.execute(sa.select(ProductRow.id, ProductRow.name).where(ProductRow.slug == slug)).one_or_none()
    if row is None:
        raise not_there(slug)
    lines = review_lines(session, [row.id])[row.id]
    coaches = tuple(sorted(team_of(session, row.id, today, "coach").values(), key=folded))
    return ReviewsPage(row.id, slug, row.name, tuple(lines), agendas(session, [row.id], today)[row.id], coaches, today)


@dataclass(frozen=True, slots=True)
class Laid:
    """A criterion with the evidence beside it."""

    criterion: Criterion
    evidence: list[tuple[Draw, tuple[Item, ...]]]


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """One review with everything that its pages need."""

    review: Review
    laid: tuple[Laid, ...]
    lacks: tuple[Lack, ...]
    newer: CriteriaSet | None
    """The criteria's present version, where the review began with an earlier one."""
    withdrawn: tuple[Criterion, ...]
    """Criteria of the review's version that the present one asks no more."""
    added: tuple[Criterion, ...]
    next_stages: tuple[Stage, ...]
    back_stages: tuple[Stage, ...]
    stop_stage: Stage
    leads_to: Stage | None
    missing: tuple[str, ...]
    answered: int
    seen: str
    committee: tuple[str, ...]
    """Names that the committee's form suggests."""
    team: tuple[str, ...]
    agenda: Agenda
    supersedable: bool
    """Whether another review could still supersede this one."""
    corrected: bool
    """Whether the product's phases were corrected since this one was signed."""
    unknown: tuple[str, ...]
    """Who decided without an account here: known by name alone, on the word of whoever signs."""
    today: date


def review_page(session: Session, slug: str, review_id: int, today: date) -> ReviewPage:
    """One review. Once it is signed, what is shown is its record: the evidence as it stood. Raises NotThere."""
    found = review(session, slug, review_id)
    frozen = gathering.from_json(found.record["evidence"]) if found.record else None
    evidence = frozen if frozen is not None else gathering.gather(session, found.product_id, slug, today)
    newest = latest_criteria(session, found.from_stage) if found.state is ReviewState.PREPARING else None
    newer = newest if newest is not None and newest.id != found.criteria.id else None
    missing = lacks(found.draft, ground_of(session, found, evidence, today)) if found.state is ReviewState.PREPARING else []
    return ReviewPage(
        review=found,
        laid=tuple(Laid(one, gathering.laid(evidence, one.draws)) for one in found.criteria.criteria),
        lacks=tuple(missing),
        newer=newer,
        withdrawn=tuple(one for one in found.criteria.criteria if one.key not in newer.keys) if newer else (),
        added=tuple(one for one in newer.criteria if one.key not in found.criteria.keys) if newer else (),
        next_stages=NEXT[found.from_stage],
        back_stages=back_stages(found.from_stage),
        stop_stage=stop_stage(found.from_stage),
        leads_to=leads_to(found.draft),
        missing=missing_of(found.criteria.keys, found.draft.answers),
        answered=sum(1 for key in found.criteria.keys if (one := found.draft.answers.get(key)) and one.answer),
        seen=whole_fingerprint(found.draft, found.planned_on),
        committee=committee_names(session) if found.state is ReviewState.PREPARING else (),
        team=tuple(team_of(session, found.product_id, today).values()),
        agenda=agendas(session, [found.product_id], today)[found.product_id],
        supersedable=is_supersedable(session, found.product_id, found.id, found.from_stage, today),
        corrected=found.state is ReviewState.SIGNED
        and is_corrected(session, found.product_id, found.id, (found.record or {}).get("next_stage"), found.draft.held_on),
        unknown=tuple(seat.name for seat in found.draft.committee if seat.decides and seat.person_id is None),
        today=today,
    )


def committee_names(session: Session) -> tuple[str, ...]:
    """The people who usually sit: leadership and coaches."""
    names = session.scalars(sa.select(PersonRow.name).where(PersonRow.role.in_([Role.LEADERSHIP, Role.COACH])))
    return tuple(sorted(set(names), key=folded))


def people_by_name(session: Session) -> dict[str, int]:
    """The account behind each name that only one account bears."""
    rows = session.execute(sa.select(PersonRow.id, PersonRow.name)).all()
    bearers = Counter(row.name.casefold() for row in rows)
    return {row.name.casefold(): row.id for row in rows if bearers[row.name.casefold()] == 1}


def review_of_condition(session: Session, slug: str, condition_id: int) -> int:
    """The review that set a condition. Raises NotThere."""
    found = session.scalar(
        sa.select(ConditionRow.review_id)
        .join(ProductRow, ProductRow.id == ConditionRow.product_id)
        .where(ConditionRow.id == condition_id, ProductRow.slug == slug)
    )
    if found is None:
        raise not_there(str(condition_id))
    return found


@dataclass(frozen=True, slots=True)
class Gate:
    """A product's next gate for its own page: what is asked, what is met, when it is due, what the last decision set."""

    agenda: Agenda
    criteria: CriteriaSet | None
    met: frozenset[str]
    preparing: ReviewLine | None
    last: ReviewLine | None
    held: tuple[ReviewLine, ...]
    answered: bool
    """Whether anybody answered this gate's criteria: before, none counts as met or missing."""

    @property
    def missing(self) -> tuple[Criterion, ...]:
        """The criteria that are not met yet."""
        return tuple(one for one in self.criteria.criteria if one.key not in self.met) if self.criteria else ()


def gate_of(session: Session, product_id: int, today: date) -> Gate:
    """The next gate of a product. What is met: by the review in preparation, else by the last one held in this phase."""
    agenda = agendas(session, [product_id], today)[product_id]
    lines = review_lines(session, [product_id])[product_id]
    preparing = next((one for one in lines if one.state is ReviewState.PREPARING), None)
    signed = [one for one in lines if one.state is ReviewState.SIGNED]
    stage = agenda.stay.stage if agenda.stay else None
    same = [one for one in signed if one.from_stage is stage and one.held_on and agenda.stay and one.held_on >= agenda.stay.start]
    source = preparing or (same[0] if same else None)
    criteria = latest_criteria(session, stage) if stage in NEXT else None
    met: frozenset[str] = frozenset()
    answered = False
    if source is not None:
        row = session.scalars(sa.select(ReviewRow).where(ReviewRow.id == source.id)).one()
        keys, answered = criteria_set(session, row.set_id).keys, bool(row.answers)
        met = frozenset(keys) - frozenset(missing_of(keys, draft_of(row).answers))
    return Gate(agenda, criteria, met, preparing, signed[0] if signed else None, tuple(signed), answered)


def entries(session: Session, product_ids: Sequence[int], today: date) -> list[Entry]:
    """The dates of those products for a calendar: reviews planned or due, and conditions that stand."""
    products = session.execute(
        sa.select(ProductRow.id, ProductRow.slug, ProductRow.name, ProductRow.changed_at).where(ProductRow.id.in_(product_ids))
    ).all()
    found = []
    due_by_product = agendas(session, product_ids, today)
    for row in products:
        agenda = due_by_product[row.id]
        address = f"/produits/{row.slug}/revues"
        if (due := agenda.next_day) is not None:
            summary = (
                _("Gate review of %(product)s: committee", product=row.name)
                if due.reason is DueReason.PLANNED
                else _("Gate review of %(product)s due", product=row.name)
            )
            found.append(Entry(f"revue-{row.slug}", due.day, summary, row.changed_at, address=address, remind_days=14))
        found += [
            Entry(
                f"condition-{one.id}", one.due_on, _("Condition of %(product)s: %(text)s", product=row.name, text=one.text[:200]),
                row.changed_at, address=f"{address}/{one.review_id}", remind_days=7,
            )
            for one in agenda.conditions
        ]  # fmt: skip
    return found
