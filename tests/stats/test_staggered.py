"""Staggered roll-outs: group-time effects by hand, two ways to choose controls, and why two-way fixed effects only warn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrique.stats.staggered import staggered_differences

SEVEN = [
    [62.55, 62.92, 64.88, 66.72, 69.03, 70.26, 72.6],
    [64.31, 65.46, 67.12, 68.92, 70.63, 72.95, 75.1],
    [62.03, 63.48, 63.8, 62.07, 64.57, 67.6, 69.45],
    [54.13, 54.63, 56.27, 54.83, 57.27, 60.73, 61.89],
    [65.4, 65.19, 65.01, 66.6, 67.07, 66.76, 67.59],
    [62.66, 62.63, 63.64, 64.26, 64.72, 64.9, 66.06],
    [58.33, 58.49, 58.31, 59.74, 59.5, 60.83, 60.16],
]
ADOPTED = [3, 3, 5, 5, 0, 0, 0]


def roll_out(rng, first, periods=8, effect=0.0):
    first = np.asarray(first)
    y = rng.normal(size=(len(first), periods)) + 3 * rng.normal(size=(len(first), 1)) + 0.3 * np.arange(periods)
    return y + effect * ((np.arange(1, periods + 1) >= first[:, None]) & (first[:, None] > 0))


def test_group_time_effects_are_differences_of_differences_with_those_who_never_adopt():
    y = np.array(SEVEN)
    result = staggered_differences(y, ADOPTED)
    effects = {(effect.group, effect.period): effect.estimate for effect in result.group_time}
    by_hand = (y[2:4, 6].mean() - y[2:4, 3].mean()) - (y[4:, 6].mean() - y[4:, 3].mean())
    assert effects[5, 7] == pytest.approx(by_hand)
    assert len(effects) == 8
    assert result.att == pytest.approx(np.mean(list(effects.values())))
    assert result.att == pytest.approx(4.220416666666667)
    assert result.twfe == pytest.approx(2.973488372093024)
    assert (result.exact, result.assignments, result.p_value) == (True, 210, pytest.approx(1 / 210))
    assert (result.units_treat, result.units_never, result.control) == (4, 3, "never")


def test_the_average_weighs_groups_by_their_size():
    y = np.zeros((6, 3))
    y[0, 2], y[1:4, 2] = 8.0, 4.0
    y[1:4, 1] = 4.0
    result = staggered_differences(y, [3, 2, 2, 2, 0, 0])
    assert result.att == pytest.approx((8 * 1 + 4 * 3 + 4 * 3) / 7)


def test_those_who_have_not_adopted_yet_serve_where_all_will():
    y = np.array(SEVEN)[:4]
    result = staggered_differences(y, ADOPTED[:4])
    assert result.control == "not-yet"
    assert [(effect.group, effect.period) for effect in result.group_time] == [(3, 3), (3, 4)]
    by_hand = (y[:2, 3].mean() - y[:2, 1].mean()) - (y[2:, 3].mean() - y[2:, 1].mean())
    assert result.group_time[1].estimate == pytest.approx(by_hand)
    assert "too few orders" in result.note
    assert result.interval.high == math.inf


def test_effects_that_grow_turn_two_way_fixed_effects_the_wrong_way_round():
    """Every group gains one more point each period; the plain regression takes early adopters for controls."""
    first = np.repeat([2, 5, 9], 3)
    since = np.arange(1, 10) - first[:, None] + 1
    result = staggered_differences(np.where(since > 0, since**2, 0).astype(float), first, control="not-yet")
    assert result.att > 5
    assert result.twfe < 0


def test_the_event_study_reads_by_time_since_adoption():
    result = staggered_differences(roll_out(np.random.default_rng(1), np.repeat([3, 5, 0], 8), effect=4), np.repeat([3, 5, 0], 8))
    assert [point.relative for point in result.event_study] == [-4, -3, -2, 0, 1, 2, 3, 4, 5]
    assert all(4 in point.interval for point in result.event_study if point.relative >= 0)
    assert 4 in result.interval
    assert result.p_value < 0.001


def test_a_rise_that_began_before_adoption_is_seen_in_the_leads():
    first = np.repeat([4, 6, 0], 8)
    y = roll_out(np.random.default_rng(2), first) + np.arange(8) * 1.5 * (first[:, None] > 0)
    assert staggered_differences(y, first).pretrend_p < 0.01
    assert staggered_differences(roll_out(np.random.default_rng(2), first, effect=5), first).pretrend_p > 0.01


@pytest.mark.parametrize("first", [[3, 3, 5, 5, 0, 0, 0], [3, 3, 4, 4, 6, 6, 7]])
def test_chance_is_called_an_effect_one_time_in_twenty(first):
    rng = np.random.default_rng(3)
    found = [staggered_differences(roll_out(rng, rng.permutation(first)), first).p_value <= 0.05 for _ in range(300)]
    assert np.mean(found) <= 0.085


def test_an_interval_holds_an_effect_that_is_there():
    rng = np.random.default_rng(4)
    first = [3, 3, 5, 5, 0, 0, 0, 0]
    held = [2.0 in staggered_differences(roll_out(rng, first, effect=2.0), first).interval for _ in range(200)]
    assert np.mean(held) >= 0.91


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.1, 50), st.permutations([2, 2, 4, 0, 0, 5]))
def test_the_unit_of_measure_does_not_matter_and_the_interval_holds_the_effect(seed, scale, first):
    y = roll_out(np.random.default_rng(seed), first, periods=5)
    one, other = staggered_differences(y, first), staggered_differences(-scale * y + 9, first)
    assert other.att == pytest.approx(-scale * one.att, abs=1e-9)
    assert other.p_value == pytest.approx(one.p_value)
    assert one.att in one.interval
    assert 0 < one.p_value <= 1


def test_one_group_is_an_ordinary_difference_in_differences():
    y = roll_out(np.random.default_rng(5), [4] * 3 + [0] * 5)
    result = staggered_differences(y, [4] * 3 + [0] * 5)
    change = y[:, 3:].mean(axis=1) - y[:, 2]
    assert result.att == pytest.approx(change[:3].mean() - change[3:].mean())


def test_many_units_are_shuffled_with_a_seed():
    first = np.repeat([3, 5, 7, 0], 10)
    y = roll_out(np.random.default_rng(6), first)
    one, again = staggered_differences(y, first, seed=4), staggered_differences(y, first, seed=4)
    assert (one.p_value, one.interval) == (again.p_value, again.interval)
    assert (one.exact, one.assignments) == (False, 10_000)


def test_units_that_cannot_be_compared_are_left_out_and_counted():
    y = np.array([*SEVEN, [1.0] * 7, [math.nan, *[1.0] * 6]])
    result = staggered_differences(y, [*ADOPTED, 1, 0])
    assert result.left_out == 2
    assert result.att == pytest.approx(4.220416666666667)


def test_an_adoption_after_the_last_period_is_none_and_labels_may_be_years():
    years = list(range(2019, 2026))
    later = staggered_differences(SEVEN, [2021, 2021, 2023, 2023, 2030, 0, 2030], years)
    assert later.att == pytest.approx(4.220416666666667)
    assert later.group_time[0].group == 2021


def test_nothing_that_moves_gives_no_effect_for_sure():
    result = staggered_differences(np.full((7, 7), 0.1) + np.arange(7)[:, None] * 0.1, ADOPTED)
    assert (result.att, result.p_value) == (pytest.approx(0), 1)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: staggered_differences(SEVEN, [0] * 7), "no group can be compared"),
        (lambda: staggered_differences(SEVEN, [3] * 7), "no group can be compared"),
        (lambda: staggered_differences(SEVEN, [1] * 7), "no unit"),
        (lambda: staggered_differences(SEVEN, [3]), "1 adoption dates"),
        (lambda: staggered_differences(SEVEN, ADOPTED, [1, 2]), "2 labels for 7 periods"),
        (lambda: staggered_differences(SEVEN, ADOPTED, [1, 2, 3, 4, 5, 5, 6]), "increase"),
        (lambda: staggered_differences([[math.inf, 1]], [2]), "infinite"),
        (lambda: staggered_differences(SEVEN, ADOPTED, alpha=1), "alpha"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
