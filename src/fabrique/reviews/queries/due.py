"""When reviews and conditions are due, for one product or thousands: as conditions of a query, and as dates of rows shown."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.database import days_later
from fabrique.portfolio.model import ProductRow, StayRow
from fabrique.portfolio.queries import stays_of
from fabrique.portfolio.queries.finding import CURRENT
from fabrique.portfolio.rules import Stay, stay_on
from fabrique.reviews.model import ConditionRow, ReviewRow
from fabrique.reviews.rules import USUAL, Due, DueReason, ReviewState, due_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session


def late_products(today: date) -> sa.ColumnElement[bool]:
    """Whether a product's review is due and that day has passed: a condition over ProductRow.id."""
    last = (
        sa.select(StayRow.product_id, sa.func.max(StayRow.position).label("position"))
        .where(StayRow.start <= today)
        .group_by(StayRow.product_id)
        .subquery()
    )
    until = (
        sa.select(ReviewRow.continue_until)
        .where(
            ReviewRow.product_id == StayRow.product_id,
            ReviewRow.state == ReviewState.SIGNED,
            ReviewRow.from_stage == StayRow.stage,
            ReviewRow.held_on >= StayRow.start,
        )
        .order_by(ReviewRow.held_on.desc(), ReviewRow.id.desc())
        .limit(1)
        .correlate(StayRow)
        .scalar_subquery()
    )
    usual = sa.or_(*(sa.and_(StayRow.stage == stage.value, StayRow.start < today - length) for stage, length in USUAL.items()))
    late = (
        sa.select(StayRow.product_id)
        .join(last, (last.c.product_id == StayRow.product_id) & (last.c.position == StayRow.position))
        .where(StayRow.stage.in_([stage.value for stage in USUAL]), sa.case((until.is_not(None), until < today), else_=usual))
    )
    return ProductRow.id.in_(late)


def review_due_day() -> sa.ColumnElement[date]:
    """The day on which a product's next review is due, null where none is: an expression over finding.CURRENT, for lists of thousands.

    The same day as `due_of` gives for one product.
    """
    until = (
        sa.select(ReviewRow.continue_until)
        .where(
            ReviewRow.product_id == CURRENT.product_id,
            ReviewRow.state == ReviewState.SIGNED,
            ReviewRow.from_stage == CURRENT.stage,
            ReviewRow.held_on >= CURRENT.start,
        )
        .order_by(ReviewRow.held_on.desc(), ReviewRow.id.desc())
        .limit(1)
        .correlate(CURRENT)
        .scalar_subquery()
    )
    days = {stage.value: length.days for stage, length in USUAL.items()}
    usual = days_later(CURRENT.start, sa.case(days, value=CURRENT.stage))
    return sa.case((CURRENT.stage.in_(list(days)), sa.func.coalesce(until, usual)))


def next_review_day() -> sa.ColumnElement[date]:
    """The day to look at first, as `Agenda.next_day` has it: the committee's where one is planned, else the day the review is due."""
    planned = (
        sa.select(ReviewRow.planned_on)
        .where(ReviewRow.product_id == ProductRow.id, ReviewRow.state == ReviewState.PREPARING, ReviewRow.held_on.is_(None))
        .correlate(ProductRow)
        .scalar_subquery()
    )
    return sa.func.coalesce(planned, review_due_day())


def conditions_overdue(today: date) -> sa.ColumnElement[bool]:
    """Whether a condition of a decision that still holds is overdue: a condition over ProductRow.id."""
    return ProductRow.id.in_(
        sa.select(ConditionRow.product_id)
        .join(ReviewRow, ReviewRow.id == ConditionRow.review_id)
        .where(ReviewRow.state == ReviewState.SIGNED, ConditionRow.met_on.is_(None), ConditionRow.due_on < today)
    )


@dataclass(frozen=True, slots=True)
class OpenCondition:
    """Something that a decision still asks for."""

    id: int
    product_id: int
    review_id: int
    text: str
    due_on: date

    def is_late(self, today: date) -> bool:
        """Whether its day has passed."""
        return self.due_on < today


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is due of a product: its review, the committee that is planned, the conditions that stand."""

    stay: Stay | None
    due: Due | None
    preparing: int | None
    """The id of the review in preparation."""
    planned_on: date | None
    conditions: tuple[OpenCondition, ...]

    @property
    def next_day(self) -> Due | None:
        """The day to look at first: the committee's where one is planned, else the day its review is due."""
        return Due(self.planned_on, DueReason.PLANNED) if self.planned_on else self.due


def agendas(session: Session, product_ids: Sequence[int], today: date) -> dict[int, Agenda]:
    """What is due of those products, in three queries whatever their number."""
    stays = stays_of(session, product_ids)
    untils: dict[int, list[ReviewRow]] = defaultdict(list)
    for row in session.scalars(
        sa.select(ReviewRow).where(
            ReviewRow.product_id.in_(product_ids), ReviewRow.state.in_([ReviewState.SIGNED, ReviewState.PREPARING])
        )
    ):
        untils[row.product_id].append(row)
    conditions = open_conditions(session, product_ids)
    return {key: _agenda(stay_on(stays.get(key, []), today), untils[key], tuple(conditions[key])) for key in product_ids}


def _agenda(stay: Stay | None, rows: Sequence[ReviewRow], conditions: tuple[OpenCondition, ...]) -> Agenda:
    decided = [
        row
        for row in rows
        if stay is not None
        and row.state == ReviewState.SIGNED
        and row.from_stage == stay.stage
        and row.held_on is not None
        and row.held_on >= stay.start
    ]
    last = max(decided, key=lambda row: (row.held_on, row.id), default=None)
    until = last.continue_until if last else None
    preparing = next((row for row in rows if row.state == ReviewState.PREPARING), None)
    return Agenda(
        stay,
        due_of(stay, until),
        preparing.id if preparing else None,
        # Once the committee was held there is nothing to plan for: what is left is to sign.
        preparing.planned_on if preparing and preparing.held_on is None else None,
        conditions,
    )


def open_conditions(session: Session, product_ids: Sequence[int]) -> dict[int, list[OpenCondition]]:
    """The conditions of decisions that still hold and that nobody has marked as met, the first due first."""
    found: dict[int, list[OpenCondition]] = defaultdict(list)
    for row in session.scalars(
        sa.select(ConditionRow)
        .join(ReviewRow, ReviewRow.id == ConditionRow.review_id)
        .where(ConditionRow.product_id.in_(product_ids), ReviewRow.state == ReviewState.SIGNED, ConditionRow.met_on.is_(None))
        .order_by(ConditionRow.due_on, ConditionRow.id)
    ):
        found[row.product_id].append(OpenCondition(row.id, row.product_id, row.review_id, row.text, row.due_on))
    return found
