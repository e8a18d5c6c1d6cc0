"""The page of journeys: which way products go, how long they stay, what ends them."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.clock import today
from fabrique.portfolio.actions import Writing, put_incubator, put_products
from fabrique.portfolio.queries import Incubator, ProductSheet
from fabrique.portfolio.rules import Mark, Stage, joined
from factories import client, sign_in

if TYPE_CHECKING:
    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database

INVESTIGATION, EXPERIMENTATION = Stage.INVESTIGATION, Stage.EXPERIMENTATION
HOMES = {"anct": "Incubateur des territoires (ANCT)", "mte": "Écologie <b>numérique</b>"}


def add(database: Database, clock: FixedClock, *roads: tuple[str, list[tuple[Stage, int]]], name: str = "p") -> None:
    """Products by incubator and road: each stage with how many days ago it began."""
    day = today(clock)
    sheets = [
        ProductSheet(
            f"{name}{number}",
            f"Produit {name}{number}",
            incubator=home,
            stays=joined([(stage, day - timedelta(days=ago), Mark.KNOWN) for stage, ago in road]),
        )
        for number, (home, road) in enumerate(roads)
    ]
    with database.write() as session:
        for key, title in HOMES.items():
            put_incubator(session, Incubator(key, title))
        put_products(session, sheets, Writing(None, clock.now()))


def investigated(days: int, then: Stage, ago: int = 900) -> list[tuple[Stage, int]]:
    return [(INVESTIGATION, ago), (then, ago - days)]


@pytest.fixture
def roads() -> list[tuple[str, list[tuple[Stage, int]]]]:
    """Twelve investigations in one incubator, quick; twelve in the other, slow; a plan; a step back."""
    return [
        *(("anct", investigated(60 + n, EXPERIMENTATION)) for n in range(12)),
        *(("mte", investigated(200 + n, Stage.INCONCLUSIVE, ago=500)) for n in range(12)),
        ("mte", [(INVESTIGATION, 40), (EXPERIMENTATION, -60)]),
        ("anct", [(INVESTIGATION, 900), (EXPERIMENTATION, 840), (INVESTIGATION, 30)]),
    ]


@pytest.fixture
def known(database: Database, clock: FixedClock, roads: list[tuple[str, list[tuple[Stage, int]]]]) -> Database:
    add(database, clock, *roads)
    return database


def page(browser: TestClient, address: str = "/produits/parcours") -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.replace("\u00a0", " ").replace("\u202f", " ").split())


def read(browser: TestClient, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=csv.Sniffer().sniff(text.splitlines()[0], ",;").delimiter))


def part(text: str, start: str, end: str) -> str:
    first = text.index(f'id="{start}"')
    return text[first : text.index(f'id="{end}"', first)]


def test_one_sentence_answers_first(known: Database, clock: FixedClock) -> None:
    with client(known, clock) as browser:
        sign_in(browser, known, clock)
        text = page(browser)
    # Of 27 stays two are still going, at 30 and 40 days: of 25 that ended the thirteenth took 71 days.
    assert "La moitié des investigations durent au plus 71 jours (entre 66 et 204) ; 12 sur 27 n’ont pas eu de suite." in text
    assert text.index("La moitié des investigations") < text.index("Jusqu’où ils vont") < text.index("Ce qui met fin")


def test_the_funnel_counts_each_product_once(known: Database, clock: FixedClock) -> None:
    with client(known, clock) as browser:
        sign_in(browser, known, clock)
        text = page(browser)
        rows = read(browser, "/produits/parcours/entonnoir.csv")
    funnel = part(text, "entonnoir", "durees")
    assert "26 produits, chacun compté une fois" in funnel
    assert "13, soit 50 %" in funnel
    assert "12</tspan> non concluants" in funnel
    whole = [row for row in rows if row["Année d’entrée"] == "Tous"]
    assert [row["L’ont atteinte ou dépassée"] for row in whole] == ["26", "13", "0", "0"]
    assert [row["Encore en cours"] for row in whole] == ["1", "13", "0", "0"]
    assert {row["Année d’entrée"] for row in rows} == {"Tous", "2024", "2025", "2026"}


def test_a_step_back_is_said_so(known: Database, clock: FixedClock) -> None:
    with client(known, clock) as browser:
        sign_in(browser, known, clock)
        text = page(browser)
        rows = read(browser, "/produits/parcours/passages.csv")
    assert 'Investigation <span class="fab-mention">↩ retour en arrière</span>' in text
    assert [(next(iter(row.values())), row["Passages"]) for row in rows] == [
        ("Investigation", "13"), ("Investigation", "12"), ("Expérimentation", "1")
    ]  # fmt: skip


def test_each_stage_says_what_still_going_means_and_too_few_are_said(known: Database, clock: FixedClock) -> None:
    with client(known, clock) as browser:
        sign_in(browser, known, clock)
        text = page(browser)
    investigation = part(text, "duree-investigation", "duree-experimentation")
    assert "27 phases, dont 25 finies" in investigation
    assert "2 phases sont encore en cours : elles comptent jusqu’à aujourd’hui" in investigation
    assert "<svg" in investigation
    assert "Encore suivies" in investigation
    experimentation = part(text, "duree-experimentation", "duree-scale_up")
    assert "Le moment où la moitié seront finies n’est pas encore atteint" in experimentation
    scale_up = part(text, "duree-scale_up", "duree-consolidation")
    assert "0 phase : c’est trop peu pour une courbe" in scale_up
    assert "<svg" not in scale_up


def test_incubators_are_compared_with_a_test_and_its_caution(known: Database, clock: FixedClock) -> None:
    with client(known, clock) as browser:
        sign_in(browser, known, clock)
        text = page(browser)
        rows = read(browser, "/produits/parcours/incubateurs.csv")
    compared = part(text, "incubateurs", "annees")
    assert "Ces courbes s’écartent plus que le hasard seul ne le ferait (test du log-rank, p &lt; 0,001)" in compared
    assert "Un écart ne dit pas sa raison" in compared
    assert "Écologie &lt;b&gt;numérique&lt;/b&gt;" in compared
    assert {row["Incubateur"] for row in rows} == set(HOMES.values())


def test_filters_live_in_the_address_and_in_the_files(known: Database, clock: FixedClock) -> None:
    with client(known, clock) as browser:
        sign_in(browser, known, clock)
        text = page(browser, "/produits/parcours?incubateur=anct&annee=2024")
        assert "14 phases, dont 13 finies" in text
        # On paper the form is not printed: the page itself says what it is about.
        assert re.search(r"<p class=\"fab-mention\">\d+ produits sur 26 · [^<]+ · commencés en 2024</p>", text)
        assert '<option value="anct" selected>' in text
        assert '<option value="2024" selected>' in text
        assert "Un seul incubateur est montré" in text
        assert 'href="/produits/parcours/durees.csv?incubateur=anct&amp;annee=2024"' in text
        rows = read(browser, "/produits/parcours/durees.csv?incubateur=anct&annee=2024")
        assert {row["Phase"] for row in rows} == {"Investigation", "Expérimentation"}
        assert max(int(row["Encore suivies juste avant"]) for row in rows) == 13
        other = page(browser, "/produits/parcours?phase=experimentation")
        assert "Expérimentation : durée de la phase par incubateur" in other
        nobody = page(browser, "/produits/parcours?annee=1999")
        assert "Aucun produit ne correspond." in nobody
        assert "<figure" not in nobody


@pytest.mark.parametrize("query", ["incubateur=inconnu", "phase=stopped", "phase=n-importe", "annee=hier", "annee=20244"])
def test_what_does_not_exist_is_not_found(sqlite: Database, clock: FixedClock, query: str) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert browser.get(f"/produits/parcours?{query}").status_code == 404
        assert browser.get(f"/produits/parcours/durees.csv?{query}").status_code == 404


@pytest.mark.parametrize("file", ["durees.xls", "autre.csv", "durees", ".csv"])
def test_only_the_pages_own_tables_can_be_downloaded(sqlite: Database, clock: FixedClock, file: str) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert browser.get(f"/produits/parcours/{file}").status_code == 404


def test_every_table_comes_as_csv_and_ods(known: Database, clock: FixedClock) -> None:
    with client(known, clock) as browser:
        sign_in(browser, known, clock)
        for name in ("entonnoir", "passages", "durees", "incubateurs", "annees", "fins"):
            for kind in ("csv", "ods"):
                answer = browser.get(f"/produits/parcours/{name}.{kind}")
                assert answer.status_code == 200, name
                assert f".{kind}" in answer.headers["content-disposition"]


def test_without_any_product_the_page_says_how_to_begin(database: Database, clock: FixedClock) -> None:
    with client(database, clock) as browser:
        sign_in(browser, database, clock)
        text = page(browser)
        assert "Aucun produit n’a encore commencé" in text
        assert "<figure" not in text
        assert read(browser, "/produits/parcours/fins.csv") == []
        assert len(read(browser, "/produits/parcours/entonnoir.csv")) == 4


def test_four_stays_are_too_few_for_a_curve(sqlite: Database, clock: FixedClock) -> None:
    add(sqlite, clock, *(("anct", investigated(90, Stage.STOPPED)) for _ in range(4)))
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        text = page(browser)
        assert "4 produits ont commencé : c’est trop peu pour dire combien durent les phases." in text
        assert "4 phases : c’est trop peu pour une courbe, il en faut cinq." in text
        assert "100 % (entre 51 % et 100 %)" in text
        add(sqlite, clock, ("anct", investigated(90, Stage.STOPPED)), name="cinq")
        assert "La moitié des investigations durent au plus 90 jours" in page(browser)


def test_the_page_speaks_english(known: Database, clock: FixedClock) -> None:
    with client(known, clock) as browser:
        sign_in(browser, known, clock)
        browser.cookies.set("language", "en")
        text = page(browser)
    assert "Half of all investigations last at most 71 days (between 66 and 204); 12 out of 27 led to nothing further." in text
    assert "2 phases are still going: they count up to today" in text
    assert "further apart than chance alone would put them (log-rank test, p &lt; 0.001)" in text


def test_more_products_take_no_more_queries(
    sqlite: Database, clock: FixedClock, roads: list[tuple[str, list[tuple[Stage, int]]]]
) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    add(sqlite, clock, *roads)
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        page(browser)
        sa.event.listen(sqlite.engine, "before_cursor_execute", note)
        page(browser, "/produits/parcours?phase=experimentation")
        few = len(asked)
        sa.event.remove(sqlite.engine, "before_cursor_execute", note)
        add(sqlite, clock, *(roads * 5), name="q")
        page(browser)
        asked.clear()
        sa.event.listen(sqlite.engine, "before_cursor_execute", note)
        page(browser, "/produits/parcours?phase=experimentation")
        sa.event.remove(sqlite.engine, "before_cursor_execute", note)
    assert 0 < few == len(asked) <= 8


def test_a_stranger_is_sent_to_sign_in(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        for address in ("/produits/parcours", "/produits/parcours/fins.csv"):
            answer = browser.get(address, follow_redirects=False)
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/connexion")
