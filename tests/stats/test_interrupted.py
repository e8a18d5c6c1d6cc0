"""Interrupted series: R's figures for the seat-belt law, odds of chance that hold, and what short or odd series give."""

from __future__ import annotations

import csv
import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabrique.stats.interrupted import interrupted_series, segmented_regression

SEATBELTS = Path(__file__).parent / "reference" / "data" / "seatbelts_its.csv"


@pytest.fixture(scope="module")
def seatbelts():
    """UK drivers killed or seriously injured a month, 1969-1984; belts compulsory from February 1983 (Harvey & Durbin 1986)."""
    rows = list(csv.DictReader(SEATBELTS.read_text().splitlines()))
    return np.log([float(row["drivers"]) for row in rows]), [int(row["month"]) for row in rows]


def series(rng, before, after, phi=0.4, level=0.0, slope=0.0):
    size = before + after
    errors = rng.normal(size=size)
    for i in range(1, size):
        errors[i] = phi * errors[i - 1] + math.sqrt(1 - phi**2) * errors[i]
    since = np.arange(size) - before
    return 50 + errors + level * (since >= 0) + slope * np.maximum(since, 0)


def test_the_seat_belt_law_has_the_effect_that_r_finds(seatbelts):
    """nlme::gls(log(drivers) ~ t + law + tpost + month, correlation = corAR1(), method = "REML")."""
    drivers, month = seatbelts
    result = interrupted_series(drivers, 169, season=month)
    assert result.phi == pytest.approx(0.523166, abs=1e-5)
    assert (result.level_change, result.level_se) == pytest.approx((-0.2368414, 0.0569410), abs=1e-6)
    assert (result.slope_change, result.slope_se) == pytest.approx((0.00661717, 0.00423672), abs=1e-7)
    assert result.level_interval.high < 0
    assert result.p_value == pytest.approx(1 / 2000)
    assert result.slope_p > 0.05


def test_least_squares_and_newey_west_are_those_of_r(seatbelts):
    """lm, sandwich::NeweyWest(lag = 12, prewhite = FALSE, adjust = TRUE), lmtest::dwtest."""
    drivers, month = seatbelts
    result = segmented_regression(drivers, 169, season=month, lag=12)
    assert result.level_change == pytest.approx(-0.2359484, abs=1e-6)
    assert result.level_se == pytest.approx(0.0380984, abs=1e-6)
    assert result.level_hac_se == pytest.approx(0.0214008, abs=1e-6)
    assert result.durbin_watson == pytest.approx(0.9909417, abs=1e-6)


@pytest.mark.parametrize(("before", "after"), [(12, 12), (24, 12), (26, 26), (52, 26)])
def test_chance_is_called_a_change_in_at_most_seven_series_of_a_hundred(before, after):
    """AR(1) 0.4 and no change. 3,000 series of each size gave 4.5 to 5.8 %; these 500 have an error of 1 point."""
    rng = np.random.default_rng(10 + before)
    found = [interrupted_series(series(rng, before, after), before, draws=199, seed=s, placebo=False).p_value for s in range(500)]
    assert np.mean(np.array(found) <= 0.05) <= 0.07


def test_a_change_that_is_there_is_found_and_bounded():
    result = interrupted_series(series(np.random.default_rng(1), 52, 26, level=4.0), 52)
    assert 4.0 in result.level_interval
    assert result.level_interval.low > 0
    assert result.p_value <= 0.01
    assert result.joint_p <= 0.01
    assert result.placebo_p < 0.1
    assert result.placebo_dates == 52 - 8 - 4 + 1


def test_a_trend_that_breaks_is_found_as_a_slope():
    result = interrupted_series(series(np.random.default_rng(2), 40, 30, slope=0.5), 40)
    assert 0.5 in result.slope_interval
    assert result.slope_p <= 0.01


def test_the_counterfactual_is_the_fit_until_the_change_and_the_old_trend_after():
    result = interrupted_series(series(np.random.default_rng(3), 20, 10, level=5), 20)
    assert result.counterfactual[:20] == pytest.approx(result.fitted[:20])
    assert result.fitted[20] - result.counterfactual[20] == pytest.approx(result.level_change)
    assert np.diff(result.counterfactual) == pytest.approx(result.trend)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.sampled_from([0.05, 0.1, 0.2]))
def test_p_and_interval_agree_and_the_unit_does_not_matter(seed, scale, alpha):
    y = series(np.random.default_rng(seed), 14, 10, level=1.0)
    one = interrupted_series(y, 14, alpha=alpha, draws=199, placebo=False)
    other = interrupted_series(-scale * y + 7, 14, alpha=alpha, draws=199, placebo=False)
    assert (one.p_value <= alpha) == (0 not in one.level_interval)
    assert (one.slope_p <= alpha) == (0 not in one.slope_interval)
    assert other.level_change == pytest.approx(-scale * one.level_change, rel=1e-5, abs=1e-9)
    assert other.p_value == pytest.approx(one.p_value, abs=0.011)
    assert one.level_change in one.level_interval


def test_the_same_seed_gives_the_same_answer():
    y = series(np.random.default_rng(4), 20, 12)
    assert interrupted_series(y, 20, seed=3).p_value == interrupted_series(y, 20, seed=3).p_value


def test_missing_periods_are_legal_and_keep_their_place():
    y = series(np.random.default_rng(5), 40, 20, level=4.0)
    whole = interrupted_series(y, 40)
    y[[3, 4, 17, 45]] = np.nan
    result = interrupted_series(y, 40)
    assert (result.n_before, result.n_after) == (37, 19)
    assert np.isfinite(result.fitted).all()
    assert result.level_change == pytest.approx(whole.level_change, abs=0.5)


def test_a_season_is_told_apart_from_the_change():
    month = np.arange(48) % 12 + 1
    y = series(np.random.default_rng(6), 30, 18, phi=0.2) + 6 * np.cos(month / 6 * np.pi)
    with_season = interrupted_series(y, 30, season=list(month), placebo=False)
    assert with_season.season_used
    assert with_season.level_se < interrupted_series(y, 30, placebo=False).level_se


def test_a_season_seen_but_once_is_left_out_and_said():
    result = interrupted_series(series(np.random.default_rng(7), 10, 8), 10, season=[i % 12 + 1 for i in range(18)])
    assert not result.season_used
    assert result.p_value is not None


def test_a_covariate_takes_its_share():
    rng = np.random.default_rng(8)
    heat = rng.normal(size=50)
    y = series(rng, 30, 20) + 5 * heat
    assert (
        interrupted_series(y, 30, covariates=heat, placebo=False).level_se < interrupted_series(y, 30, placebo=False).level_se / 2
    )


@pytest.mark.parametrize(("before", "after"), [(7, 20), (20, 3), (3, 3)])
def test_fewer_than_eight_before_or_four_after_is_description_only(before, after):
    result = interrupted_series(series(np.random.default_rng(9), before, after), before)
    assert result.description_only
    assert (result.p_value, result.level_interval, result.placebo_p) == (None, None, None)
    assert result.level_change is not None


def test_two_periods_are_described_by_nothing():
    result = interrupted_series([1.0, 2.0], 1)
    assert (result.description_only, result.level_change, result.n_before) == (True, None, 1)


def test_a_series_that_never_moves_has_not_changed():
    result = interrupted_series([0.1] * 30, 18)
    assert (result.level_change, result.p_value, result.slope_p, result.joint_p) == (0, 1, 1, 1)
    assert result.fitted == pytest.approx([0.1] * 30)
    assert result.durbin_watson is None


def test_a_step_without_any_noise_is_as_sure_as_the_draws_can_say():
    result = interrupted_series([2.0] * 18 + [3.0] * 12, 18)
    assert (result.level_change, result.p_value) == (pytest.approx(1), pytest.approx(1 / 2000))
    assert result.slope_change == 0
    assert result.slope_p == 1


def test_a_hundred_periods_take_less_than_a_blink():
    """Measured 7 ms without placebo dates, 0.1 s with a season and 49 of them."""
    y = series(np.random.default_rng(11), 60, 40)
    began = time.perf_counter()
    interrupted_series(y, 60, season=[i % 12 for i in range(100)])
    assert time.perf_counter() - began < 0.7


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: interrupted_series([1, 2, 3], 0), "both sides"),
        (lambda: interrupted_series([1, 2, 3], 3), "both sides"),
        (lambda: interrupted_series([1, math.inf, 3], 1), "infinite"),
        (lambda: interrupted_series(range(20), 10, season=[1, 2]), "2 calendar positions for 20 periods"),
        (lambda: interrupted_series(range(20), 10, covariates=[1, 2]), "2 rows of covariates"),
        (lambda: interrupted_series(range(20), 10, covariates=[math.nan] * 20), "covariate is missing"),
        (lambda: interrupted_series(range(20), 10, covariates=[3] * 20), "never changes"),
        (lambda: interrupted_series(range(20), 10, covariates=list(range(20))), "repeat one another"),
        (lambda: interrupted_series(range(20), 10, alpha=0), "alpha"),
        (lambda: interrupted_series(range(20), 10, draws=9), "draws"),
        (lambda: segmented_regression([1, 2, 3], 1), "too few"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
