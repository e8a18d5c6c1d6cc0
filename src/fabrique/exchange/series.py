"""One series as a CSV: a period and its figures, no database needed. What `fabrique detect` reads."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from fabrique.clock import SEASON, Period, PeriodInvalid, parse_period, shortened
from fabrique.language import _, n_
from fabrique.stats.measurements import Measurements, means, proportions, scores, values
from fabrique.tables import numbers
from fabrique.tables.textfile import FileUnreadable, open_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fabrique.tables.textfile import TextTable

FAULTS = (
    n_("the numerator is above the denominator"),
    n_("the numerator is negative"),
    n_("the denominator is negative"),
    n_("the n is negative"),
    n_("the sum of squares is negative"),
    n_("the sum of squares is too small for the sum"),
    n_("a count is negative"),
)
"""What stats.measurements says of impossible figures, for the catalogues."""
INTEGER = re.compile(r"[+-]?\d{1,15}")
FORMS: dict[tuple[str, ...], Callable[..., Measurements]] = {
    ("numerator", "denominator"): proportions,
    ("n", "sum", "sum_sq"): means,
    ("value",): values,
}

LONGEST = 1_000_000
"""Periods; what has more is not read to its end."""


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """A series in period order."""

    periods: tuple[str, ...]
    measurements: Measurements
    season: float = 0.0
    """Periods after which the calendar repeats itself; 0 for bare integers."""


def read_series(path: Path) -> SeriesFile:
    """The series in a file. Raises FileUnreadable, naming the line, for whatever cannot be understood."""
    table = open_table(path)
    columns = columns_of(table)
    place = {name: table.header.index(name) for name in ("period", *columns)}
    rows: list[tuple[int, str, list[float]]] = []
    for line, cells in table.rows():
        if len(rows) == LONGEST:
            raise at(path, line, _("the series has more than %(most)s periods", most=LONGEST))
        if len(cells) != len(table.header):
            raise at(path, line, _("%(given)s cells instead of %(expected)s", given=len(cells), expected=len(table.header)))
        figures = [figure(path, line, name, cells[place[name]]) for name in columns]
        rows.append((line, cells[place["period"]].strip(), figures))
    if not rows:
        raise FileUnreadable(n_("%(file)s holds no rows."), file=path)
    ordered, season = in_order(path, rows)
    figures_by_column = list(zip(*(figures for _line, _period, figures in ordered), strict=True))
    return SeriesFile(
        tuple(period for _line, period, _figures in ordered), measure(path, columns, figures_by_column, ordered), season
    )


def columns_of(table: TextTable) -> tuple[str, ...]:
    """The columns that hold the figures. Raises FileUnreadable where the header does not say."""
    if "period" not in table.header:
        raise FileUnreadable(
            n_("%(file)s: the header lacks %(columns)s; it must hold period and the figures."),
            file=table.path,
            columns="period",
        )
    levels = sorted((name for name in table.header if re.fullmatch(r"level_\d{1,2}", name)), key=lambda n: int(n[6:]))
    if levels:
        expected = [f"level_{place}" for place in range(1, len(levels) + 1)]
        if levels != expected or len(levels) == 1:
            missing = next((name for name in expected if name not in levels), "level_2")
            raise FileUnreadable(
                n_("%(file)s: the column %(column)s is missing; levels are numbered from 1, the worst, on."),
                file=table.path,
                column=missing,
            )
        return tuple(levels)
    for names in FORMS:
        if all(name in table.header for name in names):
            return names
    raise FileUnreadable(
        n_("%(file)s: the header holds no figures (numerator,denominator, value, n,sum,sum_sq or level_1…)."),
        file=table.path,
    )


def figure(path: Path, line: int, name: str, text: str) -> float:
    """A cell's number; an empty cell is a missing period."""
    if not text.strip():
        return math.nan
    try:
        return numbers.parse(text)
    except numbers.NumberUnreadable as error:
        raise at(path, line, _("%(column)s “%(text)s”: %(why)s", column=name, text=shortened(text), why=error)) from error


def in_order(path: Path, rows: list[tuple[int, str, list[float]]]) -> tuple[list[tuple[int, str, list[float]]], float]:
    """The rows by period, and the season that the calendar gives them. Raises FileUnreadable for mixed or double periods."""
    if all(INTEGER.fullmatch(text) for _line, text, _figures in rows) and not looks_like_years(rows):
        keyed, season = [(int(text), line, str(int(text)), figures) for line, text, figures in rows], 0.0
    else:
        periods = [(parsed(path, line, text), line, figures) for line, text, figures in rows]
        if len({period.granularity for period, _line, _figures in periods}) > 1:
            odd = next(line for period, line, _f in periods if period.granularity is not periods[0][0].granularity)
            raise at(path, odd, _("days, weeks, months, quarters and years cannot be mixed in one series"))
        keyed = [(period.ordinal, line, str(period), figures) for period, line, figures in periods]
        season = SEASON[periods[0][0].granularity]
    keyed.sort(key=lambda row: (row[0], row[1]))
    for before, after in pairwise(keyed):
        if before[0] == after[0]:
            raise at(path, after[1], _("the same period as line %(line)s", line=before[1]))
    return [(line, text, figures) for _key, line, text, figures in keyed], season


def looks_like_years(rows: list[tuple[int, str, list[float]]]) -> bool:
    """Whether every whole number can be a year."""
    return all(len(text) == 4 and 1500 <= int(text) <= 2200 for _line, text, _figures in rows)  # noqa: PLR2004


def parsed(path: Path, line: int, text: str) -> Period:
    """The period in a cell. Raises FileUnreadable."""
    try:
        return parse_period(text)
    except PeriodInvalid as error:
        raise at(path, line, str(error)) from error


def measure(
    path: Path,
    columns: tuple[str, ...],
    figures: list[tuple[float, ...]],
    ordered: list[tuple[int, str, list[float]]],
) -> Measurements:
    """The measurements of the columns. A period with any empty cell is missing."""
    complete = [all(not math.isnan(number) for number in row) for _line, _period, row in ordered]
    cleaned = [[number if whole else math.nan for number, whole in zip(column, complete, strict=True)] for column in figures]
    try:
        if columns in FORMS:
            return FORMS[columns](*cleaned)
        # Levels without marks of their own are spread evenly over 0 to 10, as every shipped scale is.
        marks = [10.0 * place / max(1, len(columns) - 1) for place in range(len(columns))]
        return scores(list(zip(*cleaned, strict=True)), marks)
    except ValueError as error:
        # stats/ knows no language: its own words are msgids here.
        found = re.fullmatch(r"period (\d+): (.*) \((.*)\)", str(error))
        if found is None:
            raise FileUnreadable(n_("%(file)s: %(why)s."), file=path, why=error) from error
        raise at(path, ordered[int(found[1])][0], f"{_(found[2])} ({found[3]})") from error


def at(path: Path, line: int, why: str) -> FileUnreadable:
    """The fault at a line."""
    return FileUnreadable(n_("%(file)s, line %(line)s: %(why)s."), file=path, line=line, why=why)
