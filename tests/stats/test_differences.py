"""Difference in differences: a published case, brute force with dummies, and honesty with one treated unit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrique.stats.differences import difference_in_differences


def panel(rng, treat, ctrl, periods=8, adoption=5, effect=0.0, trend=0.0, carry=0.5):
    """Units with levels of their own and errors that carry over; the first `treat` adopt."""
    size = treat + ctrl
    errors = rng.normal(size=(size, periods))
    for t in range(1, periods):
        errors[:, t] = carry * errors[:, t - 1] + math.sqrt(1 - carry**2) * errors[:, t]
    unit, period = np.indices((size, periods))
    treated = (unit < treat) & (period >= adoption)
    y = errors + 3 * rng.normal(size=(size, 1)) + 0.4 * period + effect * treated + trend * period * (unit < treat)
    return y, unit, period, treated.astype(int)


def test_two_units_and_two_periods_are_the_difference_of_differences():
    result = difference_in_differences([10, 13, 20, 29], ["a", "a", "b", "b"], [1, 2, 1, 2], [0, 0, 0, 1])
    assert result.att == pytest.approx((29 - 20) - (13 - 10))
    assert result.p_value == 1
    assert (result.interval.low, result.interval.high) == (-math.inf, math.inf)
    assert "too few units" in result.note
    assert result.se_ols is None
    assert result.pretrend_p is None


def test_one_treated_unit_of_twenty_seven_is_judged_by_the_twenty_six_others():
    """The share of units whose placebo effect is as large, the treated one included."""
    y, unit, period, treated = panel(np.random.default_rng(1), 1, 26)
    result = difference_in_differences(y, unit, period, treated)
    effects = []
    for chosen in range(27):
        change = y[:, 5:].mean(axis=1) - y[:, :5].mean(axis=1)
        effects.append(change[chosen] - np.delete(change, chosen).mean())
    assert result.method == "placebo"
    assert result.p_value == pytest.approx(np.mean(np.abs(effects) >= abs(effects[0])))
    assert result.assignments == 27
    assert math.isfinite(result.interval.high)
    assert result.att in result.interval


def test_a_huge_effect_on_one_unit_has_the_smallest_p_there_is():
    y, unit, period, treated = panel(np.random.default_rng(2), 1, 24, effect=50)
    result = difference_in_differences(y, unit, period, treated)
    assert result.p_value == pytest.approx(1 / 25)
    assert 50 in result.interval
    assert 0 not in result.interval


@pytest.mark.parametrize("kept", [1.0, 0.75])
def test_the_effect_is_that_of_a_regression_with_a_dummy_for_each_unit_and_period(kept):
    rng = np.random.default_rng(3)
    y, unit, period, treated = panel(rng, 4, 9, effect=2)
    keep = rng.random(y.shape) < kept
    y, unit, period, treated = y[keep], unit[keep], period[keep], treated[keep]
    dummies = [treated, *(unit == u for u in np.unique(unit)), *(period == p for p in np.unique(period)[1:])]
    x = np.column_stack(dummies).astype(float)
    coefficients = np.linalg.lstsq(x, y, rcond=None)[0]
    residual = y - x @ coefficients
    bread = np.linalg.inv(x.T @ x)
    scores = np.array([x[unit == u].T @ residual[unit == u] for u in np.unique(unit)])
    scale = 13 / 12 * (len(y) - 1) / (len(y) - x.shape[1])
    result = difference_in_differences(y, unit, period, treated)
    assert result.att == pytest.approx(coefficients[0])
    assert result.se_ols == pytest.approx(math.sqrt(residual @ residual / (len(y) - x.shape[1]) * bread[0, 0]))
    assert result.se_cluster == pytest.approx(math.sqrt(scale * (bread @ scores.T @ scores @ bread)[0, 0]))


def test_many_units_on_both_sides_are_compared_by_their_own_changes():
    """In a full panel the effect's t is Welch's t of the mean changes."""
    y, unit, period, treated = panel(np.random.default_rng(4), 12, 18, effect=1)
    result = difference_in_differences(y, unit, period, treated)
    change = y[:, 5:].mean(axis=1) - y[:, :5].mean(axis=1)
    assert result.method == "cluster-t"
    assert result.att == pytest.approx(change[:12].mean() - change[12:].mean())
    assert result.standard_error == pytest.approx(math.sqrt(change[:12].var(ddof=1) / 12 + change[12:].var(ddof=1) / 18))


@pytest.mark.parametrize(("treat", "ctrl"), [(1, 19), (3, 8), (10, 12), (10, 40)])
def test_chance_is_called_an_effect_one_time_in_twenty(treat, ctrl):
    rng = np.random.default_rng(5)
    found = [difference_in_differences(*panel(rng, treat, ctrl), seed=s).p_value <= 0.05 for s in range(250)]
    assert np.mean(found) <= 0.085


def test_an_earlier_start_of_the_rise_is_seen_before_the_change():
    rising = difference_in_differences(*panel(np.random.default_rng(6), 15, 15, trend=1.5))
    assert rising.pretrend_difference == pytest.approx(1.5, abs=0.5)
    assert rising.pretrend_p < 0.01
    assert difference_in_differences(*panel(np.random.default_rng(6), 15, 15)).pretrend_p > 0.01


def test_the_event_study_starts_from_the_last_period_before():
    result = difference_in_differences(*panel(np.random.default_rng(7), 15, 15, effect=6))
    assert [point.relative for point in result.event_study] == [-5, -4, -3, -2, 0, 1, 2]
    assert all(0 in point.interval for point in result.event_study[:3])
    assert all(6 in point.interval and point.p_value < 0.01 for point in result.event_study[4:])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 8), st.integers(0, 10**6), st.floats(0.1, 50))
def test_the_unit_of_measure_does_not_matter_and_the_interval_holds_the_effect(treat, ctrl, seed, scale):
    y, unit, period, treated = panel(np.random.default_rng(seed), treat, ctrl, periods=5, adoption=3)
    one = difference_in_differences(y, unit, period, treated)
    other = difference_in_differences(-scale * y + 4, unit, period, treated)
    assert other.att == pytest.approx(-scale * one.att, abs=1e-9)
    assert other.p_value == pytest.approx(one.p_value)
    assert one.att in one.interval
    assert 0 < one.p_value <= 1


@pytest.mark.parametrize("side", [3, 12])
def test_nothing_that_moves_gives_no_effect_for_sure(side):
    unit, period = np.indices((2 * side, 6))
    result = difference_in_differences(unit + 0.1 * period, unit, period, (unit < side) & (period > 2))
    assert result.att == pytest.approx(0, abs=1e-12)
    assert result.p_value == 1


ROWS = ([1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"], [1, 2, 1, 2], [0, 0, 0, 1])


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({0: [1.0, 2.0]}, "2 values, 4 units"),
        ({0: [1.0, math.nan, 3, 4]}, "missing"),
        ({3: [0, 0, 0, 2]}, "neither 0 nor 1"),
        ({2: [1, 1, 1, 2]}, "two values in one period"),
        ({3: [0, 0, 0, 0]}, "0 of 2 units adopt"),
        ({3: [0, 1, 0, 1]}, "2 of 2 units adopt"),
        ({3: [0, 0, 1, 1]}, "from the first period"),
        ({3: [0, 0, 1, 0]}, "take it back"),
        ({1: ["a", "b", "c", "d"]}, "not both seen"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        difference_in_differences(*(changed.get(place, rows) for place, rows in enumerate(ROWS)))


def test_several_adoption_dates_are_sent_elsewhere():
    unit, period = np.indices((3, 4))
    with pytest.raises(ValueError, match="staggered"):
        difference_in_differences(unit * 1.0, unit, period, (unit == 0) & (period >= 1) | (unit == 1) & (period >= 2))
