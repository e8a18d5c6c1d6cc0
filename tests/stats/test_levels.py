"""Answers on a scale: R's figures, exact permutations, and answers where arms do not overlap or nobody differs."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from fabrique.stats.levels import compare_levels, proportional_odds

TREAT, CTRL = [9, 10, 33, 92, 166], [12, 18, 40, 95, 135]


@st.composite
def arms(draw: st.DrawFn, most: int = 12) -> tuple[list[int], list[int]]:
    levels = draw(st.integers(1, 6))
    counts = st.lists(st.integers(0, most), min_size=levels, max_size=levels).filter(sum)
    return draw(counts), draw(counts)


def each(counts: list[int]) -> np.ndarray:
    return np.repeat(np.arange(1, len(counts) + 1), counts)


def test_the_odds_ratio_is_the_one_of_r() -> None:
    # MASS::polr and ordinal::clm on the same counts.
    found = compare_levels(TREAT, CTRL)
    assert math.log(found.odds_ratio) == pytest.approx(0.36734079513098, rel=1e-6)
    assert found.standard_error == pytest.approx(0.15284429486998, rel=1e-6)
    assert (found.p_value, found.p_method) == (pytest.approx(0.016049855380848, rel=1e-6), "likelihood-ratio")


def test_ranks_are_compared_as_scipy_does() -> None:
    found = compare_levels(TREAT, CTRL)
    one, two = each(TREAT), each(CTRL)
    assert found.u_treat == stats.mannwhitneyu(one, two).statistic
    assert found.p_mann_whitney == pytest.approx(stats.mannwhitneyu(one, two, use_continuity=False).pvalue)
    assert found.p_mann_whitney_corrected == pytest.approx(stats.mannwhitneyu(one, two).pvalue)
    assert found.p_brunner_munzel == pytest.approx(stats.brunnermunzel(one, two).pvalue)
    assert found.p_mean == pytest.approx(stats.ttest_ind(one, two, equal_var=False).pvalue)


def test_housing_satisfaction_is_the_published_one_in_a_small_part() -> None:
    # Two levels: proportional odds is logistic regression, whose two-arm answer is the odds ratio of the table.
    fit = proportional_odds([[1.0], [0.0]], [[10, 30], [20, 20]])
    assert fit.coefficients[0] == pytest.approx(math.log(3))
    assert math.sqrt(fit.covariance[-1, -1]) == pytest.approx(math.sqrt(1 / 10 + 1 / 30 + 1 / 20 + 1 / 20))
    assert fit.thresholds[0] == pytest.approx(0, abs=1e-9)


def test_the_interval_ends_where_the_likelihood_has_fallen_by_the_limit() -> None:
    found = compare_levels(TREAT, CTRL)
    counts = np.vstack([TREAT, CTRL])

    def best(shift: float) -> float:
        # By brute force over the four thresholds.
        def minus(cut: np.ndarray) -> float:
            below = np.r_[0, 1 / (1 + np.exp(-np.cumsum(np.r_[cut[0], np.exp(cut[1:])]))), 1]
            other = np.r_[0, 1 / (1 + np.exp(shift - np.cumsum(np.r_[cut[0], np.exp(cut[1:])]))), 1]
            return -float(counts[1] @ np.log(np.diff(below)) + counts[0] @ np.log(np.diff(other)))

        return optimize.minimize(minus, [-3.0, 0, 0, 0], method="BFGS").fun

    top = best(math.log(found.odds_ratio))
    for end in (found.odds_ratio_interval.low, found.odds_ratio_interval.high):
        assert 2 * (best(math.log(end)) - top) == pytest.approx(stats.chi2.isf(0.05, 1), rel=1e-4)


def test_few_answers_are_permuted_exactly() -> None:
    treat, ctrl = [0, 1, 3], [2, 2, 0]
    pooled = stats.rankdata(np.r_[each(treat), each(ctrl)])
    sums = np.array([pooled[list(way)].sum() for way in combinations(range(8), 4)])
    p = np.mean(np.abs(sums - 18) >= abs(pooled[:4].sum() - 18) - 1e-9)
    found = compare_levels(treat, ctrl)
    assert (found.p_value, found.p_method) == (pytest.approx(p), "permutation")


def test_many_levels_and_answers_are_permuted_by_draws_that_repeat() -> None:
    treat, ctrl = [3, 1, 2, 2, 1, 3, 2, 2, 4, 5, 4], np.random.default_rng(4).integers(400, 900, 11)
    found = compare_levels(treat, ctrl, seed=3)
    assert found == compare_levels(treat, ctrl, seed=3)
    assert found.p_method == "permutation"
    assert found.p_value == pytest.approx(found.p_mann_whitney, abs=0.03)


@settings(max_examples=80)
@given(arms())
def test_there_is_always_an_answer_and_it_agrees_with_itself(both) -> None:
    found = compare_levels(*both)
    for p in (found.p_value, found.p_likelihood_ratio, found.p_wald, found.p_mann_whitney, found.p_brunner_munzel, found.p_mean):
        assert 0 <= p <= 1
    assert found.odds_ratio in found.odds_ratio_interval
    assert found.superiority in found.superiority_interval
    assert found.mean_difference in found.mean_interval
    assert found.implied_interval.low - 1e-9 <= found.implied_difference <= found.implied_interval.high + 1e-9
    assert found.p_value <= 0.05 or 1.0 in found.odds_ratio_interval
    assert found.proportionality_p is None or 0 <= found.proportionality_p <= 1


@settings(max_examples=40)
@given(arms())
def test_swapping_the_arms_turns_the_answer_round(both) -> None:
    one, other = compare_levels(*both), compare_levels(both[1], both[0])
    assert one.p_value == pytest.approx(other.p_value, rel=1e-6)
    assert one.superiority == pytest.approx(1 - other.superiority)
    if 0 < one.odds_ratio < math.inf:
        assert one.odds_ratio * other.odds_ratio == pytest.approx(1, rel=1e-5)
    low = one.odds_ratio_interval.low
    assert other.odds_ratio_interval.high == pytest.approx(1 / low if low else math.inf, rel=1e-3)


@settings(max_examples=30)
@given(arms())
def test_an_empty_level_changes_nothing_but_the_marks(both) -> None:
    treat, ctrl = both
    one, other = compare_levels(treat, ctrl), compare_levels([*treat, 0], [*ctrl, 0])
    assert (one.odds_ratio, one.superiority) == (other.odds_ratio, other.superiority)
    assert one.p_value == pytest.approx(other.p_value)


def test_arms_that_do_not_overlap_have_an_infinite_ratio_open_on_that_side() -> None:
    found = compare_levels([0, 0, 40], [20, 25, 0])
    assert found.odds_ratio == found.odds_ratio_interval.high == math.inf
    assert found.odds_ratio_interval.low > 20
    assert found.p_value < 1e-10
    assert found.superiority == 1
    assert found.superiority_interval.low < 1
    assert found.implied_difference == pytest.approx(found.mean_difference, abs=1e-6)
    turned = compare_levels([20, 25, 0], [0, 0, 40])
    assert turned.odds_ratio == 0
    assert turned.odds_ratio_interval.low == 0
    assert turned.odds_ratio_interval.high == pytest.approx(1 / found.odds_ratio_interval.low, rel=1e-3)


def test_one_level_only_differs_in_nothing() -> None:
    found = compare_levels([0, 50, 0], [0, 40, 0])
    assert (found.odds_ratio, found.p_value, found.superiority, found.implied_difference) == (1.0, 1.0, 0.5, 0.0)
    assert found.odds_ratio_interval.high == math.inf
    assert found.proportionality_p is None


def test_the_implied_difference_is_the_real_one_where_the_odds_are_proportional() -> None:
    # Shares shifted exactly by an odds ratio of 2, in large numbers.
    ctrl = np.array([0.1, 0.2, 0.3, 0.4])
    below = np.cumsum(ctrl)[:-1]
    treat = np.diff(np.r_[0, below / (below + 2 * (1 - below)), 1])
    found = compare_levels(np.rint(treat * 1e6).astype(int), np.rint(ctrl * 1e6).astype(int), marks=[0, 1, 3, 10])
    assert found.odds_ratio == pytest.approx(2, rel=1e-4)
    assert found.implied_difference == pytest.approx(found.mean_difference, rel=1e-3)
    assert found.proportionality_p > 0.5


def test_odds_that_are_not_proportional_are_seen() -> None:
    # The same middle, but the treatment divides people.
    assert compare_levels([60, 30, 20, 30, 60], [20, 50, 60, 50, 20]).proportionality_p < 1e-6


@pytest.mark.parametrize(
    ("treat", "ctrl", "marks", "why"),
    [
        ([0, 0], [1, 2], None, "The treatment arm has no answer"),
        ([1, 2], [1, 2, 3], None, "2 levels in one arm and 3 in the other"),
        ([1, -2], [1, 2], None, "answers of the treatment arm must be counts"),
        ([1, 2], [1, 2.5], None, "answers of the control arm must be counts"),
        ([1, 2], [1, 2], [1], "1 marks for 2 levels"),
        ([1, 2], [1, 2], [2, 1], "The marks must rise"),
    ],
)
def test_impossible_answers_are_refused_in_a_sentence(treat, ctrl, marks, why) -> None:
    with pytest.raises(ValueError, match=why):
        compare_levels(treat, ctrl, marks=marks)


@pytest.mark.parametrize(
    ("design", "counts", "why"),
    [
        ([[1.0], [0.0]], [[1, 2], [3, 4], [5, 6]], "the same in both"),
        ([[1.0], [0.0]], [[1, 0, 2], [3, 0, 4]], "leave out the empty ones"),
        ([[1.0], [1.0]], [[1, 2], [3, 4]], "its coefficient cannot be told"),
        ([[1.0], [0.0]], [[1, 2], [-3, 4]], "A count is negative"),
    ],
)
def test_an_impossible_regression_is_refused_in_a_sentence(design, counts, why) -> None:
    with pytest.raises(ValueError, match=why):
        proportional_odds(design, counts)
