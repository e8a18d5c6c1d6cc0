"""What do several experiments say together? One mean effect, how much experiments differ, and what the next one may find."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, stats

from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

LEAST_PREDICTED = 3
"""Experiments below which nothing can be said of the next one."""


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """Mean effect, its classical standard error, and the variance between experiments (the effect's unit, squared)."""

    mu: float
    se: float
    tau2: float


@dataclass(frozen=True, slots=True)
class Pooled:
    """Random-effects summary of k effects, in their unit (logarithms for ratios).

    mu, se, tau2: by restricted maximum likelihood. interval: Hartung and Knapp's, never narrower than the classical one;
    hartung_knapp: as published, which may be. p_value: of no mean effect, as `interval`. prediction_interval: where the effect of
    a next experiment is expected, None below three. q, i2: Cochran's heterogeneity and the share of the differences it explains;
    p_heterogeneity: chance of such a q if all experiments had one effect. dl: DerSimonian and Laird's reading.
    weights: of each experiment in mu, in the order given.
    """

    k: int
    mu: float
    se: float
    tau2: float
    i2: float
    q: float
    p_heterogeneity: float
    interval: Interval
    hartung_knapp: Interval
    p_value: float
    prediction_interval: Interval | None
    dl: RandomEffects
    weights: tuple[float, ...]


def pool(effects: ArrayLike, variances: ArrayLike, *, alpha: float = 0.05) -> Pooled:
    """Pool the effects of experiments, each with its sampling variance (standard error squared).

    Restricted maximum likelihood (Viechtbauer 2005) with Hartung and Knapp's interval, t with k - 1 degrees of freedom, kept at
    least as wide as the classical one (Röver, Knapp and Friede 2015); prediction interval with k - 2 (Higgins et al. 2009).
    A single experiment is returned as it is, with its normal interval; two give a Hartung–Knapp interval as wide as it must be.
    Raises ValueError for lengths that differ, no effect, or a variance that is not positive.
    """
    y, v = _checked(effects, variances, alpha)
    k = len(y)
    q, dl = _dersimonian_laird(y, v)
    tau2 = _restricted_likelihood(y, v)
    mu, se, weights = _mean(y, v, tau2)
    limit = float(stats.norm.isf(alpha / 2))
    if k == 1:
        interval = Interval(mu - limit * se, mu + limit * se)
        p_value = float(2 * stats.norm.sf(abs(mu) / se))
        return Pooled(k, mu, se, 0.0, 0.0, 0.0, 1.0, interval, interval, p_value, None, dl, (1.0,))
    spread = math.sqrt(float(weights @ (y - mu) ** 2) / (k - 1))
    kept = max(spread, se)
    plain, half = (float(stats.t.isf(alpha / 2, k - 1)) * error for error in (spread, kept))
    return Pooled(
        k=k,
        mu=mu,
        se=se,
        tau2=tau2,
        i2=max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0,
        q=q,
        p_heterogeneity=float(stats.chi2.sf(q, k - 1)),
        interval=Interval(mu - half, mu + half),
        hartung_knapp=Interval(mu - plain, mu + plain),
        p_value=float(2 * stats.t.sf(abs(mu) / kept, k - 1)),
        prediction_interval=_prediction(mu, kept, tau2, k, alpha),
        dl=dl,
        weights=tuple(weights.tolist()),
    )


def _prediction(mu: float, error: float, tau2: float, k: int, alpha: float) -> Interval | None:
    if k < LEAST_PREDICTED:
        return None
    half = float(stats.t.isf(alpha / 2, k - 2)) * math.sqrt(tau2 + error**2)
    return Interval(mu - half, mu + half)


def _mean(y: Floats, v: Floats, tau2: float) -> tuple[float, float, Floats]:
    weights = 1 / (v + tau2)
    total = float(weights.sum())
    return float(weights @ y) / total, total**-0.5, weights / total


def _dersimonian_laird(y: Floats, v: Floats) -> tuple[float, RandomEffects]:
    weights = 1 / v
    total = weights.sum()
    q = float(weights @ (y - weights @ y / total) ** 2)
    scale = float(total - (weights**2).sum() / total)
    tau2 = max(0.0, (q - (len(y) - 1)) / scale) if len(y) > 1 else 0.0
    mu, se, _ = _mean(y, v, tau2)
    return q, RandomEffects(mu, se, tau2)


def _restricted_likelihood(y: Floats, v: Floats) -> float:
    """Variance between experiments, zero included: the best of a grid even in roots, refined around it."""
    if len(y) < 2 or np.ptp(y) == 0:  # noqa: PLR2004 - one effect does not vary
        return 0.0

    def minus_twice(root: float) -> float:
        weights = 1 / (v + root * root)
        total = weights.sum()
        mean = weights @ y / total
        return float(-np.log(weights).sum() + np.log(total) + weights @ (y - mean) ** 2)

    # Effects cannot vary between experiments by more than they are apart.
    grid = np.linspace(0.0, float(np.ptp(y)), 101)
    best = int(np.argmin([minus_twice(root) for root in grid.tolist()]))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, 100)])
    found = optimize.minimize_scalar(minus_twice, bounds=around, method="bounded", options={"xatol": 1e-12 * grid[-1]})
    root = float(found.x)
    return root * root if minus_twice(root) < minus_twice(0.0) else 0.0


def _checked(effects: ArrayLike, variances: ArrayLike, alpha: float) -> tuple[Floats, Floats]:
    y, v = np.asarray(effects, dtype=np.float64).ravel(), np.asarray(variances, dtype=np.float64).ravel()
    if len(y) != len(v):
        raise ValueError(f"{len(y)} effects for {len(v)} variances: each experiment has one of each.")
    if len(y) == 0:
        raise ValueError("There is no experiment to pool.")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise ValueError("Each effect must be a number, and its variance positive and finite.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}: it must lie between 0 and 1.")
    return y, v
