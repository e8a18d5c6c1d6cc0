"""Adjusting for what was known before: R's figures, precision gained, and answers where nothing can be gained."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.stats.covariates import adjust

numbers = st.lists(st.tuples(st.integers(-9, 9), st.integers(-3, 3)), min_size=1, max_size=12)


def trial(seed: int, n: int = 60, effect: float = 0.5, slope: float = 1.0):
    rng = np.random.default_rng(seed)
    before, arm = rng.normal(10, 2, n), np.arange(n) % 2 == 1
    after = slope * before + effect * arm + rng.normal(0, 1, n)
    return after[arm], before[arm], after[~arm], before[~arm]


def test_lin_is_the_interacted_regression_with_hc2() -> None:
    y1, x1, y0, x0 = trial(1)
    found = adjust(y1, x1, y0, x0)
    # Separate regressions in each arm, read at the mean of all: the same estimate, by another road.
    centre = np.r_[x1, x0].mean()
    by_arm = [np.polyval(np.polyfit(x - centre, y, 1), 0) for y, x in ((y1, x1), (y0, x0))]
    assert found.difference == pytest.approx(by_arm[0] - by_arm[1])
    assert (found.method, found.df) == ("lin", 56)
    design = np.c_[np.ones(60), np.repeat([1, 0], 30), np.r_[x1, x0] - centre, np.r_[x1 - centre, np.zeros(30)]]
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    y = np.r_[y1, y0]
    meat = design.T @ np.diag((y - hat @ y) ** 2 / (1 - np.diag(hat))) @ design
    bread = np.linalg.inv(design.T @ design)
    assert found.standard_error == pytest.approx(math.sqrt((bread @ meat @ bread)[1, 1]))


def test_it_takes_away_what_was_there_before() -> None:
    found = adjust(*trial(2, n=200, slope=2.0))
    assert found.variance_left < 0.15
    assert found.interval.high - found.interval.low < (found.raw.interval.high - found.raw.interval.low) / 2
    assert found.cuped.theta == pytest.approx(2, abs=0.2)
    assert found.theta_within == pytest.approx(2, abs=0.2)
    assert found.ancova.difference == pytest.approx(found.difference, abs=0.1)


def test_it_errs_as_often_as_it_says() -> None:
    wrong = [adjust(*trial(seed, n=40, effect=0.0)).p_value <= 0.05 for seed in range(1500)]
    assert np.mean(wrong) == pytest.approx(0.05, abs=0.017)


def test_several_covariates_are_taken_together() -> None:
    rng = np.random.default_rng(5)
    before = rng.normal(size=(80, 2))
    after = before @ [1.0, -2.0] + rng.normal(size=80)
    found = adjust(after[:40], before[:40], after[40:], before[40:])
    assert found.method == "lin"
    assert found.df == 74
    assert found.variance_left < 0.5
    assert found.cuped is None


def test_a_covariate_that_never_changes_changes_nothing() -> None:
    found = adjust([1, 2, 3, 4], [7, 7, 7, 7], [2, 3, 4, 7], [7, 7, 7, 7])
    assert (found.method, found.difference, found.p_value) == ("welch", found.raw.difference, found.raw.p_value)
    assert (found.variance_left, found.cuped, found.ancova) == (1.0, None, None)


def test_arms_too_small_for_the_covariate_are_compared_without_it() -> None:
    found = adjust([1.0], [2.0], [3.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert found.method == "welch"
    assert found.p_value == found.raw.p_value


@given(numbers, numbers)
def test_there_is_always_an_answer(treat, ctrl) -> None:
    y1, x1 = zip(*treat, strict=True)
    y0, x0 = zip(*ctrl, strict=True)
    found = adjust(y1, x1, y0, x0)
    assert 0 <= found.p_value <= 1
    assert found.interval.low <= found.difference <= found.interval.high
    other = adjust(y0, x0, y1, x1)
    assert other.difference == pytest.approx(-found.difference, abs=1e-9)
    assert other.p_value == pytest.approx(found.p_value, abs=1e-6)


@given(numbers, numbers, st.sampled_from([-1000.0, 0.5, 1e6]))
def test_moving_the_covariate_changes_nothing(treat, ctrl, shift) -> None:
    y1, x1 = (np.array(side, dtype=float) for side in zip(*treat, strict=True))
    y0, x0 = (np.array(side, dtype=float) for side in zip(*ctrl, strict=True))
    one, other = adjust(y1, x1, y0, x0), adjust(y1, x1 + shift, y0, x0 + shift)
    assert one.difference == pytest.approx(other.difference, abs=1e-7)
    assert one.p_value == pytest.approx(other.p_value, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (([1, 2], [1], [1, 2], [1, 2]), "2 outcomes for 1 figures from before"),
        (([], [], [1, 2], [1, 2]), "An arm has nobody in it"),
        (([1, math.nan], [1, 2], [1, 2], [1, 2]), "A figure is missing"),
        (([1, 2], [[1, 2], [3, 4]], [1, 2], [1, 2]), "2 covariates in one arm and 1 in the other"),
    ],
)
def test_impossible_inputs_are_refused_in_a_sentence(arguments, why) -> None:
    with pytest.raises(ValueError, match=why):
        adjust(*arguments)
