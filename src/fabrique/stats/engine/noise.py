"""How much does this series vary by itself? Its variance, its autocorrelation, and its lone outliers.

Everything is read from differences between neighbours at several lags: a change of level touches a few of them only, so that
noise need not be told apart from changes first.
"""

from __future__ import annotations

import math

import numpy as np

from fabrique.stats.engine.compiled import compiled

FAR = 3.0
"""A difference beyond this many standard deviations tells of a change or an outlier, not of noise: it is left out."""
MEAN_WITHIN_FAR = 0.97334
"""E(Z² | |Z| < 3) for a standard normal Z: makes the mean of the others exact for normal noise."""
PERIODS_PER_LAG = 9
"""One change touches as many differences as the lag: no more than one in so many may be touched."""
MEDIAN_OF_SQUARE = 0.4549364
"""Median of a squared standard normal."""
UPPER_QUARTER_OF_SQUARE = 1.3233037
"""Upper quartile of a squared standard normal."""
FIRST_LAG, LAST_LAG = 2, 8
"""Lags whose differences tell the variance; lag 1 against them tells the autocorrelation."""
SHRINK = 0.6
"""Overdispersion e is believed as e²/(e + SHRINK·se): half-believed where it is about as large as its own error."""
CORRELATION_MARGIN = 0.05
"""Added to the estimated autocorrelation: an estimate too low costs false changes, one too high only some delay."""
MARGIN_OF_VALUES, MARGIN_OF_OVERDISPERSION = 0.2, 0.3
"""… and more for bare values, and for counts in proportion to the share of variance that sampling does not explain."""
USUAL_CORRELATION, PERIODS_OF_TRUST = 0.4, 50
"""What sampling does not explain is taken to be this much correlated until the series itself has spoken: n periods count n/(n + 50)."""
MOST_CORRELATION = 0.9
CLEAR_CORRELATION = 2.0
"""Autocorrelation beyond this many standard errors is believed even where counts explain all the variance."""
FREEDOM_OF_VALUES, FREEDOM_OF_OVERDISPERSION = 0.9, 0.45
"""Degrees of freedom a period of the variance of values, and of the overdispersion of counts (less: its correlation is unknown too)."""
LONE = 2.0
"""A value further than this many standard deviations from the median of its five nearest weighs less, the less the further."""
NEWEST = 1.5
"""The newest value may leave the median of the last three by this many: one week alone, however far, is not yet a level."""


@compiled
def difference_variance(y: np.ndarray, v: np.ndarray, lag: int) -> float:
    """Variance of one value, in units of `v`, from differences at a lag, without the far ones; nan when there are too few."""
    size = len(y) - lag
    if size < 4:  # noqa: PLR2004
        return math.nan
    squares = np.empty(size)
    for i in range(size):
        gap = y[i + lag] - y[i]
        squares[i] = gap * gap / (v[i + lag] + v[i])
    scale = float(np.median(squares)) / MEDIAN_OF_SQUARE
    if scale <= 0:  # half the neighbours are equal, as audits and rounded figures are: ask those that differ most
        scale = float(np.quantile(squares, 0.75)) / UPPER_QUARTER_OF_SQUARE
        if scale <= 0:
            return 0.0
    for _ in range(2):
        limit, total, kept = FAR * FAR * scale, 0.0, 0
        for square in squares:
            if square <= limit:
                total += square
                kept += 1
        scale = total / kept / MEAN_WITHIN_FAR
    return scale


@compiled
def nuisance(y: np.ndarray, v: np.ndarray, counted: bool) -> tuple[float, float, float, float]:
    """Variance in units of `v`, lag-one autocorrelation, the share of variance that stays when a neighbour is known, and the
    degrees of freedom that the variance was estimated with.

    `counted`: v is what sampling alone gives, so that the variance is at least 1.
    """
    size = len(y)
    total, lags = 0.0, 0
    for lag in range(FIRST_LAG, max(FIRST_LAG, min(LAST_LAG, size // PERIODS_PER_LAG)) + 1):
        one = difference_variance(y, v, lag)
        if not math.isnan(one):
            total += one
            lags += 1
    variance = total / lags if lags else 0.0
    if variance <= 0:
        return 1.0 if counted else 0.0, 0.0, 1.0, float(size)
    # Against at least the sampling variance: a series that hardly varies yet is not thereby a correlated one.
    raw = (variance - difference_variance(y, v, 1)) / (max(variance, 1.0) if counted else variance)
    if not counted:
        correlation = min(max(raw + CORRELATION_MARGIN + MARGIN_OF_VALUES, 0.0), MOST_CORRELATION)
        return variance, correlation, left_over(correlation, raw), FREEDOM_OF_VALUES * size
    excess = max(variance - 1, 0.0)
    error = math.sqrt(2.2 / size)
    variance = 1 + excess * excess / (excess + SHRINK * error)
    share = (variance - 1) / variance
    trust = size / (size + PERIODS_OF_TRUST)
    pooled = trust * raw + (1 - trust) * USUAL_CORRELATION * share
    correlation = min(max(pooled + CORRELATION_MARGIN + MARGIN_OF_OVERDISPERSION * share, 0.0), MOST_CORRELATION)
    if raw < CLEAR_CORRELATION / math.sqrt(size):
        # Sampling noise is independent: only what it does not explain can be correlated.
        correlation = min(correlation, share)
    freedom = FREEDOM_OF_OVERDISPERSION * size / share if share > 0 else math.inf
    return variance, correlation, left_over(correlation, raw), freedom


@compiled
def left_over(correlation: float, estimated: float) -> float:
    """Variance of y[t] - correlation·y[t-1] as a share of y's. A correlation taken for higher than it is leaves more, not less."""
    return max(1 - correlation * correlation, 1 + correlation * correlation - 2 * correlation * estimated)


@compiled
def calmed(y: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values and their standard deviations, lone outliers made to weigh less and the newest value held near those before it."""
    size = len(y)
    calm, wide = y.copy(), sigma.copy()
    for i in range(size):
        middle = weighted_median(y[max(0, i - 2) : i + 3], sigma[max(0, i - 2) : i + 3])
        gap = y[i] - middle
        if i == size - 1:
            limit = NEWEST * sigma[i]
            calm[i] = middle + min(max(gap, -limit), limit)
        elif abs(gap) > LONE * sigma[i]:
            wide[i] = abs(gap) / LONE
    return calm, wide


@compiled
def weighted_median(y: np.ndarray, sigma: np.ndarray) -> float:
    """The median of at most five values, each counted as often as it is precise: a sure value is not judged by vague neighbours."""
    values, weights = np.empty(5), np.empty(5)
    total = 0.0
    for i in range(len(y)):
        weight = 1 / (sigma[i] * sigma[i])
        place = i
        while place > 0 and values[place - 1] > y[i]:
            values[place], weights[place] = values[place - 1], weights[place - 1]
            place -= 1
        values[place], weights[place] = y[i], weight
        total += weight
    below = 0.0
    for i in range(len(y) - 1):
        below += weights[i]
        if below > total / 2 * (1 + 1e-9):
            return float(values[i])
        if below > total / 2 * (1 - 1e-9):
            return float((values[i] + values[i + 1]) / 2)
    return float(values[len(y) - 1])


@compiled
def for_estimated_variance(normal: float, freedom: float) -> float:
    """The threshold on a squared t that a squared normal deviate `normal` becomes. Wallace 1959, formula for t to z, inverted."""
    if freedom > 1e6:  # noqa: PLR2004
        return normal
    factor = (8 * freedom + 3) / (8 * freedom + 1)
    return freedom * (math.exp(min(normal / freedom * factor * factor, 50.0)) - 1)
