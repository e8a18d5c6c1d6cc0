"""No text of a template escapes the catalogues."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

TEMPLATES = Path(__file__).parent.parent.parent / "templates"
LETTERS = re.compile(r"[A-Za-zÀ-ÿ]{2,}")
BARE_ATTRIBUTES = re.compile(r"\saria-(?:invalid|describedby)=\"[^\"]*\"")
SPOKEN_ATTRIBUTES = re.compile(r"""\b(?:title|alt|aria-label|placeholder|label)\s*=\s*"([^"]*)\"""")
NAMES = {"FAST", "Fabrique"}
"""Proper names, the same in every language."""


def plain_text(template: str) -> str:
    """What a template says by itself: its text without Jinja, tags, scripts and comments; the spoken attributes kept."""
    tokens = jinja2.Environment(extensions=["jinja2.ext.i18n"]).lex(template)
    data = "".join(value if kind == "data" else "\x00" if kind.endswith("_begin") else "" for _line, kind, value in tokens)
    attributes = " ".join(SPOKEN_ATTRIBUTES.findall(data))
    data = BARE_ATTRIBUTES.sub("", data)  # a macro may say the attributes that a tag elsewhere takes
    return re.sub(r"&\w+;", "", re.sub(r"<[^>]*>", " ", data)) + " " + attributes


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_text_goes_through_the_catalogues(path: Path) -> None:
    words = set(LETTERS.findall(plain_text(path.read_text(encoding="utf-8")))) - NAMES
    assert not words, words


def test_a_forgotten_text_would_be_found() -> None:
    assert LETTERS.search(plain_text("<p>Bonjour</p>"))
    assert LETTERS.search(plain_text('<img alt="Une image">'))
    assert not LETTERS.search(plain_text('<p class="fr-text">{{ _("Hello") }}</p>'))


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_template_holds_an_inline_style_or_handler(path: Path) -> None:
    html = re.sub(r"{%.*?%}|{{.*?}}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=|\son\w+\s*=|<style", html)
