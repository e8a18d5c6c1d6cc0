"""How is each product, in a word: what its users say, its reviews, its silence. The same answer as a filter and beside a name."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.clock import PARIS
from fabrique.dashboards.queries.portfolio import RECENT_DAYS
from fabrique.experiments.model import ExperimentRow
from fabrique.language import n_
from fabrique.portfolio.model import ProductEventRow, ProductRow, RevisionRow, StayRow
from fabrique.portfolio.queries.finding import CURRENT, in_current_stay
from fabrique.portfolio.rules import ACTIVE
from fabrique.quality.model import SeriesRow, ServiceRow
from fabrique.reviews.model import ReviewRow
from fabrique.reviews.queries.due import conditions_overdue, review_due_day
from fabrique.reviews.rules import SILENCE
from fabrique.watch.model import FlagRow
from fabrique.watch.rules import FlagState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.reviews.queries.due import Agenda


class Health(StrEnum):
    """What is to be said of a product; several may hold at once, WELL alone."""

    FELL = "fell"
    REGRESSED = "regressed"
    LATE = "late"
    QUIET = "quiet"
    IMPROVED = "improved"
    WELL = "well"


HEALTH_LABELS = {
    Health.FELL: n_("Satisfaction fell this quarter"),
    Health.REGRESSED: n_("Something regressed this quarter"),
    Health.LATE: n_("Review or condition late"),
    Health.QUIET: n_("No news for eight weeks"),
    Health.IMPROVED: n_("Something improved this quarter"),
    Health.WELL: n_("Nothing to report"),
}

HEALTH_SHORT = {
    Health.FELL: n_("Satisfaction fell"),
    Health.REGRESSED: n_("Regression"),
    Health.LATE: n_("Late"),
    Health.QUIET: n_("No news"),
    Health.IMPROVED: n_("Improvement"),
    Health.WELL: n_("Nothing to report"),
}
"""Beside a name."""


def health_condition(health: Health, today: date) -> sa.ColumnElement[bool]:
    """Whether that is to be said of a product: a condition for `find_products`, over ProductRow and CURRENT."""
    match health:
        case Health.FELL:
            return moved("regression", today, "satisfaction")
        case Health.REGRESSED:
            return moved("regression", today)
        case Health.IMPROVED:
            return moved("improvement", today)
        case Health.LATE:
            return sa.or_(sa.func.coalesce(review_due_day() < today, sa.false()), conditions_overdue(today))
        case Health.QUIET:
            return quiet(today)
        case Health.WELL:
            others = [health_condition(one, today) for one in Health if one is not Health.WELL]
            return sa.and_(on_its_road(), *(sa.not_(one) for one in others))


def on_its_road() -> sa.ColumnElement[bool]:
    """Whether the product is in incubation: of those that have left nobody waits for news."""
    return CURRENT.stage.in_([stage.value for stage in ACTIVE])


def moved(direction: str, today: date, metric: str = "") -> sa.ColumnElement[bool]:
    """Whether a figure of one of its services moved that way within the quarter. With a metric: for all its users, not for a segment."""
    # IN, not EXISTS: from the few flags to their products. SQLite, asked the other way round, walks all series of the metric each time.
    metric_only = [SeriesRow.metric_key == metric, SeriesRow.segment == ""] if metric else []
    return ProductRow.id.in_(
        sa.select(ServiceRow.product_id)
        .join(SeriesRow, SeriesRow.service_id == ServiceRow.id)
        .join(FlagRow, FlagRow.series_id == SeriesRow.id)
        .where(ServiceRow.product_id.is_not(None), FlagRow.direction == direction, *told_lately(today), *metric_only)
    )


def told_lately(today: date) -> tuple[sa.ColumnElement[bool], ...]:
    """A flag that was told, still holds, and whose change began within the quarter."""
    untold = (FlagState.CANDIDATE, FlagState.CLOSED, FlagState.WITHDRAWN)
    return (FlagRow.state.not_in(untold), FlagRow.start >= today - timedelta(days=RECENT_DAYS))


def quiet(today: date) -> sa.ColumnElement[bool]:
    """Whether a product that is on its road gave no sign of life for weeks: what reviews.queries.queue says of rows that it has read."""
    first = today - SILENCE + timedelta(days=1)
    moment = datetime.combine(first, time(), PARIS)
    signs: tuple[sa.ColumnElement[bool], ...] = (
        sa.exists().where(RevisionRow.product_id == ProductRow.id, RevisionRow.at >= moment),
        sa.exists().where(ProductEventRow.product_id == ProductRow.id, ProductEventRow.day.between(first, today)),
        sa.exists().where(StayRow.product_id == ProductRow.id, StayRow.start.between(first, today)),
        sa.exists().where(ExperimentRow.product_id == ProductRow.id, ExperimentRow.changed_at >= moment),
        sa.exists().where(ReviewRow.product_id == ProductRow.id, ReviewRow.changed_at >= moment),
    )
    return sa.and_(on_its_road(), sa.not_(sa.or_(*signs)))


def health_of(session: Session, agendas: Mapping[int, Agenda], today: date) -> dict[int, tuple[Health, ...]]:
    """What is to be said of each of those products, the worst first, in one query. agendas: what is due of each, as shown beside."""
    asked = [one for one in Health if one not in {Health.LATE, Health.WELL}]
    found: dict[int, tuple[Health, ...]] = {}
    for row in session.execute(marks_query(list(agendas), asked, today)):
        held: set[Health] = {one for one in asked if getattr(row, one.value)}
        if is_late(agendas[row.id], today):
            held.add(Health.LATE)
        if not held and row.on_its_road:
            held.add(Health.WELL)
        found[row.id] = tuple(one for one in Health if one in held)
    return found


def marks_query(product_ids: Sequence[int], asked: Sequence[Health], today: date) -> sa.Select[*tuple[Any, ...]]:
    """Each product with a column for each thing that may be said of it."""
    return (
        sa.select(
            ProductRow.id,
            on_its_road().label("on_its_road"),
            *(health_condition(one, today).label(one.value) for one in asked),
        )
        .select_from(ProductRow)
        .outerjoin(CURRENT, in_current_stay(today))
        .where(ProductRow.id.in_(product_ids))
    )


def is_late(agenda: Agenda, today: date) -> bool:
    """Whether the product's review or one of its conditions is late."""
    return bool(agenda.due and agenda.due.is_late(today)) or any(one.is_late(today) for one in agenda.conditions)
