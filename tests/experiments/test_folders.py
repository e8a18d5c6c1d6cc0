"""Whole experiments between files and the database, and what several of them teach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from experiments.living import TODAY, concluded
from experiments.sample import counts, plan_document
from fabrique.experiments import queries
from fabrique.experiments.actions import folders, looking, plans, practices
from fabrique.experiments.data.folder import open_folder
from fabrique.experiments.data.writing import write_files
from fabrique.experiments.model import ExperimentRow
from fabrique.experiments.plan.canonical import normalised
from fabrique.experiments.pooling import evidence_of

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database


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
