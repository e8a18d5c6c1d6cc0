"""One product, incubator or organisation as a source writes it: its keys read as texts, lists, links and answers, with every repair."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from typing import TYPE_CHECKING, Any

from fabrique.exchange.report import Repaired
from fabrique.language import _, without_controls, written
from fabrique.portfolio.checking import LONGEST_LINK, LONGEST_NAME, LONGEST_TEXT, MOST_ITEMS, is_link
from fabrique.portfolio.programme import Answer
from fabrique.tables.cells import UNPRINTABLE
from fabrique.tables.textfile import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
LONGEST_KEY = 200
MOST_ENTRIES = 1_000
"""Phases, or events, of one product."""
SHOWN = 120
YES, NO = frozenset({"true", "oui", "yes", "vrai", "1"}), frozenset({"false", "non", "no", "faux", "0"})


class EntryRefused(Exception):
    """An entry that cannot be taken: which key, what it said, why, and on which line."""

    def __init__(self, column: str, value: object, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason, self.line = squeezed(column), squeezed(plain(value)), reason, line


def plain(value: object) -> str:
    """A value as text; of a list or mapping the beginning only, for a few aliases can make it larger than any memory."""
    try:
        return reprlib.repr(value) if isinstance(value, list | dict | set | tuple) else str(value)
    except ValueError:
        # Python writes no number of more than 4,300 digits, which YAML reads when they are hexadecimal.
        return hex(value)[:SHOWN] if isinstance(value, int) else "[…]"


def squeezed(text: str) -> str:
    """A text on one line, without the characters that no database, file or page can carry."""
    return " ".join(UNPRINTABLE.sub("�", without_controls(CONTROLS.sub(" ", text))).split())


def scalar(value: object) -> str | None:
    """A text, a number or a date as text; None for what is none of them."""
    if isinstance(value, str | int | float | date) and not isinstance(value, bool):
        return squeezed(plain(value))
    return None


def shortened(text: str) -> str:
    """A text, cut so that one of ten thousand characters does not fill a report."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


@dataclass(slots=True)
class Entry:
    """One thing being read: its keys, and what had to be put right."""

    place: str
    """Where it stands, as the report says it."""
    slug: str
    keys: dict[str, Any]
    partial: bool = False
    """Whether its source leaves keys out that the thing may have: their absence says nothing then."""
    repaired: list[Repaired] = field(default_factory=list)

    def repair(self, column: str, value: object, reason: str, kept: object = "") -> None:
        """Note something read otherwise than it was written."""
        told, stays = shortened(squeezed(plain(value))), shortened(squeezed(plain(kept)))
        self.repaired.append(Repaired(printable(self.place), None, shortened(squeezed(column)), told, reason, stays))

    def text(self, *names: str, longest: int = LONGEST_NAME) -> str:
        """The first of these keys that holds a text."""
        for name in names:
            value = self.keys.get(name)
            if value is None or value == "":
                continue
            found = scalar(value)
            if isinstance(value, list) and (found := next(filter(None, map(scalar, value)), None)):
                self.repair(name, value, _("a list where a text was expected: its first one is taken"), found)
            if found is None:
                self.repair(name, value, _("a text was expected: it is left out"))
            elif found:
                return self.cut(name, found, longest)
        return ""

    def cut(self, name: str, text: str, longest: int) -> str:
        """The text, as long as anything here may be."""
        if len(text) <= longest:
            return text
        kept = text[: longest - 1].rstrip() + "…"
        self.repair(
            name,
            text,
            _("%(length)s characters: the first %(most)s are kept", length=written(len(text)), most=written(longest)),
            kept,
        )
        return kept

    def long_text(self, *names: str) -> str:
        """The same for prose."""
        return self.text(*names, longest=LONGEST_TEXT)

    def link(self, name: str) -> str:
        """An address. What is none is kept as it is written, and no page makes a link of it."""
        text = self.text(name, longest=LONGEST_TEXT)
        if not is_link(text) and is_link(meant := unescape(text)):
            self.repair(name, text, _("written with HTML’s codes: they are put back into letters"), meant)
            text = meant
        if len(text) > LONGEST_LINK:
            self.repair(name, text, _("an address of %(length)s characters is left out", length=written(len(text))))
            return ""
        if text and not is_link(text):
            self.repair(name, text, _("this is not a web address: it is kept, and not made a link"), text)
        return text

    def words(self, name: str) -> tuple[str, ...]:
        """The texts of a list, each once. A list that was written as one text is cut at its commas."""
        value = self.keys.get(name)
        if isinstance(value, str) and re.search("[,;]", value):
            parts = [part for part in re.split("[,;]", value) if part.strip()]
            self.repair(name, value, _("a list written as one text is cut at its commas"), ", ".join(parts))
            value = parts
        once = self.once(name, list(self.items(name, value if isinstance(value, list) else [value])))
        if len(once) > MOST_ITEMS:
            self.repair(name, len(once), _("the first %(most)s are kept", most=MOST_ITEMS), MOST_ITEMS)
        return once[:MOST_ITEMS]

    def once(self, name: str, found: Sequence[str]) -> tuple[str, ...]:
        """Some texts, each once: what is told twice would look like a change at the next import."""
        kept = tuple(dict.fromkeys(found))
        if len(kept) < len(found):
            self.repair(name, ", ".join(found), _("what is told twice is kept once"), ", ".join(kept))
        return kept

    def items(self, name: str, values: list[object]) -> Iterator[str]:
        """The texts among some values."""
        for value in values:
            if value is None:
                continue
            text = scalar(value)
            if text is None:
                self.repair(name, value, _("a text was expected: it is left out"))
            elif text:
                yield self.cut(name, text, LONGEST_NAME)

    def keys_of(self, name: str) -> tuple[str, ...]:
        """The keys that a list of addresses names: `/organisations/anct` names anct."""
        found = [key for word in self.words(name) if (key := last_part(word))]
        return self.once(name, found)

    def answer(self, name: str) -> Answer | None:
        """A yes or a no; None where nothing is said."""
        value = self.keys.get(name)
        if value is None or value == "":
            return None
        word = squeezed(plain(value)).casefold() if isinstance(value, bool | str | int) else ""
        if word not in YES | NO:
            self.repair(name, value, _("neither yes nor no: it is left out"))
            return None
        return Answer.YES if word in YES else Answer.NO

    def mappings(self, name: str) -> list[tuple[int, dict[str, Any]]]:
        """The mappings of a list, numbered. Raises EntryRefused where it is something else."""
        value = self.keys.get(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise EntryRefused(name, value, _("a list of entries was expected"))
        if len(value) > MOST_ENTRIES:
            raise EntryRefused(name, value, _("more than %(most)s entries: no product has so many", most=MOST_ENTRIES))
        return list(enumerate(value))

    def required(self, *names: str) -> str:
        """A text that must be there. Raises EntryRefused."""
        text = self.text(*names)
        if not text:
            raise EntryRefused(names[0], self.keys.get(names[0], ""), _("nothing is written here"))
        return text


def last_part(address: str) -> str:
    """`/organisations/anct` names anct."""
    return address.rstrip("/").rpartition("/")[2].strip()[:LONGEST_KEY]
