"""What is wrong with a sheet that somebody writes: each fault with its field, so that a form can say it in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fabrique.language import Problem, _, n_, written
from fabrique.portfolio.programme import MISSIONS, QUALITIES, STAKES, Answer
from fabrique.portfolio.sheet import LINKS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from fabrique.portfolio.sheet import Budget, Event, ProductSheet

LONGEST_NAME, LONGEST_TEXT, LONGEST_LINK, MOST_ITEMS = 300, 20_000, 2_000, 100
FIRST_DAY, FIRST_YEAR, LAST_YEAR = date(1990, 1, 1), 1990, 2100
LARGEST_AMOUNT = 10**12
"""Euros: a slip of the keyboard, not a product's budget."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field, as a msgid with its values, told as those of a Problem are."""

    field: str
    message: str
    values: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return _(self.message, **{name: written(one) for name, one in self.values})


class SheetInvalid(Problem):
    """Some fields cannot be kept as written."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__(n_("The sheet cannot be saved as it is: see the fields below."))
        self.faults = tuple(faults)


def sheet_faults(
    sheet: ProductSheet, fields: Collection[str], *, incubators: Collection[str], organisations: Collection[str]
) -> list[Fault]:
    """What is wrong in those fields. `incubators` and `organisations`: the keys that exist."""
    found = [
        *name_faults(sheet),
        *text_faults(sheet),
        *link_faults(sheet),
        *key_faults(sheet, incubators, organisations),
        *budget_faults(sheet),
        *event_faults(sheet),
    ]
    return [fault for fault in found if fault.field in fields]


def name_faults(sheet: ProductSheet) -> Iterator[Fault]:
    """A product has a name, of a sensible length."""
    if not sheet.name.strip():
        yield Fault("name", n_("Give the product a name."))
    if len(sheet.name) > LONGEST_NAME:
        yield Fault(
            "name", n_("%(length)s characters; %(most)s are enough for a name."), _v(length=len(sheet.name), most=LONGEST_NAME)
        )


def text_faults(sheet: ProductSheet) -> Iterator[Fault]:
    """Texts and lists have a bound."""
    if len(sheet.pitch) > LONGEST_TEXT:
        yield Fault("pitch", n_("Fewer than %(most)s characters, please."), _v(most=LONGEST_TEXT))
    for name in ("audiences", "themes", "technologies", "partners", "sponsors"):
        items = getattr(sheet, name)
        if len(items) > MOST_ITEMS or any(len(item) > LONGEST_NAME for item in items):
            yield Fault(name, n_("At most %(most)s lines of %(length)s characters."), _v(most=MOST_ITEMS, length=LONGEST_NAME))


def link_faults(sheet: ProductSheet) -> Iterator[Fault]:
    """A link begins with https:// or http://, and names a site."""
    for name in LINKS:
        if text := getattr(sheet, name):
            if len(text) > LONGEST_LINK:
                yield Fault(name, n_("This address is too long."))
            elif not is_link(text):
                yield Fault(name, n_("Write the whole address, from https:// on."))


def is_link(text: str) -> bool:
    """Whether a text is a web address."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not any(one.isspace() for one in text)


def key_faults(sheet: ProductSheet, incubators: Collection[str], organisations: Collection[str]) -> Iterator[Fault]:
    """What is chosen from a list is in the list."""
    if sheet.incubator and sheet.incubator not in incubators:
        yield Fault("incubator", n_("No incubator is called “%(key)s”; choose one of the list."), _v(key=sheet.incubator[:80]))
    for key in sheet.sponsors:
        if key not in organisations:
            yield Fault("sponsors", n_("No organisation is called “%(key)s”; choose one of the list."), _v(key=key[:80]))
    if sheet.mission and sheet.mission not in MISSIONS:
        yield Fault("mission", n_("No mission is called “%(key)s”."), _v(key=sheet.mission[:80]))
    if {key for key, _metric in sheet.stakes} - STAKES.keys():
        yield Fault("stakes", n_("The programme has six stakes; this is none of them."))
    for key, answer in sheet.qualities:
        if key not in QUALITIES or answer not in set(Answer):
            yield Fault("qualities", n_("This quality or this answer does not exist."))


def budget_faults(sheet: ProductSheet) -> Iterator[Fault]:
    """Every line of the budget can be kept."""
    if len(sheet.budget) > MOST_ITEMS:
        yield Fault("budget", n_("At most %(most)s lines of budget."), _v(most=MOST_ITEMS))
    for line in sheet.budget:
        yield from (replace(fault, field="budget") for fault in line_faults(line))


def line_faults(line: Budget) -> Iterator[Fault]:
    """A budget line has a year, a funder, and whole amounts; each fault names the line's own field."""
    if not FIRST_YEAR <= line.year <= LAST_YEAR:
        yield Fault("year", n_("%(year)s is not a year of a budget."), _v(year=line.year))
    if not line.funder.strip() or len(line.funder) > LONGEST_NAME:
        yield Fault("funder", n_("Say who pays in %(year)s."), _v(year=line.year))
    if line.planned is None and line.spent is None:
        yield Fault("planned", n_("Give an amount planned or spent for %(year)s."), _v(year=line.year))
    for name, amount in (("planned", line.planned), ("spent", line.spent)):
        if amount is not None and not 0 <= amount <= LARGEST_AMOUNT:
            yield Fault(name, n_("An amount is written in euros, from 0 to a thousand billion."))


def event_faults(sheet: ProductSheet) -> Iterator[Fault]:
    """Every event can be kept."""
    for event in sheet.events:
        yield from (replace(fault, field="events") for fault in one_event_faults(event))


def one_event_faults(event: Event) -> Iterator[Fault]:
    """An event has a day that is a product's, a comment of a bounded length and a link that is one."""
    if event.day < FIRST_DAY or event.day.year > LAST_YEAR:
        yield Fault("day", n_("%(day)s is not a day of a product’s life."), _v(day=event.day))
    if len(event.comment) > LONGEST_TEXT:
        yield Fault("comment", n_("Fewer than %(most)s characters, please."), _v(most=LONGEST_TEXT))
    if event.link and (not is_link(event.link) or len(event.link) > LONGEST_LINK):
        yield Fault("link", n_("Write the whole address, from https:// on."))


def _v(**values: object) -> tuple[tuple[str, object], ...]:
    return tuple(values.items())
