"""What the pages that look across domains show: the portfolio, services, one service, one product, flags, the watch, the status."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import sqlalchemy as sa

from fabrique.clock import Period
from fabrique.language import _, current
from fabrique.portfolio import queries as portfolio_queries
from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.rules import ACTIVE, Stage, stay_on
from fabrique.quality import queries as quality
from fabrique.quality.model import ObservationRow, SeriesRow, SeriesStateRow, ServiceRow
from fabrique.quality.rules import Band, band, enough
from fabrique.stats.limits import control_limits, signals
from fabrique.watch import explain
from fabrique.watch import queries as watch
from fabrique.watch.rules import FlagState
from fabrique.web.charts.control import ControlChart, Marker, Point, TimeEvent, control_chart
from fabrique.web.charts.spark import Sparkline, sparkline
from fabrique.web.charts.strip import Dot, Strip, strip
from fabrique.web.errors import not_there
from fabrique.web.formats import difference, figure, period, short_period

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries import Event, ProductLine, ProductSheet
    from fabrique.portfolio.rules import Stay
    from fabrique.quality.catalogue import Metric
    from fabrique.quality.queries import History, Series, Service
    from fabrique.watch.queries import Flag, FlagLine, LedgerState, ServiceEvent

RECENT_DAYS = 92
"""A change is news for a quarter."""
MOST_NEWS = 7
CHART_PERIODS = 156
"""Periods drawn on a control chart: three years of weeks."""
KEY_METRICS = ("satisfaction", "clarity", "completion", "digital_take_up")
"""The columns of the list of services."""


@dataclass(frozen=True, slots=True)
class News:
    """One line of what moved."""

    flag: Flag
    sentence: str
    spark: Sparkline


@dataclass(frozen=True, slots=True)
class StageTile:
    """How many products stand in a stage, and how many entered it lately."""

    stage: Stage
    number: int
    arrivals: int


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The programme at a glance."""

    today: date
    since: date
    improved: list[News]
    regressed: list[News]
    improved_services: int
    regressed_services: int
    services: int
    rated: int
    at_target: int
    satisfaction: Strip | None
    stages: list[StageTile]
    ended: int
    products: int
    ledger: LedgerState
    to_explain: int


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
class MetricBlock:
    """One metric of a service, with its chart."""

    series: Series
    label: str
    text: str
    answers: int | None
    band: Band | None
    too_few: bool
    minimum: int
    span: str
    notes: list[str]
    spark: Sparkline
    chart: ControlChart
    flags: list[tuple[Flag, str, str]]


@dataclass(frozen=True, slots=True)
class ServicePage:
    """One service."""

    service: Service
    product: ProductSheet | None
    stage: Stage | None
    blocks: list[MetricBlock]
    news: list[tuple[Flag, str, str]]
    events: list[ServiceEvent]


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One product."""

    sheet: ProductSheet
    incubator: str
    sponsors: list[str]
    stay: Stay | None
    stays: list[Stay]
    planned: list[Stay]
    services: list[ServiceLine]
    columns: list[Metric]
    events: list[Event]
    flags: list[tuple[Flag, str]]


@dataclass(frozen=True, slots=True)
class ProductsPage:
    """Products by stage."""

    groups: list[tuple[Stage | None, list[ProductLine]]]
    total: int
    counts: dict[Stage | None, int]
    chosen: Stage | None


@dataclass(frozen=True, slots=True)
class FlagsPage:
    """Flags in a list."""

    news: list[News]
    counts: dict[str, dict[str, int]]
    state: FlagState | None
    direction: str | None


@dataclass(frozen=True, slots=True)
class FlagPage:
    """One flag."""

    flag: Flag
    sentence: str
    evidence: str
    block: MetricBlock
    nearby: list[ServiceEvent]
    history: list[FlagLine]


@dataclass(frozen=True, slots=True)
class WatchPage:
    """The watch itself."""

    ledger: LedgerState
    runs: dict[str, int]
    notes: dict[str, int]
    series: int


def metric_label(metric: Metric) -> str:
    """The metric's name in the language in force."""
    return metric.label_fr if current.get() == "fr" else metric.label_en


def portfolio(session: Session, today: date) -> Portfolio:
    """The programme at a glance, from projections only: its cost does not grow with history."""
    known = quality.metrics(session)
    since = today - timedelta(days=RECENT_DAYS)
    raised = watch.raised_since(session, since)
    states = quality.states(session, [flag.series_id for flag in raised])
    levels = session.execute(
        sa.select(ServiceRow.name, ServiceRow.slug, SeriesStateRow.level, SeriesStateRow.answers)
        .join(SeriesRow, SeriesRow.service_id == ServiceRow.id)
        .join(SeriesStateRow, SeriesStateRow.series_id == SeriesRow.id)
        .where(SeriesRow.metric_key == "satisfaction", SeriesRow.segment == "")
    ).all()
    satisfaction = known.get("satisfaction")
    rated = [row for row in levels if satisfaction and row.level is not None and enough(satisfaction, row.answers)]
    target = satisfaction.green if satisfaction and satisfaction.green is not None else 8.0
    lines = portfolio_queries.product_lines(session, today)
    by_stage: dict[Stage, list[ProductLine]] = defaultdict(list)
    for line in lines:
        if line.stay is not None:
            by_stage[line.stay.stage].append(line)
    improved = [flag for flag in raised if flag.direction == "improvement"]
    regressed = [flag for flag in raised if flag.direction == "regression"]
    return Portfolio(
        today=today,
        since=since,
        improved=[news(flag, known, states) for flag in improved[:MOST_NEWS]],
        regressed=[news(flag, known, states) for flag in regressed[:MOST_NEWS]],
        improved_services=len({flag.service_id for flag in improved}),
        regressed_services=len({flag.service_id for flag in regressed}),
        services=session.scalar(sa.select(sa.func.count()).select_from(ServiceRow)) or 0,
        rated=len(rated),
        at_target=sum(row.level >= target for row in rated),
        satisfaction=strip([Dot(row.level, row.name, f"/services/{row.slug}") for row in rated], target) if rated else None,
        stages=[
            StageTile(stage, len(by_stage[stage]), sum(line.stay.start > since for line in by_stage[stage] if line.stay))
            for stage in ACTIVE
        ],
        ended=sum(len(found) for stage, found in by_stage.items() if stage not in ACTIVE),
        products=len(lines),
        ledger=watch.ledger(session),
        to_explain=sum(watch.flag_counts(session).get(FlagState.RAISED, {}).values()),
    )


def news(flag: Flag, known: dict[str, Metric], states: dict[int, SeriesStateRow]) -> News:
    """A flag as one line with its small chart."""
    recent = states[flag.series_id].recent if flag.series_id in states else []
    return News(flag, explain.short_sentence(flag, known[flag.metric_key]), sparkline(recent, flag.direction))


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


def folded(text: str) -> str:
    """The text without case or accents, for looking up and for order."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


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


def service(session: Session, slug: str, today: date) -> ServicePage:
    """One service with each of its metrics. Raises NotThere."""
    found = quality.service_by_slug(session, slug)
    if found is None:
        raise not_there(slug)
    known = quality.metrics(session)
    series = quality.series_of_services(session, [found.id], known)
    flags = watch.flags_of_service(session, found.id)
    events = watch.events_of_service(session, found.id)
    blocks = metric_blocks(session, series, flags, events)
    product = product_of(session, found.product_id)
    stay = stay_on(product.stays, today) if product else None
    return ServicePage(
        service=found,
        product=product,
        stage=stay.stage if stay else None,
        blocks=blocks,
        news=[line for block in blocks for line in block.flags if line[0].state is FlagState.RAISED],
        events=events,
    )


def product_of(session: Session, product_id: int | None) -> ProductSheet | None:
    """The sheet of a product by its id."""
    if product_id is None:
        return None
    slug = session.scalar(sa.select(ProductRow.slug).where(ProductRow.id == product_id))
    return portfolio_queries.product_sheets(session, [slug]).get(slug) if slug else None


def metric_blocks(session: Session, series: list[Series], flags: list[Flag], events: list[ServiceEvent]) -> list[MetricBlock]:
    """A block for each series that has figures."""
    histories = quality.histories(session, series)
    states = quality.states(session, [one.id for one in series])
    notes = watch.notes_of(session, [one.id for one in series])
    return [
        metric_block(
            one,
            histories[one.id],
            states[one.id],
            [flag for flag in flags if flag.series_id == one.id],
            (notes.get(one.id, []), events),
        )
        for one in series
        if one.id in histories
    ]


def metric_block(
    series: Series,
    history: History,
    state: SeriesStateRow,
    flags: list[Flag],
    around: tuple[list[str], list[ServiceEvent]],
) -> MetricBlock:
    """One metric of a service: its level, its band, its chart."""
    notes, events = around
    metric = series.metric
    few = not enough(metric, state.answers)
    told = [(flag, explain.short_sentence(flag, metric), explain.evidence(flag, metric)) for flag in flags]
    newest = next((flag for flag in flags if flag.state is FlagState.RAISED), None)
    return MetricBlock(
        series=series,
        label=metric_label(metric),
        text="–" if few else figure(state.level, series.unit),
        answers=int(state.answers) if state.answers is not None else None,
        band=band(metric, state.level, state.answers),
        too_few=few,
        minimum=metric.minimum_answers,
        span=period(state.last_start, state.granularity),
        notes=notes,
        spark=sparkline(state.recent, newest.direction if newest else None),
        chart=chart_of(series, history, flags, events),
        flags=told,
    )


def chart_of(series: Series, history: History, flags: list[Flag], events: list[ServiceEvent]) -> ControlChart:
    """The control chart of a series: limits re-based at each change of level that was found."""
    starts = [one.start for one in history.periods]
    place = {start: index for index, start in enumerate(starts)}
    known = [flag for flag in flags if flag.granularity == history.granularity and flag.start in place]
    limits = control_limits(history.measurements, [place[flag.start] for flag in known])
    kinds = {signal.index: signal.kind.value for signal in signals(history.measurements, limits, series.metric.better)}
    first = max(0, len(starts) - CHART_PERIODS)
    points = [
        Point(
            label=period(starts[i], history.granularity),
            axis=short_period(starts[i], history.granularity),
            value=none_if_nan(history.measurements.level[i]),
            centre=none_if_nan(limits.centre[i]),
            lower=none_if_nan(limits.lower[i]),
            upper=none_if_nan(limits.upper[i]),
            kind=kinds.get(i),
            weight=none_if_nan(history.measurements.weight[i]),
        )
        for i in range(first, len(starts))
    ]
    markers = [
        Marker(
            index=place[flag.start] - first,
            low=max(0, place.get(flag.earliest, place[flag.start]) - first),
            high=max(0, place.get(flag.latest, place[flag.start]) - first),
            direction=flag.direction,
            text=_(
                "%(when)s: %(gap)s",
                when=period(flag.start, flag.granularity),
                gap=difference(flag.after - flag.before, series.unit),
            ),
        )
        for flag in known
        if place[flag.start] >= first
    ]
    marks = [
        TimeEvent(position, event.title, event.kind)
        for event in events
        if (position := position_of(event.day, starts[first:], history)) is not None
    ]
    return control_chart(points, markers, marks, target=series.metric.green, unit=series.unit)


def position_of(day: date, starts: list[date], history: History) -> float | None:
    """Where a day falls on an axis of periods, in periods from its left; None outside it."""
    if not starts or day < starts[0] or day >= Period(starts[-1], history.granularity).following.start:
        return None
    index = sum(start <= day for start in starts) - 1
    length = (Period(starts[index], history.granularity).following.start - starts[index]).days
    return index + (day - starts[index]).days / length - 0.5


def none_if_nan(number: float) -> float | None:
    """None where there is no number."""
    return None if number != number else float(number)  # noqa: PLR0124 - nan alone differs from itself


def products(session: Session, today: date, chosen: Stage | None, search: str) -> ProductsPage:
    """Products by stage, filtered."""
    lines = portfolio_queries.product_lines(session, today)
    wanted = folded(search)
    counts = Counter(line.stay.stage if line.stay else None for line in lines)
    groups: dict[Stage | None, list[ProductLine]] = defaultdict(list)
    for line in lines:
        stage = line.stay.stage if line.stay else None
        if (chosen is None or stage is chosen) and wanted in folded(f"{line.name} {line.incubator}"):
            groups[stage].append(line)
    order: list[Stage | None] = [*Stage, None]
    return ProductsPage([(stage, groups[stage]) for stage in order if groups[stage]], len(lines), dict(counts), chosen)


def product(session: Session, slug: str, today: date) -> ProductPage:
    """One product. Raises NotThere."""
    sheet = portfolio_queries.product_sheets(session, [slug]).get(slug)
    product_id = portfolio_queries.product_id_of(session, slug)
    if sheet is None or product_id is None:
        raise not_there(slug)
    known = quality.metrics(session)
    columns = [known[key] for key in KEY_METRICS if key in known]
    services_here = quality.services_of_product(session, product_id)
    flags = [flag for one in services_here for flag in watch.flags_of_service(session, one.id)]
    return ProductPage(
        sheet=sheet,
        incubator=portfolio_queries.incubator_title(session, sheet.incubator) if sheet.incubator else "",
        sponsors=portfolio_queries.organisation_names(session, sheet.sponsors),
        stay=stay_on(sheet.stays, today),
        stays=[stay for stay in sheet.stays if stay.start <= today],
        planned=[stay for stay in sheet.stays if stay.start > today],
        services=sorted(service_lines(session, columns, product_id), key=lambda line: folded(line.name)),
        columns=columns,
        events=list(reversed(sheet.events)),
        flags=[(flag, explain.sentence(flag, known[flag.metric_key])) for flag in flags if flag.state is FlagState.RAISED],
    )


def flags(session: Session, state: FlagState | None, direction: str | None) -> FlagsPage:
    """The list of flags."""
    known = quality.metrics(session)
    found = watch.flags_in(session, state=state, direction=direction, limit=200)
    states = quality.states(session, [flag.series_id for flag in found])
    return FlagsPage([news(flag, known, states) for flag in found], watch.flag_counts(session), state, direction)


def flag(session: Session, flag_id: int) -> FlagPage:
    """One flag with its chart and what happened around it. Raises NotThere."""
    found = watch.flag_by_id(session, flag_id)
    if found is None:
        raise not_there(str(flag_id))
    known = quality.metrics(session)
    series = [one for one in quality.series_of_services(session, [found.service_id], known) if one.id == found.series_id]
    events = watch.events_of_service(session, found.service_id)
    related = [one for one in watch.flags_of_service(session, found.service_id) if one.series_id == found.series_id]
    (block,) = metric_blocks(session, series, related, events)
    near = timedelta(days=45)
    return FlagPage(
        flag=found,
        sentence=explain.sentence(found, known[found.metric_key]),
        evidence=explain.evidence(found, known[found.metric_key]),
        block=block,
        nearby=[one for one in events if found.earliest - near <= one.day <= found.latest + near],
        history=watch.history_of(session, flag_id),
    )


def watch_page(session: Session) -> WatchPage:
    """How the watch is."""
    series = session.scalar(sa.select(sa.func.count()).select_from(SeriesStateRow)) or 0
    return WatchPage(watch.ledger(session), watch.run_counts(session), watch.note_counts(session), series)


def status(session: Session, today: date, now: datetime) -> dict[str, object]:
    """The whole installation in numbers, for `fabrique status`."""

    def count(table: type[ProductRow | ServiceRow | SeriesRow | ObservationRow]) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    lines = portfolio_queries.product_lines(session, today)
    by_stage = Counter(line.stay.stage.value if line.stay else "none" for line in lines)
    return {
        "at": now.isoformat(),
        "products": {"total": len(lines), "by_stage": {key: by_stage.get(key, 0) for key in [*Stage, "none"]}},
        "services": count(ServiceRow),
        "series": count(SeriesRow),
        "observations": count(ObservationRow),
        "check_runs": watch.run_counts(session),
        "flags": {
            state.value: {
                direction: watch.flag_counts(session).get(state, {}).get(direction, 0)
                for direction in ("improvement", "regression", "neutral")
            }
            for state in FlagState
        },
    }
