"""What is known of services, their metrics, their series and their observations, today or on any earlier date."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.clock import Granularity, Period
from fabrique.quality.catalogue import Metric
from fabrique.quality.model import (
    MetricRow,
    ObservationRevisionRow,
    ObservationRow,
    SeriesRow,
    SeriesStateRow,
    ServiceRow,
)
from fabrique.quality.rules import Figures, measured
from fabrique.stats.measurements import Form
from fabrique.web.formats import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.stats.measurements import Measurements

LONGEST = 200_000
"""Periods of one series that are looked at; a gap of centuries is a typing error, not a series."""


@dataclass(frozen=True, slots=True)
class Service:
    """A public service."""

    id: int
    slug: str
    name: str
    product_id: int | None
    department: str
    agency: str
    origin: str


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one service."""

    id: int
    service_id: int
    metric: Metric
    segment: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class History:
    """A series in period order, missing periods included."""

    series_id: int
    granularity: Granularity
    periods: tuple[Period, ...]
    figures: tuple[Figures | None, ...]
    measurements: Measurements


# Columns, not entities, and built once: every page reads the catalogue.
CATALOGUE = sa.select(*MetricRow.__table__.columns).order_by(MetricRow.position, MetricRow.key)


def metrics(session: Session) -> dict[str, Metric]:
    """Every metric by its key, in the catalogue's order."""
    rows = session.execute(CATALOGUE)
    return {
        row.key: Metric(
            key=row.key,
            label_fr=row.label_fr,
            label_en=row.label_en,
            subject_fr=row.subject_fr,
            subject_en=row.subject_en,
            form=Form(row.form),
            better=row.better,
            unit=Unit(row.symbol, row.decimals, row.factor),
            minimum_answers=row.minimum_answers,
            marks=tuple(row.marks),
            green=row.green,
            yellow=row.yellow,
        )
        for row in rows
    }


def unit_of(metric: Metric, override: str) -> Unit:
    """A series' unit: the metric's, unless the series has its own symbol."""
    return Unit(override, metric.unit.decimals, metric.unit.factor) if override else metric.unit


def service_ids(session: Session, slugs: Iterable[str]) -> dict[str, int]:
    """The id of each known service among those slugs."""
    rows = session.execute(sa.select(ServiceRow.slug, ServiceRow.id).where(ServiceRow.slug.in_(list(slugs))))
    return {row.slug: row.id for row in rows}


def all_service_ids(session: Session) -> dict[str, int]:
    """The id of every service by slug."""
    return {row.slug: row.id for row in session.execute(sa.select(ServiceRow.slug, ServiceRow.id))}


def service_by_slug(session: Session, slug: str) -> Service | None:
    """The service behind a slug."""
    row = session.scalar(sa.select(ServiceRow).where(ServiceRow.slug == slug))
    return _service(row) if row else None


def services_of_product(session: Session, product_id: int) -> list[Service]:
    """A product's services by name."""
    rows = session.scalars(
        sa.select(ServiceRow).where(ServiceRow.product_id == product_id).order_by(sa.func.lower(ServiceRow.name))
    )
    return [_service(row) for row in rows]


def _service(row: ServiceRow) -> Service:
    return Service(row.id, row.slug, row.name, row.product_id, row.department, row.agency, row.origin)


def series_of_services(session: Session, ids: Iterable[int], known: dict[str, Metric]) -> list[Series]:
    """The series of some services, in the catalogue's order."""
    order = {key: place for place, key in enumerate(known)}
    rows = session.execute(
        sa.select(SeriesRow.id, SeriesRow.service_id, SeriesRow.metric_key, SeriesRow.segment, SeriesRow.unit).where(
            SeriesRow.service_id.in_(list(ids))
        )
    )
    found = [
        Series(row.id, row.service_id, known[row.metric_key], row.segment, unit_of(known[row.metric_key], row.unit))
        for row in rows
    ]
    return sorted(found, key=lambda s: (s.service_id, order[s.metric.key], s.segment))


def states(session: Session, series_ids: Iterable[int]) -> dict[int, SeriesStateRow]:
    """The projection of each series."""
    rows = session.scalars(sa.select(SeriesStateRow).where(SeriesStateRow.series_id.in_(list(series_ids))))
    return {row.series_id: row for row in rows}


STATISTICS = ("numerator", "denominator", "n", "total", "total_of_squares", "value", "levels")
FIGURE_COLUMNS = tuple(getattr(ObservationRow, name) for name in STATISTICS)


def figures_of(row: Any) -> Figures:
    """The statistics of a row of observations or revisions."""
    levels = row.levels
    return Figures(
        row.numerator,
        row.denominator,
        row.n,
        row.total,
        row.total_of_squares,
        row.value,
        None if levels is None else tuple(levels),
    )


def histories(session: Session, series: Sequence[Series]) -> dict[int, History]:
    """What is known today of each series that has observations."""
    ids = [one.id for one in series]
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(
        sa.select(ObservationRow.series_id, ObservationRow.granularity, ObservationRow.start, *FIGURE_COLUMNS)
        .where(ObservationRow.series_id.in_(ids))
        .order_by(ObservationRow.series_id, ObservationRow.granularity, ObservationRow.start)
    ):
        rows[row.series_id].append(row)
    return {one.id: history(one, rows[one.id]) for one in series if rows[one.id]}


def history(series: Series, rows: Sequence[Any]) -> History:
    """The rows of the granularity that has most of them, with a place for each missing period between."""
    by_length: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_length[row.granularity].append(row)
    chosen = max(by_length.values(), key=len)
    granularity = Granularity(chosen[0].granularity)
    known = {row.start: figures_of(row) for row in chosen}
    period, last = Period(chosen[0].start, granularity), chosen[-1].start
    periods = [period]
    while period.start < last and len(periods) < LONGEST:
        period = period.following
        periods.append(period)
    figures = [known.get(one.start) for one in periods]
    return History(series.id, granularity, tuple(periods), tuple(figures), measured(series.metric, figures))


def as_known_on(session: Session, series_id: int, moment: datetime) -> dict[tuple[str, date], Figures]:
    """What was believed of a series at a moment: the later corrections undone."""
    believed: dict[tuple[str, date], Figures] = {}
    revisions = session.scalars(
        sa.select(ObservationRevisionRow)
        .where(
            ObservationRevisionRow.series_id == series_id,
            ObservationRevisionRow.recorded_at <= moment,
            ObservationRevisionRow.replaced_at > moment,
        )
        .order_by(ObservationRevisionRow.recorded_at)
    )
    for revision in revisions:
        believed[revision.granularity, revision.start] = figures_of(revision)
    rows = session.scalars(
        sa.select(ObservationRow).where(ObservationRow.series_id == series_id, ObservationRow.recorded_at <= moment)
    )
    for row in rows:
        believed[row.granularity, row.start] = figures_of(row)
    return believed
