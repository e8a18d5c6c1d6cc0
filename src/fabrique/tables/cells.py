"""What a cell may hold on its way out, and what is done to text that a spreadsheet or an XML reader would misread."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

from fabrique.clock import PARIS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Cell: TypeAlias = str | int | float | bool | date | datetime | None

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""How a text begins that a spreadsheet calculates when it opens a CSV: OWASP's list, the wide forms of Asian keyboards included."""
FORMULA_INSIDE = re.compile(r"(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])")
"""The same behind what a spreadsheet of another country takes for the end of a cell or a line: a French one parts cells at “;”."""
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 forbids, and half characters, which UTF-8 cannot write."""
STANDS_IN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table on its way out of the site: a title, a label for each column, rows of as many typed cells."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet would calculate the text instead of showing it."""
    return text.startswith(FORMULA_STARTS)


def defused(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would calculate: a CSV says nothing of types, and has no better defence."""
    text = FORMULA_INSIDE.sub("'", text)
    return f"'{text}" if starts_formula(text) else text


def printable(text: str) -> str:
    """The text with a visible mark for each character that files cannot carry."""
    return UNPRINTABLE.sub(STANDS_IN, text)


def local(moment: datetime) -> datetime:
    """A moment as the clock on the wall shows it in Paris, to the second: spreadsheets know no time zones."""
    moment = moment.astimezone(PARIS) if moment.tzinfo else moment
    return moment.replace(tzinfo=None, microsecond=0)
