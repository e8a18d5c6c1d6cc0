"""The control chart: points, the band of ordinary variation that moves with each accepted level, change dates, events, target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.language import _
from fabrique.web.charts.scale import Scale, decimals_of, round_ticks
from fabrique.web.formats import number, with_symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.web.formats import Unit

WIDTH, HEIGHT = 960, 360
LEFT, RIGHT, TOP, BOTTOM = 56, 84, 34, 66
LINE = 16
"""Height of a small label, with room around it."""
LABEL_WIDTH = 6.4
"""Pixels a character of a small label takes, roughly."""
EDGE = 8
"""Room between the frame and the first and last points."""


@dataclass(frozen=True, slots=True)
class Point:
    """One period: what was measured and the limits around it. kind: improvement, regression, neutral (a signal) or None."""

    label: str
    axis: str
    value: float | None
    centre: float | None
    lower: float | None
    upper: float | None
    kind: str | None
    weight: float | None
    period: str = ""
    """As importers and `fabrique detect` read it: 2026-W11."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A change of level, by place among the points."""

    index: int
    low: int
    high: int
    direction: str
    text: str


@dataclass(frozen=True, slots=True)
class TimeEvent:
    """Something that happened, at a place between the points."""

    position: float
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class DrawnPoint:
    """A point on the drawing."""

    x: float
    y: float
    point: Point
    text: str


@dataclass(frozen=True, slots=True)
class DrawnMarker:
    """A change on the drawing, its label kept inside the frame."""

    x: float
    low: float
    width: float
    label_x: float
    label_y: float
    anchor: str
    marker: Marker


@dataclass(frozen=True, slots=True)
class DrawnEvent:
    """An event under the axis."""

    x: float
    label_x: float
    label_y: float
    anchor: str
    event: TimeEvent


@dataclass(frozen=True, slots=True)
class Level:
    """A stretch of constant centre line with its value."""

    x1: float
    x2: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label on an axis."""

    position: float
    text: str


@dataclass(frozen=True, slots=True)
class ControlChart:
    """Ready to draw, and its table twin."""

    points: list[DrawnPoint]
    line: str
    bands: list[str]
    levels: list[Level]
    markers: list[DrawnMarker]
    events: list[DrawnEvent]
    y_ticks: list[Tick]
    x_ticks: list[Tick]
    target: Tick | None
    rows: list[Point]
    unit: Unit
    has_band: bool
    last_y: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def control_chart(
    points: Sequence[Point],
    markers: Sequence[Marker],
    events: Sequence[TimeEvent],
    *,
    target: float | None,
    unit: Unit,
) -> ControlChart:
    """Lay a series out."""
    spread = [value for p in points for value in (p.value, p.lower, p.upper) if value is not None] or [0.0]
    low, high = min(spread), max(spread)
    # A target far from everything measured would flatten the chart: it is then told in words only.
    shown_target = target if target is not None and low - (high - low) <= target <= high + (high - low) else None
    if shown_target is not None:
        low, high = min(low, shown_target), max(high, shown_target)
    ticks = [t / unit.factor for t in round_ticks(low * unit.factor, high * unit.factor)]
    up = Scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    decimals = decimals_of(ticks, unit.factor)
    y_ticks = [Tick(up(t), told(t, unit, decimals)) for t in ticks]
    known = [p.value for p in points if p.value is not None]
    beside = [told(value, unit, unit.decimals) for value in known[-1:]]
    if shown_target is not None:
        beside.append(_("target %(value)s", value=told(shown_target, unit, unit.decimals)))
    left = margin(LEFT, [tick.text for tick in y_ticks])
    right = WIDTH - margin(RIGHT, beside)
    across = Scale(0, max(1, len(points) - 1), left + EDGE, right - EDGE)
    return ControlChart(
        points=[
            DrawnPoint(across(i), up(p.value), p, told(p.value, unit, unit.decimals))
            for i, p in enumerate(points)
            if p.value is not None
        ],
        line=line_path(points, across, up),
        bands=band_paths(points, across, up),
        levels=levels(points, across, up, unit),
        markers=place_markers(markers, across),
        events=place_events(events, across),
        y_ticks=y_ticks,
        x_ticks=x_ticks(points, across),
        target=Tick(up(shown_target), told(shown_target, unit, unit.decimals)) if shown_target is not None else None,
        rows=list(points),
        unit=unit,
        has_band=any(p.lower is not None for p in points),
        last_y=last_label(points, up, None if shown_target is None else up(shown_target)),
        left=left,
        right=right,
    )


def margin(least: int, labels: Sequence[str]) -> int:
    """Room for labels that stand beside the frame; never more than a third of the drawing."""
    return min(max(least, round(max(map(len, labels), default=0) * LABEL_WIDTH) + 12), WIDTH // 3)


def inside(x: float, across: Scale) -> float:
    """The pixel, kept inside the frame: with few points, half a period is wider than its edge."""
    return min(max(x, across.start - EDGE), across.end + EDGE)


def told(value: float, unit: Unit, decimals: int) -> str:
    """A value as the axis and labels write it."""
    return with_symbol(number(value * unit.factor, decimals), unit.symbol)


def last_label(points: Sequence[Point], up: Scale, target: float | None) -> float:
    """Where the last value is written: beside its point, moved away from the target's own label."""
    known = [point.value for point in points if point.value is not None]
    beside = up(known[-1]) + 4 if known else 0.0
    if target is None or abs(beside - (target + 4)) >= LINE:
        return beside
    return target + 4 + LINE if beside > target + 4 else target + 4 - LINE


def line_path(points: Sequence[Point], across: Scale, up: Scale) -> str:
    """The thin line that joins the points; gaps stay gaps."""
    commands, pen = [], "M"
    for place, point in enumerate(points):
        if point.value is None:
            pen = "M"
            continue
        commands.append(f"{pen}{across(place):g} {up(point.value):g}")
        pen = "L"
    return "".join(commands)


def stretches(points: Sequence[Point]) -> list[tuple[int, int]]:
    """First and last place of each stretch of one centre line."""
    found: list[tuple[int, int]] = []
    for place, point in enumerate(points):
        if point.centre is None:
            continue
        if found and found[-1][1] == place - 1 and points[found[-1][0]].centre == point.centre:
            found[-1] = (found[-1][0], place)
        else:
            found.append((place, place))
    return found


def band_paths(points: Sequence[Point], across: Scale, up: Scale) -> list[str]:
    """The grey band of each stretch, half a period beyond its ends so that neighbours touch."""
    half = (across(1) - across(0)) / 2 if len(points) > 1 else 4
    paths = []
    for first, last in stretches(points):
        upper = [(across(i), up(u)) for i in range(first, last + 1) if (u := points[i].upper) is not None]
        lower = [(across(i), up(v)) for i in range(first, last + 1) if (v := points[i].lower) is not None]
        if not upper or not lower:
            continue
        begin, end = inside(upper[0][0] - half, across), inside(upper[-1][0] + half, across)
        ring = [(begin, upper[0][1]), *upper, (end, upper[-1][1]), (end, lower[-1][1]), *reversed(lower), (begin, lower[0][1])]
        paths.append("M" + "L".join(f"{x:g} {y:g}" for x, y in ring) + "Z")
    return paths


def levels(points: Sequence[Point], across: Scale, up: Scale, unit: Unit) -> list[Level]:
    """The centre line of each stretch with its value."""
    half = (across(1) - across(0)) / 2 if len(points) > 1 else 4
    return [
        Level(
            inside(across(first) - half, across),
            inside(across(last) + half, across),
            up(centre),
            told(centre, unit, unit.decimals),
        )
        for first, last in stretches(points)
        if (centre := points[first].centre) is not None
    ]


def place_markers(markers: Sequence[Marker], across: Scale) -> list[DrawnMarker]:
    """Change lines with labels in up to two rows; a third that would lie on both keeps its line without words."""
    half = (across(1) - across(0)) / 2
    placed: list[DrawnMarker] = []
    ends = [-1.0, -1.0]
    for marker in sorted(markers, key=lambda m: m.index):
        x = inside(across(marker.index) - half, across)
        low, high = inside(across(marker.low) - half, across), inside(across(marker.high) + half, across)
        length = len(marker.text) * LABEL_WIDTH + 18
        anchor = "end" if x + length > WIDTH - 8 else "start"
        label_x = x - 6 if anchor == "end" else x + 6
        begin = label_x - length if anchor == "end" else label_x
        row = next((r for r in (0, 1) if begin > ends[r]), None)
        if row is None:
            placed.append(DrawnMarker(x, low, high - low, x, 0.0, "none", marker))
            continue
        ends[row] = begin + length
        placed.append(DrawnMarker(x, low, high - low, label_x, 12.0 + 15 * row, anchor, marker))
    return placed


def place_events(events: Sequence[TimeEvent], across: Scale) -> list[DrawnEvent]:
    """Event flags under the axis in up to two rows; one too long, or that would lie on both, keeps its line without words."""
    placed: list[DrawnEvent] = []
    ends = [-1.0, -1.0]
    for event in sorted(events, key=lambda e: e.position):
        x = inside(across(event.position), across)
        length = len(event.title) * LABEL_WIDTH + 16
        anchor = "end" if x + length > WIDTH - 4 else "start"
        begin = x - length if anchor == "end" else x
        row = next((r for r in (0, 1) if begin > max(ends[r] + 6, 0)), None)
        if row is None:
            placed.append(DrawnEvent(x, x, 0.0, "none", event))
            continue
        ends[row] = begin + length
        placed.append(DrawnEvent(x, x, HEIGHT - 24 + 16.0 * row, anchor, event))
    return placed


def x_ticks(points: Sequence[Point], across: Scale) -> list[Tick]:
    """About six dates; never two alike side by side."""
    step = max(1, len(points) // 6)
    ticks: list[Tick] = []
    for place in range(0, len(points), step):
        text = points[place].axis
        if ticks and (ticks[-1].text == text or across(place) - ticks[-1].position < 70):  # noqa: PLR2004 - a label's width
            continue
        ticks.append(Tick(across(place), text))
    return ticks
