"""What came in stays on record: what it changed, put right, refused; and each product tells its history."""

from __future__ import annotations

from datetime import date, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from fabrique.accounts.actions import audit
from fabrique.accounts.rules import Role
from fabrique.cli import main
from fabrique.portfolio.actions import correct_stays, save_sheet
from fabrique.portfolio.queries import product_id_of
from fabrique.portfolio.rules import Mark, Stage
from factories import client, sign_in
from people import added_person

if TYPE_CHECKING:
    from pathlib import Path

    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database

SHEET = """---
title: {title}
incubator: ici
phases:
  - name: construction
    start: 2025-06-02
  - name: investigation
    start: 2025-01-06
    end: 2025-05-01
usertypes: [{audience}]
---
"""


def bring(database: Database, folder: Path, title: str, audience: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fabrique import betagouv` as a person runs it."""
    (folder / "_startups").mkdir(parents=True, exist_ok=True)
    (folder / "_startups" / "aides.md").write_text(SHEET.format(title=title, audience=audience), encoding="utf-8")
    (folder / "_startups" / "cassee.md").write_text("---\ntitle: [\n---\n", encoding="utf-8")
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", database.url)
    with pytest.raises(SystemExit):
        main(["import", "betagouv", str(folder)])


def page(browser: TestClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ")


def test_an_import_tells_what_it_changed_put_right_and_refused(
    sqlite: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(sqlite, tmp_path, "Aides", "agents", monkeypatch)
    bring(sqlite, tmp_path, "Aides +", "familles", monkeypatch)
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert "Fiches produits" in page(browser, "/imports")
        second = page(browser, "/imports/2")
        assert "Produits : 2 dans le fichier, 0 création, 1 modification, 0 sans changement" in second
        assert "0 création, 1 modification, 0 sans changement, 1 refus." in second
        assert "Aides +" in second
        assert "<del" in second
        assert "agents" in second
        assert "familles" in second
        assert "1 nouveau produit" in page(browser, "/imports/1")
        history = page(browser, "/produits/aides/historique")
        assert "2 changements de sa fiche sont connus" in history
        assert 'href="/imports/2"' in history
        browser.cookies.set("language", "en")
        assert "2 changes of its sheet are on record" in page(browser, "/produits/aides/historique")


@pytest.mark.parametrize("address", ["/imports/9", "/imports/99999999999", "/imports/1/autre.csv", "/produits/rien/historique"])
def test_what_is_not_there_is_said(
    sqlite: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    bring(sqlite, tmp_path, "Aides", "agents", monkeypatch)
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert browser.get(address).status_code == 404


def test_what_was_put_right_refused_or_left_alone_is_a_table_for_a_spreadsheet(
    sqlite: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(sqlite, tmp_path, "Aides", "agents", monkeypatch)
    with sqlite.read() as session:
        product = product_id_of(session, "aides")
    camille = added_person(sqlite, clock, "Camille", Role.INTRAPRENEUR, product)
    noor = added_person(sqlite, clock, "Noor", Role.COACH, product, "coach")
    with sqlite.write() as session:
        save_sheet(session, camille, "aides", 1, {"name": "Aides à tous", "qualities": (("risk_analysis", "no"),)}, clock.now())
        starts = [(Stage.INVESTIGATION, date(2025, 1, 6), Mark.KNOWN)]
        correct_stays(session, noor, "aides", 2, starts, "La construction n’a pas commencé", clock.now(), date(2026, 11, 23))
    changed = SHEET.replace("2025-06-02", "2025-07-01").replace("usertypes", "analyse_risques: true\nusertypes")
    (tmp_path / "_startups" / "aides.md").write_text(changed.format(title="Aides +", audience="agents"), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["import", "betagouv", str(tmp_path)])
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        kept = browser.get("/imports/2/maintenus.csv").content.decode("utf-8-sig").replace("\u00a0", " ").splitlines()
        assert kept[0] == "Où,Champ,Ce qui a été lu,Pourquoi,Ce qui a été gardé"
        assert kept[1] == "Aides à tous,Nom,Aides +,écrit ou décidé autrement ici,Aides à tous"
        assert kept[2].startswith("Aides à tous,Qualités,Analyse de risques : Oui,")
        assert "Expérimentation, depuis le 1er juillet 2025" in kept[3]
        assert len(kept) == 4
        assert "cassee.md:3" in browser.get("/imports/2/refus.csv").text
        assert "la fin de la phase" in browser.get("/imports/1/reparations.csv").text
        assert "Gardé" in page(browser, "/imports/2")
        history = page(browser, "/produits/aides/historique")
        assert "Camille – saisie à la main" in history
        assert "La construction n’a pas commencé" in history
        assert "Investigation, depuis le 6 janvier 2025" in history


@pytest.mark.parametrize(("spoken", "told"), [("fr", "Inclusion (Aide joignable)"), ("en", "Inclusion (Help reachable)")])
def test_a_history_names_the_metric_of_a_stake_as_people_call_it(
    sqlite: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoken: str, told: str
) -> None:
    bring(sqlite, tmp_path, "Aides", "agents", monkeypatch)
    with sqlite.read() as session:
        product = product_id_of(session, "aides")
    camille = added_person(sqlite, clock, "Camille", Role.INTRAPRENEUR, product)
    with sqlite.write() as session:
        save_sheet(session, camille, "aides", 1, {"stakes": (("inclusion", "help_reachable"),)}, clock.now())
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        browser.cookies.set("language", spoken)
        text = page(browser, "/produits/aides/historique")
    assert told in text
    assert "help_reachable" not in text


def test_preparing_a_review_in_many_steps_is_one_line_that_leads_to_it(
    sqlite: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(sqlite, tmp_path, "Aides", "agents", monkeypatch)
    noor = added_person(sqlite, clock, "Noor", Role.COACH, None)
    with sqlite.write() as session:
        for minutes in range(3):
            now = clock.now() + timedelta(minutes=minutes)
            audit(session, now, "prepare_review", ("product", "aides"), {"review": 7, "part": "comite"}, noor.id)
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        history = page(browser, "/produits/aides/historique")
    assert history.count('href="/produits/aides/revues/7"') == 1
    assert "(3 fois)" in history


def test_a_site_without_any_import_says_how_to_begin(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert "Aucun fichier n’est encore entré" in page(browser, "/imports")
