"""An experiment's life in the database: who may do what, what is locked, what is kept, and what is never lost."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from experiments.sample import START, counts, plan_document, rows
from fabrique.accounts.model import AuditRow
from fabrique.accounts.rules import Person, Role
from fabrique.experiments import queries
from fabrique.experiments.actions import collecting, folders, looking, plans, practices
from fabrique.experiments.data.folder import DataFaulty, open_folder
from fabrique.experiments.data.reading import table_from_text
from fabrique.experiments.data.writing import write_files
from fabrique.experiments.model import ExperimentCountRow, ExperimentRow
from fabrique.experiments.plan.canonical import normalised, plan_hash
from fabrique.experiments.plan.reading import PlanFaulty, plan_from
from fabrique.experiments.pooling import evidence_of
from fabrique.experiments.rules import STEPS, State, Step, StepRefused
from fabrique.experiments.sheet import run_again
from fabrique.web.errors import NotAllowed, NotThere, Overtaken

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.clock import FixedClock
    from fabrique.database import Database

TODAY = date(2026, 11, 23)


def state(database: Database, slug: str) -> str:
    with database.read() as session:
        return session.scalar(sa.select(ExperimentRow.state).where(ExperimentRow.slug == slug)) or ""


def put(database: Database, clock: FixedClock, person: Person, slug: str, text: str) -> collecting.Recorded:
    with database.write() as session:
        return collecting.record_counts(session, person, slug, [table_from_text("collé", text)], "collé", clock.now())


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


def concluded(database: Database, clock: FixedClock, camille: Person, slug: str, text: str = "") -> dict[str, Any]:
    """Figures in, closed, analysed."""
    put(database, clock, camille, slug, text or counts(0.6, 0.7, satisfied=(0.8, 0.83)))
    with database.write() as session:
        collecting.close(session, camille, slug, date(2026, 11, 1), clock.now())
        return looking.analyse_now(session, camille, slug, clock.now(), TODAY)


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


def sequential(database: Database, clock: FixedClock, camille: Person, noor: Person) -> str:
    """A registered plan with looks at the half and at the end."""
    document = plan_document(analysis__looks="group_sequential", analysis__information_fractions=[0.5, 1.0])
    with database.write() as session:
        slug = plans.create(session, camille, document, clock.now())
        plans.submit(session, camille, slug, clock.now())
        plans.register(session, noor, slug, clock.now())
    return slug


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


def test_a_day_that_has_not_come_is_refused(database: Database, clock: FixedClock, camille: Person, registered: str) -> None:
    clock.advance(timedelta(days=-60))
    with pytest.raises(DataFaulty, match="2026-10-01"):
        put(database, clock, camille, registered, rows("2026-10-01,sms,venus,12,6"))


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


def test_an_experiment_goes_to_files_and_comes_back_the_same(
    database: Database, clock: FixedClock, camille: Person, registered: str, tmp_path: Path
) -> None:
    with database.write() as session:
        plans.deviate(session, camille, registered, plan_document(title="Un SMS la veille"), "mot mal choisi", results_known=False,
                      now=clock.now())  # fmt: skip
    concluded(database, clock, camille, registered)
    with database.read() as session:
        files = folders.files_of(session, registered)
        before = queries.experiment(session, registered)
        data = queries.data_of(session, before.id, before.plan)
    folder = tmp_path / registered
    write_files(folder, files)
    found = open_folder(folder).sound()
    assert found.data.digest() == data.digest()
    assert found.document == before.document
    with database.write() as session:
        assert folders.bring_in(session, found, clock.now()) == folders.UNCHANGED
        session.execute(sa.update(ExperimentRow).values(slug="ancien"))
    with database.write() as session:
        assert folders.bring_in(session, found, clock.now()) == folders.CREATED
    with database.read() as session:
        after = queries.experiment(session, registered)
        assert queries.data_of(session, after.id, after.plan).digest() == data.digest()
    assert (after.document, after.locked, after.plan_hash) == (before.document, before.locked, before.plan_hash)
    assert (after.registered_name, after.registered_at) == (before.registered_name, before.registered_at)
    assert [one.as_json() for one in after.deviations] == [one.as_json() for one in before.deviations]


def test_a_folder_whose_plan_differs_from_the_locked_one_is_not_imported(
    database: Database, clock: FixedClock, registered: str, tmp_path: Path
) -> None:
    with database.read() as session:
        files = folders.files_of(session, registered)
    folder = tmp_path / registered
    write_files(folder, files)
    text = (folder / "plan.toml").read_text("utf-8").replace("0.08", "0.04")
    (folder / "plan.toml").write_text(text, "utf-8")
    with database.write() as session, pytest.raises(folders.ImportRefused, match="écart"):
        folders.bring_in(session, open_folder(folder).sound(), clock.now())


def test_an_import_does_not_slip_figures_into_a_closed_trial(
    database: Database, clock: FixedClock, camille: Person, registered: str, tmp_path: Path
) -> None:
    concluded(database, clock, camille, registered)
    with database.read() as session:
        files = folders.files_of(session, registered)
    folder = tmp_path / registered
    write_files(folder, {**files, "counts.csv": files["counts.csv"].replace("venus,12,7", "venus,12,12", 1)})
    with database.write() as session, pytest.raises(folders.ImportRefused, match="rouvrez"):
        folders.bring_in(session, open_folder(folder).sound(), clock.now())


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


def test_a_practice_pools_what_its_experiments_showed_and_names_the_contradicting_one(
    database: Database, clock: FixedClock, camille: Person, noor: Person, product: int
) -> None:
    del product
    for number, treated in enumerate((0.7, 0.68, 0.72, 0.5)):
        slug = f"essai-{number}"
        with database.write() as session:
            plans.create(session, camille, normalised({**plan_document(), "slug": slug}), clock.now())
            plans.submit(session, camille, slug, clock.now())
            plans.register(session, noor, slug, clock.now())
        concluded(database, clock, camille, slug, counts(0.6, treated))
        with database.write() as session:
            looking.decide(session, camille, slug, "stop", "essai", "", clock.now(), departing=True)
            practices.tag(session, camille, slug, ["Rappel SMS", " rappel  sms "], clock.now())
    with database.write() as session:
        practices.adopt(session, camille, "rappel-sms", "produit", TODAY, "depuis l’été", clock.now())
        practices.adopt(session, camille, "rappel-sms", "produit", TODAY, "depuis l’automne", clock.now())
    with database.read() as session:
        assert queries.practices(session) == [("rappel-sms", "Rappel SMS", "", 4, 1)]
        found = queries.practice(session, "rappel-sms")
    evidence = evidence_of(found)
    (group,) = evidence.groups
    assert group.pooled is not None
    assert group.pooled.prediction_interval is not None
    assert [one.slug for one in group.contradicting] == ["essai-3"]
    assert [one.note for one in found.adoptions] == ["depuis l’automne"]


def test_a_plan_in_the_database_is_the_plan_of_the_file(database: Database, written: str) -> None:
    with database.read() as session:
        found = queries.experiment(session, written)
    assert found.plan == plan_from(plan_document())
