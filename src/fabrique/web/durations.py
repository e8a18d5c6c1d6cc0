"""How long something lasts, as people say it: 149 days, 21 months, 4.5 years; and round marks for an axis of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fabrique.language import _, ngettext
from fabrique.web.formats import number

WEEK, MONTH, YEAR = 7.0, 365.25 / 12, 365.25


@dataclass(frozen=True, slots=True)
class Unit:
    """What lengths of a size are told in. days: in one unit; upto: the largest length it suits; steps: round gaps between marks."""

    name: str
    days: float
    upto: float
    steps: tuple[float, ...]
    decimals: int = 0


DAYS = Unit("day", 1.0, 200.0, (1, 2, 5, 10, 20))
MONTHS = Unit("month", MONTH, 4 * YEAR, (1, 2, 3, 6, 12))
YEARS = Unit("year", YEAR, math.inf, (1, 2, 5, 10, 20, 50), 1)
WEEKS = Unit("week", WEEK, 30 * WEEK, (1, 2, 4, 8, 13))
"""For axes alone: a length in the text is told in days, so that it can be checked."""
SAID, DRAWN = (DAYS, MONTHS, YEARS), (WEEKS, MONTHS, YEARS)
MOST_MARKS = 8


def counted(value: float, unit: Unit) -> str:
    """149 days, 21 months, 4.5 years: a count of units."""
    text = number(value, 0 if float(value).is_integer() else unit.decimals)
    # French says 1,5 an; English 1.5 years.
    plural = 2 if not float(value).is_integer() and value > 1 else int(value)
    match unit.name:
        case "day":
            return ngettext("%(count)s day", "%(count)s days", plural, count=text)
        case "week":
            return ngettext("%(count)s week", "%(count)s weeks", plural, count=text)
        case "month":
            return ngettext("%(count)s month", "%(count)s months", plural, count=text)
        case _:
            return ngettext("%(count)s year", "%(count)s years", plural, count=text)


def unit_for(days: float) -> Unit:
    """What a length is told in."""
    return next(unit for unit in SAID if days <= unit.upto or math.isinf(unit.upto))


def lasting(days: float) -> str:
    """A length in the unit that suits it: days up to half a year, months up to four years, then years."""
    unit = unit_for(days)
    return counted(round(days / unit.days, unit.decimals), unit)


def median_told(days: float, low: float, high: float) -> str:
    """A median with its interval in the median's own unit: 149 days (between 123 and 153)."""
    unit = unit_for(days)

    def told(value: float) -> str:
        rounded = round(value / unit.days, unit.decimals)
        return number(rounded, 0 if rounded.is_integer() else unit.decimals)

    if math.isinf(days):
        return _("not reached yet")
    if math.isinf(high):
        return _("%(median)s (%(low)s at least)", median=lasting(days), low=told(low))
    return _("%(median)s (between %(low)s and %(high)s)", median=lasting(days), low=told(low), high=told(high))


@dataclass(frozen=True, slots=True)
class Mark:
    """A round moment on an axis: days from the start, how the axis writes it, and how a table does, with its unit."""

    days: float
    text: str
    whole: str


def marks(span: float, most: int = MOST_MARKS) -> list[Mark]:
    """Round moments from nothing to the span and the first beyond it; the last one carries the unit's name."""
    unit = next(unit for unit in DRAWN if span <= unit.upto or math.isinf(unit.upto))
    units = max(span / unit.days, 1e-9)
    step = next((step for step in unit.steps if units / step <= most - 1), math.ceil(units / (most - 1)))
    last = max(1, math.ceil(units / step - 1e-9))
    places = [step * place for place in range(last + 1)]
    return [
        Mark(place * unit.days, counted(place, unit) if place == places[-1] else number(place), counted(place, unit))
        for place in places
    ]
