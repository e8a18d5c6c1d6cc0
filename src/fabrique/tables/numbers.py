"""Numbers as people write them in tables: 1 234,5 or 1,234.5. What was understood is never guessed silently."""

from __future__ import annotations

import re

from fabrique.language import Problem, n_

SPACED_GROUPS = re.compile(r"(?<=\d)[ \u00a0\u202f\u2009'’](?=\d{3}(?!\d))")
"""A space between thousands; anywhere else it parts two numbers, and that is no number."""
PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
COMMA_DECIMAL = re.compile(r"[+-]?\d+,\d+")
ENGLISH_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
FRENCH_GROUPS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
LARGEST = 1e15
"""More than anybody counts; up to here a double still tells neighbours apart."""


class NumberUnreadable(Problem):
    """A text is not a number."""


def parse(text: str, *, grouped: bool = False) -> float:
    """The number in a cell. A lone comma is the decimal mark, unless `grouped` says that commas group thousands.

    Raises NumberUnreadable; also for NaN, infinities and numbers too large to be squared.
    """
    compact = SPACED_GROUPS.sub("", text.strip()).replace("−", "-")
    if grouped and ENGLISH_GROUPS.fullmatch(compact):
        compact = compact.replace(",", "")
    elif FRENCH_GROUPS.fullmatch(compact):
        compact = compact.replace(".", "").replace(",", ".")
    elif not grouped and COMMA_DECIMAL.fullmatch(compact):
        compact = compact.replace(",", ".")
    if not PLAIN.fullmatch(compact):
        raise NumberUnreadable(n_("this is not a number"))
    number = float(compact)
    if abs(number) > LARGEST:
        raise NumberUnreadable(n_("the number is too large"))
    return number
