"""What people did before the trial explains part of what they do after: a sharper comparison of means, for nothing.

Only figures known before the draw of the arms may serve; one touched by the treatment would bias the effect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import stats

from fabrique.stats.interval import Interval
from fabrique.stats.means import MeanComparison, Moments, compare_means

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

LEVERAGE = 1 - 1e-9
"""A value that alone decides a fitted figure has no residual, and HC2 cannot be computed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Another adjusted difference. theta: how much the outcome moves with the covariate, in outcome units per covariate unit."""

    theta: float
    difference: float
    standard_error: float
    interval: Interval
    p_value: float


@dataclass(frozen=True, slots=True)
class AdjustedComparison:
    """Difference of means, treatment minus control, adjusted for figures from before; in the outcome's unit.

    method: "lin", or "welch" where the covariates say nothing or the arms are too small for them. raw: without adjustment.
    variance_left: share of the raw difference's variance that remains (0.6: as if a trial of 1 / 0.6 times the people).
    cuped, ancova: other tools' readings for one covariate, to compare with; theta_within: CUPED's theta from inside the arms alone.
    """

    difference: float
    interval: Interval
    standard_error: float
    df: float
    t: float
    p_value: float
    method: Literal["lin", "welch"]
    variance_left: float
    raw: MeanComparison
    cuped: Reading | None
    ancova: Reading | None
    theta_within: float | None


def adjust(
    treat_post: ArrayLike, treat_pre: ArrayLike, ctrl_post: ArrayLike, ctrl_pre: ArrayLike, *, alpha: float = 0.05
) -> AdjustedComparison:
    """Lin's estimator: least squares with each covariate centred and its slope free in each arm; HC2 standard error.

    post: one outcome a person; pre: one figure a person, or a table people × covariates. t with n - 2 - 2q degrees of freedom.
    Never biased by a wrong model in large samples, never less precise (Lin 2013, against Freedman 2008). CUPED as GrowthBook
    computes it (theta from both arms together; Deng et al. 2013) and ordinary ANCOVA beside it.
    Raises ValueError for lengths that differ, values that are missing, or an empty arm.
    """
    y1, x1 = _arm(treat_post, treat_pre)
    y0, x0 = _arm(ctrl_post, ctrl_pre)
    if x1.shape[1] != x0.shape[1]:
        raise ValueError(f"{x1.shape[1]} covariates in one arm and {x0.shape[1]} in the other: both need the same.")
    raw = compare_means(Moments.of(y1), Moments.of(y0), alpha=alpha)
    x = _useful(np.vstack([x1, x0]))
    y, arm = np.r_[y1, y0], np.repeat([1.0, 0.0], [len(y1), len(y0)])
    one = x.shape[1] == 1
    lin = _lin(y, arm, x, alpha) if x.shape[1] else None
    chosen = lin or (raw.difference, raw.standard_error, raw.interval, raw.df, raw.t, raw.p_value)
    left = (chosen[1] / raw.standard_error) ** 2 if 0 < raw.standard_error < math.inf else 1.0
    return AdjustedComparison(
        difference=chosen[0],
        standard_error=chosen[1],
        interval=chosen[2],
        df=chosen[3],
        t=chosen[4],
        p_value=chosen[5],
        method="lin" if lin else "welch",
        variance_left=left,
        raw=raw,
        cuped=_cuped(y, arm, x[:, 0], alpha) if one else None,
        ancova=_ancova(y, arm, x[:, 0], alpha) if one else None,
        theta_within=_theta_within(y, arm, x[:, 0]) if one else None,
    )


def _lin(y: Floats, arm: Floats, covariates: Floats, alpha: float) -> tuple[float, float, Interval, float, float, float] | None:
    centred = covariates - covariates.mean(axis=0)
    design = np.c_[np.ones_like(y), arm, centred, arm[:, None] * centred]
    df = len(y) - design.shape[1]
    if df < 1 or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    orthogonal, triangle = np.linalg.qr(design)
    leverage = (orthogonal**2).sum(axis=1)
    if leverage.max() > LEVERAGE:
        return None
    residuals = y - orthogonal @ (orthogonal.T @ y)
    weights = np.linalg.solve(triangle, orthogonal.T)[1]
    error = math.sqrt(float((weights**2 * residuals**2 / (1 - leverage)).sum()))
    difference = float(weights @ y)
    if error <= 1e-12 * float(np.abs(y).max()):
        return None
    t = difference / error
    half = float(stats.t.isf(alpha / 2, df)) * error
    return difference, error, Interval(difference - half, difference + half), float(df), t, float(2 * stats.t.sf(abs(t), df))


def _cuped(y: Floats, arm: Floats, x: Floats, alpha: float) -> Reading:
    theta = _slope(y, x)
    left = y - theta * (x - x.mean())
    found = compare_means(Moments.of(left[arm == 1]), Moments.of(left[arm == 0]), alpha=alpha)
    return Reading(theta, found.difference, found.standard_error, found.interval, found.p_value)


def _ancova(y: Floats, arm: Floats, x: Floats, alpha: float) -> Reading | None:
    design = np.c_[np.ones_like(y), arm, x - x.mean()]
    df = len(y) - 3
    if df < 1 or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    information = np.linalg.inv(design.T @ design)
    coefficients = information @ (design.T @ y)
    spread = float(((y - design @ coefficients) ** 2).sum()) / df
    error = math.sqrt(spread * information[1, 1])
    difference, theta = float(coefficients[1]), float(coefficients[2])
    half = float(stats.t.isf(alpha / 2, df)) * error
    p_value = float(2 * stats.t.sf(abs(difference) / error, df)) if error > 0 else float(difference == 0)
    return Reading(theta, difference, error, Interval(difference - half, difference + half), p_value)


def _theta_within(y: Floats, arm: Floats, x: Floats) -> float | None:
    """Slope from inside the arms, each counting the same whatever its size (the weights of the original CUPED paper's practice)."""
    together = around = 0.0
    for side in (0.0, 1.0):
        mine = arm == side
        size = int(mine.sum())
        if size > 1:
            a, b = y[mine] - y[mine].mean(), x[mine] - x[mine].mean()
            together, around = together + float(a @ b) / (size - 1), around + float(b @ b) / (size - 1)
    return together / around if around > 0 else None


def _slope(y: Floats, x: Floats) -> float:
    centred = x - x.mean()
    return float(centred @ (y - y.mean()) / (centred @ centred))


def _useful(covariates: Floats) -> Floats:
    """Without the columns that never change."""
    return covariates[:, (covariates != covariates[0]).any(axis=0)]


def _arm(post: ArrayLike, pre: ArrayLike) -> tuple[Floats, Floats]:
    y, x = np.asarray(post, dtype=np.float64).ravel(), np.asarray(pre, dtype=np.float64)
    if x.ndim == 1:
        x = x[:, None]
    if len(x) != len(y):
        raise ValueError(f"{len(y)} outcomes for {len(x)} figures from before: each person has one of each.")
    if len(y) == 0:
        raise ValueError("An arm has nobody in it: there is nothing to compare.")
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise ValueError("A figure is missing or infinite: leave that person out, or give a value for what is missing.")
    return y, x
