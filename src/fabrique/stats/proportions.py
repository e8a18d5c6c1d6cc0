"""Did a share of successes differ between two arms? For experiments that count who succeeded, down to a handful of people.

Every difference is treatment minus control. An interval is always given; small samples get an exact p-value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from scipy import optimize, special, stats

from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.float64] | NDArray[np.int64]

EXACT_BELOW = 100_000
"""Product of the arms' sizes below which p-values are exact: about 316 people an arm. See `compare_proportions`."""
FEW_EXPECTED = 10.0
"""Expected cell below which a large unbalanced table is still given an exact p-value."""


@dataclass(frozen=True, slots=True)
class ProportionComparison:
    """Two shares side by side. Rates, difference and standard error on [0, 1] or [-1, 1]: multiply by 100 for points.

    standard_error: unpooled (Wald); where both arms are at 0 or 1 and it would be nil, that of the interval's width.
    risk_ratio: None where the control had no success.
    """

    rate_treat: float
    rate_ctrl: float
    difference: float
    interval: Interval
    score_interval: Interval
    standard_error: float
    p_value: float
    p_method: Literal["pooled-z", "boschloo", "fisher"]
    risk_ratio: float | None
    risk_ratio_interval: Interval | None


@dataclass(frozen=True, slots=True)
class RelativeLift:
    """Difference over the control's level (0.1: a tenth more), its interval and the p-value that nothing differs."""

    lift: float
    interval: Interval
    standard_error: float
    p_value: float


def compare_proportions(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, alpha: float = 0.05) -> ProportionComparison:
    """Compare x successes of n in two arms; always an answer, zero cells included.

    The p-value is that of the pooled z test only where that test holds its level. Enumerating every table of 20 to 300
    people an arm at true rates of 5 to 95 %, the pooled z test at 5 % errs up to 5.7 % of the time (50, 100 and 208 an arm at
    a rate of 50 %), although no expected cell is small; N - 1 instead of N does not cure it. Boschloo's test errs at most
    5.0 %, so it is used wherever the product of the sizes is below 100,000. Beyond, the pooled z test errs at most 5.4 %
    when no expected cell is below 10; else Fisher.

    The interval is Newcombe's, stretched to 0 where the test does not reject it, so that the two never say opposite things;
    it then covers a nil difference at least 95.0 % of the time (Newcombe's alone: 94.3 %), differences of up to 20 points
    94.0 %, and 92 % at the very worst (5 % against 95 %, 20 an arm). Miettinen and Nurminen's stands beside it as it is.

    Raises ValueError on impossible counts or alpha.
    """
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    p1, p2 = x_treat / n_treat, x_ctrl / n_ctrl
    p_value, method = _p_value(x_treat, n_treat, x_ctrl, n_ctrl)
    interval = newcombe_interval(x_treat, n_treat, x_ctrl, n_ctrl, alpha=alpha)
    if p_value > alpha:
        interval = Interval(min(interval.low, 0.0), max(interval.high, 0.0))
    wald = math.sqrt(_variance(p1, n_treat, p2, n_ctrl))
    return ProportionComparison(
        rate_treat=p1,
        rate_ctrl=p2,
        difference=p1 - p2,
        interval=interval,
        score_interval=miettinen_nurminen_interval(x_treat, n_treat, x_ctrl, n_ctrl, alpha=alpha),
        standard_error=wald if wald > 0 else (interval.high - interval.low) / (2 * _quantile(alpha)),
        p_value=p_value,
        p_method=method,
        risk_ratio=risk_ratio(x_treat, n_treat, x_ctrl, n_ctrl),
        risk_ratio_interval=risk_ratio_score_interval(x_treat, n_treat, x_ctrl, n_ctrl, alpha=alpha) if x_ctrl else None,
    )


def _p_value(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int) -> tuple[float, Literal["pooled-z", "boschloo", "fisher"]]:
    if n_treat * n_ctrl < EXACT_BELOW:
        return boschloo_p(x_treat, n_treat, x_ctrl, n_ctrl), "boschloo"
    successes, total = x_treat + x_ctrl, n_treat + n_ctrl
    if min(successes, total - successes) * min(n_treat, n_ctrl) / total < FEW_EXPECTED:
        return fisher_p(x_treat, n_treat, x_ctrl, n_ctrl), "fisher"
    return pooled_z(x_treat, n_treat, x_ctrl, n_ctrl)[1], "pooled-z"


@overload
def pooled_z(  # type: ignore[overload-overlap] # a number is also what broadcasts: numbers give numbers, the rest arrays
    x_treat: float, n_treat: float, x_ctrl: float, n_ctrl: float
) -> tuple[float, float]: ...
@overload
def pooled_z(
    x_treat: float | Numbers, n_treat: float | Numbers, x_ctrl: float | Numbers, n_ctrl: float | Numbers
) -> tuple[Floats, Floats]: ...
def pooled_z(
    x_treat: float | Numbers, n_treat: float | Numbers, x_ctrl: float | Numbers, n_ctrl: float | Numbers
) -> tuple[float, float] | tuple[Floats, Floats]:
    """Score test of equal shares: z (positive where the treatment is higher) and its two-sided p-value.

    Numbers, or arrays that broadcast. Where all or none succeeded, z = 0 and p = 1. Raises ValueError on impossible counts.
    """
    x1, n1, x2, n2 = (np.asarray(given, dtype=np.float64) for given in (x_treat, n_treat, x_ctrl, n_ctrl))
    _check(x1, n1, x2, n2)
    pooled = (x1 + x2) / (n1 + n2)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    z = np.divide(x1 / n1 - x2 / n2, spread, out=np.zeros_like(spread), where=spread > 0)
    p = 2 * special.ndtr(-np.abs(z))
    return (float(z), float(p)) if z.ndim == 0 else (z, p)


def wilson_interval(x: int, n: int, *, alpha: float = 0.05) -> Interval:
    """Score interval for one proportion; always an answer, zero and all included.

    Raises ValueError if the count is negative or exceeds its trials, or without any trial. Wilson 1927; Newcombe 1998a, method 3.
    """
    _check(x, n, x, n)
    return Interval(*_wilson(x / n, n, alpha))


def newcombe_interval(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, alpha: float = 0.05) -> Interval:
    """Interval for the difference of two proportions, treatment minus control.

    Counts of successes and trials in, bounds on [-1, 1] out; always an answer, zero cells included.
    Raises ValueError if a count is negative or exceeds its trials. Newcombe 1998, method 10.
    """
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    p1, p2 = x_treat / n_treat, x_ctrl / n_ctrl
    low1, high1 = _wilson(p1, n_treat, alpha)
    low2, high2 = _wilson(p2, n_ctrl, alpha)
    below, above = math.hypot(p1 - low1, high2 - p2), math.hypot(high1 - p1, p2 - low2)
    return _inside(p1 - p2 - below, p1 - p2 + above)


def wald_interval(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, alpha: float = 0.05) -> Interval:
    """The textbook interval, for comparison with other tools only: nil width at 0 % and 100 %, covers too little."""
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    p1, p2 = x_treat / n_treat, x_ctrl / n_ctrl
    half = _quantile(alpha) * math.sqrt(_variance(p1, n_treat, p2, n_ctrl))
    return Interval(p1 - p2 - half, p1 - p2 + half)


def miettinen_nurminen_interval(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, alpha: float = 0.05) -> Interval:
    """Score interval for the difference: every difference that the score test with factor N / (N - 1) does not reject.

    Raises ValueError like `newcombe_interval`. Miettinen and Nurminen 1985; statsmodels 0.15.0 computes it wrongly.
    """
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    total = n_treat + n_ctrl
    limit = _quantile(alpha) * math.sqrt(total / (total - 1))

    def score(delta: float) -> float:
        return difference_score(x_treat, n_treat, x_ctrl, n_ctrl, delta)

    estimate = x_treat / n_treat - x_ctrl / n_ctrl
    return _inside(_crossing(score, limit, -1.0, estimate, -1.0), _crossing(score, -limit, estimate, 1.0, 1.0))


def difference_score(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, delta: float) -> float:
    """Score z of "the difference is delta": positive where the data lie above it, infinite where they could not be.

    The variance is that of the two rates most likely under the hypothesis. Farrington and Manning 1990.
    """
    gap = x_treat / n_treat - x_ctrl / n_ctrl - delta
    p1, p2 = _likeliest_rates(x_treat, n_treat, x_ctrl, n_ctrl, delta)
    return _standardised(gap, _variance(p1, n_treat, p2, n_ctrl))


def _likeliest_rates(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, delta: float) -> tuple[float, float]:
    """Maximum-likelihood rates whose difference is delta: the closed cubic of Farrington and Manning's appendix."""
    p1, p2, theta = x_treat / n_treat, x_ctrl / n_ctrl, n_ctrl / n_treat
    a = 1 + theta
    b = -(1 + theta + p1 + theta * p2 + delta * (theta + 2))
    c = delta * delta + delta * (2 * p1 + theta + 1) + p1 + theta * p2
    d = -p1 * delta * (1 + delta)
    v = (b / (3 * a)) ** 3 - b * c / (6 * a * a) + d / (2 * a)
    u = math.copysign(math.sqrt(max((b / (3 * a)) ** 2 - c / (3 * a), 0.0)), v)
    cosine = v / u**3 if u**3 != 0 else 0.0
    w = (math.pi + math.acos(min(max(cosine, -1.0), 1.0))) / 3
    rate = 2 * u * math.cos(w) - b / (3 * a)
    for _ in range(2):  # the arc cosine loses half the digits where a rate is nearly 0 or 1: Newton gives them back
        slope = (3 * a * rate + 2 * b) * rate + c
        rate -= (((a * rate + b) * rate + c) * rate + d) / slope if slope != 0 else 0.0
    rate = min(max(rate, delta, 0.0), 1.0 + delta, 1.0)
    return rate, min(max(rate - delta, 0.0), 1.0)


def risk_ratio(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int) -> float | None:
    """The treatment's rate over the control's; None where the control had no success."""
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    return x_treat / n_treat / (x_ctrl / n_ctrl) if x_ctrl else None


def risk_ratio_score_interval(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, alpha: float = 0.05) -> Interval:
    """Score interval for the ratio of two rates; 0 or infinite at an end where an arm had no success.

    Raises ValueError on impossible counts. Koopman 1984 with the factor N / (N - 1) of Miettinen and Nurminen 1985.
    """
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    if x_treat == x_ctrl == 0:
        return Interval(0.0, math.inf)
    total = n_treat + n_ctrl
    limit = _quantile(alpha) * math.sqrt(total / (total - 1))

    def score(log_ratio: float) -> float:
        return _ratio_score(x_treat, n_treat, x_ctrl, n_ctrl, math.exp(log_ratio))

    middle = math.log(max(x_treat, 0.5) / n_treat) - math.log(max(x_ctrl, 0.5) / n_ctrl)
    low = math.exp(_crossing(score, limit, middle - 60, middle + 60, -math.inf)) if x_treat else 0.0
    high = math.exp(_crossing(score, -limit, middle - 60, middle + 60, math.inf)) if x_ctrl else math.inf
    return Interval(low, high)


def _ratio_score(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, ratio: float) -> float:
    """Score z of "the ratio of the rates is that one", with the control's rate most likely under it (a quadratic's root)."""
    a = (n_treat + n_ctrl) * ratio
    b = n_treat * ratio + x_treat + n_ctrl + x_ctrl * ratio
    c = x_treat + x_ctrl
    # Of the two forms of the root, the one that does not subtract nearly equal numbers.
    rate = min(2 * c / (b + math.sqrt(max(b * b - 4 * a * c, 0.0))), 1.0, 1 / ratio)
    one = min(ratio * rate, 1.0)
    variance = one * (1 - one) / n_treat + ratio * ratio * rate * (1 - rate) / n_ctrl
    return _standardised(x_treat / n_treat - ratio * x_ctrl / n_ctrl, variance)


def risk_ratio_log_interval(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, alpha: float = 0.05) -> Interval:
    """Interval for the ratio, normal on the logarithm. Needs a success in each arm (else ValueError). Katz et al. 1978."""
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    if x_treat == 0 or x_ctrl == 0:
        raise ValueError("An arm without any success has no interval on the logarithm: use the score interval.")
    middle = math.log(x_treat / n_treat) - math.log(x_ctrl / n_ctrl)
    half = _quantile(alpha) * math.sqrt(1 / x_treat - 1 / n_treat + 1 / x_ctrl - 1 / n_ctrl)
    return Interval(math.exp(middle - half), math.exp(middle + half))


def fisher_p(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int) -> float:
    """Two-sided p-value of Fisher's exact test: every table no likelier than this one. Conservative."""
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    return float(stats.fisher_exact(np.array([[x_treat, x_ctrl], [n_treat - x_treat, n_ctrl - x_ctrl]])).pvalue)


def boschloo_p(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int) -> float:
    """Two-sided p-value of Boschloo's unconditional exact test: twice the smaller one-sided one, at most 1.

    Ordered by Fisher's one-sided p-value, at the common rate that makes the data least surprising (Boschloo 1970; the same
    definition as scipy's, which takes too much memory and time at these sizes). Raises ValueError on impossible counts, and
    where the product of the sizes reaches 100,000.
    """
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    if n_treat * n_ctrl >= EXACT_BELOW:
        raise ValueError(f"{n_treat} and {n_ctrl} trials are too many for Boschloo's test: use the pooled z test.")
    # Each side is the "more successes in the first arm" side of one way to write the table; the first arm is kept the smaller.
    treat, ctrl = (x_treat, n_treat), (x_ctrl, n_ctrl)
    one, other = (treat, ctrl) if n_treat <= n_ctrl else (ctrl, treat)
    up = _boschloo_up(*one, *other)
    down = _boschloo_up(one[1] - one[0], one[1], other[1] - other[0], other[1])
    return min(1.0, 2 * min(up, down))


def _boschloo_up(x1: int, n1: int, x2: int, n2: int) -> float:
    """One-sided p-value that the first arm does better."""
    fisher = _fisher_tails(n1, n2)
    extreme = fisher <= fisher[x1, x1 + x2] * (1 + 1e-7)
    # For each count in the first arm, the tables as extreme have at most so many successes in the second.
    most = extreme.sum(axis=1) - 1.0
    first = np.arange(n1 + 1)[most >= 0]
    most = np.minimum(most[most >= 0], n2)

    def chance(rate: Floats) -> Floats:
        weights = stats.binom.pmf(first[:, None], n1, rate)
        return np.asarray((weights * special.bdtr(most[:, None], n2, rate)).sum(axis=0), dtype=np.float64)

    return _highest(chance, max(100, int(5 * math.sqrt(n2))))


def _highest(chance: Callable[[Floats], Floats], points: int) -> float:
    """Greatest value over the rates in ]0, 1[: a grid even in arcsines (as binomial peaks are), refined around its best."""
    step = math.pi / 2 / (points + 1)
    angles = step * np.arange(1, points + 1)
    for _ in range(3):
        values = chance(np.sin(angles) ** 2)
        best = angles[int(np.argmax(values))]
        angles = np.clip(np.linspace(best - step, best + step, 21), 1e-9, math.pi / 2 - 1e-9)
        step /= 10
    return min(1.0, float(chance(np.sin(angles) ** 2).max()))


def _fisher_tails(n1: int, n2: int) -> Floats:
    """Fisher's one-sided p-value of each table: rows, successes of the first arm; columns, successes in all.

    Impossible tables hold 2, beyond any p-value.
    """
    total = n1 + n2
    first, both = np.arange(n1 + 1)[:, None], np.arange(total + 1)[None, :]
    log_factorial = special.gammaln(np.arange(total + 1) + 1.0)

    def log_choose(n: int, k: NDArray[np.int64]) -> Floats:
        return np.asarray(log_factorial[n] - log_factorial[k] - log_factorial[n - k], dtype=np.float64)

    second = both - first
    possible = (second >= 0) & (second <= n2)
    log_chance = log_choose(n1, first) + log_choose(n2, np.clip(second, 0, n2)) - log_choose(total, both)
    chance = np.where(possible, np.exp(log_chance), 0.0)
    tails = np.cumsum(chance[::-1], axis=0)[::-1]
    return np.where(possible, tails, 2.0)


def relative_lift(x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, alpha: float = 0.05) -> RelativeLift:
    """Lift over the control with a delta-method t test, as GrowthBook reports it; shown for comparison with that tool.

    Its type I error reaches 10 % in small samples: `compare_proportions` decides. Raises ValueError where the control had
    no success (a lift over nothing) or where neither arm varies.
    """
    _check(x_treat, n_treat, x_ctrl, n_ctrl)
    p1, p2 = x_treat / n_treat, x_ctrl / n_ctrl
    return lift_from(p1, p1 * (1 - p1), n_treat, p2, p2 * (1 - p2), n_ctrl, alpha=alpha)


def lift_from(
    mean_treat: float,
    variance_treat: float,
    n_treat: float,
    mean_ctrl: float,
    variance_ctrl: float,
    n_ctrl: float,
    *,
    alpha: float = 0.05,
) -> RelativeLift:
    """Lift from the means, variances and sizes of two arms: delta method, t with Welch's degrees of freedom."""
    if mean_ctrl == 0:
        raise ValueError("The control's level is 0: a relative lift over nothing has no meaning.")
    if variance_treat + variance_ctrl <= 0 or min(n_treat, n_ctrl) < 2:  # noqa: PLR2004 - a variance needs two values
        raise ValueError("Neither arm varies, or one has a single value: a relative lift has no standard error.")
    one, two = variance_treat / n_treat, variance_ctrl / n_ctrl
    lift = (mean_treat - mean_ctrl) / mean_ctrl
    error = math.sqrt(one / mean_ctrl**2 + two * mean_treat**2 / mean_ctrl**4)
    freedom = (one + two) ** 2 / (one**2 / (n_treat - 1) + two**2 / (n_ctrl - 1))
    if error == 0:
        # Only the control varies and the treatment's level is nil: the lift is -100 % whatever the control's level.
        return RelativeLift(lift, Interval(lift, lift), 0.0, 0.0)
    half = float(stats.t.isf(alpha / 2, freedom)) * error
    return RelativeLift(lift, Interval(lift - half, lift + half), error, float(2 * stats.t.sf(abs(lift) / error, freedom)))


def _wilson(rate: float, n: int, alpha: float) -> tuple[float, float]:
    z2 = _quantile(alpha) ** 2
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # Exactly 0 and 1 at the edges, where rounding would leave a speck.
    return (0.0 if rate == 0 else middle - half), (1.0 if rate == 1 else middle + half)


def _crossing(score: Callable[[float], float], level: float, low: float, high: float, otherwise: float) -> float:
    """Where a falling score reaches a level between two ends; `otherwise` where it does not."""
    if not score(low) > level > score(high):
        return otherwise
    return float(optimize.bisect(lambda at: score(at) - level, low, high, xtol=1e-13, rtol=1e-13, maxiter=200))


def _standardised(gap: float, variance: float) -> float:
    if gap == 0:
        return 0.0
    return gap / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, gap)


def _variance(p1: float, n1: int, p2: float, n2: int) -> float:
    return p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2


def _inside(low: float, high: float) -> Interval:
    return Interval(max(low, -1.0), min(high, 1.0))


def _quantile(alpha: float) -> float:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}: it must lie between 0 and 1.")
    return float(-special.ndtri(alpha / 2))


def _check(x_treat: float | Floats, n_treat: float | Floats, x_ctrl: float | Floats, n_ctrl: float | Floats) -> None:
    for given_x, given_n in ((x_treat, n_treat), (x_ctrl, n_ctrl)):
        x, n = np.broadcast_arrays(np.asarray(given_x, dtype=np.float64), np.asarray(given_n, dtype=np.float64))
        _refuse(~(n >= 1) | np.isinf(n), x, n, "an arm needs at least one trial.")
        _refuse(~(x >= 0), x, n, "a count cannot be negative or missing.")
        _refuse(x > n, x, n, "a count cannot exceed its total.")


def _refuse(bad: NDArray[np.bool_], x: Floats, n: Floats, why: str) -> None:
    if bad.any():
        first = int(np.argmax(bad.ravel()))
        raise ValueError(f"{x.ravel()[first]:g} successes out of {n.ravel()[first]:g} trials: {why}")
