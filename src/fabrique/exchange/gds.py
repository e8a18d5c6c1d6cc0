"""The UK services table (alphagov/spotlight): one row a service, columns `2012-Q4 Vol.` … `2017-Q4 Digital CPT (£)`.

Vol. becomes `transactions`, Digital vol. ÷ Vol. `digital_take_up`, CPT `cost_per_transaction` in £. Open Government Licence v3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.accounts.actions import Source
from fabrique.clock import Period, parse_period
from fabrique.exchange.importing import Run
from fabrique.exchange.observations import nothing_taken
from fabrique.exchange.report import ImportReport
from fabrique.language import _, n_
from fabrique.quality import actions as quality
from fabrique.quality import queries
from fabrique.quality.actions import Observed, SeriesKey, ServiceSheet
from fabrique.quality.rules import FigureImpossible, Figures, check
from fabrique.tables import numbers
from fabrique.tables.textfile import FileUnreadable, open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from fabrique.clock import Clock
    from fabrique.database import Database
    from fabrique.quality.catalogue import Metric
    from fabrique.tables.textfile import TextTable

LICENCE = "Open Government Licence v3.0"
COLUMN = re.compile(r"(\d{4}-Q[1-4]) (Vol\.|Digital vol\.|CPT \(£\))")
SERVICES_AT_ONCE = 100
BLANK = {"", "-", "–"}
SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each thing stands in a row."""

    slug: int
    name: int
    department: int | None
    agency: int | None
    quarters: dict[Period, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Row:
    """One service and its cells."""

    line: int
    sheet: ServiceSheet
    cells: list[str]


def import_gds(
    database: Database,
    clock: Clock,
    path: Path,
    *,
    dry_run: bool = False,
    strict: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> ImportReport:
    """Bring the UK services table in. Raises FileUnreadable where the file is not one."""
    table = open_table(path)
    layout = layout_of(table)
    if strict and not dry_run:
        rehearsal = _run(database, clock, (table, layout), ImportReport(dry_run=True), lambda _done: None)
        if rehearsal.refused_count:
            return nothing_taken(rehearsal)
    return _run(database, clock, (table, layout), ImportReport(dry_run=dry_run), progress)


def layout_of(table: TextTable) -> Layout:
    """Where each thing stands, from the header. Raises FileUnreadable naming the column that is missing."""
    places = {name: place for place, name in enumerate(table.header)}
    for needed in ("Slug", "Name of service"):
        if needed not in places:
            raise FileUnreadable(
                n_("%(file)s: the header lacks “%(column)s”; this is not the UK services table."),
                file=table.path,
                column=needed,
            )
    quarters: dict[Period, dict[str, int]] = {}
    for name, place in places.items():
        if found := COLUMN.fullmatch(name):
            quarters.setdefault(parse_period(found[1]), {})[found[2]] = place
    if not quarters:
        raise FileUnreadable(n_("%(file)s: no column is named like “2012-Q4 Vol.”."), file=table.path)
    return Layout(places["Slug"], places["Name of service"], places.get("Department"), places.get("Agency/body"), quarters)


def _run(
    database: Database,
    clock: Clock,
    source: tuple[TextTable, Layout],
    report: ImportReport,
    progress: Callable[[int], None],
) -> ImportReport:
    table, layout = source
    report.read_as = table.read_as
    run = Run(database, clock, Source("gds", table.name, table.sha256, LICENCE), report, progress)
    with database.read() as session:
        known = queries.metrics(session)
    rows: list[Row] = []
    for row in read(table, layout, report):
        rows.append(row)
        if len(rows) == SERVICES_AT_ONCE:
            take(run, rows, layout, known)
            rows = []
    if rows:
        take(run, rows, layout, known)
    run.close()
    return report


def read(table: TextTable, layout: Layout, report: ImportReport) -> Iterator[Row]:
    """The rows that name a service properly; the others go to the report."""
    seen: dict[str, int] = {}
    for line, cells in table.rows():
        report.count("services", "read")
        if len(cells) != len(table.header):
            reason = _("%(given)s cells instead of %(expected)s", given=len(cells), expected=len(table.header))
            report.refuse(table.name, line, "", table.separator.join(cells), reason)
            continue
        slug = cells[layout.slug].strip()
        if not SLUG.fullmatch(slug):
            report.refuse(table.name, line, "Slug", slug, _("a slug holds small letters, digits and hyphens"))
            continue
        if (before := seen.setdefault(slug, line)) != line:
            report.refuse(table.name, line, "Slug", slug, _("the same service as line %(line)s", line=before))
            continue
        name = cells[layout.name].strip()
        if not name:
            report.refuse(table.name, line, "Name of service", "", _("nothing is written here"))
            continue
        sheet = ServiceSheet(slug, name, optional(cells, layout.department), optional(cells, layout.agency), "gds")
        yield Row(line, sheet, cells)


def optional(cells: list[str], place: int | None) -> str:
    """A cell that need not be there."""
    return cells[place].strip() if place is not None else ""


def take(run: Run, rows: Sequence[Row], layout: Layout, known: dict[str, Metric]) -> None:
    """Record some services, then their figures. A kill between the two leaves services that the next run fills."""
    sheets = [row.sheet for row in rows]
    ids, outcomes = put(run, sheets)
    for outcome in outcomes:
        run.report.count("services", outcome)
    observed = [one for row in rows for one in figures_of(row, ids[row.sheet.slug], layout, known, (run.source.file, run.report))]
    if observed:
        run.record(observed)


def put(run: Run, sheets: Sequence[ServiceSheet]) -> tuple[dict[str, int], list[str]]:
    """Record services; write only for real, and where one is new or differs."""
    slugs = [sheet.slug for sheet in sheets]
    with run.database.read() as session:
        outcomes = quality.service_outcomes(session, sheets)
        ids = queries.service_ids(session, slugs)
    if run.dry:
        # A service that does not exist yet has no series: any id that no service has will do.
        return ids | {slug: -place for place, slug in enumerate(slugs, start=1) if slug not in ids}, outcomes
    if any(outcome != "unchanged" for outcome in outcomes):
        with run.database.write() as session:
            different = [sheet for sheet, outcome in zip(sheets, outcomes, strict=True) if outcome != "unchanged"]
            quality.put_services(session, different)
            run.batch(session)
            ids = queries.service_ids(session, slugs)
    return ids, outcomes


def figures_of(
    row: Row, service_id: int, layout: Layout, known: dict[str, Metric], account: tuple[str, ImportReport]
) -> Iterator[Observed]:
    """The figures of one service; cells that cannot be go to the report."""
    for period, places in layout.quarters.items():
        cells = {kind: row.cells[place] for kind, place in places.items()}
        parsed = {kind: number(text, (row.line, f"{period} {kind}"), account) for kind, text in cells.items()}
        volume, digital, cost = (parsed.get(kind) for kind in ("Vol.", "Digital vol.", "CPT (£)"))
        wanted = [
            ("transactions", "Vol.", "", Figures(value=volume) if volume is not None else None),
            (
                "digital_take_up",
                "Digital vol.",
                "",
                Figures(numerator=digital, denominator=volume) if digital is not None and volume is not None else None,
            ),
            ("cost_per_transaction", "CPT (£)", "£", Figures(value=cost) if cost is not None else None),
        ]
        for key, kind, unit, figures in wanted:
            if figures is None:
                continue
            try:
                check(known[key], figures)
            except FigureImpossible as error:
                file, report = account
                report.refuse(file, row.line, f"{period} {kind}", cells[kind], str(error))
                report.count("observations", "read")
                continue
            yield Observed(SeriesKey(service_id, key, "", unit), period, figures)


def number(text: str, place: tuple[int, str], account: tuple[str, ImportReport]) -> float | None:
    """A cell's number; None for a blank, and for one that cannot be read, which is reported."""
    if text.strip() in BLANK:
        return None
    try:
        value = numbers.parse(text, grouped=True)
    except numbers.NumberUnreadable as error:
        reason = str(error)
    else:
        if value >= 0:
            return value
        reason = _("a count cannot be negative")
    file, report = account
    report.refuse(file, place[0], place[1], text, reason)
    report.count("observations", "read")
    return None
