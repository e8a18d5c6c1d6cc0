"""What the watch knows: flags, the ledger's state, what each series' last check said, and the events around."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.quality.model import SeriesRow, ServiceRow
from fabrique.watch.model import CheckRunRow, EventRow, FlagEventRow, FlagRow, SeriesCheckRow
from fabrique.watch.rules import FlagState, KnownFlag, RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag with what it is about."""

    id: int
    series_id: int
    service_id: int
    service_slug: str
    service_name: str
    metric_key: str
    segment: str
    unit: str
    state: FlagState
    direction: str
    granularity: str
    start: date
    earliest: date
    latest: date
    before: float
    after: float
    effect_low: float
    effect_high: float
    evidence: float
    chance: float
    version: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class FlagLine:
    """One line of a flag's history."""

    at: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """Something that may explain a change."""

    kind: str
    day: date
    title: str


@dataclass(frozen=True, slots=True)
class LedgerState:
    """How the watch is."""

    night: date | None
    by_status: dict[str, int]
    last_finished: datetime | None
    failures: list[tuple[str, str]]


def known_flags(session: Session, series_ids: Iterable[int]) -> dict[int, list[KnownFlag]]:
    """The flags of some series, as matching sees them."""
    found: dict[int, list[KnownFlag]] = defaultdict(list)
    for row in session.scalars(sa.select(FlagRow).where(FlagRow.series_id.in_(list(series_ids))).order_by(FlagRow.id)):
        found[row.series_id].append(
            KnownFlag(
                row.id,
                FlagState(row.state),
                row.direction,
                row.granularity,
                row.start,
                row.earliest,
                row.latest,
                row.before,
                row.after,
                row.effect_low,
                row.effect_high,
                row.chance,
                row.version,
            )
        )
    return found


FLAG_COLUMNS = (
    FlagRow.id, FlagRow.series_id, FlagRow.state, FlagRow.direction, FlagRow.granularity, FlagRow.start, FlagRow.earliest,
    FlagRow.latest, FlagRow.before, FlagRow.after, FlagRow.effect_low, FlagRow.effect_high, FlagRow.evidence, FlagRow.chance,
    FlagRow.version, FlagRow.raised_at,
)  # fmt: skip


def flags(session: Session, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[Flag]:
    """Flags that meet the conditions, the latest change first."""
    rows = session.execute(
        sa.select(
            *FLAG_COLUMNS,
            SeriesRow.service_id,
            SeriesRow.metric_key,
            SeriesRow.segment,
            SeriesRow.unit,
            ServiceRow.slug,
            ServiceRow.name,
        )
        .select_from(FlagRow)
        .join(SeriesRow, SeriesRow.id == FlagRow.series_id)
        .join(ServiceRow, ServiceRow.id == SeriesRow.service_id)
        .where(*conditions)
        .order_by(FlagRow.start.desc(), FlagRow.evidence.desc(), FlagRow.id)
        .limit(limit)
    )
    return [
        Flag(
            id=row.id,
            series_id=row.series_id,
            service_id=row.service_id,
            service_slug=row.slug,
            service_name=row.name,
            metric_key=row.metric_key,
            segment=row.segment,
            unit=row.unit,
            state=FlagState(row.state),
            direction=row.direction,
            granularity=row.granularity,
            start=row.start,
            earliest=row.earliest,
            latest=row.latest,
            before=row.before,
            after=row.after,
            effect_low=row.effect_low,
            effect_high=row.effect_high,
            evidence=row.evidence,
            chance=row.chance,
            version=row.version,
            raised_at=row.raised_at,
        )
        for row in rows
    ]


def flags_in(session: Session, *, state: FlagState | None, direction: str | None, limit: int) -> list[Flag]:
    """Flags in a state and of a direction (None: any)."""
    conditions = []
    if state is not None:
        conditions.append(FlagRow.state == state)
    if direction is not None:
        conditions.append(FlagRow.direction == direction)
    return flags(session, *conditions, limit=limit)


def raised_since(session: Session, day: date) -> list[Flag]:
    """Flags still to explain whose change began on that day or later."""
    return flags(session, FlagRow.state == FlagState.RAISED, FlagRow.start >= day)


def flags_of_service(session: Session, service_id: int) -> list[Flag]:
    """Every flag of a service that was not withdrawn."""
    return flags(session, SeriesRow.service_id == service_id, FlagRow.state != FlagState.WITHDRAWN)


def flag_by_id(session: Session, flag_id: int) -> Flag | None:
    """One flag."""
    found = flags(session, FlagRow.id == flag_id)
    return found[0] if found else None


def history_of(session: Session, flag_id: int) -> list[FlagLine]:
    """What happened to a flag, oldest first."""
    rows = session.execute(
        sa.select(FlagEventRow.at, FlagEventRow.kind).where(FlagEventRow.flag_id == flag_id).order_by(FlagEventRow.id)
    )
    return [FlagLine(row.at, row.kind) for row in rows]


def flag_counts(session: Session) -> dict[str, dict[str, int]]:
    """How many flags in each state and direction."""
    counts: dict[str, dict[str, int]] = {}
    for state, direction, number in session.execute(
        sa.select(FlagRow.state, FlagRow.direction, sa.func.count()).group_by(FlagRow.state, FlagRow.direction)
    ):
        counts.setdefault(state, {})[direction] = number
    return counts


def open_directions(session: Session) -> dict[int, list[str]]:
    """The directions of the flags to explain, by service."""
    found: dict[int, list[str]] = defaultdict(list)
    for service_id, direction in session.execute(
        sa.select(SeriesRow.service_id, FlagRow.direction)
        .join(SeriesRow, SeriesRow.id == FlagRow.series_id)
        .where(FlagRow.state == FlagState.RAISED)
    ):
        found[service_id].append(direction)
    return found


def events_of_service(session: Session, service_id: int) -> list[ServiceEvent]:
    """What happened to a service, oldest first."""
    rows = session.scalars(sa.select(EventRow).where(EventRow.service_id == service_id).order_by(EventRow.day))
    return [ServiceEvent(row.kind, row.day, row.title) for row in rows]


def notes_of(session: Session, series_ids: Iterable[int]) -> dict[int, list[str]]:
    """What the last check noted of each series."""
    rows = session.execute(
        sa.select(SeriesCheckRow.series_id, SeriesCheckRow.notes).where(SeriesCheckRow.series_id.in_(list(series_ids)))
    )
    return {row.series_id: row.notes for row in rows}


def note_counts(session: Session) -> dict[str, int]:
    """How many series carry each note."""
    counts: dict[str, int] = defaultdict(int)
    for (notes,) in session.execute(sa.select(SeriesCheckRow.notes)):
        for note in notes:
            counts[note] += 1
    return dict(counts)


def ledger(session: Session) -> LedgerState:
    """How the last night went."""
    night = session.scalar(sa.select(sa.func.max(CheckRunRow.period)))
    # Of the last two nights only: in the middle of a night the one before has the latest end.
    last_finished = (
        session.scalar(sa.select(sa.func.max(CheckRunRow.finished_at)).where(CheckRunRow.period >= night - timedelta(days=1)))
        if night
        else None
    )
    by_status = status_counts(session, CheckRunRow.period == night)
    return LedgerState(night, by_status, last_finished, failures(session, night) if by_status[RunStatus.FAILED.value] else [])


def failures(session: Session, night: date | None) -> list[tuple[str, str]]:
    """The services whose check failed that night, each with the reason."""
    rows = session.execute(
        sa.select(ServiceRow.name, CheckRunRow.error)
        .join(ServiceRow, ServiceRow.id == CheckRunRow.service_id)
        .where(CheckRunRow.period == night, CheckRunRow.status == RunStatus.FAILED)
        .order_by(ServiceRow.name)
        .limit(50)
    )
    return [(name, error) for name, error in rows]


def run_counts(session: Session) -> dict[str, int]:
    """How many checks ever, by status."""
    return status_counts(session, sa.true())


def status_counts(session: Session, condition: sa.ColumnElement[bool]) -> dict[str, int]:
    """How many checks meet the condition, by status; every status is there."""
    found = session.execute(sa.select(CheckRunRow.status, sa.func.count()).where(condition).group_by(CheckRunRow.status))
    return {status.value: 0 for status in RunStatus} | dict(found.all())


def pending(session: Session, period: date) -> int:
    """Checks of a night that are neither done nor failed."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(CheckRunRow)
            .where(CheckRunRow.period == period, CheckRunRow.status.in_([RunStatus.DUE, RunStatus.RUNNING]))
        )
        or 0
    )
