"""Time in stage: curves of stays of which many are not over yet."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from fabrique.stats.survival import kaplan_meier, log_rank

# Freireich et al. 1963, weeks of remission under 6-mercaptopurine, as in every textbook (Kleinbaum & Klein, table 2.2).
LEUKAEMIA = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [True] * 9 + [False] * 12


def test_the_textbook_curve_is_the_textbooks() -> None:
    found = kaplan_meier(LEUKAEMIA, RELAPSED)
    assert found.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert found.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert found.share == pytest.approx([0.857143, 0.806723, 0.752941, 0.690196, 0.627451, 0.537815, 0.448179], abs=5e-7)
    assert found.median == 23
    # R survfit(conf.type = "log-log") prints 0.620 and 0.952 at week 6, a median of 23 between 13 and NA.
    assert (found.low[0], found.high[0]) == pytest.approx((0.620, 0.952), abs=5e-4)
    assert (found.median_interval.low, found.median_interval.high) == (13, math.inf)


def test_without_anything_left_out_the_curve_is_the_share_still_going() -> None:
    found = kaplan_meier([1, 2, 3, 4], [True] * 4)
    assert found.share == pytest.approx([0.75, 0.5, 0.25, 0])
    assert found.median == 2
    assert (found.at(0.5), found.at(1), found.at(9)) == pytest.approx((1, 0.75, 0))


def test_when_nothing_has_ended_the_median_is_not_reached() -> None:
    found = kaplan_meier([5, 9], [False, False])
    assert (found.events, found.median, found.at(100)) == (0, math.inf, 1.0)


@pytest.mark.parametrize(
    ("durations", "ended"), [([], []), ([1, 2], [True]), ([-1.0], [True]), ([math.nan], [True]), ([[1.0]], [[True]])]
)
def test_what_is_no_list_of_stays_is_refused(durations: list[float], ended: list[bool]) -> None:
    with pytest.raises(ValueError, match=r"\."):
        kaplan_meier(durations, ended)


stays = st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=60)


@given(stays)
def test_a_curve_falls_between_one_and_nothing_inside_its_interval(given_stays: list[tuple[int, bool]]) -> None:
    durations, ended = zip(*given_stays, strict=True)
    found = kaplan_meier(durations, ended)
    assert np.all(np.diff(found.share) < 0)
    assert np.all((found.low <= found.share + 1e-12) & (found.share <= found.high + 1e-12))
    assert np.all((found.low >= 0) & (found.high <= 1))


@given(stays)
def test_it_agrees_with_a_step_by_step_count(given_stays: list[tuple[int, bool]]) -> None:
    durations, ended = zip(*given_stays, strict=True)
    found = kaplan_meier(durations, ended)
    share = 1.0
    for time in sorted({length for length, over in given_stays if over}):
        going = sum(1 for length in durations if length >= time)
        over = sum(1 for length, end in given_stays if end and length == time)
        share *= (going - over) / going
        assert found.at(time) == pytest.approx(share, abs=1e-12)


# The same study's other arm: weeks of remission under placebo, all relapsed.
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def test_the_textbooks_arms_differ_as_the_textbook_says() -> None:
    found = log_rank([*LEUKAEMIA, *PLACEBO], [*RELAPSED, *[True] * 21], ["6-MP"] * 21 + ["placebo"] * 21)
    # Kleinbaum & Klein, chapter 2: 9 against 19.25 expected, 21 against 10.75, chi-squared 16.793; R's survdiff prints the same.
    assert found.groups == ("6-MP", "placebo")
    assert found.observed.tolist() == [9, 21]
    assert found.expected == pytest.approx([19.25, 10.75], abs=5e-3)
    assert found.statistic == pytest.approx(16.793, abs=5e-4)
    assert (found.degrees, found.p_value) == (1, pytest.approx(4.17e-5, rel=2e-3))


grouped = st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40).filter(
    lambda stays: len({group for _length, _over, group in stays}) > 1
)


@given(grouped)
def test_two_groups_agree_with_scipys_test_and_more_with_exact_fractions(given_stays: list[tuple[int, bool, int]]) -> None:
    found = log_rank(*zip(*given_stays, strict=True))
    expected, statistic, degrees = exact(given_stays)
    assert found.expected == pytest.approx(expected, abs=1e-9)
    assert (found.statistic, found.degrees) == (pytest.approx(statistic, rel=1e-8, abs=1e-9), degrees)
    assert found.observed.sum() == pytest.approx(found.expected.sum())
    if len(found.groups) == 2 and degrees:
        one, other = (
            scipy_stats.CensoredData(
                [length for length, over, group in given_stays if over and group == name],
                right=[length for length, over, group in given_stays if not over and group == name],
            )
            for name in found.groups
        )
        theirs = scipy_stats.logrank(one, other)
        assert found.statistic == pytest.approx(theirs.statistic**2, rel=1e-9, abs=1e-12)
        assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


def exact(stays: list[tuple[int, bool, int]]) -> tuple[list[float], float, int]:
    """Expected ends, chi-squared and degrees, moment by moment in fractions, solved by elimination without any rounding."""
    names = sorted({group for _length, _over, group in stays})
    size = len(names)
    gap = [Fraction(0)] * size
    expected = [Fraction(0)] * size
    covariance = [[Fraction(0)] * size for _ in names]
    for time in sorted({length for length, over, _group in stays if over}):
        risk = [Fraction(sum(length >= time and group == name for length, _over, group in stays)) for name in names]
        ends = [sum(over and length == time and group == name for length, over, group in stays) for name in names]
        n, d = sum(risk), sum(ends)
        for j in range(size):
            expected[j] += d * risk[j] / n
            gap[j] += ends[j] - d * risk[j] / n
            for k in range(size):
                covariance[j][k] += d * (n - d) / max(n - 1, Fraction(1)) * risk[j] / n * ((j == k) - risk[k] / n)
    # Gauss–Jordan on [covariance | gap]; directions that cannot vary drop out as empty rows. Their gap is nothing as well.
    rows = [[*line, one] for line, one in zip(covariance, gap, strict=True)]
    pivots: list[int] = []
    for column in range(size):
        pivot = next((r for r in range(len(pivots), size) if rows[r][column]), None)
        if pivot is None:
            continue
        here = len(pivots)
        rows[here], rows[pivot] = rows[pivot], rows[here]
        rows[here] = [value / rows[here][column] for value in rows[here]]
        for other in range(size):
            if other != here:
                factor = rows[other][column]
                rows[other] = [value - factor * base for value, base in zip(rows[other], rows[here], strict=True)]
        pivots.append(column)
    solution = [Fraction(0)] * size
    for place, column in enumerate(pivots):
        solution[column] = rows[place][-1]
    return [float(one) for one in expected], float(sum(a * b for a, b in zip(gap, solution, strict=True))), len(pivots)


@given(grouped, st.permutations(range(4)))
def test_the_groups_names_and_the_unit_of_time_do_not_matter(stays: list[tuple[int, bool, int]], names: list[int]) -> None:
    durations, ended, group = zip(*stays, strict=True)
    plain = log_rank(durations, ended, group)
    other = log_rank([7 * one for one in durations], ended, [f"groupe {names[one]}" for one in group])
    assert (other.statistic, other.degrees) == (pytest.approx(plain.statistic, abs=1e-9), plain.degrees)


def test_groups_of_one_curve_seldom_look_different() -> None:
    random = np.random.default_rng(7)
    found = 0
    for _ in range(400):
        length, seen = random.exponential(100, 120), random.uniform(20, 300, 120)
        found += log_rank(np.minimum(length, seen), length <= seen, random.integers(0, 3, 120).tolist()).p_value < 0.05
    assert 8 <= found <= 33


@pytest.mark.parametrize("ended", [[False] * 4, [False, False, True, False]])
def test_where_nothing_can_be_compared_nothing_differs(ended: list[bool]) -> None:
    # The third stay ends when the others of its group and of the other are gone.
    found = log_rank([1, 2, 9, 3], ended, ["a", "b", "a", "b"])
    assert (found.statistic, found.degrees, found.p_value) == (0, 0, 1)


@pytest.mark.parametrize("group", [["a", "a"], ["a"], ["a", "b", "c"]])
def test_a_comparison_needs_a_group_for_each_stay_and_two_of_them(group: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\."):
        log_rank([1, 2], [True, True], group)
