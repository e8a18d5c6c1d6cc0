"""`fabrique import betagouv` as somebody meets it at a terminal, in a script, at night."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fabrique.accounts.model import PersonRow
from fabrique.accounts.rules import Person, Role
from fabrique.cli import main
from fabrique.clock import SystemClock
from fabrique.database import Database
from fabrique.portfolio.actions import save_sheet
from fabrique.portfolio.queries import product_sheets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.orm import Session

    Run = Callable[..., tuple[int, str, str]]

SHEET = """---
title: {title}
incubator: ici
link: https://{slug}.exemple.fr
usertypes: [{audience}]
phases:
  - {{name: investigation, start: 2025-01-06}}
{phases}---
"""
CONSTRUCTION = "  - {name: construction, start: 2025-06-02}\n"


class Terminal(io.StringIO):
    """A keyboard on which something was typed."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command in this process, on a fresh database; `typed` puts it at a terminal."""
    for name in [name for name in os.environ if name.startswith(("FABRIQUE_", "LC_", "LANG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", f"sqlite:///{tmp_path / 'only.sqlite3'}")

    def command(*arguments: object, typed: str | None = None) -> tuple[int, str, str]:
        with pytest.MonkeyPatch.context() as patch:
            if typed is not None:
                patch.setattr(sys, "stdin", Terminal(typed))
                patch.setattr(sys.stdout, "isatty", lambda: True)
            with pytest.raises(SystemExit) as left:
                main([str(one) for one in arguments])
        assert isinstance(left.value.code, int)
        out, err = capfd.readouterr()
        return left.value.code, plain(out), plain(err)

    assert command("migrate")[0] == 0
    return command


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\x1b[1m", "").replace("\x1b[0m", "")


def sheets(tmp_path: Path, **titles: str) -> Path:
    """A folder with a sheet for each title."""
    folder = tmp_path / "fiches" / "_startups"
    folder.mkdir(parents=True, exist_ok=True)
    for slug, title in titles.items():
        sheet(folder.parent, slug, title)
    return folder.parent


def sheet(folder: Path, slug: str, title: str, audience: str = "agents", phases: str = "") -> None:
    text = SHEET.format(slug=slug, title=title, audience=audience, phases=phases)
    (folder / "_startups" / f"{slug}.md").write_text(text, encoding="utf-8")


def names(tmp_path: Path, *slugs: str) -> list[str]:
    database = Database(f"sqlite:///{tmp_path / 'only.sqlite3'}")
    with database.read() as session:
        found = product_sheets(session, slugs)
    database.close()
    return [found[slug].name for slug in slugs if slug in found]


def test_a_first_import_asks_nothing_even_at_a_terminal(run: Run, tmp_path: Path) -> None:
    code, out, err = run("import", "betagouv", sheets(tmp_path, aide="Aide"), typed="")
    assert (code, err) == (0, "")
    assert "Produits : 1 dans le fichier, 1 création, 0 modification, 0 sans changement" in out
    assert "/imports/1" in out
    assert "oui" not in out.casefold()


@pytest.mark.parametrize(
    ("typed", "applied"), [("o\n", True), ("Oui\n", True), ("y\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_at_a_terminal_what_would_change_is_shown_and_asked_before_it_is_applied(
    run: Run, tmp_path: Path, typed: str, applied: bool
) -> None:
    folder = sheets(tmp_path, aide="Aide", bail="Bail")
    run("import", "betagouv", folder)
    sheet(folder, "aide", "Aide au logement", "familles", CONSTRUCTION)
    code, out, _err = run("import", "betagouv", folder, typed=typed)
    assert out.startswith(
        "Aide (aide)\n"
        "  Nom : Aide → Aide au logement\n"
        "  Publics : agents → familles\n"
        "  Phases\n"
        "    − Investigation, depuis le 6 janvier 2025\n"
        "    + Investigation, du 6 janvier 2025 au 2 juin 2025\n"
        "    + Expérimentation, depuis le 2 juin 2025\n\n"
        "Modifier celui-ci comme indiqué ? [o/N]"
    ), out
    assert names(tmp_path, "aide") == ["Aide au logement" if applied else "Aide"]
    assert (code, "Rien n’a été écrit." in out) == ((0, False) if applied else (1, True))


def test_yes_and_scripts_are_asked_nothing(run: Run, tmp_path: Path) -> None:
    folder = sheets(tmp_path, aide="Aide")
    run("import", "betagouv", folder)
    sheet(folder, "aide", "Aide au logement")
    assert run("import", "betagouv", folder, "--yes", typed="n\n")[0] == 0
    assert names(tmp_path, "aide") == ["Aide au logement"]
    sheet(folder, "aide", "Aide au loyer")
    assert run("import", "betagouv", folder)[0] == 0
    assert names(tmp_path, "aide") == ["Aide au loyer"]
    assert run("import", "betagouv", folder, typed="n\n")[0] == 0, "nothing would change: nothing is asked"


def test_a_dry_run_shows_what_would_change_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    folder = sheets(tmp_path, aide="Aide")
    run("import", "betagouv", folder)
    for number in range(8):
        sheet(folder, f"nouveau-{number}", f"Nouveau {number}")
    sheet(folder, "aide", "Aide\u202e 2")
    code, out, _err = run("import", "betagouv", folder, "--dry-run", typed="o\n")
    assert code == 0
    assert "8 nouveaux : Nouveau 0, Nouveau 1, Nouveau 2, Nouveau 3, Nouveau 4, Nouveau 5 …" in out
    assert "  Nom : Aide → Aide 2" in out
    assert "Rien n’a été écrit" in out
    assert names(tmp_path, "aide", "nouveau-0") == ["Aide"]


def test_json_tells_every_difference_in_keys_that_stay(run: Run, tmp_path: Path) -> None:
    folder = sheets(tmp_path, **{f"produit-{number}": f"Produit {number}" for number in range(30)})
    run("import", "betagouv", folder)
    for number in range(30):
        sheet(folder, f"produit-{number}", f"Produit {number} +", phases=CONSTRUCTION)
    code, out, _err = run("import", "betagouv", folder, "--dry-run")
    assert "et 10 autres ; --json dit tout" in out
    code, out, _err = run("import", "betagouv", folder, "--dry-run", "--json")
    told = json.loads(out)
    assert (code, told["changed"], told["new"], told["kept"], len(told["changes"])) == (0, 30, [], [], 60)
    first = [one for one in told["changes"] if one["key"] == "produit-0"]
    assert first == [
        {"kind": "products", "key": "produit-0", "name": "Produit 0", "field": "name", "before": "Produit 0", "after": "Produit 0 +"},
        {
            "kind": "products", "key": "produit-0", "name": "Produit 0", "field": "stays",
            "before": [["investigation", "2025-01-06", None, "known"]],
            "after": [["investigation", "2025-01-06", "2025-06-02", "known"], ["experimentation", "2025-06-02", None, "known"]],
        },
    ]  # fmt: skip


def test_what_people_wrote_here_is_shown_beside_what_the_file_says(run: Run, tmp_path: Path) -> None:
    folder = sheets(tmp_path, aide="Aide")
    run("import", "betagouv", folder)
    database = Database(f"sqlite:///{tmp_path / 'only.sqlite3'}")
    admin = Person(0, "Léo", Role.ADMINISTRATOR)
    with database.write() as session:
        admin = replace(admin, id=ensured(session, admin.name))
        save_sheet(session, admin, "aide", 1, {"name": "Aide à tous"}, SystemClock().now())
    database.close()
    sheet(folder, "aide", "Aide +")
    code, out, _err = run("import", "betagouv", folder, typed="")
    assert code == 0, "nothing of what is known would change: nothing is asked"
    assert "1 champ gardé tel qu’il est ici" in out
    sheet(folder, "aide", "Aide ++")
    _code, out, _err = run("import", "betagouv", folder, "--dry-run")
    assert (
        "bien que le fichier dise autrement :\nAide à tous (aide)\n  Nom\n    ici : Aide à tous\n    dans le fichier : Aide ++\n"
        in out
    )


def ensured(session: Session, name: str) -> int:
    """Somebody who may write."""
    row = PersonRow(email="leo@exemple.invalid", name=name, role="administrator", persona=False, created_at=SystemClock().now())
    session.add(row)
    session.flush()
    return row.id


def test_incubators_and_organisations_are_shown_like_products(run: Run, tmp_path: Path) -> None:
    folder = sheets(tmp_path, aide="Aide")
    for kind, text in {"_incubators/ici": "title: Ici", "_organisations/anct": "name: Agence\nacronym: A"}.items():
        (folder / kind).parent.mkdir(exist_ok=True)
        (folder / f"{kind}.md").write_text(f"---\n{text}\n---\n", encoding="utf-8")
    run("import", "betagouv", folder)
    (folder / "_incubators" / "ici.md").write_text("---\ntitle: Ici même\n---\n", encoding="utf-8")
    (folder / "_organisations" / "anct.md").write_text("---\nname: Agence\n---\n", encoding="utf-8")
    _code, out, _err = run("import", "betagouv", folder, "--dry-run")
    assert "Ici (ici)\n  Nom : Ici → Ici même" in out
    assert "Agence (anct)\n  Sigle : A → (rien)" in out


def test_a_document_that_is_none_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "startups.json").write_text("<html>", encoding="utf-8")
    code, out, err = run("import", "betagouv", tmp_path / "startups.json", typed="")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "page web" in err
