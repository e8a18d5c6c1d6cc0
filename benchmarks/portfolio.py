"""The list of products at its promised size: 5,000 made-up products through the real app, each page made anew, targets beside.

`python benchmarks/portfolio.py` on SQLite; FABRIQUE_BENCH_URL=postgresql://… names an empty PostgreSQL database instead.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa
from litestar.testing import TestClient

from fabrique.accounts import actions as accounts
from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.accounts.rules import Role
from fabrique.app import create_app
from fabrique.clock import FixedClock
from fabrique.database import Database, migrate, refresh_statistics
from fabrique.language import folded
from fabrique.portfolio.model import (
    IncubatorRow,
    OrganisationRow,
    ProductEventRow,
    ProductRow,
    RevisionRow,
    SponsorshipRow,
    StakeRow,
    StayRow,
)
from fabrique.portfolio.programme import MISSIONS, STAKES
from fabrique.portfolio.rules import Stage
from fabrique.quality.actions import install_catalogue
from fabrique.quality.model import SeriesRow, ServiceRow
from fabrique.reviews.model import ConditionRow, CriteriaSetRow, ReviewRow
from fabrique.settings import Settings
from fabrique.watch.model import FlagRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

PRODUCTS, INCUBATORS, SPONSORS = 5_000, 60, 400
COACHES = range(2, 122)
"""Their numbers; the first person is the one who looks."""
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
TODAY = NOW.date()
RUNS = 41
ENDS = (Stage.INCONCLUSIVE, Stage.STOPPED, Stage.TRANSFERRED, Stage.OPERATED)
WORDS = (
    "aide", "logement", "emploi", "santé", "école", "forêt", "énergie", "transport", "données", "agents", "démarche", "accueil",
    "eau", "culture", "mer",
)  # fmt: skip


@dataclass
class Asked:
    """One address, asked again and again, and how many milliseconds it may take at the median; None: nothing was promised."""

    what: str
    address: str
    target: float | None = None
    runs: int = RUNS


ASKED = (
    Asked("list, first page", "/produits", 60),
    Asked("list, page 60", "/produits?page=60", 60),
    Asked("list, by time in phase", "/produits?tri=since", 60),
    Asked("list, by next review", "/produits?tri=review", 60),
    Asked("filter: phase", "/produits?phase=scale_up", 100),
    Asked("filter: incubator", "/produits?incubateur=incubateur-7", 100),
    Asked("filter: sponsor", "/produits?sponsor=organisation-7", 100),
    Asked("filter: mission", "/produits?mission=fabrique", 100),
    Asked("filter: stake", "/produits?enjeu=inclusion", 100),
    Asked("filter: coach", "/produits?coach=7", 100),
    *(
        Asked(f"filter: health, {key}", f"/produits?sante={key}", 100)
        for key in ("fell", "regressed", "improved", "late", "quiet", "well")
    ),
    Asked("filters together, leadership's question", "/produits?phase=scale_up&sponsor=organisation-7&sante=fell", 100),
    Asked("search, one word", "/produits?q=forêt", 100),
    Asked("search, three words", "/produits?q=forêt+aide+12", 100),
    Asked("board", "/produits?vue=tableau"),
    Asked("incubators", "/incubateurs"),
    Asked("one incubator", "/incubateurs/incubateur-7"),
    Asked("organisations", "/organisations"),
    Asked("one sponsor", "/organisations/organisation-7"),
    Asked("coaches", "/coachs"),
    Asked("one coach", "/coachs/7"),
    Asked("export of everything, CSV", "/produits/export.csv", runs=5),
    Asked("export of everything, ODS", "/produits/export.ods", runs=5),
)


def fill(session: Session, random: np.random.Generator) -> None:
    """A programme ten times the real one: three stays a product, a service each, flags, events, revisions, reviews."""
    add = session.bulk_insert_mappings
    add(
        PersonRow,
        [
            {
                "id": n,
                "email": f"coach{n}@exemple.fr",
                "name": f"Coach {n}",
                "role": Role.COACH.value,
                "persona": False,
                "created_at": NOW,
            }
            for n in COACHES
        ],
    )
    add(IncubatorRow, [{"id": n, "key": f"incubateur-{n}", "title": f"Incubateur {n}"} for n in range(1, INCUBATORS + 1)])
    add(OrganisationRow, [{"id": n, "key": f"organisation-{n}", "name": f"Ministère {n}"} for n in range(1, SPONSORS + 1)])
    products, stays, rest = (
        [],
        [],
        {kind: [] for kind in (SponsorshipRow, StakeRow, MembershipRow, ServiceRow, SeriesRow, FlagRow)},
    )
    for number in range(1, PRODUCTS + 1):
        products.append(product(number, random))
        stays += road(number, random)
        for kind, rows in around(number, random):
            rest[kind] += rows
    add(ProductRow, products)
    add(StayRow, stays)
    for kind, rows in rest.items():
        add(kind, rows)
    days = random.integers(0, 700, size=(PRODUCTS, 4))
    add(
        ProductEventRow,
        [
            {"product_id": n, "kind": "committee", "day": TODAY - timedelta(days=int(days[n - 1, place]))}
            for n in range(1, PRODUCTS + 1)
            for place in (0, 1)
        ],
    )
    add(
        RevisionRow,
        [
            {"product_id": n, "at": NOW - timedelta(days=int(days[n - 1, place])), "origin": "import", "document": {}}
            for n in range(1, PRODUCTS + 1)
            for place in (2, 3)
        ],
    )
    reviews(session, stays, random)


def product(number: int, random: np.random.Generator) -> dict[str, object]:
    name = f"{' '.join(random.choice(WORDS, 2)).capitalize()} {number}"
    pitch = " ".join(random.choice(WORDS, 25))
    slug = f"produit-{number}"
    return {
        "id": number, "slug": slug, "name": name, "pitch": pitch, "searched": folded(f"{name} {slug} {pitch}"),
        "incubator_id": int(random.integers(1, INCUBATORS + 1)), "mission": str(random.choice(list(MISSIONS))),
        "changed_at": NOW - timedelta(hours=int(random.integers(0, 9000))), "audiences": [], "themes": [], "partners": [],
        "technologies": [], "qualities": {},
    }  # fmt: skip


def road(number: int, random: np.random.Generator) -> list[dict[str, object]]:
    """One to five stays, the last open, some planned."""
    stages = [*list(Stage)[: int(random.integers(1, 5))]]
    if random.random() < 0.4:
        stages.append(ENDS[int(random.integers(0, 4))])
    starts = sorted(TODAY - timedelta(days=int(day)) for day in random.integers(-60, 2_000, len(stages)))
    return [
        {
            "product_id": number, "position": place, "stage": stage.value, "start": start, "origin": "import",
            "end": starts[place + 1] if place + 1 < len(starts) else None, "mark": "known",
        }
        for place, (stage, start) in enumerate(zip(stages, starts, strict=True))
    ]  # fmt: skip


def around(number: int, random: np.random.Generator) -> list[tuple[type, list[dict[str, object]]]]:
    """Sponsors, stakes, a coach, a service with two series, a flag for two products out of five."""
    sponsors = {int(one) for one in random.integers(1, SPONSORS + 1, 2)}
    found = [
        (SponsorshipRow, [{"product_id": number, "organisation_id": one} for one in sponsors]),
        (StakeRow, [{"product_id": number, "stake": str(random.choice(list(STAKES))), "metric_key": "satisfaction"}]),
        (MembershipRow, [{"person_id": int(random.choice(COACHES)), "product_id": number, "kind": "coach"}]),
        (
            ServiceRow,
            [{"id": number, "slug": f"service-{number}", "name": f"Service {number}", "product_id": number, "origin": "bench"}],
        ),
        (
            SeriesRow,
            [
                {"id": 2 * number + place, "service_id": number, "metric_key": key, "segment": ""}
                for place, key in enumerate(("satisfaction", "completion"))
            ],
        ),
    ]
    if random.random() < 0.4:
        found.append((FlagRow, [flag(2 * number + int(random.integers(0, 2)), random)]))
    return found


def flag(series_id: int, random: np.random.Generator) -> dict[str, object]:
    day = TODAY - timedelta(days=int(random.integers(0, 300)))
    state, direction = random.choice(["raised", "raised", "closed", "withdrawn"]), random.choice(["regression", "improvement"])
    return {
        "series_id": series_id, "state": str(state), "granularity": "week", "start": day,
        "direction": str(direction), "earliest": day, "latest": day, "before": 7.0, "after": 6.0,
        "effect_low": -2.0, "effect_high": -0.5, "evidence": 12.0, "chance": 0.01, "version": "1", "raised_at": NOW, "updated_at": NOW,
    }  # fmt: skip


def reviews(session: Session, stays: list[dict[str, object]], random: np.random.Generator) -> None:
    """A signed review for half the products, each with a condition; some in preparation."""
    session.add(CriteriaSetRow(id=900, gate="investigation", version=900, created_at=NOW))
    session.flush()
    last = {row["product_id"]: row for row in stays if row["start"] <= TODAY}
    signed, conditions = [], []
    for number, stay in last.items():
        if random.random() < 0.5:
            held = stay["start"] + timedelta(days=int(random.integers(0, 200)))
            signed.append(
                {
                    "id": number, "product_id": number, "set_id": 900, "state": "signed", "from_stage": stay["stage"], "held_on": held,
                    "answers": {}, "committee": [], "conditions": [], "prepared_by": [], "created_at": NOW, "changed_at": NOW,
                    "continue_until": held + timedelta(days=int(random.integers(30, 400))),
                }
            )  # fmt: skip
            due = TODAY + timedelta(days=int(random.integers(-60, 200)))
            conditions.append({"review_id": number, "product_id": number, "position": 0, "text": "À faire", "due_on": due})
    session.bulk_insert_mappings(ReviewRow, signed)
    session.bulk_insert_mappings(ConditionRow, conditions)


def signed_in(client: TestClient, token: str) -> None:
    """Leadership, through a one-time link."""
    client.headers["sec-fetch-site"] = "same-origin"
    assert client.post("/connexion/lien", data={"token": token}, follow_redirects=False).status_code == 303


@dataclass
class Measured:
    """Milliseconds by the clock and of the processor, and how many statements one answer takes."""

    median: float
    late: float
    busy: float
    queries: int


def measured(client: TestClient, asked: Asked, count: list[int]) -> Measured:
    """One address, one request at a time. The processor's own time tells a slow page from a busy machine."""
    taken, busy = [], []
    for run in range(asked.runs + 3):
        # An address that was never asked is made from the database, not from the cache of bodies.
        address = f"{asked.address}{'&' if '?' in asked.address else '?'}n={run}"
        count[0] = 0
        begun, worked = time.perf_counter(), time.process_time()
        answer = client.get(address)
        taken.append(1000 * (time.perf_counter() - begun))
        busy.append(1000 * (time.process_time() - worked))
        assert answer.status_code == 200, (address, answer.status_code)
    warm = sorted(taken[3:])
    return Measured(statistics.median(warm), warm[int(0.95 * len(warm))], statistics.median(busy[3:]), count[0])


def line(asked: Asked, found: Measured) -> str:
    target = f"{asked.target:g}" if asked.target else "–"
    verdict = "" if asked.target is None else "reached" if found.median <= asked.target else "missed"
    return f"{asked.what:<42}  {found.median:>7.1f}  {found.late:>7.1f}  {found.busy:>7.1f}  {target:>7}  {found.queries:>7}  {verdict}"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        database = Database(os.environ.get("FABRIQUE_BENCH_URL") or f"sqlite:///{Path(name) / 'bench.sqlite3'}")
        migrate(database)
        with database.write() as session:
            install_catalogue(session)
            token = accounts.invite(session, "direction@exemple.fr", "Une direction", Role.LEADERSHIP, NOW)
            fill(session, np.random.default_rng(7))
        refresh_statistics(database)
        count = [0]

        @sa.event.listens_for(database.engine, "before_cursor_execute")
        def _(*_arguments: object) -> None:
            count[0] += 1

        app = create_app(Settings(), database=database, clock=FixedClock(NOW))
        with TestClient(app, base_url="http://fabrique.test") as client:
            signed_in(client, token)
            print(f"{PRODUCTS} products on {database.engine.dialect.name}, {RUNS} runs each, one at a time, milliseconds")
            print(f"{'what':<42}  {'p50':>7}  {'p95':>7}  {'cpu':>7}  {'target':>7}  {'queries':>7}")
            for asked in ASKED:
                print(line(asked, measured(client, asked, count)))


if __name__ == "__main__":
    main()
