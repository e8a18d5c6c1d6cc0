"""How many people does a trial need, and what could it see with those it has? Asked while a plan is written.

Sizes are those of the control arm, unrounded: the treatment arm holds `ratio` times as many. Every test is two-sided. Below some 316
people an arm `compare_proportions` tests exactly: its power is then 78 to 80 % where these sizes say 80 (measured at five pairs of rates),
and 83 % or more with the continuity-corrected size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, special, stats

from fabrique.stats.confidence_sequence import always_valid
from fabrique.stats.proportions import lift_from

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fabrique.stats.means import Moments

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class ProportionSize:
    """n: pooled variance under no difference, unpooled under the planned one (Fleiss, Levin and Paik 2003, the size R gives);
    n_continuity: with their correction; n_arcsine: by Cohen's h; n_rule_of_16: 16 × variance / difference², as PostHog."""

    n: float
    n_continuity: float
    n_arcsine: float
    n_rule_of_16: float


@dataclass(frozen=True, slots=True)
class LevelSize:
    """n answers in the control arm, and the treatment's planned share of each level, the worst first."""

    n: float
    shares_treat: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ClusterSize:
    """n: people an arm; clusters: an arm, rounded up; design_effect: times as many people as without clusters."""

    design_effect: float
    n: float
    clusters: int


@dataclass(frozen=True, slots=True)
class RemainingSample:
    """Part-way through: how many times the people seen so far are still needed (0: none), and the lift's standard error today."""

    scaling_factor: float
    standard_error: float


def proportions_size(
    p_ctrl: float, p_treat: float, *, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0
) -> ProportionSize:
    """People needed to tell two rates apart. Raises ValueError for equal rates, or rates outside [0, 1]."""
    z = _quantiles(alpha, power, ratio)
    _rates(p_ctrl, p_treat)
    gap = abs(p_treat - p_ctrl)
    if gap == 0:
        raise ValueError(f"Both rates are {p_ctrl:g}: no number of people tells equal rates apart.")
    n = _score_size(p_ctrl, p_treat, lambda p: p * (1 - p), z, ratio)
    continuity = n / 4 * (1 + math.sqrt(1 + 2 * (ratio + 1) / (n * ratio * gap))) ** 2
    h = 2 * (math.asin(math.sqrt(p_treat)) - math.asin(math.sqrt(p_ctrl)))
    return ProportionSize(n, continuity, (1 + 1 / ratio) * (sum(z) / h) ** 2, 16 * p_ctrl * (1 - p_ctrl) / gap**2)


def proportions_power(p_ctrl: float, p_treat: float, n: float, *, alpha: float = 0.05, ratio: float = 1.0) -> float:
    """Chance to see that difference of rates with n people in the control arm (the pooled z test, as R's power.prop.test)."""
    z = _quantiles(alpha, 0.5, ratio)[0]
    _rates(p_ctrl, p_treat)
    _people(n)
    return _score_power(p_ctrl, p_treat, n, lambda p: p * (1 - p), z, ratio)


def means_size(delta: float, sd: float, *, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0) -> float:
    """Values needed to see a difference of means of `delta`, with a standard deviation of `sd` in each arm.

    Student's test by the non-central t, both tails counted (strict, as R's power.t.test). Raises ValueError for delta = 0 or sd <= 0.
    """
    _quantiles(alpha, power, ratio)
    if delta == 0:
        raise ValueError("A difference of 0: no number of values shows it.")
    least = max(2.0, 2 / ratio)
    if means_power(delta, sd, least, alpha=alpha, ratio=ratio) >= power:
        return least
    most = least
    while means_power(delta, sd, most, alpha=alpha, ratio=ratio) < power:
        most *= 2
    return _root(lambda n: means_power(delta, sd, n, alpha=alpha, ratio=ratio) - power, most / 2, most)


def means_power(delta: float, sd: float, n: float, *, alpha: float = 0.05, ratio: float = 1.0) -> float:
    """Chance to see a difference of means of `delta` with n values in the control arm."""
    _quantiles(alpha, 0.5, ratio)
    _people(n)
    if not (sd > 0 and math.isfinite(sd) and math.isfinite(delta)):
        raise ValueError(f"A standard deviation of {sd:g}: it must be positive, and the difference a number.")
    freedom = n * (1 + ratio) - 2
    if freedom <= 0:
        return alpha
    shift = abs(delta) / sd * math.sqrt(n * ratio / (1 + ratio))
    limit = float(stats.t.isf(alpha / 2, freedom))
    if shift > 37:  # noqa: PLR2004 - beyond what the non-central t can compute, and as sure as can be
        return 1.0
    # The lower tail as the upper one of the opposite shift: scipy's cdf gives nan there.
    return float(stats.nct.sf(limit, freedom, shift) + stats.nct.sf(limit, freedom, -shift))


def levels_size(
    shares_ctrl: Sequence[float], odds_ratio: float, *, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0
) -> LevelSize:
    """Answers needed to see a shift by that odds ratio (above 1: better answers), from the control's shares, the worst first.

    Whitehead 1993. Raises ValueError for shares that do not add to 1 or an odds ratio of 1.
    """
    z = _quantiles(alpha, power, ratio)
    shifted = shifted_shares(shares_ctrl, odds_ratio)
    if odds_ratio == 1:
        raise ValueError("An odds ratio of 1 shifts nothing: no number of answers shows it.")
    mean = (np.asarray(shares_ctrl) + ratio * np.asarray(shifted)) / (1 + ratio)
    left = 1 - float((mean**3).sum())
    if left <= 0:
        raise ValueError("Everybody is planned to answer the same: no number of answers shows a shift.")
    return LevelSize(3 * (1 + ratio) * sum(z) ** 2 / (ratio * math.log(odds_ratio) ** 2 * left), shifted)


def shifted_shares(shares_ctrl: Sequence[float], odds_ratio: float) -> tuple[float, ...]:
    """The control's shares moved by an odds ratio, the same at every threshold; above 1: towards the best level."""
    shares = np.asarray(shares_ctrl, dtype=np.float64)
    if shares.ndim != 1 or len(shares) < 2 or not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-6:  # noqa: PLR2004
        raise ValueError("The control's shares must be two or more, none negative, and add to 1.")
    if not 0 < odds_ratio < math.inf:
        raise ValueError(f"An odds ratio of {odds_ratio:g}: it must be positive.")
    below = np.minimum(np.cumsum(shares)[:-1], 1.0)
    moved = below / (below + odds_ratio * (1 - below))
    return tuple(float(share) for share in np.diff(np.r_[0.0, moved, 1.0]))


def rates_size(rate_ctrl: float, rate_treat: float, *, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0) -> float:
    """Exposure of the control arm needed to tell two rates of events apart (score test; a Poisson count at each rate)."""
    z = _quantiles(alpha, power, ratio)
    if min(rate_ctrl, rate_treat) < 0 or rate_ctrl == rate_treat:
        raise ValueError(f"Rates of {rate_ctrl:g} and {rate_treat:g}: they must differ, and none be negative.")
    return _score_size(rate_ctrl, rate_treat, lambda rate: rate, z, ratio)


def clusters_size(n: float, cluster_size: float, icc: float, *, size_variation: float = 0.0) -> ClusterSize:
    """People and clusters an arm needs when whole clusters are drawn, from the n an arm of people drawn one by one.

    cluster_size: mean people a cluster; icc: intra-class correlation; size_variation: coefficient of variation of cluster sizes.
    Donner and Klar 2000; Eldridge et al. 2006 for unequal sizes.
    """
    _people(n)
    if not (cluster_size >= 1 and 0 <= icc <= 1 and size_variation >= 0):
        raise ValueError(
            "A cluster holds one person at least, its correlation lies between 0 and 1, and no variation is negative."
        )
    effect = 1 + ((size_variation**2 + 1) * cluster_size - 1) * icc
    return ClusterSize(effect, n * effect, whole(n * effect / cluster_size))


def remaining_sample(
    treat: Moments, ctrl: Moments, mde_relative: float, *, alpha: float = 0.05, power: float = 0.8, n_star: float | None = None
) -> RemainingSample:
    """How many times the people seen so far are still needed to see a lift of `mde_relative` over the control.

    The standard error of today's lift shrinks as the root of the size. With `n_star`, looks at any time by a confidence
    sequence that is tightest at that size; else a single one. GrowthBook's mid-experiment power.
    Raises ValueError for no lift, a control mean of 0, or arms that do not vary.
    """
    z = _quantiles(alpha, power, 1.0)[0]
    if mde_relative == 0:
        raise ValueError("A lift of 0: no number of people shows it.")
    error = lift_from(treat.mean, treat.variance, treat.n, ctrl.mean, ctrl.variance, ctrl.n, alpha=alpha).standard_error
    total = treat.n + ctrl.n

    def lacking(extra: float) -> float:
        now = error / math.sqrt(1 + extra)
        half = z * now if n_star is None else always_valid(0.0, now, total * (1 + extra), alpha=alpha, n_star=n_star).halfwidth
        seen = special.ndtr((abs(mde_relative) - half) / now) + special.ndtr(-(half + abs(mde_relative)) / now)
        return float(seen) - power

    if lacking(0.0) >= 0:
        return RemainingSample(0.0, error)
    most = 1.0
    while lacking(most) < 0:
        most *= 2
    return RemainingSample(_root(lacking, 0.0, most), error)


def detectable_proportion(
    p_ctrl: float, n: float, *, better: Better = "higher", alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0
) -> float | None:
    """Smallest rise (or fall) of a rate that n people in the control arm can see; None where even the greatest is too small."""
    z = _quantiles(alpha, power, ratio)[0]
    _rates(p_ctrl, p_ctrl)
    _people(n)
    sign, most = (1, 1 - p_ctrl) if better == "higher" else (-1, p_ctrl)

    def lacking(gap: float) -> float:
        return _score_power(p_ctrl, p_ctrl + sign * gap, n, lambda p: p * (1 - p), z, ratio) - power

    # The chance is not quite steady in the gap for tiny arms: the first gap that is enough counts.
    return _first(lacking, np.linspace(0, most, 65)[1:].tolist()) if most > 0 else None


def detectable_mean(sd: float, n: float, *, alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0) -> float | None:
    """Smallest difference of means that n values in the control arm can see, in the unit of `sd`; None with a single value an arm."""
    _quantiles(alpha, power, ratio)
    if means_power(sd, sd, n, alpha=alpha, ratio=ratio) <= alpha and n * (1 + ratio) <= 2:  # noqa: PLR2004 - degrees of freedom
        return None
    most = 1.0
    while means_power(most * sd, sd, n, alpha=alpha, ratio=ratio) < power:
        most *= 2
    return sd * _root(lambda d: means_power(d * sd, sd, n, alpha=alpha, ratio=ratio) - power, 0.0, most)


def detectable_odds_ratio(
    shares_ctrl: Sequence[float],
    n: float,
    *,
    better: Better = "higher",
    alpha: float = 0.05,
    power: float = 0.8,
    ratio: float = 1.0,
) -> float | None:
    """Odds ratio nearest to 1, above it (or below), that n answers in the control arm can see; None beyond 1,000 to one."""
    _people(n)
    sign = 1 if better == "higher" else -1
    if max(shares_ctrl) >= 1:
        return None

    def lacking(log_ratio: float) -> float:
        return n - levels_size(shares_ctrl, math.exp(sign * log_ratio), alpha=alpha, power=power, ratio=ratio).n

    found = _first(lacking, np.geomspace(0.001, math.log(1000), 60).tolist(), start=0.0001)
    return None if found is None else math.exp(sign * found)


def detectable_rate(
    rate_ctrl: float, exposure: float, *, better: Better = "higher", alpha: float = 0.05, power: float = 0.8, ratio: float = 1.0
) -> float | None:
    """Smallest rise (or fall) of a rate of events that this exposure of the control arm can see; None where none can be seen."""
    z = _quantiles(alpha, power, ratio)[0]
    _people(exposure)
    if not 0 <= rate_ctrl < math.inf:
        raise ValueError(f"A rate of {rate_ctrl:g}: it cannot be negative.")
    sign, most = (1, max(rate_ctrl, 1 / exposure) * 1e4) if better == "higher" else (-1, rate_ctrl)

    def lacking(gap: float) -> float:
        return _score_power(rate_ctrl, max(rate_ctrl + sign * gap, 0.0), exposure, lambda rate: rate, z, ratio) - power

    return _first(lacking, np.geomspace(most / 1e6, most, 80).tolist()) if most > 0 else None


def whole(n: float) -> int:
    """Rounded up to a whole person, forgiving the last digit of a computation."""
    return math.ceil(n - 1e-9)


def _score_size(ctrl: float, treat: float, variance: Callable[[float], float], z: tuple[float, float], ratio: float) -> float:
    pooled = (ctrl + ratio * treat) / (1 + ratio)
    spread = z[0] * math.sqrt((1 + ratio) * variance(pooled)) + z[1] * math.sqrt(ratio * variance(ctrl) + variance(treat))
    return spread**2 / (ratio * (treat - ctrl) ** 2)


def _score_power(ctrl: float, treat: float, n: float, variance: Callable[[float], float], z: float, ratio: float) -> float:
    pooled = (ctrl + ratio * treat) / (1 + ratio)
    reach = abs(treat - ctrl) * math.sqrt(n * ratio) - z * math.sqrt((1 + ratio) * max(variance(pooled), 0.0))
    spread = math.sqrt(max(ratio * variance(ctrl) + variance(treat), 0.0))
    if spread == 0:
        return 1.0 if reach > 0 else 0.0
    return float(special.ndtr(reach / spread))


def _first(lacking: Callable[[float], float], steps: Sequence[float], start: float = 0.0) -> float | None:
    """The first root along the steps, where what is lacking turns positive."""
    before = start
    for step in steps:
        if lacking(step) >= 0:
            return _root(lacking, before, step) if lacking(before) < 0 else before
        before = step
    return None


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(optimize.brentq(function, low, high, xtol=1e-12, rtol=1e-12))


def _quantiles(alpha: float, power: float, ratio: float) -> tuple[float, float]:
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ValueError(f"An alpha of {alpha:g} and a power of {power:g}: both must lie between 0 and 1.")
    if not 0 < ratio < math.inf:
        raise ValueError(f"A ratio of {ratio:g} between the arms: it must be positive.")
    return float(-special.ndtri(alpha / 2)), float(special.ndtri(power))


def _rates(*rates: float) -> None:
    for rate in rates:
        if not 0 <= rate <= 1:
            raise ValueError(f"A rate of {rate:g}: it must lie between 0 and 1 (0.4 for 40 %).")


def _people(n: float) -> None:
    if not 0 < n < math.inf:
        raise ValueError(f"{n:g} in an arm: there must be some.")
