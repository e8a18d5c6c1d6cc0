"""What do users say of this service, and what changed? Its indicators, each with its chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.clock import Period
from fabrique.language import _, current
from fabrique.portfolio import queries as portfolio_queries
from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.rules import Stage, stay_on
from fabrique.quality import queries as quality
from fabrique.quality.rules import Band, band, enough
from fabrique.stats.limits import control_limits, signals
from fabrique.watch import explain
from fabrique.watch import queries as watch
from fabrique.watch.rules import FlagState
from fabrique.web.charts.control import ControlChart, Marker, Point, TimeEvent, control_chart
from fabrique.web.charts.spark import Sparkline, sparkline
from fabrique.web.errors import not_there
from fabrique.web.formats import difference, figure, period, short_period

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries import ProductSheet
    from fabrique.quality.catalogue import Metric
    from fabrique.quality.model import SeriesStateRow
    from fabrique.quality.queries import History, Series, Service
    from fabrique.watch.queries import Flag, ServiceEvent

CHART_PERIODS = 156
"""Periods drawn on a control chart: three years of weeks."""


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


def metric_label(metric: Metric) -> str:
    """The metric's name in the language in force."""
    return metric.label_fr if current.get() == "fr" else metric.label_en


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
            period=str(history.periods[i]),
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
