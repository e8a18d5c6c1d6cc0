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
CORRELATION_MARGIN, MARGIN_OF_OVERDISPERSION = 0.05, 0.25
"""Added to the estimated autocorrelation, the second in proportion to the share of variance that counts do not explain:
an estimate too low costs false changes, one too high only some delay."""
MOST_CORRELATION = 0.9
CLEAR_CORRELATION = 2.0
"""Autocorrelation beyond this many standard errors is believed even where counts explain all the variance."""
CLIP = 2.0
"""A value may leave the median of its five nearest by this many standard deviations."""
OUTLIER = 2.5
"""A value further than this from them stands alone: it is put back on them."""


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
    freedom = 0.9 * size
    if not counted:
        correlation = min(max(raw + CORRELATION_MARGIN + MARGIN_OF_OVERDISPERSION, 0.0), MOST_CORRELATION)
        return variance, correlation, left_over(correlation, raw), freedom
    excess = max(variance - 1, 0.0)
    error = math.sqrt(2.2 / size)
    variance = 1 + excess * excess / (excess + SHRINK * error)
    share = (variance - 1) / variance
    correlation = min(max(raw + CORRELATION_MARGIN + MARGIN_OF_OVERDISPERSION * share, 0.0), MOST_CORRELATION)
    if raw < CLEAR_CORRELATION / math.sqrt(size):
        # Sampling noise is independent: only what it does not explain can be correlated.
        correlation = min(correlation, share)
    return variance, correlation, left_over(correlation, raw), freedom / share if share > 0 else math.inf


@compiled
def left_over(correlation: float, estimated: float) -> float:
    """Variance of y[t] - correlation·y[t-1] as a share of y's. A correlation taken for higher than it is leaves more, not less."""
    return max(1 - correlation * correlation, 1 + correlation * correlation - 2 * correlation * estimated)


@compiled
def calmed(y: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """The values without their lone outliers: each is held near the median of itself and its two neighbours a side."""
    size = len(y)
    calm = y.copy()
    for i in range(size):
        middle = np.median(y[max(0, i - 2) : min(size, i + 3)])
        gap = y[i] - middle
        if abs(gap) > OUTLIER * sigma[i]:
            calm[i] = middle
        else:
            limit = CLIP * sigma[i]
            calm[i] = middle + min(max(gap, -limit), limit)
    return calm


@compiled
def for_estimated_variance(normal: float, freedom: float) -> float:
    """The threshold on a squared t that a squared normal deviate `normal` becomes. Wallace 1959, formula for t to z, inverted."""
    if freedom > 1e6:  # noqa: PLR2004
        return normal
    factor = (8 * freedom + 3) / (8 * freedom + 1)
    return freedom * (math.exp(min(normal / freedom * factor * factor, 50.0)) - 1)
