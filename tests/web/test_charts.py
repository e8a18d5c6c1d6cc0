"""Every chart is drawn whole: well-formed, told to those who cannot see it, inside its frame, whatever the series."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fabrique import language
from fabrique.quality.catalogue import PERCENT
from fabrique.web import formats
from fabrique.web.charts.control import LABEL_WIDTH, ControlChart, Marker, Point, TimeEvent, control_chart
from fabrique.web.charts.scale import Scale, decimals_of, round_ticks
from fabrique.web.charts.spark import sparkline
from fabrique.web.charts.strip import Dot, Strip, strip
from fabrique.web.formats import Unit
from fabrique.web.rendering import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TITLE, TEXT = "Démarches <achevées> & « aide »", "Zone grise : la variation ordinaire."
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|nan|inf", re.IGNORECASE)
PLAIN, POUNDS = Unit("", 0), Unit("£", 2)
COORDINATES = ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "d")


def points(values: Sequence[float | None], limits: tuple[float, float] | None = None, kind: str | None = None) -> list[Point]:
    """Weekly points around one level."""
    known = [value for value in values if value is not None]
    centre = sum(value / len(known) for value in known) if known else None
    low, high = limits or (None, None)
    return [
        Point(f"semaine {place}", f"sem. {place}", value, centre, low, high, kind, 100.0) for place, value in enumerate(values)
    ]


def drawn(name: str, *given_: object, macro: str = "") -> ET.Element:
    """The chart as its template draws it; raises where that is not XML."""
    module: Any = environment().get_template(f"parts/{name}.html").module
    return ET.fromstring(f"<div>{getattr(module, macro or name.rpartition('/')[2])(*given_)}</div>")


def control_drawn(chart: ControlChart) -> ET.Element:
    return drawn("charts/control_chart", chart, "bloc", TITLE, TEXT)


def strip_drawn(chart: Strip) -> ET.Element:
    return drawn("charts/strip", chart, formats, TITLE, TEXT)


def texts(svg: ET.Element) -> Iterator[tuple[str, float, float, float]]:
    """Each label with its left end, right end and foot."""
    for text in svg.iter("text"):
        said = "".join(text.itertext())
        x, width = float(text.attrib["x"]), len(said) * LABEL_WIDTH
        begin = x - width * {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "start")]
        yield said, begin, begin + width, float(text.attrib["y"])


def frame(root: ET.Element) -> tuple[ET.Element, float, float]:
    (svg,) = root.iter("svg")
    left, top, width, height = (float(part) for part in svg.attrib["viewBox"].split())
    assert (left, top) == (0, 0)
    return svg, width, height


def assert_sound(root: ET.Element) -> None:
    """Only finite numbers, all inside the frame (a hair's breadth of line width apart)."""
    svg, width, height = frame(root)
    for element in svg.iter():
        for name in COORDINATES:
            if name not in element.attrib or element is svg:
                continue
            found = NUMBER.findall(element.attrib[name])
            assert found or not element.attrib[name], element.attrib
            assert all(math.isfinite(float(one)) for one in found), element.attrib
            if name != "d":
                assert -1 <= float(found[0]) <= (width if "x" in name or name == "width" else height) + 1, element.attrib
        if "d" in element.attrib and re.fullmatch(r"(?:[ML]-?[\d.]+ -?[\d.]+)+Z?", element.attrib["d"]):
            pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", element.attrib["d"])
            assert all(-1 <= float(x) <= width + 1 and -1 <= float(y) <= height + 1 for x, y in pairs), element.attrib["d"]


def assert_labels_inside(root: ET.Element) -> None:
    svg, width, height = frame(root)
    for said, begin, end, foot in texts(svg):
        assert begin >= 0, (said, begin)
        assert end <= width, (said, end)
        assert 9 <= foot <= height - 2, (said, foot)


SERIES: dict[str, list[float | None]] = {
    "empty": [],
    "all-missing": [None, None, None],
    "one-point": [0.8],
    "one-among-missing": [None, 0.8, None],
    "two-points": [0.8, 0.6],
    "three-points": [0.8, 0.6, 0.7],
    "constant": [0.8] * 30,
    "zero": [0.0] * 10,
    "gaps": [0.8, None, 0.7, None, None, 0.75, 0.8] * 6,
    "long": [0.8 + 0.01 * (place % 7) for place in range(156)],
    "negative": [-0.5, 0.25, -0.125],
    "tiny": [1e-9, 2e-9, 1.5e-9],
    "large": [1.5e8, 1.2e8, 1.9e8, 1.4e8],
    "huge": [1e15, 2e15, -1e15, 3e14],
}


@pytest.mark.parametrize("unit", [PERCENT, PLAIN, POUNDS, Unit("%", 2, 100.0)], ids=lambda unit: f"{unit.symbol}{unit.decimals}")
@pytest.mark.parametrize("name", SERIES)
def test_a_control_chart_is_drawn_inside_its_frame_whatever_the_series(name: str, unit: Unit) -> None:
    values = SERIES[name]
    known = [value for value in values if value is not None] or [0.0]
    spread = max(known) - min(known)
    for spoken in ("fr", "en"):
        with language.speaking(spoken):
            for limits in (None, (min(known) - spread, max(known) + spread)):
                for target in (None, max(known), max(known) + spread / 2, -1e9):
                    chart = control_chart(points(values, limits), [], [], target=target, unit=unit)
                    assert_sound(control_drawn(chart))
                    assert_labels_inside(control_drawn(chart))


@given(
    st.lists(st.none() | st.floats(-1e12, 1e12) | st.sampled_from([0.0, 0.1, 1e300, -1e300]), max_size=12),
    st.none() | st.floats(-1e12, 1e12),
)
@example([1e15, 1e15 + 0.125], None)
@example([1.0, 1.0 + 2**-52], 1.0)
def test_no_series_leaves_a_number_that_is_none(values: list[float | None], target: float | None) -> None:
    chart = control_chart(points(values), [Marker(0, 0, 0, "regression", "ici")], [], target=target, unit=PLAIN)
    assert_sound(control_drawn(chart))
    assert len(chart.points) == sum(value is not None for value in values)
    assert len(chart.rows) == len(values)


def test_a_control_chart_is_told_to_those_who_cannot_see_it() -> None:
    svg, _width, _height = frame(control_drawn(control_chart(points(SERIES["gaps"]), [], [], target=0.7, unit=PERCENT)))
    named = {element.attrib["id"]: element.text for element in svg if "id" in element.attrib}
    assert svg.get("role") == "img"
    assert [named[one] for one in svg.attrib["aria-labelledby"].split()] == [TITLE, TEXT]
    assert [element.tag for element in svg[:2]] == ["title", "desc"]
    circles = [element for element in svg if element.tag == "circle"]
    assert [circle.findtext("title") for circle in circles[:2]] == ["semaine 0\u00a0: 80\u202f%", "semaine 2\u00a0: 70\u202f%"]


def test_the_twin_table_tells_every_period_of_the_chart() -> None:
    chart = control_chart(points([0.8, None, 0.7], (0.6, 0.9), "regression"), [], [], target=None, unit=PERCENT)
    table = drawn("charts/control_chart", chart, "bloc", TITLE, formats, macro="twin")
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")][1:]
    assert [row[0] for row in rows] == ["semaine 2", "semaine 1", "semaine 0"]
    assert rows[0][1:] == ["70\u202f%", "100", "75\u202f%", "60\u202f% – 90\u202f%", "Dégradation"]
    assert rows[1][1] == "–"


def test_a_missing_period_breaks_the_line() -> None:
    line = control_chart(points([1.0, 2.0, None, 3.0, 4.0]), [], [], target=None, unit=PLAIN).line
    assert line.count("M") == 2
    assert line.count("L") == 2


def test_each_level_has_its_own_band_and_neighbours_touch() -> None:
    levels = [*points([1.0, 1.2, 0.8], (0.5, 1.5)), *points([2.0, 2.2, 1.8], (1.5, 2.5))]
    chart = control_chart(levels, [], [], target=None, unit=PLAIN)
    assert len(chart.levels) == len(chart.bands) == 2
    assert chart.levels[0].x2 == chart.levels[1].x1
    assert [level.text for level in chart.levels] == ["1", "2"]


@pytest.mark.parametrize("size", [2, 3, 5, 12, 60, 156])
def test_changes_and_events_keep_their_words_inside_the_frame_and_apart(size: int) -> None:
    places = sorted({0, 1, size // 3, size // 3 + 1, size // 2, size - 2, size - 1})
    markers = [
        Marker(place, max(0, place - 2), min(size - 1, place + 2), "regression", f"semaine du {place} octobre 2026 : −12 points")
        for place in places
    ]
    events = [TimeEvent(place - 0.5 + 0.1, f"Livraison {place} d’une nouvelle version", "release") for place in places]
    events.append(TimeEvent(size - 0.6, "Un très long titre " * 12, "other"))
    chart = control_chart(points([0.8 + 0.01 * (p % 5) for p in range(size)]), markers, events, target=0.82, unit=PERCENT)
    root = control_drawn(chart)
    assert_sound(root)
    assert_labels_inside(root)
    svg, _width, _height = frame(root)
    rows: dict[float, list[tuple[float, float]]] = {}
    for element in svg.iter("text"):
        if element.attrib["class"].split()[0] in {"fab-change-label", "fab-event-label"}:
            found = ET.Element("svg")
            found.append(element)
            for _said, begin, end, foot in texts(found):
                rows.setdefault(foot, []).append((begin, end))
    assert rows
    for row in rows.values():
        ordered = sorted(row)
        assert all(before[1] <= after[0] for before, after in pairwise(ordered)), ordered
    told = "".join(svg.itertext())
    assert all(marker.text in told for marker in markers)
    assert all(event.title in told for event in events)


def test_a_target_far_from_everything_is_not_drawn() -> None:
    assert control_chart(points([0.1, 0.12]), [], [], target=0.9, unit=PERCENT).target is None
    shown = control_chart(points([0.1, 0.12]), [], [], target=0.13, unit=PERCENT).target
    assert shown is not None
    assert shown.text == "13\u202f%"


@pytest.mark.parametrize("target", [0.80, 0.81, 0.79, 0.9])
def test_the_last_value_and_the_target_are_not_written_on_one_another(target: float) -> None:
    chart = control_chart(points([0.6, 0.9, 0.8]), [], [], target=target, unit=PERCENT)
    assert chart.target is not None
    assert abs(chart.last_y - (chart.target.position + 4)) >= 15.9


@given(st.lists(st.none() | st.floats(-1e12, 1e12), max_size=60))
@example([None, None])
@example([0.8])
def test_a_sparkline_stays_in_its_frame_and_ends_at_the_last_value(values: list[float | None]) -> None:
    line = sparkline(values, "regression")
    known = [value for value in values if value is not None]
    assert (line.last is None) == (not known)
    assert line.path.count("M") + line.path.count("L") == len(known)
    if known:
        root = drawn("words", line, macro="spark")
        assert_sound(root)
        svg, _width, _height = frame(root)
        assert svg.get("aria-hidden") == "true"
        assert line.path.endswith(f"{line.last[0]:g} {line.last[1]:g}")  # type: ignore[index]


def test_a_line_of_no_values_is_not_drawn() -> None:
    assert not list(drawn("words", sparkline([], None), macro="spark"))


STRIPS = {
    "one": [8.4],
    "one-below": [3.2],
    "at-target": [8.0],
    "constant": [7.5] * 60,
    "all-below": [4.0, 5.0, 6.0, 7.9],
    "all-above": [9.0, 9.5, 10.0],
    "many": [5 + (place * 37 % 50) / 10 for place in range(400)],
    "huge": [1e6, 2e6, -1e6],
}


@pytest.mark.parametrize("name", STRIPS)
def test_a_strip_is_drawn_inside_its_frame(name: str) -> None:
    dots = [Dot(value, f"Service <{place}>", f"/services/{place}") for place, value in enumerate(STRIPS[name])]
    for spoken in ("fr", "en"):
        with language.speaking(spoken):
            chart = strip(dots, 8.0)
            root = strip_drawn(chart)
            assert_sound(root)
            assert_labels_inside(root)
            assert len(chart.dots) == len(list(root.iter("circle"))) == len(dots)


def test_a_strip_is_told_to_those_who_cannot_see_it() -> None:
    root = strip_drawn(strip([Dot(8.4, "Aide", "/services/aide"), Dot(6.0, "Bourse", "/services/bourse")], 8.0))
    svg, _width, _height = frame(root)
    assert svg.get("aria-label") == TITLE
    assert root.findtext("figure/figcaption") == TEXT
    assert [link.get("aria-label") for link in svg.iter("a")] == ["Bourse, 6,0", "Aide, 8,4"]
    assert [("fab-dot--target" in circle.attrib["class"]) for circle in svg.iter("circle")] == [False, True]


def test_dots_of_one_value_are_stacked_rather_than_hidden() -> None:
    chart = strip([Dot(7.5, str(place), "/") for place in range(6)], 8.0)
    assert len({(dot.x, dot.y) for dot in chart.dots}) == 6


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.integers(2, 8))
@example(0.0, 0.0, 5)
@example(1e15, 1e15, 5)
def test_ticks_are_few_rise_and_span_the_values(one: float, other: float, wanted: int) -> None:
    low, high = min(one, other), max(one, other)
    ticks = round_ticks(low, high, wanted)
    tolerance = max(abs(low), abs(high)) * 1e-9 + 1e-9
    assert ticks[0] <= low + tolerance
    assert ticks[-1] >= high - tolerance
    assert ticks == sorted(ticks)
    assert len(ticks) <= 3 * wanted


def test_ticks_are_round_and_written_with_as_few_decimals_as_they_need() -> None:
    assert round_ticks(0.62, 0.88) == [0.6, 0.7, 0.8, 0.9]
    assert round_ticks(3, 97) == [0, 25, 50, 75, 100]
    assert [decimals_of(ticks, 1) for ticks in ([0, 25], [0.5, 1], [0.25, 1])] == [0, 1, 2]
    assert decimals_of([0.25, 0.5], 100) == 0


def test_a_scale_without_length_stays_in_the_middle() -> None:
    assert Scale(5, 5, 0, 100)(5) == 50
    assert [Scale(0, 10, 100, 0)(value) for value in (0, 2.5, 10)] == [100, 75, 0]
