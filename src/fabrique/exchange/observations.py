"""Long tables of figures: `service,metric,period` and the statistics of the metric's form, one row a figure.

numerator,denominator · value · n,sum,sum_sq · level_1..level_k (counts, from the worst level to the best); optional segment, source,
note. See DOMAIN §6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabrique.accounts.actions import Source
from fabrique.clock import PeriodInvalid, parse_period, today
from fabrique.exchange.importing import CHUNK, Run
from fabrique.exchange.report import ImportReport
from fabrique.language import _, n_
from fabrique.quality import queries
from fabrique.quality.actions import Observed, SeriesKey
from fabrique.quality.catalogue import ALIASES
from fabrique.quality.rules import COLUMNS, NAMES, FigureImpossible, Figures, check
from fabrique.stats.measurements import Form
from fabrique.tables import numbers
from fabrique.tables.textfile import FileUnreadable, TextTable, open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from pathlib import Path

    from fabrique.clock import Clock
    from fabrique.database import Database
    from fabrique.quality.catalogue import Metric

NEEDED = ("service", "metric", "period")
OPTIONAL = ("segment", "source", "note")
PLAIN = ("numerator", "denominator", "value", "n", "sum", "sum_sq")
LEVEL = re.compile(r"level_([1-9]\d?)")
FIELD_OF = {"sum": "total", "sum_sq": "total_of_squares"}
MOST_TEXT = 2_000
"""Characters of a segment, source or note that are kept; a longer one is refused."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the rows may name."""

    services: dict[str, int]
    metrics: dict[str, Metric]
    today: date


class RowRefused(Exception):
    """A row that is not taken: which column, what it said, and why."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def import_observations(
    database: Database,
    clock: Clock,
    path: Path,
    *,
    dry_run: bool = False,
    strict: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> ImportReport:
    """Bring a table of figures in. Good rows are taken, bad ones reported; `strict` takes nothing when any row is bad.

    Raises FileUnreadable where the file is not such a table.
    """
    table = open_table(path)
    require_columns(table)
    if strict and not dry_run:
        rehearsal = _run(database, clock, table, ImportReport(dry_run=True), lambda _done: None)
        if rehearsal.refused_count:
            return nothing_taken(rehearsal)
    return _run(database, clock, table, ImportReport(dry_run=dry_run), progress)


def nothing_taken(rehearsal: ImportReport) -> ImportReport:
    """The report of a strict import that took nothing: what was read and refused, and no more."""
    report = ImportReport(refused=rehearsal.refused, refused_count=rehearsal.refused_count, repaired=rehearsal.repaired)
    report.read_as = rehearsal.read_as
    for kind, counts in rehearsal.kinds.items():
        report.count(kind, "read", counts["read"])
    return report


def require_columns(table: TextTable) -> None:
    """Raise FileUnreadable where the header lacks what a row needs or names what nobody knows."""
    header = table.header
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise FileUnreadable(
            n_("%(file)s: the header lacks %(columns)s; it must hold service, metric, period and the figures."),
            file=table.path,
            columns=", ".join(missing),
        )
    if not any(name in PLAIN or LEVEL.fullmatch(name) for name in header):
        raise FileUnreadable(
            n_("%(file)s: the header holds no figures (numerator,denominator, value, n,sum,sum_sq or level_1…)."),
            file=table.path,
        )
    unknown = [n for n in header if n not in {*NEEDED, *OPTIONAL, *PLAIN} and not LEVEL.fullmatch(n)]
    if unknown:
        raise FileUnreadable(
            n_("%(file)s: the column “%(column)s” is unknown; remove it or correct its name."),
            file=table.path,
            column=unknown[0][:80],
        )
    if len(set(header)) < len(header):
        raise FileUnreadable(n_("%(file)s: a column stands twice in the header."), file=table.path)


def _run(
    database: Database, clock: Clock, table: TextTable, report: ImportReport, progress: Callable[[int], None]
) -> ImportReport:
    report.read_as = table.read_as
    with database.read() as session:
        known = Known(queries.all_service_ids(session), queries.metrics(session), today(clock))
    source = Source("observations", table.name, table.sha256)
    run = Run(database, clock, source, report, progress)
    chunk: list[Observed] = []
    for observed in read(table, known, report):
        chunk.append(observed)
        if len(chunk) == CHUNK:
            run.record(chunk)
            chunk = []
    if chunk:
        run.record(chunk)
    report.count("observations", "read", report.refused_count)
    run.close()
    return report


def read(table: TextTable, known: Known, report: ImportReport) -> Iterator[Observed]:
    """The file's good rows; the others go to the report."""
    columns = {name: place for place, name in enumerate(table.header)}
    first_line: dict[tuple[int, str, str, str, int], int] = {}
    file = table.name
    for line, row in table.rows():
        if len(row) != len(table.header):
            reason = _("%(given)s cells instead of %(expected)s", given=len(row), expected=len(table.header))
            report.refuse(file, line, "", table.separator.join(row), reason)
            continue
        cells = {name: row[place].strip() for name, place in columns.items()}
        try:
            observed = parsed(cells, known)
        except RowRefused as refused:
            report.refuse(file, line, refused.column, refused.value, refused.reason)
            continue
        series, period = observed.series, observed.period
        key = (series.service_id, series.metric_key, series.segment, period.granularity.value, period.ordinal)
        if (before := first_line.setdefault(key, line)) != line:
            reason = _("the same service, metric, segment and period as line %(line)s", line=before)
            report.refuse(file, line, "period", cells["period"], reason)
            continue
        yield observed


def parsed(cells: dict[str, str], known: Known) -> Observed:
    """One row's figure. Raises RowRefused."""
    service_id = known.services.get(cells["service"])
    if service_id is None:
        raise RowRefused("service", cells["service"], _("no service is called this"))
    key = ALIASES.get(cells["metric"], cells["metric"])
    metric = known.metrics.get(key)
    if metric is None:
        raise RowRefused("metric", cells["metric"], _("no metric is called this"))
    try:
        period = parse_period(cells["period"])
    except PeriodInvalid as error:
        raise RowRefused("period", cells["period"], str(error)) from error
    if period.start > known.today:
        raise RowRefused("period", cells["period"], _("this period has not begun yet"))
    texts = {name: cells.get(name, "") for name in OPTIONAL}
    for name, text in texts.items():
        if len(text) > (200 if name == "segment" else MOST_TEXT):
            raise RowRefused(name, text, _("the text is too long"))
    figures = figures_in(cells, metric)
    return Observed(SeriesKey(service_id, metric.key, texts["segment"], ""), period, figures, texts["source"], texts["note"])


def figures_in(cells: dict[str, str], metric: Metric) -> Figures:
    """The statistics that the metric's form keeps, checked. Raises RowRefused."""
    if metric.form is Form.SCORE:
        places = sorted(int(m[1]) for name in cells if (m := LEVEL.fullmatch(name)) and cells[name] != "")
        if places != list(range(1, len(places) + 1)):
            raise RowRefused(f"level_{places[-1]}", "", _("an answer level before this one is empty"))
        figures = Figures(levels=tuple(number_in(cells, f"level_{place}") for place in places))
    else:
        names = [COLUMNS.get(name, name) for name in NAMES[metric.form]]
        for name in names:
            if name not in cells:
                raise RowRefused(name, "", _("%(metric)s needs %(columns)s", metric=metric.key, columns=", ".join(names)))
        given: dict[str, Any] = {FIELD_OF.get(name, name): number_in(cells, name) for name in names if cells[name] != ""}
        figures = Figures(**given)
    try:
        check(metric, figures)
    except FigureImpossible as error:
        raise RowRefused(error.column, cells.get(error.column, ""), str(error)) from error
    return figures


def number_in(cells: dict[str, str], name: str) -> float:
    """The number in a cell. Raises RowRefused."""
    try:
        return numbers.parse(cells[name])
    except numbers.NumberUnreadable as error:
        raise RowRefused(name, cells[name], str(error)) from error
