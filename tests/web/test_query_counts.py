"""No page asks the database more questions when it holds more: every GET route of the site, counted on few rows and on many.

A new route without parameters is counted by itself, and so is one whose parameters are known below; another asks for an example.
"""

from __future__ import annotations

import re
import shutil
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient

from doubling import double
from fabrique.accounts import actions as accounts
from fabrique.accounts.model import PersonRow
from fabrique.accounts.rules import Role
from fabrique.app import create_app
from fabrique.clock import FixedClock
from fabrique.dashboards.queries import listing
from fabrique.database import Database
from fabrique.demonstration import load_demonstration
from fabrique.portfolio.model import ProductRow
from fabrique.settings import Settings
from fabrique.watch.actions import tick

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from litestar import Litestar

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MOST = 45
"""Statements that one page may take, all told: a list of fifty rows that asks once for each is seen on few rows already."""
REVIEW = (
    "SELECT product.slug, gate_review.id AS review_id FROM gate_review JOIN product ON product.id = product_id WHERE state = '{}'"
)
EXAMPLES = {
    "/connexion/lien/{token:str}": ["SELECT 'rien' AS token"],
    "/langue/{code:str}": ["SELECT 'fr' AS code"],
    "/affichage/{code:str}": ["SELECT 'dark' AS code"],
    "/services/{slug:str}": [
        "SELECT slug FROM service WHERE product_id IS NOT NULL",
        "SELECT slug FROM service WHERE product_id IS NULL",
    ],
    "/services/{slug:str}/{file:str}": ["SELECT slug, 'satisfaction.csv' AS file FROM service WHERE product_id IS NOT NULL"],
    "/incubateurs/{key:str}": ["SELECT key FROM incubator"],
    "/organisations/{key:str}": ["SELECT key FROM organisation WHERE id IN (SELECT organisation_id FROM sponsorship)"],
    "/coachs/{person:int}": ["SELECT id AS person FROM person WHERE role = 'coach'"],
    "/produits/parcours/{file:str}": ["SELECT 'entonnoir.csv' AS file"],
    "/produits/{slug:str}": ["SELECT slug FROM product WHERE id IN (SELECT product_id FROM gate_review)"],
    "/produits/{slug:str}/fiche/{part:str}": [
        "SELECT slug, 'budget' AS part FROM product JOIN membership ON product_id = product.id"
    ],
    "/produits/{slug:str}/revues/{review_id:int}": [REVIEW.format("signed"), REVIEW.format("preparing")],
    "/produits/{slug:str}/revues/{review_id:int}/{part:str}": [
        f"SELECT *, 'criteres' AS part FROM ({REVIEW.format('preparing')}) AS one"
    ],
    "/produits/{slug:str}/revues/{review_id:int}/proces-verbal.json": [REVIEW.format("signed")],
    "/programme/enjeux/{key:str}": ["SELECT 'inclusion' AS key"],
    "/signalements/{flag_id:int}": ["SELECT id AS flag_id FROM flag WHERE state = 'raised'"],
    "/imports/{batch_id:int}": ["SELECT id AS batch_id FROM batch"],
    "/imports/{batch_id:int}/{file:str}": ["SELECT id AS batch_id, 'reparations.csv' AS file FROM batch"],
    "/essais/{slug:str}": [
        "SELECT slug FROM experiment WHERE state = 'running'",
        "SELECT slug FROM experiment WHERE state = 'archived'",
        "SELECT slug FROM experiment WHERE state = 'idea'",
    ],
    "/essais/{slug:str}/plan/{etape:str}": ["SELECT slug, 'hypothese' AS etape FROM experiment WHERE state = 'idea'"],
    "/essais/{slug:str}/rapport": ["SELECT slug FROM experiment WHERE state = 'archived'"],
    "/essais/{slug:str}/fichiers/{file:str}": ["SELECT slug, 'plan.toml' AS file FROM experiment WHERE state = 'archived'"],
    "/pratiques/{slug:str}": ["SELECT slug FROM practice"],
    "/calendrier/{file:str}": ["SELECT '{calendar}.ics' AS file"],
    "/administration/criteres/{stage:str}": ["SELECT 'investigation' AS stage"],
    "/administration/criteres/{stage:str}/versions/{number:int}": ["SELECT gate AS stage, version AS number FROM criteria_set"],
    "/api/products/{slug:str}": ["SELECT slug FROM product WHERE id IN (SELECT product_id FROM gate_review)"],
    "/api/products/{slug:str}/reviews/{review_id:int}": [REVIEW.format("signed")],
    "/api/experiments/{slug:str}": ["SELECT slug FROM experiment WHERE state = 'archived'"],
}
"""Where to find what stands for the parameters of a route, and of those further down with the same parameters."""
NEW_CRITERIA = """
INSERT INTO criterion (set_id, position, key, label_fr, label_en, help_fr, help_en, draws)
SELECT newer.id, position, key, label_fr, label_en, help_fr, help_en, draws
FROM criterion JOIN criteria_set AS older ON older.id = set_id JOIN criteria_set AS newer ON newer.gate = older.gate AND newer.version = 2
"""
LEADS_NOWHERE = {"/{path:path}"}
"""Answers 404 to every address that is nobody else's."""


class World:
    """A site that counts what it asks of its database, and the people who look at it."""

    def __init__(self, path: Path, opened: ExitStack) -> None:
        self.database = Database(f"sqlite:///{path}")
        self.statements = 0
        sa.event.listen(self.database.engine, "before_cursor_execute", self.heard)
        self.app = create_app(Settings(), database=self.database, clock=FixedClock(NOW), demonstration=True)
        self.browser = opened.enter_context(TestClient(self.app, base_url="http://fabrique.test"))
        self.people = [self.signed_in(role) for role in (Role.COACH, Role.INTRAPRENEUR, Role.ADMINISTRATOR)]

    def heard(self, *_statement: object) -> None:
        self.statements += 1

    def signed_in(self, role: Role) -> str:
        """The session of the first person of that role."""
        with self.database.write(visible=False) as session:
            person = session.scalars(sa.select(PersonRow).where(PersonRow.role == role).order_by(PersonRow.id)).first()
            assert person is not None, role
            token = accounts.invite(session, person.email, person.name, role, NOW)
        form, headers = {"token": token}, {"sec-fetch-site": "same-origin"}
        answer = self.browser.post("/connexion/lien", data=form, headers=headers, follow_redirects=False)
        assert answer.status_code == 303
        self.browser.cookies.clear()
        return f"session={answer.cookies['session']}"

    def count(self, address: str) -> int | None:
        """How many statements the page takes for the first person who may see it; None where nobody may."""
        for cookie in self.people:
            self.statements = 0
            if self.browser.get(address, headers={"cookie": cookie}, follow_redirects=False).status_code < 400:
                return self.statements
        return None


@pytest.fixture(scope="module")
def worlds(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World, list[str]]]:
    """The demonstration with its flags, the same with more of everything, and the addresses to look at."""
    few, many = (tmp_path_factory.mktemp("worlds") / f"{name}.sqlite3" for name in ("few", "many"))
    shutil.copy(sqlite_template, few)
    database, clock = Database(f"sqlite:///{few}"), FixedClock(NOW)
    load_demonstration(database, clock)
    tick(database, clock, Settings(lease_seconds=60))
    with database.write() as session:
        coach = session.scalars(sa.select(PersonRow.id).where(PersonRow.role == Role.COACH)).first()
        assert coach is not None
        calendar = accounts.make_calendar_key(session, coach, NOW)
        accounts.invite(session, "admin@exemple.fr", "Une administratrice", Role.ADMINISTRATOR, NOW)
        # Two versions of each gate's criteria: that there is a newer one is asked about once, and not for each.
        session.execute(
            sa.text("INSERT INTO criteria_set (gate, version, created_at, note) SELECT gate, 2, created_at, '' FROM criteria_set")
        )
        session.execute(sa.text(NEW_CRITERIA))
        session.execute(sa.text("INSERT INTO saved_view (person_id, name, query) SELECT id, 'Tout', '' FROM person"))
    with database.read() as session:
        addresses = list(all_addresses(create_app(Settings(), database=database, demonstration=True), session, calendar))
    database.close()
    shutil.copy(few, many)
    larger = Database(f"sqlite:///{many}")
    double(larger)
    larger.close()
    with ExitStack() as opened:
        yield World(few, opened), World(many, opened), addresses


def all_addresses(app: Litestar, session: sa.orm.Session, calendar: str) -> Iterator[str]:
    """Every address that a GET route answers: one for each example of its parameters."""
    for pattern in patterns(app):
        if "{" not in pattern:
            yield pattern
        for example in examples(pattern):
            values = session.execute(sa.text(example.replace("{calendar}", calendar))).mappings().first()
            assert values is not None, f"no row stands for the parameters of {pattern}: {example}"
            yield re.sub(r"{(\w+):\w+}", lambda found, told=values: str(told[found[1]]), pattern)


def patterns(app: Litestar) -> list[str]:
    """The paths of the routes that read something for somebody."""
    return [
        route.path
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if "GET" in handler.http_methods and not handler.opt.get("no_visit") and route.path not in LEADS_NOWHERE
    ]


def examples(pattern: str) -> list[str]:
    """What stands for its parameters: as told for itself, or for the longest path above it that has the same."""
    for above in sorted(EXAMPLES, key=len, reverse=True):
        rest = pattern.removeprefix(above)
        if (rest == "" or rest[0] in "/.") and rest != pattern and "{" not in rest:
            return EXAMPLES[above]
    return []


def test_every_route_with_parameters_has_an_example(worlds: tuple[World, World, list[str]]) -> None:
    without = [pattern for pattern in patterns(worlds[0].app) if "{" in pattern and not examples(pattern)]
    assert without == [], "say in EXAMPLES what stands for their parameters"


def test_every_address_shows_a_page_to_somebody(worlds: tuple[World, World, list[str]]) -> None:
    few, _many, addresses = worlds
    assert len(addresses) > 60
    assert [address for address in addresses if few.count(address) is None] == []


def test_no_page_asks_more_of_a_larger_database(worlds: tuple[World, World, list[str]]) -> None:
    few, many, addresses = worlds
    # Asked about anew: what the test before looked at is kept as a body.
    counts = {one: (few.count(fresh(one)), many.count(fresh(one))) for one in addresses}
    assert {one: pair for one, pair in counts.items() if pair[1] is None or pair[0] is None or pair[1] > pair[0]} == {}


def test_no_page_asks_for_each_of_its_rows(worlds: tuple[World, World, list[str]]) -> None:
    few, _many, addresses = worlds
    counts = {one: few.count(fresh(one, 2)) for one in addresses}
    assert {one: number for one, number in counts.items() if number is None or number > MOST} == {}


def fresh(address: str, number: int = 1) -> str:
    """The address as nobody asked for it yet."""
    return f"{address}{'&' if '?' in address else '?'}n={number}"


def test_the_larger_database_has_more_of_everything(worlds: tuple[World, World, list[str]]) -> None:
    few, many, _addresses = worlds
    names = ["product", "person", "service", "experiment", "flag", "gate_review", "review_condition", "membership", "stage_stay",
             "sponsorship", "product_event", "product_revision", "criteria_set", "saved_view", "incubator", "batch", "series"]  # fmt: skip
    for name in names:
        small, large = (
            one.database.reader.connect().execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for one in (few, many)
        )
        assert large >= 2 * small > 0, name


def test_a_page_that_asks_for_each_row_would_be_found(
    worlds: tuple[World, World, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_by_one(session: sa.orm.Session, lines: list[object], today: object) -> object:
        for line in lines:
            session.execute(sa.select(ProductRow.name).where(ProductRow.id == line.id))
        return listing.shown(session, lines, today)

    monkeypatch.setattr(sys.modules["fabrique.dashboards.queries.products"], "shown", one_by_one)
    few, many, _addresses = worlds
    small, large = few.count("/produits?n=3"), many.count("/produits?n=3")
    assert small is not None
    assert large is not None
    assert large > small + 10
