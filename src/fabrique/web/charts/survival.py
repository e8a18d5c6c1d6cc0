"""Step curves of what is still going as time passes: one with its interval and median, or several side by side.

Neutral ink, a dash and a shape for each curve, its name at its end; under the axis, how many are still followed.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.web.charts.scale import Scale
from fabrique.web.durations import lasting, marks
from fabrique.web.formats import number, with_symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.web.durations import Mark

LABEL_WIDTH = 6.4
"""Pixels a character of a small label takes, roughly."""
LINE = 17
TOP, UNDER = 18, 24
"""Room above the plot, and below it for the axis."""
END_ROOM = 66
"""Beside a lone curve's plot, for the share at its end."""
FOLLOWED = 5
"""A curve of fifty stays and more is drawn while so many are followed: beyond, each one would move it by a fifth or more."""
SHARE_FOLLOWED = 20
"""And of many stays, while one in so many is: a handful that drag on would leave the others no room."""
SHAPES = ("circle", "square", "diamond", "cross", "ring", "bar")
LONGEST_LABEL = 22
LABEL_ROOM = 28
"""Between the plot and the names beside it: a thin line leads there, for curves end at different moments."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve. times, share, low, high: its steps; lengths: of every stay, over or not, shortest first; censored: of those going on."""

    label: str
    times: Sequence[float]
    share: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    lengths: Sequence[float]
    censored: Sequence[float]
    median: float = math.inf
    median_low: float = math.inf
    median_high: float = math.inf

    @property
    def drawn_to(self) -> float:
        """How far it is drawn: while enough stays are followed (all the way for few of them)."""
        fewest = max(min(FOLLOWED, max(1, len(self.lengths) // 10)), len(self.lengths) // SHARE_FOLLOWED)
        return self.lengths[-fewest]

    def share_at(self, time: float, values: Sequence[float] | None = None) -> float:
        """The share still going at a time (or another of the steps' values)."""
        place = bisect_right(self.times, time)
        return (self.share if values is None else values)[place - 1] if place else 1.0

    def followed_at(self, time: float) -> int:
        """How many stays have lasted that long."""
        return len(self.lengths) - bisect_left(self.lengths, time)


@dataclass(frozen=True, slots=True)
class DrawnMedian:
    """The median on the drawing. y: the half; open_end: its interval has no upper end."""

    x: float
    x_low: float
    x_high: float
    y: float
    text: str
    text_x: float
    open_end: bool


@dataclass(frozen=True, slots=True)
class DrawnCurve:
    """A curve on the drawing. style: its place among dashes and shapes; shapes: where its shape stands; end: of what is drawn;
    counts: followed at each mark.
    """

    label: str
    style: int
    shape: str
    path: str
    band: str
    shapes: list[tuple[float, float]]
    ticks: str
    end: tuple[float, float]
    label_x: float
    label_y: float
    counts: list[int]
    counts_y: float


@dataclass(frozen=True, slots=True)
class Row:
    """A round moment in the table under the curve: followed, share still going and its interval, for each curve."""

    text: str
    cells: list[tuple[int, float, float, float]]


@dataclass(frozen=True, slots=True)
class SurvivalChart:
    """Ready to draw."""

    curves: list[DrawnCurve]
    median: DrawnMedian | None
    x_ticks: list[tuple[str, float]]
    y_ticks: list[tuple[float, float]]
    counts_label_y: float
    rows: list[Row]
    cut: bool
    left: float
    right: float
    top: float
    bottom: float
    width: float
    height: float
    several: bool


def survival_chart(curves: Sequence[Curve]) -> SurvivalChart:
    """One curve with its band, ticks and median; or several with their names. Each has one stay at least."""
    several = len(curves) > 1
    width, plot_height, left, right = (960.0, 320.0, 205.0, 745.0) if several else (560.0, 240.0, 48.0, 490.0)
    ends = drawn_ends(curves)
    moments = marks(max(ends))
    across, up = Scale(0, moments[-1].days, left, right), Scale(0, 1, TOP + plot_height, TOP)
    bottom = TOP + plot_height
    counts_label_y = bottom + UNDER + LINE + 3
    last = [(across(end), up(curve.share_at(end))) for curve, end in zip(curves, ends, strict=True)]
    heights = apart([y for _x, y in last], LINE, TOP + 4, bottom - 4)
    return SurvivalChart(
        curves=[
            DrawnCurve(
                label=short(curve.label) if several else percent(curve.share_at(end)),
                style=place,
                shape=SHAPES[place % len(SHAPES)],
                path=steps(curve, curve.share, end, across, up),
                band="" if several else band(curve, end, across, up),
                shapes=[(across(m.days), up(curve.share_at(m.days))) for m in moments if 0 < m.days < end] if several else [],
                ticks="" if several else still_going(curve, end, across, up),
                end=last[place],
                label_x=right + LABEL_ROOM if several else last[place][0] + 10,
                label_y=heights[place] + 4,
                counts=[curve.followed_at(moment.days) for moment in moments],
                counts_y=counts_label_y + LINE * (place + 1),
            )
            for place, (curve, end) in enumerate(zip(curves, ends, strict=True))
        ],
        median=None if several else median_of(curves[0], ends[0], across, up),
        x_ticks=[(moment.text, across(moment.days)) for moment in moments],
        y_ticks=[(share, up(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
        counts_label_y=counts_label_y,
        rows=table_rows(curves, moments),
        cut=any(end < max(curve.lengths) for curve, end in zip(curves, ends, strict=True)),
        left=left,
        right=right,
        top=TOP,
        bottom=bottom,
        width=width,
        height=counts_label_y + LINE * len(curves) + 12,
        several=several,
    )


def drawn_ends(curves: Sequence[Curve]) -> list[float]:
    """How far each is drawn: several not beyond the second longest, where nothing is left to compare with."""
    ends = [curve.drawn_to for curve in curves]
    furthest = sorted(ends)[-2] if len(ends) > 1 else ends[0]
    return [min(end, furthest) for end in ends]


def steps(curve: Curve, values: Sequence[float], end: float, across: Scale, up: Scale) -> str:
    """From the top left along the steps to the end of what is drawn."""
    parts = [f"M{across(0)} {up(1)}"]
    for time, value in zip(curve.times, values, strict=True):
        if time <= end:
            parts.append(f"H{across(time)} V{up(value)}")
    return " ".join([*parts, f"H{across(end)}"])


def band(curve: Curve, end: float, across: Scale, up: Scale) -> str:
    """Around the curve, from its interval's upper bound back along its lower one."""
    lower = [(time, value) for time, value in zip(curve.times, curve.low, strict=True) if time <= end]
    back = [f"L{across(end)} {up(lower[-1][1] if lower else 1)}"]
    for place in range(len(lower) - 1, -1, -1):
        before = lower[place - 1][1] if place else 1.0
        back.append(f"H{across(lower[place][0])} V{up(before)}")
    return " ".join([steps(curve, curve.high, end, across, up), *back, "Z"])


def still_going(curve: Curve, end: float, across: Scale, up: Scale) -> str:
    """A small tick on the curve for each length at which stays were last seen going."""
    return " ".join(f"M{across(t)} {up(curve.share_at(t))}v-5" for t in sorted(set(curve.censored)) if t <= end)


def median_of(curve: Curve, end: float, across: Scale, up: Scale) -> DrawnMedian | None:
    """Where half are over; None where that was not reached, or lies beyond what is drawn."""
    if curve.median > end:
        return None
    text, x = lasting(curve.median), across(curve.median)
    return DrawnMedian(
        x=x,
        x_low=across(min(curve.median_low, curve.median)),
        x_high=across(min(curve.median_high, end)),
        y=up(0.5),
        text=text,
        # Beyond the median the curve lies below the half: there is room above.
        text_x=min(x + 8, across.end + END_ROOM - LABEL_WIDTH * len(text)),
        open_end=curve.median_high > end,
    )


def table_rows(curves: Sequence[Curve], moments: Sequence[Mark]) -> list[Row]:
    """What the curves say at each round moment."""
    return [
        Row(
            moment.whole,
            [
                (
                    curve.followed_at(moment.days),
                    curve.share_at(moment.days),
                    curve.share_at(moment.days, curve.low),
                    curve.share_at(moment.days, curve.high),
                )
                for curve in curves
            ],
        )
        for moment in moments
    ]


def apart(heights: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """The same heights moved as little as needed to stand a line apart, inside the frame."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    placed = [0.0] * len(heights)
    before = top - gap
    for place in order:
        before = placed[place] = max(heights[place], before + gap)
    below = bottom + gap
    for place in reversed(order):
        below = placed[place] = min(placed[place], below - gap)
    return placed


def percent(share: float) -> str:
    """A share in whole points."""
    return with_symbol(number(100 * share), "%")


def short(label: str) -> str:
    """A name that fits beside its curve."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…"
