"""One series from its values to its changes; and many series at once."""

from __future__ import annotations

import numba
import numpy as np

from fabrique.stats.engine.compiled import compiled, compiled_parallel
from fabrique.stats.engine.noise import calmed, for_estimated_variance, nuisance
from fabrique.stats.engine.pieces import SHORT, SLOPE, gains, partition, plausible, prefix_sums, surcharge
from fabrique.stats.engine.season import without_season

PRICE = 13.0
"""Twice the log-likelihood that a change must gain. Set by experiments/calibration-watch for some 0.05 false flags a series-year."""
PRICE_OF_SLOPE = 13.0
"""… and that a slope must gain over a level."""
FLOOR = 0.1
"""Noise of a bare value is taken for at least this share of the series' own standard deviation: what no eye would see is no change."""
PERIODS_PER_CHANGE = 16
"""Levels that last less than this on average are not levels: such a series is called restless and nothing is said of it."""
FEWEST = 2
"""Changes that are never too many."""
DATE_DROP = 6.0
"""Dates whose gain is less by at most this belong to the interval of dates (covers 95 % of simulated dates)."""
INDEX, EARLIEST, LATEST, GAIN, FIRST, END, LEFT_KIND, RIGHT_KIND = range(8)
"""Columns of a change."""
VARIANCE, CORRELATION, THRESHOLD, WAVES, RESTLESS, DRIFT = range(6)
"""Entries of a summary."""


@compiled
def noise_of(y: np.ndarray, v: np.ndarray, counted: bool) -> tuple[np.ndarray, float, float, float]:
    """Standard deviation of each value, autocorrelation, what it leaves over, and degrees of freedom."""
    variance, correlation, spread, freedom = nuisance(y, v, counted)
    sigma = np.sqrt(variance * v)
    if not counted:
        floor = max(FLOOR * np.std(y), 1e-12 * np.abs(y).max(), 1e-300)
        for i in range(len(y)):
            sigma[i] = max(sigma[i], floor)
    return sigma, correlation, spread, freedom


@compiled
def examine(y: np.ndarray, v: np.ndarray, place: np.ndarray, counted: bool, season: float) -> tuple[np.ndarray, np.ndarray]:
    """Changes (k, 8) and summary (6,) of one series without gaps. place: each value's period; season: periods a season, 0 for none."""
    size = len(y)
    summary = np.zeros(6)
    level, waves = without_season(y, place, season)
    sigma, correlation, spread, freedom = noise_of(level, v, counted)
    variance = sigma[0] ** 2 / v[0]
    calm, sigma = calmed(level, sigma)
    threshold = for_estimated_variance(PRICE, freedom)
    price_of_slope = for_estimated_variance(PRICE_OF_SLOPE, freedom)
    sums = prefix_sums(calm, sigma, correlation, spread)
    firsts, kinds = partition(sums, calm, sigma, threshold, price_of_slope)
    found = len(firsts) - 1
    summary[VARIANCE], summary[CORRELATION], summary[THRESHOLD], summary[WAVES] = (
        variance,
        correlation,
        threshold,
        waves,
    )
    summary[RESTLESS] = 1.0 if found > max(FEWEST, size // PERIODS_PER_CHANGE) else 0.0
    summary[DRIFT] = 1.0 if kinds[-1] == SLOPE else 0.0
    if summary[RESTLESS]:
        return np.empty((0, 8)), summary
    changes = np.empty((found, 8))
    for i in range(found):
        edges = np.array([firsts[i], firsts[i + 1], firsts[i + 2] if i + 2 <= found else size])
        gained = gains(sums, calm, sigma, edges, kinds[i : i + 2], price_of_slope)
        top = located(gained, edges)
        firsts[i + 1] = edges[1] = edges[0] + top
        first, last = plausible(gained, top, DATE_DROP)
        changes[i, INDEX] = edges[1]
        changes[i, GAIN] = gained[top] - threshold * surcharge(min(edges[1] - edges[0], edges[2] - edges[1]))
        changes[i, EARLIEST], changes[i, LATEST] = edges[0] + first, edges[0] + last
        changes[i, FIRST], changes[i, END] = edges[0], edges[2]
        changes[i, LEFT_KIND], changes[i, RIGHT_KIND] = kinds[i], kinds[i + 1]
    return changes, summary


@compiled
def located(gained: np.ndarray, edges: np.ndarray) -> int:
    """Where between its neighbours a change gains most. In a long series the partition only knew every so-manyth start."""
    top = edges[1] - edges[0]
    for i in range(SHORT, len(gained) - SHORT + 1):
        if gained[i] > gained[top] + 1e-9:
            top = i
    return int(top)


@compiled_parallel
def examine_many(
    y: np.ndarray, v: np.ndarray, place: np.ndarray, offsets: np.ndarray, counted: bool, season: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many changes each series has, where its rows begin, and all rows: series i is y[offsets[i]:offsets[i + 1]].

    A series of fewer than eight values, or of equal ones, has none.
    """
    series = len(offsets) - 1
    room = np.zeros(series + 1, np.int64)
    for i in range(series):
        room[i + 1] = room[i] + max(FEWEST, (offsets[i + 1] - offsets[i]) // PERIODS_PER_CHANGE)
    counts = np.zeros(series, np.int64)
    rows = np.empty((room[-1], 8), np.float32)
    for i in numba.prange(series):
        first, end = offsets[i], offsets[i + 1]
        if end - first < 8 or np.ptp(y[first:end]) == 0:  # noqa: PLR2004
            continue
        changes, _summary = examine(y[first:end], v[first:end], place[first:end], counted, season)
        counts[i] = len(changes)
        for j in range(len(changes)):
            for column in range(8):
                rows[room[i] + j, column] = changes[j, column]
    return counts, room, rows


@compiled_parallel
def replay_many(
    y: np.ndarray, v: np.ndarray, start: int, counted: bool, season: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What looks after every new period from `start` on would have flagged, for equal-length series (series, periods).

    Returns per series: the number of distinct changes ever flagged, the look that first flagged any (-1: none) and its index.
    A change within REPLAY_TOLERANCE periods of one flagged before is the same.
    """
    series, periods = y.shape
    flagged = np.zeros(series, np.int64)
    first_look = np.full(series, -1, np.int64)
    first_index = np.full(series, -1, np.int64)
    for i in numba.prange(series):
        seen = np.empty(periods, np.int64)
        known = 0
        places = np.arange(periods).astype(np.float64)
        for now in range(start, periods + 1):
            if np.ptp(y[i, :now]) == 0:
                continue
            changes, _summary = examine(y[i, :now], v[i, :now], places[:now], counted, season)
            for j in range(len(changes)):
                index, new = int(changes[j, INDEX]), True
                for k in range(known):
                    new = new and abs(seen[k] - index) > REPLAY_TOLERANCE
                if new and known < periods:
                    seen[known] = index
                    known += 1
                    if first_look[i] < 0:
                        first_look[i], first_index[i] = now, index
        flagged[i] = known
    return flagged, first_look, first_index


REPLAY_TOLERANCE = 4
"""Periods by which the date of one and the same change may move between looks."""
