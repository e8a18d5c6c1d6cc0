"""Times: ranks as scipy's, the ratio in people's words, zeros, and answers from a handful of people."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabrique.stats.durations import compare_durations, quantile_difference
from fabrique.stats.interval import Interval

times = st.lists(st.integers(0, 40).map(lambda t: t / 4), min_size=1, max_size=12)


def test_a_fifth_less_time_is_found() -> None:
    rng = np.random.default_rng(0)
    found = compare_durations(rng.lognormal(2, 0.8, 4000) * 0.8, rng.lognormal(2, 0.8, 4000))
    assert found.ratio == pytest.approx(0.8, abs=0.03)
    assert found.ratio in found.interval
    assert found.p_value < 1e-8
    median, long = found.quantiles
    assert median.difference == pytest.approx(-0.2 * math.exp(2), abs=0.5)
    assert long.difference < median.difference
    assert median.interval.high < 0


def test_ranks_are_compared_as_scipy_does() -> None:
    rng = np.random.default_rng(1)
    treat, ctrl = np.round(rng.lognormal(1, 1, 40), 1), np.round(rng.lognormal(1.3, 1, 50), 1)
    found = compare_durations(treat, ctrl)
    expected = stats.mannwhitneyu(treat, ctrl, use_continuity=False, method="asymptotic")
    assert (found.p_value, found.p_method) == (pytest.approx(expected.pvalue), "mann-whitney")
    assert found.superiority == pytest.approx(expected.statistic / 2000)
    assert found.p_ratio == pytest.approx(stats.ttest_ind(np.log(treat), np.log(ctrl), equal_var=False).pvalue)


def test_few_times_are_permuted() -> None:
    treat, ctrl = [1.0, 2.0, 4.0, 3.0], [5.0, 7.0, 9.0, 30.0]
    found = compare_durations(treat, ctrl)
    assert (found.p_value, found.p_method) == (pytest.approx(2 / 70), "permutation")


@given(times, times)
def test_there_is_always_an_answer(treat, ctrl) -> None:
    found = compare_durations(treat, ctrl)
    assert 0 <= found.p_value <= 1
    assert found.interval.low <= found.ratio * (1 + 1e-12)
    assert found.ratio <= found.interval.high * (1 + 1e-12)
    assert found.superiority in found.superiority_interval
    assert found.p_value <= 0.05 or 1.0 in found.interval


@given(times, times, st.sampled_from([60.0, 0.001]))
def test_seconds_or_minutes_give_the_same_ratio(treat, ctrl, unit) -> None:
    one, other = compare_durations(treat, ctrl), compare_durations(np.array(treat) * unit, np.array(ctrl) * unit)
    assert one.ratio == pytest.approx(other.ratio)
    assert one.p_value == pytest.approx(other.p_value)
    assert one.quantiles[0].difference * unit == pytest.approx(other.quantiles[0].difference)


@given(times, times)
def test_swapping_the_arms_turns_the_answer_round(treat, ctrl) -> None:
    one, other = compare_durations(treat, ctrl), compare_durations(ctrl, treat)
    assert one.ratio * other.ratio == pytest.approx(1)
    # Beyond 20,000 ways to permute them, they are drawn: other draws, nearly the same p-value.
    assert one.p_value == pytest.approx(other.p_value, abs=0.03)
    assert one.superiority == pytest.approx(1 - other.superiority)


def test_a_time_of_zero_counts_as_half_the_shortest_one() -> None:
    found = compare_durations([0, 4, 4], [2, 8, 8])
    assert found.raised_zeros == 1
    assert found.mean_treat == pytest.approx((1 * 4 * 4) ** (1 / 3))
    nothing = compare_durations([0, 0], [0, 0, 0])
    assert (nothing.ratio, nothing.p_value, nothing.raised_zeros) == (1.0, 1.0, 5)


def test_a_quantile_known_by_its_interval_is_compared() -> None:
    difference, interval = quantile_difference(7.6945, (7.6418, 7.7472), 7.1580, Interval(7.0988, 7.2172))
    assert difference == pytest.approx(0.5365)
    half = math.hypot(0.0527, 0.0592)
    assert (interval.low, interval.high) == (pytest.approx(0.5365 - half), pytest.approx(0.5365 + half))
    wider = quantile_difference(7.6945, (7.6418, 7.7472), 7.1580, (7.0988, 7.2172), alpha=0.01)[1]
    assert wider.low < interval.low


def test_impossible_times_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="A time of -1: no time is negative"):
        compare_durations([1, -1], [2])
    with pytest.raises(ValueError, match="An arm has no value"):
        compare_durations([], [2])
    with pytest.raises(ValueError, match="A value is missing"):
        compare_durations([math.nan], [2])
    with pytest.raises(ValueError, match="0 values in an arm"):
        quantile_difference(1, (1, 2), 1, (0, 2), n_treat=0)
    with pytest.raises(ValueError, match="ends before it begins"):
        quantile_difference(1, (2, 1), 1, (0, 2))
