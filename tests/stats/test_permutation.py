"""The permutation test and its interval agree with each other, with brute force and with what one can count on fingers."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrique.stats.permutation import invert, permutation_test

outcomes = st.lists(st.integers(-20, 20), min_size=4, max_size=9)


def test_the_most_extreme_of_twenty_assignments_has_p_a_tenth():
    result = permutation_test([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0])
    assert result.difference == -3
    assert result.p_value == pytest.approx(2 / 20)
    assert result.exact
    assert result.assignments == 20


def test_darwin_and_fisher_find_the_same_p_by_hand():
    """Fifteen pairs of maize (Fisher 1935): the arms within each pair; 1,726 of 32,768 sign changes are as extreme."""
    crossed = [23.5, 12, 21, 22, 19.125, 21.5, 22.125, 20.375, 18.25, 21.625, 23.25, 21, 22.125, 23, 12]
    selfed = [17.375, 20.375, 20, 20, 18.375, 18.625, 18.625, 15.25, 16.5, 18, 16.25, 18, 12.75, 15.5, 18]
    result = permutation_test(crossed + selfed, [1] * 15 + [0] * 15, strata=list(range(15)) * 2)
    assert not result.exact
    assert result.p_value == pytest.approx(1726 / 32768, abs=0.007)


@settings(max_examples=40, deadline=None)
@given(outcomes, st.data())
def test_it_counts_what_brute_force_counts(values, data):
    size = data.draw(st.integers(1, len(values) - 1))
    arm = [1] * size + [0] * (len(values) - size)
    y = np.array(values, dtype=float)
    differences = []
    for picked in combinations(range(len(y)), size):
        inside = np.isin(np.arange(len(y)), picked)
        differences.append(y[inside].mean() - y[~inside].mean())
    share = np.mean(np.abs(differences) >= abs(differences[0]) - 1e-9)
    assert permutation_test(values, arm).p_value == pytest.approx(share)


@settings(max_examples=40, deadline=None)
@given(outcomes, st.data(), st.sampled_from([0.05, 0.1, 0.3]))
def test_the_interval_holds_exactly_the_effects_that_the_test_does_not_reject(values, data, alpha):
    size = data.draw(st.integers(1, len(values) - 1))
    arm = np.array([1] * size + [0] * (len(values) - size))
    y = np.array(values, dtype=float)
    interval = permutation_test(y, arm, alpha=alpha).interval
    assert interval.low <= permutation_test(y, arm).difference <= interval.high
    for bound, outward in ((interval.low, -1e-5), (interval.high, 1e-5)):
        if math.isfinite(bound):
            assert permutation_test(y - (bound + outward) * arm, arm).p_value <= alpha + 1e-12
            assert permutation_test(y - (bound - outward) * arm, arm).p_value > alpha or interval.high - interval.low < 1e-4
        else:
            assert permutation_test(y - outward * 1e6 * arm, arm).p_value > alpha


@settings(max_examples=30, deadline=None)
@given(outcomes, st.floats(0.1, 100), st.floats(-50, 50))
def test_swapping_the_arms_mirrors_it_and_another_unit_scales_it(values, scale, shift):
    arm = np.arange(len(values)) % 2
    one = permutation_test(values, arm)
    other = permutation_test(-(np.array(values) * scale + shift), arm)
    swapped = permutation_test(values, 1 - arm)
    assert swapped.p_value == one.p_value == other.p_value
    assert swapped.difference == pytest.approx(-one.difference)
    assert (-other.interval.high, -other.interval.low) == pytest.approx(
        (one.interval.low * scale, one.interval.high * scale), abs=1e-6
    )


def test_equal_values_differ_by_nothing():
    result = permutation_test([4.2] * 8, [0, 1] * 4)
    assert (result.difference, result.p_value) == (0, 1)


def test_two_units_say_nothing_and_the_interval_says_so():
    result = permutation_test([1.0, 100.0], [0, 1])
    assert result.p_value == 1
    assert (result.interval.low, result.interval.high) == (-math.inf, math.inf)


def test_large_samples_are_drawn_with_a_seed_and_never_reach_zero():
    y = np.r_[np.zeros(40), np.ones(40)]
    arm = np.r_[np.zeros(40), np.ones(40)]
    first, again = permutation_test(y, arm, seed=7), permutation_test(y, arm, seed=7)
    assert first == again
    assert first.p_value == pytest.approx(1 / 10_001)
    assert not first.exact


def test_drawn_and_exact_intervals_agree_with_the_usual_t_in_ordinary_samples():
    rng = np.random.default_rng(2)
    y, arm = np.r_[rng.normal(1, 1, 60), rng.normal(0, 1, 60)], np.repeat([1, 0], 60)
    result = permutation_test(y, arm)
    se = math.sqrt(y[:60].var(ddof=1) / 60 + y[60:].var(ddof=1) / 60)
    assert result.interval.low == pytest.approx(result.difference - 1.98 * se, abs=0.1 * se)
    assert result.interval.high == pytest.approx(result.difference + 1.98 * se, abs=0.1 * se)


def test_the_test_holds_its_level_on_skewed_outcomes():
    rng = np.random.default_rng(5)
    rejected = [permutation_test(rng.exponential(size=9), [1] * 3 + [0] * 6).p_value <= 0.05 for _ in range(1500)]
    assert np.mean(rejected) < 0.065


def test_arms_drawn_inside_strata_are_permuted_inside_them():
    """Two strata of two: four assignments, of which two are as extreme."""
    result = permutation_test([0, 1, 100, 101], [0, 1, 0, 1], strata=["a", "a", "b", "b"])
    assert result.assignments == 4
    assert result.p_value == pytest.approx(2 / 4)


@pytest.mark.parametrize(
    ("values", "arm", "sentence"),
    [
        ([1, 2], [0], "2 values for 1 arms"),
        ([1, math.nan], [0, 1], "missing or infinite"),
        ([1, 2], [0, 2], "neither 0"),
        ([1, 2], [1, 1], "one arm"),
        ([], [], "one arm"),
    ],
)
def test_what_cannot_be_compared_is_refused(values, arm, sentence):
    with pytest.raises(ValueError, match=sentence):
        permutation_test(values, arm)


def test_an_alpha_out_of_range_is_refused():
    with pytest.raises(ValueError, match="alpha"):
        invert(1.0, np.array([1.0, 0.0]), np.array([1.0, 0.0]), alpha=1.0, exact=True)
