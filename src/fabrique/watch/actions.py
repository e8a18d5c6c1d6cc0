"""The night's work: plan what is due, take it under a lease, look at every series, and write flags exactly once.

The ledger is check_run. Whoever holds a row's token and finishes before another took it over writes the result; anybody else's is
thrown away. Nothing is computed inside a write transaction.
"""

from __future__ import annotations

import logging
import math
import secrets
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.clock import PARIS, SEASON
from fabrique.database import upsert
from fabrique.quality import queries as quality
from fabrique.quality.model import SeriesRow, SeriesStateRow, ServiceRow
from fabrique.stats.changes import VERSION, detect
from fabrique.stats.limits import Kind
from fabrique.stats.portfolio import trusted
from fabrique.watch.model import CheckRunRow, EventRow, FlagEventRow, FlagRow, SeriesCheckRow
from fabrique.watch.queries import known_flags
from fabrique.watch.rules import NEWS, FlagState, RunStatus, decide, finding_from, moved, night_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.clock import Clock
    from fabrique.database import Database
    from fabrique.quality.queries import History, Series
    from fabrique.settings import Settings
    from fabrique.watch.rules import Finding, KnownFlag

log = logging.getLogger("fabrique.watch")
AT_ONCE = 8
"""Checks taken together: few enough that their results are written in well under 100 ms."""
CRASHES = 10
"""Times a check may be found abandoned by a dead worker before it is taken for the killer."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A check under our lease."""

    service_id: int
    period: date
    attempt: int
    token: str


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """What a look at a series found."""

    series_id: int
    periods: int
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """What a check found, or why it could not."""

    taken: Taken
    data_version: int
    results: tuple[SeriesResult, ...]
    error: str = ""


@dataclass(slots=True)
class Report:
    """What one go at the ledger did."""

    done: int = 0
    failed: int = 0
    fenced: int = 0
    raised: int = 0
    updated: int = 0
    withdrawn: int = 0
    errors: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return asdict(self)


def tick(
    database: Database,
    clock: Clock,
    settings: Settings,
    progress: Callable[[int], None] = lambda _done: None,
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Plan the night, then take and finish checks until none is free. Safe to call from any number of workers at once."""
    plan(database, clock.now(), settings)
    report = Report()
    while not stop() and (taken := take(database, clock.now(), settings)):
        for one in examine(database, taken):
            write_down(database, one, clock, settings, report)
        progress(len(taken))
    report.raised += settle(database, clock.now())
    return report


def write_down(database: Database, examined: Examined, clock: Clock, settings: Settings, report: Report) -> None:
    """One service's result in a transaction of its own: what cannot be written is that service's failure, nobody else's."""
    try:
        with database.write() as session:
            finish(session, examined, clock.now(), settings, report)
    except sa.exc.StatementError as error:
        log.exception("the result of service %s cannot be written", examined.taken.service_id)
        failed = Examined(examined.taken, examined.data_version, (), f"cannot be written: {error.orig}")
        with database.write() as session:
            finish(session, failed, clock.now(), settings, report)


def settle(database: Database, now: datetime) -> int:
    """Raise the candidates that are clear enough among all that is watched and a year's flags. Returns how many. Safe to repeat."""
    with database.read() as session:
        promoted = promotable(session, now)
    if not promoted:
        return 0
    with database.write() as session:
        raised = session.scalars(
            sa.update(FlagRow)
            .where(FlagRow.id.in_(promoted), FlagRow.state == FlagState.CANDIDATE)
            .values(state=FlagState.RAISED, raised_at=now, updated_at=now)
            .returning(FlagRow.id)
            .execution_options(synchronize_session=False)
        ).all()
        session.add_all(FlagEventRow(flag_id=flag_id, at=now, kind="raised", details={}) for flag_id in raised)
    return len(raised)


def promotable(session: Session, now: datetime) -> list[int]:
    """The candidates that may be told."""
    rows = session.execute(
        sa.select(FlagRow.id, FlagRow.state, FlagRow.chance)
        .where(
            FlagRow.state.in_([FlagState.CANDIDATE, FlagState.RAISED]),
            (FlagRow.state == FlagState.CANDIDATE) | (FlagRow.raised_at >= now - NEWS),
        )
        .order_by(FlagRow.id)
    ).all()
    if not any(row.state == FlagState.CANDIDATE for row in rows):
        return []
    series = session.scalar(sa.select(sa.func.count()).select_from(SeriesCheckRow)) or 1
    told = trusted([row.chance for row in rows], series)
    return [row.id for row, tell in zip(rows, told, strict=True) if tell and row.state == FlagState.CANDIDATE]


def plan(database: Database, now: datetime, settings: Settings) -> date:
    """Enter the night's checks in the ledger, and open again those whose data changed since. Returns the night."""
    period = night_of(now.astimezone(PARIS), settings.check_hour)
    with database.read() as session:
        if not session.scalar(sa.select(_unplanned(period).exists() | _outdated(period).exists())):
            return period
    with database.write() as session:
        session.execute(
            upsert(session, CheckRunRow)
            .from_select(
                ["service_id", "period", "status", "attempt", "token", "completions", "reopened", "error"],
                _unplanned(period),
            )
            .on_conflict_do_nothing()
        )
        session.execute(
            sa.update(CheckRunRow)
            .where(
                CheckRunRow.period == period,
                CheckRunRow.status.in_([RunStatus.DONE, RunStatus.FAILED]),
                CheckRunRow.service_id.in_(_outdated(period)),
            )
            .values(
                status=RunStatus.DUE,
                attempt=0,
                completions=0,
                reopened=CheckRunRow.reopened + 1,
                token="",
                lease_until=None,
                error="",
            )
        )
    return period


def _unplanned(period: date) -> sa.Select[*tuple[Any, ...]]:
    """The ledger lines that the night lacks: services that have figures."""
    has_figures = (
        sa.select(SeriesRow.id)
        .join(SeriesStateRow, SeriesStateRow.series_id == SeriesRow.id)
        .where(SeriesRow.service_id == ServiceRow.id)
        .exists()
    )
    planned = (
        sa.select(CheckRunRow.service_id).where(CheckRunRow.service_id == ServiceRow.id, CheckRunRow.period == period).exists()
    )
    return sa.select(
        ServiceRow.id,
        sa.literal(period, sa.Date),
        sa.literal(RunStatus.DUE.value),
        sa.literal(0),
        sa.literal(""),
        sa.literal(0),
        sa.literal(0),
        sa.literal(""),
    ).where(has_figures, ~planned)


def _outdated(period: date) -> sa.Select[int]:
    """Services whose finished check of the night did not see their latest data."""
    return (
        sa.select(ServiceRow.id)
        .join(CheckRunRow, CheckRunRow.service_id == ServiceRow.id)
        .where(
            CheckRunRow.period == period,
            CheckRunRow.status.in_([RunStatus.DONE, RunStatus.FAILED]),
            CheckRunRow.data_version != ServiceRow.data_version,
        )
    )


def take(database: Database, now: datetime, settings: Settings) -> list[Taken]:
    """Take a few checks that are due, or whose worker let its lease pass. Those never tried come first."""
    token = secrets.token_hex(16)
    free = (
        sa.select(CheckRunRow.service_id, CheckRunRow.period)
        .where(
            (CheckRunRow.status == RunStatus.DUE) | ((CheckRunRow.status == RunStatus.RUNNING) & (CheckRunRow.lease_until < now))
        )
        .order_by(CheckRunRow.attempt, CheckRunRow.period, CheckRunRow.service_id)
        .limit(AT_ONCE)
    )
    with database.read() as session:
        if session.execute(free.limit(1)).first() is None:
            return []
    with database.write(visible=False) as session:
        _give_up(session, now, settings)
        rows = session.execute(
            sa.update(CheckRunRow)
            .where(sa.tuple_(CheckRunRow.service_id, CheckRunRow.period).in_(free.with_for_update(skip_locked=True)))
            .values(
                status=RunStatus.RUNNING,
                attempt=CheckRunRow.attempt + 1,
                token=token,
                lease_until=now + timedelta(seconds=settings.lease_seconds),
            )
            .returning(CheckRunRow.service_id, CheckRunRow.period, CheckRunRow.attempt)
            .execution_options(synchronize_session=False)
        ).all()
    return [Taken(row.service_id, row.period, row.attempt, token) for row in sorted(rows, key=lambda r: r.service_id)]


def _give_up(session: Session, now: datetime, settings: Settings) -> None:
    """Leave alone a check under which worker after worker died."""
    session.execute(
        sa.update(CheckRunRow)
        .where(
            CheckRunRow.status == RunStatus.RUNNING,
            CheckRunRow.lease_until < now,
            CheckRunRow.attempt >= settings.max_attempts * CRASHES,
        )
        .values(status=RunStatus.FAILED, finished_at=now, error="its workers stopped before finishing")
    )


def examine(database: Database, taken: Sequence[Taken]) -> list[Examined]:
    """Look at every series of the services taken. One that cannot be looked at does not keep the others from it."""
    ids = {one.service_id for one in taken}
    with database.read() as session:
        series = quality.series_of_services(session, ids, quality.metrics(session))
        histories = quality.histories(session, series)
        versions = dict(session.execute(sa.select(ServiceRow.id, ServiceRow.data_version).where(ServiceRow.id.in_(ids))).all())
    return [
        _examined(one, versions.get(one.service_id, 0), [s for s in series if s.service_id == one.service_id], histories)
        for one in taken
    ]


def _examined(taken: Taken, version: int, series: Sequence[Series], histories: dict[int, History]) -> Examined:
    results = []
    for one in series:
        if one.id not in histories:
            continue
        try:
            results.append(look(one, histories[one.id]))
        except Exception as error:
            log.exception("series %s could not be looked at", one.id)
            return Examined(taken, version, (), f"series {one.id} ({one.metric.key}): {error}")
    return Examined(taken, version, tuple(results))


def look(series: Series, history: History) -> SeriesResult:
    """What moved in one series."""
    detection = detect(history.measurements, series.metric.better, SEASON[history.granularity])
    starts = [period.start for period in history.periods]
    if not all(
        math.isfinite(number) for change in detection.changes for number in (change.before, change.after, change.effect_low)
    ):
        raise ValueError("its figures are too far apart to be compared")
    last = len(detection.changes) - 1
    findings = [
        finding_from(change, starts, history.granularity, is_last=place == last)
        for place, change in enumerate(detection.changes)
        if change.direction is not Kind.NEUTRAL
    ]
    return SeriesResult(series.id, len(starts), detection.notes, tuple(findings) if series.metric.is_watched else ())


def finish(session: Session, examined: Examined, now: datetime, settings: Settings, report: Report) -> None:
    """Write a check's result, if the lease is still ours: ledger, flags and their history in one transaction."""
    taken = examined.taken
    status = RunStatus.DONE
    if examined.error:
        status = RunStatus.DUE if taken.attempt < settings.max_attempts else RunStatus.FAILED
    finished = session.execute(
        sa.update(CheckRunRow)
        .where(
            CheckRunRow.service_id == taken.service_id,
            CheckRunRow.period == taken.period,
            CheckRunRow.token == taken.token,
            CheckRunRow.status == RunStatus.RUNNING,
        )
        .values(
            status=status,
            finished_at=now,
            data_version=examined.data_version,
            error=examined.error,
            completions=CheckRunRow.completions + (1 if status is RunStatus.DONE else 0),
        )
        .returning(CheckRunRow.service_id)
        .execution_options(synchronize_session=False)
    ).first()
    if finished is None:
        report.fenced += 1
        return
    if examined.error:
        if status is RunStatus.FAILED:
            report.failed += 1
            report.errors.append(examined.error)
        return
    report.done += 1
    write_results(session, examined, now, report)


def write_results(session: Session, examined: Examined, now: datetime, report: Report) -> None:
    """What the check saw of each series, and what becomes of its flags."""
    flags = known_flags(session, [result.series_id for result in examined.results])
    statement = upsert(session, SeriesCheckRow)
    names = ("period", "checked_at", "version", "periods", "notes")
    rows = [
        {
            "series_id": result.series_id,
            "period": examined.taken.period,
            "checked_at": now,
            "version": VERSION,
            "periods": result.periods,
            "notes": list(result.notes),
        }
        for result in examined.results
    ]
    if rows:
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["series_id"], set_={name: statement.excluded[name] for name in names}
            ),
            rows,
        )
    for result in examined.results:
        decisions = decide(flags.get(result.series_id, []), result.findings)
        # Withdrawn first: a new flag may then take the date that an old one leaves.
        for flag in decisions.withdrawn:
            # A flag may go because the data say otherwise, or because a newer method reads them otherwise: its history says which.
            set_state(session, flag, FlagState.WITHDRAWN, "withdrawn" if flag.version == VERSION else "outgrown", now)
            report.withdrawn += 1
        for flag, finding in decisions.confirmed:
            report.updated += confirm(session, flag, finding, now)
        for finding in decisions.new:
            raise_flag(session, result.series_id, finding, now)


def raise_flag(session: Session, series_id: int, finding: Finding, now: datetime) -> None:
    """A change nobody was told of: a candidate until `settle`. One that is history, not news, is recorded as closed."""
    state = FlagState.CANDIDATE if finding.is_news else FlagState.CLOSED
    flag = FlagRow(series_id=series_id, state=state, raised_at=now, updated_at=now, version=VERSION, **figures(finding))
    session.add(flag)
    session.flush()
    session.add(FlagEventRow(flag_id=flag.id, at=now, kind=state, details={"before": flag.before, "after": flag.after}))


def figures(finding: Finding) -> dict[str, object]:
    """The columns that a finding fills."""
    values = asdict(finding)
    del values["is_news"]
    return values


def confirm(session: Session, flag: KnownFlag, finding: Finding, now: datetime) -> bool:
    """The same change seen again is the same flag; its figures follow the data. Returns whether anything moved."""
    returned = flag.state is FlagState.WITHDRAWN
    if not returned and flag.state is not FlagState.CANDIDATE and not moved(flag, finding):
        return False
    values = figures(finding) | {"updated_at": now, "version": VERSION}
    if returned:
        values["state"] = FlagState.CANDIDATE if finding.is_news else FlagState.CLOSED
        session.add(FlagEventRow(flag_id=flag.id, at=now, kind="returned", details={}))
    session.execute(sa.update(FlagRow).where(FlagRow.id == flag.id).values(**values))
    return returned or moved(flag, finding)


def set_state(session: Session, flag: KnownFlag, state: FlagState, kind: str, now: datetime) -> None:
    """Move a flag to a state, with a line in its history."""
    session.execute(sa.update(FlagRow).where(FlagRow.id == flag.id).values(state=state, updated_at=now))
    session.add(FlagEventRow(flag_id=flag.id, at=now, kind=kind, details={}))


def put_events(session: Session, service_id: int, events: Iterable[tuple[str, date, str]]) -> None:
    """Record what happened to a service (kind, day, title), once."""
    known = set(
        session.execute(sa.select(EventRow.kind, EventRow.day, EventRow.title).where(EventRow.service_id == service_id)).all()
    )
    session.add_all(
        EventRow(service_id=service_id, kind=kind, day=day, title=title)
        for kind, day, title in events
        if (kind, day, title) not in known
    )
