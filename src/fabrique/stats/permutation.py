"""Had the arms been drawn otherwise: how often would chance alone give such a difference, and which effects does it leave possible?

For small samples and few clusters, and for designs in time (placebo units, shuffled adoption orders): no distribution is assumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np

from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

MOST_EXACT = 20_000
"""Up to this many assignments all are tried; beyond, some are drawn."""
DRAWS = 10_000
DUST = 1e-13
"""Of the largest value: a distance from the mean below it is rounding."""
CELLS = 1_000_000
"""Numbers held at once while assignments are tried: 8 MB a column."""


@dataclass(frozen=True, slots=True)
class Permutation:
    """difference: treatment minus control; interval: the constant effects that the test does not reject (infinite where there are too
    few assignments for this alpha); exact: whether all `assignments` were tried."""

    difference: float
    p_value: float
    interval: Interval
    exact: bool
    assignments: int


def permutation_test(
    values: ArrayLike, arm: ArrayLike, *, alpha: float = 0.05, seed: int = 0, strata: ArrayLike | None = None
) -> Permutation:
    """Two-sided permutation test of the difference of means, with the interval it implies.

    values, arm: one value and 0 (control) or 1 (treatment) a unit (or a cluster); strata: label of the group inside which the arm was
    drawn, if it was. All assignments are tried up to 20,000; beyond, 10,000 are drawn and p = (b + 1) / (m + 1) (Phipson & Smyth 2010).
    Raises ValueError for lengths that differ, values that are not finite, or an arm with nobody in it.
    """
    y, treated = two_arms(values, arm)
    labels = np.zeros(len(y), dtype=np.intp) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    # With the arms' sizes fixed, the difference of means is the centred sum over the treated, scaled.
    centred = y - y.mean()
    # Equal values leave a dust of rounding that must not pass for a difference.
    centred = np.where(np.abs(centred) <= DUST * np.abs(y).max(), 0.0, centred)
    columns = np.column_stack([centred, treated - treated.mean()])
    scale = 1 / treated.sum() + 1 / (~treated).sum()
    totals, exact = _sums(columns * scale, treated, labels, np.random.default_rng(seed))
    observed = float(columns[treated, 0].sum() * scale)
    p_value, interval = invert(observed, totals[:, 0], totals[:, 1], alpha=alpha, exact=exact)
    return Permutation(float(y[treated].mean() - y[~treated].mean()), p_value, interval, exact, len(totals))


def invert(observed: float, statistics: Floats, overlaps: Floats, *, alpha: float, exact: bool) -> tuple[float, Interval]:
    """p-value and interval of a statistic that is linear in the outcome, from its values under other assignments.

    statistics: of the outcome as observed, one an assignment; overlaps: the same statistic of the actual treatment (1 for the actual
    assignment). Taking a constant effect d off the treated turns them into statistics - d * overlaps, and the observed one into
    observed - d: the interval holds every d that such a test does not reject. exact: whether the actual assignment is among them;
    otherwise it is added. Rosenbaum 2002, section 2.6.
    """
    if not 0 < alpha < 1:
        msg = f"an alpha of {alpha:g}: it lies between 0 and 1."
        raise ValueError(msg)
    if not exact:
        statistics, overlaps = np.r_[statistics, observed], np.r_[overlaps, 1.0]
    # Sums of the same numbers in another order may differ in their last digits: that is a tie, not a smaller difference.
    slack = 1e-9 * max(abs(observed), float(np.abs(statistics).max()))
    p_value = float(np.mean(np.abs(statistics) >= abs(observed) - slack))
    rest_high, rest_low = 1 - overlaps, 1 + overlaps
    first = _ratio(observed - statistics, rest_high)
    second = _ratio(observed + statistics, rest_low)
    lows, highs = np.minimum(first, second), np.maximum(first, second)
    # An assignment equal (or opposite) to the actual one is as extreme as it whatever the effect.
    # (Beyond opposite, it is so for all but a stretch of effects; counting it for all errs on the side of a wider interval.)
    always = (rest_high < 1e-9) | (rest_low < 1e-9)  # noqa: PLR2004 - overlaps are shares of counts
    lows, highs = np.where(always, -np.inf, lows), np.where(always, np.inf, highs)
    # Shares that equal alpha exactly reject.
    rank = min(math.floor(alpha * len(highs) + 1e-9), len(highs) - 1)
    low = min(float(np.partition(lows, rank)[rank]), observed)
    high = max(float(-np.partition(-highs, rank)[rank]), observed)
    return p_value, Interval(low, high)


def reassignments(treated: ArrayLike, *, seed: int = 0) -> tuple[Iterator[NDArray[np.intp]], bool]:
    """Who else might have been treated: rows of positions, as many each as are treated, a few rows at a time; and whether these are
    all the ways there are (up to 20,000) or 10,000 drawn ones."""
    given = np.asarray(treated, dtype=bool)
    number, size = len(given), int(given.sum())
    if math.comb(number, size) <= MOST_EXACT:
        return _every(number, size), True
    return _drawn(number, size, np.random.default_rng(seed)), False


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=np.abs(denominator) > 1e-12)  # noqa: PLR2004


def two_arms(values: ArrayLike, arm: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Values and who of them was treated. Raises ValueError for lengths that differ, missing values, or one arm only."""
    y, given = np.asarray(values, dtype=np.float64).ravel(), np.asarray(arm).ravel()
    if len(y) != len(given):
        msg = f"{len(y)} values for {len(given)} arms: each value has one."
        raise ValueError(msg)
    if not np.isfinite(y).all():
        msg = "a value is missing or infinite: leave its unit out first."
        raise ValueError(msg)
    if not np.isin(given, (0, 1)).all():
        msg = "an arm is neither 0 (control) nor 1 (treatment)."
        raise ValueError(msg)
    treated = given.astype(bool)
    if treated.all() or not treated.any():
        msg = f"all {len(y)} units are in one arm: there is nothing to compare."
        raise ValueError(msg)
    return y, treated


def _sums(columns: Floats, treated: NDArray[np.bool_], labels: NDArray[np.intp], rng: np.random.Generator) -> tuple[Floats, bool]:
    """Totals of each column over the treated, one row an assignment that keeps how many are treated in each stratum."""
    groups = [group for label in range(labels.max() + 1) if treated[group := np.flatnonzero(labels == label)].any()]
    sizes = [int(treated[group].sum()) for group in groups]
    exact = math.prod(math.comb(len(group), size) for group, size in zip(groups, sizes, strict=True)) <= MOST_EXACT
    totals = np.zeros((1 if exact else DRAWS, columns.shape[1]))
    for group, size in zip(groups, sizes, strict=True):
        if exact:
            part = np.concatenate([columns[group[picks]].sum(axis=1) for picks in _every(len(group), size)])
            totals = (totals[:, None, :] + part[None, :, :]).reshape(-1, columns.shape[1])
        else:
            totals += np.concatenate([columns[group[picks]].sum(axis=1) for picks in _drawn(len(group), size, rng)])
    return totals, exact


def _every(number: int, size: int) -> Iterator[NDArray[np.intp]]:
    """All ways to pick `size` of `number`, a few rows at a time."""
    ways = combinations(range(number), size)
    while chunk := list(islice(ways, max(1, CELLS // size))):
        yield np.array(chunk, dtype=np.intp)


def _drawn(number: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Random picks of `size` of `number`, a few rows at a time."""
    rows = max(1, CELLS // number)
    for start in range(0, DRAWS, rows):
        keys = rng.random((min(rows, DRAWS - start), number))
        yield keys.argpartition(size - 1, axis=1)[:, :size]
