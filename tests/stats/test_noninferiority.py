"""Guardrails: safe, harmed, or neither."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabrique.stats.means import Moments
from fabrique.stats.noninferiority import farrington_manning, shifted_welch


def test_a_small_loss_in_large_arms_is_safe() -> None:
    found = farrington_manning(535, 600, 540, 600, margin=0.05)
    assert found.statistic == pytest.approx(2.3288, abs=1e-4)
    assert (found.safe, found.harmed) == (True, False)
    assert found.interval.low > -0.05
    assert found.score_interval.low > -0.05


def test_the_same_loss_in_small_arms_is_neither() -> None:
    found = farrington_manning(44, 50, 45, 50, margin=0.1)
    assert (found.safe, found.harmed) == (False, False)


def test_a_great_loss_is_harm() -> None:
    found = farrington_manning(400, 600, 540, 600, margin=0.05)
    assert (found.safe, found.harmed) == (False, True)
    assert found.interval.high < -0.05


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    n1, n2 = draw(st.integers(1, 300)), draw(st.integers(1, 300))
    return draw(st.integers(0, n1)), n1, draw(st.integers(0, n2)), n2


@given(tables(), st.sampled_from([0.0, 0.02, 0.1, 0.5]))
def test_there_is_always_a_reading_and_never_two(table, margin) -> None:
    found = farrington_manning(*table, margin=margin)
    assert found.p_safe + found.p_harmed == pytest.approx(1)
    assert not (found.safe and found.harmed)
    assert found.safe == (found.score_interval.low > -margin) or math.isclose(found.score_interval.low, -margin, abs_tol=0.002)


@given(tables())
def test_a_wider_margin_is_always_easier_to_keep(table) -> None:
    readings = [farrington_manning(*table, margin=margin).p_safe for margin in (0.01, 0.05, 0.2, 0.6)]
    assert readings == sorted(readings, reverse=True)


def test_it_errs_about_as_often_as_it_says_at_the_margin() -> None:
    n, rate, margin = 150, 0.9, 0.08
    one, two = stats.binom.pmf(np.arange(n + 1), n, rate - margin), stats.binom.pmf(np.arange(n + 1), n, rate)
    # Only tables that happen: the others weigh nothing.
    shown = sum(
        one[x] * two[y] * farrington_manning(x, n, y, n, margin=margin).safe for x in range(105, 141) for y in range(124, 147)
    )
    assert 0.018 <= shown <= 0.028


def test_a_mean_against_a_margin_is_a_shifted_t_test() -> None:
    rng = np.random.default_rng(0)
    treat, ctrl = rng.normal(4.1, 1, 50), rng.normal(4.15, 1.1, 60)
    found = shifted_welch(Moments.of(treat), Moments.of(ctrl), margin=0.4)
    expected = stats.ttest_ind(treat + 0.4, ctrl, equal_var=False, alternative="greater")
    assert found.p_safe == pytest.approx(expected.pvalue)
    assert found.df == pytest.approx(expected.df)
    assert found.safe == (found.interval.low > -0.4)


def test_means_that_never_vary_are_known() -> None:
    still = Moments.of([4.0] * 5)
    assert shifted_welch(still, still, margin=0.1).safe
    assert shifted_welch(Moments.of([3.0] * 5), still, margin=0.1).harmed
    edge = shifted_welch(Moments.of([3.5] * 5), still, margin=0.5)
    assert (edge.safe, edge.harmed, edge.p_safe) == (False, False, 0.5)


def test_two_single_values_are_inconclusive() -> None:
    found = shifted_welch(Moments.of([3.0]), Moments.of([4.0]), margin=0.1)
    assert (found.safe, found.harmed) == (False, False)


def test_impossible_margins_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="A margin of -1: give the greatest loss"):
        farrington_manning(1, 2, 1, 2, margin=-1)
    with pytest.raises(ValueError, match="A margin of 5 accepts every loss"):
        farrington_manning(1, 2, 1, 2, margin=5)
    with pytest.raises(ValueError, match="A one-sided alpha of"):
        farrington_manning(1, 2, 1, 2, margin=0.1, alpha_one_sided=0.5)
