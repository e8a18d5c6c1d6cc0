"""The drawings of journeys: curves of what is still going, the funnel, and lengths of time in words."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fabrique import language
from fabrique.stats.survival import kaplan_meier
from fabrique.web.charts.funnel import LEFT, TRUNK, Exit, Stage, funnel_chart
from fabrique.web.charts.survival import LABEL_WIDTH, LINE, Curve, apart, survival_chart
from fabrique.web.durations import lasting, marks, median_told


def curve(days: list[int], ended: list[bool], label: str = "") -> Curve:
    found = kaplan_meier(days, ended)
    return Curve(
        label,
        found.times.tolist(),
        found.share.tolist(),
        found.low.tolist(),
        found.high.tolist(),
        sorted(days),
        [day for day, over in zip(days, ended, strict=True) if not over],
        found.median,
        found.median_interval.low,
        found.median_interval.high,
    )


some_stays = st.lists(st.tuples(st.integers(0, 4000), st.booleans()), min_size=1, max_size=60)


@given(some_stays)
def test_a_curve_stays_in_its_frame_and_never_rises(stays: list[tuple[int, bool]]) -> None:
    days, ended = map(list, zip(*stays, strict=True))
    chart = survival_chart([curve(days, ended)])
    heights = [float(y) for y in re.findall(r"V([\d.]+)", chart.curves[0].path)]
    assert heights == sorted(heights)
    assert all(chart.top <= y <= chart.bottom for y in heights)
    across = [float(x) for x in re.findall(r"H([\d.]+)", chart.curves[0].path)]
    assert across == sorted(across)
    assert all(chart.left <= x <= chart.right for x in across)


@given(some_stays)
def test_those_followed_never_become_more_along_the_axis(stays: list[tuple[int, bool]]) -> None:
    days, ended = map(list, zip(*stays, strict=True))
    chart = survival_chart([curve(days, ended)])
    counts = chart.curves[0].counts
    assert counts[0] == len(days)
    assert counts == sorted(counts, reverse=True)
    assert [row.cells[0][0] for row in chart.rows] == counts
    assert len(chart.x_ticks) == len(counts)


def test_the_median_is_marked_with_its_interval_and_left_out_where_not_reached() -> None:
    chart = survival_chart([curve([10, 20, 30, 40, 50, 60, 70, 80], [True] * 8)])
    assert chart.median is not None
    assert chart.median.text == "40 jours"
    assert chart.median.x_low < chart.median.x < chart.median.x_high
    assert survival_chart([curve([10, 200, 300, 400, 500], [True, False, False, False, False])]).median is None


@given(some_stays)
def test_the_median_is_written_beside_its_point_inside_the_frame(stays: list[tuple[int, bool]]) -> None:
    chart = survival_chart([curve(*map(list, zip(*stays, strict=True)))])
    if chart.median is not None:
        assert chart.left <= chart.median.text_x <= chart.median.x + 8
        assert chart.median.text_x + LABEL_WIDTH * len(chart.median.text) <= chart.width


def test_several_curves_end_where_nothing_is_left_to_compare() -> None:
    short, long = curve([10, 20, 30, 40], [True] * 4, "court"), curve([100, 900, 2000, 3000], [True] * 4, "long")
    chart = survival_chart([short, long])
    assert chart.cut
    assert [one.shape for one in chart.curves] == ["circle", "square"]
    assert all(end <= chart.right for end, _y in (one.end for one in chart.curves))
    assert abs(chart.curves[0].label_y - chart.curves[1].label_y) >= LINE
    assert not any(one.band for one in chart.curves)


@given(st.lists(st.floats(20, 300), min_size=1, max_size=6))
def test_names_stand_a_line_apart_in_the_order_of_their_curves(heights: list[float]) -> None:
    placed = apart(heights, LINE, 20, 300)
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    ordered = [placed[place] for place in order]
    assert all(after - before >= LINE - 1e-9 for before, after in pairwise(ordered))
    assert all(20 - 1e-9 <= one <= 300 + 1e-9 for one in placed)


def test_a_funnel_is_as_wide_as_its_products_and_hides_nobody() -> None:
    chart = funnel_chart(
        [
            Stage("Commencés", "1 000", 1000, 400, [Exit("arrêtés", 599, "lost"), Exit("en cours", 1, "going")]),
            Stage("Expérimentation", "400", 400, 0, [Exit("en cours", 400, "going"), Exit("arrêtés", 0, "lost")]),
        ]
    )
    assert chart is not None
    assert [one.width for one in chart.stages] == [TRUNK, TRUNK * 0.4]
    assert chart.stages[0].trunk_width == chart.stages[1].width
    assert [drawn.exit.number for drawn in chart.stages[0].exits] == [599, 1]
    assert [drawn.exit.number for drawn in chart.stages[1].exits] == [400]
    assert all(float(x) >= LEFT for x in re.findall(r"M([\d.]+)", " ".join(e.path for s in chart.stages for e in s.exits)))
    assert funnel_chart([Stage("Commencés", "0", 0, 0, [])]) is None


@pytest.mark.parametrize(
    ("days", "french", "english"),
    [
        (0, "0 jour", "0 days"),
        (1, "1 jour", "1 day"),
        (149, "149 jours", "149 days"),
        (640, "21 mois", "21 months"),
        (1826, "5 ans", "5 years"),
        (2000, "5,5 ans", "5.5 years"),
    ],
)
def test_lengths_are_told_as_people_say_them(days: float, french: str, english: str) -> None:
    assert lasting(days) == french
    with language.speaking("en"):
        assert lasting(days) == english


def test_a_median_is_told_with_what_is_known_of_it() -> None:
    assert median_told(149, 123, 153) == "149 jours (entre 123 et 153)"
    assert median_told(149, 123, math.inf) == "149 jours (au moins 123)"
    assert median_told(math.inf, 123, math.inf) == "pas encore atteinte"


@given(st.floats(0, 20_000))
def test_marks_are_round_few_and_reach_beyond_the_span(span: float) -> None:
    found = marks(span)
    assert found[0].days == 0
    assert 2 <= len(found) <= 9
    assert found[-1].days >= span - 1e-6
    gaps = {round(after.days - before.days, 6) for before, after in pairwise(found)}
    assert len(gaps) == 1
