"""Criteria are installed once and rewritten by administrators, a version at a time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.model import AuditRow, PersonRow
from fabrique.accounts.rules import Person, Role
from fabrique.cli.database import prepare
from fabrique.portfolio.rules import ACTIVE, Stage
from fabrique.reviews.actions.criteria import CriteriaOvertaken, install_criteria, save_criteria
from fabrique.reviews.defaults import DEFAULT_CRITERIA, Draw
from fabrique.reviews.model import CriteriaSetRow, CriterionRow
from fabrique.reviews.queries.criteria import latest_criteria
from fabrique.reviews.versions import CriteriaInvalid, CriteriaSet, Criterion
from fabrique.web.errors import NotAllowed, NotThere

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database

GATE = Stage.EXPERIMENTATION
NEW = Criterion(
    "", "Le service parle-t-il toutes les langues utiles ?", "Does the service speak every useful language?", "", "", ()
)


def somebody(database: Database, clock: FixedClock, role: Role = Role.ADMINISTRATOR) -> Person:
    with database.write() as session:
        accounts.invite(session, f"{role}@exemple.fr", f"Une {role}", role, clock.now())
        return Person(session.scalars(sa.select(PersonRow.id).order_by(PersonRow.id.desc())).first() or 0, f"Une {role}", role)


def present(database: Database, gate: Stage = GATE) -> CriteriaSet:
    with database.read() as session:
        found = latest_criteria(session, gate)
    assert found is not None
    return found


def save(
    database: Database,
    clock: FixedClock,
    person: Person,
    criteria: list[Criterion],
    note: str = "Retour des coachs",
    base: int = 1,
) -> int:
    with database.write() as session:
        return save_criteria(session, person, GATE, base, criteria, note, clock.now())


def test_every_gate_has_its_first_version_from_the_start(database: Database) -> None:
    for gate in ACTIVE:
        version = present(database, gate)
        assert version.version == 1
        assert version.keys == tuple(one.key for one in DEFAULT_CRITERIA[gate])
        assert [one.help_fr for one in version.criteria] == [one.help_fr for one in DEFAULT_CRITERIA[gate]]


def test_installing_again_touches_nothing_that_administrators_wrote(database: Database, clock: FixedClock) -> None:
    save(database, clock, somebody(database, clock), [*present(database).criteria, NEW])
    with database.write() as session:
        install_criteria(session, clock.now())
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CriteriaSetRow)) == len(ACTIVE) + 1
    assert present(database).version == 2


def test_migrating_installs_the_criteria(sqlite: Database) -> None:
    with sqlite.write() as session:
        session.execute(sa.delete(CriterionRow))
        session.execute(sa.delete(CriteriaSetRow))
    prepare(sqlite)
    assert present(sqlite).keys


def test_a_change_makes_the_next_version_and_keeps_the_former(database: Database, clock: FixedClock) -> None:
    administrator, before = somebody(database, clock), present(database)
    first, second, *others = before.criteria
    assert (
        save(
            database,
            clock,
            administrator,
            [second, replace(first, label_fr="Autrement ?", draws=(Draw.BUDGET,)), *others[1:], NEW],
        )
        == 2
    )
    after = present(database)
    assert (after.version, after.person, after.note) == (2, "Une administrator", "Retour des coachs")
    assert after.keys[:2] == (second.key, first.key)
    assert after.criteria[1].label_fr == "Autrement ?"
    assert after.criteria[1].draws == (Draw.BUDGET,)
    assert after.keys[-1] == "does_the_service_speak_every_useful_language"
    with database.read() as session:
        kept = session.scalars(
            sa.select(CriterionRow.label_fr).where(CriterionRow.set_id == before.id).order_by(CriterionRow.position)
        )
        assert list(kept) == [one.label_fr for one in before.criteria]


def test_a_change_leaves_one_line_in_the_trail(database: Database, clock: FixedClock) -> None:
    administrator, criteria = somebody(database, clock), present(database).criteria
    save(database, clock, administrator, [*criteria[1:], NEW])
    with database.read() as session:
        line = session.scalars(sa.select(AuditRow).where(AuditRow.action == "save_criteria")).one()
    assert (line.object_type, line.object_key, line.person_id) == ("criteria", "experimentation", administrator.id)
    assert line.details == {
        "version": 2,
        "note": "Retour des coachs",
        "added": ["does_the_service_speak_every_useful_language"],
        "withdrawn": ["real_use"],
    }


def test_who_saves_an_older_version_is_told_and_nothing_is_overwritten(database: Database, clock: FixedClock) -> None:
    administrator, criteria = somebody(database, clock), present(database).criteria
    save(database, clock, administrator, [*criteria, NEW])
    with pytest.raises(CriteriaOvertaken):
        save(database, clock, administrator, list(criteria[1:]))
    assert present(database).version == 2


def test_two_who_save_at_the_very_same_time_do_not_both_win(database: Database, clock: FixedClock) -> None:
    administrator, criteria = somebody(database, clock), present(database).criteria
    with ThreadPoolExecutor(1) as other:
        with database.write() as first:
            assert save_criteria(first, administrator, GATE, 1, [*criteria, NEW], "La première", clock.now()) == 2
            # The second has begun, and reads what was there before (PostgreSQL) or waits for its turn (SQLite).
            second = other.submit(save, database, clock, administrator, list(criteria[1:]))
            time.sleep(0.3)
        with pytest.raises(CriteriaOvertaken):
            second.result(timeout=20)
    assert present(database).note == "La première"


@pytest.mark.parametrize("role", [Role.COACH, Role.INTRAPRENEUR, Role.LEADERSHIP])
def test_only_administrators_change_criteria(role: Role, sqlite: Database, clock: FixedClock) -> None:
    with pytest.raises(NotAllowed):
        save(sqlite, clock, somebody(sqlite, clock, role), [NEW])


def test_a_stage_without_gate_has_no_criteria(sqlite: Database, clock: FixedClock) -> None:
    person = somebody(sqlite, clock)
    with pytest.raises(NotThere), sqlite.write() as session:
        save_criteria(session, person, Stage.STOPPED, 1, [NEW], "Pourquoi pas", clock.now())


def test_what_is_wrong_is_refused_whole(sqlite: Database, clock: FixedClock) -> None:
    person, criteria = somebody(sqlite, clock), present(sqlite).criteria
    for wrong, note in [
        (list(criteria), "Rien n’a changé"),
        ([], "Tout retirer"),
        ([*criteria, replace(NEW, label_en=" ")], "Une langue manque"),
        ([*criteria, replace(NEW, key=criteria[0].key)], "Même clé"),
        ([*criteria, NEW], "   "),
    ]:
        with pytest.raises(CriteriaInvalid):
            save(sqlite, clock, person, wrong, note)
    assert present(sqlite).version == 1
