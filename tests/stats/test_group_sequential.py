"""Bounds for looks: against the published tables, against simulation, and in every corner a calendar brings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrique.stats.group_sequential import (
    classic_bounds,
    crossing_probability,
    inflation,
    power,
    required_drift,
    spending_bounds,
)


@pytest.mark.parametrize(
    ("looks", "obf", "pocock"), [(2, 1.977, 2.178), (3, 2.004, 2.289), (5, 2.040, 2.413), (10, 2.087, 2.555)]
)
def test_classic_bounds_are_those_of_the_published_tables(looks, obf, pocock):
    """Jennison & Turnbull 2000, tables 2.1 and 2.3."""
    assert classic_bounds("obf", looks)[-1] == pytest.approx(obf, abs=6e-4)
    assert classic_bounds("obf", looks)[0] == pytest.approx(obf * math.sqrt(looks), abs=2e-3)
    assert classic_bounds("pocock", looks) == pytest.approx([pocock] * looks, abs=6e-4)


def test_spending_bounds_are_those_of_the_usual_packages():
    """ldbounds and gsDesign at five equal looks."""
    bounds = spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0])
    assert bounds.bounds_z == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=6e-4)
    assert bounds.cumulative_alpha[-1] == pytest.approx(0.05)


def test_a_single_look_at_the_end_is_an_ordinary_test():
    assert spending_bounds([1.0]).bounds_z == pytest.approx([1.959964], abs=1e-6)
    assert classic_bounds("obf", 1) == pytest.approx([1.959964], abs=1e-6)
    assert inflation("pocock", 1) == pytest.approx(1, abs=1e-9)


def test_spotify_and_a_symmetric_plan_spend_a_power_alike():
    """spotify-confidence 4.1.0, rho = 2, five looks."""
    expected = [3.090232, 2.714078, 2.472737, 2.279811, 2.113968]
    for separate in (False, True):
        bounds = spending_bounds([0.2, 0.4, 0.6, 0.8, 1.0], spending="power", phi=2, separate=separate)
        assert bounds.bounds_z == pytest.approx(expected, abs=2e-4)


def test_people_counted_are_fractions_of_the_number_planned():
    assert spending_bounds([100, 300, 600], planned=600) == spending_bounds([100 / 600, 0.5, 1.0])


def test_looks_hold_their_error_and_power_in_simulated_trials():
    information = np.sort(np.r_[np.random.default_rng(3).uniform(0.05, 1, 11), 1.0])
    bounds = spending_bounds(tuple(information), spending="pocock")
    steps = np.random.default_rng(4).normal(0, np.sqrt(np.diff(np.r_[0, information])), (40_000, 12))
    walk = steps.cumsum(axis=1)
    crossed = (np.abs(walk) > bounds.bounds_z * np.sqrt(information)).any(axis=1).mean()
    assert crossed == pytest.approx(0.05, abs=0.0035)
    drifting = (walk + 3 * information > bounds.bounds_z * np.sqrt(information)).any(axis=1).mean()
    assert power(bounds.bounds_z, information, 3.0) == pytest.approx(drifting, abs=0.006)


def test_the_last_look_of_a_trial_that_stops_short_spends_all_that_is_left():
    short = spending_bounds([0.3, 0.6], final=True)
    assert short.cumulative_alpha[-1] == 0.05
    assert crossing_probability(short.bounds_z, short.information, 0).total == pytest.approx(0.05, abs=1e-9)
    assert short.bounds_z[-1] < spending_bounds([0.3, 0.6]).bounds_z[-1]


def test_a_trial_that_runs_over_spends_all_at_its_actual_size():
    over = spending_bounds([0.5, 1.3])
    assert over.cumulative_alpha[-1] == 0.05
    assert crossing_probability(over.bounds_z, over.information, 0).total == pytest.approx(0.05, abs=1e-9)


def test_after_all_is_spent_no_look_can_cross():
    assert spending_bounds([0.5, 1.0, 1.2]).bounds_z[-1] == math.inf
    assert spending_bounds([0.5, 1.0, 1.2]).nominal_p[-1] == 0


def test_the_bounds_of_past_looks_do_not_move_when_another_is_taken():
    assert spending_bounds([0.1, 0.35, 0.7]).bounds_z[:2] == spending_bounds([0.1, 0.35]).bounds_z


def test_looks_almost_at_once_still_hold_the_error():
    bounds = spending_bounds([0.5, 0.50005, 0.5001, 1.0])
    assert crossing_probability(bounds.bounds_z, bounds.information, 0).total == pytest.approx(0.05, abs=1e-8)


def test_a_very_early_look_has_a_finite_bound_that_cannot_be_crossed_by_chance():
    bounds = spending_bounds([1 / 3650, 0.5, 1.0])
    assert 10 < bounds.bounds_z[0] < math.inf
    assert bounds.bounds_z[1:] == pytest.approx(spending_bounds([0.5, 1.0]).bounds_z, abs=1e-6)


@pytest.mark.parametrize(("kind", "looks", "ratio"), [("obf", 5, 1.028), ("pocock", 5, 1.229), ("obf", 10, 1.040)])
def test_the_size_that_looks_cost_is_that_of_the_published_tables(kind, looks, ratio):
    """Jennison & Turnbull 2000, tables 2.2 and 2.4."""
    assert inflation(kind, looks, alpha=0.05, power=0.8) == pytest.approx(ratio, abs=6e-4)


def test_a_spending_plan_costs_little_and_a_pocock_like_one_much():
    five = [0.2, 0.4, 0.6, 0.8, 1.0]
    assert 1.02 < inflation(spending_bounds(five)) < 1.035
    assert 1.15 < inflation(spending_bounds(five, spending="pocock")) < 1.25


def test_the_required_drift_gives_the_power_asked():
    bounds = spending_bounds([0.25, 0.5, 1.0], alpha=0.1)
    drift = required_drift(bounds.bounds_z, bounds.information, 0.9)
    assert power(bounds.bounds_z, bounds.information, drift) == pytest.approx(0.9, abs=1e-8)
    assert power(bounds.bounds_z, bounds.information, -drift) == pytest.approx(0.9, abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.02, 0.2), min_size=1, max_size=8),
    st.sampled_from(["obrien_fleming", "pocock", "power"]),
    st.floats(0.001, 0.2),
)
def test_the_error_spent_is_the_error_made(gaps, spending, alpha):
    information = np.cumsum(gaps) / max(1.0, sum(gaps))
    bounds = spending_bounds(tuple(information), spending=spending, alpha=alpha)
    made = crossing_probability(bounds.bounds_z, bounds.information, 0.0)
    assert np.cumsum(np.add(made.upper, made.lower)) == pytest.approx(bounds.cumulative_alpha, abs=1e-9)
    assert made.upper == pytest.approx(made.lower, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: spending_bounds([]), "no look"),
        (lambda: spending_bounds([0.5, 0.5]), "look 2 adds no information to look 1"),
        (lambda: spending_bounds([0.5, 0.4]), "look 2 adds no information"),
        (lambda: spending_bounds([0.0, 0.4]), "look 1 has an information of 0"),
        (lambda: spending_bounds([0.5, math.nan]), "look 2"),
        (lambda: spending_bounds([0.5], alpha=0), "alpha"),
        (lambda: spending_bounds([0.5], spending="power", phi=0), "exponent"),
        (lambda: spending_bounds([50], planned=0), "planned"),
        (lambda: classic_bounds("obf", 0), "0 looks"),
        (lambda: crossing_probability([2.0], [0.5, 1.0], 0), "1 bounds for 2 looks"),
        (lambda: crossing_probability([-2.0], [1.0], 0), "negative"),
        (lambda: required_drift([2.0], [1.0], 1.0), "power"),
        (lambda: required_drift([0.1], [1.0], 0.2), "no effect at all"),
        (lambda: required_drift([math.inf], [1.0], 0.8), "infinite"),
        (lambda: inflation("obf"), "number of looks"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
