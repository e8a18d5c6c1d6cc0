"""`fabrique import betagouv` on a terminal and off it: what changes is shown, asked, and only then applied."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from fabrique.database import Database
from fabrique.exchange.betagouv import import_betagouv
from fabrique.portfolio.queries import product_sheets

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.clock import FixedClock

pty = pytest.importorskip("pty", reason="no terminals here")
COMMAND = [sys.executable, "-c", "from fabrique.cli import main; main()", "import", "betagouv"]


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thirty sheets, imported, then all renamed in their files."""
    shutil.copy(sqlite_template, tmp_path / "only.sqlite3")
    monkeypatch.setenv("FABRIQUE_DATABASE_URL", address(tmp_path))
    monkeypatch.setenv("FABRIQUE_LANGUAGE", "fr")
    monkeypatch.setenv("COLUMNS", "130")
    database = Database(address(tmp_path))
    import_betagouv(database, clock, write(tmp_path / "fiches", "Aide"))
    database.close()
    return write(tmp_path / "fiches", "Nouvelle aide")


def address(folder: Path) -> str:
    return f"sqlite:///{folder / 'only.sqlite3'}"


def write(folder: Path, name: str) -> Path:
    (folder / "_startups").mkdir(parents=True, exist_ok=True)
    for number in range(30):
        keys = f"title: {name} {number}\nphases:\n  - name: investigation\n    start: 2025-01-06\n"
        (folder / "_startups" / f"aide-{number:02}.md").write_text(f"---\n{keys}---\n")
    return folder


def piped(*arguments: object) -> tuple[int, str, str]:
    """The command in a pipe, as a script runs it."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def typed(answer: str, *arguments: object) -> tuple[int, str]:
    """The command on a terminal of its own, with what a person types when it asks; an answer of nothing where it must not ask."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen, waiting = b"", answer.encode()
    # A terminal whose program has ended answers with an error.
    with suppress(OSError):
        while block := os.read(ours, 65_536):
            seen += block
            if waiting and b"[o/N]" in seen:
                os.write(ours, waiting)
                waiting = b""
    os.close(ours)
    return process.wait(timeout=60), seen.decode()


def name_of_the_first(folder: Path) -> str:
    database = Database(address(folder.parent))
    try:
        with database.read() as session:
            return product_sheets(session, ["aide-00"])["aide-00"].name
    finally:
        database.close()


@pytest.mark.parametrize(
    ("answer", "code", "name"), [("\n", 1, "Aide 0"), ("non\n", 1, "Aide 0"), ("oui\n", 0, "Nouvelle aide 0")]
)
def test_a_terminal_shows_what_changes_and_asks_first(folder: Path, answer: str, code: int, name: str) -> None:
    left, seen = typed(answer, folder)
    assert "Aide 0 → Nouvelle aide 0" in seen
    assert "Modifier ces 30 éléments" in seen
    assert seen.count(" → ") == 20
    assert "et 10 autres" in seen
    assert (left, name_of_the_first(folder)) == (code, name)


def test_yes_asks_nothing_and_neither_does_an_import_that_changes_nothing(folder: Path) -> None:
    assert typed("", folder, "--yes")[0] == 0
    assert name_of_the_first(folder) == "Nouvelle aide 0"
    code, seen = typed("", folder)
    assert (code, "[o/N]" in seen) == (0, False)


def test_a_script_is_asked_nothing(folder: Path) -> None:
    code, out, _err = piped(folder)
    assert (code, name_of_the_first(folder)) == (0, "Nouvelle aide 0")
    assert "[o/N]" not in out


def test_a_dry_run_tells_all_in_json_and_writes_nothing(folder: Path) -> None:
    code, out, _err = piped(folder, "--dry-run", "--json")
    told = json.loads(out)
    assert (code, told["batch"], len(told["changes"]), told["kept"]) == (0, None, 30, [])
    assert told["changes"][0] == {
        "kind": "products", "key": "aide-00", "name": "Aide 0", "field": "name", "before": "Aide 0", "after": "Nouvelle aide 0",
    }  # fmt: skip
    assert name_of_the_first(folder) == "Aide 0"
