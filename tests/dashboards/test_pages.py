"""Each page answers its question, from what was recorded."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.cli import main
from fabrique.quality.actions import Observed, SeriesKey
from fabrique.quality.rules import Figures
from fabrique.watch.actions import tick
from factories import add_product, add_service, client, dropping, proportions, record, sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.settings import Settings


@pytest.fixture
def fallen(database: Database, clock: FixedClock, settings: Settings) -> Database:
    """A product with a service whose completion has fallen, checked."""
    service = add_service(database, "aide", "Demande d’aide", add_product(database, clock))
    record(database, clock, proportions(service, dropping(weeks=97, at=88)))
    tick(database, clock, settings)
    return database


def page(browser: TestClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_one_walks_from_the_portfolio_to_the_service_its_chart_and_its_flag(fallen: Database, clock: FixedClock) -> None:
    with client(fallen, clock) as browser:
        sign_in(browser, fallen, clock)
        portfolio = page(browser, "/tableau-de-bord")
        assert "1 s’est dégradé" in portfolio
        assert "Demande d’aide" in portfolio
        assert 'href="/signalements/1"' in portfolio
        assert "1 a un changement que personne n’a encore expliqué" in page(browser, "/services")
        service = page(browser, "/services/aide")
        assert "La part des démarches achevées passe de" in service
        assert "<svg" in service
        assert "fab-change fab-regression" in service
        assert "Voir les données" in service
        flag = page(browser, "/signalements/1")
        assert "La part des démarches achevées de « Demande d’aide » passe de" in flag.replace("\u00a0", " ")
        assert "émis par la veille de nuit" in flag
        product = page(browser, "/produits/produit")
        assert "Expérimentation" in product
        assert "Demande d’aide" in product
        assert "1 service a été contrôlé" in page(browser, "/veille")


def test_the_same_in_english(fallen: Database, clock: FixedClock) -> None:
    with client(fallen, clock) as browser:
        sign_in(browser, fallen, clock)
        browser.cookies.set("language", "en")
        assert "1 has got worse" in page(browser, "/tableau-de-bord")
        assert "The share of cases completed" in page(browser, "/services/aide")
        assert "Experimentation" in page(browser, "/produits/produit")


def test_a_flags_calculation_sheet_lets_anybody_find_the_same_change(
    fallen: Database, clock: FixedClock, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with client(fallen, clock) as browser:
        sign_in(browser, fallen, clock)
        assert "/signalements/1/calcul.json" in page(browser, "/signalements/1")
        sheet = browser.get("/signalements/1/calcul.json").json()
        assert browser.get("/signalements/99/calcul.json").status_code == 404
    with (tmp_path / "serie.csv").open("w", newline="") as file:
        csv.writer(file).writerows([sheet["columns"], *sheet["rows"]])
    with pytest.raises(SystemExit):
        main(["detect", str(tmp_path / "serie.csv"), "--better", sheet["better"], "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["changes"] == sheet["changes"] != []
    assert found["notes"] == sheet["notes"]


def test_the_table_twin_and_the_download_hold_the_charts_figures(fallen: Database, clock: FixedClock) -> None:
    with client(fallen, clock) as browser:
        sign_in(browser, fallen, clock)
        answer = browser.get("/services/aide/completion.csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="aide-completion-2026-11-23.csv"'
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == 97
        assert float(rows[0]["answers"]) == 400
        assert browser.get("/services/aide/completion.ods").content.startswith(b"PK")
        for file in ("inconnu.csv", "completion", "completion.xls"):
            assert browser.get(f"/services/aide/{file}").status_code == 404


def test_a_fragment_is_the_results_alone_and_equals_those_of_the_whole_page(fallen: Database, clock: FixedClock) -> None:
    with client(fallen, clock) as browser:
        sign_in(browser, fallen, clock)
        whole = page(browser, "/services?q=aide")
        answer = browser.get("/services?q=aide", headers={"hx-request": "true"})
    assert "<html" not in answer.text
    assert "HX-Request" in answer.headers["vary"]
    assert " ".join(answer.text.split()) in " ".join(whole.split())


def test_search_ignores_accents_and_case_and_says_when_nothing_matches(sqlite: Database, clock: FixedClock) -> None:
    add_service(sqlite, "eleve", "Élève boursier")
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert "Élève boursier" in page(browser, "/services?q=eleve")
        assert "Aucun service ne correspond" in page(browser, "/services?q=absent")
        assert page(browser, "/services?q=" + "a" * 5000)


def test_too_few_answers_are_told_as_such_and_never_coloured(sqlite: Database, clock: FixedClock) -> None:
    service = add_service(sqlite, "petit")
    rows = [
        Observed(SeriesKey(service, "satisfaction", "", ""), one.period, Figures(levels=(0.0, 1.0, 8.0)))
        for one in proportions(service, [0.5] * 10)
    ]
    record(sqlite, clock, rows)
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        text = page(browser, "/services/petit")
        assert "pas assez d’avis" in text
        assert "90 sur les 100 nécessaires" in text
        assert "fab-band--green" not in text
        assert "pas assez d’avis" in page(browser, "/services")


def test_a_service_without_figures_says_how_to_send_some(sqlite: Database, clock: FixedClock) -> None:
    add_service(sqlite, "vide", "Service vide")
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert "fabrique import observations" in page(browser, "/services/vide")


@pytest.mark.parametrize("address", ["/tableau-de-bord", "/services?par_page=1000", "/produits", "/signalements"])
def test_the_number_of_queries_does_not_grow_with_the_rows(address: str, sqlite: Database, clock: FixedClock) -> None:
    def queries_for() -> int:
        counted = []
        sa.event.listen(sqlite.engine, "before_cursor_execute", lambda *_: counted.append(1))
        with client(sqlite, clock) as browser:
            sign_in(browser, sqlite, clock)
            counted.clear()
            page(browser, address)
            return len(counted)

    few = queries_for()
    rows = [row for number in range(30) for row in proportions(add_service(sqlite, f"s{number}"), [0.5] * 9)]
    record(sqlite, clock, rows)
    assert queries_for() <= few + 2
