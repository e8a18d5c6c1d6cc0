"""Two people of one product, and a sound experiment of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from experiments.sample import plan_document
from fabrique.accounts.rules import Person, Role
from fabrique.experiments.actions import plans
from factories import add_product
from people import added_person

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database


@pytest.fixture
def product(database: Database, clock: FixedClock) -> int:
    return add_product(database, clock)


@pytest.fixture
def camille(database: Database, clock: FixedClock, product: int) -> Person:
    return added_person(database, clock, "Camille", Role.INTRAPRENEUR, product)


@pytest.fixture
def noor(database: Database, clock: FixedClock, product: int) -> Person:
    return added_person(database, clock, "Noor", Role.COACH, product, "coach")


@pytest.fixture
def stranger(database: Database, clock: FixedClock, product: int) -> Person:
    del product
    other = add_product(database, clock, "autre")
    return added_person(database, clock, "Sacha", Role.INTRAPRENEUR, other)


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
