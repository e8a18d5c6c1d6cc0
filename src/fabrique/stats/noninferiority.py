"""Is a guardrail safe? Whether the treatment is worse than the control by less than the margin that the plan states.

Higher is better in every function here: where lower is better, the caller counts failures or flips signs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy import stats

from fabrique.stats.means import Moments, compare_means
from fabrique.stats.proportions import difference_score, miettinen_nurminen_interval, newcombe_interval

if TYPE_CHECKING:
    from fabrique.stats.interval import Interval


@dataclass(frozen=True, slots=True)
class MarginReading:
    """A difference (treatment minus control, higher is better) against minus the margin, at a one-sided alpha.

    statistic: z or t of the distance to minus the margin, positive on the safe side; df: infinite for z.
    p_safe: one-sided p-value against "worse by the margin or more": at most alpha, the guardrail is safe.
    p_harmed: one-sided p-value against "worse by the margin or less": at most alpha, it is harmed. Neither: inconclusive.
    interval: two-sided, of level 1 - 2 alpha, to draw against the margin; score_interval: the score test's own, for proportions.
    """

    difference: float
    margin: float
    statistic: float
    df: float
    p_safe: float
    p_harmed: float
    safe: bool
    harmed: bool
    interval: Interval
    score_interval: Interval | None = None


def farrington_manning(
    x_treat: int, n_treat: int, x_ctrl: int, n_ctrl: int, *, margin: float, alpha_one_sided: float = 0.025
) -> MarginReading:
    """Non-inferiority of a proportion of successes: score test at the margin (Farrington and Manning 1990).

    margin: on [0, 1[, the greatest loss that is accepted (0.05: five points). Newcombe's interval, and Miettinen and
    Nurminen's. Raises ValueError on impossible counts, margin or alpha. statsmodels 0.15.0 computes this test wrongly.
    """
    _check(margin, alpha_one_sided)
    if margin >= 1:
        raise ValueError(f"A margin of {margin:g} accepts every loss: give a share, 0.05 for five points.")
    table = (x_treat, n_treat, x_ctrl, n_ctrl)
    interval = newcombe_interval(*table, alpha=2 * alpha_one_sided)
    score = miettinen_nurminen_interval(*table, alpha=2 * alpha_one_sided)
    z = difference_score(*table, -margin)
    return _reading(x_treat / n_treat - x_ctrl / n_ctrl, margin, z, math.inf, alpha_one_sided, interval, score)


def shifted_welch(treat: Moments, ctrl: Moments, *, margin: float, alpha_one_sided: float = 0.025) -> MarginReading:
    """Non-inferiority of a mean: Welch's t test of the difference against minus the margin, in the values' unit.

    Single values and values that never vary are treated as in `compare_means`. Raises ValueError on an impossible margin or alpha.
    """
    _check(margin, alpha_one_sided)
    found = compare_means(treat, ctrl, alpha=2 * alpha_one_sided)
    gap = found.difference + margin
    # Without any spread the difference is known; exactly at the margin it is neither safe nor harmed.
    t = gap / found.standard_error if found.standard_error > 0 else math.copysign(math.inf, gap) if gap else 0.0
    return _reading(found.difference, margin, t, found.df, alpha_one_sided, found.interval, None)


def _reading(
    difference: float, margin: float, statistic: float, df: float, alpha: float, interval: Interval, score: Interval | None
) -> MarginReading:
    law = stats.norm if math.isinf(df) else stats.t(df)
    p_safe, p_harmed = float(law.sf(statistic)), float(law.cdf(statistic))
    return MarginReading(difference, margin, statistic, df, p_safe, p_harmed, p_safe <= alpha, p_harmed <= alpha, interval, score)


def _check(margin: float, alpha: float) -> None:
    if not 0 <= margin < math.inf:
        raise ValueError(f"A margin of {margin:g}: give the greatest loss that is accepted, 0 or more.")
    if not 0 < alpha < 0.5:  # noqa: PLR2004 - half is a coin
        raise ValueError(f"A one-sided alpha of {alpha:g}: it must lie between 0 and 0.5.")
