"""Did the units that adopted a change move otherwise than those that did not?

For one adoption date; several need `staggered`. Assumes that without the change all would have moved alike, which the periods before
it can contradict (`pretrend_p`, `event_study`) but never prove.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import t as student

from fabrique.stats.clusters import compare_clusters
from fabrique.stats.interval import Interval
from fabrique.stats.permutation import invert, permutation_test, reassignments

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.intp]
    Flags = NDArray[np.bool_]

LEAST_A_SIDE = 10
"""Units needed on each side for errors estimated from them; with fewer, placebo units say how often chance does as much."""
DUST = 1e-13
"""Of the largest value: what is left below it is rounding."""


@dataclass(frozen=True, slots=True)
class EventPoint:
    """Treated minus control, since the last period before the change. relative: periods from adoption (0: the first one after)."""

    relative: int
    estimate: float
    interval: Interval
    p_value: float


@dataclass(frozen=True, slots=True)
class DifferenceInDifferences:
    """att: effect on the treated, in the outcome's unit, by two-way fixed effects.

    method "cluster-t": units' own contributions, arm by arm, with Satterthwaite's degrees of freedom (`standard_error`, `df`);
    "placebo": share of the other ways to choose as many units that give as much, the actual one included, and the effects such a test
    does not reject (`standard_error` and `df` None; infinite interval and a `note` where there are too few ways).
    se_ols, se_cluster: classical, and CR1 by unit; for reading beside, far too small with few treated units; None where undefined.
    pretrend_difference, pretrend_p: how much faster the treated rose, a period, before the change; None with fewer than two periods.
    event_study: every period but the last before adoption, where both arms have units.
    """

    att: float
    interval: Interval
    p_value: float
    method: Literal["cluster-t", "placebo"]
    standard_error: float | None
    df: float | None
    se_ols: float | None
    se_cluster: float | None
    units_treat: int
    units_ctrl: int
    periods_before: int
    periods_after: int
    assignments: int | None
    exact: bool | None
    pretrend_difference: float | None
    pretrend_p: float | None
    event_study: tuple[EventPoint, ...]
    note: str | None


def difference_in_differences(
    values: ArrayLike, unit: ArrayLike, period: ArrayLike, treated: ArrayLike, *, alpha: float = 0.05, seed: int = 0
) -> DifferenceInDifferences:
    """Effect of a change that some units adopt at one date, in long form: one entry a unit and period.

    values: outcome; unit: label; period: anything that sorts in time; treated: 1 for a unit that adopts, from the adoption on, else 0.
    Rows may be missing. From 10 treated and 10 control units, t on their contributions; below, placebo units, all of them up to 20,000
    ways of choosing and 10,000 drawn beyond (Kessler & Roth 2014; Conley & Taber 2011 on one treated unit).
    Raises ValueError for lengths that differ, missing values, a unit twice in a period, several adoption dates, a change that is taken
    back, or nothing to compare with (no unit untreated, no period before).
    """
    if not 0 < alpha < 1:
        msg = f"an alpha of {alpha:g}: it lies between 0 and 1."
        raise ValueError(msg)
    panel = _Panel.read(values, unit, period, treated)
    fit = _Fit.of(panel)
    sides = int(panel.ever.sum()), int((~panel.ever).sum())
    few = min(sides) < LEAST_A_SIDE
    reading = _by_placebo(panel, fit, alpha, seed) if few else _by_cluster(panel, fit, alpha)
    pretrend = _pretrend(panel, few=few, alpha=alpha, seed=seed)
    return DifferenceInDifferences(
        att=fit.att,
        interval=reading.interval,
        p_value=reading.p_value,
        method="placebo" if few else "cluster-t",
        standard_error=reading.standard_error,
        df=reading.df,
        se_ols=fit.se_ols,
        se_cluster=fit.se_cluster,
        units_treat=sides[0],
        units_ctrl=sides[1],
        periods_before=panel.adoption,
        periods_after=panel.periods - panel.adoption,
        assignments=reading.assignments,
        exact=reading.exact,
        pretrend_difference=pretrend[0] if pretrend else None,
        pretrend_p=pretrend[1] if pretrend else None,
        event_study=_event_study(panel, few=few, alpha=alpha, seed=seed),
        note=reading.note,
    )


@dataclass(frozen=True, slots=True)
class _Panel:
    """values: from their mean; unit, time: places in the sorted labels; ever: by unit; adoption: place of the first treated period."""

    values: Floats
    unit: Labels
    time: Labels
    ever: Flags
    adoption: int
    periods: int

    @classmethod
    def read(cls, values: ArrayLike, unit: ArrayLike, period: ArrayLike, treated: ArrayLike) -> _Panel:
        y, given = np.array(values, dtype=np.float64).ravel(), np.asarray(treated).ravel()
        labels, times = np.asarray(unit).ravel(), np.asarray(period).ravel()
        if not len(y) == len(labels) == len(times) == len(given):
            msg = f"{len(y)} values, {len(labels)} units, {len(times)} periods and {len(given)} treatments: each row has one of each."
            raise ValueError(msg)
        if not np.isfinite(y).all():
            msg = "a value is missing or infinite: leave its row out first."
            raise ValueError(msg)
        if not np.isin(given, (0, 1)).all():
            msg = "a treatment is neither 0 nor 1."
            raise ValueError(msg)
        units, places = np.unique(labels, return_inverse=True)
        periods, moments = np.unique(times, return_inverse=True)
        if len(np.unique(places * len(periods) + moments)) < len(y):
            msg = "a unit has two values in one period: keep one."
            raise ValueError(msg)
        on = given.astype(bool)
        ever = np.bincount(places, weights=on, minlength=len(units)) > 0
        if ever.all() or not ever.any():
            msg = f"{int(ever.sum())} of {len(units)} units adopt the change: some must, and some must not."
            raise ValueError(msg)
        adoption = _adoption(on, ever[places], moments)
        return cls(y - y.mean(), places, moments, ever, adoption, len(periods))

    @property
    def after(self) -> Flags:
        return self.time >= self.adoption

    def within(self, columns: Floats) -> Floats:
        """What is left of each column once the levels of units and of periods are taken off."""
        ones, rows = np.ones(len(self.unit)), np.arange(len(self.unit))
        by = [
            csr_array((ones, (rows, place)), shape=(len(rows), size))
            for place, size in ((self.unit, len(self.ever)), (self.time, self.periods))
        ]
        sizes = [np.bincount(place)[:, None] for place in (self.unit, self.time)]
        left, largest = columns, np.abs(columns).max(axis=0)
        # One round is exact for a full panel; with rows missing the rounds converge (Gaure 2013).
        for _ in range(2000):
            before = left
            for belongs, size in zip(by, sizes, strict=True):
                means: Floats = np.asarray(belongs.T @ left) / size
                left = left - np.asarray(belongs @ means)
            if (np.abs(left - before).max(axis=0) <= 1e-12 * largest).all():
                break
        # Equal moves leave a dust of rounding that must not pass for an effect.
        return np.where(np.abs(left) <= DUST * largest, 0.0, left)


def _adoption(on: Flags, ever: Flags, moments: Labels) -> int:
    adoption = int(moments[on].min())
    if (ever & (moments >= adoption) & ~on).any():
        msg = "the units adopt the change at several dates, or take it back: compare them with the staggered design."
        raise ValueError(msg)
    if adoption == 0:
        msg = "the change is there from the first period on: there is nothing to compare it with."
        raise ValueError(msg)
    return adoption


@dataclass(frozen=True, slots=True)
class _Fit:
    """scores: contribution of each unit to the estimate's error."""

    att: float
    scores: Floats
    se_ols: float | None
    se_cluster: float | None

    @classmethod
    def of(cls, panel: _Panel) -> _Fit:
        units, rows = len(panel.ever), len(panel.values)
        treated = panel.after & panel.ever[panel.unit]
        inner = panel.within(np.column_stack([panel.values, treated]))
        treatment = inner[:, 1]
        weight = float(treatment @ treatment)
        if weight <= 1e-9:  # noqa: PLR2004 - rounding
            msg = "the treated units and the others are not both seen before and after the change: nothing can be compared."
            raise ValueError(msg)
        att = float(treatment @ inner[:, 0]) / weight
        residual = inner[:, 0] - att * treatment
        scores = np.bincount(panel.unit, weights=treatment * residual, minlength=units) / weight
        terms = units + panel.periods
        if rows <= terms:
            return cls(att, scores, None, None)
        classical = math.sqrt(float(residual @ residual) / (rows - terms) / weight)
        robust = math.sqrt(float(scores @ scores) * units / (units - 1) * (rows - 1) / (rows - terms))
        return cls(att, scores, classical, robust)


@dataclass(frozen=True, slots=True)
class _Reading:
    interval: Interval
    p_value: float
    standard_error: float | None = None
    df: float | None = None
    assignments: int | None = None
    exact: bool | None = None
    note: str | None = None


def _by_cluster(panel: _Panel, fit: _Fit, alpha: float) -> _Reading:
    """t on units' contributions; in a full panel, exactly Welch's t on their mean changes."""
    parts = []
    for side in (panel.ever, ~panel.ever):
        count = int(side.sum())
        parts.append((float((fit.scores[side] ** 2).sum()) * count / (count - 1), count - 1))
    total = sum(part for part, _ in parts)
    error = math.sqrt(total)
    spread = sum(part**2 / free for part, free in parts)
    df = total**2 / spread if spread > 0 else float(len(panel.ever) - 2)
    magnitude = float(np.abs(panel.values).max())
    if error <= 1e-12 * magnitude:
        p_value = 1.0 if abs(fit.att) <= 1e-12 * magnitude else 0.0
    else:
        p_value = float(2 * student.sf(abs(fit.att) / error, df))
    reach = float(student.isf(alpha / 2, df)) * error
    return _Reading(Interval(fit.att - reach, fit.att + reach), p_value, error, df)


def _by_placebo(panel: _Panel, fit: _Fit, alpha: float, seed: int) -> _Reading:
    """The estimate beside those of every other choice of as many units.

    With a column for each unit treated alone, the estimate of a choice e is gains·e / (e·overlap·e), and that of the actual treatment
    under it e·overlap·ever / (e·overlap·e).
    """
    alone = np.zeros((len(panel.values), len(panel.ever)))
    alone[panel.after, panel.unit[panel.after]] = 1.0
    inner = panel.within(np.column_stack([panel.values, alone]))
    gains, overlap = alone.T @ inner[:, 0], alone.T @ inner[:, 1:]
    picks, exact = reassignments(panel.ever, seed=seed)
    statistics, overlaps = [], []
    for rows in picks:
        chosen = np.zeros((len(rows), len(panel.ever)))
        chosen[np.arange(len(rows))[:, None], rows] = 1.0
        onto = chosen @ overlap
        weight = (onto * chosen).sum(axis=1)
        # Units with nothing on one side of the date cannot be told apart from nothing: no effect.
        known = weight > 1e-9  # noqa: PLR2004
        statistics.append(np.divide(chosen @ gains, weight, out=np.zeros(len(rows)), where=known))
        overlaps.append(np.divide(onto @ panel.ever, weight, out=np.zeros(len(rows)), where=known))
    drawn = np.concatenate(statistics)
    p_value, interval = invert(fit.att, drawn, np.concatenate(overlaps), alpha=alpha, exact=exact)
    bounded = math.isfinite(interval.low) and math.isfinite(interval.high)
    note = None if bounded else f"too few units: no choice of them could be rare enough to bound the effect at {1 - alpha:.0%}"
    return _Reading(interval, p_value, assignments=len(drawn), exact=exact, note=note)


def _table(panel: _Panel) -> Floats:
    """Units × periods, nan where a row is missing."""
    table = np.full((len(panel.ever), panel.periods), np.nan)
    table[panel.unit, panel.time] = panel.values
    return table


def _pretrend(panel: _Panel, *, few: bool, alpha: float, seed: int) -> tuple[float, float] | None:
    """Difference of the units' own slopes before the change."""
    before = _table(panel)[:, : panel.adoption]
    seen = np.isfinite(before)
    counts = np.maximum(seen.sum(axis=1), 1)
    clock = np.where(seen, np.arange(panel.adoption, dtype=np.float64), 0.0)
    clock = np.where(seen, clock - (clock.sum(axis=1) / counts)[:, None], 0.0)
    spread = (clock**2).sum(axis=1)
    known = spread > 0
    slopes = np.divide((clock * np.where(seen, before, 0.0)).sum(axis=1), spread, out=np.zeros(len(spread)), where=known)
    found = _compare(slopes[known], panel.ever[known], few=few, alpha=alpha, seed=seed)
    return (found[0], found[2]) if found else None


def _event_study(panel: _Panel, *, few: bool, alpha: float, seed: int) -> tuple[EventPoint, ...]:
    table = _table(panel)
    base = panel.adoption - 1
    points = []
    for period in range(panel.periods):
        moved = table[:, period] - table[:, base]
        known = np.isfinite(moved)
        found = None if period == base else _compare(moved[known], panel.ever[known], few=few, alpha=alpha, seed=seed)
        if found:
            points.append(EventPoint(period - panel.adoption, *found))
    return tuple(points)


def _compare(values: Floats, ever: Flags, *, few: bool, alpha: float, seed: int) -> tuple[float, Interval, float] | None:
    """Difference of units' means, its interval and p; None where an arm has no unit."""
    if ever.all() or not ever.any():
        return None
    if few or min(int(ever.sum()), int((~ever).sum())) < LEAST_A_SIDE:
        permuted = permutation_test(values, ever, alpha=alpha, seed=seed)
        return permuted.difference, permuted.interval, permuted.p_value
    tested = compare_clusters(values, ever, np.arange(len(values)), alpha=alpha, seed=seed)
    return tested.difference, tested.interval, tested.p_value
