"""How good are public services? The list, and a product's part of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import sqlalchemy as sa

from fabrique.language import folded
from fabrique.quality import queries as quality
from fabrique.quality.model import SeriesRow, SeriesStateRow, ServiceRow
from fabrique.quality.rules import Band, band, enough
from fabrique.watch import queries as watch
from fabrique.web.charts.spark import Sparkline, sparkline
from fabrique.web.formats import figure

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.quality.catalogue import Metric

KEY_METRICS = ("satisfaction", "clarity", "completion", "digital_take_up")
"""The columns of the list of services."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric of one service in a list."""

    text: str
    answers: int | None
    band: Band | None
    too_few: bool
    spark: Sparkline | None
    sort: float


@dataclass(frozen=True, slots=True)
class ServiceLine:
    """One service in the list."""

    slug: str
    name: str
    department: str
    cells: dict[str, Cell]
    improvements: int
    regressions: int
    last: date | None


@dataclass(frozen=True, slots=True)
class ServicesPage:
    """One page of the list of services."""

    lines: list[ServiceLine]
    total: int
    found: int
    page: int
    pages: int
    with_flags: int
    columns: list[Metric]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which services, in which order."""

    search: str = ""
    sort: str = "regressions"
    only_flagged: bool = False
    page: int = 1
    size: int = 50

    def address(self, page: int) -> str:
        """The address of another page of the same choice."""
        wanted = {"q": self.search, "tri": self.sort, "signales": "true" if self.only_flagged else "", "par_page": self.size}
        return f"/services?{urlencode({**{name: value for name, value in wanted.items() if value}, 'page': page})}"


def services(session: Session, choice: Choice) -> ServicesPage:
    """The list of services, from projections only."""
    known = quality.metrics(session)
    columns = [known[key] for key in KEY_METRICS if key in known]
    lines = service_lines(session, columns, sparks=False)
    with_flags = sum(line.improvements + line.regressions > 0 for line in lines)
    wanted = folded(choice.search)
    found = [
        line
        for line in lines
        if (not wanted or wanted in folded(f"{line.name} {line.department}"))
        and (not choice.only_flagged or line.improvements + line.regressions)
    ]
    if choice.sort in {"regressions", "improvements"}:
        other = "improvements" if choice.sort == "regressions" else "regressions"
        found.sort(key=lambda line: (-getattr(line, choice.sort), -getattr(line, other), folded(line.name)))
    elif choice.sort in KEY_METRICS:
        found.sort(key=lambda line: (line.cells[choice.sort].sort, folded(line.name)))
    else:
        found.sort(key=lambda line: folded(line.name))
    pages = max(1, -(-len(found) // choice.size))
    page = min(max(1, choice.page), pages)
    shown = found[(page - 1) * choice.size : page * choice.size]
    return ServicesPage(with_sparks(session, shown, columns), len(lines), len(found), page, pages, with_flags, columns)


def service_lines(
    session: Session, columns: list[Metric], product_id: int | None = None, *, sparks: bool = True
) -> list[ServiceLine]:
    """Every service (or a product's) with the metrics of the columns."""
    condition = ServiceRow.product_id == product_id if product_id is not None else sa.true()
    names = session.execute(
        sa.select(ServiceRow.id, ServiceRow.slug, ServiceRow.name, ServiceRow.department).where(condition)
    ).all()
    wanted = [SeriesStateRow.level, SeriesStateRow.answers, SeriesStateRow.last_start]
    rows = session.execute(
        sa.select(
            SeriesRow.service_id,
            SeriesRow.metric_key,
            SeriesRow.unit,
            *wanted,
            SeriesStateRow.recent if sparks else sa.null().label("recent"),
        )
        .join(SeriesStateRow, SeriesStateRow.series_id == SeriesRow.id)
        .join(ServiceRow, ServiceRow.id == SeriesRow.service_id)
        .where(SeriesRow.segment == "", condition)
    )
    cells: dict[int, dict[str, Cell]] = defaultdict(dict)
    last: dict[int, date] = {}
    by_key = {metric.key: metric for metric in columns}
    for row in rows:
        last[row.service_id] = max(last.get(row.service_id, row.last_start), row.last_start)
        if row.metric_key in by_key:
            cells[row.service_id][row.metric_key] = cell(by_key[row.metric_key], row)
    directions = watch.open_directions(session)
    return [
        ServiceLine(
            slug=row.slug,
            name=row.name,
            department=row.department,
            cells={metric.key: cells[row.id].get(metric.key, EMPTY_CELL) for metric in columns},
            improvements=directions.get(row.id, []).count("improvement"),
            regressions=directions.get(row.id, []).count("regression"),
            last=last.get(row.id),
        )
        for row in names
    ]


EMPTY_CELL = Cell("–", None, None, too_few=False, spark=None, sort=float("inf"))


def cell(metric: Metric, row: Any) -> Cell:
    """One metric of one service."""
    few = not enough(metric, row.answers)
    shown = row.level is not None and not few
    return Cell(
        text=figure(row.level, quality.unit_of(metric, row.unit)) if shown else "–",
        answers=int(row.answers) if row.answers is not None else None,
        band=band(metric, row.level, row.answers),
        too_few=few,
        spark=sparkline(row.recent, None) if row.recent else None,
        sort=row.level if shown else float("inf"),
    )


def with_sparks(session: Session, lines: list[ServiceLine], columns: list[Metric]) -> list[ServiceLine]:
    """The lines of one page with the small chart of their first metric that has one."""
    rows = session.execute(
        sa.select(ServiceRow.slug, SeriesRow.metric_key, SeriesStateRow.recent)
        .join(SeriesRow, SeriesRow.service_id == ServiceRow.id)
        .join(SeriesStateRow, SeriesStateRow.series_id == SeriesRow.id)
        .where(
            SeriesRow.segment == "",
            SeriesRow.metric_key.in_([metric.key for metric in columns]),
            ServiceRow.slug.in_([line.slug for line in lines]),
        )
    )
    recent = {(row.slug, row.metric_key): row.recent for row in rows}
    return [
        ServiceLine(
            slug=line.slug,
            name=line.name,
            department=line.department,
            cells={
                key: Cell(
                    one.text,
                    one.answers,
                    one.band,
                    too_few=one.too_few,
                    spark=sparkline(recent[line.slug, key], None) if (line.slug, key) in recent else None,
                    sort=one.sort,
                )
                for key, one in line.cells.items()
            },
            improvements=line.improvements,
            regressions=line.regressions,
            last=line.last,
        )
        for line in lines
    ]
