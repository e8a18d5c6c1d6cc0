"""Comparisons of clusters: what few of them can and cannot say, and that many people never stand in for them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrique.stats.clusters import cluster_robust_error, compare_clusters, intraclass_correlation, unclustered_error


def draw(rng, treat, ctrl, icc=0.05, size=12):
    """Clusters of uneven size, of which the first `treat` are treated, with no effect."""
    label = np.repeat(np.arange(treat + ctrl), rng.integers(2, 2 * size, treat + ctrl))
    y = rng.normal(size=treat + ctrl)[label] * math.sqrt(icc) + rng.normal(size=len(label)) * math.sqrt(1 - icc)
    return y, (label < treat).astype(int), label


def test_three_clusters_a_side_can_never_reach_five_per_cent():
    """Twenty arrangements: the rarest has p = 0.1, and no bound at 95 % can honestly be drawn."""
    y = np.repeat([10, 11, 12, 1, 2, 3], 50) + np.tile([0.0, 0.1], 150)
    result = compare_clusters(y, np.repeat([1, 0], 150), np.repeat(np.arange(6), 50))
    assert result.method == "permutation"
    assert result.p_value == pytest.approx(0.1)
    assert result.interval.high == math.inf
    assert "too few clusters" in result.note
    assert compare_clusters(y, np.repeat([1, 0], 150), np.repeat(np.arange(6), 50), alpha=0.2).note is None


def test_five_clusters_a_side_are_permuted_and_bounded():
    y, arm, label = draw(np.random.default_rng(0), 5, 5)
    result = compare_clusters(y, arm, label)
    assert (result.method, result.note, result.df) == ("permutation", None, None)
    assert math.isfinite(result.interval.low)
    assert math.isfinite(result.interval.high)


def test_a_few_dozen_clusters_are_compared_by_their_means():
    y, arm, label = draw(np.random.default_rng(1), 8, 12)
    result = compare_clusters(y, arm, label)
    means = np.array([y[label == g].mean() for g in range(20)])
    assert result.method == "cluster-means-t"
    assert result.difference == pytest.approx(means[:8].mean() - means[8:].mean())
    assert result.standard_error == pytest.approx(math.sqrt(means[:8].var(ddof=1) / 8 + means[8:].var(ddof=1) / 12))


def test_many_clusters_are_compared_by_people_with_cr1_errors():
    y, arm, label = draw(np.random.default_rng(2), 25, 25)
    result = compare_clusters(y, arm, label)
    assert result.method == "cr1"
    assert result.difference == pytest.approx(y[arm == 1].mean() - y[arm == 0].mean())
    assert result.standard_error == pytest.approx(sandwich(y, arm, label))
    assert 30 < result.df <= 48


def test_few_clusters_on_one_side_are_never_left_to_a_sandwich():
    y, arm, label = draw(np.random.default_rng(3), 7, 60)
    assert compare_clusters(y, arm, label).method == "cluster-means-t"


def sandwich(y, arm, label):
    """CR1 written out with matrices."""
    x = np.column_stack([np.ones(len(y)), arm])
    bread = np.linalg.inv(x.T @ x)
    residual = y - x @ (bread @ x.T @ y)
    groups = np.unique(label)
    meat = sum(np.outer(s, s) for s in ((x[label == g].T @ residual[label == g]) for g in groups))
    scale = len(groups) / (len(groups) - 1) * (len(y) - 1) / (len(y) - 2)
    return math.sqrt(scale * (bread @ meat @ bread)[1, 1])


def test_an_arm_drawn_inside_clusters_is_legal():
    rng = np.random.default_rng(4)
    y, _, label = draw(rng, 15, 15, icc=0.3)
    arm = rng.integers(0, 2, len(y))
    result = compare_clusters(y, arm, label)
    assert (result.method, result.within) == ("cr1", True)
    assert result.standard_error == pytest.approx(sandwich(y, arm, label))
    few = label < 4
    inside = compare_clusters(y[few], arm[few], label[few])
    assert (inside.method, inside.within) == ("permutation", True)


def test_one_cluster_that_holds_both_arms_is_an_ordinary_permutation():
    result = compare_clusters([1.0, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], ["a"] * 6, alpha=0.1)
    assert result.p_value == pytest.approx(0.1)
    assert result.icc is None


def test_the_correlation_inside_clusters_is_that_of_a_worked_analysis_of_variance():
    """Three clusters of three, by hand: MSB 27, MSW 1, so (27 - 1) / (27 + 2)."""
    assert intraclass_correlation([1, 2, 3, 4, 5, 6, 7, 8, 9], np.repeat([1, 2, 3], 3)) == pytest.approx(26 / 29)


def test_the_correlation_is_found_again_and_an_effect_of_the_arm_does_not_pass_for_it():
    rng = np.random.default_rng(6)
    y, arm, label = draw(rng, 300, 300, icc=0.2)
    result = compare_clusters(y + 5 * arm, arm, label)
    assert result.icc == pytest.approx(0.2, abs=0.03)
    assert result.design_effect > 3


@pytest.mark.parametrize(("treat", "ctrl"), [(4, 5), (6, 9), (12, 12), (7, 40), (22, 22)])
def test_chance_alone_is_called_an_effect_one_time_in_twenty(treat, ctrl):
    rng = np.random.default_rng(7)
    assert np.mean([compare_clusters(*draw(rng, treat, ctrl)).p_value <= 0.05 for _ in range(600)]) < 0.078


def test_a_fair_interval_holds_an_effect_that_is_there():
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(300):
        y, arm, label = draw(rng, 5, 6, icc=0.1)
        held += 0.7 in compare_clusters(y + 0.7 * arm, arm, label).interval
    assert held / 300 > 0.92


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 25), st.integers(1, 25), st.integers(0, 10**6), st.floats(0.1, 50))
def test_swapping_the_arms_flips_the_sign_and_the_unit_does_not_matter(treat, ctrl, seed, scale):
    y, arm, label = draw(np.random.default_rng(seed), treat, ctrl)
    one, other = compare_clusters(y, arm, label), compare_clusters(scale * y + 3, 1 - arm, label)
    assert other.difference == pytest.approx(-scale * one.difference, abs=1e-9)
    assert 0 < one.p_value <= 1
    if treat + ctrl < 14:  # drawn permutations depend on which arm is drawn
        assert other.p_value == pytest.approx(one.p_value)
    assert one.difference in one.interval


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 1), st.integers(0, 9)), min_size=2, max_size=40))
def test_there_is_always_an_answer_as_long_as_both_arms_hold_somebody(people):
    y, arm, label = zip(*people, strict=True)
    if len(set(arm)) < 2:
        return
    result = compare_clusters(y, arm, label)
    assert 0 <= result.p_value <= 1
    assert result.difference in result.interval
    assert not math.isnan(result.interval.low)
    assert result.n_treat + result.n_ctrl == len(y)


def test_nobody_differs_so_nothing_is_found():
    for clusters in (6, 20, 60):
        label = np.repeat(np.arange(clusters), 4)
        result = compare_clusters(np.full(len(label), 0.3), label % 2, label)
        assert result.p_value == 1
        assert (result.difference, result.icc) == (pytest.approx(0), 0)


def test_arms_that_differ_without_any_spread_are_different_for_sure():
    label = np.repeat(np.arange(20), 3)
    result = compare_clusters((label % 2).astype(float), label % 2, label)
    assert (result.difference, result.p_value) == (1, 0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: compare_clusters([1, 2], [0], [1, 2]), "2 outcomes, 1 arms and 2 clusters"),
        (lambda: compare_clusters([1, math.nan], [0, 1], [1, 2]), "missing"),
        (lambda: compare_clusters([1, 2], [0, 3], [1, 2]), "neither 0"),
        (lambda: compare_clusters([1, 2], [1, 1], [1, 2]), "one arm"),
        (lambda: compare_clusters([1, 2], [1, 0], [1, 2], alpha=2), "alpha"),
        (lambda: cluster_robust_error([1, 2, 3], [1, 0, 0], [1, 1, 1]), "two clusters"),
        (lambda: unclustered_error([1, 2, 3], [1, 0, 0]), "one person"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
