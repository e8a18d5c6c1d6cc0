"""Options come from fabrique.toml and the environment; a wrong one is told in one sentence."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from fabrique import language
from fabrique.settings import SettingInvalid, Settings, load

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> Path:
    file = folder / "options.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(environ: dict[str, str], file: Path) -> str:
    with pytest.raises(SettingInvalid) as caught:
        load(environ, file)
    told = str(caught.value)
    assert "\n" not in told
    return told


def test_without_anything_given_the_defaults_hold(tmp_path: Path) -> None:
    found = load({}, tmp_path / "none.toml")
    assert found == Settings()
    assert found.resolved_database_url.startswith("sqlite:///")
    assert found.resolved_database_url.endswith("fabrique.sqlite3")
    assert not found.secure


def test_the_file_sets_options_and_the_environment_wins(tmp_path: Path) -> None:
    file = written(tmp_path, 'theme = "plain"\nport = 9000\ncheck_hour = "5"\n')
    found = load({"FABRIQUE_PORT": "9001", "FABRIQUE_PUBLIC_URL": "https://fabrique.example.fr", "PORT": "1"}, file)
    assert (found.theme, found.port, found.check_hour, found.secure) == ("plain", 9001, 5, True)


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'database_url = "postgresql://localhost/fabrique"')
    assert load({"FABRIQUE_CONFIG": str(file)}).resolved_database_url == "postgresql://localhost/fabrique"


def test_the_file_of_the_working_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "port = 9000").rename(tmp_path / "fabrique.toml")
    monkeypatch.setenv("FABRIQUE_TICK_SECONDS", "5")
    found = load()
    assert (found.port, found.tick_seconds) == (9000, 5)


@pytest.mark.parametrize("option", [field.name for field in fields(Settings)])
def test_every_option_can_be_set_by_the_environment(option: str, tmp_path: Path) -> None:
    value: str | int = {"theme": "plain", "check_hour": 5}.get(option, 7)
    value = value if isinstance(getattr(Settings(), option), int) else str(value)
    assert getattr(load({f"FABRIQUE_{option.upper()}": str(value)}, tmp_path / "none.toml"), option) == value


@pytest.mark.parametrize(
    ("environ", "text", "french", "english"),
    [
        ({}, "prot = 80", "option inconnue «\u00a0prot\u00a0».", "unknown option “prot”."),
        ({}, "port = ", "n’est pas du TOML correct", "is not valid TOML"),
        (
            {},
            'port = "abc"',
            "FABRIQUE_PORT\u00a0: «\u00a0abc\u00a0» n’est pas un nombre entier.",
            "“abc” is not a whole number.",
        ),
        ({}, "port = 80.5", "«\u00a080.5\u00a0» n’est pas un nombre entier.", "“80.5” is not a whole number."),
        ({}, "port = true", "«\u00a0True\u00a0» n’est pas un nombre entier.", "“True” is not a whole number."),
        (
            {},
            'theme = "3"',
            "FABRIQUE_THEME\u00a0: «\u00a03\u00a0» n’est ni dsfr ni plain.",
            "FABRIQUE_THEME: “3” is neither dsfr nor plain.",
        ),
        ({"FABRIQUE_PORT": ""}, "", "FABRIQUE_PORT", "is not a whole number."),
        ({"FABRIQUE_PORT": "65536"}, "", "FABRIQUE_PORT\u00a0: 65536 n’est pas entre 0 et 65535.", "not between 0 and 65535."),
        ({"FABRIQUE_LEASE_SECONDS": "0"}, "", "FABRIQUE_LEASE_SECONDS\u00a0: 0 n’est pas entre 1 et 3600.", "FABRIQUE_LEASE"),
        ({"FABRIQUE_CHECK_HOUR": "2"}, "", "FABRIQUE_CHECK_HOUR", "FABRIQUE_CHECK_HOUR"),
        ({"FABRIQUE_THEME": "DSFR"}, "", "n’est ni dsfr ni plain.", "is neither dsfr nor plain."),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(
    tmp_path: Path, environ: dict[str, str], text: str, french: str, english: str
) -> None:
    file = written(tmp_path, text)
    assert french in refused(environ, file)
    with language.speaking("en"):
        assert english in refused(environ, file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('public_url = ["https://a.fr"]', "FABRIQUE_PUBLIC_URL: “['https://a.fr']” is not text; write it between quotes."),
        ("host = 3", "FABRIQUE_HOST: “3” is not text; write it between quotes."),
        ("database_url = false", "FABRIQUE_DATABASE_URL: “False” is not text; write it between quotes."),
        ("[theme]\na = 1", "FABRIQUE_THEME: “{'a': 1}” is not text; write it between quotes."),
    ],
)
def test_a_text_option_that_is_no_text_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with language.speaking("en"):
        assert refused({}, written(tmp_path, text)) == told


def test_a_file_that_is_not_text_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "options.toml"
    file.write_bytes(b"\xff\xfe\x00")
    assert "options.toml n’est pas du TOML correct\u00a0: " in refused({}, file)
