"""Arms that received other shares than planned: seen when it matters, not when it is chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabrique.stats.sample_ratio import check_sample_ratio


def test_an_intended_95_to_5_split_is_no_mismatch() -> None:
    assert not check_sample_ratio([950, 52], [0.95, 0.05]).mismatch
    assert check_sample_ratio([501, 501], [0.95, 0.05]).mismatch


def test_an_arm_of_weight_zero_takes_no_degree_of_freedom() -> None:
    found = check_sample_ratio([1000, 1100, 0], [1, 1, 0])
    assert (found.df, found.exposed_zero_weight, found.mismatch) == (1, False, False)
    assert found.p_value == pytest.approx(0.029096, abs=1e-6)


def test_anybody_in_an_arm_of_weight_zero_is_a_mismatch() -> None:
    found = check_sample_ratio([1000, 1000, 1], [1, 1, 0])
    assert found.exposed_zero_weight
    assert found.mismatch
    assert found.p_value == 1.0


def test_two_arms_are_compared_exactly() -> None:
    assert check_sample_ratio([3, 15], [1, 1]).p_exact == pytest.approx(stats.binomtest(3, 18).pvalue)
    # Ten people all in one arm: 2 / 1024 is not below one in a thousand, eleven are.
    assert not check_sample_ratio([0, 10], [1, 1]).mismatch
    assert check_sample_ratio([0, 11], [1, 1]).mismatch


def test_several_small_arms_are_compared_exactly() -> None:
    found = check_sample_ratio([4, 0, 0], [1, 1, 1])
    # All four in one arm: 3 of the 81 ways.
    assert found.p_exact == pytest.approx(3 / 81)
    assert check_sample_ratio([40, 40, 40], [1, 1, 1]).p_exact is None


def test_many_small_arms_are_compared_by_draws_that_repeat() -> None:
    counts, weights = [12, 11, 3, 13, 10, 9, 14, 4], [3, 3, 1, 3, 3, 3, 3, 1]
    found = check_sample_ratio(counts, weights, seed=2)
    assert found.p_exact == check_sample_ratio(counts, weights, seed=2).p_exact
    assert found.p_exact == pytest.approx(found.p_value, abs=0.1)


def test_it_alarms_once_in_a_thousand_or_less_in_small_samples() -> None:
    n = 60
    chance = stats.binom.pmf(np.arange(n + 1), n, 0.2)
    assert sum(chance[x] * check_sample_ratio([x, n - x], [1, 4]).mismatch for x in range(n + 1)) < 0.001


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.0, 0.1, 0.25, 1.0])), min_size=1, max_size=4))
def test_there_is_always_an_answer(arms) -> None:
    counts, weights = [c for c, _ in arms], [w for _, w in arms]
    if sum(weights) == 0:
        return
    found = check_sample_ratio(counts, weights)
    assert 0 <= found.p_value <= 1
    assert found.p_exact is None or 0 <= found.p_exact <= 1
    assert found.chi2 >= 0
    again = check_sample_ratio(counts[::-1], [7 * w for w in weights[::-1]])
    assert again.p_value == pytest.approx(found.p_value)
    assert again.mismatch == found.mismatch


def test_nobody_yet_is_no_mismatch() -> None:
    for found in (check_sample_ratio([0, 0], [1, 1]), check_sample_ratio([0, 0, 0], [1, 1, 2]), check_sample_ratio([9], [1])):
        assert (found.p_value, found.mismatch) == (1.0, False)


@pytest.mark.parametrize(
    ("counts", "weights", "why"),
    [
        ([1, 2], [1, 1, 1], "2 counts for 3 weights"),
        ([1, -2], [1, 1], "must be a whole number"),
        ([1, 2.5], [1, 1], "must be a whole number"),
        ([1, 2], [1, -1], "Weights cannot be negative"),
        ([1, 2], [0, 0], "one at least must be positive"),
    ],
)
def test_impossible_arms_are_refused_in_a_sentence(counts, weights, why) -> None:
    with pytest.raises(ValueError, match=why):
        check_sample_ratio(counts, weights)
