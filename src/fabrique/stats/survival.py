"""How long does a stay last when many are not over yet? Kaplan–Meier curves, for time in stage; the log-rank test between them.

A median of finished stays alone is too short: the long ones are still running.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincc, ndtri

from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

RANK = 1e-9
"""A variance below this (of the largest, and of one stay) is rounding."""


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
    length, over = _stays(durations, ended)
    if not 0 < alpha < 1:
        raise ValueError(f"An alpha of {alpha:g}: it lies between 0 and 1.")
    times, counts = np.unique(length[over], return_counts=True)
    risk = _at_risk(length, times)
    deaths = counts.astype(float)
    share: Floats = np.asarray(np.cumprod(1 - deaths / risk), dtype=np.float64)
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


@dataclass(frozen=True, slots=True)
class LogRank:
    """Whether the curves of some groups differ. groups: as they were named, in order; observed: how many stays ended in each;
    expected: how many would have, had all groups one curve. degrees: one fewer than the groups that can be compared.
    """

    groups: tuple[int | str, ...]
    observed: Floats
    expected: Floats
    statistic: float
    degrees: int
    p_value: float


def log_rank(durations: ArrayLike, ended: ArrayLike, group: Sequence[int | str]) -> LogRank:
    """The test that two or more groups of stays have the same curve, every moment weighing the same.

    Mantel 1966; Peto and Peto 1972; for more than two groups Kalbfleisch and Prentice 1980, §1.4. Chi-squared with ties counted
    hypergeometrically. A group that was gone before anything ended tells nothing and takes no degree of freedom; where nothing
    can be compared, the p-value is 1. The test assumes stays that know nothing of one another, and sees best a difference that
    keeps its direction: curves that cross may hide one from it.
    Raises ValueError for what is no list of stays, or fewer than two groups.
    """
    length, over = _stays(durations, ended)
    names, member = np.unique(np.asarray(group), return_inverse=True)
    if member.size != length.size:
        raise ValueError("As many groups as durations are needed, one of each a stay.")
    if names.size < 2:  # noqa: PLR2004 - one group has nothing to be compared with
        raise ValueError("A comparison needs two groups.")
    times = np.unique(length[over])
    # One row a moment, one column a group: at risk just before, and ended then.
    risk = np.column_stack([_at_risk(length[member == place], times) for place in range(names.size)])
    ends = np.zeros((times.size, names.size))
    np.add.at(ends, (np.searchsorted(times, length[over]), member[over]), 1.0)
    at_risk, deaths = risk.sum(axis=1), ends.sum(axis=1)
    share = risk / at_risk[:, None]
    expected = deaths @ share
    # With a single stay left there is no variance: whoever is left ends.
    spread = deaths * (at_risk - deaths) / np.maximum(at_risk - 1, 1)
    covariance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    observed = ends.sum(axis=0)
    statistic, degrees = _chi_squared(observed - expected, covariance)
    return LogRank(
        groups=tuple(names.tolist()),
        observed=observed,
        expected=expected,
        statistic=statistic,
        degrees=degrees,
        p_value=float(gammaincc(degrees / 2, statistic / 2)) if degrees else 1.0,
    )


def _chi_squared(gap: Floats, covariance: Floats) -> tuple[float, int]:
    """The gaps weighed by their covariance, over the directions in which they can vary at all, and how many those are."""
    # The gaps of all groups add up to nothing, so that one direction at least is empty, up to rounding.
    sizes, directions = np.linalg.eigh(covariance)
    kept = sizes > RANK * max(1.0, float(sizes.max(initial=0.0)))
    along = directions[:, kept].T @ gap
    return float(np.sum(along**2 / sizes[kept])), int(kept.sum())


def _stays(durations: ArrayLike, ended: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Both as arrays; ValueError where they are no list of stays."""
    length, over = np.asarray(durations, dtype=float), np.asarray(ended, dtype=bool)
    if length.shape != over.shape or length.ndim != 1:
        raise ValueError("As many durations as ends are needed, one of each a stay.")
    if length.size == 0:
        raise ValueError("There is no stay to draw a curve of.")
    if not np.all(np.isfinite(length)) or length.min() < 0:
        raise ValueError("A duration is missing or negative.")
    return length, over


def _at_risk(length: Floats, times: Floats) -> Floats:
    """How many last until each of those times at least."""
    return (length.size - np.searchsorted(np.sort(length), times, side="left")).astype(float)


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
