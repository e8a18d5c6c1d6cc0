"""Did a mean differ between two arms? For experiments that measure amounts or scores, from totals or from each value."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from fabrique.stats.interval import Interval
from fabrique.stats.permutation import permutation_test
from fabrique.stats.proportions import RelativeLift, lift_from
from fabrique.stats.quantiles import QuantileDifference, bootstrap_quantile_difference, sorted_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SMALL_ARM = 20
"""Below so many values in an arm the p-value comes from permutations."""
MOST_PERMUTED = 5_000
"""Above so many values in all the arms are not permuted: it would take seconds."""
NOISE = 1e-13
"""Share of the sum of squares that rounding alone may leave over where all values are the same."""


@dataclass(frozen=True, slots=True)
class Moments:
    """One arm as its number of values, their sum and their sum of squares. Raises ValueError where no sample could have them."""

    n: int
    total: float
    total_of_squares: float

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"{self.n} values in an arm: a mean needs at least one.")
        if not (math.isfinite(self.total) and math.isfinite(self.total_of_squares)):
            raise ValueError("A sum is missing or infinite: no mean can be taken.")
        if self.total_of_squares * self.n < self.total**2 * (1 - 1e-9):
            raise ValueError(
                f"A sum of squares of {self.total_of_squares:g} is too small for {self.n} values that sum to {self.total:g}."
            )

    @classmethod
    def of(cls, values: Sequence[float] | Floats) -> Moments:
        """From each value."""
        array = np.asarray(values, dtype=np.float64)
        return cls(array.size, float(array.sum()), float((array**2).sum()))

    @property
    def mean(self) -> float:
        """Mean, in the values' unit."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Sample variance (n - 1 below), nil for a single value and for equal ones."""
        around = self.total_of_squares - self.total**2 / self.n
        return around / (self.n - 1) if self.n > 1 and around > NOISE * self.total_of_squares else 0.0


@dataclass(frozen=True, slots=True)
class MeanComparison:
    """Two means side by side, treatment minus control, in the values' unit.

    relative_lift: the difference over the control's mean; None where that mean is 0 or nothing varies.
    median: the difference of medians with its bootstrap interval, where each value is known.
    """

    mean_treat: float
    mean_ctrl: float
    difference: float
    interval: Interval
    standard_error: float
    df: float
    t: float
    p_value: float
    p_method: Literal["welch", "permutation"]
    relative_lift: RelativeLift | None
    median: QuantileDifference | None = None


def compare_means(treat: Moments, ctrl: Moments, *, alpha: float = 0.05) -> MeanComparison:
    """Welch's t test and interval from sums and sums of squares.

    An arm of a single value borrows the other's variance (Student's test); with two single values nothing is known: p = 1
    and an interval without ends. Where no value varies, p = 1 if the means are equal and 0 if not. Welch 1947.
    """
    return _welch((treat.n, treat.mean, treat.variance), (ctrl.n, ctrl.mean, ctrl.variance), alpha)


def compare_values(
    treat: Sequence[float] | Floats, ctrl: Sequence[float] | Floats, *, alpha: float = 0.05, seed: int = 0
) -> MeanComparison:
    """The same from each value, with the difference of medians beside it.

    Where an arm has fewer than 20 values, p comes from permutations (all of them up to 20,000, else 10,000 draws), and
    Welch's interval is stretched to 0 where that test does not reject. Raises ValueError on an empty arm or a missing value.
    """
    one, two = sorted_values(treat), sorted_values(ctrl)
    found = _welch(_summary(one), _summary(two), alpha)
    median = bootstrap_quantile_difference(one, two, 0.5, alpha=alpha, seed=seed)
    if min(one.size, two.size) >= SMALL_ARM or one.size + two.size > MOST_PERMUTED:
        return replace(found, median=median)
    arm = np.repeat([1, 0], [one.size, two.size])
    p_value = permutation_test(np.r_[one, two], arm, alpha=alpha, seed=seed).p_value
    interval = found.interval
    if p_value > alpha:
        interval = Interval(min(interval.low, 0.0), max(interval.high, 0.0))
    return replace(found, p_value=p_value, p_method="permutation", interval=interval, median=median)


def _summary(values: Floats) -> tuple[int, float, float]:
    """Size, mean and variance, exact where all values are equal."""
    if values[0] == values[-1]:
        return values.size, float(values[0]), 0.0
    return values.size, float(values.mean()), float(values.var(ddof=1))


def _welch(treat: tuple[int, float, float], ctrl: tuple[int, float, float], alpha: float) -> MeanComparison:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}: it must lie between 0 and 1.")
    (n1, mean1, variance1), (n2, mean2, variance2) = treat, ctrl
    difference = 0.0 if math.isclose(mean1, mean2, rel_tol=1e-13) else mean1 - mean2
    error, freedom = welch_error(n1, variance1, n2, variance2)
    t, p_value = _test(difference, error, freedom)
    half = float(stats.t.isf(alpha / 2, freedom)) * error
    varies = variance1 + variance2 > 0 and min(n1, n2) > 1 and mean2 != 0
    return MeanComparison(
        mean_treat=mean1,
        mean_ctrl=mean2,
        difference=difference,
        interval=Interval(difference - half, difference + half),
        standard_error=error,
        df=freedom,
        t=t,
        p_value=p_value,
        p_method="welch",
        relative_lift=lift_from(mean1, variance1, n1, mean2, variance2, n2, alpha=alpha) if varies else None,
    )


def welch_error(n1: int, variance1: float, n2: int, variance2: float) -> tuple[float, float]:
    """Standard error of a difference of means and its Welch–Satterthwaite degrees of freedom."""
    if n1 == n2 == 1:
        return math.inf, 1.0
    if n1 == 1 or n2 == 1:
        borrowed = max(variance1, variance2)
        return math.sqrt(borrowed / n1 + borrowed / n2), float(n1 + n2 - 2)
    one, two = variance1 / n1, variance2 / n2
    if one + two == 0:
        return 0.0, float(n1 + n2 - 2)
    # Shares rather than squares of the variances, which may underflow.
    share = one / (one + two)
    return math.sqrt(one + two), 1 / (share**2 / (n1 - 1) + (1 - share) ** 2 / (n2 - 1))


def _test(difference: float, error: float, freedom: float) -> tuple[float, float]:
    if difference == 0 or math.isinf(error):
        return 0.0, 1.0
    if error == 0:
        return math.copysign(math.inf, difference), 0.0
    t = difference / error
    return t, float(2 * stats.t.sf(abs(t), freedom))
