"""What the examples of the documentation speak of: objects under the names that the demonstration gives them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from experiments.sample import plan_document
from fabrique.accounts.actions import make_token
from fabrique.accounts.rules import Role
from fabrique.demonstration.programme import Held, hold
from fabrique.experiments.actions import plans
from fabrique.portfolio.actions import Writing, put_incubator, put_organisation, put_products
from fabrique.portfolio.queries import Incubator, Organisation, ProductSheet, product_id_of
from fabrique.portfolio.rules import Stage, Stay
from fabrique.reviews.rules import Decision, Outcome, Seat
from factories import add_product, client
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database


@dataclass(frozen=True)
class Documented:
    """A site that has what the examples name, and tokens for it."""

    made: TestClient
    token: str
    """With every scope."""
    reading: str
    writing: str

    @property
    def description(self) -> dict[str, Any]:
        return self.made.get("/schema/openapi.json").json()

    def call(self, method: str, path: str, token: str = "", **kwargs: Any) -> Any:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return self.made.request(method, path, headers=headers | kwargs.pop("headers", {}), follow_redirects=False, **kwargs)


def fill(database: Database, clock: FixedClock) -> tuple[str, str, str]:
    """The product and the experiment; returns the tokens."""
    sheet = ProductSheet(
        "demo-toit-clair", "Toit clair", incubator="demo-solidarites", sponsors=("demo-dgs",), mission="fabrique",
        stakes=(("simplification", "satisfaction"),), stays=(Stay(Stage.EXPERIMENTATION, date(2025, 3, 10), None),),
    )  # fmt: skip
    with database.write() as session:
        put_organisation(session, Organisation("demo-dgs", "Direction des solidarités"))
        put_incubator(session, Incubator("demo-solidarites", "Atelier numérique des solidarités"))
        aidants = ProductSheet("demo-aidants-ensemble", "Aidants", stays=(Stay(Stage.INVESTIGATION, date(2025, 3, 10), None),))
        put_products(session, [sheet, aidants], Writing(None, clock.now()))
        product, other = product_id_of(session, sheet.slug), product_id_of(session, aidants.slug)
    add_product(database, clock, "autre")
    assert product is not None
    maya = added_person(database, clock, "Maya", Role.COACH, other, "coach")
    with database.write() as session:
        told = Held(aidants.slug, 0, "Vu.", Outcome(Decision.CONTINUE, None, date(2026, 6, 1), "Encore des entretiens."))
        hold(session, maya, told, Seat("Paule", "directrice"), date(2026, 3, 2))
    camille = added_person(database, clock, "Camille", Role.INTRAPRENEUR, product)
    noor = added_person(database, clock, "Noor", Role.COACH, product, "coach")
    with database.write() as session:
        slug = plans.create(session, camille, plan_document(slug="demo-aide-claire", product="demo-toit-clair"), clock.now())
        plans.submit(session, camille, slug, clock.now())
        plans.register(session, noor, slug, clock.now())
        scopes = (("read", "observations:write"), ("read",), ("observations:write",))
        return tuple(  # type: ignore[return-value]
            make_token(session, "camille@exemple.invalid", product, some, "test", 1, clock.now()) for some in scopes
        )


@contextmanager
def opened(database: Database, clock: FixedClock) -> Iterator[Documented]:
    tokens = fill(database, clock)
    with client(database, clock) as made:
        yield Documented(made, *tokens)


@pytest.fixture
def documented(sqlite: Database, clock: FixedClock) -> Iterator[Documented]:
    with opened(sqlite, clock) as found:
        yield found


@pytest.fixture
def documented_on_both(database: Database, clock: FixedClock) -> Iterator[Documented]:
    with opened(database, clock) as found:
        yield found
