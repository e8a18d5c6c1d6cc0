"""Days as people write them in a form: a date field's own way, or the French one."""

from __future__ import annotations

import re
from datetime import date

FRENCH_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


def day_from(text: str) -> date | None:
    """A day as a date field or a person writes it; None for nothing. Raises ValueError."""
    text = text.strip()
    if not text:
        return None
    if found := FRENCH_DAY.fullmatch(text):
        return date(int(found[3]), int(found[2]), int(found[1]))
    return date.fromisoformat(text)
