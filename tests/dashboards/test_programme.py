"""The programme's page: which missions and stakes are served, by what, with what effect."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.portfolio import queries as portfolio
from fabrique.portfolio.actions import Writing, put_products
from fabrique.portfolio.programme import MISSIONS, STAKES
from fabrique.portfolio.queries import ProductSheet
from fabrique.portfolio.rules import Stage, Stay
from fabrique.watch.actions import tick
from factories import add_service, client, dropping, proportions, record, sign_in

if TYPE_CHECKING:
    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.settings import Settings

BEGUN = Stay(Stage.EXPERIMENTATION, date(2025, 1, 6), None)
OVER = (Stay(Stage.INVESTIGATION, date(2025, 1, 6), date(2025, 3, 10)), Stay(Stage.STOPPED, date(2025, 3, 10), None))


def add(database: Database, clock: FixedClock, slug: str, **told: object) -> int:
    sheet = ProductSheet(slug, f"Produit {slug}", **{"stays": (BEGUN,), **told})  # type: ignore[arg-type]
    with database.write() as session:
        put_products(session, [sheet], Writing(None, clock.now()))
        found = portfolio.product_id_of(session, slug)
    assert found is not None
    return found


@pytest.fixture
def served(database: Database, clock: FixedClock, settings: Settings) -> Database:
    """Two products of one mission, one of them over; the first serves a stake by a metric that has fallen."""
    first = add(database, clock, "aides", mission="fabrique", stakes=(("simplification", "completion"), ("inclusion", "")))
    add(database, clock, "ancien", mission="fabrique", stays=OVER)
    add(database, clock, "ailleurs")
    record(database, clock, proportions(add_service(database, "aide", "Demande d’aide", first), dropping(weeks=97, at=88)))
    tick(database, clock, settings)
    return database


def page(browser: TestClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.replace("\u00a0", " ").replace("\u202f", " ").split())


def test_a_mission_names_its_products_and_leads_to_their_list(served: Database, clock: FixedClock) -> None:
    with client(served, clock) as browser:
        sign_in(browser, served, clock)
        text = page(browser, "/programme")
    assert "Sur 3 produits, 2 servent une mission et 1 un enjeu." in text
    assert '<a class="fr-link" href="/produits?mission=fabrique">2 produits</a>, dont 1 en incubation' in text
    assert '<a href="/produits/aides">Produit aides</a>' in text
    assert text.index("Produit aides") < text.index("Produit ancien")
    assert "Produit ailleurs" not in text


def test_a_mission_without_product_says_what_it_is_for_and_that_nothing_serves_it(served: Database, clock: FixedClock) -> None:
    with client(served, clock) as browser:
        sign_in(browser, served, clock)
        text = page(browser, "/programme")
    start = text.index("INFRA – ")
    assert "Donner aux administrations" in text[start:]
    entry = text[start : text.index("</div>", start)]
    assert '<p class="fab-empty">aucun produit</p>' in entry
    assert "href" not in entry


def test_a_stake_shows_the_metric_that_products_chose_and_what_moved_on_it(served: Database, clock: FixedClock) -> None:
    with client(served, clock) as browser:
        sign_in(browser, served, clock)
        text = page(browser, "/programme")
    simplification = text[text.index('id="enjeu-simplification"') : text.index('id="enjeu-inclusion"')]
    assert "les indicateurs qu’ils ont choisis montrent <strong>0 amélioration</strong> et <strong>1 dégradation</strong>" in text
    assert '<th scope="row">Démarches achevées</th>' in simplification
    assert 'href="/signalements/1"' in simplification
    assert "La part des démarches achevées passe de" in simplification
    inclusion = text[text.index('id="enjeu-inclusion"') : text.index('id="enjeu-attractivite"')]
    assert "1 n’a pas encore choisi l’indicateur qui le montrera" in inclusion
    assert "D’habitude montré par : Accessibilité (RGAA)" in inclusion
    assert "signalements/1" not in inclusion


def test_a_change_on_a_metric_that_nobody_chose_is_no_effect_of_the_programme(
    sqlite: Database, clock: FixedClock, settings: Settings
) -> None:
    chosen = add(sqlite, clock, "aides", stakes=(("simplification", "satisfaction"),))
    record(sqlite, clock, proportions(add_service(sqlite, "aide", product_id=chosen), dropping(weeks=97, at=88)))
    record(sqlite, clock, proportions(add_service(sqlite, "orpheline"), dropping(weeks=97, at=88), seed=2))
    tick(sqlite, clock, settings)
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        text = page(browser, "/programme")
    assert "n’ont pas bougé au-delà de leur variation ordinaire" in text
    assert "/signalements/1" not in text


def test_more_than_three_movements_of_a_stake_stand_on_its_own_page(
    sqlite: Database, clock: FixedClock, settings: Settings
) -> None:
    product = add(sqlite, clock, "aides", stakes=(("simplification", "completion"),))
    for number in range(5):
        service = add_service(sqlite, f"s{number}", f"Service {number}", product)
        record(sqlite, clock, proportions(service, dropping(weeks=97, at=88), seed=number))
    tick(sqlite, clock, settings)
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        text = page(browser, "/programme")
        assert text.count('class="fab-news-title"') == 3
        assert 'href="/programme/enjeux/simplification">Les 5 mouvements de l’enjeu « Simplification »' in text
        assert page(browser, "/programme/enjeux/simplification").count('class="fab-news-title"') == 5


@pytest.mark.parametrize("stake", STAKES)
def test_every_stake_has_a_page_even_when_nothing_serves_it(stake: str, sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert "Aucun produit ne sert encore cet enjeu." in page(browser, f"/programme/enjeux/{stake}")
        assert browser.get("/programme/enjeux/gloire").status_code == 404


def test_an_empty_programme_says_how_to_begin(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert "Aucun produit encore" in page(browser, "/programme")
    add(sqlite, clock, "seul")
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert "Aucun produit ne dit encore quelle mission" in page(browser, "/programme")


def test_the_same_in_english(served: Database, clock: FixedClock) -> None:
    with client(served, clock) as browser:
        sign_in(browser, served, clock)
        browser.cookies.set("language", "en")
        text = page(browser, "/programme")
        assert "Of 3 products, 2 serve a mission and 1 a stake." in text
        assert "FABRIQUE – Making new services" in text


def test_the_file_holds_the_pages_figures(served: Database, clock: FixedClock) -> None:
    with client(served, clock) as browser:
        sign_in(browser, served, clock)
        assert "/programme.csv" in page(browser, "/programme")
        answer = browser.get("/programme.csv")
        assert browser.get("/programme.ods").content[:2] == b"PK"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == len(MISSIONS) + len(STAKES) + 1
    mission = next(row for row in rows if row["Nom"].startswith("FABRIQUE"))
    assert (mission["Produits"], mission["En incubation"]) == ("2", "1")
    metric = next(row for row in rows if row["Indicateur"])
    assert (metric["Nom"], metric["Services mesurés"], metric["Dégradations"]) == ("Simplification", "1", "1")


def test_nobody_reads_it_without_signing_in(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        assert browser.get("/programme", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("address", ["/programme", "/programme/enjeux/simplification"])
def test_the_number_of_queries_does_not_grow_with_products_or_movements(
    address: str, sqlite: Database, clock: FixedClock, settings: Settings
) -> None:
    counted: list[str] = []
    sa.event.listen(sqlite.engine, "before_cursor_execute", lambda *heard: counted.append(heard[2]))

    def queries_for() -> int:
        with client(sqlite, clock) as browser:
            sign_in(browser, sqlite, clock)
            counted.clear()
            page(browser, address)
            return len(counted)

    add(sqlite, clock, "premier", mission="data", stakes=(("simplification", "completion"),))
    few = queries_for()
    for number in range(20):
        stakes = (("simplification", "completion"), ("inclusion", "completion"))
        product = add(sqlite, clock, f"p{number}", mission="transfo", stakes=stakes)
        service = add_service(sqlite, f"s{number}", product_id=product)
        record(sqlite, clock, proportions(service, dropping(weeks=97, at=88), seed=number))
    tick(sqlite, clock, settings)
    assert queries_for() <= few + 1
