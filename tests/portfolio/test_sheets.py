"""People write a sheet, an import tells another: nobody's work is lost, and phases keep their rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.actions import Source
from fabrique.accounts.model import AuditRow, IncubatorCoachRow, MembershipRow
from fabrique.accounts.rules import Person, Role
from fabrique.portfolio import actions, queries
from fabrique.portfolio.actions import Begun, Outcome, Writing
from fabrique.portfolio.checking import SheetInvalid
from fabrique.portfolio.model import IncubatorRow, OrganisationRow, ProductRow, RevisionRow, StayRow
from fabrique.portfolio.rules import Mark, Origin, Stage, StageNotReachable, Stay, StaysInvalid
from fabrique.portfolio.sheet import Budget, Event, ProductSheet, Telling, as_document, differences, from_document
from fabrique.web.errors import NotAllowed
from people import added_person

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database

JANUARY, MARCH, JUNE, TODAY = date(2026, 1, 5), date(2026, 3, 2), date(2026, 6, 1), date(2026, 11, 23)
TOLD = ProductSheet(
    "aides", "Aides", website="https://aides.example.fr", audiences=("agents",),
    stays=(Stay(Stage.INVESTIGATION, JANUARY, None),), events=(Event("product_launch", MARCH),),
)  # fmt: skip


@pytest.fixture
def aides(sqlite: Database, clock: FixedClock) -> int:
    tell(sqlite, clock, TOLD)
    with sqlite.read() as session:
        found = queries.product_id_of(session, "aides")
    assert found is not None
    return found


@pytest.fixture
def camille(sqlite: Database, clock: FixedClock, aides: int) -> Person:
    return added_person(sqlite, clock, "Camille", Role.INTRAPRENEUR, aides)


@pytest.fixture
def noor(sqlite: Database, clock: FixedClock, aides: int) -> Person:
    return added_person(sqlite, clock, "Noor", Role.COACH, aides, "coach")


def tell(database: Database, clock: FixedClock, *sheets: ProductSheet) -> list[actions.Planned]:
    with database.write() as session:
        return actions.put_products(session, sheets, Writing(None, clock.now()))


def sheet(database: Database, slug: str = "aides") -> ProductSheet:
    with database.read() as session:
        return queries.product_sheets(session, [slug])[slug]


def version(database: Database, product: int) -> int:
    with database.read() as session:
        return queries.version_of(session, product)


def save(database: Database, clock: FixedClock, person: Person, product: int, **changes: object) -> bool:
    with database.write() as session:
        return actions.save_sheet(session, person, "aides", queries.version_of(session, product), changes, clock.now())


def test_an_investigation_begun_by_an_intrapreneur_is_theirs(sqlite: Database, clock: FixedClock) -> None:
    lou = added_person(sqlite, clock, "Lou", Role.INTRAPRENEUR, None)
    with sqlite.write() as session:
        slug = actions.create_product(session, lou, Begun("Ma « boîte » à outils", JANUARY, "Un problème."), clock.now(), TODAY)
    assert slug == "ma-boite-a-outils"
    begun = sheet(sqlite, slug)
    assert begun.stays == (Stay(Stage.INVESTIGATION, JANUARY, None),)
    with sqlite.read() as session:
        tie = session.scalars(sa.select(MembershipRow).where(MembershipRow.person_id == lou.id)).one()
        lines = queries.stay_lines(session, [tie.product_id])[tie.product_id]
        assert (tie.kind, tie.since) == ("team", JANUARY)
        assert [line.origin for line in lines] == [Origin.CREATION]
        assert session.scalar(sa.select(AuditRow.person_id).where(AuditRow.action == "create_product")) == lou.id


def test_the_same_name_twice_is_refused_with_the_way_to_the_first(sqlite: Database, clock: FixedClock) -> None:
    lou = added_person(sqlite, clock, "Lou", Role.INTRAPRENEUR, None)
    with sqlite.write() as session:
        actions.create_product(session, lou, Begun("Aides", JANUARY), clock.now(), TODAY)
    with pytest.raises(actions.ProductExists, match="/produits/aides"), sqlite.write() as session:
        actions.create_product(session, lou, Begun("aidés", JANUARY), clock.now(), TODAY)


@pytest.mark.parametrize("name", ["Parcours", "🎈", "نص عربي", "Nouveau"])
def test_a_name_that_cannot_be_an_address_still_gets_one(sqlite: Database, clock: FixedClock, name: str) -> None:
    lou = added_person(sqlite, clock, "Lou", Role.INTRAPRENEUR, None)
    with sqlite.write() as session:
        slug = actions.create_product(session, lou, Begun(name, JANUARY), clock.now(), TODAY)
    assert slug.startswith("produit")
    assert sheet(sqlite, slug).name == name


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "  "},
        {"name": "x" * 10_000},
        {"website": "javascript:alert(1)"},
        {"website": "https://"},
        {"incubator": "nulle-part"},
        {"sponsors": ("personne",)},
        {"mission": "conquête"},
        {"stakes": (("gloire", ""),)},
        {"qualities": (("open_source", "peut-être"),)},
        {"budget": (Budget(2026, "DINUM"),)},
        {"budget": (Budget(1789, "DINUM", 1),)},
        {"budget": (Budget(2026, "", 1),)},
        {"budget": (Budget(2026, "DINUM", -1),)},
    ],
)
def test_a_field_that_cannot_be_kept_is_refused_by_its_name(
    sqlite: Database, clock: FixedClock, aides: int, camille: Person, changes: dict[str, object]
) -> None:
    with pytest.raises(SheetInvalid) as caught:
        save(sqlite, clock, camille, aides, **changes)
    assert {fault.field for fault in caught.value.faults} == set(changes)
    assert all(str(fault) for fault in caught.value.faults)
    assert sheet(sqlite) == TOLD


def test_dirt_that_an_import_brought_does_not_bar_the_way_to_other_fields(
    sqlite: Database, clock: FixedClock, aides: int
) -> None:
    camille = added_person(sqlite, clock, "Camille", Role.INTRAPRENEUR, aides)
    tell(sqlite, clock, replace(TOLD, website="sans adresse"))
    assert save(sqlite, clock, camille, aides, pitch="Des aides que personne ne trouve.")


def test_names_of_every_kind_are_kept_as_written(sqlite: Database, clock: FixedClock, aides: int, camille: Person) -> None:
    for name in ('L’« aide » & "co" <script>alert(1)</script>', "🎈🎉", "مرحبا بالعالم", "O'Brien\u202f!"):
        save(sqlite, clock, camille, aides, name=name)
        assert sheet(sqlite).name == name


def test_two_people_at_once_the_second_sees_what_changed_and_loses_nothing(
    sqlite: Database, clock: FixedClock, aides: int, camille: Person, noor: Person
) -> None:
    old = version(sqlite, aides)
    save(sqlite, clock, noor, aides, pitch="De Noor")
    with pytest.raises(actions.SheetOvertaken) as caught, sqlite.write() as session:
        actions.save_sheet(session, camille, "aides", old, {"name": "De Camille", "pitch": ""}, clock.now())
    told = {one.field: one for one in caught.value.changes}
    assert told["pitch"].after == ("De Noor",)
    with sqlite.write() as session:
        actions.save_sheet(session, camille, "aides", caught.value.version, {"name": "De Camille"}, clock.now())
    assert (sheet(sqlite).name, sheet(sqlite).pitch) == ("De Camille", "De Noor")


def test_only_the_products_own_people_write_its_sheet(sqlite: Database, clock: FixedClock, aides: int) -> None:
    stranger = added_person(sqlite, clock, "Sacha", Role.INTRAPRENEUR, None)
    with pytest.raises(NotAllowed):
        save(sqlite, clock, stranger, aides, name="À moi")


def test_an_import_changes_what_the_file_changed_and_keeps_what_people_wrote(
    sqlite: Database, clock: FixedClock, aides: int, camille: Person
) -> None:
    save(sqlite, clock, camille, aides, pitch="Un problème", website="https://nous.example.fr", audiences=("agents", "familles"))
    assert tell(sqlite, clock, TOLD)[0].outcome is Outcome.UNCHANGED
    (done,) = tell(sqlite, clock, replace(TOLD, name="Aides +", website="https://eux.example.fr", audiences=("élus",)))
    now = sheet(sqlite)
    assert (now.name, now.pitch, now.website) == ("Aides +", "Un problème", "https://nous.example.fr")
    assert now.audiences == ("familles", "élus")
    assert [(one.field, one.before, one.after) for one in done.kept] == [
        ("website", ("https://nous.example.fr",), ("https://eux.example.fr",))
    ]
    assert tell(sqlite, clock, done.told)[0].kept == (), "what was said once is not said every night"


def test_an_import_never_undoes_a_phase_that_was_decided_here(
    sqlite: Database, clock: FixedClock, aides: int, noor: Person
) -> None:
    with sqlite.write() as session:
        actions.enter_stage(session, aides, Stage.EXPERIMENTATION, JUNE, 1, noor.id, clock.now(), TODAY)
    decided = sheet(sqlite).stays
    (done,) = tell(
        sqlite, clock, replace(TOLD, stays=(Stay(Stage.INVESTIGATION, JANUARY, MARCH), Stay(Stage.STOPPED, MARCH, None)))
    )
    assert sheet(sqlite).stays == decided
    assert [one.field for one in done.kept] == ["stays"]


def test_events_written_here_and_events_told_by_files_stand_together(
    sqlite: Database, clock: FixedClock, aides: int, camille: Person
) -> None:
    with sqlite.write() as session:
        actions.add_event(session, camille, "aides", Event("release", JUNE, "version 2"), clock.now())
    tell(sqlite, clock, replace(TOLD, events=(Event("committee", MARCH),)))
    assert [(one.kind, one.origin) for one in sheet(sqlite).events] == [("committee", Origin.IMPORT), ("release", Origin.PERSON)]
    with sqlite.write() as session:
        actions.remove_event(session, camille, "aides", Event("committee", MARCH), clock.now())
    tell(sqlite, clock, replace(TOLD, events=(Event("committee", MARCH), Event("fast", JUNE))))
    assert [one.kind for one in sheet(sqlite).events] == ["fast", "release"]


def test_a_correction_has_a_reason_a_coach_and_a_line_in_the_trail(
    sqlite: Database, clock: FixedClock, aides: int, camille: Person, noor: Person
) -> None:
    starts = [(Stage.INVESTIGATION, JANUARY, Mark.ESTIMATED), (Stage.EXPERIMENTATION, MARCH, Mark.KNOWN)]

    def correct(person: Person, reason: str) -> bool:
        with sqlite.write() as session:
            return actions.correct_stays(session, person, "aides", version(sqlite, aides), starts, reason, clock.now(), TODAY)

    with pytest.raises(NotAllowed):
        correct(camille, "Parce que")
    with pytest.raises(actions.ReasonUnfit):
        correct(noor, " ")
    assert correct(noor, "La date du comité")
    assert not correct(noor, ""), "nothing to correct any more"
    with sqlite.read() as session:
        lines = queries.stay_lines(session, [aides])[aides]
        assert [line.origin for line in lines] == [Origin.CORRECTION] * 2
        entry = session.scalars(sa.select(AuditRow).where(AuditRow.action == "correct_stages")).one()
        assert entry.details["reason"] == "La date du comité"
        assert queries.revisions(session, aides)[0].reason == "La date du comité"


@pytest.mark.parametrize(
    ("starts", "why"),
    [
        ([(Stage.INVESTIGATION, MARCH), (Stage.EXPERIMENTATION, JANUARY)], "se suivent"),
        ([(Stage.INVESTIGATION, JANUARY), (Stage.INVESTIGATION, MARCH)], "deux fois"),
        ([(Stage.INVESTIGATION, TODAY + timedelta(days=1))], "à venir"),
    ],
)
def test_phases_that_break_their_rules_are_refused(
    sqlite: Database, clock: FixedClock, aides: int, noor: Person, starts: list[tuple[Stage, date]], why: str
) -> None:
    marked = [(stage, day, Mark.KNOWN) for stage, day in starts]
    with pytest.raises(StaysInvalid) as caught, sqlite.write() as session:
        actions.correct_stays(session, noor, "aides", version(sqlite, aides), marked, "essai", clock.now(), TODAY)
    assert why in str(caught.value).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("stage", "day"),
    [
        (Stage.EXPERIMENTATION, JANUARY - timedelta(days=1)),
        (Stage.EXPERIMENTATION, TODAY + timedelta(days=1)),
        (Stage.INVESTIGATION, JUNE),
    ],
    ids=["before the phase began", "to come", "already there"],
)
def test_a_stage_is_entered_from_the_present_one_and_not_in_the_future(
    sqlite: Database, clock: FixedClock, aides: int, noor: Person, stage: Stage, day: date
) -> None:
    with pytest.raises(StageNotReachable), sqlite.write() as session:
        actions.enter_stage(session, aides, stage, day, 1, noor.id, clock.now(), TODAY)


def test_a_product_that_left_the_road_comes_back_by_a_correction_only(
    sqlite: Database, clock: FixedClock, aides: int, noor: Person
) -> None:
    with sqlite.write() as session:
        actions.enter_stage(session, aides, Stage.INCONCLUSIVE, MARCH, 1, noor.id, clock.now(), TODAY)
    with pytest.raises(StageNotReachable), sqlite.write() as session:
        actions.enter_stage(session, aides, Stage.EXPERIMENTATION, JUNE, 2, noor.id, clock.now(), TODAY)
    reopened = [
        (Stage.INVESTIGATION, JANUARY, Mark.KNOWN),
        (Stage.INCONCLUSIVE, MARCH, Mark.KNOWN),
        (Stage.EXPERIMENTATION, JUNE, Mark.KNOWN),
    ]
    with sqlite.write() as session:
        actions.correct_stays(session, noor, "aides", version(sqlite, aides), reopened, "Un sponsor", clock.now(), TODAY)
    with sqlite.read() as session:
        origins = [line.origin for line in queries.stay_lines(session, [aides])[aides]]
    assert origins == [Origin.IMPORT, Origin.REVIEW, Origin.CORRECTION], "each stay keeps who decided it"


def test_the_coaches_of_an_incubator_follow_its_products(sqlite: Database, clock: FixedClock) -> None:
    noor = added_person(sqlite, clock, "Noor", Role.COACH, None)
    with sqlite.write() as session:
        ids = []
        for key in ("ici", "ailleurs"):
            row = IncubatorRow(key=key, title=key)
            session.add(row)
            session.flush()
            ids.append(row.id)
        session.add(IncubatorCoachRow(person_id=noor.id, incubator_id=ids[0]))

    def coached() -> list[int]:
        with sqlite.read() as session:
            return list(session.scalars(sa.select(MembershipRow.product_id).where(MembershipRow.person_id == noor.id)))

    tell(sqlite, clock, replace(TOLD, incubator="ici"))
    with sqlite.read() as session:
        product = queries.product_id_of(session, "aides")
    assert coached() == [product]
    tell(sqlite, clock, replace(TOLD, incubator="ailleurs"))
    assert coached() == []


def test_a_sheet_comes_back_from_its_document(sqlite: Database, clock: FixedClock, aides: int, camille: Person) -> None:
    with sqlite.write() as session:
        session.add(OrganisationRow(key="dinum", name="DINUM"))
    save(
        sqlite, clock, camille, aides, sponsors=("dinum",), mission="transfo", stakes=(("inclusion", "rgaa"),),
        budget=(Budget(2026, "DINUM", 100_000, None),), qualities=(("open_source", "yes"),), partners=("ANCT",),
    )  # fmt: skip
    full = sheet(sqlite)
    assert from_document(as_document(full)) == full
    assert {one.field for one in differences(TOLD, full)} == {"sponsors", "mission", "stakes", "budget", "qualities", "partners"}


def test_filtered_lists_are_kept_by_name_and_are_ones_own(
    sqlite: Database, clock: FixedClock, camille: Person, noor: Person
) -> None:
    with sqlite.write() as session:
        actions.save_view(session, camille, " Mes  suivis ", "phase=scale_up", clock.now())
        actions.save_view(session, camille, "Mes suivis", "phase=investigation", clock.now())
    with sqlite.read() as session:
        (view,) = queries.saved_views(session, camille.id)
        assert (view.name, view.query) == ("Mes suivis", "phase=investigation")
        assert queries.saved_views(session, noor.id) == []
    with pytest.raises(Exception, match="Rien"), sqlite.write() as session:
        actions.delete_view(session, noor, view.id, clock.now())
    with sqlite.write() as session:
        actions.delete_view(session, camille, view.id, clock.now())
    with sqlite.read() as session:
        assert queries.saved_views(session, camille.id) == []


def test_a_products_row_tells_how_often_it_changed(sqlite: Database, clock: FixedClock, aides: int, camille: Person) -> None:
    before = version(sqlite, aides)
    assert not save(sqlite, clock, camille, aides, name="Aides")
    assert version(sqlite, aides) == before
    save(sqlite, clock, camille, aides, name="Autre")
    assert version(sqlite, aides) == before + 1
    with sqlite.read() as session:
        assert session.scalar(sa.select(ProductRow.searched)) == "autre aides "


def test_answers_to_different_questions_stand_together_and_to_the_same_one_here_wins(
    sqlite: Database, clock: FixedClock, aides: int, camille: Person
) -> None:
    tell(sqlite, clock, replace(TOLD, qualities=(("privacy", "no"), ("risk_analysis", "no"))))
    mine = (("open_source", "yes"), ("privacy", "partly"), ("risk_analysis", "no"))
    save(sqlite, clock, camille, aides, qualities=mine, stakes=(("inclusion", "rgaa"),))
    (done,) = tell(sqlite, clock, replace(TOLD, qualities=(("privacy", "yes"), ("public_statistics", "yes"))))
    assert sheet(sqlite).qualities == (("open_source", "yes"), ("privacy", "partly"), ("public_statistics", "yes"))
    assert sheet(sqlite).stakes == (("inclusion", "rgaa"),)
    assert [(one.field, one.before, one.after) for one in done.kept] == [("qualities", ("privacy: partly",), ("privacy: yes",))]


def test_what_a_source_says_nothing_about_stays_as_it_was_told(sqlite: Database, clock: FixedClock, aides: int) -> None:
    full = replace(TOLD, mission="transfo", qualities=(("open_source", "yes"), ("risk_analysis", "yes")))
    tell(sqlite, clock, full)
    silent = Telling(TOLD, frozenset({"mission", "website", "qualities/open_source"}))
    bare = replace(silent, sheet=replace(TOLD, website=""))
    with sqlite.write() as session:
        (done,) = actions.put_products(session, [bare], Writing(None, clock.now()))
    assert [one.field for one in done.changes] == ["qualities"]
    assert sheet(sqlite) == replace(full, qualities=(("open_source", "yes"),))
    with sqlite.write() as session:
        (again,) = actions.put_products(session, [bare], Writing(None, clock.now()))
    assert again.told_before
    assert tell(sqlite, clock, TOLD)[0].outcome is Outcome.CHANGED, "a source that could tell, and does not, takes back"


def test_a_sheet_that_an_older_fabrique_imported_is_not_taken_for_what_people_wrote_since(
    sqlite: Database, clock: FixedClock, aides: int, camille: Person
) -> None:
    with sqlite.write() as session:
        session.execute(sa.update(ProductRow).values(told=None))
    save(sqlite, clock, camille, aides, website="https://nous.example.fr")
    assert tell(sqlite, clock, TOLD)[0].outcome is Outcome.UNCHANGED
    assert sheet(sqlite).website == "https://nous.example.fr"


def test_nothing_differs_by_its_order_alone(sqlite: Database, clock: FixedClock, aides: int, camille: Person) -> None:
    with sqlite.write() as session:
        session.add_all(OrganisationRow(key=key, name=key) for key in "ab")
    stakes = (("simplification", ""), ("inclusion", "rgaa"))
    save(sqlite, clock, camille, aides, sponsors=("b", "a"), qualities=(("privacy", "no"), ("open_source", "yes")), stakes=stakes)
    with sqlite.read() as session:
        last = session.scalars(sa.select(RevisionRow.document).order_by(RevisionRow.id.desc()).limit(1)).one()
    assert from_document(last) == sheet(sqlite)
    assert not save(sqlite, clock, camille, aides, sponsors=("a", "b"), stakes=stakes[::-1])


def test_a_stage_entered_and_left_in_a_day_keeps_who_decided_each_stay(
    sqlite: Database, clock: FixedClock, aides: int, noor: Person
) -> None:
    for number, stage in enumerate((Stage.EXPERIMENTATION, Stage.INVESTIGATION), start=1):
        with sqlite.write() as session:
            actions.enter_stage(session, aides, stage, JANUARY, number, noor.id, clock.now(), TODAY)
    with sqlite.read() as session:
        lines = queries.stay_lines(session, [aides])[aides]
    assert [(line.stay.stage, line.origin, line.review_id) for line in lines] == [
        (Stage.INVESTIGATION, Origin.IMPORT, None),
        (Stage.EXPERIMENTATION, Origin.REVIEW, 1),
        (Stage.INVESTIGATION, Origin.REVIEW, 2),
    ]


def test_a_stay_goes_on_naming_the_batch_that_brought_it(sqlite: Database, clock: FixedClock, noor: Person) -> None:
    with sqlite.write() as session:
        batch = accounts.open_batch(session, Source("betagouv", "fiches", "x"), clock.now())
        actions.put_products(session, [replace(TOLD, slug="autre")], Writing(batch, clock.now()))
        product = queries.product_id_of(session, "autre")
        assert product is not None
        actions.enter_stage(session, product, Stage.EXPERIMENTATION, JUNE, 1, noor.id, clock.now(), TODAY)
        session.flush()
        stays = sa.select(StayRow.batch_id).where(StayRow.product_id == product).order_by(StayRow.position)
        assert session.scalars(stays).all() == [batch, None]
