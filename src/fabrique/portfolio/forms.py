"""The forms of a product: what they show of its sheet, and what is read from them. What was typed always comes back.

Pure: texts by field in, values and faults out. A text that still stands as it was shown changes nothing, so that saving a form
untouched never rewrites what an import brought.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fabrique.language import n_, without_controls
from fabrique.portfolio.checking import FIRST_DAY, Fault, line_faults
from fabrique.portfolio.programme import (
    ACCESSIBILITY_TEXTS,
    QUALITIES,
    STAKES,
    Accessibility,
    Answer,
    accessibility_of,
)
from fabrique.portfolio.rules import Mark, Stage, StaysInvalid, joined, require_stays
from fabrique.portfolio.sheet import LINKS, Budget
from fabrique.tables.numbers import NumberUnreadable, parse
from fabrique.web import formats
from fabrique.web.days import day_from

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from fabrique.portfolio.rules import Stay
    from fabrique.portfolio.sheet import ProductSheet

Values = dict[str, str]
PARTS = {
    "identite": n_("Identity"),
    "enjeux": n_("Mission and stakes"),
    "liens": n_("Links"),
    "qualites": n_("Qualities"),
    "budget": n_("Budget"),
}
"""The parts of a sheet's form, in their order, by the last piece of their address."""
LEADS = {
    "identite": n_("What “%(product)s” is, for whom, and who carries it."),
    "enjeux": n_("What “%(product)s” is for, and the metrics that will show it."),
    "liens": n_("Where “%(product)s” can be seen: its site, its code, its figures."),
    "qualites": n_("What “%(product)s” has of what every public service should have."),
    "budget": n_("What “%(product)s” costs, year by year, and who pays."),
}
"""What each part asks, in a sentence."""
LISTS = ("partners", "audiences", "themes", "technologies")
"""Fields written one item a line."""
MOST_ROWS = 120
NO_DAY = n_("“%(text)s” is not a day; write it as 2026-03-14 or 14/03/2026.")
NO_AMOUNT = n_("“%(text)s” is not an amount; write whole euros, as 120 000.")


@dataclass(slots=True)
class Read:
    """What a form says: the fields of the sheet that it changes, and what cannot be read."""

    changes: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def typed(data: Mapping[str, str]) -> Values:
    """What was typed, without what nobody can see: PostgreSQL keeps no NUL, and a mark of direction makes a name read as another."""
    return {name: without_controls(text) for name, text in data.items()}


def values_of(sheet: ProductSheet, part: str) -> Values:
    """A part's fields as the sheet has them."""
    match part:
        case "identite":
            return identity_values(sheet)
        case "enjeux":
            return stakes_values(sheet)
        case "liens":
            return {name: getattr(sheet, name) for name in LINKS}
        case "qualites":
            answers = {f"quality-{key}": dict(sheet.qualities).get(key, Answer.UNKNOWN.value) for key in QUALITIES}
            return {"accessibility": accessibility_of(sheet.accessibility).value, **answers}
        case _:
            return budget_values(sheet.budget)


def read_part(values: Mapping[str, str], part: str, sheet: ProductSheet, metrics: Collection[str], *, grouped: bool) -> Read:
    """What a part's form says. `metrics`: the keys that exist; `grouped`: whether a comma groups thousands (English)."""
    match part:
        case "identite":
            return read_identity(values, sheet)
        case "enjeux":
            return read_stakes(values, sheet, metrics)
        case "liens":
            return Read({name: values.get(name, getattr(sheet, name)).strip() for name in LINKS})
        case "qualites":
            return read_qualities(values, sheet)
        case _:
            return read_budget(values, grouped=grouped)


def rows_of(values: Mapping[str, str], names: Sequence[str], spare: int = 0) -> range:
    """The rows of a list that a form shows: those in which something is written, and some to fill."""
    written = [re.fullmatch(r"([a-z]+)-([0-9]{1,3})", name) for name, text in values.items() if text.strip()]
    taken = [int(found[2]) for found in written if found and found[1] in names]
    return range(min(MOST_ROWS, max(taken, default=-1) + 1 + spare))


def read_day(values: Mapping[str, str], name: str, faults: list[Fault]) -> date | None:
    """The day of a field; what cannot be read is noted and counts as none."""
    text = values.get(name, "")
    try:
        return day_from(text)
    except ValueError:
        faults.append(Fault(name, NO_DAY, (("text", text[:40]),)))
        return None


def lines(text: str) -> tuple[str, ...]:
    """One item a line, each once."""
    return tuple(dict.fromkeys(item for line in text.splitlines() if (item := " ".join(line.split()))))


def untouched(values: Mapping[str, str], name: str, shown: str) -> bool:
    """Whether a field still says what it was shown with (a browser sends its own line ends)."""
    return name not in values or values[name].replace("\r\n", "\n").strip() == without_controls(shown).strip()


def identity_values(sheet: ProductSheet) -> Values:
    """Name, problem, incubator, sponsors and lists."""
    values = {"name": sheet.name, "pitch": sheet.pitch, "incubator": sheet.incubator}
    values |= {f"sponsor-{place}": key for place, key in enumerate(sheet.sponsors)}
    return values | {name: "\n".join(getattr(sheet, name)) for name in LISTS}


def read_identity(values: Mapping[str, str], sheet: ProductSheet) -> Read:
    """The same, as typed."""
    shown = identity_values(sheet)
    changes: dict[str, Any] = {
        "incubator": values.get("incubator", sheet.incubator),
        "sponsors": tuple(
            dict.fromkeys(key for place in rows_of(values, ["sponsor"]) if (key := values.get(f"sponsor-{place}", "").strip()))
        ),
    }
    if not untouched(values, "name", shown["name"]):
        changes["name"] = " ".join(values["name"].split())
    if not untouched(values, "pitch", shown["pitch"]):
        changes["pitch"] = values["pitch"].replace("\r\n", "\n").strip()
    changes |= {name: lines(values[name]) for name in LISTS if not untouched(values, name, shown[name])}
    return Read(changes)


def stakes_values(sheet: ProductSheet) -> Values:
    """Mission, and each stake with its metric."""
    values = {"mission": sheet.mission}
    for key, metric in sheet.stakes:
        values |= {f"stake-{key}": "true", f"metric-{key}": metric}
    return values


def read_stakes(values: Mapping[str, str], sheet: ProductSheet, metrics: Collection[str]) -> Read:
    """The same, as typed. A stake may wait for its metric; one named before stays good whatever the catalogue says now."""
    now, read = dict(sheet.stakes), Read({"mission": values.get("mission", sheet.mission)})
    found = {key: metric for key, metric in now.items() if key not in STAKES}
    for key in STAKES:
        if values.get(f"stake-{key}") != "true":
            continue
        found[key] = values.get(f"metric-{key}", "")
        if found[key] and found[key] not in metrics and found[key] != now.get(key):
            message = n_("No metric is called “%(key)s”; choose one of the list.")
            read.faults.append(Fault(f"metric-{key}", message, (("key", found[key][:80]),)))
    read.changes["stakes"] = tuple(found.items())
    return read


def read_qualities(values: Mapping[str, str], sheet: ProductSheet) -> Read:
    """Each quality's answer and what is declared of accessibility. What nobody tells is left out."""
    now, read = dict(sheet.qualities), Read()
    found = {key: answer for key, answer in now.items() if key not in QUALITIES}
    for key in QUALITIES:
        answer = values.get(f"quality-{key}", now.get(key, Answer.UNKNOWN))
        if answer not in set(Answer):
            read.faults.append(Fault(f"quality-{key}", n_("This quality or this answer does not exist.")))
        elif answer != Answer.UNKNOWN or now.get(key) == Answer.UNKNOWN:
            found[key] = answer
    read.changes["qualities"] = tuple(found.items())
    declared = values.get("accessibility", "")
    if declared not in set(Accessibility):
        read.faults.append(Fault("accessibility", n_("This quality or this answer does not exist.")))
    elif declared != accessibility_of(sheet.accessibility):
        read.changes["accessibility"] = ACCESSIBILITY_TEXTS[Accessibility(declared)]
    return read


LINE = ("year", "funder", "planned", "spent")


def budget_values(budget: Iterable[Budget]) -> Values:
    """The lines of a budget."""
    values: Values = {}
    for place, line in enumerate(budget):
        cells = (
            str(line.year),
            line.funder,
            *(formats.number(one) if one is not None else "" for one in (line.planned, line.spent)),
        )
        values |= {f"{name}-{place}": cell for name, cell in zip(LINE, cells, strict=True)}
    return values


def read_budget(values: Mapping[str, str], *, grouped: bool) -> Read:
    """The lines as typed; a row in which nothing is written is none."""
    read, found = Read(), []
    for place in rows_of(values, LINE):
        cells = {name: values.get(f"{name}-{place}", "").strip() for name in LINE}
        if not any(cells.values()):
            continue
        faults: list[Fault] = []
        line = Budget(year_of(cells["year"], faults), " ".join(cells["funder"].split()),
                      amount_of(cells, "planned", faults, grouped=grouped), amount_of(cells, "spent", faults, grouped=grouped))  # fmt: skip
        known = {one.field for one in faults}
        unread_amount = bool(known & {"planned", "spent"})
        faults += [
            one
            for one in line_faults(line)
            if one.field not in known and not ("year" in known) | (unread_amount and one.field == "planned")
        ]
        read.faults += [Fault(f"{one.field}-{place}", one.message, one.values) for one in faults]
        found.append(line)
    read.changes["budget"] = tuple(found)
    return read


def year_of(text: str, faults: list[Fault]) -> int:
    """A year; what is none is noted and counts as 0."""
    if re.fullmatch(r"[0-9]{4}", text):
        return int(text)
    faults.append(Fault("year", n_("“%(text)s” is not a year; write it as 2026."), (("text", text[:20]),)))
    return 0


def amount_of(cells: Mapping[str, str], name: str, faults: list[Fault], *, grouped: bool) -> int | None:
    """Whole euros; what cannot be read, or can be read in two ways, is noted and counts as none."""
    text = cells[name]
    bare = re.sub(r"\s*(€|EUR|euros?)$", "", text, flags=re.IGNORECASE).strip()
    if not bare:
        return None
    if re.fullmatch(r"\d{1,3}\.\d{3}" if grouped else r"\d{1,3}[.,]\d{3}", bare):
        message = AMBIGUOUS
    else:
        message = NO_AMOUNT
        with suppress(NumberUnreadable):
            number = parse(bare, grouped=grouped)
            if number == int(number):
                return int(number)
    faults.append(Fault(name, message, (("text", text[:40]),)))
    return None


AMBIGUOUS = n_("“%(text)s” can be read in two ways; write 120 or 120 000.")


@dataclass(frozen=True, slots=True)
class YearTotal:
    """What a year's lines amount to; None where no line tells."""

    year: int
    planned: int | None
    spent: int | None


def totals(budget: Iterable[Budget]) -> list[YearTotal]:
    """The budget by year."""
    by_year: dict[int, list[Budget]] = {}
    for line in budget:
        if line.year:
            by_year.setdefault(line.year, []).append(line)
    return [
        YearTotal(year, total(one.planned for one in found), total(one.spent for one in found))
        for year, found in sorted(by_year.items())
    ]


def total(amounts: Iterable[int | None]) -> int | None:
    """The sum of what is told."""
    told = [one for one in amounts if one is not None]
    return sum(told) if told else None


STAY = ("stage", "start")


def stay_values(stays: Iterable[Stay]) -> Values:
    """The first days of stays."""
    values: Values = {}
    for place, stay in enumerate(stays):
        values |= {f"stage-{place}": stay.stage, f"start-{place}": stay.start.isoformat(), f"mark-{place}": stay.mark}
    return values


def read_stays(values: Mapping[str, str], faults: list[Fault]) -> list[tuple[int, tuple[Stage, date, Mark]]]:
    """The rows as typed, each with its place; one that is taken away, or in which nothing is written, is none."""
    found = []
    for place in rows_of(values, STAY):
        stage, text = values.get(f"stage-{place}", ""), values.get(f"start-{place}", "").strip()
        if values.get(f"gone-{place}") == "true" or not (stage or text):
            continue
        before = len(faults)
        day = read_day(values, f"start-{place}", faults)
        if stage not in set(Stage):
            faults.append(Fault(f"stage-{place}", n_("Choose the phase that begins on that day.")))
        if day is None and not text:
            faults.append(Fault(f"start-{place}", n_("Give the first day of this phase.")))
        mark = values.get(f"mark-{place}", Mark.KNOWN)
        if mark not in set(Mark):
            faults.append(Fault(f"mark-{place}", n_("Say whether the day is known or estimated.")))
        if len(faults) == before and day is not None:
            found.append((place, (Stage(stage), day, Mark(mark))))
    return found


def troubled_row(rows: Sequence[tuple[int, tuple[Stage, date, Mark]]], today: date) -> int:
    """The place of the first row that does not follow those before it; of the first one where all do."""
    starts = [start for _place, start in rows]
    for length, (place, (_stage, day, _mark)) in enumerate(rows, 1):
        try:
            require_stays(joined(starts[:length]), today)
        except StaysInvalid:
            return place
        if day < FIRST_DAY:
            return place
    return rows[0][0] if rows else 0
