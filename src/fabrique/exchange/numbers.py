"""Numbers as people write them in tables: 1 234,5 or 1,234.5. What was understood is never guessed silently."""

from __future__ import annotations

import math
import re

from fabrique.language import Problem, n_

SPACES = str.maketrans("", "", " \u00a0\u202f\u2009'’")
PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
COMMA_DECIMAL = re.compile(r"[+-]?\d+,\d+")
ENGLISH_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
FRENCH_GROUPS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")


class NumberUnreadable(Problem):
    """A text is not a number."""


def parse(text: str, *, grouped: bool = False) -> float:
    """The number in a cell. A lone comma is the decimal mark, unless `grouped` says that commas group thousands.

    Raises NumberUnreadable; also for NaN, infinities and numbers too large for a double.
    """
    compact = text.strip().translate(SPACES).replace("−", "-")
    if grouped and ENGLISH_GROUPS.fullmatch(compact):
        compact = compact.replace(",", "")
    elif FRENCH_GROUPS.fullmatch(compact):
        compact = compact.replace(".", "").replace(",", ".")
    elif not grouped and COMMA_DECIMAL.fullmatch(compact):
        compact = compact.replace(",", ".")
    if not PLAIN.fullmatch(compact):
        raise NumberUnreadable(n_("this is not a number"))
    number = float(compact)
    if not math.isfinite(number):
        raise NumberUnreadable(n_("the number is too large"))
    return number
