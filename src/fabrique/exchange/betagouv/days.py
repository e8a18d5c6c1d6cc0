"""Dates as sheets write them: whole ones however they were typed, and months or years alone, of which the first day is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from fabrique.clock import PARIS
from fabrique.exchange.betagouv.entry import plain
from fabrique.language import _
from fabrique.portfolio.checking import FIRST_DAY, LAST_YEAR

WHOLE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?", re.ASCII | re.DOTALL)
MONTH = re.compile(r"(\d{4})-(\d{1,2})", re.ASCII)
YEAR = re.compile(r"(\d{4})", re.ASCII)


class NoDay(ValueError):
    """What was written is no day of a product's life; the argument says why."""


@dataclass(frozen=True, slots=True)
class ToldDay:
    """A day, and whether the sheet tells it to the day."""

    day: date
    exact: bool = True


def told_day(value: object) -> ToldDay | None:
    """A date, however YAML or JSON took it; None where there is none. Raises NoDay."""
    found = read_day(value)
    if found is not None and (found.day < FIRST_DAY or found.day.year > LAST_YEAR):
        raise NoDay(_("this is not a day of a product’s life"))
    return found


def read_day(value: object) -> ToldDay | None:
    """The date that a value holds. Raises NoDay."""
    match value:
        case None:
            return None
        case datetime():
            return ToldDay(in_paris(value))
        case date():
            return ToldDay(value)
        case int() if not isinstance(value, bool):
            return written_day(plain(value))
        case str() if not value.strip():
            return None
        case str():
            return written_day(value.strip())
        case _:
            raise NoDay(_("this is not a date"))


def in_paris(moment: datetime) -> date:
    """The day that a moment falls on there; a moment without a zone is one of there. Raises NoDay."""
    try:
        return (moment.astimezone(PARIS) if moment.tzinfo else moment).date()
    except OverflowError as error:
        raise NoDay(_("this date does not exist")) from error


def written_day(text: str) -> ToldDay:
    """The date that a text holds. Raises NoDay."""
    try:
        if found := WHOLE.fullmatch(text):
            return ToldDay(date(int(found[1]), int(found[2]), int(found[3])))
        if found := MONTH.fullmatch(text):
            return ToldDay(date(int(found[1]), int(found[2]), 1), exact=False)
        if found := YEAR.fullmatch(text):
            return ToldDay(date(int(found[1]), 1, 1), exact=False)
    except ValueError as error:
        raise NoDay(_("this date does not exist")) from error
    raise NoDay(_("this is not a date"))
