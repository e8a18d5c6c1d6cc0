"""Which language is spoken, and how a sentence is said in it. French first; English as well.

The msgids are English sentences; locales/ holds the catalogues. The language in force is a context variable: the web sets it for
each request, the command line once.
"""

from __future__ import annotations

import gettext as _gettext
import os
import re
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from fabrique.resources import resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LANGUAGES = ("fr", "en")
DOMAIN = "fabrique"
current: ContextVar[str] = ContextVar("language", default="fr")


class Problem(Exception):
    """Something a person can put right, told as one sentence in the language in force.

    Raised with a msgid and its values: `raise Problem(n_("No file at %(path)s."), path=path)`. A date is written in words, a large
    number in groups of three digits.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return _(self.message, **{name: written(one) for name, one in self.values.items()})


def n_(message: str) -> str:
    """Mark a sentence for the catalogues without translating it yet."""
    return message


def _(message: str, **values: object) -> str:
    """The sentence in the language in force, with its values filled in."""
    known = translations(current.get())
    text = known.gettext(message)
    if text == message:
        # A word that is also counted somewhere has its plurals in the catalogue; before Python 3.11.5 gettext overlooks them.
        text = known.ngettext(message, message, 1)
    return text % values if values else text


def ngettext(singular: str, plural: str, number: int, **values: object) -> str:
    """The sentence for that number of things: French says zero in the singular, English in the plural."""
    text = translations(current.get()).ngettext(singular, plural, number)
    return text % {"num": number, **values}


@lru_cache(maxsize=20_000)
def written_day(value: date, pattern: str, language: str) -> str:
    """A date by Babel's pattern; French says 1er."""
    from babel.dates import format_date  # noqa: PLC0415 - slow to import

    text = format_date(value, pattern, locale="en_GB" if language == "en" else language)
    return "1er" + text[1:] if language == "fr" and text.startswith("1 ") else text


def day_words(value: date) -> str:
    """4 mai 2026."""
    return written_day(value, "d MMMM y", current.get())


GROUPED_FROM = 10_000
"""A number of four digits may be a year, and is read without a space as well."""


def written(value: object) -> object:
    """A value as a sentence tells it: 4 mai 2026, 20 000; any other as it is."""
    if isinstance(value, date):
        return day_words(value)
    if isinstance(value, int) and abs(value) >= GROUPED_FROM:
        return f"{value:,}" if current.get() == "en" else f"{value:,}".replace(",", "\u202f")
    return value


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak that language inside the block."""
    token = current.set(language)
    try:
        yield
    finally:
        current.reset(token)


@cache
def translations(language: str) -> _gettext.NullTranslations:
    """The catalogue of a language. The .po file is read where no compiled one is beside it (a fresh source tree)."""
    folder = resource("locales") / language / "LC_MESSAGES"
    compiled, source = folder / f"{DOMAIN}.mo", folder / f"{DOMAIN}.po"
    if compiled.is_file() and (not source.is_file() or compiled.stat().st_mtime >= source.stat().st_mtime):
        with compiled.open("rb") as file:
            return _gettext.GNUTranslations(file)
    if source.is_file():
        return from_source(source, language)
    return _gettext.NullTranslations()


def from_source(source: Path, language: str) -> _gettext.NullTranslations:
    """A catalogue compiled in memory."""
    from io import BytesIO  # noqa: PLC0415 - rare path, and Babel is slow to import

    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    with source.open("rb") as file:
        catalogue = read_po(file, locale=language)
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    buffer.seek(0)
    return _gettext.GNUTranslations(buffer)


def of_environment(environ: Mapping[str, str] | None = None) -> str:
    """The command line's language: FABRIQUE_LANGUAGE, else the system's when it is English, else French."""
    environ = os.environ if environ is None else environ
    for name in ("FABRIQUE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name, "").lower():
            return "en" if value.startswith("en") else "fr"
    return "fr"


def folded(text: str) -> str:
    """The text without case or accents, for looking up and for order."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def slug_from(name: str, longest: int = 80) -> str:
    """An address made of a name: Ma boîte à outils → ma-boite-a-outils. Empty where no letter of it can stand in one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:longest].strip("-")


UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Characters that show nothing and do harm: NUL (PostgreSQL keeps none), controls, marks that turn the direction of what follows
(a name can then be made to read as another), spaces of no width (two names look alike and are not). Joiners stay: words and emoji
need them."""


def without_controls(text: str) -> str:
    """The text without characters that cannot be seen; lines, tabs and letters of every script stay."""
    return UNSEEN.sub("", text)
