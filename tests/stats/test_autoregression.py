"""AR(1) least squares: the likelihood written out with matrices gives the same, gaps included."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from fabrique.stats.autoregression import Autoregression


def written_out(times, design, values):
    """Restricted maximum likelihood with the whole correlation matrix."""

    def parts(phi):
        r = phi ** np.abs(np.subtract.outer(times, times))
        inverse = np.linalg.inv(r)
        gram = design.T @ inverse @ design
        coefficients = np.linalg.solve(gram, design.T @ inverse @ values)
        residual = values - design @ coefficients
        return r, gram, coefficients, float(residual @ inverse @ residual)

    def loss(phi):
        r, gram, _, left = parts(phi)
        freedom = len(values) - design.shape[1]
        return freedom * np.log(left) + np.linalg.slogdet(r)[1] + np.linalg.slogdet(gram)[1]

    phi = minimize_scalar(loss, bounds=(0.01, 0.97), method="bounded", options={"xatol": 1e-10}).x
    _, gram, coefficients, left = parts(phi)
    return phi, coefficients, np.linalg.inv(gram) * left / (len(values) - design.shape[1])


def errors(phi, size, rng):
    out = rng.normal(size=size)
    for i in range(1, size):
        out[i] = phi * out[i - 1] + out[i] * np.sqrt(1 - phi**2)
    return out


@pytest.mark.parametrize("missing", [[], [3], [10, 11, 12, 30], [0, 5, 7, 9, 39]])
def test_it_agrees_with_the_likelihood_written_out_whatever_is_missing(missing):
    times = np.delete(np.arange(40), missing)
    design = np.column_stack([np.ones(len(times)), times, times >= 25, np.cos(times / 3)])
    values = 3 + 0.1 * times + errors(0.6, 40, np.random.default_rng(1))[times]
    phi, coefficients, covariance = written_out(times, design, values)
    fit = Autoregression(times, design, [2, 3]).fit(values[:, None], exactly=True)
    assert fit.phi[0] == pytest.approx(phi, abs=1e-5)
    assert fit.coefficients[:, 0] == pytest.approx(coefficients, rel=1e-4)
    assert fit.covariance[0] == pytest.approx(covariance[2:, 2:], rel=1e-3)


def test_many_series_are_fitted_as_each_would_be_alone():
    times = np.arange(30)
    design = np.column_stack([np.ones(30), times])
    rng = np.random.default_rng(2)
    values = np.column_stack([errors(phi, 30, rng) * 10 + times for phi in (-0.4, 0.0, 0.5, 0.9)])
    model = Autoregression(times, design, [1])
    together = model.fit(values)
    for column in range(4):
        alone = model.fit(values[:, column : column + 1], exactly=True)
        assert together.phi[column] == pytest.approx(alone.phi[0], abs=0.003)
        assert together.coefficients[:, column] == pytest.approx(alone.coefficients[:, 0], rel=1e-2)


def test_simulated_errors_carry_over_as_asked():
    model = Autoregression(np.array([0, 1, 2, 5, 6]), np.ones((5, 1)), [0])
    drawn = model.simulate(0.7, 40_000, np.random.default_rng(3))
    assert np.corrcoef(drawn)[0, 1:] == pytest.approx(0.7 ** np.array([1, 2, 5, 6]), abs=0.02)
    assert drawn.std(axis=1) == pytest.approx(1, abs=0.02)


def test_a_series_told_to_the_last_digit_has_no_errors():
    times = np.arange(12)
    fit = Autoregression(times, np.column_stack([np.ones(12), times]), [1]).fit(np.column_stack([3.0 * times, np.zeros(12)]))
    assert fit.phi.tolist() == [0, 0]
    assert fit.coefficients[1] == pytest.approx([3, 0])
    assert fit.covariance[:, 0, 0] == pytest.approx([0, 0], abs=1e-20)
