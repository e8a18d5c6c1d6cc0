"""Two shares: published figures, every small table enumerated, and what must hold whatever the counts."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fabrique.stats.proportions import (
    boschloo_p,
    compare_proportions,
    difference_score,
    fisher_p,
    miettinen_nurminen_interval,
    newcombe_interval,
    pooled_z,
    relative_lift,
    risk_ratio,
    risk_ratio_log_interval,
    risk_ratio_score_interval,
    wald_interval,
    wilson_interval,
)


@st.composite
def tables(draw: st.DrawFn, most: int = 400) -> tuple[int, int, int, int]:
    n1, n2 = draw(st.integers(1, most)), draw(st.integers(1, most))
    return draw(st.integers(0, n1)), n1, draw(st.integers(0, n2)), n2


def swapped(table: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    x1, n1, x2, n2 = table
    return x2, n2, x1, n1


# Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_one_share_is_the_one_that_newcombe_published(x, n, low, high) -> None:
    found = wilson_interval(x, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    other = wilson_interval(n - x, n)
    assert (1 - other.high, 1 - other.low) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_is_the_one_that_newcombe_published(table, low, high) -> None:
    found = newcombe_interval(*table)
    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


def test_the_score_interval_is_the_one_that_statsmodels_misses() -> None:
    found = miettinen_nurminen_interval(56, 70, 48, 80)
    assert (found.low, found.high) == (pytest.approx(0.0528, abs=6e-5), pytest.approx(0.3382, abs=6e-5))


def test_the_ends_of_the_score_interval_are_where_the_score_test_just_does_not_reject() -> None:
    found = miettinen_nurminen_interval(12, 40, 3, 35, alpha=0.1)
    limit = stats.norm.isf(0.05) * math.sqrt(75 / 74)
    assert difference_score(12, 40, 3, 35, found.low) == pytest.approx(limit, rel=1e-6)
    assert difference_score(12, 40, 3, 35, found.high) == pytest.approx(-limit, rel=1e-6)


@pytest.mark.parametrize(
    ("table", "delta"),
    [
        ((3, 200_000, 5, 150_000), 1e-5),
        ((0, 40, 0, 30), 0.1),
        ((40, 40, 30, 30), -0.2),
        ((7, 9, 2, 11), 0.0),
        ((1, 3, 900, 1000), -0.4),
    ],
)
def test_the_rates_under_a_hypothesis_are_the_likeliest_ones(table, delta) -> None:
    x1, n1, x2, n2 = table
    rate = np.linspace(max(0.0, -delta), min(1.0, 1 - delta), 2_000_001)[1:-1]
    if x1 + x2 < 20 and n1 > 1000:
        rate = np.linspace(max(0.0, -delta), 2e-4, 2_000_001)[1:-1]
    likelihood = stats.binom.logpmf(x1, n1, rate + delta) + stats.binom.logpmf(x2, n2, rate)
    best = rate[np.argmax(likelihood)]
    variance = (best + delta) * (1 - best - delta) / n1 + best * (1 - best) / n2
    expected = (x1 / n1 - x2 / n2 - delta) / math.sqrt(variance)
    assert difference_score(*table, delta) == pytest.approx(expected, rel=2e-4)


def test_boschloo_says_what_scipy_says() -> None:
    for table in [
        (16, 30, 14, 28),
        (56, 70, 48, 80),
        (9, 10, 3, 10),
        (5, 56, 0, 29),
        (0, 10, 0, 20),
        (1, 1, 0, 3),
        (20, 21, 90, 180),
    ]:
        x1, n1, x2, n2 = table
        expected = stats.boschloo_exact([[x1, x2], [n1 - x1, n2 - x2]], n=128).pvalue
        assert boschloo_p(*table) == pytest.approx(expected, abs=2e-4)


def test_boschloo_is_quick_at_its_largest() -> None:
    began = time.perf_counter()
    boschloo_p(150, 310, 170, 315)
    boschloo_p(1, 1, 30_000, 99_000)
    assert time.perf_counter() - began < 0.6


def test_boschloo_refuses_sizes_that_need_no_exact_test() -> None:
    with pytest.raises(ValueError, match="400 and 400 trials are too many for Boschloo's test: use the pooled z test"):
        boschloo_p(10, 400, 12, 400)


def rejected(n: int, alpha: float = 0.05) -> np.ndarray:
    """Which tables of n an arm `compare_proportions` calls different: one side and its border, as p only falls outwards."""
    table = np.zeros((n + 1, n + 1), dtype=bool)
    for low in range(n + 1):
        inside, outside = low, n + 1
        while outside - inside > 1:
            middle = (inside + outside) // 2
            if compare_proportions(middle, n, low, n).p_value <= alpha:
                outside = middle
            else:
                inside = middle
        table[outside:, low] = True
    return table | table.T


@pytest.mark.parametrize("n", [20, 50])
def test_it_errs_at_most_one_time_in_twenty_in_small_samples(n) -> None:
    rates = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5])
    chances = stats.binom.pmf(np.arange(n + 1)[:, None], n, rates)
    size = np.einsum("ik,ij,jk->k", chances, rejected(n).astype(float), chances)
    assert size.max() <= 0.05
    # The pooled z test does not hold its level at these sizes: that is why it is not used there.
    count = np.arange(n + 1.0)
    naive = np.einsum("ik,ij,jk->k", chances, (pooled_z(count[:, None], n, count, n)[1] <= 0.05).astype(float), chances)
    assert naive.max() > 0.0525


def test_the_pooled_z_test_holds_its_level_where_it_is_used() -> None:
    rates = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.46, 0.5])
    for n1, n2 in [(320, 320), (350, 350), (250, 410), (500, 500)]:
        one, two = stats.binom.pmf(np.arange(n1 + 1)[:, None], n1, rates), stats.binom.pmf(np.arange(n2 + 1)[:, None], n2, rates)
        rejects = pooled_z(np.arange(n1 + 1.0)[:, None], n1, np.arange(n2 + 1.0), n2)[1] <= 0.05
        assert np.einsum("ik,ij,jk->k", one, rejects.astype(float), two).max() <= 0.0545


@pytest.mark.parametrize("n", [20])
def test_the_interval_holds_a_nil_difference_at_least_nineteen_times_in_twenty(n) -> None:
    rates = np.linspace(0.05, 0.95, 19)
    chances = stats.binom.pmf(np.arange(n + 1)[:, None], n, rates)
    holds = np.array([[0.0 in compare_proportions(x1, n, x2, n).interval for x2 in range(n + 1)] for x1 in range(n + 1)])
    assert np.einsum("ik,ij,jk->k", chances, holds.astype(float), chances).min() >= 0.95


@given(tables())
def test_there_is_always_an_answer_and_it_agrees_with_itself(table) -> None:
    found = compare_proportions(*table)
    assert 0 <= found.p_value <= 1
    assert -1 <= found.interval.low <= found.difference <= found.interval.high <= 1
    assert -1 <= found.score_interval.low <= found.difference <= found.score_interval.high <= 1
    assert found.standard_error > 0
    assert found.p_value <= 0.05 or 0.0 in found.interval
    if found.risk_ratio is None:
        assert table[2] == 0
        assert found.risk_ratio_interval is None
    else:
        assert found.risk_ratio in found.risk_ratio_interval


@given(tables(150))
def test_swapping_the_arms_turns_the_answer_round(table) -> None:
    one, other = compare_proportions(*table), compare_proportions(*swapped(table))
    assert one.p_value == pytest.approx(other.p_value, rel=1e-6)
    assert one.difference == pytest.approx(-other.difference, abs=1e-12)
    assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-9)
    assert one.score_interval.low == pytest.approx(-other.score_interval.high, abs=1e-6)


@given(tables(150))
def test_counting_failures_instead_of_successes_turns_the_answer_round(table) -> None:
    x1, n1, x2, n2 = table
    one, other = compare_proportions(*table), compare_proportions(n1 - x1, n1, n2 - x2, n2)
    assert one.p_value == pytest.approx(other.p_value, rel=1e-6)
    assert one.interval.high == pytest.approx(-other.interval.low, abs=1e-9)
    assert one.score_interval.high == pytest.approx(-other.score_interval.low, abs=1e-6)


@given(tables(5000))
def test_more_confidence_gives_wider_intervals(table) -> None:
    narrow, wide = newcombe_interval(*table, alpha=0.1), newcombe_interval(*table, alpha=0.01)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high
    narrow, wide = miettinen_nurminen_interval(*table, alpha=0.1), miettinen_nurminen_interval(*table, alpha=0.01)
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9


def test_nothing_differs_where_nobody_succeeds_or_everybody_does() -> None:
    for table in [(0, 10, 0, 20), (10, 10, 20, 20), (0, 1, 0, 1), (0, 4000, 0, 4000)]:
        found = compare_proportions(*table)
        assert (found.p_value, found.difference) == (1.0, 0.0)
        assert found.interval.low < 0 < found.interval.high


def test_large_tables_with_few_events_get_an_exact_test() -> None:
    assert compare_proportions(3, 2000, 9, 2000).p_method == "fisher"
    assert compare_proportions(300, 2000, 280, 2000).p_method == "pooled-z"
    assert compare_proportions(30, 200, 28, 200).p_method == "boschloo"


def test_a_ratio_over_no_success_is_not_given() -> None:
    assert risk_ratio(5, 56, 0, 29) is None
    assert risk_ratio_score_interval(5, 56, 0, 29).high == math.inf
    assert risk_ratio_score_interval(5, 56, 0, 29).low > 0.5
    assert risk_ratio_score_interval(0, 56, 5, 29).low == 0
    with pytest.raises(ValueError, match="use the score interval"):
        risk_ratio_log_interval(5, 56, 0, 29)
    with pytest.raises(ValueError, match="a relative lift over nothing has no meaning"):
        relative_lift(5, 56, 0, 29)
    with pytest.raises(ValueError, match="has no standard error"):
        relative_lift(56, 56, 29, 29)


@given(tables(60).filter(lambda t: t[0] > 0 and t[2] > 0))
def test_the_ratio_turned_over_has_the_interval_turned_over(table) -> None:
    one, other = risk_ratio_score_interval(*table), risk_ratio_score_interval(*swapped(table))
    assert one.low * other.high == pytest.approx(1, rel=1e-6)
    assert risk_ratio_log_interval(*table).low <= risk_ratio(*table) <= risk_ratio_log_interval(*table).high


def test_z_takes_arrays_that_broadcast() -> None:
    z, p = pooled_z(np.array([0, 10, 16]), np.array([10, 20, 30]), 14, 28)
    assert z.shape == p.shape == (3,)
    assert (z[2], p[2]) == pooled_z(16, 30, 14, 28)
    assert isinstance(pooled_z(16, 30, 14, 28)[0], float)
    assert pooled_z(np.array([0.0, 5.0]), 5, np.array([0.0, 5.0]), 5)[1].tolist() == [1.0, 1.0]


def test_the_textbook_interval_has_no_width_at_the_edges() -> None:
    assert wald_interval(10, 10, 0, 20).low == wald_interval(10, 10, 0, 20).high == 1.0


def test_fisher_tastes_tea() -> None:
    # Fisher 1935: three of four cups right, two-sided.
    assert fisher_p(3, 4, 1, 4) == pytest.approx(0.4857, abs=5e-5)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ((12, 10, 3, 10), "12 successes out of 10 trials: a count cannot exceed its total."),
        ((-1, 10, 3, 10), "-1 successes out of 10 trials: a count cannot be negative or missing."),
        ((0, 0, 3, 10), "0 successes out of 0 trials: an arm needs at least one trial."),
        ((3, 10, 4, 3), "4 successes out of 3 trials: a count cannot exceed its total."),
    ],
)
def test_impossible_counts_are_refused_in_a_sentence(table, why) -> None:
    for function in (compare_proportions, newcombe_interval, pooled_z, boschloo_p, relative_lift):
        with pytest.raises(ValueError, match=why):
            function(*table)


def test_an_impossible_alpha_is_refused() -> None:
    with pytest.raises(ValueError, match="alpha is 5: it must lie between 0 and 1"):
        compare_proportions(1, 10, 2, 10, alpha=5)
