"""Coaches of whole incubators, by `fabrique coach`: they come to each of its products, and go from them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from fabrique.accounts.actions import PersonInvalid
from fabrique.accounts.model import AuditRow, MembershipRow
from fabrique.accounts.rules import Role
from fabrique.cli.people import coach_command
from fabrique.portfolio.actions import Writing, put_incubator, put_products
from fabrique.portfolio.actions.coaching import coach_incubator, leave_incubator
from fabrique.portfolio.queries import Incubator, ProductSheet, product_id_of
from people import added_person

if TYPE_CHECKING:
    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database


@pytest.fixture
def noor(database: Database, clock: FixedClock) -> Person:
    with database.write() as session:
        put_incubator(session, Incubator("ici", "L’incubateur d’ici"))
        put_products(session, [ProductSheet(slug, slug, incubator="ici") for slug in ("un", "deux")], Writing(None, clock.now()))
        put_products(session, [ProductSheet("loin", "Loin")], Writing(None, clock.now()))
    return added_person(database, clock, "Noor", Role.COACH, None)


def coached(database: Database, person: Person) -> set[str]:
    with database.read() as session:
        ties = set(session.scalars(sa.select(MembershipRow.product_id).where(MembershipRow.person_id == person.id)))
        return {slug for slug in ("un", "deux", "trois", "loin") if product_id_of(session, slug) in ties}


def test_a_coach_of_an_incubator_coaches_its_products_and_those_that_come(
    database: Database, clock: FixedClock, noor: Person
) -> None:
    with database.write() as session:
        done = coach_incubator(session, " NOOR@exemple.invalid ", "ici", clock.now())
    assert (done.name, done.incubator, done.products, done.is_new) == ("Noor", "L’incubateur d’ici", 2, True)
    with database.write() as session:
        put_products(session, [ProductSheet("trois", "Trois", incubator="ici")], Writing(None, clock.now()))
    assert coached(database, noor) == {"un", "deux", "trois"}
    with database.write() as session:
        assert not coach_incubator(session, "noor@exemple.invalid", "ici", clock.now()).is_new
    with database.read() as session:
        assert len(session.scalars(sa.select(AuditRow).where(AuditRow.action == "coach_incubator")).all()) == 1


def test_it_ends_for_all_of_them_but_not_for_a_product_coached_by_itself(
    database: Database, clock: FixedClock, noor: Person
) -> None:
    with database.write() as session:
        own = product_id_of(session, "un")
        session.add(MembershipRow(person_id=noor.id, product_id=own, kind="coach"))
        session.flush()
        coach_incubator(session, "noor@exemple.invalid", "ici", clock.now())
    assert coached(database, noor) == {"un", "deux"}
    with database.write() as session:
        assert leave_incubator(session, "noor@exemple.invalid", "ici", clock.now()).is_new
    assert coached(database, noor) == {"un"}
    with database.write() as session:
        assert not leave_incubator(session, "noor@exemple.invalid", "ici", clock.now()).is_new
        put_products(session, [ProductSheet("trois", "Trois", incubator="ici")], Writing(None, clock.now()))
    assert coached(database, noor) == {"un"}, "what comes later is no longer theirs"


@pytest.mark.parametrize(
    ("email", "key", "why"),
    [
        ("personne@exemple.invalid", "ici", "invitez"),
        ("lou@exemple.invalid", "ici", "intrapreneur"),
        ("noor@exemple.invalid", "ailleurs", "ici"),
    ],
    ids=["unknown person", "no coach", "unknown incubator"],
)
@pytest.mark.usefixtures("noor")
def test_what_cannot_be_is_said(database: Database, clock: FixedClock, email: str, key: str, why: str) -> None:
    added_person(database, clock, "Lou", Role.INTRAPRENEUR, None)
    with pytest.raises(PersonInvalid) as caught, database.write() as session:
        coach_incubator(session, email, key, clock.now())
    assert why in str(caught.value).lower()


def test_the_command_says_what_it_did(sqlite: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    added_person(sqlite, clock, "Noor", Role.COACH, None)
    with sqlite.write() as session:
        put_incubator(session, Incubator("ici", "Ici"))
        put_products(session, [ProductSheet("un", "Un", incubator="ici")], Writing(None, clock.now()))
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", sqlite.engine.url.render_as_string(hide_password=False))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(coach_command, ["noor@exemple.invalid", "ici", *arguments], catch_exceptions=False)
        assert result.exit_code == 0
        return f"{result.stdout}{result.stderr}".replace("\u00a0", " ").strip()

    assert run() == "Noor accompagne « Ici » : 1 produit."
    assert run() == "Noor accompagne « Ici » : 1 produit.\nRien n’a changé."
    assert run("--end") == "Noor n’accompagne plus « Ici »."
