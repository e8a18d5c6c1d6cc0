"""Least squares on a series whose errors carry over from one period to the next, fitted for many series at once.

The errors are AR(1), their autocorrelation found by restricted maximum likelihood (Patterson & Thompson 1971), as R's
nlme::gls(correlation = corAR1(), method = "REML"). Missing periods are exact: errors g periods apart correlate by phi to the power g.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Moments = list[tuple[Floats, Floats, Floats]]

GRID = np.linspace(-0.96, 0.98, 98)
"""Autocorrelations tried, 0.02 apart; the best is then refined between its neighbours."""


@dataclass(frozen=True, slots=True)
class Fit:
    """phi: autocorrelation of each series; coefficients: terms × series; covariance: series × watched terms × watched terms."""

    phi: Floats
    coefficients: Floats
    covariance: Floats


class Autoregression:
    """The terms of a regression (periods × terms, of full rank), at the times (whole numbers, increasing) that hold a value.

    u'R⁻¹v, with R the errors' correlation, is the product of the first values plus, for each later one and the one before it g
    periods earlier, (u_t - r·u_s)(v_t - r·v_s) / (1 - r²) with r = phi^g. The sums are made once a gap; any phi is then cheap.
    """

    def __init__(self, times: NDArray[np.intp], design: Floats, watched: Sequence[int]) -> None:
        self.basis, self.triangle = np.linalg.qr(design)
        self.freedom = len(design) - design.shape[1]
        self.watched = np.linalg.solve(self.triangle, np.eye(design.shape[1]))[list(watched)]
        self.times = times
        gaps = np.diff(times)
        self.gaps = [(int(gap), np.flatnonzero(gaps == gap) + 1) for gap in np.unique(gaps)]
        self.first_gram = np.outer(self.basis[0], self.basis[0])
        self.gram = self._products(self.basis, self.basis)
        self.grams = self._form(self.first_gram, self.gram, GRID[:, None, None])
        self.penalty = self._determinant(GRID) + np.linalg.slogdet(self.grams)[1]

    def fit(self, values: Floats, *, exactly: bool = False) -> Fit:
        """values: periods × series. exactly: refine phi to its last digits rather than to about 0.001 (the first series only)."""
        onto = self.basis.T @ values
        residual = values - self.basis @ onto
        scale = np.sqrt((residual**2).sum(axis=0))
        # A series that its terms fit to the last digit has no errors, hence no autocorrelation.
        magnitude = np.abs(values).max(axis=0)
        perfect = scale <= 1e-10 * magnitude
        residual = np.where(perfect, 0.0, residual / np.where(perfect, 1.0, scale))
        sums = self._sums(residual)
        phi = np.where(perfect, 0.0, self._refined(sums, exactly=exactly))
        gram = self._form(self.first_gram, self.gram, phi[:, None, None])
        right = self._form(sums.first, sums.cross, phi).T
        moved = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
        left = np.maximum(self._form(sums.first_square, sums.squares, phi) - (moved * right).sum(axis=1), 0.0)
        coefficients = np.linalg.solve(self.triangle, onto + moved.T * scale)
        coefficients = np.where(perfect & (np.abs(coefficients) <= 1e-9 * magnitude), 0.0, coefficients)
        spread = self.watched @ np.linalg.solve(gram, np.broadcast_to(self.watched.T, (len(phi), *self.watched.T.shape)))
        variance = left * scale**2 / max(self.freedom, 1)
        return Fit(phi, coefficients, spread * variance[:, None, None])

    def simulate(self, phi: float, draws: int, rng: np.random.Generator) -> Floats:
        """Stationary errors of variance 1 at the model's times: periods × draws."""
        errors = rng.standard_normal((int(self.times[-1] - self.times[0]) + 1, draws))
        errors[1:] *= np.sqrt(1 - phi * phi)
        for period in range(1, len(errors)):
            errors[period] += phi * errors[period - 1]
        seen: Floats = errors[self.times - self.times[0]]
        return seen

    def _refined(self, sums: _Sums, *, exactly: bool) -> Floats:
        """The phi of greatest restricted likelihood: the best of the grid, moved to the top of the parabola around it."""
        loss = self._losses(sums)
        best = np.clip(loss.argmin(axis=0), 1, len(GRID) - 2)
        columns = np.arange(loss.shape[1])
        before, here, after = (loss[best + step, columns] for step in (-1, 0, 1))
        bend = before - 2 * here + after
        move = np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
        phi: Floats = GRID[best] + np.clip(move, -1, 1) * (GRID[1] - GRID[0])
        if exactly:
            one = sums.only_first()
            bounds = (GRID[best[0] - 1], GRID[best[0] + 1])
            found = minimize_scalar(lambda p: self._loss(one, float(p)), bounds=bounds, method="bounded", options={"xatol": 1e-9})
            phi[0] = float(found.x)
        return phi

    def _losses(self, sums: _Sums) -> Floats:
        """-2 log restricted likelihood up to a constant: grid × series."""
        grid = GRID[:, None, None]
        right = self._form(sums.first, sums.cross, grid)
        explained = (np.linalg.solve(self.grams, right) * right).sum(axis=1)
        left = self._form(sums.first_square, sums.squares, GRID[:, None]) - explained
        losses: Floats = self.freedom * np.log(np.maximum(left, 1e-300)) + self.penalty[:, None]
        return losses

    def _loss(self, sums: _Sums, phi: float) -> float:
        at = np.array([phi])
        gram = self._form(self.first_gram, self.gram, at[:, None, None])[0]
        right = self._form(sums.first, sums.cross, at)[:, 0]
        left = float(self._form(sums.first_square, sums.squares, at)[0]) - float(right @ np.linalg.solve(gram, right))
        return float(self.freedom * np.log(max(left, 1e-300)) + self._determinant(at)[0] + np.linalg.slogdet(gram)[1])

    def _form(self, first: Floats, products: Moments, phi: Floats) -> Floats:
        """u'R⁻¹v at each phi, whose axes broadcast against those of the products."""
        total: Floats = first + np.zeros_like(phi)
        for (gap, _), (now, cross, then) in zip(self.gaps, products, strict=True):
            r = phi**gap
            total = total + (now - r * cross + r * r * then) / (1 - r * r)
        return total

    def _determinant(self, phi: Floats) -> Floats:
        total: Floats = np.zeros_like(phi)
        for gap, at in self.gaps:
            total = total + len(at) * np.log1p(-(phi ** (2 * gap)))
        return total

    def _products(self, u: Floats, v: Floats) -> Moments:
        return [(u[at].T @ v[at], u[at].T @ v[at - 1] + u[at - 1].T @ v[at], u[at - 1].T @ v[at - 1]) for _, at in self.gaps]

    def _sums(self, residual: Floats) -> _Sums:
        squares = [
            (
                (residual[at] ** 2).sum(axis=0),
                2 * (residual[at] * residual[at - 1]).sum(axis=0),
                (residual[at - 1] ** 2).sum(axis=0),
            )
            for _, at in self.gaps
        ]
        first = np.outer(self.basis[0], residual[0])
        return _Sums(first, self._products(self.basis, residual), residual[0] ** 2, squares)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the likelihood needs of the outcomes: products with the terms (terms × series) and with themselves (one a series)."""

    first: Floats
    cross: Moments
    first_square: Floats
    squares: Moments

    def only_first(self) -> _Sums:
        cross = [(a[:, :1], b[:, :1], c[:, :1]) for a, b, c in self.cross]
        squares = [(a[:1], b[:1], c[:1]) for a, b, c in self.squares]
        return _Sums(self.first[:, :1], cross, self.first_square[:1], squares)
