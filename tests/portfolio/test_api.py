"""Products as programs read them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest
import sqlalchemy as sa

from fabrique.accounts.actions import make_token
from fabrique.accounts.rules import Role
from fabrique.portfolio.actions import Writing, put_incubator, put_organisation, put_products
from fabrique.portfolio.api import StageAsked
from fabrique.portfolio.programme import MISSIONS, STAKES
from fabrique.portfolio.queries import Event, Group, Incubator, Organisation, ProductSheet, product_id_of
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
        "dashlord_url": "", "risk_analysis_url": "",
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


def many(number: int) -> list[ProductSheet]:
    """Products in turns of stage, incubator, sponsor, mission and stake."""
    return [
        ProductSheet(
            f"produit-{place:02}", f"Produit {place:02}",
            incubator="ateliers" if place % 2 else "", sponsors=("dgs",) if place % 3 == 0 else (),
            mission="data" if place % 5 == 0 else "", stakes=(("inclusion", ""),) if place % 4 == 0 else (),
            pitch="L’été au guichet" if place == 7 else "",
            stays=(Stay([Stage.INVESTIGATION, Stage.STOPPED][place % 2], date(2025, 1, 6) + timedelta(days=place), None),) if place else (),
        )
        for place in range(number)
    ]  # fmt: skip


def slugs(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["slug"] for one in answer.json()["items"]]


def test_a_product_of_a_list_is_told_shortly(database: Database, clock: FixedClock) -> None:
    with reading(database, clock, SHEET) as ask:
        (told,) = ask("products").json()["items"]
        assert ask(told["address"].removeprefix("/api/")).json()["name"] == "Vénus <b>"
    assert told == {
        "slug": "venus", "name": "Vénus <b>", "stage": "experimentation", "since": "2025-03-10", "mission": "fabrique",
        "incubator": {"key": "ateliers", "name": "Les Ateliers"},
        "sponsors": [{"key": "dge", "name": "Entreprises"}, {"key": "dgs", "name": "Santé"}],
        "changed_at": "2026-11-23T09:00:00Z", "address": "/api/products/venus",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("stage=stopped", [1, 3, 5, 7, 9, 11]),
        ("stage=active", [2, 4, 6, 8, 10]),
        ("stage=ended&sponsor=dgs", [3, 9]),
        ("stage=untold", [0]),
        ("incubator=ateliers&q=07", [7]),
        ("q=ete+GUICHET", [7]),
        ("q=ateliers", [1, 3, 5, 7, 9, 11]),
        ("mission=data", [0, 5, 10]),
        ("stake=inclusion&sponsor=dgs", [0]),
        ("incubator=absent", []),
        ("sponsor=%00", []),
        ("q=%27%22%3C%25_", []),
        ("sort=since&stage=active", [2, 4, 6, 8, 10]),
        ("autre=inconnu&stage=untold", [0]),
    ],
)
def test_filters_hold_together(database: Database, clock: FixedClock, query: str, places: list[int]) -> None:
    with reading(database, clock, *many(12)) as ask:
        answer = ask(f"products?{query}")
    assert slugs(answer) == [f"produit-{place:02}" for place in places]
    assert answer.json()["total"] == len(places)


def test_following_next_gives_every_product_once(database: Database, clock: FixedClock) -> None:
    with reading(database, clock, *many(23)) as ask:
        address, found, pages = "/api/products?q=produit&per_page=5", [], 0
        while address:
            answer = ask(address.removeprefix("/api/"))
            told = answer.json()
            assert told["total"] == 23
            assert answer.headers.get("link") == (f'<{told["next"]}>; rel="next"' if told["next"] else None)
            found += slugs(answer)
            address, pages = told["next"], pages + 1
        beyond = ask("products?page=7&per_page=5").json()
    assert pages == 5
    assert found == [f"produit-{place:02}" for place in range(23)]
    assert (beyond["items"], beyond["next"], beyond["page"], beyond["total"]) == ([], None, 7, 23)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("page=0", "page"), ("page=x", "page"), ("per_page=201", "per_page"), ("per_page=0", "per_page"), ("stage=construction", "stage"),
        ("sort=prix", "sort"), ("mission=autre", "autre"), ("stake=autre", "autre"), ("page=1.5", "page"),
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_meant_is_refused_by_name(sqlite: Database, clock: FixedClock, query: str, told: str) -> None:
    with reading(sqlite, clock, SHEET) as ask:
        answer = ask(f"products?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]


def test_what_may_be_asked_for_is_every_stage_and_every_group() -> None:
    assert set(get_args(StageAsked)) == {*Stage, *Group}


def test_a_page_of_products_takes_as_many_queries_however_long_it_is(sqlite: Database, clock: FixedClock) -> None:
    seen: list[str] = []
    with reading(sqlite, clock, *many(3)) as ask:
        sa.event.listen(sqlite.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        assert len(slugs(ask("products?per_page=200&q=produit"))) == 3
        few = len(seen)
        with sqlite.write() as session:
            put_products(session, many(60), Writing(None, clock.now()))
        seen.clear()
        assert len(slugs(ask("products?per_page=200&q=produit"))) == 60
    assert len(seen) == few <= 10


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
