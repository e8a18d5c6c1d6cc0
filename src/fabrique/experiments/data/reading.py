"""From tables to rows, checked against the plan; every bad cell is told with its line and the good rows are kept apart from it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from fabrique.clock import Granularity, Period, PeriodInvalid, parse_period, shortened
from fabrique.experiments.data.rows import Count, Data, Event, RowFault, SeriesValue, Unit
from fabrique.experiments.plan.reading import EXPOSURE
from fabrique.experiments.plan.schema import Kind, Metric, Outcome, Plan
from fabrique.language import n_
from fabrique.tables import numbers
from fabrique.tables.cells import starts_formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fabrique.experiments.data.rows import Segment

LEVEL = re.compile(r"level_(\d{1,2})")
MOST_FAULTS = 100
"""Faults told of one table; beyond it something is wrong with the table, not with its cells."""
DATED = frozenset({Kind.AB, Kind.AB_CLUSTER, Kind.PILOT})
"""Kinds whose figures all stand between the plan's start and its end; the others look back on purpose."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text cells with the line each row starts on."""

    name: str
    header: tuple[str, ...]
    rows: Sequence[tuple[int, list[str]]]


def table_from_text(name: str, text: str) -> Table:
    """A table that somebody pasted or sent: comma, semicolon or tab."""
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    header = tuple(cell.strip().lstrip("\ufeff") for cell in next(reader, []))
    rows: list[tuple[int, list[str]]] = []
    line = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            rows.append((line, cells))
        line = reader.line_num + 1
    return Table(name, header, rows)


class Cells:
    """One row's cells by name; a getter that fails notes the fault and answers None."""

    def __init__(self, table: Table, line: int, cells: Sequence[str], faults: list[RowFault]) -> None:
        self.table, self.line, self.faults = table, line, faults
        self.values = {name: cell.strip() for name, cell in zip(table.header, cells, strict=False)}
        self.count_before = len(faults)
        if len(cells) != len(table.header):
            self.fault("", n_("%(given)s cells instead of %(expected)s"), given=len(cells), expected=len(table.header))

    def sound(self) -> bool:
        """Whether the row has no fault so far."""
        return len(self.faults) == self.count_before

    def fault(self, column: str, message: str, /, **values: object) -> None:
        """Note a fault."""
        value = shortened(self.values.get(column, ""))
        self.faults.append(RowFault(self.table.name, self.line, column, value, message, values))

    def text(self, column: str, *, required: bool = False) -> str:
        """A text."""
        value = self.values.get(column, "")
        if required and not value:
            self.fault(column, n_("empty"))
        return value

    def number(self, column: str, *, whole: bool = False, least: float = float("-inf")) -> float | None:
        """A number; None where the cell is empty."""
        if not (text := self.values.get(column, "")):
            return None
        try:
            value = numbers.parse(text)
        except numbers.NumberUnreadable as error:
            self.fault(column, error.message)
            return None
        if value < least:
            self.fault(column, n_("a count cannot be negative") if least == 0 else n_("out of range"))
            return None
        if whole and not value.is_integer():
            self.fault(column, n_("a count is a whole number"))
            return None
        return value

    def day(self, column: str, *, required: bool = True) -> date | None:
        """A date."""
        if not (text := self.text(column, required=required)):
            return None
        try:
            found = FRENCH_DAY.fullmatch(text)
            return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(text)
        except ValueError:
            self.fault(column, n_("a date was expected, such as 2026-11-24"))
            return None

    def one_of(self, column: str, choices: Iterable[str], message: str) -> str:
        """A key that the plan knows."""
        text = self.text(column, required=True)
        known = list(choices)
        if text and text not in known:
            self.fault(column, message, known=", ".join(known))
        return text


UNKNOWN_ARM = n_("the plan knows no such arm (%(known)s)")
UNKNOWN_METRIC = n_("the plan knows no such metric (%(known)s)")


def misses(table: Table, columns: Iterable[str], faults: list[RowFault]) -> bool:
    """Whether the header lacks a column; says which."""
    missing = [name for name in columns if name not in table.header]
    if missing:
        faults.append(RowFault(table.name, 0, "", "", n_("the header lacks %(columns)s"), {"columns": ", ".join(missing)}))
    twice = sorted({name for name in table.header if name and table.header.count(name) > 1})
    if twice:
        faults.append(RowFault(table.name, 0, "", "", n_("the header has %(columns)s twice"), {"columns": ", ".join(twice)}))
    return bool(missing or twice)


def each(table: Table, faults: list[RowFault]) -> Iterable[Cells]:
    """The rows, until there are too many faults to be of use."""
    before = len(faults)
    for line, cells in table.rows:
        if len(faults) - before >= MOST_FAULTS:
            faults.append(RowFault(table.name, line, "", "", n_("too many faults; the rest was not read")))
            return
        row = Cells(table, line, cells, faults)
        if row.sound():
            yield row


def counts_from(tables: Sequence[Table], plan: Plan) -> tuple[list[Count], list[RowFault]]:
    """The counts of every table: date, arm, metric, then n,x | n,sum,sum_sq | level_1…; subgroup columns where the plan has them."""
    faults: list[RowFault] = []
    counts: list[Count] = []
    seen: dict[tuple[str, str, str, Segment], tuple[str, int]] = {}
    for table in tables:
        if misses(table, ("date", "arm", "metric"), faults):
            continue
        unknown_columns(table, plan, faults)
        for row in each(table, faults):
            count = count_from(row, plan)
            if count is None:
                continue
            if (before := seen.get(count.key)) is not None:
                row.fault("", n_("the same date, arm and metric as %(file)s, line %(line)s"), file=before[0], line=before[1])
                continue
            seen[count.key] = (table.name, row.line)
            counts.append(count)
    return counts, faults


def unknown_columns(table: Table, plan: Plan, faults: list[RowFault]) -> None:
    """A column that nobody would read is told: a misspelt one would be lost in silence."""
    known = {"date", "arm", "metric", "n", "x", "sum", "sum_sq", *plan.analysis.subgroups}
    odd = [name for name in table.header if name not in known and not LEVEL.fullmatch(name)]
    if odd:
        message = n_("unknown columns: %(columns)s; subgroups are named in analysis.subgroups")
        faults.append(RowFault(table.name, 0, "", "", message, {"columns": ", ".join(odd)}))


def count_from(row: Cells, plan: Plan) -> Count | None:
    """One row of counts; None after noting its faults."""
    day = row.day("date")
    arm = row.one_of("arm", (one.key for one in plan.arms), UNKNOWN_ARM)
    key = row.one_of("metric", (*(one.key for one in plan.metrics), EXPOSURE), UNKNOWN_METRIC)
    if not row.sound() or day is None:
        return None
    when_fits(row, "date", day, plan)
    made = Count(day, arm, key, 0.0, segment=segment_of(row, plan))
    metric = plan.metric(key)
    if metric is not None and plan.design.kind is Kind.AB_CLUSTER:
        row.fault("metric", n_("clusters are compared from units.csv, with one cluster a unit; counts hide them"))
    made = figures_of(row, metric, made) if metric is not None else replace(made, n=needed(row, "n", whole=True))
    return made if row.sound() else None


def figures_of(row: Cells, metric: Metric, bare: Count) -> Count:
    """The figures that the metric's type needs."""
    match metric.type:
        case Outcome.ORDINAL:
            return levels_of(row, metric, bare)
        case Outcome.BINARY:
            n, x = needed(row, "n", whole=True), needed(row, "x", whole=True)
            if x > n and row.sound():
                row.fault("x", n_("more successes than units (n = %(n)s)"), n=f"{n:.0f}")
            return replace(bare, n=n, x=x)
        case Outcome.RATE:
            n, x = needed(row, "n"), needed(row, "x", whole=True)
            if x > 0 and n == 0 and row.sound():
                row.fault("n", n_("events without any exposure"))
            return replace(bare, n=n, x=x)
        case Outcome.MEAN | Outcome.DURATION:
            return moments_of(row, bare)


def needed(row: Cells, column: str, *, whole: bool = False) -> float:
    """A count that must be there; 0 after noting its absence."""
    if row.values.get(column, "") == "":
        row.fault(column, n_("empty"))
        return 0.0
    return row.number(column, whole=whole, least=0) or 0.0


def moments_of(row: Cells, bare: Count) -> Count:
    """n, sum and sum of squares."""
    n = needed(row, "n", whole=True)
    total, squares = row.number("sum"), row.number("sum_sq", least=0)
    for column, value in (("sum", total), ("sum_sq", squares)):
        if value is None and not row.values.get(column, ""):
            row.fault(column, n_("empty"))
    if total is None or squares is None or not row.sound():
        return bare
    if n == 0 and (total or squares):
        row.fault("n", n_("a sum without any unit"))
    if n > 0 and squares < total * total / n * (1 - 1e-9):
        row.fault("sum_sq", n_("too small for this sum: no sample has these figures"))
    return replace(bare, n=n, total=total, total_of_squares=squares)


def levels_of(row: Cells, metric: Metric, bare: Count) -> Count:
    """Answers by level. As many levels as the plan names, where it names them."""
    names = sorted((name for name in row.values if LEVEL.fullmatch(name)), key=lambda name: int(name[6:]))
    filled = [name for name in names if row.values[name]]
    size = len(metric.levels) or len(metric.marks) or len(metric.baseline_levels) or len(filled)
    expected = [f"level_{place}" for place in range(1, size + 1)]
    if filled != expected or size < 2:  # noqa: PLR2004 - one level is no scale
        row.fault("", n_("%(given)s levels are filled; the plan has %(expected)s, numbered from 1, the worst"),
                  given=len(filled), expected=max(size, 2))  # fmt: skip
        return bare
    levels = tuple(int(row.number(name, whole=True, least=0) or 0) for name in expected)
    if (n := row.number("n", whole=True, least=0)) is not None and n != sum(levels):
        row.fault("n", n_("the levels make %(sum)s together"), sum=sum(levels))
    return replace(bare, n=float(sum(levels)), levels=levels)


def segment_of(row: Cells, plan: Plan) -> Segment:
    """The row's subgroup."""
    found = tuple((name, row.values[name]) for name in sorted(plan.analysis.subgroups) if row.values.get(name))
    for name, value in found:
        if starts_formula(value):
            row.fault(name, n_("a subgroup cannot begin with = + - or @: a spreadsheet would take it for a formula"))
    return found


FRENCH_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def when_fits(row: Cells, column: str, day: date, plan: Plan) -> None:
    """Note a day outside the collection."""
    if day > plan.design.planned_end:
        row.fault(column, n_("after the collection closed (%(day)s)"), day=plan.design.planned_end)
    elif plan.design.kind in DATED and day < plan.design.start:
        row.fault(column, n_("before the start (%(day)s)"), day=plan.design.start)


def units_from(table: Table, plan: Plan) -> tuple[list[Unit], list[RowFault]]:
    """units.csv: unit, arm, y; cluster, pre, date, metric and subgroup columns where there are any."""
    faults: list[RowFault] = []
    units: list[Unit] = []
    clustered = plan.design.kind is Kind.AB_CLUSTER
    if misses(table, ("unit", "arm", "y", *(["cluster"] if clustered else [])), faults):
        return units, faults
    seen: dict[tuple[str, str], int] = {}
    for row in each(table, faults):
        unit = unit_from(row, plan, clustered=clustered)
        if unit is None:
            continue
        if (before := seen.get((unit.unit, unit.metric))) is not None:
            row.fault("unit", n_("the same unit as line %(line)s"), line=before)
            continue
        seen[unit.unit, unit.metric] = row.line
        units.append(unit)
    return units, faults


def unit_from(row: Cells, plan: Plan, *, clustered: bool) -> Unit | None:
    """One row of units.csv; None after noting its faults."""
    arm = row.one_of("arm", (one.key for one in plan.arms), UNKNOWN_ARM)
    key = plan.primary.key
    if row.values.get("metric"):
        key = row.one_of("metric", (one.key for one in plan.metrics), UNKNOWN_METRIC)
    metric = plan.metric(key)
    day = row.day("date", required=False) if row.values.get("date") else None
    if day is not None:
        when_fits(row, "date", day, plan)
    made = Unit(
        unit=row.text("unit", required=True),
        arm=arm,
        metric=key,
        y=outcome_of(row, metric) if metric is not None else None,
        cluster=row.text("cluster", required=clustered),
        pre=row.number("pre"),
        day=day,
        segment=segment_of(row, plan),
    )
    return made if row.sound() else None


def outcome_of(row: Cells, metric: Metric) -> float | None:
    """A unit's outcome, as its type allows."""
    text = row.values.get("y", "")
    if metric.type is Outcome.ORDINAL and text in metric.levels:
        return float(metric.levels.index(text) + 1)
    value = row.number("y")
    if value is None:
        return None
    if metric.type is Outcome.BINARY and value not in {0.0, 1.0}:
        row.fault("y", n_("0 or 1 was expected"))
    elif metric.type is Outcome.ORDINAL and not (value.is_integer() and 1 <= value <= (len(metric.levels) or 99)):
        row.fault("y", n_("a level was expected, from 1, the worst"))
    elif metric.type in {Outcome.DURATION, Outcome.RATE} and value < 0:
        row.fault("y", n_("a duration or a number of events cannot be negative"))
    return value


def series_from(table: Table, plan: Plan) -> tuple[list[SeriesValue], list[RowFault]]:
    """series.csv: period, value, treated; unit, and the columns that analysis.covariates names."""
    faults: list[RowFault] = []
    if misses(table, ("period", "value", "treated", *plan.analysis.covariates), faults):
        return [], faults
    rows = [row for row in (series_value(one, plan) for one in each(table, faults)) if row is not None]
    if not faults and rows:
        rows = positioned(table, rows, faults)
    return rows, faults


def series_value(row: Cells, plan: Plan) -> SeriesValue | None:
    """One row of series.csv; its position is set once all are read."""
    treated = row.text("treated", required=True).lower()
    if treated and treated not in TREATED:
        row.fault("treated", n_("0 or 1 was expected"))
    covariates = [row.number(name) for name in plan.analysis.covariates]
    for name, value in zip(plan.analysis.covariates, covariates, strict=True):
        if value is None and not row.values.get(name):
            row.fault(name, n_("empty"))
    period = row.text("period", required=True)
    value = row.number("value")
    if not row.sound():
        return None
    numbers_only = tuple(one for one in covariates if one is not None)
    return SeriesValue(period, row.line, row.values.get("unit", ""), value, TREATED[treated], covariates=numbers_only)


TREATED = {"0": False, "1": True, "false": False, "true": True, "0.0": False, "1.0": True, "non": False, "oui": True}


def positioned(table: Table, rows: list[SeriesValue], faults: list[RowFault]) -> list[SeriesValue]:
    """The rows in order of unit and period, each with its place on the calendar."""
    placed: list[SeriesValue] = []
    for row in rows:
        try:
            position, season = place_of(row.period)
        except PeriodInvalid as error:
            faults.append(RowFault(table.name, row.position, "period", row.period, error.message, error.values))
            continue
        placed.append(replace(row, position=position, season=season))
    placed.sort(key=lambda row: (row.unit, row.position))
    for before, after in pairwise(placed):
        if before.unit != after.unit:
            continue
        if before.position == after.position:
            faults.append(RowFault(table.name, 0, "", "", n_("%(unit)s has %(period)s twice"),
                                   {"unit": after.unit or n_("the series"), "period": after.period}))  # fmt: skip
        elif before.treated and not after.treated:
            faults.append(RowFault(table.name, 0, "", "", n_("%(unit)s is treated, then no longer, in %(period)s"),
                                   {"unit": after.unit or n_("the series"), "period": after.period}))  # fmt: skip
    return placed


def place_of(text: str) -> tuple[int, int]:
    """A period's place on the calendar and within the year (month, quarter) or week (day); bare integers are places themselves."""
    if re.fullmatch(r"-?\d{1,9}", text) and not re.fullmatch(r"(1[5-9]|2[012])\d\d", text):
        return int(text), 0
    period = parse_period(text)
    return period.ordinal, season_of(period)


def season_of(period: Period) -> int:
    """Where in its year (or week) a period stands, from 1."""
    match period.granularity:
        case Granularity.DAY:
            return period.start.isoweekday()
        case Granularity.WEEK:
            return period.start.isocalendar().week
        case Granularity.MONTH:
            return period.start.month
        case Granularity.QUARTER:
            return (period.start.month + 2) // 3
        case Granularity.YEAR:
            return 1


def events_from(table: Table) -> tuple[list[Event], list[RowFault]]:
    """events.csv: date, title."""
    faults: list[RowFault] = []
    if misses(table, ("date", "title"), faults):
        return [], faults
    events = [(row.day("date"), row.text("title", required=True)) for row in each(table, faults)]
    return [Event(day, title) for day, title in events if day is not None and title], faults


def data_from(tables: dict[str, list[Table]], plan: Plan) -> tuple[Data, list[RowFault]]:
    """The data of every table, by kind: counts, units, series, events."""
    counts, faults = counts_from(tables.get("counts", []), plan)
    units: list[Unit] = []
    series: list[SeriesValue] = []
    events: list[Event] = []
    for table in tables.get("units", []):
        more, found = units_from(table, plan)
        units, faults = units + more, faults + found
    for table in tables.get("series", []):
        values, found = series_from(table, plan)
        series, faults = series + values, faults + found
    for table in tables.get("events", []):
        happened, found = events_from(table)
        events, faults = events + happened, faults + found
    counts.sort(key=lambda one: one.key)
    units.sort(key=lambda one: (one.metric, one.unit))
    series.sort(key=lambda one: (one.unit, one.position))
    return Data(tuple(counts), tuple(units), tuple(series), tuple(events)), faults
