"""Bootstrap of medians and other quantiles, without resampling: for skewed values and times, at any sample size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

DRAWS = 4_000


@dataclass(frozen=True, slots=True)
class QuantileDifference:
    """The same quantile of two arms (level .5: the median), treatment minus control, in the values' unit."""

    level: float
    treat: float
    ctrl: float
    difference: float
    interval: Interval


def bootstrap_quantile_difference(
    treat: ArrayLike, ctrl: ArrayLike, level: float = 0.5, *, alpha: float = 0.05, seed: int = 0
) -> QuantileDifference:
    """Difference of one quantile (linear between order statistics, numpy's default) with its percentile-bootstrap interval.

    Resampling n values with replacement and taking an order statistic is the same as drawing that order statistic's rank from a
    beta law: 4,000 draws cost the same for ten values and for a million. Efron 1979; the interval always holds the estimate.
    Raises ValueError where an arm is empty or a value is not finite.
    """
    if not 0 < level < 1:
        raise ValueError(f"A quantile of level {level:g} was asked for: it must lie between 0 and 1.")
    one, two = sorted_values(treat), sorted_values(ctrl)
    rng = np.random.default_rng(seed)
    draws = _bootstrap(one, level, rng) - _bootstrap(two, level, rng)
    top, bottom = float(np.quantile(one, level)), float(np.quantile(two, level))
    low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2])
    gap = top - bottom
    return QuantileDifference(level, top, bottom, gap, Interval(min(float(low), gap), max(float(high), gap)))


def sorted_values(given: ArrayLike) -> Floats:
    """One arm's values in order; ValueError where there is none, or one is not finite."""
    values = np.sort(np.asarray(given, dtype=np.float64).ravel())
    if values.size == 0:
        raise ValueError("An arm has no value: there is nothing to compare.")
    if not np.isfinite(values).all():
        raise ValueError("A value is missing or infinite: leave its unit out first.")
    return values


def _bootstrap(values: Floats, level: float, rng: np.random.Generator) -> Floats:
    """Draws of the quantile of a resample: two neighbouring order statistics of n uniform ranks, interpolated."""
    n = values.size
    position = (n - 1) * level
    rank = math.floor(position)
    lower = rng.beta(rank + 1, n - rank, size=DRAWS)
    # The next one up is the least of the n - rank - 1 ranks left above it.
    above = max(n - rank - 1, 1)
    upper = lower + (1 - lower) * -np.expm1(np.log1p(-rng.random(DRAWS)) / above)
    at = [values[np.minimum((share * n).astype(np.intp), n - 1)] for share in (lower, upper)]
    return np.asarray(at[0] + (position - rank) * (at[1] - at[0]), dtype=np.float64)
