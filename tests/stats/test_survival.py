"""Time in stage: curves of stays of which many are not over yet."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.stats.survival import kaplan_meier

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
