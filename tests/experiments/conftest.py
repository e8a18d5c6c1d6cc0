"""Two people of one product, and a sound experiment of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from experiments.sample import plan_document
from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.accounts.rules import Person, Role
from fabrique.experiments.actions import plans
from factories import add_product

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database


@pytest.fixture
def product(database: Database, clock: FixedClock) -> int:
    return add_product(database, clock)


def person(database: Database, clock: FixedClock, name: str, role: Role, product_id: int | None, kind: str = "team") -> Person:
    with database.write() as session:
        row = PersonRow(email=f"{name.lower()}@exemple.invalid", name=name, role=role, persona=False, created_at=clock.now())
        session.add(row)
        session.flush()
        if product_id is not None:
            session.add(MembershipRow(person_id=row.id, product_id=product_id, kind=kind))
        found = row.id
    own = frozenset({product_id} if product_id is not None else ())
    return Person(found, name, role, own if kind == "team" else frozenset(), own if kind == "coach" else frozenset())


@pytest.fixture
def camille(database: Database, clock: FixedClock, product: int) -> Person:
    return person(database, clock, "Camille", Role.INTRAPRENEUR, product)


@pytest.fixture
def noor(database: Database, clock: FixedClock, product: int) -> Person:
    return person(database, clock, "Noor", Role.COACH, product, "coach")


@pytest.fixture
def stranger(database: Database, clock: FixedClock, product: int) -> Person:
    del product
    other = add_product(database, clock, "autre")
    return person(database, clock, "Sacha", Role.INTRAPRENEUR, other)


@pytest.fixture
def written(database: Database, clock: FixedClock, camille: Person) -> str:
    """An experiment whose plan is written."""
    with database.write() as session:
        return plans.create(session, camille, plan_document(), clock.now())


@pytest.fixture
def registered(database: Database, clock: FixedClock, camille: Person, noor: Person, written: str) -> str:
    """An experiment whose plan is locked."""
    with database.write() as session:
        plans.submit(session, camille, written, clock.now())
        plans.register(session, noor, written, clock.now())
    return written
