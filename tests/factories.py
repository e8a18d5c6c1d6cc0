"""Things that many tests need: services, weekly figures with or without a change in them, a signed-in client."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa
from litestar.testing import TestClient

from fabrique.accounts import actions as accounts
from fabrique.accounts.actions import Source
from fabrique.accounts.model import PersonRow
from fabrique.accounts.rules import Role
from fabrique.app import create_app
from fabrique.clock import Granularity, Period
from fabrique.portfolio import queries as portfolio
from fabrique.portfolio.actions import Writing, put_products
from fabrique.portfolio.queries import ProductSheet
from fabrique.portfolio.rules import Stage, Stay
from fabrique.quality import actions as quality
from fabrique.quality import queries
from fabrique.quality.actions import Observed, SeriesKey, ServiceSheet
from fabrique.quality.rules import Figures
from fabrique.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database

FIRST_MONDAY = date(2025, 1, 6)


def week(number: int) -> Period:
    """The week so many weeks after the first."""
    return Period(FIRST_MONDAY + timedelta(weeks=number), Granularity.WEEK)


def add_service(database: Database, slug: str, name: str = "", product_id: int | None = None) -> int:
    with database.write() as session:
        quality.put_services(session, [ServiceSheet(slug, name or slug, "Ministère", "", "test", product_id)])
        return queries.service_ids(session, [slug])[slug]


def add_product(database: Database, clock: FixedClock, slug: str = "produit") -> int:
    sheet = ProductSheet(
        slug,
        "Un produit",
        stays=(
            Stay(Stage.INVESTIGATION, date(2025, 1, 6), date(2025, 3, 10)),
            Stay(Stage.EXPERIMENTATION, date(2025, 3, 10), None),
        ),
    )
    with database.write() as session:
        put_products(session, [sheet], Writing(None, clock.now()))
        found = portfolio.product_id_of(session, slug)
    assert found is not None
    return found


def record(database: Database, clock: FixedClock, observed: Sequence[Observed], name: str = "test.csv") -> quality.Recorded:
    """Record figures as one finished batch."""
    with database.write() as session:
        batch: list[int] = []

        def open_batch() -> int:
            batch.append(accounts.open_batch(session, Source("observations", name, name), clock.now()))
            return batch[0]

        counts = quality.record_observations(session, observed, open_batch, clock.now())
        if batch:
            accounts.finish_batch(session, batch[0], {}, clock.now())
    return counts


def proportions(service_id: int, shares: Sequence[float], n: int = 400, seed: int = 1) -> list[Observed]:
    """Weekly completions drawn at those shares."""
    random = np.random.default_rng(seed)
    return [
        Observed(
            SeriesKey(service_id, "completion", "", ""),
            week(place),
            Figures(numerator=float(random.binomial(n, share)), denominator=float(n)),
        )
        for place, share in enumerate(shares)
    ]


def dropping(weeks: int = 60, at: int = 40, before: float = 0.8, after: float = 0.65) -> list[float]:
    """A share that falls once."""
    return [before if place < at else after for place in range(weeks)]


@contextmanager
def client(database: Database, clock: FixedClock, *, demonstration: bool = False, **options: object) -> Iterator[TestClient]:
    """The site, as a browser meets it."""
    app = create_app(Settings(**options), database=database, clock=clock, demonstration=demonstration)  # type: ignore[arg-type]
    with TestClient(app, base_url="http://fabrique.test") as made:
        made.headers["sec-fetch-site"] = "same-origin"
        yield made


def sign_in(made: TestClient, database: Database, clock: FixedClock, role: Role = Role.LEADERSHIP) -> None:
    """Sign a new person in by a one-time link, as a person would."""
    with database.write(visible=False) as session:
        token = accounts.invite(session, f"{role}@exemple.fr", f"Une {role}", role, clock.now())
    answer = made.post("/connexion/lien", data={"token": token}, follow_redirects=False)
    assert answer.status_code == 303, answer.text


def sign_in_as(made: TestClient, database: Database, clock: FixedClock, person: Person) -> None:
    """Sign somebody in who is here already (tests/people.py)."""
    with database.write(visible=False) as session:
        email = session.scalars(sa.select(PersonRow.email).where(PersonRow.id == person.id)).one()
        token = accounts.invite(session, email, person.name, person.role, clock.now())
    answer = made.post("/connexion/lien", data={"token": token}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
