"""The ledger and the flags, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.quality.actions import Observed, SeriesKey
from fabrique.quality.rules import Figures
from fabrique.watch import actions, queries
from fabrique.watch.actions import Report, examine, finish, plan, settle, take, tick
from fabrique.watch.model import CheckRunRow, FlagEventRow, FlagRow
from fabrique.watch.rules import FlagState, RunStatus
from factories import add_service, dropping, proportions, record, week

if TYPE_CHECKING:
    import pytest

    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.settings import Settings


def test_a_fall_is_flagged_once_however_often_the_checks_run(database: Database, clock: FixedClock, settings: Settings) -> None:
    record(database, clock, proportions(add_service(database, "aide"), dropping()))
    first = tick(database, clock, settings)
    again = tick(database, clock, settings)
    clock.advance(timedelta(days=1))
    next_night = tick(database, clock, settings)
    assert (first.done, first.raised) == (1, 1)
    assert (again.done, again.raised) == (0, 0)
    assert (next_night.done, next_night.raised) == (1, 0)
    with database.read() as session:
        (flag,) = queries.flags(session)
    assert flag.direction == "regression"
    assert flag.state is FlagState.RAISED
    assert abs((flag.start - week(40).start).days) <= 14
    assert flag.before > flag.after


def test_a_metric_without_a_better_side_raises_no_flag(database: Database, clock: FixedClock, settings: Settings) -> None:
    service = add_service(database, "volume")
    rows = [
        Observed(SeriesKey(service, "transactions", "", ""), week(place), Figures(value=1000.0 + place % 5 + 500 * (place > 30)))
        for place in range(50)
    ]
    record(database, clock, rows)
    assert tick(database, clock, settings).raised == 0


def test_new_data_open_the_nights_check_again(database: Database, clock: FixedClock, settings: Settings) -> None:
    service = add_service(database, "aide")
    shares = dropping()
    rows = proportions(service, shares)
    record(database, clock, rows[:40], "a.csv")
    assert tick(database, clock, settings).raised == 0
    record(database, clock, rows[40:], "b.csv")
    report = tick(database, clock, settings)
    assert (report.done, report.raised) == (1, 1)
    with database.read() as session:
        run = session.scalars(sa.select(CheckRunRow)).one()
    assert (run.reopened, run.completions) == (1, 1)


def test_a_flag_withdraws_itself_when_corrected_data_take_its_evidence_away(
    database: Database, clock: FixedClock, settings: Settings
) -> None:
    service = add_service(database, "aide")
    record(database, clock, proportions(service, dropping()), "wrong.csv")
    tick(database, clock, settings)
    record(database, clock, proportions(service, [0.8] * 60), "corrected.csv")
    report = tick(database, clock, settings)
    assert report.withdrawn == 1
    with database.read() as session:
        (flag,) = queries.flags(session)
        kinds = session.scalars(sa.select(FlagEventRow.kind).order_by(FlagEventRow.id)).all()
    assert flag.state is FlagState.WITHDRAWN
    assert kinds == ["candidate", "raised", "withdrawn"]


def test_a_flag_that_a_newer_method_no_longer_finds_says_so(database: Database, clock: FixedClock, settings: Settings) -> None:
    service = add_service(database, "aide")
    record(database, clock, proportions(service, dropping(weeks=40, at=25)))
    tick(database, clock, settings)
    record(database, clock, proportions(service, [0.8] * 40))
    with database.write() as session:
        session.execute(sa.update(FlagRow).values(version="changes-1"))
    tick(database, clock, settings)
    with database.read() as session:
        assert session.scalars(sa.select(FlagRow.state)).one() == FlagState.WITHDRAWN
        assert session.scalars(sa.select(FlagEventRow.kind).order_by(FlagEventRow.id)).all() == [
            "candidate",
            "raised",
            "outgrown",
        ]


def test_history_found_at_the_first_look_asks_nobody_for_an_explanation(
    database: Database, clock: FixedClock, settings: Settings
) -> None:
    record(database, clock, proportions(add_service(database, "aide"), dropping(weeks=96, at=20)))
    report = tick(database, clock, settings)
    assert report.raised == 0
    with database.read() as session:
        assert queries.flag_counts(session) == {"closed": {"regression": 1}}


def test_a_worker_that_lost_its_lease_writes_nothing(database: Database, clock: FixedClock, settings: Settings) -> None:
    record(database, clock, proportions(add_service(database, "aide"), dropping()))
    plan(database, clock.now(), settings)
    slow = take(database, clock.now(), settings)
    clock.advance(timedelta(seconds=settings.lease_seconds + 1))
    quick = take(database, clock.now(), settings)
    assert [one.service_id for one in slow] == [one.service_id for one in quick]
    reports = []
    for taken in (quick, slow):
        report = Report()
        for one in examine(database, taken):
            with database.write() as session:
                finish(session, one, clock.now(), settings, report)
        reports.append(report)
    assert [(r.done, r.fenced) for r in reports] == [(1, 0), (0, 1)]
    assert [settle(database, clock.now()), settle(database, clock.now())] == [1, 0]
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(FlagRow)) == 1


def test_a_check_held_by_another_worker_is_not_taken(database: Database, clock: FixedClock, settings: Settings) -> None:
    record(database, clock, proportions(add_service(database, "aide"), dropping()))
    plan(database, clock.now(), settings)
    assert len(take(database, clock.now(), settings)) == 1
    assert take(database, clock.now(), settings) == []


def test_a_poison_series_is_reported_and_the_others_are_checked(
    database: Database, clock: FixedClock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = add_service(database, "bon"), add_service(database, "poison")
    record(database, clock, [*proportions(good, dropping()), *proportions(bad, dropping())])
    look = actions.look

    def looked(series: object, history: object) -> object:
        if series.service_id == bad:  # type: ignore[attr-defined]
            raise ZeroDivisionError("poison")
        return look(series, history)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "look", looked)
    report = tick(database, clock, settings)
    assert (report.done, report.failed) == (1, 1)
    assert "poison" in report.errors[0]
    with database.read() as session:
        runs = {run.service_id: run for run in session.scalars(sa.select(CheckRunRow))}
    assert runs[bad].status == RunStatus.FAILED
    assert runs[bad].attempt == settings.max_attempts
    assert runs[good].status == RunStatus.DONE
