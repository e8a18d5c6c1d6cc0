"""Did a rate of events differ between two arms? For calls, visits or errors counted over an exposure (people, hours, files)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special, stats

from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RateComparison:
    """Two rates side by side, in events a unit of exposure; ratio and difference: treatment against control.

    ratio: None where the control had no event (its interval then ends at infinity). interval and p_value: exact, or quasi-Poisson;
    score_interval and p_score: without exactness, to show beside. standard_error: of the difference. dispersion: variance of the
    counts over that of a Poisson law, at least 1.
    """

    rate_treat: float
    rate_ctrl: float
    ratio: float | None
    interval: Interval
    p_value: float
    p_method: Literal["exact", "quasi-poisson"]
    score_interval: Interval
    p_score: float
    difference: float
    difference_interval: Interval
    standard_error: float
    dispersion: float = 1.0


def compare_rates(
    events_treat: int, exposure_treat: float, events_ctrl: int, exposure_ctrl: float, *, alpha: float = 0.05
) -> RateComparison:
    """Compare two Poisson rates from totals; no event at all is an answer too.

    Given all events, those of the treatment are binomial: exact two-sided p-value (as R's poisson.test), Clopper and Pearson's
    interval carried over to the ratio; score test and Wilson's interval beside it (Przyborowski and Wilenski 1940). The
    difference's interval puts together the score intervals of the two rates (Li, Tang and Wong 2014).
    Raises ValueError for a negative or fractional count, or an exposure that is not positive.
    """
    _check(events_treat, exposure_treat, events_ctrl, exposure_ctrl, alpha)
    total, share = events_treat + events_ctrl, exposure_treat / (exposure_treat + exposure_ctrl)
    odds = exposure_ctrl / exposure_treat
    low = float(special.betaincinv(events_treat, events_ctrl + 1, alpha / 2)) if events_treat else 0.0
    high = float(special.betaincinv(events_treat + 1, events_ctrl, 1 - alpha / 2)) if events_ctrl else 1.0
    exact = float(stats.binomtest(events_treat, total, share).pvalue) if total else 1.0
    interval = Interval(_ratio(low, odds), _ratio(high, odds))
    table = (events_treat, exposure_treat, events_ctrl, exposure_ctrl)
    return _comparison(table, alpha, interval, exact, "exact", 1.0, math.inf)


def compare_counts(
    events_treat: ArrayLike, exposure_treat: ArrayLike, events_ctrl: ArrayLike, exposure_ctrl: ArrayLike, *, alpha: float = 0.05
) -> RateComparison:
    """Compare rates of units that vary more than chance would have it: one count and one exposure a unit (agency, day…).

    Quasi-Poisson: the ratio of the totals, its variance multiplied by Pearson's dispersion (never below 1), t with n - 2 degrees
    of freedom. Where an arm has no event, the score interval and p-value so widened. With fewer than three units the spread is
    unknown: `compare_rates` of the totals. McCullagh and Nelder 1989, section 6.2. Raises ValueError like `compare_rates`.
    """
    arms = [_units(events_treat, exposure_treat), _units(events_ctrl, exposure_ctrl)]
    totals = [(int(x.sum()), float(e.sum())) for x, e in arms]
    table = (*totals[0], *totals[1])
    _check(*table, alpha)
    freedom = sum(len(x) for x, _ in arms) - 2
    if freedom < 1:
        return compare_rates(*table, alpha=alpha)
    pearson = sum(
        float(((x - e * n / whole) ** 2 / (e * n / whole)).sum()) for (x, e), (n, whole) in zip(arms, totals, strict=True) if n
    )
    spread = max(1.0, pearson / freedom)
    if table[0] == 0 or table[2] == 0:
        return _comparison(table, alpha, None, None, "quasi-poisson", spread, freedom)
    middle = math.log(table[0] / table[1]) - math.log(table[2] / table[3])
    error = math.sqrt(spread * (1 / table[0] + 1 / table[2]))
    half = float(stats.t.isf(alpha / 2, freedom)) * error
    interval = Interval(math.exp(middle - half), math.exp(middle + half))
    p_value = float(2 * stats.t.sf(abs(middle) / error, freedom))
    return _comparison(table, alpha, interval, p_value, "quasi-poisson", spread, freedom)


def _comparison(
    table: tuple[int, float, int, float],
    alpha: float,
    interval: Interval | None,
    p_value: float | None,
    method: Literal["exact", "quasi-poisson"],
    spread: float,
    freedom: float,
) -> RateComparison:
    """The chosen interval and p-value with everything beside them; None: the score ones are chosen."""
    events_treat, exposure_treat, events_ctrl, exposure_ctrl = table
    law = stats.norm if math.isinf(freedom) else stats.t(freedom)
    limit = float(law.isf(alpha / 2)) * math.sqrt(spread)
    rates = (events_treat / exposure_treat, events_ctrl / exposure_ctrl)
    lows, highs = zip(
        *(_score_rate(x, e, limit) for x, e in ((events_treat, exposure_treat), (events_ctrl, exposure_ctrl))), strict=True
    )
    gap = rates[0] - rates[1]
    difference = Interval(
        gap - math.hypot(rates[0] - lows[0], highs[1] - rates[1]), gap + math.hypot(highs[0] - rates[0], rates[1] - lows[1])
    )
    score, z = _score(table, limit)
    p_score = float(2 * law.sf(abs(z) / math.sqrt(spread)))
    error = math.sqrt(spread * (events_treat / exposure_treat**2 + events_ctrl / exposure_ctrl**2))
    return RateComparison(
        rate_treat=rates[0],
        rate_ctrl=rates[1],
        ratio=rates[0] / rates[1] if events_ctrl else None,
        interval=score if interval is None else interval,
        p_value=p_score if p_value is None else p_value,
        p_method=method,
        score_interval=score,
        p_score=p_score,
        difference=gap,
        difference_interval=difference,
        # Without any event the error is unknown, not nil: that of the interval's width.
        standard_error=error if error > 0 else (difference.high - difference.low) / (2 * limit),
        dispersion=spread,
    )


def _score(table: tuple[int, float, int, float], limit: float) -> tuple[Interval, float]:
    """Wilson's interval of the share of events that are the treatment's, as a ratio of rates; and the score z of equal rates."""
    events_treat, exposure_treat, events_ctrl, exposure_ctrl = table
    total, expected = events_treat + events_ctrl, exposure_treat / (exposure_treat + exposure_ctrl)
    if total == 0:
        return Interval(0.0, math.inf), 0.0
    share, z2 = events_treat / total, limit**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = limit * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    odds = exposure_ctrl / exposure_treat
    low = _ratio(middle - half, odds) if events_treat else 0.0
    high = _ratio(middle + half, odds) if events_ctrl else math.inf
    return Interval(low, high), (share - expected) * math.sqrt(total / (expected * (1 - expected)))


def _score_rate(events: int, exposure: float, limit: float) -> tuple[float, float]:
    """Score interval of one Poisson rate."""
    middle, half = events + limit**2 / 2, limit * math.sqrt(events + limit**2 / 4)
    return max(middle - half, 0.0) / exposure, (middle + half) / exposure


def _ratio(share: float, odds: float) -> float:
    return math.inf if share >= 1 else share / (1 - share) * odds


def _units(events: ArrayLike, exposure: ArrayLike) -> tuple[Floats, Floats]:
    x, e = np.asarray(events, dtype=np.float64).ravel(), np.asarray(exposure, dtype=np.float64).ravel()
    if len(x) != len(e) or len(x) == 0:
        raise ValueError(f"{len(x)} counts for {len(e)} exposures: each unit has one of each, and an arm one unit at least.")
    for one, over in zip(x.tolist(), e.tolist(), strict=True):
        _check_arm(one, over)
    return x, e


def _check(events_treat: float, exposure_treat: float, events_ctrl: float, exposure_ctrl: float, alpha: float) -> None:
    _check_arm(events_treat, exposure_treat)
    _check_arm(events_ctrl, exposure_ctrl)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}: it must lie between 0 and 1.")


def _check_arm(events: float, exposure: float) -> None:
    if not (0 <= events < math.inf and events == math.floor(events)):
        raise ValueError(f"{events:g} events: a count is a whole number, 0 or more.")
    if not 0 < exposure < math.inf:
        raise ValueError(f"{events:g} events over an exposure of {exposure:g}: an exposure must be positive.")
