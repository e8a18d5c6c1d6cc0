"""The rules of journeys: where products go, how long they stay, what ends them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.portfolio.journeys import (
    FEWEST,
    FEWEST_COMPARED,
    MOST_GROUPS,
    Journey,
    by_entry,
    compare_entries,
    compare_incubators,
    endings,
    flows,
    funnel,
    journey,
    lengths,
)
from fabrique.portfolio.rules import ACTIVE, FINAL, Mark, Stage, Stay, joined

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

TODAY = date(2026, 11, 23)
INVESTIGATION, EXPERIMENTATION, SCALE_UP, CONSOLIDATION = ACTIVE


def road(*steps: tuple[Stage, int], product: int = 1, incubator: str = "anct", today: date = TODAY) -> Journey:
    """A product's road: each stage with how many days ago it began."""
    stays = joined([(stage, today - timedelta(days=ago), Mark.KNOWN) for stage, ago in steps])
    found = journey(product, incubator, stays, today)
    assert found is not None
    return found


@st.composite
def roads(draw: DrawFn) -> list[Journey]:
    """Some products' roads: any stages in any order, empty stays and stays still to come included."""
    found = []
    for product in range(draw(st.integers(0, 25))):
        day = TODAY - timedelta(days=draw(st.integers(0, 3000)))
        starts: list[tuple[Stage, date, Mark]] = []
        for stage in draw(st.lists(st.sampled_from(Stage), min_size=1, max_size=6)):
            if not starts or starts[-1][0] is not stage:
                starts.append((stage, day, Mark.KNOWN))
                day += timedelta(days=draw(st.integers(0, 700)))
        one = journey(product, draw(st.sampled_from(["anct", "dinum", ""])), joined(starts), TODAY)
        if one is not None:
            found.append(one)
    return found


def test_what_is_planned_has_not_begun_and_what_ends_later_is_still_going() -> None:
    one = road((INVESTIGATION, 100), (EXPERIMENTATION, -30))
    assert [stay.stage for stay in one.stays] == [INVESTIGATION]
    found = lengths([one], INVESTIGATION, TODAY)
    assert (found.days, found.ended) == ((100,), (False,))
    assert lengths([one], EXPERIMENTATION, TODAY).number == 0


def test_a_product_that_has_not_begun_has_no_road() -> None:
    assert journey(1, "anct", joined([(INVESTIGATION, TODAY + timedelta(days=1), Mark.KNOWN)]), TODAY) is None
    assert journey(1, "anct", (), TODAY) is None
    assert journey(1, "anct", joined([(INVESTIGATION, TODAY, Mark.KNOWN)]), TODAY) is not None


def test_a_last_stay_that_a_sheet_closes_is_still_going() -> None:
    stay = Stay(INVESTIGATION, TODAY - timedelta(days=50), TODAY - timedelta(days=20))
    one = journey(1, "anct", [stay], TODAY)
    assert one is not None
    assert lengths([one], INVESTIGATION, TODAY).ended == (False,)


def test_a_stay_passed_the_day_it_began_lasts_no_day_and_counts() -> None:
    found = lengths([road((INVESTIGATION, 90), (EXPERIMENTATION, 90), (SCALE_UP, 10))], EXPERIMENTATION, TODAY)
    assert (found.days, found.ended, found.same_day) == ((80,), (True,), 0)
    found = lengths([road((INVESTIGATION, 90), (EXPERIMENTATION, 90), (SCALE_UP, 10))], INVESTIGATION, TODAY)
    assert (found.days, found.ended, found.same_day) == ((0,), (True,), 1)


def test_a_product_that_comes_back_has_two_stays() -> None:
    one = road((INVESTIGATION, 400), (EXPERIMENTATION, 300), (INVESTIGATION, 100))
    found = lengths([one], INVESTIGATION, TODAY)
    assert (found.days, found.ended) == ((100, 100), (True, False))


def test_a_length_between_doubtful_dates_is_counted_as_estimated() -> None:
    stays = joined(
        [
            (INVESTIGATION, date(2025, 1, 1), Mark.KNOWN),
            (EXPERIMENTATION, date(2025, 4, 1), Mark.ESTIMATED),
            (SCALE_UP, date(2026, 1, 1), Mark.KNOWN),
        ]
    )
    one = journey(1, "", stays, TODAY)
    assert one is not None
    assert [lengths([one], stage, TODAY).estimated for stage in ACTIVE] == [1, 1, 0, 0]


def test_a_few_stays_make_no_curve() -> None:
    some = [road((INVESTIGATION, 90 + n), (STOPPED, 10), product=n) for n in range(FEWEST)]
    assert lengths(some[1:], INVESTIGATION, TODAY).curve is None
    assert lengths(some, INVESTIGATION, TODAY).curve is not None
    assert lengths([], INVESTIGATION, TODAY).curve is None


STOPPED, INCONCLUSIVE, TRANSFERRED, OPERATED = Stage.STOPPED, Stage.INCONCLUSIVE, Stage.TRANSFERRED, Stage.OPERATED


def test_the_finished_median_alone_is_shorter_than_the_curves() -> None:
    finished = [road((INVESTIGATION, 500), (INCONCLUSIVE, 500 - days), product=days) for days in (60, 80, 100)]
    going = [road((INVESTIGATION, days), product=days) for days in (120, 200, 300, 400)]
    found = lengths([*finished, *going], INVESTIGATION, TODAY)
    assert found.finished_median == 80
    assert found.curve is not None
    assert found.curve.median == float("inf")


def test_each_product_stands_once_in_the_funnel_at_its_furthest_stage() -> None:
    found = funnel(
        [
            road((INVESTIGATION, 100), product=1),
            road((INVESTIGATION, 200), (INCONCLUSIVE, 100), product=2),
            road((INVESTIGATION, 900), (EXPERIMENTATION, 700), (TRANSFERRED, 10), product=3),
            # Skipped experimentation, stepped back since: it has been as far as scale-up.
            road((INVESTIGATION, 900), (SCALE_UP, 500), (EXPERIMENTATION, 100), product=4),
            # Nothing but its end is told.
            road((STOPPED, 100), product=5),
        ]
    )
    assert (found.began, found.only_end, found.going) == (5, 1, 2)
    assert [(step.reached, step.further, step.going) for step in found.steps] == [(5, 2, 1), (2, 1, 0), (1, 0, 1), (0, 0, 0)]
    assert [found.ended(end) for end in (INCONCLUSIVE, STOPPED, TRANSFERRED, OPERATED)] == [1, 1, 1, 0]
    assert found.steps[1].ends[TRANSFERRED] == 1


def test_steps_back_are_said_so() -> None:
    found = flows(
        [
            road((INVESTIGATION, 300), (EXPERIMENTATION, 200), (INVESTIGATION, 150), product=1),
            road((INVESTIGATION, 300), (EXPERIMENTATION, 100), product=2),
            road((INVESTIGATION, 300), (INCONCLUSIVE, 200), (INVESTIGATION, 100), product=3),
            road((SCALE_UP, 300), (TRANSFERRED, 200), (STOPPED, 100), product=4),
        ]
    )
    told = {(flow.origin, flow.to): (flow.number, flow.departures, flow.median_days, flow.back) for flow in found}
    assert told == {
        (INVESTIGATION, EXPERIMENTATION): (2, 3, 150, False),
        (INVESTIGATION, INCONCLUSIVE): (1, 3, 100, False),
        (EXPERIMENTATION, INVESTIGATION): (1, 1, 50, True),
        (INCONCLUSIVE, INVESTIGATION): (1, 1, 100, True),
        (SCALE_UP, TRANSFERRED): (1, 1, 100, False),
        (TRANSFERRED, STOPPED): (1, 1, 100, False),
    }


def test_an_end_is_told_with_the_stage_it_came_from_and_the_age() -> None:
    found = endings(
        [
            road((INVESTIGATION, 300), (INCONCLUSIVE, 200), product=1),
            road((INVESTIGATION, 400), (INCONCLUSIVE, 200), product=2),
            # Transferred, then stopped: what counts is how it stands, and the last stage on the road.
            road((INVESTIGATION, 900), (SCALE_UP, 600), (TRANSFERRED, 300), (STOPPED, 100), product=3),
            # Reopened: not ended.
            road((INVESTIGATION, 300), (INCONCLUSIVE, 200), (INVESTIGATION, 100), product=4),
            road((STOPPED, 10), product=5),
        ]
    )
    assert [(one.origin, one.end, one.number, one.total, one.median_age) for one in found] == [
        (INVESTIGATION, INCONCLUSIVE, 2, 4, 150),
        (None, STOPPED, 1, 4, None),
        (SCALE_UP, STOPPED, 1, 4, 800),
    ]
    # Wilson's interval of 2 in 4, as published: 0.150 to 0.850.
    assert (found[0].share.low, found[0].share.high) == pytest.approx((0.150, 0.850), abs=5e-4)


def test_at_most_five_incubators_have_a_curve_and_the_others_are_one() -> None:
    sizes = {"a": 20, "b": 19, "c": 18, "d": 17, "e": 16, "f": 15, "g": 3, "": 2}
    some = [
        road((INVESTIGATION, 400), (INCONCLUSIVE, 300 - n), product=n, incubator=key)
        for key, size in sizes.items()
        for n in range(size)
    ]
    found = compare_incubators(some, INVESTIGATION, TODAY)
    assert [(group.kind, group.key, group.lengths.number) for group in found.groups] == [
        *(("one", key, sizes[key]) for key in "abcde"),
        ("rest", "", 20),
    ]
    assert found.left_out == 0
    assert found.test is not None


def test_groups_too_small_for_a_curve_are_left_out_and_counted() -> None:
    some = [road((INVESTIGATION, 400), (INCONCLUSIVE, 300), product=n, incubator="a" if n else "b") for n in range(12)]
    found = compare_incubators(some, INVESTIGATION, TODAY)
    assert [group.key for group in found.groups] == ["a"]
    assert (found.left_out, found.test) == (1, None)


def test_the_latest_years_have_a_curve_each_and_those_before_share_one() -> None:
    some = [
        road((INVESTIGATION, 365 * ago), (INCONCLUSIVE, 365 * ago - 100), product=n)
        for ago in range(1, 9)
        for n in range(FEWEST_COMPARED)
    ]
    found = compare_entries(some, INVESTIGATION, TODAY)
    assert [(group.kind, group.key, group.lengths.number) for group in found.groups] == [
        ("earlier", "2021", 40), ("one", "2022", 10), ("one", "2023", 10), ("one", "2024", 10), ("one", "2025", 10)
    ]  # fmt: skip


@given(roads())
def test_flows_conserve_products(some: list[Journey]) -> None:
    found = flows(some)
    for stage in Stage:
        entered = sum(one.stays[0].stage is stage for one in some) + sum(flow.number for flow in found if flow.to is stage)
        left = sum(flow.number for flow in found if flow.origin is stage)
        assert entered == left + sum(one.current is stage for one in some)
        assert all(flow.departures == left for flow in found if flow.origin is stage)


@given(roads())
def test_a_funnel_never_grows_and_loses_nobody(some: list[Journey]) -> None:
    for part in (some, *by_entry(some).values()):
        found = funnel(part)
        reached = [step.reached for step in found.steps]
        assert reached == sorted(reached, reverse=True)
        assert reached[0] == found.began == len(part)
        for step, after in zip(found.steps, [*reached[1:], 0], strict=True):
            assert step.further == after
            assert step.reached == step.further + step.going + sum(step.ends.values())
        assert found.going + sum(found.ended(end) for end in FINAL) == found.began
        assert found.going == sum(one.current in ACTIVE for one in part)
    assert sum(funnel(part).began for part in by_entry(some).values()) == len(some)


@given(roads())
def test_those_at_risk_never_become_more_and_every_stay_is_counted(some: list[Journey]) -> None:
    for stage in Stage:
        found = lengths(some, stage, TODAY)
        assert found.number == sum(stay.stage is stage for one in some for stay in one.stays)
        assert found.number - found.over == sum(one.current is stage for one in some)
        assert all(days >= 0 for days in found.days)
        if found.curve is not None:
            assert found.curve.n == found.number
            assert np.all(np.diff(found.curve.at_risk) < 0)
            assert np.all(found.curve.at_risk >= found.curve.ended)


@given(roads())
def test_every_end_is_told_once(some: list[Journey]) -> None:
    found = endings(some)
    assert sum(one.number for one in found) == sum(one.current in FINAL for one in some)
    assert all(0 <= one.share.low <= one.number / one.total <= one.share.high <= 1 for one in found)


@given(roads(), st.sampled_from(ACTIVE))
def test_a_comparison_shows_or_leaves_out_every_stay_once(some: list[Journey], stage: Stage) -> None:
    total = lengths(some, stage, TODAY).number
    for found in (compare_incubators(some, stage, TODAY), compare_entries(some, stage, TODAY)):
        assert sum(group.lengths.number for group in found.groups) + found.left_out == total
        assert len(found.groups) <= MOST_GROUPS + 1
        assert all(group.lengths.number >= FEWEST_COMPARED for group in found.groups)
        assert (found.test is not None) == (len(found.groups) > 1)
