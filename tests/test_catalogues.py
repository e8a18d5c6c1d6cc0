"""Every sentence is said in both languages, and French is written as French is."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ROOT = Path(__file__).parent.parent
KEYWORDS = {"_": None, "n_": None, "ngettext": (1, 2)}
METHODS = [("src/fabrique/**.py", "python"), ("templates/**.html", "jinja2")]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def spoken() -> set[str]:
    """Every sentence of the sources."""
    found = extract_from_dir(
        ROOT, METHODS, {"**.html": {"silent": "false", "extensions": "jinja2.ext.do"}}, KEYWORDS, directory_filter=wanted
    )
    return {first(message) for _file, _line, message, _comments, _context in found if message}


def first(message: str | tuple[str, ...] | list[str]) -> str:
    """What a catalogue files a sentence under: its singular."""
    return message if isinstance(message, str) else message[0]


def wanted(folder: str) -> bool:
    return not Path(folder).name.startswith(".") and Path(folder).name not in {"vendor", "tests", "alembic", "var", "locales"}


def catalogue(language: str) -> Catalog:
    file = ROOT / "locales" / language / "LC_MESSAGES" / "fabrique.po"
    return read_po(BytesIO(file.read_bytes()), locale=language)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_catalogue_holds_exactly_the_sentences_of_the_sources(language: str, spoken: set[str]) -> None:
    held = {first(message.id) for message in catalogue(language) if message.id}
    assert spoken - held == set(), "run `make messages` and translate"
    assert held - spoken == set(), "run `make messages`: these are said no more"


def test_every_sentence_is_translated_into_french_and_none_is_fuzzy() -> None:
    for message in catalogue("fr"):
        if message.id:
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            assert all(strings), message.id
            assert not message.fuzzy, message.id


def test_a_translation_uses_the_values_of_its_sentence() -> None:
    for message in catalogue("fr"):
        ids = message.id if isinstance(message.id, list | tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        known = {name for text in ids for name in PLACEHOLDER.findall(text)}
        for text in strings:
            assert set(PLACEHOLDER.findall(text)) == known or (len(ids) > 1 and set(PLACEHOLDER.findall(text)) <= known), text


def test_french_keeps_its_spaces_before_tall_punctuation() -> None:
    for message in catalogue("fr"):
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            assert not re.search(r" [;!?»]|« |\S :( |$)", text), f"ordinary space in {text!r}"
            assert "'" not in text.replace("'--", ""), f"straight apostrophe in {text!r}"
