"""The Bayesian second reading: closed sums, simulation, and agreement with itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from fabrique.stats.bayes import beta_binomial, gaussian_effect


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    n1, n2 = draw(st.integers(0, 3000)), draw(st.integers(0, 3000))
    return draw(st.integers(0, n1)), n1, draw(st.integers(0, n2)), n2


def miller(a1: int, b1: int, a2: int, b2: int) -> float:
    """Evan Miller's closed sum of P(first better) for whole parameters."""
    return sum(
        math.exp(special.betaln(a2 + i, b1 + b2) - math.log(b1 + i) - special.betaln(1 + i, b1) - special.betaln(a2, b2))
        for i in range(a1)
    )


@given(tables(), st.sampled_from([(1, 1), (2, 5)]))
def test_the_chance_to_be_better_is_the_closed_sum(table, prior) -> None:
    x1, n1, x2, n2 = table
    a1, b1, a2, b2 = prior[0] + x1, prior[1] + n1 - x1, prior[0] + x2, prior[1] + n2 - x2
    assert beta_binomial(*table, prior=prior).p_better == pytest.approx(miller(a1, b1, a2, b2), abs=1e-9)


@given(tables(), st.sampled_from([(1.0, 1.0), (0.5, 0.5), (0.2, 0.2), (30.0, 10.0)]))
def test_the_reading_agrees_with_itself(table, prior) -> None:
    found = beta_binomial(*table, prior=prior)
    assert 0 <= found.p_better <= 1
    assert found.interval.low < found.interval.high
    digits = 1e-3 if min(prior) < 0.5 else 1e-6
    # What choosing one or the other costs differs by the effect itself.
    assert found.loss_ctrl - found.loss_treat == pytest.approx(found.effect, abs=digits / 10)
    assert min(found.loss_treat, found.loss_ctrl) >= 0
    x1, n1, x2, n2 = table
    other = beta_binomial(x2, n2, x1, n1, prior=prior)
    assert other.p_better == pytest.approx(1 - found.p_better, abs=digits)
    assert other.interval.low == pytest.approx(-found.interval.high, abs=digits)


def test_the_interval_leaves_out_as_much_at_each_end() -> None:
    found = beta_binomial(9, 10, 3, 10)
    treat, ctrl = stats.beta(10, 2), stats.beta(4, 8)
    for end, share in ((found.interval.low, 0.025), (found.interval.high, 0.975)):
        below = integrate.quad(lambda p, end=end: ctrl.pdf(p) * treat.cdf(p + end), 0, 1)[0]
        assert below == pytest.approx(share, abs=1e-7)


def test_arms_of_very_different_sizes_are_no_trouble() -> None:
    found = beta_binomial(3, 4, 700_000, 1_000_000)
    assert found.p_better == pytest.approx(stats.beta.sf(0.7, 4, 2), abs=1e-4)
    assert found.interval.low == pytest.approx(stats.beta.ppf(0.025, 4, 2) - 0.7, abs=1e-3)


def test_no_data_says_nothing() -> None:
    found = beta_binomial(0, 0, 0, 0)
    assert found.p_better == pytest.approx(0.5)
    assert found.loss_treat == pytest.approx(1 / 6)
    assert found.interval.low == pytest.approx(-(1 - math.sqrt(0.05)))


def test_small_losses_keep_their_digits() -> None:
    found = beta_binomial(900, 1000, 700, 1000)
    assert 0 < found.loss_treat < 1e-20


def test_a_flat_prior_gives_growthbooks_own_figures() -> None:
    found = gaussian_effect(0.05, 0.03571589282098377)
    assert found.p_better == pytest.approx(0.91923, abs=5e-6)
    assert (found.loss_treat, found.loss_ctrl) == (pytest.approx(0.00131, abs=5e-6), pytest.approx(0.05131, abs=5e-6))
    assert gaussian_effect(0.05, 0.03571589282098377, prior=(0.1, 0.1)).p_better == pytest.approx(0.92315, abs=5e-6)


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(-2, 2), st.floats(0.001, 10))
def test_a_prior_pulls_the_effect_towards_it(effect, error, mean, variance) -> None:
    found = gaussian_effect(effect, error, prior=(mean, variance))
    assert min(effect, mean) - 1e-9 <= found.effect <= max(effect, mean) + 1e-9
    assert found.standard_deviation < error
    assert found.effect in found.interval
    assert found.loss_ctrl - found.loss_treat == pytest.approx(found.effect, abs=1e-9)


def test_the_losses_are_those_of_a_simulation() -> None:
    draws = np.random.default_rng(0).normal(0.3, 0.5, 400_000)
    found = gaussian_effect(0.3, 0.5)
    assert found.loss_treat == pytest.approx(np.maximum(-draws, 0).mean(), abs=0.002)
    assert found.loss_ctrl == pytest.approx(np.maximum(draws, 0).mean(), abs=0.002)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: beta_binomial(5, 4, 1, 2), "5 successes out of 4 trials"),
        (lambda: beta_binomial(1, 4, 1, 2, prior=(0, 1)), "A beta prior of 0 and 1"),
        (lambda: beta_binomial(1, 4, 1, 2, alpha=0), "alpha is 0"),
        (lambda: gaussian_effect(1, 0), "the error must be positive"),
        (lambda: gaussian_effect(1, 1, prior=(0, 0)), "A prior variance of 0"),
    ],
)
def test_impossible_inputs_are_refused_in_a_sentence(call, why) -> None:
    with pytest.raises(ValueError, match=why):
        call()
