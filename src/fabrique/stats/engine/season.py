"""Does the series repeat itself every year (or week)? If it plainly does, the season is taken out before anything is said to move."""

from __future__ import annotations

import math

import numpy as np

from fabrique.stats.engine.compiled import compiled

HARMONICS = 6
"""Waves tried: the season's length, its half, its third…"""
LONG_HARMONICS = 3
"""… and for seasons of more than LONG periods."""
LONG = 12.5
PRICE = 4.0
"""A wave must gain this many times log n in n·log(residual variance): two BIC prices for its two numbers."""


@compiled
def rolling_level(y: np.ndarray, width: int) -> np.ndarray:
    """The mean over one season around each value; near the ends, that of the nearest value that has a whole one."""
    size = len(y)
    sums = np.zeros(size + 1)
    for i in range(size):
        sums[i + 1] = sums[i] + y[i]
    level = np.empty(size)
    for i in range(size):
        first = min(max(i - width // 2, 0), size - width)
        level[i] = (sums[first + width] - sums[first]) / width
    return level


@compiled
def waves_tried(length: float) -> int:
    """How many waves a season of that length is looked through for."""
    return min(HARMONICS if length <= LONG else LONG_HARMONICS, int(length / 2))


@compiled
def without_season(y: np.ndarray, place: np.ndarray, length: float) -> tuple[np.ndarray, int]:
    """The values without their season, and how many waves it has (0: none). Needs two whole seasons.

    place: each value's period; length: periods a season.
    """
    size = len(y)
    if length < 2 or size < 2 * length:  # noqa: PLR2004
        return y, 0
    rest = y - rolling_level(y, round(length))
    calm = y.copy()
    waves = 0
    for k in range(1, waves_tried(length) + 1):
        turn = 2 * math.pi * k / length
        cc = cs = ss = yc = ys = before = 0.0
        for i in range(size):
            c, s = math.cos(turn * place[i]), math.sin(turn * place[i])
            cc += c * c
            cs += c * s
            ss += s * s
            yc += rest[i] * c
            ys += rest[i] * s
            before += rest[i] * rest[i]
        determinant = cc * ss - cs * cs
        if determinant > 1e-9 * cc * cc:
            a, b = (yc * ss - ys * cs) / determinant, (ys * cc - yc * cs) / determinant
        else:  # the last wave of an even season has a cosine only
            a, b = yc / max(cc, 1e-300), 0.0
        after = before - (a * yc + b * ys)
        if before > 0 and (after <= 0 or size * math.log(before / after) > PRICE * math.log(size)):
            waves += 1
            for i in range(size):
                wave = a * math.cos(turn * place[i]) + b * math.sin(turn * place[i])
                rest[i] -= wave
                calm[i] -= wave
    return calm, waves
