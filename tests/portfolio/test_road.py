"""A product's road: each phase stands in its place, whatever way the product took."""

from __future__ import annotations

from datetime import date

import pytest

from fabrique.portfolio.road import Place, road_of
from fabrique.portfolio.rules import Mark, Stage, joined

TODAY = date(2026, 11, 23)
JANUARY, MARCH, JUNE, NEXT_YEAR = date(2026, 1, 5), date(2026, 3, 2), date(2026, 6, 1), date(2027, 2, 1)


def places(*starts: tuple[Stage, date]) -> list[tuple[Stage, Place]]:
    stays = joined([(stage, day, Mark.KNOWN) for stage, day in starts])
    return [(step.stage, step.place) for step in road_of(stays, TODAY)]


def test_a_product_without_phases_has_no_road() -> None:
    assert places() == []


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ([(Stage.INVESTIGATION, JANUARY)], [Place.NOW, Place.AHEAD, Place.AHEAD, Place.AHEAD]),
        (
            [(Stage.INVESTIGATION, JANUARY), (Stage.SCALE_UP, MARCH)],
            [Place.PAST, Place.PASSED_OVER, Place.NOW, Place.AHEAD],
        ),
        (
            [(Stage.INVESTIGATION, JANUARY), (Stage.EXPERIMENTATION, NEXT_YEAR)],
            [Place.NOW, Place.PLANNED, Place.AHEAD, Place.AHEAD],
        ),
        ([(Stage.INVESTIGATION, NEXT_YEAR)], [Place.PLANNED, Place.AHEAD, Place.AHEAD, Place.AHEAD]),
        (
            [(Stage.EXPERIMENTATION, JANUARY), (Stage.INVESTIGATION, MARCH)],
            [Place.NOW, Place.PAST, Place.AHEAD, Place.AHEAD],
        ),
    ],
    ids=["begun", "a phase passed over", "planned", "not begun", "gone back"],
)
def test_each_phase_says_where_it_stands(starts: list[tuple[Stage, date]], expected: list[Place]) -> None:
    assert [place for _stage, place in places(*starts)] == expected


def test_a_product_that_left_has_its_end_on_the_road() -> None:
    assert places((Stage.INVESTIGATION, JANUARY), (Stage.INCONCLUSIVE, MARCH)) == [
        (Stage.INVESTIGATION, Place.PAST),
        (Stage.EXPERIMENTATION, Place.PASSED_OVER),
        (Stage.SCALE_UP, Place.PASSED_OVER),
        (Stage.CONSOLIDATION, Place.PASSED_OVER),
        (Stage.INCONCLUSIVE, Place.NOW),
    ]


def test_a_reopened_product_keeps_the_end_that_it_had_and_both_its_stays() -> None:
    stays = joined(
        [
            (Stage.INVESTIGATION, JANUARY, Mark.ESTIMATED),
            (Stage.INCONCLUSIVE, MARCH, Mark.KNOWN),
            (Stage.INVESTIGATION, JUNE, Mark.KNOWN),
        ]
    )
    road = road_of(stays, TODAY)
    assert (road[0].place, road[-1].stage, road[-1].place) == (Place.NOW, Stage.INCONCLUSIVE, Place.PAST)
    assert [(leg.stay.start, leg.days, leg.is_estimated) for leg in road[0].legs] == [
        (JANUARY, (MARCH - JANUARY).days, True),
        (JUNE, (TODAY - JUNE).days, False),
    ]


def test_a_stay_that_ends_in_the_future_has_lasted_until_today_and_a_planned_one_has_not_lasted() -> None:
    stays = joined([(Stage.INVESTIGATION, JANUARY, Mark.KNOWN), (Stage.EXPERIMENTATION, NEXT_YEAR, Mark.KNOWN)])
    road = road_of(stays, TODAY)
    assert road[0].legs[0].days == (TODAY - JANUARY).days
    assert road[1].legs[0].days is None
