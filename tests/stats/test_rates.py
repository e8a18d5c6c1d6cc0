"""Rates of events: R's figures, no event at all, and counts that vary more than chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabrique.stats.rates import compare_counts, compare_rates

tables = st.tuples(st.integers(0, 60), st.floats(0.5, 500), st.integers(0, 60), st.floats(0.5, 500))


def test_breast_cancer_and_fluoroscopy_are_rs_example() -> None:
    # R's poisson.test(c(11, 6 + 8 + 7), c(800, 1083 + 1050 + 878)): ratio 1.971488, p = 0.0797, 0.8584264 to 4.2772659.
    found = compare_rates(11, 800, 21, 3011)
    assert found.ratio == pytest.approx(1.971488, abs=1e-6)
    assert found.p_value == pytest.approx(0.07967, abs=1e-5)
    assert (found.interval.low, found.interval.high) == (pytest.approx(0.8584264, abs=1e-6), pytest.approx(4.2772659, abs=1e-6))


@given(tables)
def test_there_is_always_an_answer(table) -> None:
    found = compare_rates(*table)
    assert 0 <= found.p_value <= 1
    assert 0 <= found.p_score <= 1
    assert found.standard_error > 0
    assert found.difference_interval.low <= found.difference <= found.difference_interval.high
    for interval in (found.interval, found.score_interval):
        assert 0 <= interval.low <= (found.ratio or 0.0) * (1 + 1e-9) or found.ratio is None
        assert (found.ratio or 0.0) <= interval.high * (1 + 1e-9)


@given(tables)
def test_swapping_the_arms_turns_the_answer_round(table) -> None:
    one, other = compare_rates(*table), compare_rates(table[2], table[3], table[0], table[1])
    assert one.p_score == pytest.approx(other.p_score)
    assert one.difference == pytest.approx(-other.difference)
    assert other.interval.high == pytest.approx(1 / one.interval.low if one.interval.low else math.inf, rel=1e-9)
    assert other.score_interval.high == pytest.approx(
        1 / one.score_interval.low if one.score_interval.low else math.inf, rel=1e-9
    )


@given(tables, st.sampled_from([0.01, 60.0]))
def test_counting_the_exposure_in_hours_or_minutes_is_the_same(table, unit) -> None:
    one, other = compare_rates(*table), compare_rates(table[0], table[1] * unit, table[2], table[3] * unit)
    assert one.p_value == pytest.approx(other.p_value, rel=1e-6)
    assert one.interval.low == pytest.approx(other.interval.low, rel=1e-9)
    assert one.standard_error == pytest.approx(other.standard_error * unit)


def test_no_event_at_all_says_nothing() -> None:
    found = compare_rates(0, 100, 0, 50)
    assert (found.p_value, found.ratio, found.interval.low, found.interval.high) == (1.0, None, 0.0, math.inf)


def test_no_event_in_an_arm_leaves_one_end_open() -> None:
    assert compare_rates(9, 100, 0, 100).interval.high == math.inf
    assert compare_rates(9, 100, 0, 100).interval.low > 1
    assert compare_rates(0, 100, 9, 100).interval.high < 1


def test_the_exact_test_never_errs_too_often() -> None:
    events = np.arange(25)
    chance = stats.poisson.pmf(events, 6)
    rejects = np.array([[compare_rates(a, 1, b, 1).p_value <= 0.05 for b in events] for a in events])
    assert chance @ rejects @ chance <= 0.05


def test_counts_that_follow_chance_read_like_their_totals() -> None:
    rng = np.random.default_rng(2)
    treat, ctrl = rng.poisson(20, 40), rng.poisson(16, 40)
    found, totals = compare_counts(treat, np.ones(40), ctrl, np.ones(40)), compare_rates(treat.sum(), 40, ctrl.sum(), 40)
    assert found.ratio == totals.ratio
    assert 1 <= found.dispersion < 1.4
    assert found.interval.low == pytest.approx(totals.interval.low, rel=0.05)


def test_counts_that_vary_more_than_chance_are_not_taken_for_an_effect() -> None:
    rng = np.random.default_rng(3)
    exact, quasi = [], []
    for _ in range(300):
        treat, ctrl = rng.negative_binomial(4, 0.2, 15), rng.negative_binomial(4, 0.2, 15)
        found = compare_counts(treat, np.ones(15), ctrl, np.ones(15))
        quasi.append(found.p_value <= 0.05)
        exact.append(compare_rates(treat.sum(), 15, ctrl.sum(), 15).p_value <= 0.05)
    assert np.mean(exact) > 0.25
    assert np.mean(quasi) <= 0.085


def test_counts_without_an_event_in_an_arm_are_answered() -> None:
    found = compare_counts([0, 0, 0], [1, 2, 1], [9, 1, 8], [1, 1, 2])
    assert found.dispersion > 1
    assert found.interval.low == 0
    assert compare_rates(0, 4, 18, 4).p_score < found.p_value < 1
    assert compare_counts([0, 0], [1, 1], [0, 0], [1, 1]).p_value == 1
    assert compare_counts([3], [1], [9], [1]).p_method == "exact"


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: compare_rates(-1, 1, 1, 1), "-1 events: a count is a whole number"),
        (lambda: compare_rates(1.5, 1, 1, 1), "1.5 events: a count is a whole number"),
        (lambda: compare_rates(1, 0, 1, 1), "1 events over an exposure of 0"),
        (lambda: compare_rates(1, 1, 1, 1, alpha=2), "alpha is 2"),
        (lambda: compare_counts([1, 2], [1], [1], [1]), "2 counts for 1 exposures"),
        (lambda: compare_counts([1], [1], [], []), "an arm one unit at least"),
    ],
)
def test_impossible_counts_are_refused_in_a_sentence(call, why) -> None:
    with pytest.raises(ValueError, match=why):
        call()
