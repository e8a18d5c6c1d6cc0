"""Two means: published figures, what small and still samples answer, and what must hold whatever the values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabrique.stats.means import Moments, compare_means, compare_values
from fabrique.stats.quantiles import bootstrap_quantile_difference

values = st.lists(st.integers(-50, 50).map(lambda v: v / 4), min_size=1, max_size=40)


def test_it_says_what_growthbook_says_of_its_own_example() -> None:
    found = compare_means(Moments(3461, 2422.7, 134698.29), Moments(3407, 1396.87, 52377.9767))
    assert found.p_value == pytest.approx(0.02016, abs=5e-6)
    assert (found.interval.low, found.interval.high) == (pytest.approx(0.04538, abs=5e-6), pytest.approx(0.53462, abs=5e-6))
    assert found.relative_lift is not None
    assert found.relative_lift.lift == pytest.approx(0.70732, abs=5e-6)
    assert found.relative_lift.p_value == pytest.approx(0.06191, abs=5e-6)


@given(
    st.lists(st.floats(-1e3, 1e3).map(lambda v: round(v, 3)), min_size=2, max_size=30).filter(lambda v: max(v) - min(v) > 1),
    st.integers(2, 30),
)
def test_it_is_scipys_welch_test(treat, n) -> None:
    ctrl = [0.5 * k for k in range(n)]
    found = compare_means(Moments.of(treat), Moments.of(ctrl))
    expected = stats.ttest_ind(treat, ctrl, equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert found.df == pytest.approx(expected.df, rel=1e-6)


@given(values, values)
def test_there_is_always_an_answer(treat, ctrl) -> None:
    for found in (compare_means(Moments.of(treat), Moments.of(ctrl)), compare_values(treat[:6], ctrl[:6])):
        assert 0 <= found.p_value <= 1
        assert found.interval.low <= found.difference <= found.interval.high
        assert not math.isnan(found.t + found.df)
        if found.difference == 0:
            assert found.p_value == 1


@given(values, values)
def test_swapping_the_arms_turns_the_answer_round(treat, ctrl) -> None:
    one, other = compare_values(treat[:5], ctrl[:5]), compare_values(ctrl[:5], treat[:5])
    assert one.difference == pytest.approx(-other.difference, abs=1e-12)
    assert one.p_value == pytest.approx(other.p_value, abs=1e-12)
    assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)


@given(values, values, st.sampled_from([0.001, 3.0, 1e6]))
def test_changing_the_unit_changes_the_difference_and_not_the_p_value(treat, ctrl, scale) -> None:
    one = compare_means(Moments.of(treat), Moments.of(ctrl))
    other = compare_means(Moments.of(np.array(treat) * scale), Moments.of(np.array(ctrl) * scale))
    assert other.difference == pytest.approx(one.difference * scale, rel=1e-9, abs=1e-12 * scale)
    assert other.p_value == pytest.approx(one.p_value, rel=1e-6, abs=1e-9)


def test_values_that_never_vary_differ_surely_or_not_at_all() -> None:
    same = compare_means(Moments.of([0.1] * 10), Moments.of([0.1] * 7))
    assert (same.p_value, same.difference, same.t) == (1.0, 0.0, 0.0)
    apart = compare_means(Moments.of([0.1] * 10), Moments.of([0.2] * 7))
    assert (apart.p_value, apart.t) == (0.0, -math.inf)
    assert apart.relative_lift is None
    # With each value known the permutation test keeps its head: 3 against 3 can never be rarer than 2 in 20.
    assert compare_values([1, 1, 1], [2, 2, 2]).p_value == pytest.approx(0.1)


def test_a_single_value_borrows_the_spread_of_the_other_arm() -> None:
    found = compare_means(Moments.of([9.0]), Moments.of([1.0, 2.0, 3.0]))
    assert found.standard_error == pytest.approx(math.sqrt(1 + 1 / 3))
    assert found.df == 2
    assert found.p_value == pytest.approx(stats.ttest_ind([9.0], [1.0, 2.0, 3.0]).pvalue)


def test_two_single_values_say_nothing() -> None:
    found = compare_means(Moments.of([9.0]), Moments.of([1.0]))
    assert (found.p_value, found.interval.low, found.interval.high) == (1.0, -math.inf, math.inf)


def test_small_arms_are_permuted_exactly() -> None:
    # 2 of the 20 ways to pick three of six are as extreme as the data.
    found = compare_values([10, 11, 12], [1, 2, 3])
    assert (found.p_value, found.p_method) == (pytest.approx(0.1), "permutation")
    assert 0.0 in found.interval
    large = compare_values(np.arange(20.0), np.arange(25.0))
    assert large.p_method == "welch"


def test_permutation_errs_as_often_as_it_says_with_skewed_values() -> None:
    rng = np.random.default_rng(1)
    p = [compare_values(rng.lognormal(0, 1.5, 5), rng.lognormal(0, 1.5, 6)).p_value for _ in range(400)]
    assert np.mean(np.array(p) <= 0.05) <= 0.075


def test_the_median_difference_is_the_one_that_resampling_gives() -> None:
    rng = np.random.default_rng(3)
    one, two = rng.lognormal(1, 1, 41), rng.lognormal(0.5, 1, 60)
    found = bootstrap_quantile_difference(one, two, 0.5)
    resampled = np.median(rng.choice(one, (20_000, 41)), axis=1) - np.median(rng.choice(two, (20_000, 60)), axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    assert found.difference == pytest.approx(np.median(one) - np.median(two))
    assert (found.interval.low, found.interval.high) == (pytest.approx(low, abs=0.12), pytest.approx(high, abs=0.12))


@given(values, values, st.sampled_from([0.1, 0.5, 0.9]))
def test_a_bootstrap_interval_holds_its_estimate(treat, ctrl, level) -> None:
    found = bootstrap_quantile_difference(treat, ctrl, level)
    assert found.difference in found.interval
    assert found == bootstrap_quantile_difference(treat, ctrl, level)


def test_impossible_inputs_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="0 values in an arm: a mean needs at least one"):
        Moments(0, 0, 0)
    with pytest.raises(ValueError, match="A sum of squares of 3 is too small for 2 values that sum to 10"):
        Moments(2, 10, 3)
    with pytest.raises(ValueError, match="A sum is missing"):
        Moments(2, math.nan, 3)
    with pytest.raises(ValueError, match="An arm has no value"):
        compare_values([], [1])
    with pytest.raises(ValueError, match="A value is missing or infinite"):
        compare_values([1, math.nan], [1])
    with pytest.raises(ValueError, match="A quantile of level 1 was asked for"):
        bootstrap_quantile_difference([1], [2], 1)
