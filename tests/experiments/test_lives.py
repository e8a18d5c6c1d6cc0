"""An experiment's life in the database: who may do what, what is locked, what stands in the trail."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from experiments.living import concluded, put, sequential, state
from experiments.sample import counts, plan_document
from fabrique.accounts.model import AuditRow
from fabrique.accounts.rules import Person, Role
from fabrique.experiments import queries
from fabrique.experiments.actions import collecting, looking, plans, practices
from fabrique.experiments.plan.canonical import plan_hash
from fabrique.experiments.plan.reading import PlanFaulty, plan_from
from fabrique.experiments.rules import STEPS, State, Step, StepRefused
from fabrique.web.errors import NotAllowed, NotThere, Overtaken

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database


def test_the_author_cannot_register_and_neither_can_a_colleague_who_wrote_a_word(
    database: Database, clock: FixedClock, camille: Person, noor: Person, written: str
) -> None:
    with database.write() as session:
        plans.save(session, noor, written, plan_document(title="Un SMS la veille"), 1, clock.now())
        plans.submit(session, camille, written, clock.now())
    for person in (camille, noor):
        with database.write() as session, pytest.raises(NotAllowed, match="quelqu’un d’autre"):
            plans.register(session, person, written, clock.now())
    assert state(database, written) == State.IN_REVIEW


def test_an_administrator_writes_but_does_not_judge_a_plan(
    database: Database, clock: FixedClock, camille: Person, written: str
) -> None:
    administrator = Person(camille.id + 1000, "Ada", Role.ADMINISTRATOR)
    with database.write() as session:
        plans.submit(session, camille, written, clock.now())
    with database.write() as session, pytest.raises(NotAllowed, match="coach"):
        plans.register(session, administrator, written, clock.now())


def test_nobody_of_another_product_may_touch_it(database: Database, clock: FixedClock, stranger: Person, registered: str) -> None:
    acts: list[Any] = [
        lambda s: plans.save(s, stranger, registered, plan_document(), 1, clock.now()),
        lambda s: plans.step(s, stranger, registered, Step.START, clock.now()),
        lambda s: plans.deviate(s, stranger, registered, plan_document(title="x"), "y", results_known=False, now=clock.now()),
        lambda s: collecting.record_counts(s, stranger, registered, [], "", clock.now()),
        lambda s: looking.decide(s, stranger, registered, "stop", "r", "", clock.now()),
        lambda s: practices.tag(s, stranger, registered, ["x"], clock.now()),
    ]
    for act in acts:
        with database.write() as session, pytest.raises(NotAllowed):
            act(session)
    with database.write() as session, pytest.raises(NotThere):
        plans.step(session, stranger, "inconnu", Step.START, clock.now())


def test_a_registered_plan_is_locked_under_its_hash(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    with database.write() as session, pytest.raises(plans.PlanLocked, match="écart"):
        plans.save(session, camille, registered, plan_document(title="Autre"), 1, clock.now())
    with database.read() as session:
        found = queries.experiment(session, registered)
    assert found.plan_hash == plan_hash(plan_document())
    assert found.registered_name == "Noor"
    assert not found.after_collection


def test_a_coach_who_read_an_older_text_does_not_register_the_newer_one(
    database: Database, clock: FixedClock, camille: Person, noor: Person, written: str
) -> None:
    with database.write() as session:
        plans.submit(session, camille, written, clock.now())
        plans.give_back(session, noor, written, "préciser la population", clock.now())
        plans.save(session, camille, written, plan_document(design__population="les majeurs"), 1, clock.now())
        plans.submit(session, camille, written, clock.now())
    with database.write() as session, pytest.raises(Overtaken):
        plans.register(session, noor, written, clock.now(), version=1)


def test_two_people_saving_at_once_do_not_overwrite_one_another(
    database: Database, clock: FixedClock, camille: Person, noor: Person, written: str
) -> None:
    with database.write() as session:
        plans.save(session, camille, written, plan_document(title="Premier"), 1, clock.now())
    with database.write() as session, pytest.raises(Overtaken, match="entre-temps"):
        plans.save(session, noor, written, plan_document(title="Second"), 1, clock.now())
    with database.read() as session:
        assert queries.experiment(session, written).title == "Premier"


def test_a_faulty_plan_is_not_submitted(database: Database, clock: FixedClock, camille: Person, written: str) -> None:
    with database.write() as session:
        plans.save(session, camille, written, plan_document(legal_basis=None), 1, clock.now())
    with database.write() as session, pytest.raises(PlanFaulty, match="legal_basis"):
        plans.submit(session, camille, written, clock.now())


def test_a_deviation_keeps_old_and_new_with_its_reason(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    later = plan_document(design__planned_end="2026-11-15")
    with database.write() as session, pytest.raises(plans.DeviationEmpty, match="pourquoi"):
        plans.deviate(session, camille, registered, later, " ", results_known=False, now=clock.now())
    with database.write() as session:
        plans.deviate(session, camille, registered, later, "grève des guichets", results_known=False, now=clock.now())
    with database.read() as session:
        (found,) = queries.experiment(session, registered).deviations
        whole = queries.experiment(session, registered)
    assert (found.path, found.old, found.new, found.reason) == (
        "design.planned_end",
        "2026-11-01",
        "2026-11-15",
        "grève des guichets",
    )
    assert whole.plan_hash == plan_hash(plan_document())
    assert whole.plan.design.planned_end == date(2026, 11, 15)
    with database.write() as session, pytest.raises(plans.DeviationEmpty):
        plans.deviate(session, camille, registered, later, "encore", results_known=False, now=clock.now())


@pytest.mark.parametrize("step", [Step.START, Step.PAUSE, Step.RESUME, Step.REOPEN, Step.ARCHIVE])
def test_a_step_from_the_wrong_state_is_refused_and_changes_nothing(
    database: Database, clock: FixedClock, camille: Person, written: str, step: Step
) -> None:
    with database.write() as session, pytest.raises(StepRefused, match="Idée"):
        plans.step(session, camille, written, step, clock.now())
    assert state(database, written) == State.IDEA


def test_every_state_but_the_archive_leads_somewhere() -> None:
    leads = {source for sources, _target in STEPS.values() for source in sources}
    assert set(State) - leads == {State.ARCHIVED}
    reached = {target for _sources, target in STEPS.values()} | {State.IDEA}
    assert reached == set(State)


def test_results_that_fabrique_has_shown_are_known_whatever_one_says(
    database: Database, clock: FixedClock, camille: Person, noor: Person
) -> None:
    slug = sequential(database, clock, camille, noor)
    put(database, clock, camille, slug, counts(0.6, 0.645, days=26))
    with database.write() as session:
        looking.take_look(session, camille, slug, clock.now(), date(2026, 10, 3))
        whole = queries.experiment(session, slug)
        changed = {**whole.document, "title": "Autre titre"}
        plans.deviate(session, camille, slug, changed, "mot", results_known=False, now=clock.now())
    with database.read() as session:
        assert queries.experiment(session, slug).deviations[0].results_known


def test_every_act_leaves_one_line_in_the_trail(database: Database, clock: FixedClock, camille: Person, registered: str) -> None:
    concluded(database, clock, camille, registered)
    with database.read() as session:
        lines = session.scalars(
            sa.select(AuditRow.action).where(AuditRow.object_type == "experiment").order_by(AuditRow.id)
        ).all()
    assert list(lines) == [
        "create_experiment", "experiment_submit", "experiment_register", "experiment_start", "record_counts", "experiment_close",
        "experiment_analyse", "experiment_analysed",
    ]  # fmt: skip


def test_two_people_filing_deviations_do_not_undo_one_another(
    database: Database, clock: FixedClock, camille: Person, noor: Person, registered: str
) -> None:
    with database.write() as session:
        plans.deviate(
            session,
            noor,
            registered,
            plan_document(title="Celui de Noor"),
            "mot",
            results_known=False,
            now=clock.now(),
            version=1,
        )
    with database.write() as session, pytest.raises(Overtaken):
        plans.deviate(session, camille, registered, plan_document(title="Celui de Camille"), "mot", results_known=False, now=clock.now(),
                      version=1)  # fmt: skip


def test_a_plan_in_the_database_is_the_plan_of_the_file(database: Database, written: str) -> None:
    with database.read() as session:
        found = queries.experiment(session, written)
    assert found.plan == plan_from(plan_document())
