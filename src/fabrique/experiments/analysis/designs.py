"""Comparisons in time: an interrupted series, before and after beside others, a staggered roll-out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fabrique.clock import PeriodInvalid, parse_period
from fabrique.experiments.analysis.comparing import beside, bounds, finite, honest
from fabrique.experiments.analysis.result import Reading, SeriesPoint
from fabrique.experiments.plan.schema import Kind
from fabrique.language import n_
from fabrique.stats.differences import difference_in_differences
from fabrique.stats.interrupted import interrupted_series
from fabrique.stats.staggered import staggered_differences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fabrique.experiments.data.rows import SeriesValue
    from fabrique.experiments.plan.schema import Plan

    Floats = NDArray[np.float64]

NOTE_LABELS = {
    "too_few_periods": n_("Fewer than 8 periods before or 4 after the change: the series is described, not judged."),
    "one_treated_unit": n_("One unit alone changed: it is compared with what chance does to each of the others in turn."),
    "placebo": n_("Too few units for a usual test: the change is compared with changes given to others at random."),
    "pre_trend": n_("Before the change the units were already moving apart."),
    "twoway_differs": n_("A plain two-way fixed-effects regression would say something else: it mixes early and late adopters."),
    "no_change": n_("No unit changes in this series."),
    "always_treated": n_("Everybody changed in the first period: there is no before."),
    "nobody_to_compare": n_("There is nobody to compare the adopters with at the same moment."),
    "left_out": n_("Units with missing values, or changed from the first period on, were left out."),
    "change_elsewhere": n_(
        "The change in the figures does not begin when the plan does: its date may have been chosen afterwards."
    ),
    "periods_missing": n_("Periods are missing in between."),
    "diverging": n_("Before the change the units were clearly moving apart: what followed cannot be told from that."),
    "several_dates": n_("The units changed at several dates: this is a staggered roll-out; say so in design.kind."),
    "unreadable": n_("These figures cannot be read by this design: too few periods or units, or columns that do not vary."),
    "several_units": n_("An interrupted series has one unit; this table has several."),
}


@dataclass(frozen=True, slots=True)
class DesignRead:
    """What a design in time shows."""

    reading: Reading | None
    points: tuple[SeriesPoint, ...] = ()
    describable_only: bool = False
    notes: tuple[str, ...] = ()


def read_design(plan: Plan, series: tuple[SeriesValue, ...]) -> DesignRead:
    """The reading of the plan's design."""
    if not any(row.treated for row in series):
        return DesignRead(None, describable_only=True, notes=("no_change",))
    readers = {Kind.ITS: interrupted, Kind.DID: beside_others}
    found = readers.get(plan.design.kind, staggered)(plan, series)
    reading = honest(found.reading) if found.reading is not None else None
    return replace(found, reading=reading, notes=(*found.notes, *dating_notes(plan, series)))


def dating_notes(plan: Plan, series: tuple[SeriesValue, ...]) -> list[str]:
    """Whether the change in the figures is where the plan has it, and whether periods are missing."""
    notes = []
    first = min((row for row in series if row.treated), key=lambda row: row.position)
    try:
        start = parse_period(first.period).start
    except PeriodInvalid:
        start = None
    if start is not None and abs((start - plan.design.start).days) > A_MONTH:
        notes.append("change_elsewhere")
    by_unit: dict[str, list[int]] = defaultdict(list)
    for row in series:
        by_unit[row.unit].append(row.position)
    if any(max(places) - min(places) + 1 > len(places) for places in by_unit.values()):
        notes.append("periods_missing")
    return notes


A_MONTH = 31
"""Days by which a period's beginning may differ from the plan's first day."""


def bare_reading(plan: Plan, *, n_treat: float, n_ctrl: float) -> Reading:
    """A reading to fill."""
    return Reading(
        metric=plan.primary.key, arm="treated", control="untreated", n_treat=n_treat, n_ctrl=n_ctrl, value_treat=None,
        value_ctrl=None, scale="difference", estimate=None, low=None, high=None, level=1 - plan.analysis.alpha, p_value=None,
        method="", mde=plan.primary.mde_abs,
    )  # fmt: skip


def interrupted(plan: Plan, series: tuple[SeriesValue, ...]) -> DesignRead:
    """One series with a change: GLS with AR(1) errors by REML, bootstrap p-value."""
    if len({row.unit for row in series}) > 1:
        return DesignRead(None, describable_only=True, notes=("several_units",))
    rows = filled(series, CYCLES.get(plan.design.season, 0))
    change = next(place for place, row in enumerate(rows) if row.treated)
    if change == 0:
        return DesignRead(None, describable_only=True, notes=("always_treated",))
    values = np.array([np.nan if row.value is None else row.value for row in rows])
    season = [row.season for row in rows] if plan.design.season else None
    width = len(plan.analysis.covariates)
    covariates = np.array([row.covariates or (np.nan,) * width for row in rows]) if width else None
    try:
        found = interrupted_series(values, change, season=season, covariates=covariates, alpha=plan.analysis.alpha)
    except ValueError:
        return DesignRead(None, seen_only(rows), describable_only=True, notes=("unreadable",))
    points = tuple(
        SeriesPoint(row.period, row.value, finite(float(expected)), row.treated)
        for row, expected in zip(rows, found.counterfactual, strict=True)
    )
    if found.description_only or found.level_interval is None:
        return DesignRead(None, points, describable_only=True, notes=("too_few_periods",))
    low, high = bounds(found.level_interval)
    before, after = values[:change], values[change:]
    reading = replace(
        bare_reading(plan, n_treat=float(np.isfinite(after).sum()), n_ctrl=float(np.isfinite(before).sum())),
        value_treat=finite(float(np.nanmean(after))), value_ctrl=finite(float(np.nanmean(before))),
        estimate=finite(found.level_change), low=low, high=high, p_value=finite(found.p_value), method="gls-ar1-reml+bootstrap",
        link_estimate=finite(found.level_change),
        beside=(
            beside("slope_change", found.slope_change, found.slope_interval),
            beside("autocorrelation", found.phi),
            beside("placebo_dates_p", found.placebo_p),
        ),
    )  # fmt: skip
    return DesignRead(reading, points)


def seen_only(rows: list[SeriesValue]) -> tuple[SeriesPoint, ...]:
    """The series without anything to compare it with."""
    return tuple(SeriesPoint(row.period, row.value, None, row.treated) for row in rows)


CYCLES = {"month": 12, "quarter": 4, "weekday": 7}


def filled(series: tuple[SeriesValue, ...], cycle: int) -> list[SeriesValue]:
    """The series with its missing periods as empty ones; the calendar goes on in them, covariates stay as they were."""
    rows: list[SeriesValue] = []
    for row in sorted(series, key=lambda one: one.position):
        while rows and row.position - rows[-1].position > 1 and len(rows) < LONGEST:
            last = rows[-1]
            season = last.season % cycle + 1 if cycle else last.season
            rows.append(replace(last, period="", position=last.position + 1, value=None, season=season))
        rows.append(row)
    return rows


LONGEST = 20_000
"""Periods; a series with a mistyped year would be filled for ever."""


def columns(series: tuple[SeriesValue, ...]) -> tuple[Floats, list[str], list[int], list[int]]:
    """Values, units, periods and treatment as columns; missing values are left out."""
    rows = [row for row in series if row.value is not None]
    values = np.array([row.value for row in rows], dtype=float)
    return values, [row.unit for row in rows], [row.position for row in rows], [int(row.treated) for row in rows]


def beside_others(plan: Plan, series: tuple[SeriesValue, ...]) -> DesignRead:
    """Difference in differences; one treated unit is judged by placebos alone."""
    values, units, periods, treated = columns(series)
    changed = {row.unit for row in series if row.treated}
    starts = {min(row.position for row in series if row.treated and row.unit == unit) for unit in changed}
    if len(starts) > 1:
        return DesignRead(None, group_means(series), describable_only=True, notes=("several_dates",))
    try:
        found = difference_in_differences(values, units, periods, treated, alpha=plan.analysis.alpha)
    except ValueError:
        reason = "nobody_to_compare" if changed >= set(units) else "unreadable"
        return DesignRead(None, group_means(series), describable_only=True, notes=(reason,))
    low, high = bounds(found.interval)
    notes = []
    if len(changed) == 1:
        notes.append("one_treated_unit")
    elif found.method == "placebo":
        notes.append("placebo")
    if found.pretrend_p is not None and found.pretrend_p < SUSPECT:
        notes.append("pre_trend")
    if found.pretrend_p is not None and found.pretrend_p < CLEAR:
        return DesignRead(None, group_means(series), describable_only=True, notes=("diverging",))
    reading = replace(
        bare_reading(plan, n_treat=float(len(changed)), n_ctrl=float(len(set(units)) - len(changed))),
        estimate=finite(found.att), low=low, high=high, p_value=finite(found.p_value), method=f"did-{found.method}",
        link_estimate=finite(found.att), link_error=finite(found.standard_error),
        beside=(beside("pre_trend_p", found.pretrend_p),), notes=tuple(notes),
    )  # fmt: skip
    return DesignRead(reading, group_means(series))


SUSPECT, CLEAR = 0.05, 0.01
"""p-values of the trends before from which a reader is warned, and from which no verdict is given."""


def group_means(series: tuple[SeriesValue, ...]) -> tuple[SeriesPoint, ...]:
    """The mean of the changed units by period, beside that of the others."""
    changed = {row.unit for row in series if row.treated}
    by_period: dict[int, dict[bool, list[float]]] = defaultdict(lambda: {True: [], False: []})
    labels: dict[int, str] = {}
    since = min(row.position for row in series if row.treated)
    for row in series:
        labels[row.position] = row.period
        if row.value is not None:
            by_period[row.position][row.unit in changed].append(row.value)
    return tuple(
        SeriesPoint(labels[at], average(by_period[at][True]), average(by_period[at][False]), at >= since)
        for at in sorted(by_period)
    )


def average(values: list[float]) -> float | None:
    """The mean; None of nothing."""
    return float(np.mean(values)) if values else None


def staggered(plan: Plan, series: tuple[SeriesValue, ...]) -> DesignRead:
    """Group-time effects against those not, or never, treated."""
    y, first, positions = matrix(series)
    try:
        found = staggered_differences(y, first, positions, alpha=plan.analysis.alpha)
    except ValueError:
        return DesignRead(None, group_means(series), describable_only=True, notes=("nobody_to_compare",))
    low, high = bounds(found.interval)
    if found.pretrend_p is not None and found.pretrend_p < CLEAR:
        return DesignRead(None, group_means(series), describable_only=True, notes=("diverging",))
    notes = ["twoway_differs"] if not low_high_hold(low, high, found.twfe) else []
    notes += ["left_out"] if found.left_out else []
    notes += ["pre_trend"] if found.pretrend_p is not None and found.pretrend_p < SUSPECT else []
    reading = replace(
        bare_reading(plan, n_treat=float(found.units_treat), n_ctrl=float(found.units_never)),
        estimate=finite(found.att), low=low, high=high, p_value=finite(found.p_value), method="group-time-att+permutation",
        link_estimate=finite(found.att),
        beside=(
            beside("twoway_fixed_effects", found.twfe),
            beside("pre_trend_p", found.pretrend_p),
            *(beside(f"event_{one.relative:+d}", one.estimate, one.interval) for one in found.event_study),
        ),
        notes=tuple(notes),
    )  # fmt: skip
    return DesignRead(reading, group_means(series))


def matrix(series: tuple[SeriesValue, ...]) -> tuple[Floats, list[int], list[int]]:
    """Units by periods, each unit's first changed period (0: never), and the periods, counted from 1."""
    positions = sorted({row.position for row in series})
    place = {position: number for number, position in enumerate(positions)}
    units = sorted({row.unit for row in series})
    line = {unit: number for number, unit in enumerate(units)}
    y = np.full((len(units), len(positions)), np.nan)
    first = [0] * len(units)
    for row in sorted(series, key=lambda one: one.position):
        if row.value is not None:
            y[line[row.unit], place[row.position]] = row.value
        if row.treated and not first[line[row.unit]]:
            first[line[row.unit]] = place[row.position] + 1
    return y, first, list(range(1, len(positions) + 1))


def low_high_hold(low: float | None, high: float | None, value: float | None) -> bool:
    """Whether an interval holds a value."""
    return value is None or ((low is None or low <= value) and (high is None or value <= high))
