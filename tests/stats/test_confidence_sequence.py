"""Always-valid readings: GrowthBook's figures, the level under sixty looks, and honesty when it is too early to tell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.stats.confidence_sequence import Effect, always_valid, mixing_rho, mixture_sprt, relative_effect


def share(x, n):
    return Effect(x / n, math.sqrt(x / n * (1 - x / n) / n))


def test_the_relative_interval_is_that_of_growthbooks_own_test():
    """growthbook test_sequential_test_runs_prop expects 0.40098 to 0.60675."""
    lift = relative_effect(share(2422, 3461), share(1396, 3000))
    sequence = always_valid(lift.estimate, lift.standard_error, 6461, n_star=5000)
    assert (sequence.interval.low, sequence.interval.high) == pytest.approx((0.40098, 0.60675), abs=6e-6)


def test_the_absolute_interval_and_p_agree_with_the_worked_figures():
    treat, ctrl = share(412, 598), share(367, 603)
    se = math.hypot(treat.standard_error, ctrl.standard_error)
    sequence = always_valid(treat.estimate - ctrl.estimate, se, 1201, n_star=1200)
    assert sequence.halfwidth == pytest.approx(0.0833093638, abs=1e-9)
    assert sequence.p_value == pytest.approx(0.0665861497, abs=1e-9)
    assert sequence.rho == pytest.approx(0.0813231957, abs=1e-9)


def test_the_mixture_ratio_agrees_with_quadrature():
    d, variance, tau = 0.0803396618, 0.000753375748, 0.08
    grid = np.linspace(-1, 1, 200_001)
    prior = np.exp(-((grid / tau) ** 2) / 2) / (tau * math.sqrt(2 * math.pi))
    ratio = np.exp((d * grid - grid**2 / 2) / variance)
    expected = float((prior * ratio).sum() * (grid[1] - grid[0]))
    assert mixture_sprt(d, math.sqrt(variance), tau=tau).likelihood_ratio == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("rate", "per_day", "n_star"), [(0.6, 10, 1200), (0.5, 2, 240), (0.5, 1, 120), (0.05, 5, 200), (0.95, 2, 200)]
)
def test_sixty_looks_cross_by_chance_in_less_than_five_trials_of_a_hundred(rate, per_day, n_star):
    """The whole trial is one test: it errs if any look's p falls to 5 %."""
    rng = np.random.default_rng(1)
    totals = rng.binomial(per_day, rate, (1000, 2, 60)).cumsum(axis=2)
    ever = 0
    for trial in totals:
        for day in range(60):
            n = per_day * (day + 1)
            treat, ctrl = share(trial[0, day], n), share(trial[1, day], n)
            se = math.hypot(treat.standard_error, ctrl.standard_error)
            if always_valid(treat.estimate - ctrl.estimate, se, 2 * n, n_star=n_star).p_value <= 0.05:
                ever += 1
                break
    assert ever / 1000 <= 0.05


@given(st.floats(-10, 10), st.floats(1e-3, 10), st.integers(20, 10**7), st.sampled_from([0.01, 0.05, 0.2]))
def test_p_and_interval_never_contradict_each_other(estimate, se, n, alpha):
    sequence = always_valid(estimate, se, n, alpha=alpha, n_star=1000)
    assert estimate in sequence.interval
    assert 0 <= sequence.p_value <= 1
    if abs(abs(estimate) - sequence.halfwidth) > 1e-9 * sequence.halfwidth:
        assert (0 in sequence.interval) == (sequence.p_value > alpha)


@given(st.floats(-10, 10), st.floats(1e-3, 10), st.floats(0.01, 100))
def test_the_unit_does_not_matter(estimate, se, scale):
    one, other = always_valid(estimate, se, 500, n_star=900), always_valid(estimate * scale, se * scale, 500, n_star=900)
    assert other.halfwidth == pytest.approx(one.halfwidth * scale)
    assert other.p_value == pytest.approx(one.p_value)
    mixed = mixture_sprt(-estimate * scale, se * scale, tau=0.5 * scale)
    assert mixed.p_value == pytest.approx(mixture_sprt(estimate, se, tau=0.5).p_value)


def test_it_is_tightest_near_the_size_it_was_tuned_for():
    """Beside the bound of another tuning, at the same look."""
    assert always_valid(0, 1, 1000, n_star=1000).halfwidth < always_valid(0, 1, 1000, n_star=300).halfwidth
    assert always_valid(0, 1, 1000, n_star=1000).halfwidth < always_valid(0, 1, 1000, n_star=3000).halfwidth


@pytest.mark.parametrize(("se", "n"), [(0.0, 500), (0.1, 19), (0.1, 0)])
def test_too_early_is_an_answer_too(se, n):
    sequence = always_valid(0.4, se, n, n_star=1000)
    assert (sequence.p_value, sequence.halfwidth) == (1, math.inf)
    assert 10**9 in sequence.interval


def test_overwhelming_evidence_does_not_overflow():
    assert always_valid(1.0, 1e-4, 10**6, n_star=5000).p_value == 0
    assert mixture_sprt(1.0, 1e-4, tau=1).p_value == 0
    assert mixture_sprt(1.0, 1e-4, tau=1).likelihood_ratio == math.inf
    assert mixture_sprt(0.3, 0.0, tau=1).p_value == 1


def test_no_lift_is_defined_over_nothing():
    assert relative_effect(share(3, 10), share(0, 10)) is None


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: always_valid(0.1, -1, 50, n_star=100), "standard error"),
        (lambda: always_valid(math.nan, 1, 50, n_star=100), "estimate"),
        (lambda: always_valid(0.1, 1, -5, n_star=100), "people"),
        (lambda: always_valid(0.1, 1, 50, n_star=0), "n_star"),
        (lambda: mixing_rho(100, 1.0), "alpha"),
        (lambda: mixture_sprt(0.1, 1, tau=0), "tau"),
        (lambda: mixture_sprt(0.1, -1, tau=1), "standard error"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
