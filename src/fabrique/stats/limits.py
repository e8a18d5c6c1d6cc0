"""Control limits and the signals they give, for the chart and for those trained to read it.

XmR for bare values, Laney p′ and u′ for proportions and rates, weighted x̄ for scores and means; the four rules of NHS England's
"Making Data Count". Limits are re-based at each accepted change.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fabrique.stats.measurements import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fabrique.stats.measurements import Measurements

    Floats = NDArray[np.float64]

D2 = 1.128
"""Mean moving range of two standard normal values (Shewhart's d2 for n = 2)."""
XMR_LIMIT = 2.66
"""3 / d2, rounded as in NHS England's method."""
XMR_RANGE_LIMIT = 3.267
"""D4 for n = 2: moving ranges above this multiple of their mean are left out once, as in NHS England's method."""
RUN = 7
"""Points in a row on one side, or rising, or falling."""


class Rule(StrEnum):
    """Which of the four rules a point belongs to."""

    OUTSIDE = "outside"
    ONE_SIDE = "one_side"
    TREND = "trend"
    NEAR_LIMIT = "near_limit"


class Kind(StrEnum):
    """Which way a signal points, by the metric's direction."""

    IMPROVEMENT = "improvement"
    REGRESSION = "regression"
    NEUTRAL = "neutral"


class Assurance(StrEnum):
    """Whether a process as it stands will meet its target."""

    HITS = "hits"
    MISSES = "misses"
    HIT_OR_MISS = "hit_or_miss"


@dataclass(frozen=True, slots=True)
class Limits:
    """Centre line and limits of each period, in the series' unit; nan before any value of a piece."""

    centre: Floats
    lower: Floats
    upper: Floats
    sigma: Floats


@dataclass(frozen=True, slots=True)
class Signal:
    """One point that a rule points at."""

    index: int
    rule: Rule
    kind: Kind


def control_limits(series: Measurements, rebase_at: Sequence[int] = ()) -> Limits:
    """Limits of each period, computed afresh from each index of `rebase_at` (the first period of a new accepted level)."""
    size = len(series)
    centre, sigma = np.full(size, np.nan), np.full(size, np.nan)
    edges = [0, *sorted({i for i in rebase_at if 0 < i < size}), size]
    for start, end in pairwise(edges):
        piece = slice(start, end)
        middle, deviation = _piece(series, piece)
        centre[piece], sigma[piece] = middle, deviation
    return Limits(
        centre,
        np.clip(centre - 3 * sigma, series.lowest, series.highest),
        np.clip(centre + 3 * sigma, series.lowest, series.highest),
        sigma,
    )


def _piece(series: Measurements, piece: slice) -> tuple[float, Floats | float]:
    level, weight = series.level[piece], series.weight[piece]
    seen = np.isfinite(level)
    if not seen.any():
        return np.nan, np.nan
    if series.form is Form.VALUE:
        middle = float(level[seen].mean())
        return middle, XMR_LIMIT / 3 * screened_moving_range(level[seen])
    middle = float(np.average(level[seen], weights=weight[seen]))
    # A missing period has no limits of its own; it is drawn with those of a period of ordinary size.
    size = np.where(seen, weight, np.median(weight[seen]))
    within = _spread_at(series, middle) / np.sqrt(size)
    if series.form in {Form.SCORE, Form.MEAN} or seen.sum() < 2:  # noqa: PLR2004 - a moving range needs two points
        return middle, within
    with np.errstate(invalid="ignore", divide="ignore"):
        standardised = np.where(within > 0, (level - middle) / within, 0.0)[seen]
    # Laney 2002: the moving range of standardised values widens (or narrows) the limits by what varies between periods.
    return middle, within * float(np.abs(np.diff(standardised)).mean() / D2)


def _spread_at(series: Measurements, middle: float) -> float:
    match series.form:
        case Form.PROPORTION:
            return float(np.sqrt(max(middle * (1 - middle), 0.0)))
        case Form.RATE:
            return float(np.sqrt(max(middle, 0.0)))
        case Form.SCORE | Form.MEAN | Form.VALUE:
            return series.spread


def screened_moving_range(level: Floats) -> float:
    """Mean moving range without the ranges above 3.267 times their mean (NHS England, Making Data Count)."""
    if len(level) < 2:  # noqa: PLR2004 - a moving range needs two points
        return 0.0
    ranges = np.abs(np.diff(level))
    ordinary = ranges[ranges <= XMR_RANGE_LIMIT * ranges.mean()].mean()
    # Where only what was left out ever moved, limits of no width would point at every value.
    return float(ordinary if ordinary > 0 else ranges.mean())


def signals(series: Measurements, limits: Limits, better: str | None) -> list[Signal]:
    """Every point that belongs to one of the four patterns, in order. `better` is higher, lower or None."""
    seen = np.flatnonzero(series.present)
    if len(seen) == 0:
        return []
    level = series.level[seen]
    # The mean of equal values may differ from them in its last digit: that is no signal.
    offset = np.where(np.isclose(level, limits.centre[seen], rtol=1e-12, atol=0), 0.0, level - limits.centre[seen])
    sigma = limits.sigma[seen]
    pieces = np.cumsum(np.r_[0, np.diff(limits.centre[seen]) != 0])
    found = [
        *_each(Rule.OUTSIDE, offset > 3 * sigma, offset < -3 * sigma),
        *_each(Rule.ONE_SIDE, _runs(offset > 0, pieces), _runs(offset < 0, pieces)),
        *_each(Rule.TREND, _trend(level, pieces), _trend(-level, pieces)),
        *_each(Rule.NEAR_LIMIT, _near(offset, sigma, pieces), _near(-offset, sigma, pieces)),
    ]
    return [Signal(int(seen[i]), rule, kind_of(up, better)) for i, rule, up in sorted(found, key=lambda s: (s[0], s[1]))]


def _each(rule: Rule, high: NDArray[np.bool_], low: NDArray[np.bool_]) -> list[tuple[int, Rule, bool]]:
    return [(int(i), rule, True) for i in np.flatnonzero(high)] + [(int(i), rule, False) for i in np.flatnonzero(low)]


def _runs(side: NDArray[np.bool_], pieces: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Every point of a run of seven or more inside one piece."""
    marked = np.zeros(len(side), dtype=bool)
    for end in range(RUN, len(side) + 1):
        window = slice(end - RUN, end)
        if side[window].all() and pieces[end - RUN] == pieces[end - 1]:
            marked[window] = True
    return marked


def _trend(level: Floats, pieces: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Every point of seven or more in a row, each above the one before."""
    marked = np.zeros(len(level), dtype=bool)
    for end in range(RUN, len(level) + 1):
        window = slice(end - RUN, end)
        if (np.diff(level[window]) > 0).all() and pieces[end - RUN] == pieces[end - 1]:
            marked[window] = True
    return marked


def _near(offset: Floats, sigma: Floats, pieces: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Points beyond two sigma where at least two of three in a row are, on the same side and inside the limits."""
    beyond = (offset > 2 * sigma) & (offset <= 3 * sigma)
    marked = np.zeros(len(offset), dtype=bool)
    for start in range(len(offset) - 2):
        window = slice(start, start + 3)
        if beyond[window].sum() >= 2 and pieces[start] == pieces[start + 2]:  # noqa: PLR2004 - two of three
            marked[window] |= beyond[window]
    return marked


def kind_of(up: bool, better: str | None) -> Kind:
    """What a rise (or a fall) means for a metric of that direction."""
    if better not in {"higher", "lower"}:
        return Kind.NEUTRAL
    return Kind.IMPROVEMENT if up == (better == "higher") else Kind.REGRESSION


def assurance(limits: Limits, target: float, better: str) -> Assurance:
    """Whether the target lies outside the latest limits: the process will then always, or never, meet it."""
    low, high = limits.lower[-1], limits.upper[-1]
    if better == "lower":
        low, high, target = -high, -low, -target
    if target <= low:
        return Assurance.HITS
    return Assurance.MISSES if target > high else Assurance.HIT_OR_MISS
