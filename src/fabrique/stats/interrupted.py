"""Did a change made on a known date move a series, beyond its trend, its season and its own inertia?

For before/after series with no control. A month resembles the one before it: taking months for independent finds changes that are not
there (Welch 20 to 97 % of the time, Newey-West 18 to 32 %, with AR(1) 0.4). Here the errors are AR(1), fitted by restricted maximum
likelihood, and the odds of chance come from series simulated without the change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrique.stats.autoregression import Autoregression
from fabrique.stats.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from fabrique.stats.autoregression import Fit

    Floats = NDArray[np.float64]

LEAST_BEFORE = 8
LEAST_AFTER = 4


@dataclass(frozen=True, slots=True)
class InterruptedSeries:
    """What changed at the date, and how sure that is. Changes are in the series' unit (a slope: per period).

    level_change: the jump at the first period after the change; slope_change: what the trend gained then; trend: slope before it.
    p_value: of the level change alone, so that it agrees with `level_interval` and has a direction; slope_p: of the slope change;
    joint_p: of either (an F of both). All three from the same simulated series; None with description_only, as the intervals are: fewer
    than 8 periods before or 4 after carry no verdict (the changes themselves are None where too few periods define them).
    phi: autocorrelation of the errors; fitted, counterfactual (the same without both changes): one value a period, missing ones included;
    durbin_watson: of ordinary least squares; placebo_p: share of dates before the change (and it) whose level change is as large beside
    its error; None where no date has room; season_used: False where a season was given that the data cannot tell from the rest.
    """

    level_change: float | None
    level_se: float | None
    level_interval: Interval | None
    slope_change: float | None
    slope_se: float | None
    slope_interval: Interval | None
    trend: float | None
    p_value: float | None
    slope_p: float | None
    joint_p: float | None
    phi: float | None
    fitted: Floats
    counterfactual: Floats
    durbin_watson: float | None
    placebo_p: float | None
    placebo_dates: int
    n_before: int
    n_after: int
    season_used: bool
    description_only: bool


@dataclass(frozen=True, slots=True)
class SegmentedRegression:
    """Ordinary least squares, for reading beside; `hac_se` is Newey and West's, too small in short series."""

    level_change: float
    slope_change: float
    trend: float
    level_se: float
    level_hac_se: float
    durbin_watson: float | None


def interrupted_series(
    y: ArrayLike,
    change_index: int,
    *,
    season: Sequence[int] | None = None,
    covariates: ArrayLike | None = None,
    alpha: float = 0.05,
    seed: int = 0,
    draws: int = 1999,
    placebo: bool = True,
) -> InterruptedSeries:
    """Level and slope change of a series at a known date, by generalised least squares with AR(1) errors (REML, as R's nlme::gls).

    y: one value a period, evenly spaced, nan where missing (the errors then correlate by phi to the power of the gap); change_index:
    first period of the new regime, from 0; season: position of each period in its cycle (month 1 to 12, …), a level each, left out
    where a position is seen but once or the rest already tells it; covariates: periods × columns. The p-values are parametric-bootstrap:
    t statistics do not depend on the levels, trend and season, so errors alone are simulated (`draws` times, with the autocorrelation
    fitted without the change) and fitted again; intervals take their quantile from the same draws.
    Measured with no change (3,000 series, AR(1) 0, 0.4 and 0.7; 12 + 12 periods, 24 + 12, 26 + 26, 52 + 26): the level is called changed
    in 4.1 to 5.9 %, the slope in 4.1 to 5.6 %, either in 4.2 to 5.5 %. Simulating with the autocorrelation fitted beside the change would
    give up to 8.7 %.
    Raises ValueError for a change outside the series, lengths that differ, or covariates that are missing or repeat one another.
    """
    series = _Series.read(y, change_index, season, covariates)
    if not 0 < alpha < 1:
        msg = f"an alpha of {alpha:g}: it lies between 0 and 1."
        raise ValueError(msg)
    if draws < 1 / alpha - 1:
        msg = f"{draws} draws: too few for an alpha of {alpha:g}."
        raise ValueError(msg)
    if series.rank_deficient():
        return _undescribed(series)
    description_only = min(series.n_before - LEAST_BEFORE, series.n_after - LEAST_AFTER) < 0 or series.freedom < 1
    model = Autoregression(series.times, series.design, [LEVEL, SLOPE])
    fit = model.fit(series.values[:, None], exactly=True)
    verdict = None if description_only else _verdict(series, model, fit, alpha, seed, draws)
    dates = _placebos(series, float(_statistics(fit)[0][0, 0])) if placebo and not description_only else []
    errors = np.sqrt(np.diagonal(fit.covariance[0]))
    coefficients = fit.coefficients[:, 0]
    unchanged = coefficients.copy()
    unchanged[[LEVEL, SLOPE]] = 0.0
    return InterruptedSeries(
        level_change=float(coefficients[LEVEL]),
        level_se=float(errors[0]),
        level_interval=verdict.level if verdict else None,
        slope_change=float(coefficients[SLOPE]),
        slope_se=float(errors[1]),
        slope_interval=verdict.slope if verdict else None,
        trend=float(coefficients[TREND]),
        p_value=verdict.level_p if verdict else None,
        slope_p=verdict.slope_p if verdict else None,
        joint_p=verdict.joint_p if verdict else None,
        phi=float(fit.phi[0]),
        fitted=series.start + series.whole_design @ coefficients,
        counterfactual=series.start + series.whole_design @ unchanged,
        durbin_watson=_durbin_watson(series),
        placebo_p=(1 + sum(dates)) / (1 + len(dates)) if dates else None,
        placebo_dates=len(dates),
        n_before=series.n_before,
        n_after=series.n_after,
        season_used=series.season_used,
        description_only=description_only,
    )


def segmented_regression(
    y: ArrayLike,
    change_index: int,
    *,
    season: Sequence[int] | None = None,
    covariates: ArrayLike | None = None,
    lag: int | None = None,
) -> SegmentedRegression:
    """The same terms by ordinary least squares, with classical and Newey-West errors (Bartlett weights to `lag`, times n/(n - k)).

    lag: floor(4·(n/100)^(2/9)) unless given (Newey and West 1994): a longer one errs far more often in a short series.

    As R's lm with sandwich::NeweyWest(lag, prewhite = FALSE, adjust = TRUE). Missing periods are left out.
    Raises ValueError as `interrupted_series`, and where the periods are too few for the terms.
    """
    series = _Series.read(y, change_index, season, covariates)
    if series.freedom < 1 or series.rank_deficient():
        msg = f"{len(series.values)} periods for {series.design.shape[1]} terms: too few to fit them."
        raise ValueError(msg)
    x, values = series.design, series.values
    basis, triangle = np.linalg.qr(x)
    coefficients = np.linalg.solve(triangle, basis.T @ values)
    residual = values - x @ coefficients
    row = np.linalg.solve(triangle.T, np.eye(x.shape[1])[LEVEL])
    influence = (basis @ row) * residual
    variance = float(influence @ influence)
    lag = math.floor(4 * (len(values) / 100) ** (2 / 9)) if lag is None else lag
    for k in range(1, min(lag, len(values) - 1) + 1):
        variance += 2 * (1 - k / (lag + 1)) * float(influence[k:] @ influence[:-k])
    return SegmentedRegression(
        level_change=float(coefficients[LEVEL]),
        slope_change=float(coefficients[SLOPE]),
        trend=float(coefficients[TREND]),
        level_se=math.sqrt(float(residual @ residual) / series.freedom * float(row @ row)),
        level_hac_se=math.sqrt(max(variance, 0.0) * len(values) / series.freedom),
        durbin_watson=_durbin_watson(series),
    )


TREND, LEVEL, SLOPE = 1, 2, 3
"""Columns of the design, after the constant; the season and the covariates follow."""


@dataclass(frozen=True, slots=True)
class _Series:
    """The periods that hold a value, with their terms; and the terms of every period.

    values: counted from the first one (`start`), so that a constant series is exactly nothing.
    """

    values: Floats
    times: NDArray[np.intp]
    design: Floats
    whole_design: Floats
    change: int
    season_used: bool
    start: float

    @classmethod
    def read(cls, y: ArrayLike, change_index: int, season: Sequence[int] | None, covariates: ArrayLike | None) -> _Series:
        values = np.array(y, dtype=np.float64).ravel()
        if np.isinf(values).any():
            msg = "a value is infinite."
            raise ValueError(msg)
        if not 0 < change_index < len(values):
            msg = f"a change at period {change_index} of {len(values)}: it needs periods on both sides."
            raise ValueError(msg)
        clock = np.arange(len(values), dtype=np.float64)
        after = (clock >= change_index).astype(np.float64)
        terms = [np.ones_like(clock), clock, after, after * (clock - change_index), *_extra(covariates, len(values))]
        seen = np.flatnonzero(np.isfinite(values))
        seasonal = _seasonal(season, seen, len(values))
        whole = np.column_stack(terms + seasonal)
        used = bool(seasonal) and len(seen) > whole.shape[1] and bool(np.linalg.matrix_rank(whole[seen]) == whole.shape[1])
        if not used:
            whole = np.column_stack(terms)
        start = float(values[seen[0]]) if len(seen) else 0.0
        return cls(values[seen] - start, seen, whole[seen], whole, change_index, used, start)

    @property
    def n_before(self) -> int:
        return int((self.times < self.change).sum())

    @property
    def n_after(self) -> int:
        return int((self.times >= self.change).sum())

    @property
    def freedom(self) -> int:
        return len(self.values) - int(self.design.shape[1])

    def rank_deficient(self) -> bool:
        """Whether too few periods define the terms. Raises ValueError where covariates are to blame."""
        width = self.design.shape[1]
        if min(self.n_before, self.n_after) < 2 or self.freedom < 0:  # noqa: PLR2004 - two points a line
            return True
        if np.linalg.matrix_rank(self.design / np.abs(self.design).max(axis=0)) < width:
            msg = "the covariates repeat one another, the trend or the change: leave some out."
            raise ValueError(msg)
        return False

    def before(self, date: int) -> _Series:
        """The periods before the change, as if it had happened at `date`."""
        keep = self.times < self.change
        times = self.times[keep]
        design = self.design[keep].copy()
        design[:, LEVEL] = times >= date
        design[:, SLOPE] = np.maximum(times - date, 0)
        return _Series(self.values[keep], times, design, design, date, self.season_used, self.start)


def _extra(covariates: ArrayLike | None, size: int) -> list[Floats]:
    if covariates is None:
        return []
    table = np.asarray(covariates, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if len(table) != size:
        msg = f"{len(table)} rows of covariates for {size} periods: each period has one."
        raise ValueError(msg)
    if not np.isfinite(table).all():
        msg = "a covariate is missing or infinite: every period needs its own."
        raise ValueError(msg)
    centred = table - table.mean(axis=0)
    if (np.abs(centred).max(axis=0) <= 1e-12 * np.abs(table).max(axis=0)).any():
        msg = "a covariate never changes: leave it out."
        raise ValueError(msg)
    return list((centred / np.abs(centred).max(axis=0)).T)


def _seasonal(season: Sequence[int] | None, seen: NDArray[np.intp], size: int) -> list[Floats]:
    """A column a position of the cycle but one, summing to nothing over the positions; none where one is seen but once."""
    if season is None:
        return []
    if len(season) != size:
        msg = f"{len(season)} calendar positions for {size} periods: each period has one."
        raise ValueError(msg)
    positions, counts = np.unique(np.asarray(season)[seen], return_counts=True)
    if len(positions) < 2 or counts.min() < 2:  # noqa: PLR2004 - one value cannot tell a season from chance
        return []
    whole = np.asarray(season)
    last = (whole == positions[-1]).astype(np.float64)
    return [(whole == position).astype(np.float64) - last for position in positions[:-1]]


@dataclass(frozen=True, slots=True)
class _Verdict:
    level: Interval
    slope: Interval
    level_p: float
    slope_p: float
    joint_p: float


def _verdict(series: _Series, model: Autoregression, fit: Fit, alpha: float, seed: int, draws: int) -> _Verdict:
    """p-values and intervals from series simulated with the autocorrelation that is fitted without the change."""
    quiet = Autoregression(series.times, np.delete(series.design, [LEVEL, SLOPE], axis=1), [])
    phi = float(quiet.fit(series.values[:, None], exactly=True).phi[0])
    simulated = model.fit(model.simulate(phi, draws, np.random.default_rng(seed)))
    ratios, joint = _statistics(simulated)
    seen, seen_joint = _statistics(fit)
    # The k-th largest of the draws: an interval that leaves 0 out and a p of at most alpha are then the same thing.
    rank = math.floor(alpha * (draws + 1) + 1e-9)
    reach = np.sort(ratios, axis=1)[:, -rank] * np.sqrt(np.diagonal(fit.covariance[0]))
    level, slope = (float(fit.coefficients[row, 0]) for row in (LEVEL, SLOPE))
    return _Verdict(
        level=Interval(level - float(reach[0]), level + float(reach[0])),
        slope=Interval(slope - float(reach[1]), slope + float(reach[1])),
        level_p=_rank(ratios[0], float(seen[0, 0])),
        slope_p=_rank(ratios[1], float(seen[1, 0])),
        joint_p=_rank(joint, float(seen_joint[0])),
    )


def _statistics(fit: Fit) -> tuple[Floats, Floats]:
    """|t| of level and slope (2 × series), and F of both, of each series."""
    changes = fit.coefficients[[LEVEL, SLOPE]]
    ratios = _over(np.abs(changes), np.sqrt(np.diagonal(fit.covariance, axis1=1, axis2=2).T))
    (a, b), (_, d) = fit.covariance[:, 0].T, fit.covariance[:, 1].T
    weighed = changes[0] ** 2 * d - 2 * changes[0] * changes[1] * b + changes[1] ** 2 * a
    return ratios, np.where(a > 0, _over(weighed, 2 * (a * d - b * b)), ratios.max(axis=0))


def _over(change: Floats, error: Floats) -> Floats:
    """Their ratio; without any error, a change is infinitely sure and none is none."""
    return np.divide(change, error, out=np.where(change > 0, np.inf, 0.0), where=error > 0)


def _rank(draws: Floats, seen: float) -> float:
    return float((1 + (draws >= seen).sum()) / (1 + len(draws)))


def _placebos(series: _Series, seen: float) -> list[bool]:
    """At each date before the change with room on both sides: is the level change there as large, beside its error?"""
    larger = []
    for date in range(int(series.times[0]) + LEAST_BEFORE, series.change - LEAST_AFTER + 1):
        earlier = series.before(date)
        if earlier.n_before < LEAST_BEFORE or earlier.n_after < LEAST_AFTER or earlier.freedom < 1:
            continue
        if np.linalg.matrix_rank(earlier.design) < earlier.design.shape[1]:
            continue
        fit = Autoregression(earlier.times, earlier.design, [LEVEL, SLOPE]).fit(earlier.values[:, None])
        larger.append(bool(_statistics(fit)[0][0, 0] >= seen))
    return larger


def _durbin_watson(series: _Series) -> float | None:
    """Of least-squares residuals, over pairs of periods that follow each other; None where nothing is left to correlate."""
    basis = np.linalg.qr(series.design)[0]
    residual = series.values - basis @ (basis.T @ series.values)
    total = float(residual @ residual)
    if total <= 1e-20 * float(series.values @ series.values):
        return None
    steps = np.diff(residual)[np.diff(series.times) == 1]
    return float(steps @ steps) / total


def _undescribed(series: _Series) -> InterruptedSeries:
    """Too few periods to draw two lines: their counts alone."""
    nothing = np.full(len(series.whole_design), np.nan)
    return InterruptedSeries(
        level_change=None,
        level_se=None,
        level_interval=None,
        slope_change=None,
        slope_se=None,
        slope_interval=None,
        trend=None,
        p_value=None,
        slope_p=None,
        joint_p=None,
        phi=None,
        fitted=nothing,
        counterfactual=nothing,
        durbin_watson=None,
        placebo_p=None,
        placebo_dates=0,
        n_before=series.n_before,
        n_after=series.n_after,
        season_used=False,
        description_only=True,
    )
