"""Dated phases, however a sheet tells them, become stays without overlap or gap; and what was put right is said."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique.portfolio.rules import ACTIVE, FINAL, STAGE_LABELS, Mark, Phase, Stage, Stay, stay_on, stays_from

DAYS = st.dates(date(2020, 1, 1), date(2020, 2, 15))
"""Few days, so that phases often begin together."""
PHASES = st.lists(st.builds(Phase, st.sampled_from(Stage), DAYS, st.none() | DAYS), max_size=7)
JANUARY, MARCH, JUNE = date(2025, 1, 6), date(2025, 3, 10), date(2025, 6, 2)


def reasons(phases: list[Phase]) -> list[str]:
    return [repair.reason for repair in stays_from(phases)[1]]


@given(PHASES)
def test_stays_follow_one_another_without_overlap_or_gap_and_only_the_last_is_open(phases: list[Phase]) -> None:
    stays, _repairs = stays_from(phases)
    assert bool(stays) == bool(phases)
    assert all(before.end == after.start for before, after in pairwise(stays))
    assert [stay.start for stay in stays] == sorted(stay.start for stay in stays)
    assert [stay.end for stay in stays if stay.end is None] == [None] * bool(stays)
    if stays:
        assert stays[-1].end is None


@given(PHASES)
def test_every_stay_is_a_phase_of_the_sheet_and_no_stage_follows_itself(phases: list[Phase]) -> None:
    stays, _repairs = stays_from(phases)
    assert {(stay.stage, stay.start) for stay in stays} <= {(phase.stage, phase.start) for phase in phases}
    assert all(before.stage is not after.stage for before, after in pairwise(stays))


@given(PHASES)
def test_whatever_the_sheet_said_and_the_stays_do_not_is_reported(phases: list[Phase]) -> None:
    stays, repairs = stays_from(phases)
    kept_as_told = len(stays) == len(phases) and all(
        (stay.stage, stay.start) == (phase.stage, phase.start) and phase.end in {None, stay.end}
        for stay, phase in zip(stays, phases, strict=True)
    )
    together = any(before.start == after.start for before, after in pairwise(stays))
    assert bool(repairs) == (not kept_as_told or together)
    assert all(repair.value and repair.reason and repair.kept for repair in repairs)


@given(PHASES)
def test_stays_told_back_as_phases_need_no_other_repair_than_days_shared(phases: list[Phase]) -> None:
    stays, _repairs = stays_from(phases)
    told_back, repairs = stays_from([Phase(stay.stage, stay.start, stay.end, stay.mark) for stay in stays])
    assert told_back == stays
    assert {repair.reason for repair in repairs} <= {"two phases start the same day"}


@given(PHASES, DAYS)
def test_a_day_falls_in_the_stay_that_holds_it(phases: list[Phase], day: date) -> None:
    stays, _repairs = stays_from(phases)
    found = stay_on(stays, day)
    holding = [stay for stay in stays if stay.start <= day and (stay.end is None or day < stay.end)]
    assert ([found] if found else []) == holding


def test_a_stay_without_end_ends_where_the_next_begins() -> None:
    stays, repairs = stays_from([Phase(Stage.INVESTIGATION, JANUARY), Phase(Stage.EXPERIMENTATION, MARCH)])
    assert stays == [Stay(Stage.INVESTIGATION, JANUARY, MARCH), Stay(Stage.EXPERIMENTATION, MARCH, None)]
    assert repairs == []


@pytest.mark.parametrize(
    ("end", "mark"),
    [(date(2025, 2, 1), Mark.ESTIMATED), (date(2025, 3, 9), Mark.KNOWN), (date(2025, 5, 1), Mark.ESTIMATED)],
    ids=["gap", "eve", "overlap"],
)
def test_an_end_that_is_not_the_next_start_gives_way_to_it(end: date, mark: Mark) -> None:
    stays, (repair,) = stays_from([Phase(Stage.INVESTIGATION, JANUARY, end), Phase(Stage.EXPERIMENTATION, MARCH)])
    assert stays[0].end == MARCH
    assert [stay.mark for stay in stays] == [Mark.KNOWN, mark]
    assert repair.reason == "the phase's end is not the next one's start"
    assert str(end) in repair.value
    assert str(MARCH) in repair.kept


def test_a_last_phase_that_ends_is_kept_open() -> None:
    stays, (repair,) = stays_from([Phase(Stage.SCALE_UP, JANUARY, JUNE)])
    assert stays == [Stay(Stage.SCALE_UP, JANUARY, None)]
    assert repair.reason == "the last phase ends and none follows: it is kept open"


def test_two_phases_of_one_day_follow_the_road_whatever_their_order() -> None:
    told = [Phase(Stage.EXPERIMENTATION, JANUARY), Phase(Stage.INVESTIGATION, JANUARY)]
    stays, _repairs = stays_from(told)
    assert [(stay.stage, stay.start, stay.end) for stay in stays] == [
        (Stage.INVESTIGATION, JANUARY, JANUARY),
        (Stage.EXPERIMENTATION, JANUARY, None),
    ]
    assert {stay.mark for stay in stays} == {Mark.ESTIMATED}, "one of the two days is wrong, and nobody knows which"
    assert stays == stays_from(told[::-1])[0]
    assert "two phases start the same day" in reasons(told)
    assert stay_on(stays, JANUARY) == stays[1]


def test_the_same_phase_twice_in_a_row_is_one_stay() -> None:
    told = [Phase(Stage.INVESTIGATION, JANUARY), Phase(Stage.INVESTIGATION, MARCH), Phase(Stage.STOPPED, JUNE)]
    assert stays_from(told)[0] == [Stay(Stage.INVESTIGATION, JANUARY, JUNE), Stay(Stage.STOPPED, JUNE, None)]
    assert reasons(told) == ["the same phase twice in a row"]


def test_phases_out_of_order_are_put_in_order() -> None:
    told = [Phase(Stage.EXPERIMENTATION, MARCH), Phase(Stage.INVESTIGATION, JANUARY)]
    assert [stay.stage for stay in stays_from(told)[0]] == [Stage.INVESTIGATION, Stage.EXPERIMENTATION]
    assert reasons(told) == ["the phases are not in the order of their dates"]


def test_a_product_may_come_back_to_a_stage() -> None:
    told = [Phase(Stage.SCALE_UP, JANUARY), Phase(Stage.EXPERIMENTATION, MARCH), Phase(Stage.SCALE_UP, JUNE)]
    assert [stay.stage for stay in stays_from(told)[0]] == [phase.stage for phase in told]
    assert reasons(told) == []


def test_a_future_phase_is_no_stage_yet() -> None:
    stays, _repairs = stays_from([Phase(Stage.INVESTIGATION, JANUARY), Phase(Stage.EXPERIMENTATION, JUNE)])
    assert stay_on(stays, JANUARY - timedelta(days=1)) is None
    assert stay_on(stays, JUNE - timedelta(days=1)) == stays[0]
    assert stay_on(stays, JUNE) == stays[1]
    assert stay_on([], JUNE) is None


@pytest.mark.parametrize("stage", sorted(FINAL))
def test_a_product_stays_in_a_final_stage(stage: Stage) -> None:
    stays, repairs = stays_from([Phase(Stage.EXPERIMENTATION, JANUARY, MARCH), Phase(stage, MARCH)])
    assert repairs == []
    assert stay_on(stays, date(2099, 1, 1)) == Stay(stage, MARCH, None)


def test_every_stage_is_either_on_the_road_or_final_and_has_a_name() -> None:
    assert {Stage.OPERATED, Stage.TRANSFERRED, Stage.INCONCLUSIVE, Stage.STOPPED} == FINAL
    assert FINAL.isdisjoint(ACTIVE)
    assert FINAL | set(ACTIVE) == set(Stage) == set(STAGE_LABELS)
