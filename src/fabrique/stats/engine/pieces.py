"""The cheapest way to cut a series into pieces, each a level or a slope, in noise that may be autocorrelated.

Optimal partitioning (Jackson et al. 2005) over candidate starts that grow sparse with age, so that time is linear.
Within a piece, noise is AR(1); the fit is by generalised least squares on prefix sums.
"""

from __future__ import annotations

import math

import numpy as np

from fabrique.stats.engine.compiled import compiled

SHORTEST_PIECE = 2
"""Periods that a new level must have been seen for."""
SHORTEST_SLOPE = 8
"""Periods that a slope must have been seen for."""
RECENT = 64
"""Candidate starts of the last so many periods are all kept."""
THINNING = 3
"""Of each doubling of age before, a third as many a period: in all no more than 3·RECENT, so that time is linear in the periods."""
SHORT, SURCHARGE = 8, 0.1
"""A piece of fewer than SHORT periods pays SURCHARGE·log(SHORT/length) more, as a share of a change's price: there are many of them
to be mistaken in, and a change that matters at once gains far more than its price."""
LEVEL, SLOPE = 0, 1


@compiled
def prefix_sums(y: np.ndarray, sigma: np.ndarray, correlation: float, spread: float) -> np.ndarray:
    """Sums that give any piece's fit in constant time: (6, n + 1) rows of products of each whitened period.

    Rows: level·level, level·time, time·time, level·value, time·value, value·value. Values are standardised, then each loses
    `correlation` times the one before; spread: the share of the variance that stays.
    """
    size = len(y)
    sums = np.zeros((6, size + 1))
    for t in range(size):
        level, time, value, left = 1 / sigma[t], t / sigma[t], y[t] / sigma[t], 1.0
        if t > 0:
            part = correlation / sigma[t - 1]
            level, time, value, left = level - part, time - part * (t - 1), value - part * y[t - 1], spread
        sums[0, t + 1] = sums[0, t] + level * level / left
        sums[1, t + 1] = sums[1, t] + level * time / left
        sums[2, t + 1] = sums[2, t] + time * time / left
        sums[3, t + 1] = sums[3, t] + level * value / left
        sums[4, t + 1] = sums[4, t] + time * value / left
        sums[5, t + 1] = sums[5, t] + value * value / left
    return sums


@compiled
def misfits(sums: np.ndarray, y: np.ndarray, sigma: np.ndarray, start: int, end: int) -> tuple[float, float]:
    """Twice the negative log-likelihood (without constants) of [start, end) as a level and as a slope."""
    weight, u = 1 / (sigma[start] * sigma[start]), float(start)
    a = sums[0, end] - sums[0, start + 1] + weight
    b = sums[3, end] - sums[3, start + 1] + weight * y[start]
    c = sums[5, end] - sums[5, start + 1] + weight * y[start] * y[start]
    level = max(c - b * b / a, 0.0)
    au = sums[1, end] - sums[1, start + 1] + weight * u
    auu = sums[2, end] - sums[2, start + 1] + weight * u * u
    bu = sums[4, end] - sums[4, start + 1] + weight * u * y[start]
    across, along = auu - au * au / a, bu - au * b / a
    if across <= 1e-12 * auu:
        return level, level
    return level, max(level - along * along / across, 0.0)


@compiled
def surcharge(length: int) -> float:
    """What a piece of that length pays more, as a share of a change's price."""
    return SURCHARGE * math.log(SHORT / length) if length < SHORT else 0.0


@compiled
def partition(
    sums: np.ndarray, y: np.ndarray, sigma: np.ndarray, price: float, price_of_slope: float
) -> tuple[np.ndarray, np.ndarray]:
    """First indices and kinds (LEVEL, SLOPE) of the pieces whose misfit plus price is least."""
    size = len(y)
    origin = np.zeros(size + 1, np.int64)
    kind = np.zeros(size + 1, np.int8)
    best = np.full(size + 1, np.inf)
    best[0] = -price
    # Candidate starts with all that a piece from there needs, side by side: the loop over them is then vector code.
    starts = np.empty(size + 1, np.int64)
    before = np.empty((7, size + 1))
    totals = np.empty((2, size + 1))
    known = 0
    for end in range(SHORTEST_PIECE, size + 1):
        start = end - SHORTEST_PIECE
        starts[known] = start
        weight, u = 1 / (sigma[start] * sigma[start]), float(start)
        before[0, known] = sums[0, start + 1] - weight
        before[1, known] = sums[1, start + 1] - weight * u
        before[2, known] = sums[2, start + 1] - weight * u * u
        before[3, known] = sums[3, start + 1] - weight * y[start]
        before[4, known] = sums[4, start + 1] - weight * u * y[start]
        before[5, known] = sums[5, start + 1] - weight * y[start] * y[start]
        before[6, known] = best[start] + price
        known += 1
        weigh(sums[:, end], before, totals, known)
        least, first, what = np.inf, 0, LEVEL
        for j in range(known):
            length = end - starts[j]
            if length < SHORT:
                totals[LEVEL, j] += price * surcharge(length)
            if totals[LEVEL, j] < least:
                least, first, what = totals[LEVEL, j], starts[j], LEVEL
            if totals[SLOPE, j] + price_of_slope < least and length >= SHORTEST_SLOPE:
                least, first, what = totals[SLOPE, j] + price_of_slope, starts[j], SLOPE
        best[end], origin[end], kind[end] = least, first, what
        if end % (RECENT // 2) == 0 and known > RECENT:
            known = thinned(starts, before, known, end, first)
    pieces = 0
    end = size
    while end > 0:
        pieces += 1
        end = origin[end]
    firsts, kinds = np.empty(pieces, np.int64), np.empty(pieces, np.int8)
    end = size
    for place in range(pieces - 1, -1, -1):
        firsts[place], kinds[place] = origin[end], kind[end]
        end = origin[end]
    return firsts, kinds


@compiled
def weigh(upto: np.ndarray, before: np.ndarray, totals: np.ndarray, known: int) -> None:
    """The cost up to here of each candidate last piece, as a level and as a slope (its price aside), into `totals`."""
    end_a, end_au, end_auu, end_b, end_bu, end_c = upto[0], upto[1], upto[2], upto[3], upto[4], upto[5]
    for j in range(known):
        a = end_a - before[0, j]
        au = end_au - before[1, j]
        b = end_b - before[3, j]
        mean = b / a
        level = end_c - before[5, j] - b * mean
        across = end_auu - before[2, j] - au * au / a
        along = end_bu - before[4, j] - au * mean
        gain = along * along / (across + 1e-300)
        totals[LEVEL, j] = before[6, j] + max(level, 0.0)
        totals[SLOPE, j] = before[6, j] + max(level - gain, 0.0)


@compiled
def thinned(starts: np.ndarray, before: np.ndarray, known: int, end: int, in_use: int) -> int:
    """Let old candidate starts grow sparse, in place; the start of the best last piece always stays. How many are left."""
    kept = 0
    for j in range(known):
        start = starts[j]
        age = end - start
        step, limit = 1, RECENT
        while age > limit:
            step *= THINNING
            limit *= 2
        if start % step == 0 or start == in_use:
            starts[kept] = start
            for row in range(7):
                before[row, kept] = before[row, j]
            kept += 1
    return kept


@compiled
def gains(
    sums: np.ndarray, y: np.ndarray, sigma: np.ndarray, edges: np.ndarray, kinds: np.ndarray, price_of_slope: float
) -> np.ndarray:
    """What a change at each index of (edges[0], edges[2]) gains over none, twice the log-likelihood (-inf too near the ends)."""
    start, end = edges[0], edges[2]
    gained = np.full(end - start, -np.inf)
    level, slope = misfits(sums, y, sigma, start, end)
    none = min(level, slope + price_of_slope)
    for cut in range(start + SHORTEST_PIECE, end - SHORTEST_PIECE + 1):
        left_level, left_slope = misfits(sums, y, sigma, start, cut)
        right_level, right_slope = misfits(sums, y, sigma, cut, end)
        left = left_slope + price_of_slope if kinds[0] == SLOPE else left_level
        right = right_slope + price_of_slope if kinds[1] == SLOPE else right_level
        gained[cut - start] = none - left - right
    return gained


@compiled
def plausible(gained: np.ndarray, top: int, drop: float) -> tuple[int, int]:
    """The first and last index whose gain is within `drop` of that at `top`."""
    first = last = top
    for i in range(len(gained)):
        if gained[i] >= gained[top] - drop and not math.isinf(gained[i]):
            first, last = min(first, i), max(last, i)
    return first, last
