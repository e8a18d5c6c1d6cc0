"""Numbers, dates and periods as each language writes them. Cached: Babel takes 8 µs a cell, a page has hundreds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from babel.dates import format_datetime
from babel.numbers import format_decimal, format_scientific

from fabrique.clock import PARIS, Granularity
from fabrique.language import _, current, day_words, ngettext, written_day

NARROW_SPACE = "\u202f"
SPACE = "\u00a0"
MOST = 1e18
"""From here on a number is written as 1,2E18: nobody reads its digits, and Babel has room for 28 of them only."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How a metric's values are written. factor 100 and symbol % for proportions; /10 for marks."""

    symbol: str = ""
    decimals: int = 1
    factor: float = 1.0


def number(value: float, decimals: int = 0) -> str:
    """1 234,5 in French; 1,234.5 in English."""
    return _number(value, decimals, current.get())


@lru_cache(maxsize=50_000)
def _number(value: float, decimals: int, language: str) -> str:
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    if abs(value) >= MOST:
        return format_scientific(value, "0.0#E0", locale=language).replace("-", "−")
    text = format_decimal(value, pattern, locale=language)
    # A rounded zero has no sign; a real minus is written as one.
    return text.replace("-", "−" if text.strip("-0,.") else "")


def figure(value: float | None, unit: Unit) -> str:
    """A value with its unit: 78 %, 7,6, 3,10 €; a dash where there is none."""
    if value is None:
        return "–"
    return with_symbol(number(value * unit.factor, unit.decimals), unit.symbol)


def with_symbol(text: str, symbol: str) -> str:
    """The number and its unit, spaced as the language does."""
    if not symbol or symbol.startswith("/"):
        return text
    english = current.get() == "en"
    if symbol == "%":
        return f"{text}%" if english else f"{text}{NARROW_SPACE}%"
    if symbol in {"€", "£"}:
        return f"{'−' * text.startswith('−')}{symbol}{text.removeprefix('−')}" if english else f"{text}{SPACE}{symbol}"
    return f"{text}{SPACE}{symbol}"


def scaled(value: float | None, unit: Unit) -> str:
    """A value with its scale in words, for sentences: 7,6 sur 10."""
    if value is not None and unit.symbol.startswith("/"):
        return _("%(value)s out of %(scale)s", value=number(value, unit.decimals), scale=unit.symbol[1:])
    return figure(value, unit)


def difference(value: float, unit: Unit) -> str:
    """A signed gap: +0,4, −7 points."""
    size = number(abs(value) * unit.factor, unit.decimals)
    sign = "" if not size.strip("0,.") else "+" if value > 0 else "−"
    if unit.symbol == "%":
        points = abs(round(value * unit.factor, unit.decimals))
        # French says 1,5 point; English 1.5 points.
        count = int(points) if current.get() == "fr" or points == int(points) else 2
        return ngettext("%(gap)s point", "%(gap)s points", count, gap=f"{sign}{size}")
    return f"{sign}{with_symbol(size, unit.symbol)}"


def day(value: date) -> str:
    """4 mai 2026."""
    return day_words(value)


def short_day(value: date) -> str:
    """4 mai."""
    return written_day(value, "d MMMM", current.get())


def moment(value: datetime) -> str:
    """4 mai 2026 à 04:12, Paris time."""
    local = value.astimezone(PARIS)
    clock = format_datetime(local, "HH:mm", locale=current.get())
    return _("%(day)s at %(time)s", day=day(local.date()), time=clock)


def period(start: date, granularity: str) -> str:
    """The period in words: semaine du 4 mai 2026, mars 2026, T1 2026."""
    return _period(start, granularity, current.get())


@lru_cache(maxsize=20_000)
def _period(start: date, granularity: str, language: str) -> str:
    match Granularity(granularity):
        case Granularity.DAY:
            return day(start)
        case Granularity.WEEK:
            return _("week of %(day)s", day=day(start))
        case Granularity.MONTH:
            return written_day(start, "MMMM y", language)
        case Granularity.QUARTER:
            return _("Q%(quarter)s %(year)s", quarter=(start.month - 1) // 3 + 1, year=start.year)
        case Granularity.YEAR:
            return str(start.year)


def short_period(start: date, granularity: str) -> str:
    """The same for an axis: mai 2026, T1 2026."""
    match Granularity(granularity):
        case Granularity.DAY | Granularity.WEEK | Granularity.MONTH:
            return written_day(start, "MMM y", current.get())
        case _:
            return period(start, granularity)


def in_period(start: date, granularity: str) -> str:
    """The period inside a sentence, after “around”: la semaine du 4 mai 2026, mars 2026, le T1 2026."""
    match Granularity(granularity):
        case Granularity.DAY:
            return _("on %(day)s", day=day(start))
        case Granularity.WEEK:
            return _("around the week of %(day)s", day=day(start))
        case Granularity.MONTH:
            return _("around %(month)s", month=period(start, granularity))
        case Granularity.QUARTER:
            return _("around %(quarter)s", quarter=period(start, granularity))
        case Granularity.YEAR:
            return _("around %(year)s", year=start.year)


def between_periods(first: date, last: date, granularity: str) -> str:
    """The span of dates that the data allow, empty when there is only one."""
    if first == last:
        return ""
    match Granularity(granularity):
        case Granularity.DAY | Granularity.WEEK:
            return _("between %(first)s and %(last)s", first=day(first), last=day(last))
        case Granularity.QUARTER:
            return _("between %(first)s and %(last)s", first=period(first, granularity), last=period(last, granularity))
        case Granularity.MONTH | Granularity.YEAR:
            # French gives an article to a day or a quarter, none to a month or a year.
            return _("between %(earliest)s and %(latest)s", earliest=period(first, granularity), latest=period(last, granularity))


def ago(value: date, today: date) -> str:
    """How long ago, roughly, in words."""
    days = (today - value) / timedelta(days=1)
    if days < 1:
        return _("today")
    if days < 14:  # noqa: PLR2004 - two weeks
        return ngettext("%(num)s day ago", "%(num)s days ago", int(days))
    if days < 70:  # noqa: PLR2004 - ten weeks
        return ngettext("%(num)s week ago", "%(num)s weeks ago", int(days // 7))
    if days < 731:  # noqa: PLR2004 - two years
        return ngettext("%(num)s month ago", "%(num)s months ago", int(days // 30.44))
    return ngettext("%(num)s year ago", "%(num)s years ago", int(days // 365.25))
