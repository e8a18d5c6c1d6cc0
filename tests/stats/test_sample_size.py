"""Sizes of trials: published tables, simulated power, and what n people can see."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.stats.means import Moments
from fabrique.stats.proportions import pooled_z
from fabrique.stats.sample_size import (
    clusters_size,
    detectable_mean,
    detectable_odds_ratio,
    detectable_proportion,
    detectable_rate,
    levels_size,
    means_power,
    means_size,
    proportions_power,
    proportions_size,
    rates_size,
    remaining_sample,
    shifted_shares,
    whole,
)

rates = st.floats(0.02, 0.98)
powers = st.sampled_from([0.5, 0.8, 0.95])
ratios = st.sampled_from([0.25, 1.0, 3.0])


def test_fleiss_tables_are_found_again() -> None:
    size = proportions_size(0.1, 0.2)
    assert (whole(size.n), whole(size.n_continuity)) == (199, 219)
    assert proportions_size(0.5, 0.75, power=0.9).n == pytest.approx(76.7, abs=0.01)  # R's help page of power.prop.test
    assert proportions_power(0.5, 0.75, 50) == pytest.approx(0.7401659, abs=1e-6)


def test_student_sizes_are_those_of_r() -> None:
    assert means_size(1, 1, power=0.9) == pytest.approx(22.0211, abs=2e-5)
    assert means_size(0.25, 1.1) == pytest.approx(304.872, abs=1e-3)


@given(rates, rates, powers, ratios)
def test_the_size_gives_the_power_it_was_asked_for(one, other, power, ratio) -> None:
    if abs(one - other) < 0.01:
        return
    n = proportions_size(one, other, power=power, ratio=ratio).n
    assert proportions_power(one, other, n, ratio=ratio) == pytest.approx(power, abs=1e-9)
    assert n * (1 + ratio) == pytest.approx(
        proportions_size(other, one, power=power, ratio=1 / ratio).n * (1 + 1 / ratio), rel=1e-9
    )


@given(rates, st.integers(30, 5000), powers, ratios, st.sampled_from(["higher", "lower"]))
def test_what_can_be_seen_of_a_rate_needs_just_those_people(rate, n, power, ratio, better) -> None:
    gap = detectable_proportion(rate, n, better=better, power=power, ratio=ratio)
    if gap is None:
        edge = 1.0 if better == "higher" else 0.0
        assert proportions_power(rate, edge, n, ratio=ratio) < power
    else:
        assert proportions_size(
            rate, rate + gap if better == "higher" else rate - gap, power=power, ratio=ratio
        ).n == pytest.approx(n)


def test_the_planned_power_is_met_by_simulation() -> None:
    rng = np.random.default_rng(0)
    n = whole(proportions_size(0.6, 0.68, ratio=2).n)
    treat, ctrl = rng.binomial(2 * n, 0.68, 20_000), rng.binomial(n, 0.6, 20_000)
    assert np.mean(pooled_z(treat, 2 * n, ctrl, n)[1] <= 0.05) == pytest.approx(0.8, abs=0.012)


@given(st.floats(0.05, 3), powers, ratios)
def test_what_can_be_seen_of_a_mean_needs_just_those_values(delta, power, ratio) -> None:
    n = means_size(delta, 1.3, power=power, ratio=ratio)
    if n > max(2, 2 / ratio):
        assert means_power(delta, 1.3, n, ratio=ratio) == pytest.approx(power, abs=1e-8)
        assert detectable_mean(1.3, n, power=power, ratio=ratio) == pytest.approx(delta, rel=1e-6)


def test_enormous_effects_and_trials_are_no_trouble() -> None:
    assert means_size(100, 1) == 2
    assert means_power(1, 1, 1e6) == 1
    assert means_size(0.001, 1) == pytest.approx(15_697_761, rel=1e-4)
    assert proportions_size(0.0, 1.0).n < 4
    assert proportions_power(0.0, 1.0, 50) == 1
    assert detectable_mean(1.0, 1.0) is None


def test_levels_need_the_answers_of_whitehead() -> None:
    size = levels_size([0.07, 0.08, 0.15, 0.25, 0.45], 1.4)
    assert size.n == pytest.approx(481.518, abs=1e-3)
    assert sum(size.shares_treat) == pytest.approx(1)
    # Two levels, equal arms: the same as comparing two proportions on the scale of log odds.
    assert levels_size([0.5, 0.5], 1.5, ratio=2).n * 3 == pytest.approx(levels_size([0.5, 0.5], 1 / 1.5, ratio=2).n * 3)


@given(st.floats(1.05, 5), ratios)
def test_what_can_be_seen_of_levels_needs_just_those_answers(odds, ratio) -> None:
    shares = [0.1, 0.2, 0.3, 0.4]
    n = levels_size(shares, odds, ratio=ratio).n
    assert detectable_odds_ratio(shares, n, ratio=ratio) == pytest.approx(odds, rel=1e-6)
    n = levels_size(shares, 1 / odds, ratio=ratio).n
    assert detectable_odds_ratio(shares, n, better="lower", ratio=ratio) == pytest.approx(1 / odds, rel=1e-6)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=7).filter(sum), st.floats(0.1, 10))
def test_shares_shifted_there_and_back_are_the_same(counts, odds) -> None:
    shares = (np.array(counts) / sum(counts)).tolist()
    assert shifted_shares(shifted_shares(shares, odds), 1 / odds) == pytest.approx(shares, abs=1e-9)


def test_what_can_be_seen_of_events_needs_just_that_exposure() -> None:
    exposure = rates_size(0.02, 0.03, ratio=2)
    assert detectable_rate(0.02, exposure, ratio=2) == pytest.approx(0.01)
    assert detectable_rate(0.03, rates_size(0.03, 0.02), better="lower") == pytest.approx(0.01)
    assert detectable_rate(0.0, 100, better="lower") is None
    assert detectable_rate(0.0, 100) > 0


def test_clusters_ask_for_more_people() -> None:
    found = clusters_size(564, 20, 0.05)
    assert (found.design_effect, found.n, found.clusters) == (pytest.approx(1.95), pytest.approx(1099.8), 55)
    assert clusters_size(564, 20, 0.05, size_variation=0.6).design_effect > 1.95
    assert clusters_size(10, 1, 0.4).design_effect == 1


def test_half_way_through_it_says_what_growthbook_says() -> None:
    ctrl, treat = Moments(500, 500.0, 1500.0), Moments(500, 525.0, 1551.25)
    assert remaining_sample(treat, ctrl, 0.05).scaling_factor == pytest.approx(25.457, rel=1e-3)
    assert remaining_sample(treat, ctrl, 0.05, n_star=5000).scaling_factor == pytest.approx(55.668, rel=1e-3)
    assert remaining_sample(treat, ctrl, 5.0).scaling_factor == 0
    assert remaining_sample(treat, ctrl, -0.05).scaling_factor == remaining_sample(treat, ctrl, 0.05).scaling_factor


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: proportions_size(0.4, 0.4), "no number of people tells equal rates apart"),
        (lambda: proportions_size(40, 0.4), "A rate of 40: it must lie between 0 and 1"),
        (lambda: proportions_size(0.4, 0.5, alpha=5), "An alpha of 5"),
        (lambda: proportions_size(0.4, 0.5, ratio=0), "A ratio of 0 between the arms"),
        (lambda: proportions_power(0.4, 0.5, 0), "0 in an arm: there must be some"),
        (lambda: means_size(0, 1), "A difference of 0"),
        (lambda: means_size(1, 0), "A standard deviation of 0"),
        (lambda: levels_size([0.5, 0.6], 2), "add to 1"),
        (lambda: levels_size([0.5, 0.5], 1), "An odds ratio of 1 shifts nothing"),
        (lambda: levels_size([0.0, 1.0], 2), "Everybody is planned to answer the same"),
        (lambda: levels_size([0.5, 0.5], -1), "An odds ratio of -1"),
        (lambda: rates_size(1, 1), "they must differ"),
        (lambda: clusters_size(100, 0.5, 0.1), "A cluster holds one person at least"),
        (lambda: remaining_sample(Moments.of([1, 2]), Moments.of([1, 2]), 0), "A lift of 0"),
        (lambda: remaining_sample(Moments.of([1, 1]), Moments.of([1, 1]), 0.1), "has no standard error"),
    ],
)
def test_impossible_plans_are_refused_in_a_sentence(call, why) -> None:
    with pytest.raises(ValueError, match=why):
        call()


def test_nothing_can_be_seen_where_nothing_can_move() -> None:
    assert detectable_proportion(1.0, 100) is None
    assert detectable_proportion(0.5, 2) is None
    assert detectable_odds_ratio([0.0, 1.0], 100) is None
    assert math.isclose(detectable_proportion(0.0, 100), 0.0, abs_tol=0.1)
