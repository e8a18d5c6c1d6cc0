"""What each arm showed on a metric: sufficient statistics from counts, and the values themselves where units were recorded."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrique.experiments.plan.reading import EXPOSURE
from fabrique.experiments.plan.schema import Metric, Missing, Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fabrique.experiments.data.rows import Count, Data, Segment, Unit
    from fabrique.experiments.plan.schema import Plan

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Summary:
    """One arm on one metric. `values` and `pre` are empty where only counts are known."""

    n: float
    x: float = 0.0
    total: float = 0.0
    total_of_squares: float = 0.0
    levels: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    pre: tuple[float, ...] = ()
    clusters: tuple[str, ...] = ()
    unknown: int = 0
    """Units whose outcome is not known."""
    by_day: tuple[tuple[float, float], ...] = ()
    """Events and exposure of each row, for the spread of rates."""

    @property
    def array(self) -> Floats:
        """The values."""
        return np.array(self.values, dtype=float)


def summaries(plan: Plan, data: Data, metric: Metric, segment: Segment = ()) -> dict[str, Summary]:
    """Each arm's summary; arms without any row are left out. Counts come first, units where a metric has no counts."""
    wanted = set(segment)
    counts = [one for one in data.counts if one.metric == metric.key and wanted <= set(one.segment)]
    if counts:
        arms: dict[str, list[Count]] = defaultdict(list)
        for row in counts:
            arms[row.arm].append(row)
        found = {arm: of_counts(rows) for arm, rows in arms.items()}
    else:
        recorded: dict[str, list[Unit]] = defaultdict(list)
        for unit in data.units:
            if unit.metric == metric.key and wanted <= set(unit.segment):
                recorded[unit.arm].append(unit)
        found = {arm: of_units(rows, metric, plan.analysis.missing) for arm, rows in recorded.items()}
    if plan.analysis.missing is Missing.AS_FAILURE and metric.type is Outcome.BINARY and counts and not segment:
        received = exposures(data)
        found = {arm: with_failures(one, received.get(arm)) for arm, one in found.items()}
    return found


def of_counts(rows: list[Count]) -> Summary:
    """The sum of an arm's rows."""
    size = max((len(row.levels) for row in rows), default=0)
    levels = tuple(sum(row.levels[place] for row in rows if row.levels) for place in range(size))
    return Summary(
        n=math.fsum(row.n for row in rows),
        x=math.fsum(row.x or 0.0 for row in rows),
        total=math.fsum(row.total or 0.0 for row in rows),
        total_of_squares=math.fsum(row.total_of_squares or 0.0 for row in rows),
        levels=levels,
        by_day=tuple((row.x or 0.0, row.n) for row in sorted(rows, key=lambda row: row.key)),
    )


def of_units(rows: list[Unit], metric: Metric, missing: Missing) -> Summary:
    """An arm's units. One without outcome is left out, or a failure where the plan says so."""
    as_failure = missing is Missing.AS_FAILURE and metric.type is Outcome.BINARY
    known = [row for row in sorted(rows, key=lambda row: row.unit) if row.y is not None or as_failure]
    values = [row.y if row.y is not None else 0.0 for row in known]
    with_pre = [row for row in known if row.pre is not None]
    size = len(metric.levels) or len(metric.marks) or (int(max(values, default=0)) if metric.type is Outcome.ORDINAL else 0)
    return Summary(
        n=float(len(known)),
        x=math.fsum(values),
        total=math.fsum(values),
        total_of_squares=math.fsum(value * value for value in values),
        levels=tuple(sum(1 for value in values if value == place) for place in range(1, size + 1)),
        values=tuple(values),
        pre=tuple(row.pre or 0.0 for row in known) if len(with_pre) == len(known) else (),
        clusters=tuple(row.cluster for row in known),
        unknown=len(rows) - len(known),
        by_day=tuple((value, 1.0) for value in values),
    )


def with_failures(summary: Summary, received: float | None) -> Summary:
    """Every unit that the arm received counts: without outcome, it failed."""
    if received is None or received <= summary.n:
        return summary
    return Summary(n=received, x=summary.x, unknown=int(received - summary.n), by_day=summary.by_day)


def exposures(data: Data) -> dict[str, float]:
    """How many units each arm received, where the counts tell it."""
    found: dict[str, float] = defaultdict(float)
    for row in data.counts:
        if row.metric == EXPOSURE:
            found[row.arm] += row.n
    return dict(found)
