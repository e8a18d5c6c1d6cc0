"""A calendar's address is a secret: known to its holder, kept as a hash, closed by making another."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts import actions, queries
from fabrique.accounts.model import AuditRow, CalendarFeedRow, PersonRow
from fabrique.accounts.rules import Role
from factories import add_product

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database


@pytest.fixture
def noor(database: Database, clock: FixedClock) -> int:
    """A coach with two products: one coached still, one in whose team she was until October."""
    coached, former = add_product(database, clock, "venus"), add_product(database, clock, "mars")
    with database.write() as session:
        actions.invite(session, "noor@exemple.fr", "Noor", "coach", clock.now())
        person = session.scalars(sa.select(PersonRow.id)).one()
        actions.join_product(session, person, coached, "coach", until=date(2026, 11, 23))
        actions.join_product(session, person, former, "team", until=date(2026, 10, 31))
    return person


def key(database: Database, clock: FixedClock, person: int) -> str:
    with database.write() as session:
        return actions.make_calendar_key(session, person, clock.now())


def test_the_address_leads_to_its_person_with_the_products_of_today(database: Database, clock: FixedClock, noor: int) -> None:
    token = key(database, clock, noor)
    with database.read() as session:
        found = queries.calendar_person(session, token, clock.now())
    assert found is not None
    assert (found.id, found.name, found.role, found.products) == (noor, "Noor", Role.COACH, frozenset())
    assert len(found.coached) == 1
    assert not found.scopes


def test_a_person_without_products_has_a_calendar_too(database: Database, clock: FixedClock) -> None:
    with database.write() as session:
        actions.invite(session, "anne@exemple.fr", "Anne", "leadership", clock.now())
    token = key(database, clock, 1)
    with database.read() as session:
        found = queries.calendar_person(session, token, clock.now())
    assert found is not None
    assert found.name == "Anne"


@pytest.mark.parametrize("guess", ["", "x", "é\x00", "a" * 10_000])
def test_a_guess_leads_to_nobody(database: Database, clock: FixedClock, noor: int, guess: str) -> None:
    key(database, clock, noor)
    with database.read() as session:
        assert queries.calendar_person(session, guess, clock.now()) is None


def test_a_new_address_closes_the_old_one(database: Database, clock: FixedClock, noor: int) -> None:
    old, new = key(database, clock, noor), key(database, clock, noor)
    assert old != new
    with database.read() as session:
        assert queries.calendar_person(session, old, clock.now()) is None
        assert queries.calendar_person(session, new, clock.now()) is not None
        assert session.scalar(sa.select(sa.func.count()).select_from(CalendarFeedRow)) == 1


def test_an_address_can_be_closed_for_good(database: Database, clock: FixedClock, noor: int) -> None:
    token = key(database, clock, noor)
    with database.write() as session:
        assert actions.end_calendar_key(session, noor, clock.now())
        assert not actions.end_calendar_key(session, noor, clock.now())
        assert queries.calendar_person(session, token, clock.now()) is None
        assert queries.calendar_made_at(session, noor) is None


def test_the_secret_is_kept_nowhere_and_its_making_is_in_the_trail(database: Database, clock: FixedClock, noor: int) -> None:
    token = key(database, clock, noor)
    with database.read() as session:
        row = session.scalars(sa.select(CalendarFeedRow)).one()
        assert row.token_sha256 == queries.digest(token)
        assert queries.calendar_made_at(session, noor) == clock.now()
        trail = session.scalars(sa.select(AuditRow).where(AuditRow.action == "make_calendar_key")).all()
        assert [(one.person_id, one.object_type, one.object_key) for one in trail] == [(noor, "person", str(noor))]
        assert token not in str([one.details for one in trail])


def test_a_reading_is_noted_and_forgotten_with_the_address(database: Database, clock: FixedClock, noor: int) -> None:
    token = key(database, clock, noor)
    with database.write() as session:
        actions.touch_calendar(session, token, clock.now())
        assert session.scalar(sa.select(CalendarFeedRow.last_read_at)) == clock.now()
    key(database, clock, noor)
    with database.read() as session:
        assert session.scalar(sa.select(CalendarFeedRow.last_read_at)) is None
