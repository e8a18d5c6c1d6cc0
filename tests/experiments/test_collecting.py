"""Figures coming in, looks taken, decisions made: what is refused, what is kept, what is told."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from experiments.living import TODAY, concluded, put, sequential, state
from experiments.sample import START, counts, rows
from fabrique.experiments import queries
from fabrique.experiments.actions import collecting, looking, plans
from fabrique.experiments.data.folder import DataFaulty
from fabrique.experiments.model import ExperimentCountRow
from fabrique.experiments.rules import State, Step, StepRefused
from fabrique.experiments.sheet import run_again

if TYPE_CHECKING:
    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database


def test_figures_do_not_come_in_before_the_registration(
    database: Database, clock: FixedClock, camille: Person, written: str
) -> None:
    with pytest.raises(StepRefused, match="enregistré"):
        put(database, clock, camille, written, counts(days=1))


def test_the_first_figures_start_it_and_the_same_again_change_nothing(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    assert put(database, clock, camille, registered, counts(days=2)) == collecting.Recorded(new=8)
    assert state(database, registered) == State.RUNNING
    assert put(database, clock, camille, registered, counts(days=2)) == collecting.Recorded(unchanged=8)


def test_a_corrected_figure_keeps_the_one_it_replaces(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    put(database, clock, camille, registered, rows("2026-09-07,sms,venus,12,6"))
    clock.advance(timedelta(hours=1))
    done = put(database, clock, camille, registered, rows("2026-09-07,sms,venus,12,7"))
    assert done == collecting.Recorded(corrected=1)
    with database.read() as session:
        kept = session.execute(
            sa.select(ExperimentCountRow.x, ExperimentCountRow.replaced_at).order_by(ExperimentCountRow.id)
        ).all()
    assert [row.x for row in kept] == [6, 7]
    assert kept[0].replaced_at is not None
    assert kept[1].replaced_at is None


def test_one_bad_row_and_nothing_of_the_table_is_recorded(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    with pytest.raises(DataFaulty) as caught:
        put(database, clock, camille, registered, rows("2026-09-07,sms,venus,12,6", "2026-09-07,sms,venus,12,66", "x,y,z,1,1"))
    assert len(caught.value.faults) >= 3
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ExperimentCountRow)) == 0
    assert state(database, registered) == State.REGISTERED


def test_after_the_closing_no_later_day_comes_in(database: Database, clock: FixedClock, camille: Person, registered: str) -> None:
    put(database, clock, camille, registered, counts(days=20))
    with database.write() as session, pytest.raises(StepRefused, match="après ce jour"):
        collecting.close(session, camille, registered, START, clock.now())
    with database.write() as session:
        collecting.close(session, camille, registered, START + timedelta(days=19), clock.now())
    with pytest.raises(StepRefused):
        put(database, clock, camille, registered, rows("2026-10-05,sms,venus,12,6"))
    with pytest.raises(StepRefused):
        put(database, clock, camille, registered, rows("2026-09-08,sms,venus,12,8"))
    with database.write() as session, pytest.raises(StepRefused, match="pourquoi"):
        plans.step(session, camille, registered, Step.REOPEN, clock.now())
    with database.write() as session:
        plans.step(session, camille, registered, Step.REOPEN, clock.now(), "un registre papier a été retrouvé")
    clock.advance(timedelta(minutes=1))
    put(database, clock, camille, registered, rows("2026-09-08,sms,venus,12,12"))
    with database.write() as session:
        collecting.close(session, camille, registered, START + timedelta(days=19), clock.now())
        made = looking.analyse_now(session, camille, registered, clock.now(), TODAY)
    assert made["corrected"] == 1
    assert "corrected_after" in made["notes"]


def test_a_look_before_data_or_before_the_plan_allows_is_refused_in_words(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    with database.write() as session, pytest.raises(StepRefused):
        looking.take_look(session, camille, registered, clock.now(), TODAY)
    put(database, clock, camille, registered, counts(days=3))
    with database.write() as session, pytest.raises(looking.LookRefused, match="3 jours"):
        looking.take_look(session, camille, registered, clock.now(), TODAY)
    put(database, clock, camille, registered, counts(days=20))
    with database.write() as session, pytest.raises(looking.LookRefused, match="un seul point d’étape"):
        looking.take_look(session, camille, registered, clock.now(), date(2026, 9, 27))


def test_the_stored_sheet_runs_again_bit_for_bit(database: Database, clock: FixedClock, camille: Person, registered: str) -> None:
    made = concluded(database, clock, camille, registered)
    with database.read() as session:
        told = queries.experiment(session, registered).analysis
    assert told is not None
    assert run_again(told.result) == told.result
    assert made["verdict"] == "extend"


def test_a_decision_beyond_the_verdict_must_say_so(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    concluded(database, clock, camille, registered, counts(0.6, 0.6))

    def decide(choice: str, reasons: str = "parce que", *, departing: bool = False) -> None:
        with database.write() as session:
            looking.decide(session, camille, registered, choice, reasons, "une voix contre", clock.now(), departing=departing)

    with pytest.raises(looking.DecisionIncomplete, match="pourquoi"):
        decide("stop", "  ")
    with pytest.raises(looking.DecisionIncomplete):
        decide("generaliser")
    with pytest.raises(looking.DecisionIncomplete, match="verdict"):
        decide("extend")
    decide("extend", departing=True)
    with database.read() as session:
        found = queries.experiment(session, registered).decision
    assert found is not None
    assert (found.choice, found.departs, found.dissent) == ("extend", True, "une voix contre")
    assert state(database, registered) == State.DECIDED
    with pytest.raises(StepRefused):
        decide("stop")


def test_a_look_waits_for_the_fraction_that_the_plan_names_and_the_last_one_is_the_last(
    database: Database, clock: FixedClock, camille: Person, noor: Person
) -> None:
    slug = sequential(database, clock, camille, noor)
    put(database, clock, camille, slug, counts(0.6, 0.645, days=20))
    with database.write() as session, pytest.raises(looking.LookRefused, match="50"):
        looking.take_look(session, camille, slug, clock.now(), date(2026, 9, 27))
    with database.write() as session:
        made = looking.take_look(session, camille, slug, clock.now(), TODAY)
    assert made["looks"][-1]["final"], "the planned end is over: this look is the last"
    clock.advance(timedelta(minutes=1))
    put(database, clock, camille, slug, counts(0.6, 0.645, days=30))
    with database.write() as session, pytest.raises(looking.LookRefused, match="dernier point"):
        looking.take_look(session, camille, slug, clock.now(), TODAY)
    with database.write() as session:
        collecting.close(session, camille, slug, date(2026, 11, 1), clock.now())
        after = looking.analyse_now(session, camille, slug, clock.now(), TODAY)
    assert [look["day"] for look in after["looks"]] == [made["day"]]
    assert after["primary"] == made["primary"]


def test_a_day_that_has_not_come_is_refused(database: Database, clock: FixedClock, camille: Person, registered: str) -> None:
    clock.advance(timedelta(days=-60))
    with pytest.raises(DataFaulty, match="2026-10-01"):
        put(database, clock, camille, registered, rows("2026-10-01,sms,venus,12,6"))


def test_rows_added_before_a_recorded_look_are_told(database: Database, clock: FixedClock, camille: Person, noor: Person) -> None:
    slug = sequential(database, clock, camille, noor)
    whole = counts(0.6, 0.645, days=26)
    late = "2026-09-10,sms,venus"
    put(database, clock, camille, slug, "\n".join(line for line in whole.splitlines() if late not in line) + "\n")
    put(database, clock, camille, slug, rows("2026-10-03,sms,venus,12,8", "2026-10-03,temoin,venus,12,7"))
    with database.write() as session:
        looking.take_look(session, camille, slug, clock.now(), date(2026, 10, 4))
    put(database, clock, camille, slug, rows("2026-09-10,sms,venus,12,12"))
    with database.write() as session:
        collecting.close(session, camille, slug, date(2026, 11, 1), clock.now())
        made = looking.analyse_now(session, camille, slug, clock.now(), TODAY)
    assert made["corrected"] == 1
    assert "corrected_after" in made["notes"]
