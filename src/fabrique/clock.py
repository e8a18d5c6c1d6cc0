"""Now, today and periods, as Paris sees them. Tests pass their own clock.

A period is what a figure is about: a day, an ISO week, a month, a quarter, a year; or a bare integer where no calendar is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from fabrique.language import Problem, n_

PARIS = ZoneInfo("Europe/Paris")


class PeriodInvalid(Problem):
    """A text is not a period."""


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """The present moment, with a time zone."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that stands still until told otherwise, for tests and simulations."""

    moment: datetime

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.moment

    def advance(self, delta: timedelta) -> None:
        """Let time pass."""
        self.moment += delta


def today(clock: Clock) -> date:
    """The date in Paris."""
    return clock.now().astimezone(PARIS).date()


class Granularity(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


PER_YEAR = {
    Granularity.DAY: 365,
    Granularity.WEEK: 52,
    Granularity.MONTH: 12,
    Granularity.QUARTER: 4,
    Granularity.YEAR: 1,
}
"""Periods in a year."""

SEASON = {
    Granularity.DAY: 7.0,
    Granularity.WEEK: 52.1775,
    Granularity.MONTH: 12.0,
    Granularity.QUARTER: 4.0,
    Granularity.YEAR: 0.0,
}
"""Periods after which a series of that length may repeat itself: a week of days, a year of the others."""

DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)
MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)
YEAR = re.compile(r"(\d{4})", re.ASCII)
FIRST_YEAR, LAST_YEAR = 1000, 2999
"""Years that a figure can be about; the calendar itself ends where years have five digits."""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A day, ISO week, month, quarter or year, by its first day."""

    start: date
    granularity: Granularity

    @classmethod
    def containing(cls, day: date, granularity: Granularity) -> Period:
        """The period of that length that holds the day."""
        match granularity:
            case Granularity.DAY:
                return cls(day, granularity)
            case Granularity.WEEK:
                return cls(day - timedelta(days=day.weekday()), granularity)
            case Granularity.MONTH:
                return cls(day.replace(day=1), granularity)
            case Granularity.QUARTER:
                return cls(date(day.year, 3 * ((day.month - 1) // 3) + 1, 1), granularity)
            case Granularity.YEAR:
                return cls(date(day.year, 1, 1), granularity)

    @property
    def following(self) -> Period:
        """The period right after."""
        match self.granularity:
            case Granularity.DAY:
                inside = self.start + timedelta(days=1)
            case Granularity.WEEK:
                inside = self.start + timedelta(days=7)
            case Granularity.MONTH:
                inside = self.start + timedelta(days=31)
            case Granularity.QUARTER:
                inside = self.start + timedelta(days=93)
            case _:
                inside = self.start + timedelta(days=366)
        return Period.containing(inside, self.granularity)

    @property
    def ordinal(self) -> int:
        """A number that grows by one from a period to the next."""
        match self.granularity:
            case Granularity.DAY:
                return self.start.toordinal()
            case Granularity.WEEK:
                return self.start.toordinal() // 7
            case Granularity.MONTH:
                return 12 * self.start.year + self.start.month - 1
            case Granularity.QUARTER:
                return 4 * self.start.year + (self.start.month - 1) // 3
            case Granularity.YEAR:
                return self.start.year

    def __str__(self) -> str:
        match self.granularity:
            case Granularity.DAY:
                return self.start.isoformat()
            case Granularity.WEEK:
                year, week, _day = self.start.isocalendar()
                return f"{year:04}-W{week:02}"
            case Granularity.MONTH:
                return f"{self.start.year:04}-{self.start.month:02}"
            case Granularity.QUARTER:
                return f"{self.start.year:04}-Q{(self.start.month - 1) // 3 + 1}"
            case Granularity.YEAR:
                return f"{self.start.year:04}"


def parse_period(text: str) -> Period:
    """The period written `2026-03-14`, `2026-W11`, `2026-03`, `2026-Q1` or `2026`. Raises PeriodInvalid."""
    text = text.strip()
    if YEAR.match(text) and not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise PeriodInvalid(n_("the period “%(text)s” does not exist"), text=shortened(text))
    try:
        if found := DAY.fullmatch(text):
            return Period(date(int(found[1]), int(found[2]), int(found[3])), Granularity.DAY)
        if found := WEEK.fullmatch(text):
            return Period(date.fromisocalendar(int(found[1]), int(found[2]), 1), Granularity.WEEK)
        if found := MONTH.fullmatch(text):
            return Period(date(int(found[1]), int(found[2]), 1), Granularity.MONTH)
        if found := QUARTER.fullmatch(text):
            return Period(date(int(found[1]), 3 * int(found[2]) - 2, 1), Granularity.QUARTER)
        if found := YEAR.fullmatch(text):
            return Period(date(int(found[1]), 1, 1), Granularity.YEAR)
    except ValueError as error:
        raise PeriodInvalid(n_("the period “%(text)s” does not exist"), text=text) from error
    raise PeriodInvalid(
        n_("“%(text)s” is not a period; write 2026-03-14, 2026-W11, 2026-03, 2026-Q1 or 2026"), text=shortened(text)
    )


def shortened(text: str, length: int = 60) -> str:
    """The text, cut so that a hostile one does not fill a report."""
    return text if len(text) <= length else text[: length - 1] + "…"
