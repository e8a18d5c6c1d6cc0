"""Figures are recorded once; a correction keeps what it replaces; two at a time leave one of each. On both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from fabrique.accounts.model import BatchRow
from fabrique.clock import Granularity, Period
from fabrique.quality import actions, queries
from fabrique.quality.actions import Observed, Recorded, SeriesKey, ServiceSheet
from fabrique.quality.model import ObservationRevisionRow, ObservationRow, SeriesRow, SeriesStateRow, ServiceRow
from fabrique.quality.rules import Figures
from factories import FIRST_MONDAY, add_service, proportions, record, week

if TYPE_CHECKING:
    from datetime import datetime

    from fabrique.clock import FixedClock
    from fabrique.database import Database

SHARES = [0.8] * 6


def count(database: Database, table: type[Any]) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def version(database: Database, service_id: int) -> int:
    with database.read() as session:
        return session.scalars(sa.select(ServiceRow.data_version).where(ServiceRow.id == service_id)).one()


def series_id(database: Database) -> int:
    with database.read() as session:
        return session.scalars(sa.select(SeriesRow.id)).one()


def known_on(database: Database, moment: datetime) -> list[float | None]:
    with database.read() as session:
        known = queries.as_known_on(session, series_id(database), moment)
    return [figures.numerator for _period, figures in sorted(known.items())]


def one(service_id: int, number: int, x: float, n: float = 100, **told: str) -> Observed:
    return Observed(SeriesKey(service_id, "completion", "", ""), week(number), Figures(numerator=x, denominator=n), **told)


def test_the_same_figures_again_change_nothing_and_open_no_batch(database: Database, clock: FixedClock) -> None:
    service = add_service(database, "aide")
    rows = proportions(service, SHARES)
    assert record(database, clock, rows) == Recorded(created=6)
    clock.advance(timedelta(days=1))
    assert record(database, clock, rows[::-1]) == Recorded(unchanged=6)
    assert record(database, clock, []) == Recorded()
    assert [count(database, table) for table in (ObservationRow, ObservationRevisionRow, BatchRow)] == [6, 0, 1]
    assert version(database, service) == 1


def test_a_correction_keeps_the_old_value_for_those_who_ask_what_was_known(database: Database, clock: FixedClock) -> None:
    service = add_service(database, "aide")
    before, first = clock.now() - timedelta(seconds=1), clock.now()
    record(database, clock, [one(service, 0, 80), one(service, 1, 81)])
    clock.advance(timedelta(days=1))
    second = clock.now()
    assert record(database, clock, [one(service, 0, 70), one(service, 1, 81), one(service, 2, 82)]) == Recorded(1, 1, 1)
    clock.advance(timedelta(days=1))
    record(database, clock, [one(service, 0, 60)])
    assert known_on(database, before) == []
    assert known_on(database, first) == known_on(database, second - timedelta(microseconds=1)) == [80, 81]
    assert known_on(database, second) == [70, 81, 82]
    assert known_on(database, clock.now()) == [60, 81, 82]
    with database.read() as session:
        kept = session.execute(sa.select(ObservationRevisionRow).order_by(ObservationRevisionRow.id)).scalars().all()
    assert [(row.numerator, row.batch_id, row.replaced_by) for row in kept] == [(80, 1, 2), (70, 2, 3)]


def test_a_correction_taken_back_is_a_correction_too(database: Database, clock: FixedClock) -> None:
    service = add_service(database, "aide")
    for x in (80, 70, 80):
        record(database, clock, [one(service, 0, x)])
        clock.advance(timedelta(hours=1))
    assert count(database, ObservationRevisionRow) == 2
    assert known_on(database, clock.now()) == [80]


@pytest.mark.parametrize("told", [{"source": "enquête"}, {"note": "grève"}])
def test_another_source_or_note_is_a_change(sqlite: Database, clock: FixedClock, told: dict[str, str]) -> None:
    service = add_service(sqlite, "aide")
    record(sqlite, clock, [one(service, 0, 80)])
    assert record(sqlite, clock, [one(service, 0, 80, **told)]) == Recorded(changed=1)
    assert record(sqlite, clock, [one(service, 0, 80, **told)]) == Recorded(unchanged=1)


@pytest.mark.parametrize("tell", ["same", "other"])
def test_two_who_record_the_same_periods_at_once_leave_one_row_each(database: Database, clock: FixedClock, tell: str) -> None:
    service = add_service(database, "aide")
    rows = proportions(service, [0.8] * 30)
    theirs = rows if tell == "same" else [replace(row, note="autre") for row in rows]
    together = Barrier(2)

    def recorded(told: list[Observed]) -> Recorded:
        together.wait()
        return record(database, clock, told)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(recorded, [rows, theirs]))
    assert count(database, ObservationRow) == 30
    assert count(database, SeriesRow) == count(database, SeriesStateRow) == 1
    # Whoever came second saw what the first had written: as the same, or as what is to be kept.
    assert sorted(one.created for one in outcomes) == [0, 30]
    assert count(database, ObservationRevisionRow) == (0 if tell == "same" else 30)
    assert version(database, service) == (1 if tell == "same" else 2)


def test_two_who_record_many_services_in_opposite_orders_do_not_hold_each_other_up(database: Database, clock: FixedClock) -> None:
    services = [add_service(database, f"s{place}") for place in range(12)]
    together = Barrier(2)

    def recorded(order: list[int]) -> Recorded:
        together.wait()
        return record(database, clock, [one(service, number, 80) for service in order for number in range(5)])

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(recorded, [services, services[::-1]]))
    assert sorted((one.created, one.unchanged) for one in outcomes) == [(0, 60), (60, 0)]


def test_only_the_services_whose_figures_moved_get_a_new_version(database: Database, clock: FixedClock) -> None:
    first, second, third = (add_service(database, slug) for slug in ("a", "b", "c"))
    record(database, clock, [one(first, 0, 80), one(first, 1, 80), one(second, 0, 80)])
    assert [version(database, service) for service in (first, second, third)] == [1, 1, 0]
    record(database, clock, [one(first, 0, 80), one(second, 0, 70), one(second, 1, 70)])
    assert [version(database, service) for service in (first, second, third)] == [1, 2, 0]


def test_a_dry_comparison_counts_and_writes_nothing(database: Database, clock: FixedClock) -> None:
    service = add_service(database, "aide")
    record(database, clock, [one(service, 0, 80), one(service, 1, 80)])
    rows = [one(service, 0, 80), one(service, 1, 70), one(service, 2, 80)]
    with database.read() as session:
        counts, new, different = actions.compare(session, rows)
    assert (counts, new, different) == (Recorded(1, 1, 1), rows[2:], rows[1:2])
    assert count(database, ObservationRow) == 2


def test_a_failure_on_the_way_leaves_nothing_behind(database: Database, clock: FixedClock) -> None:
    service = add_service(database, "aide")
    with pytest.raises(sa.exc.IntegrityError):
        record(database, clock, [one(service, 0, 80), one(service, 1, -1)])
    assert [count(database, table) for table in (ObservationRow, SeriesRow, BatchRow)] == [0, 0, 0]
    assert version(database, service) == 0


@pytest.mark.parametrize(
    ("metric", "figures"),
    [
        ("completion", Figures(numerator=1, denominator=3)),
        ("clarity", Figures(levels=(1.0, 0.0, 2.0, 3.0, 4.0))),
        ("cost_per_transaction", Figures(value=-0.1)),
        ("completion", Figures(n=3, total=0.1 + 0.2, total_of_squares=1e-300)),
    ],
)
def test_figures_read_back_as_they_were_told(database: Database, clock: FixedClock, metric: str, figures: Figures) -> None:
    service = add_service(database, "aide")
    told = Observed(SeriesKey(service, metric, "mobile", "£"), week(0), figures, "enquête", "été")
    record(database, clock, [told])
    assert record(database, clock, [told]) == Recorded(unchanged=1)
    with database.read() as session:
        assert list(queries.as_known_on(session, series_id(database), clock.now()).values()) == [figures]


def test_a_history_has_a_place_for_each_missing_period(database: Database, clock: FixedClock) -> None:
    service = add_service(database, "aide")
    lone = Observed(
        SeriesKey(service, "completion", "", ""), Period(FIRST_MONDAY, Granularity.YEAR), Figures(numerator=1, denominator=2)
    )
    record(database, clock, [one(service, 0, 80), one(service, 3, 83), lone])
    with database.read() as session:
        (series,) = queries.series_of_services(session, [service], queries.metrics(session))
        history = queries.histories(session, [series])[series.id]
        state = queries.states(session, [series.id])[series.id]
    assert [str(period) for period in history.periods] == ["2025-W02", "2025-W03", "2025-W04", "2025-W05"]
    assert [figures and figures.numerator for figures in history.figures] == [80, None, None, 83]
    assert (state.periods, state.first_start, state.last_start) == (2, week(0).start, week(3).start)
    assert (state.level, state.answers, state.recent) == (pytest.approx(0.815), 200, [0.8, 0.83])


def test_a_service_told_again_keeps_its_product_unless_it_names_one(database: Database) -> None:
    add_service(database, "aide", "Aide")
    sheets = [ServiceSheet("aide", "Aide", "Ministère"), ServiceSheet("aide", "L’aide", "Ministère"), ServiceSheet("b", "B")]
    with database.write() as session:
        assert actions.service_outcomes(session, sheets) == ["unchanged", "changed", "created"]
        actions.put_services(session, sheets[1:])
        assert actions.service_outcomes(session, sheets[1:]) == ["unchanged", "unchanged"]
