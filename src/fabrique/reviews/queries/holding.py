"""Reviews with everything about them, and lists of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.queries import stay_lines
from fabrique.portfolio.rules import Stage, stay_on
from fabrique.reviews.drafts import draft_of
from fabrique.reviews.model import ConditionRow, CriteriaSetRow, ReviewRow
from fabrique.reviews.queries.criteria import criteria_set, latest_criteria
from fabrique.reviews.rules import Decision, Draft, Ground, ReviewState
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from fabrique.portfolio.rules import Stay
    from fabrique.reviews.evidence import Evidence
    from fabrique.reviews.versions import CriteriaSet


@dataclass(frozen=True, slots=True)
class ConditionLine:
    """A condition of a signed decision."""

    id: int
    text: str
    due_on: date
    met_on: date | None
    met_note: str
    met_by: str

    def is_late(self, today: date) -> bool:
        """Whether its day has passed and nobody has marked it as met."""
        return self.met_on is None and self.due_on < today


@dataclass(frozen=True, slots=True)
class Review:
    """One gate review."""

    id: int
    product_id: int
    slug: str
    product: str
    state: ReviewState
    criteria: CriteriaSet
    planned_on: date | None
    draft: Draft
    prepared_by: frozenset[int]
    preparers: tuple[str, ...]
    created_at: datetime
    changed_at: datetime
    changed_by: str
    signed_at: datetime | None
    signed_by: str
    supersedes_id: int | None
    superseded_by: int | None
    record: dict[str, Any] | None
    record_sha256: str
    conditions: tuple[ConditionLine, ...]

    @property
    def from_stage(self) -> Stage:
        """The stage whose gate it is."""
        return self.draft.from_stage


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A review in a list."""

    id: int
    product_id: int
    state: ReviewState
    from_stage: Stage
    planned_on: date | None
    held_on: date | None
    decision: Decision | None
    next_stage: Stage | None
    continue_until: date | None
    signed_at: datetime | None
    created_at: datetime


def review(session: Session, slug: str, review_id: int) -> Review:
    """One review of a product. Raises NotThere."""
    changer, signer = aliased(PersonRow), aliased(PersonRow)
    found = session.execute(
        sa.select(ReviewRow, ProductRow.slug, ProductRow.name, changer.name, signer.name)
        .join(ProductRow, ProductRow.id == ReviewRow.product_id)
        .outerjoin(changer, changer.id == ReviewRow.changed_by)
        .outerjoin(signer, signer.id == ReviewRow.signed_by)
        .where(ReviewRow.id == review_id, ProductRow.slug == slug)
    ).one_or_none()
    if found is None:
        raise not_there(str(review_id))
    row, product_slug, product_name, changed_by, signed_by = found
    preparers = session.scalars(sa.select(PersonRow.name).where(PersonRow.id.in_(row.prepared_by)).order_by(PersonRow.id)).all()
    return Review(
        id=row.id,
        product_id=row.product_id,
        slug=product_slug,
        product=product_name,
        state=ReviewState(row.state),
        criteria=criteria_set(session, row.set_id),
        planned_on=row.planned_on,
        draft=draft_of(row),
        prepared_by=frozenset(row.prepared_by),
        preparers=tuple(preparers),
        created_at=row.created_at,
        changed_at=row.changed_at,
        changed_by=changed_by or "",
        signed_at=row.signed_at,
        signed_by=signed_by or "",
        supersedes_id=row.supersedes_id,
        superseded_by=session.scalar(
            sa.select(ReviewRow.id).where(ReviewRow.supersedes_id == row.id, ReviewRow.state != ReviewState.ABANDONED)
        ),
        record=row.record,
        record_sha256=row.record_sha256,
        conditions=tuple(conditions_of(session, [row.id])[row.id]),
    )


def conditions_of(session: Session, review_ids: Iterable[int]) -> dict[int, list[ConditionLine]]:
    """The conditions of those reviews, in their order."""
    found: dict[int, list[ConditionLine]] = defaultdict(list)
    for row, name in session.execute(
        sa.select(ConditionRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == ConditionRow.met_by)
        .where(ConditionRow.review_id.in_(list(review_ids)))
        .order_by(ConditionRow.review_id, ConditionRow.position)
    ):
        found[row.review_id].append(ConditionLine(row.id, row.text, row.due_on, row.met_on, row.met_note, name or ""))
    return found


def review_lines(session: Session, product_ids: Iterable[int]) -> dict[int, list[ReviewLine]]:
    """The reviews of those products, the latest first."""
    found: dict[int, list[ReviewLine]] = defaultdict(list)
    for row in session.scalars(
        sa.select(ReviewRow).where(ReviewRow.product_id.in_(list(product_ids))).order_by(ReviewRow.id.desc())
    ):
        found[row.product_id].append(
            ReviewLine(
                id=row.id,
                product_id=row.product_id,
                state=ReviewState(row.state),
                from_stage=Stage(row.from_stage),
                planned_on=row.planned_on,
                held_on=row.held_on,
                decision=Decision(row.decision) if row.decision else None,
                next_stage=Stage(row.next_stage) if row.next_stage else None,
                continue_until=row.continue_until,
                signed_at=row.signed_at,
                created_at=row.created_at,
            )
        )
    return found


def team_of(session: Session, product_id: int, day: date, kind: str = "team") -> dict[int, str]:
    """The people of a product's own team on a day (or its coaches), by id."""
    rows = session.execute(
        sa.select(PersonRow.id, PersonRow.name)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .where(
            MembershipRow.product_id == product_id,
            MembershipRow.kind == kind,
            MembershipRow.until.is_(None) | (MembershipRow.until >= day),
        )
    )
    return {row.id: row.name for row in rows}


def ever_of_team(session: Session, product_id: int) -> dict[int, str]:
    """Everybody who is or ever was of a product's own team: leaving it gives nobody a voice on it."""
    rows = session.execute(
        sa.select(PersonRow.id, PersonRow.name)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .where(MembershipRow.product_id == product_id, MembershipRow.kind == "team")
    )
    return {row.id: row.name for row in rows}


BASIS_LEFT_OUT = frozenset({"flags", "stage"})
"""An open flag or the time passed is worth knowing, and proves nothing."""


def ground_of(session: Session, found: Review, evidence: Evidence, today: date) -> Ground:
    """What the review's signature is checked against."""
    team = ever_of_team(session, found.product_id)
    newest = latest_criteria(session, found.from_stage)
    return Ground(
        stay=stay_before(session, found, today),
        team=frozenset(team),
        prepared_by=found.prepared_by,
        keys=found.criteria.keys,
        drawn=frozenset(
            one.key
            for one in found.criteria.criteria
            if any(evidence.get(draw) for draw in one.draws if draw not in BASIS_LEFT_OUT)
        ),
        criteria_since=next_version_since(session, found, newest),
        today=today,
        team_names=tuple(team.values()),
        preparer_names=found.preparers,
    )


def stay_before(session: Session, found: Review, today: date) -> Stay | None:
    """The product's present stay; under a review that supersedes another, the one it would have without that decision."""
    return stay_without(session, found.product_id, found.supersedes_id, today)


def stay_without(session: Session, product_id: int, review_id: int | None, today: date) -> Stay | None:
    """The present stay had a review decided nothing; where the product has moved on since, the present one as it is."""
    lines = stay_lines(session, [product_id]).get(product_id, [])
    stays = [line.stay for line in lines]
    if review_id is not None and lines and lines[-1].review_id == review_id:
        stays = [*stays[:-2], *(replace(one, end=None) for one in stays[-2:-1])]
    return stay_on(stays, today)


def is_supersedable(session: Session, product_id: int, review_id: int, from_stage: Stage, today: date) -> bool:
    """Whether another review could still take a decision's place: without it, the product would be at that gate again."""
    stay = stay_without(session, product_id, review_id, today)
    return stay is not None and stay.stage is from_stage


def is_corrected(session: Session, product_id: int, review_id: int, next_stage: str | None, held_on: date | None) -> bool:
    """Whether the phases say something else today than a signed review that led to a stage."""
    if not next_stage:
        return False
    lines = stay_lines(session, [product_id]).get(product_id, [])
    return not any(line.review_id == review_id and line.stay.start == held_on and line.stay.stage == next_stage for line in lines)


def next_version_since(session: Session, found: Review, newest: CriteriaSet | None) -> date:
    """The first day of the version that came after the review's own; the end of time where it is the present one."""
    if newest is None or newest.id == found.criteria.id:
        return date.max
    after = session.scalar(
        sa.select(sa.func.min(CriteriaSetRow.created_at)).where(
            CriteriaSetRow.gate == found.from_stage, CriteriaSetRow.version > found.criteria.version
        )
    )
    return after.date() if after else date.max
