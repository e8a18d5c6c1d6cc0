"""Did answers on a scale shift between two arms? For satisfaction questions: counts of each level, the worst first.

The answer is an odds ratio (above 1: better answers with the treatment), read beside the chance that one treated person answers
better than one control, and beside the difference of mean marks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import optimize, special, stats

from fabrique.stats.interval import Interval
from fabrique.stats.means import Moments, compare_means

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

SMALL_ARM = 30
"""Below so many answers in an arm the p-value comes from permutations."""
DRAWS = 10_000
MOST_TABLES = 300_000
"""Beyond so many distinct ways to share the answers out, some are drawn instead of trying all."""
FAR = 35.0
"""Logarithm of an odds ratio taken as infinite: its likelihood differs from the limit in the fifteenth digit."""


@dataclass(frozen=True, slots=True)
class ProportionalOdds:
    """Fit of logit P(answer at or below level j) = threshold j - design row × coefficients (the sign of R's polr).

    coefficients: one a column of the design; thresholds: one between two levels; covariance: of the thresholds, then the
    coefficients (inverse of the observed information); deviance: -2 log-likelihood.
    """

    coefficients: Floats
    thresholds: Floats
    covariance: Floats
    deviance: float


@dataclass(frozen=True, slots=True)
class LevelComparison:
    """Two arms' answers side by side, treatment against control; marks and mean differences in the unit of the marks.

    odds_ratio: infinite or 0 where the arms do not overlap, its interval then open on that side; odds_ratio_interval: profile
    likelihood; standard_error: of the odds ratio's logarithm; superiority: chance that a treated person's answer is better than
    a control's, a tie counting half; implied_difference: difference of mean marks if the control's fitted shares are
    shifted by the odds ratio (and by the ends of its interval); proportionality_p: p-value that one odds ratio is enough for all
    levels, None where it cannot be told.
    """

    n_treat: int
    n_ctrl: int
    odds_ratio: float
    odds_ratio_interval: Interval
    wald_interval: Interval
    standard_error: float
    p_value: float
    p_method: Literal["likelihood-ratio", "permutation"]
    p_likelihood_ratio: float
    p_wald: float
    u_treat: float
    superiority: float
    superiority_interval: Interval
    p_brunner_munzel: float
    p_mann_whitney: float
    p_mann_whitney_corrected: float
    mean_treat: float
    mean_ctrl: float
    mean_difference: float
    mean_interval: Interval
    p_mean: float
    implied_difference: float
    implied_interval: Interval
    proportionality_p: float | None


def compare_levels(
    counts_treat: Sequence[int],
    counts_ctrl: Sequence[int],
    *,
    marks: Sequence[float] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> LevelComparison:
    """Compare the answers of two arms, given as counts of each level, the worst first; marks: 1, 2, 3… unless given.

    Proportional odds with the likelihood-ratio p-value (McCullagh 1980) and profile interval; with fewer than 30 answers in an
    arm, the permutation Mann–Whitney p-value instead, and the interval is stretched to 1 where that test does not reject.
    Superiority with the interval of Brunner and Munzel 2000 (that of Newcombe 2006, method 5, where the answers do not vary
    enough for it); Welch's interval on marks. Empty levels are legal, and one level only: then nothing differs.
    Raises ValueError for an arm without answers, impossible counts, or marks that do not rise.
    """
    treat, ctrl = _arm(counts_treat, "treatment"), _arm(counts_ctrl, "control")
    values = _marks(marks, len(treat), len(ctrl))
    rank, two = compare_ranks(treat, ctrl, alpha=alpha), [_moments(counts, values) for counts in (treat, ctrl)]
    means = compare_means(two[0], two[1], alpha=alpha)
    used = treat + ctrl > 0
    odds = _odds(treat[used], ctrl[used], alpha)
    p_value, method = odds.p, "likelihood-ratio"
    low, high = odds.low, odds.high
    if min(treat.sum(), ctrl.sum()) < SMALL_ARM:
        p_value, method = _permutation_p(treat, ctrl, seed), "permutation"
        if p_value > alpha:
            low, high = min(low, 0.0), max(high, 0.0)
    implied = [_implied(odds.thresholds, shift, values[used]) for shift in (odds.log_ratio, low, high)]
    wald = stats.norm.isf(alpha / 2) * odds.error
    finite = math.isfinite(odds.error)
    return LevelComparison(
        n_treat=int(treat.sum()),
        n_ctrl=int(ctrl.sum()),
        odds_ratio=_exp(odds.log_ratio),
        odds_ratio_interval=Interval(_exp(low), _exp(high)),
        wald_interval=Interval(_exp(odds.log_ratio - wald), _exp(odds.log_ratio + wald)) if finite else Interval(0.0, math.inf),
        standard_error=odds.error,
        p_value=p_value,
        p_method="permutation" if method == "permutation" else "likelihood-ratio",
        p_likelihood_ratio=odds.p,
        p_wald=float(2 * stats.norm.sf(abs(odds.log_ratio) / odds.error)) if finite else 1.0,
        u_treat=rank.u,
        superiority=rank.superiority,
        superiority_interval=rank.interval,
        p_brunner_munzel=rank.p_brunner_munzel,
        p_mann_whitney=rank.p,
        p_mann_whitney_corrected=rank.p_corrected,
        mean_treat=means.mean_treat,
        mean_ctrl=means.mean_ctrl,
        mean_difference=means.difference,
        mean_interval=means.interval,
        p_mean=means.p_value,
        implied_difference=implied[0],
        implied_interval=Interval(implied[1], implied[2]),
        proportionality_p=_proportionality(treat[used], ctrl[used], odds),
    )


def proportional_odds(design_matrix: ArrayLike, level_counts: ArrayLike) -> ProportionalOdds:
    """Proportional-odds regression on counts: design rows × columns (no intercept), counts rows × levels (the worst first).

    McCullagh 1980, by Newton's method: the log-likelihood is concave (Pratt 1981). Raises ValueError for shapes that differ,
    impossible counts, fewer than two levels, a level that nobody chose, or columns that repeat one another.
    """
    design, counts = np.asarray(design_matrix, dtype=np.float64), np.asarray(level_counts, dtype=np.float64)
    if design.ndim != 2 or counts.ndim != 2 or len(design) != len(counts):  # noqa: PLR2004 - tables have two dimensions
        raise ValueError("The design and the counts must be two tables with one row a group of people, the same in both.")
    if not (np.isfinite(counts).all() and (counts >= 0).all() and np.isfinite(design).all()):
        raise ValueError("A count is negative, or a figure is missing or infinite.")
    if counts.shape[1] < 2 or (counts.sum(axis=0) == 0).any():  # noqa: PLR2004 - one level has nothing to regress
        raise ValueError("There must be two levels at least, and answers at each of them: leave out the empty ones.")
    rows = design[counts.sum(axis=1) > 0]
    if np.linalg.matrix_rank(np.c_[np.ones(len(rows)), rows]) < design.shape[1] + 1:
        raise ValueError("A column of the design repeats others or never changes: its coefficient cannot be told.")
    fit = _maximise(counts, design, np.zeros(len(counts)))
    cut = counts.shape[1] - 1
    covariance = np.asarray(np.linalg.inv(fit.information), dtype=np.float64)
    return ProportionalOdds(fit.values[cut:], fit.values[:cut], covariance, -2 * fit.log_likelihood)


@dataclass(frozen=True, slots=True)
class _Fit:
    values: Floats
    log_likelihood: float
    information: Floats


def _maximise(counts: Floats, design: Floats, offset: Floats, iterations: int = 200) -> _Fit:
    """Thresholds, then coefficients, by Newton's method with halved steps; offset: added to each row's linear predictor."""
    cut, columns = counts.shape[1] - 1, design.shape[1]
    row, level = np.nonzero(counts)
    weight = counts[row, level]
    # Each observed cell lies between an upper and a lower linear predictor; the first has no lower, the last no upper.
    identity = np.vstack([np.zeros(cut), np.eye(cut), np.zeros(cut)])
    upper, lower = np.c_[identity[level + 1], -design[row]], np.c_[identity[level], -design[row]]
    upper[level == cut], lower[level == 0] = 0.0, 0.0
    ends = (np.where(level == cut, np.inf, -offset[row]), np.where(level == 0, -np.inf, -offset[row]))
    below = np.cumsum(counts.sum(axis=0))[:-1] / weight.sum()
    values = np.r_[special.logit(below), np.zeros(columns)]
    now = _cells(upper @ values + ends[0], lower @ values + ends[1], weight)
    information = np.eye(cut + columns)
    for _ in range(iterations):
        gradient, information = _slopes(now, upper, lower, weight)
        step = np.linalg.lstsq(information, gradient, rcond=None)[0]
        if gradient @ step < 1e-10:  # noqa: PLR2004 - what is left to gain; the last step squares the error
            values = values + step
            now = _cells(upper @ values + ends[0], lower @ values + ends[1], weight)
            break
        for halving in range(60):
            trial = values + step / 2**halving
            after = _cells(upper @ trial + ends[0], lower @ trial + ends[1], weight)
            if after[0] > now[0]:
                break
        else:
            break  # no step gains anything: rounding is all that is left
        values, now = trial, after
    return _Fit(values, now[0], _slopes(now, upper, lower, weight)[1])


def _cells(high: Floats, low: Floats, weight: Floats) -> tuple[float, Floats, Floats, Floats]:
    """Log-likelihood, and each cell's chance with the two predictors that bound it; -inf where a cell has none."""
    # The smaller tail of the two, so that small chances keep their digits.
    flip = high + low > 0
    top, bottom = np.where(flip, -low, high), np.where(flip, -high, low)
    chance = special.expit(top) - special.expit(bottom)
    total = float(weight @ np.log(chance)) if (chance > 0).all() else -math.inf
    return total, chance, high, low


def _slopes(cells: tuple[float, Floats, Floats, Floats], upper: Floats, lower: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Gradient and observed information of the log-likelihood."""
    _, chance, high, low = cells
    high_s, low_s = special.expit(high), special.expit(low)
    high_f, low_f = high_s * special.expit(-high) / chance, low_s * special.expit(-low) / chance
    gradient = upper.T @ (weight * high_f) - lower.T @ (weight * low_f)
    both = upper.T @ ((weight * high_f * low_f)[:, None] * lower)
    one = upper.T @ ((weight * (high_f * (1 - 2 * high_s) - high_f**2))[:, None] * upper)
    two = lower.T @ ((weight * (-low_f * (1 - 2 * low_s) - low_f**2))[:, None] * lower)
    return gradient, -(one + two + both + both.T)


@dataclass(frozen=True, slots=True)
class _Odds:
    """The two-arm fit on the logarithm: infinite where the arms do not overlap."""

    log_ratio: float
    low: float
    high: float
    error: float
    p: float
    thresholds: Floats


def _odds(treat: Counts, ctrl: Counts, alpha: float) -> _Odds:
    counts = np.vstack([treat, ctrl]).astype(np.float64)
    if counts.shape[1] == 1:
        return _Odds(0.0, -math.inf, math.inf, math.inf, 1.0, np.empty(0))
    profile: Callable[[float], _Fit] = lambda at: _maximise(counts, np.empty((2, 0)), np.array([at, 0.0]))  # noqa: E731
    better, worse = _pairs(treat, ctrl), _pairs(ctrl, treat)
    if better == 0 or worse == 0:
        # Without one pair the other way round, the likelihood rises for ever.
        middle, error = math.copysign(FAR, better - worse), math.inf
        best = profile(middle)
        thresholds, top = best.values, best.log_likelihood
    else:
        fit = _maximise(counts, np.array([[1.0], [0.0]]), np.zeros(2))
        middle, error = float(fit.values[-1]), math.sqrt(np.linalg.inv(fit.information)[-1, -1])
        thresholds, top = fit.values[:-1], fit.log_likelihood
    fall: Callable[[float], float] = lambda at: 2 * (top - profile(at).log_likelihood)  # noqa: E731
    limit = float(stats.chi2.isf(alpha, 1))
    low = -math.inf if middle == -FAR else _end(fall, limit, middle, -1.0)
    high = math.inf if middle == FAR else _end(fall, limit, middle, 1.0)
    p = float(stats.chi2.sf(max(fall(0.0), 0.0), 1))
    return _Odds(math.copysign(math.inf, middle) if abs(middle) == FAR else middle, low, high, error, p, thresholds)


def _end(fall: Callable[[float], float], limit: float, middle: float, side: float) -> float:
    """Where the log-likelihood has fallen by the limit, on one side of its summit."""
    reach = 1.0
    while fall(middle + side * reach) < limit:
        reach *= 2
    return float(optimize.brentq(lambda at: fall(at) - limit, middle + side * reach / 2 * (reach > 1), middle + side * reach))


def _pairs(one: Counts, other: Counts) -> int:
    """Pairs of people in which the first arm's answer is strictly better."""
    return int(one @ (np.cumsum(other) - other))


def _shares(thresholds: Floats, shift: float) -> Floats:
    below = special.expit(thresholds - shift)
    return np.diff(np.r_[0.0, below, 1.0])


def _implied(thresholds: Floats, shift: float, marks: Floats) -> float:
    """Change of the mean mark when the shares that the thresholds give are shifted along the logistic scale."""
    # The thresholds of arms that do not overlap were fitted at FAR, which stands for infinity in them.
    far = math.copysign(FAR, shift) if math.isinf(shift) and np.abs(thresholds).max(initial=0.0) > FAR / 2 else shift
    return float((_shares(thresholds, far) - _shares(thresholds, 0.0)) @ marks)


def _proportionality(treat: Counts, ctrl: Counts, odds: _Odds) -> float | None:
    """Score test of one odds ratio against one a threshold: Pearson's chi-square of the fitted shares."""
    if len(treat) < 3 or math.isinf(odds.log_ratio):  # noqa: PLR2004 - two levels have one odds ratio
        return None
    statistic = 0.0
    for counts, shift in ((treat, odds.log_ratio), (ctrl, 0.0)):
        fitted = counts.sum() * _shares(odds.thresholds, shift)
        statistic += float(((counts - fitted) ** 2 / np.maximum(fitted, 1e-300)).sum())
    return float(stats.chi2.sf(statistic, len(treat) - 2))


@dataclass(frozen=True, slots=True)
class RankComparison:
    """u: pairs in which the treated answer is better, ties half; superiority: as a share of all pairs, with its interval;
    p: Mann–Whitney's normal p-value with ties, p_corrected: with continuity correction; p_brunner_munzel: Brunner and Munzel's."""

    u: float
    superiority: float
    interval: Interval
    p: float
    p_corrected: float
    p_brunner_munzel: float


def compare_ranks(treat: Counts, ctrl: Counts, *, alpha: float = 0.05) -> RankComparison:
    """Mann–Whitney and Brunner–Munzel from the counts of each value, the lowest first. At least one answer an arm."""
    m, n = int(treat.sum()), int(ctrl.sum())
    u = _pairs(treat, ctrl) + int(treat @ ctrl) / 2
    ties = (treat + ctrl).astype(np.float64)
    total = m + n
    variance = m * n / 12 * (total + 1 - float((ties**3 - ties).sum()) / (total * (total - 1)))
    gap = abs(u - m * n / 2)
    deviation = math.sqrt(max(variance, 0.0))
    p, corrected = (1.0, 1.0) if deviation == 0 else tuple(_two_sided(g / deviation) for g in (gap, max(gap - 0.5, 0.0)))
    superiority = u / (m * n)
    placed = [_placement_variance(one, other) for one, other in ((treat, ctrl), (ctrl, treat))]
    error2 = placed[0] / m + placed[1] / n
    if min(m, n) < 2 or error2 <= 0:  # noqa: PLR2004 - a variance needs two answers
        return RankComparison(u, superiority, _newcombe_superiority(superiority, m, n, alpha), p, corrected, p)
    share = placed[0] / m / error2
    freedom = 1 / (share**2 / (m - 1) + (1 - share) ** 2 / (n - 1))
    half = float(stats.t.isf(alpha / 2, freedom)) * math.sqrt(error2)
    p_brunner = float(2 * stats.t.sf(abs(superiority - 0.5) / math.sqrt(error2), freedom))
    interval = Interval(max(superiority - half, 0.0), min(superiority + half, 1.0))
    return RankComparison(u, superiority, interval, p, corrected, p_brunner)


def _two_sided(z: float) -> float:
    return float(2 * special.ndtr(-abs(z)))


def _placement_variance(one: Counts, other: Counts) -> float:
    """Variance over one arm of the share of the other that each answer beats (ties half)."""
    size = one.sum()
    if size < 2:  # noqa: PLR2004 - a variance needs two answers
        return 0.0
    beaten = (np.cumsum(other) - other / 2) / other.sum()
    middle = float(one @ beaten / size)
    spread = float(one @ (beaten - middle) ** 2 / (size - 1))
    return spread if spread > 1e-15 else 0.0  # noqa: PLR2004 - rounding


def _newcombe_superiority(estimate: float, m: int, n: int, alpha: float) -> Interval:
    """Score-like interval that needs no spread in the answers (Newcombe 2006, part 2, method 5)."""
    z2, extra = float(stats.norm.isf(alpha / 2)) ** 2, (m + n) / 2 - 1

    def beyond(at: float) -> float:
        variance = at * (1 - at) / (m * n) * (1 + extra * ((1 - at) / (2 - at) + at / (1 + at)))
        return (estimate - at) ** 2 - z2 * variance

    low = optimize.brentq(beyond, 0.0, estimate) if estimate > 0 and beyond(0.0) > 0 else 0.0
    high = optimize.brentq(beyond, estimate, 1.0) if estimate < 1 and beyond(1.0) > 0 else 1.0
    # At an edge the estimate itself is also a root: the bound is the other one.
    if estimate == 1:
        low = optimize.brentq(beyond, 0.0, 1 - 1e-9)
    if estimate == 0:
        high = optimize.brentq(beyond, 1e-9, 1.0)
    return Interval(float(low), float(high))


def _permutation_p(treat: Counts, ctrl: Counts, seed: int) -> float:
    """Chance of a rank sum as far from its mean, had the same answers been shared out at random; exact where it can be."""
    totals = treat + ctrl
    small = treat if treat.sum() <= ctrl.sum() else ctrl
    # Twice the mid-rank of each level, counted from the middle: whole numbers, so that ties are ties.
    score = 2 * (np.cumsum(totals) - totals) + totals - totals.sum()
    observed = abs(int(small @ score))
    exact = _every_table(totals, int(small.sum()), score)
    if exact is None:
        draws = np.random.default_rng(seed).multivariate_hypergeometric(totals, int(small.sum()), DRAWS, method="marginals")
        return (int((np.abs(draws @ score) >= observed).sum()) + 1) / (DRAWS + 1)
    sums, chances = exact
    return min(1.0, float(chances[np.abs(sums) >= observed].sum()))


def _every_table(totals: Counts, size: int, score: Counts) -> tuple[Counts, Floats] | None:
    """Every score that `size` of these answers can have, with its chance; None where the ways are too many."""
    left, sums, weight = np.array([size]), np.array([0]), np.array([1.0])
    rest = int(totals.sum())
    for total, one in zip(totals.tolist(), score.tolist(), strict=True):
        rest -= total
        least, most = np.maximum(left - rest, 0), np.minimum(left, total)
        ways = most - least + 1
        if ways.sum() > MOST_TABLES:
            return None
        start = np.repeat(np.cumsum(ways) - ways, ways)
        taken = np.arange(ways.sum()) - start + np.repeat(least, ways)
        left, sums, weight = np.repeat(left, ways) - taken, np.repeat(sums, ways) + taken * one, np.repeat(weight, ways)
        weight = weight * special.comb(total, taken)
        left, sums, weight = _merged(left, sums, weight / weight.sum())
    return sums, weight


def _merged(left: Counts, sums: Counts, weight: Floats) -> tuple[Counts, Counts, Floats]:
    """States that are the same, put together."""
    states, where = np.unique(np.c_[left, sums], axis=0, return_inverse=True)
    together = np.zeros(len(states))
    np.add.at(together, where.ravel(), weight)
    return states[:, 0], states[:, 1], together


def _moments(counts: Counts, marks: Floats) -> Moments:
    return Moments(int(counts.sum()), float(counts @ marks), float(counts @ marks**2))


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0)) if value < math.inf else math.inf


def _arm(counts: Sequence[int], name: str) -> Counts:
    given = np.asarray(counts, dtype=np.float64)
    if given.ndim != 1 or not np.isfinite(given).all() or (given < 0).any() or (given != np.floor(given)).any():
        raise ValueError(f"The answers of the {name} arm must be counts, one a level: none negative, missing or in parts.")
    if given.sum() == 0:
        raise ValueError(f"The {name} arm has no answer: there is nothing to compare.")
    return given.astype(np.int64)


def _marks(marks: Sequence[float] | None, levels: int, others: int) -> Floats:
    if levels != others:
        raise ValueError(f"{levels} levels in one arm and {others} in the other: both answer the same question.")
    values = np.arange(1.0, levels + 1) if marks is None else np.asarray(marks, dtype=np.float64)
    if len(values) != levels:
        raise ValueError(f"{len(values)} marks for {levels} levels: each level has one.")
    if not np.isfinite(values).all() or (np.diff(values) <= 0).any():
        raise ValueError("The marks must rise from the worst level to the best.")
    return values
