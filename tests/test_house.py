"""The house keeps its promises: style, types, contracts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


def run(*command: str) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_ruff_finds_nothing() -> None:
    run("ruff", "check", ".")


def test_the_code_is_formatted() -> None:
    run("ruff", "format", "--check", ".")


def test_domains_only_look_back_along_the_road() -> None:
    run("lint-imports")


@pytest.mark.slow
def test_types_are_strict() -> None:
    run("mypy")


def test_no_room_is_called_utils() -> None:
    forbidden = {"utils", "helpers", "common", "manager"}
    rooms = {path.stem for path in (ROOT / "src").rglob("*.py")}
    assert not rooms & forbidden


def test_the_alembic_folder_does_not_hide_alembic() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
