"""Did it take less time? For skewed times: ranks, the ratio of geometric means, and the typical and the long waits side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from fabrique.stats.interval import Interval
from fabrique.stats.levels import compare_ranks
from fabrique.stats.means import MOST_PERMUTED, SMALL_ARM, Moments, compare_means
from fabrique.stats.permutation import permutation_test
from fabrique.stats.quantiles import QuantileDifference, bootstrap_quantile_difference, sorted_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

LEVELS = (0.5, 0.9)
"""The typical wait and the long one."""


@dataclass(frozen=True, slots=True)
class DurationComparison:
    """Times of two arms. ratio: of the geometric means, treatment over control (0.8: a fifth less time); standard_error_log: of its
    logarithm. p_value: Mann–Whitney's, or its permutation in small arms; p_ratio: Welch's on the logarithms.
    quantiles: differences in the unit of the times, the median then the ninth decile. superiority: chance that one treated time is
    longer than a control one. raised_zeros: how many times of 0 were counted as half the shortest positive time in the ratio.
    """

    mean_treat: float
    mean_ctrl: float
    ratio: float
    interval: Interval
    standard_error_log: float
    p_value: float
    p_method: Literal["mann-whitney", "permutation"]
    p_ratio: float
    superiority: float
    superiority_interval: Interval
    quantiles: tuple[QuantileDifference, ...]
    raised_zeros: int


def compare_durations(treat: ArrayLike, ctrl: ArrayLike, *, alpha: float = 0.05, seed: int = 0) -> DurationComparison:
    """Compare two samples of times, one a person, in any unit.

    Mann–Whitney (normal with ties; permuted where an arm has fewer than 20 times), ratio of geometric means by Welch's t on
    the logarithms, stretched to 1 where the p-value does not reject; quantile differences by bootstrap. mean_treat and
    mean_ctrl are the geometric means. A time of 0 has no logarithm: in the ratio alone it counts as half the shortest positive
    time of both arms; ranks and quantiles take it as it is. Raises ValueError on an empty arm, a negative or a missing time.
    """
    one, two = sorted_values(treat), sorted_values(ctrl)
    for arm in (one, two):
        if arm[0] < 0:
            raise ValueError(f"A time of {arm[0]:g}: no time is negative.")
    logs, raised = _logarithms(one, two)
    found = compare_means(Moments.of(logs[0]), Moments.of(logs[1]), alpha=alpha)
    ranks = compare_ranks(*_counts(one, two), alpha=alpha)
    p_value, method = ranks.p, "mann-whitney"
    if min(one.size, two.size) < SMALL_ARM and one.size + two.size <= MOST_PERMUTED:
        p_value, method = _permuted(one, two, seed), "permutation"
    low, high = found.interval.low, found.interval.high
    if p_value > alpha:
        low, high = min(low, 0.0), max(high, 0.0)
    return DurationComparison(
        mean_treat=math.exp(found.mean_treat),
        mean_ctrl=math.exp(found.mean_ctrl),
        ratio=math.exp(found.difference),
        interval=Interval(_exp(low), _exp(high)),
        standard_error_log=found.standard_error,
        p_value=p_value,
        p_method="permutation" if method == "permutation" else "mann-whitney",
        p_ratio=found.p_value,
        superiority=ranks.superiority,
        superiority_interval=ranks.interval,
        quantiles=tuple(bootstrap_quantile_difference(one, two, level, alpha=alpha, seed=seed) for level in LEVELS),
        raised_zeros=raised,
    )


def quantile_difference(
    quantile_treat: float,
    interval_treat: Interval | Sequence[float],
    quantile_ctrl: float,
    interval_ctrl: Interval | Sequence[float],
    *,
    n_treat: int | None = None,
    n_ctrl: int | None = None,
    alpha: float = 0.05,
    alpha_given: float = 0.05,
) -> tuple[float, Interval]:
    """Difference of a quantile known by its estimate and its interval (of level 1 - alpha_given) in each arm, as aggregates give it.

    Normal: each standard error is the interval's width over twice its normal quantile, times the root of (n - 1) / n where the
    numbers of values are given, as GrowthBook does. Raises ValueError for an interval upside down or an arm without values.
    """
    limit = stats.norm.isf(alpha_given / 2)
    errors = [_half_width(given, n) / limit for given, n in ((interval_treat, n_treat), (interval_ctrl, n_ctrl))]
    half = float(stats.norm.isf(alpha / 2)) * math.hypot(*errors)
    difference = quantile_treat - quantile_ctrl
    return difference, Interval(difference - half, difference + half)


def _half_width(given: Interval | Sequence[float], n: int | None) -> float:
    low, high = (given.low, given.high) if isinstance(given, Interval) else given
    if not low <= high:
        raise ValueError(f"An interval from {low:g} to {high:g} ends before it begins.")
    if n is not None and n < 1:
        raise ValueError(f"{n} values in an arm: a quantile needs one at least.")
    return (high - low) / 2 * (math.sqrt((n - 1) / n) if n else 1.0)


def _logarithms(one: Floats, two: Floats) -> tuple[tuple[Floats, Floats], int]:
    both = np.r_[one, two]
    positive = both[both > 0]
    floor = positive.min() / 2 if positive.size else 1.0
    return (np.log(np.where(one > 0, one, floor)), np.log(np.where(two > 0, two, floor))), int((both == 0).sum())


def _counts(one: Floats, two: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How often each value occurs in either arm."""
    _, place = np.unique(np.r_[one, two], return_inverse=True)
    size = int(place.max()) + 1
    first, second = (np.bincount(part, minlength=size).astype(np.int64) for part in (place[: one.size], place[one.size :]))
    return first, second


def _permuted(one: Floats, two: Floats, seed: int) -> float:
    ranks = stats.rankdata(np.r_[one, two])
    return permutation_test(ranks, np.repeat([1, 0], [one.size, two.size]), seed=seed).p_value


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf  # noqa: PLR2004 - the largest power of e a float holds is 709
