"""Products as programs read them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from fabrique.accounts.actions import make_token
from fabrique.accounts.rules import Role
from fabrique.portfolio.actions import Writing, put_incubator, put_organisation, put_products
from fabrique.portfolio.programme import MISSIONS, STAKES
from fabrique.portfolio.queries import Event, Incubator, Organisation, ProductSheet, product_id_of
from fabrique.portfolio.rules import Mark, Stage, Stay
from fabrique.portfolio.sheet import Budget
from factories import client
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fabrique.clock import FixedClock
    from fabrique.database import Database

SHEET = ProductSheet(
    "venus", "Vénus <b>", incubator="ateliers", sponsors=("dgs", "dge"), website="https://venus.exemple.fr", accessibility="non conforme",
    audiences=("agents",), themes=("santé",), technologies=("python",), mission="fabrique", pitch="Les gens\nattendent 😀",
    partners=("Ville d’été",), qualities=(("open_source", "yes"), ("privacy", "partly")),
    stakes=(("inclusion", "rgaa"), ("alliances", "")), budget=(Budget(2026, "DGS", 100_000, None),),
    stays=(
        Stay(Stage.INVESTIGATION, date(2025, 1, 6), date(2025, 3, 10), Mark.ESTIMATED),
        Stay(Stage.EXPERIMENTATION, date(2025, 3, 10), None),
    ),
    events=(Event("committee", date(2025, 3, 10), "Feu vert", "https://exemple.fr/cr"),),
)  # fmt: skip


def fill(database: Database, clock: FixedClock, *sheets: ProductSheet) -> str:
    """Those products, and a token that reads."""
    with database.write() as session:
        put_organisation(session, Organisation("dgs", "Santé", "DGS", "direction"))
        put_organisation(session, Organisation("dge", "Entreprises"))
        put_incubator(session, Incubator("ateliers", "Les Ateliers", "dgs", "https://ateliers.exemple.fr"))
        put_products(session, sheets, Writing(None, clock.now()))
        product = product_id_of(session, sheets[0].slug)
    added_person(database, clock, "Camille", Role.INTRAPRENEUR, product)
    assert product is not None
    with database.write() as session:
        return make_token(session, "camille@exemple.invalid", product, ["read"], "test", 1, clock.now())


@contextmanager
def reading(database: Database, clock: FixedClock, *sheets: ProductSheet) -> Iterator[Callable[[str], Any]]:
    """Ask for an address below /api with a token."""
    token = fill(database, clock, *sheets)
    with client(database, clock) as made:
        yield lambda address: made.get(f"/api/{address}", headers={"authorization": f"Bearer {token}"})


def test_a_product_is_told_whole(database: Database, clock: FixedClock) -> None:
    with reading(database, clock, SHEET) as ask:
        answer = ask("products/venus")
    assert answer.status_code == 200
    assert answer.json() == {
        "slug": "venus", "name": "Vénus <b>", "pitch": "Les gens\nattendent 😀", "stage": "experimentation", "incubator": "ateliers",
        "sponsors": [
            {"key": "dge", "name": "Entreprises", "acronym": "", "kind": ""},
            {"key": "dgs", "name": "Santé", "acronym": "DGS", "kind": "direction"},
        ],
        "mission": "fabrique", "stakes": [{"stake": "alliances", "metric": ""}, {"stake": "inclusion", "metric": "rgaa"}],
        "audiences": ["agents"], "themes": ["santé"], "technologies": ["python"], "partners": ["Ville d’été"],
        "qualities": {"open_source": "yes", "privacy": "partly"}, "accessibility": "non conforme",
        "website": "https://venus.exemple.fr", "repository": "", "statistics_url": "", "impact_url": "", "budget_url": "",
        "budget": [{"year": 2026, "funder": "DGS", "planned": 100_000, "spent": None}],
        "stays": [
            {"stage": "investigation", "start": "2025-01-06", "end": "2025-03-10", "estimated": True, "origin": "import"},
            {"stage": "experimentation", "start": "2025-03-10", "end": None, "estimated": False, "origin": "import"},
        ],
        "events": [{"kind": "committee", "day": "2025-03-10", "comment": "Feu vert", "link": "https://exemple.fr/cr"}],
    }  # fmt: skip


def test_a_product_that_nothing_is_known_of_is_told_as_such(database: Database, clock: FixedClock) -> None:
    with reading(database, clock, ProductSheet("vide", "Vide")) as ask:
        told = ask("products/vide").json()
    assert told["stage"] is None
    assert [key for key, value in told.items() if value] == ["slug", "name"]


def test_a_product_that_has_not_begun_is_in_no_phase_yet(sqlite: Database, clock: FixedClock) -> None:
    with reading(
        sqlite, clock, ProductSheet("demain", "Demain", stays=(Stay(Stage.INVESTIGATION, date(2026, 12, 1), None),))
    ) as ask:
        assert ask("products/demain").json()["stage"] is None


@pytest.mark.parametrize("slug", ["absent", "Venus", "%20", "é", "%E2%80%AE", "a" * 500])
def test_a_product_that_is_not_there_is_a_404(sqlite: Database, clock: FixedClock, slug: str) -> None:
    with reading(sqlite, clock, SHEET) as ask:
        answer = ask(f"products/{slug}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_incubators_and_organisations_are_told_by_name(database: Database, clock: FixedClock) -> None:
    with reading(database, clock, SHEET) as ask:
        assert ask("incubators").json() == {
            "total": 1,
            "items": [{"key": "ateliers", "title": "Les Ateliers", "owner": "dgs", "website": "https://ateliers.exemple.fr"}],
        }
        found = ask("organisations").json()
    assert (found["total"], [one["key"] for one in found["items"]]) == (2, ["dge", "dgs"])


def test_the_programme_is_told_in_the_language_asked_for(sqlite: Database, clock: FixedClock) -> None:
    token = fill(sqlite, clock, SHEET)
    with client(sqlite, clock) as made:
        french, english = (
            made.get("/api/programme", headers={"authorization": f"Bearer {token}", "accept-language": language}).json()
            for language in ("fr", "en")
        )
    assert [one["key"] for one in french["missions"]] == list(MISSIONS)
    assert [one["key"] for one in french["stakes"]] == list(STAKES)
    assert english["missions"][2]["label"] == "Public data"
    assert french["missions"][2]["label"] != "Public data"
