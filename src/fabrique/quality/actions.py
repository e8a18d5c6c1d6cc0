"""What changes services and their figures. Recording observations is an idempotent upsert that keeps what it replaces."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from fabrique.database import upsert
from fabrique.quality import queries
from fabrique.quality.catalogue import SHIPPED
from fabrique.quality.model import (
    MetricRow,
    ObservationRevisionRow,
    ObservationRow,
    SeriesRow,
    SeriesStateRow,
    ServiceRow,
)
from fabrique.quality.queries import STATISTICS, figures_of
from fabrique.quality.rules import Figures, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.clock import Period

KEYS_A_QUERY = 5_000


class SeriesKey(NamedTuple):
    """What names a series."""

    service_id: int
    metric_key: str
    segment: str
    unit: str


@dataclass(frozen=True, slots=True)
class Observed:
    """One figure to record."""

    series: SeriesKey
    period: Period
    figures: Figures
    source: str = ""
    note: str = ""


@dataclass(slots=True)
class Recorded:
    """What became of some figures."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class ServiceSheet:
    """A service as an importer tells it."""

    slug: str
    name: str
    department: str = ""
    agency: str = ""
    origin: str = ""
    product_id: int | None = None


def install_catalogue(session: Session) -> None:
    """Put the shipped metrics as this version knows them."""
    for position, metric in enumerate(SHIPPED):
        values: dict[str, Any] = {
            "position": position,
            "label_fr": metric.label_fr,
            "label_en": metric.label_en,
            "subject_fr": metric.subject_fr,
            "subject_en": metric.subject_en,
            "form": metric.form,
            "better": metric.better,
            "symbol": metric.unit.symbol,
            "decimals": metric.unit.decimals,
            "factor": metric.unit.factor,
            "marks": list(metric.marks),
            "minimum_answers": metric.minimum_answers,
            "green": metric.green,
            "yellow": metric.yellow,
        }
        row = session.get(MetricRow, metric.key)
        if row is None:
            session.add(MetricRow(key=metric.key, **values))
        else:
            for name, value in values.items():
                setattr(row, name, value)


def service_outcomes(session: Session, sheets: Sequence[ServiceSheet]) -> list[str]:
    """What recording each service as told would do: created, changed or unchanged."""
    known = {row.slug: row for row in session.scalars(sa.select(ServiceRow).where(ServiceRow.slug.in_([s.slug for s in sheets])))}
    return [
        "created"
        if sheet.slug not in known
        else "unchanged"
        if all(getattr(known[sheet.slug], name) == value for name, value in _told(sheet).items())
        else "changed"
        for sheet in sheets
    ]


def _told(sheet: ServiceSheet) -> dict[str, Any]:
    """The columns that a sheet speaks of. One that names no product leaves the service where it is attached."""
    told: dict[str, Any] = {"name": sheet.name, "department": sheet.department, "agency": sheet.agency}
    return told if sheet.product_id is None else told | {"product_id": sheet.product_id}


def put_services(session: Session, sheets: Sequence[ServiceSheet]) -> None:
    """Record services as told."""
    for sheet in sheets:
        row = session.scalar(sa.select(ServiceRow).where(ServiceRow.slug == sheet.slug))
        if row is None:
            session.add(ServiceRow(slug=sheet.slug, origin=sheet.origin, **_told(sheet)))
        else:
            for name, value in _told(sheet).items():
                setattr(row, name, value)
    session.flush()


def compare(session: Session, observed: Sequence[Observed]) -> tuple[Recorded, list[Observed], list[Observed]]:
    """Which figures are new and which differ from what is known: nothing is written."""
    counts = Recorded()
    new: list[Observed] = []
    different: list[Observed] = []
    ids = series_ids(session, {one.series for one in observed})
    known = _known(session, observed, ids)
    for one in observed:
        before = known.get((ids.get(one.series, 0), one.period.granularity, one.period.start))
        if before is None:
            counts.created += 1
            new.append(one)
        elif before == (one.figures, one.source, one.note):
            counts.unchanged += 1
        else:
            counts.changed += 1
            different.append(one)
    return counts, new, different


def record_observations(session: Session, observed: Sequence[Observed], batch_of: Callable[[], int], now: datetime) -> Recorded:
    """Record figures whose keys are all different. Same again changes nothing; a correction keeps what it replaces.

    `batch_of` gives the batch's id and is called only where something is written.
    """
    hold_services(session, {one.series.service_id for one in observed})
    counts, new, different = compare(session, observed)
    if not new and not different:
        return counts
    ids = _ensure_series(session, {one.series for one in (*new, *different)})
    batch_id = batch_of()
    if different:
        _keep_revisions(session, different, ids, batch_id, now)
    rows = [_row(one, ids[one.series], batch_id, now) for one in (*new, *different)]
    rows.sort(key=lambda row: (row["series_id"], row["granularity"], row["start"]))
    statement = upsert(session, ObservationRow)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["series_id", "granularity", "start"],
            set_={name: statement.excluded[name] for name in (*STATISTICS, "source", "note", "recorded_at", "batch_id")},
        ),
        rows,
    )
    touched = {row["series_id"] for row in rows}
    refresh_states(session, touched)
    session.execute(
        sa.update(ServiceRow)
        .where(ServiceRow.id.in_({one.series.service_id for one in (*new, *different)}))
        .values(data_version=ServiceRow.data_version + 1)
    )
    return counts


def hold_services(session: Session, ids: set[int]) -> None:
    """Let nobody else record figures of these services until the transaction ends.

    Two at once on PostgreSQL would else each see none of the other's, and one would replace the other's without keeping them.
    """
    session.execute(
        sa.select(ServiceRow.id).where(ServiceRow.id.in_(ids)).order_by(ServiceRow.id).with_for_update(key_share=True)
    )


def series_ids(session: Session, keys: set[SeriesKey]) -> dict[SeriesKey, int]:
    """The id of each series that exists. (The unit does not name a series: it is a property of it.)"""
    wanted = {(key.service_id, key.metric_key, key.segment): key for key in keys}
    services = {key.service_id for key in keys}
    found: dict[SeriesKey, int] = {}
    for chunk in _chunks(sorted(services), KEYS_A_QUERY):
        for row in session.execute(
            sa.select(SeriesRow.id, SeriesRow.service_id, SeriesRow.metric_key, SeriesRow.segment).where(
                SeriesRow.service_id.in_(chunk)
            )
        ):
            if key := wanted.get((row.service_id, row.metric_key, row.segment)):
                found[key] = row.id
    return found


def _ensure_series(session: Session, keys: set[SeriesKey]) -> dict[SeriesKey, int]:
    found = series_ids(session, keys)
    missing = sorted(keys - found.keys())
    if missing:
        session.execute(
            upsert(session, SeriesRow).on_conflict_do_nothing(),
            [
                {"service_id": key.service_id, "metric_key": key.metric_key, "segment": key.segment, "unit": key.unit}
                for key in missing
            ],
        )
        found |= series_ids(session, set(missing))
    return found


def _known(
    session: Session, observed: Sequence[Observed], ids: dict[SeriesKey, int]
) -> dict[tuple[int, str, date], tuple[Figures, str, str]]:
    if not ids:
        return {}
    first, last = min(one.period.start for one in observed), max(one.period.start for one in observed)
    found: dict[tuple[int, str, date], tuple[Figures, str, str]] = {}
    for chunk in _chunks(sorted(ids.values()), KEYS_A_QUERY):
        rows = session.execute(
            sa.select(
                ObservationRow.series_id,
                ObservationRow.granularity,
                ObservationRow.start,
                ObservationRow.source,
                ObservationRow.note,
                *queries.FIGURE_COLUMNS,
            ).where(ObservationRow.series_id.in_(chunk), ObservationRow.start.between(first, last))
        )
        for row in rows:
            found[row.series_id, row.granularity, row.start] = (figures_of(row), row.source, row.note)
    return found


def _keep_revisions(
    session: Session, different: Sequence[Observed], ids: dict[SeriesKey, int], batch_id: int, now: datetime
) -> None:
    columns = (*STATISTICS, "source", "note", "recorded_at", "batch_id", "series_id", "granularity", "start")
    kept = []
    for one in different:
        row = session.get_one(ObservationRow, (ids[one.series], one.period.granularity, one.period.start))
        kept.append({name: getattr(row, name) for name in columns} | {"replaced_at": now, "replaced_by": batch_id})
    session.execute(sa.insert(ObservationRevisionRow), kept)
    session.expire_all()


def _row(one: Observed, series_id: int, batch_id: int, now: datetime) -> dict[str, Any]:
    figures = one.figures
    return {
        "series_id": series_id,
        "granularity": one.period.granularity,
        "start": one.period.start,
        "numerator": figures.numerator,
        "denominator": figures.denominator,
        "n": figures.n,
        "total": figures.total,
        "total_of_squares": figures.total_of_squares,
        "value": figures.value,
        "levels": None if figures.levels is None else list(figures.levels),
        "source": one.source,
        "note": one.note,
        "recorded_at": now,
        "batch_id": batch_id,
    }


def refresh_states(session: Session, touched: Iterable[int]) -> None:
    """Write the projection of the series whose figures moved."""
    known = queries.metrics(session)
    for chunk in _chunks(sorted(touched), 500):
        metric_of = dict(session.execute(sa.select(SeriesRow.id, SeriesRow.metric_key).where(SeriesRow.id.in_(chunk))).all())
        rows = session.execute(
            sa.select(ObservationRow.series_id, ObservationRow.granularity, ObservationRow.start, *queries.FIGURE_COLUMNS)
            .where(ObservationRow.series_id.in_(chunk))
            .order_by(ObservationRow.series_id, ObservationRow.granularity, ObservationRow.start)
        )
        states = []
        for series_id, group in groupby(rows, key=lambda row: row.series_id):
            lengths: dict[str, list[Any]] = defaultdict(list)
            for row in group:
                lengths[row.granularity].append(row)
            chosen = max(lengths.values(), key=len)
            starts = [row.start for row in chosen]
            state = summary(known[metric_of[series_id]], starts, [figures_of(row) for row in chosen])
            states.append(
                {
                    "series_id": series_id,
                    "granularity": chosen[0].granularity,
                    "first_start": starts[0],
                    "last_start": starts[-1],
                    "periods": len(starts),
                    "level": state.level,
                    "answers": state.answers,
                    "recent": list(state.recent),
                }
            )
        statement = upsert(session, SeriesStateRow)
        names = ("granularity", "first_start", "last_start", "periods", "level", "answers", "recent")
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["series_id"], set_={name: statement.excluded[name] for name in names}
            ),
            states,
        )


def _chunks(items: list[int], size: int) -> Iterable[list[int]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
