"""What came in stays on record: what it changed, put right, refused; and each product tells its history."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest

from fabrique.cli import main
from factories import client, sign_in

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
        assert "Aides +" in second
        assert "<del>" in second
        assert "agents" in second
        assert "familles" in second
        assert "1 nouveau produit" in page(browser, "/imports/1")
        history = page(browser, "/produits/aides/historique")
        assert "2 changements sont connus" in history
        assert 'href="/imports/2"' in history
        browser.cookies.set("language", "en")
        assert "2 changes are on record" in page(browser, "/produits/aides/historique")


@pytest.mark.parametrize("address", ["/imports/9", "/imports/99999999999", "/imports/1/autre.csv", "/produits/rien/historique"])
def test_what_is_not_there_is_said(
    sqlite: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    bring(sqlite, tmp_path, "Aides", "agents", monkeypatch)
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert browser.get(address).status_code == 404


def test_a_site_without_any_import_says_how_to_begin(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert "Aucun fichier n’est encore entré" in page(browser, "/imports")
