"""How long does a stay last when many are not over yet? Kaplan–Meier curves, for time in stage.

A median of finished stays alone is too short: the long ones are still running.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Survival:
    """One curve. times: the moments at which something ended, rising, in the unit of the durations; share: still going just after
    each; low, high: pointwise interval of the share; at_risk: still going just before each; ended: how many ended then.

    n: stays; events: those that ended; median: the first time at which half are over (infinite where that was never reached), with
    the times between which it lies.
    """

    n: int
    events: int
    times: Floats
    share: Floats
    low: Floats
    high: Floats
    at_risk: Floats
    ended: Floats
    median: float
    median_interval: Interval

    def at(self, time: float) -> float:
        """The share still going at a time."""
        place = int(np.searchsorted(self.times, time, side="right"))
        return 1.0 if place == 0 else float(self.share[place - 1])


def kaplan_meier(durations: ArrayLike, ended: ArrayLike, *, alpha: float = 0.05) -> Survival:
    """The curve of stays given by their duration and whether they ended (else they were still going when last seen).

    Kaplan and Meier 1958; Greenwood's variance, interval on the log(-log) scale (Kalbfleisch and Prentice 1980); the median's
    interval by Brookmeyer and Crowley 1982. A stay still going at the moment at which another ends counts as at risk then.
    Raises ValueError for lengths that differ, no stay at all, or a negative or missing duration.
    """
    length, over = np.asarray(durations, dtype=float), np.asarray(ended, dtype=bool)
    if length.shape != over.shape or length.ndim != 1:
        raise ValueError("As many durations as ends are needed, one of each a stay.")
    if length.size == 0:
        raise ValueError("There is no stay to draw a curve of.")
    if not np.all(np.isfinite(length)) or length.min() < 0:
        raise ValueError("A duration is missing or negative.")
    if not 0 < alpha < 1:
        raise ValueError(f"An alpha of {alpha:g}: it lies between 0 and 1.")
    times, counts = np.unique(length[over], return_counts=True)
    ordered = np.sort(length)
    risk = (length.size - np.searchsorted(ordered, times, side="left")).astype(float)
    deaths = counts.astype(float)
    share = np.cumprod(1 - deaths / risk)
    low, high = _bounds(share, deaths, risk, alpha)
    return Survival(
        n=int(length.size),
        events=int(over.sum()),
        times=times,
        share=share,
        low=low,
        high=high,
        at_risk=risk,
        ended=deaths,
        median=_first_at_most(times, share, 0.5),
        median_interval=Interval(_first_at_most(times, low, 0.5), _first_at_most(times, high, 0.5)),
    )


def _bounds(share: Floats, deaths: Floats, risk: Floats, alpha: float) -> tuple[Floats, Floats]:
    """Greenwood on the log(-log) scale: never outside 0 to 1; no width once all are over."""
    low, high = share.copy(), share.copy()
    inside = (share > 0) & (share < 1)
    left = risk - deaths
    greenwood = np.cumsum(np.where(left > 0, deaths / (risk * np.where(left > 0, left, 1.0)), 0.0))
    logs = np.log(share[inside])
    width = float(ndtri(1 - alpha / 2)) * np.sqrt(greenwood[inside]) / np.abs(logs)
    low[inside] = share[inside] ** np.exp(width)
    high[inside] = share[inside] ** np.exp(-width)
    return low, high


def _first_at_most(times: Floats, curve: Floats, level: float) -> float:
    """The first time at which a curve is at or below a level; infinite where it never is."""
    # A share that should be one half exactly may be off by rounding.
    places = np.flatnonzero(curve <= level + 1e-12)
    return float(times[places[0]]) if places.size else math.inf
