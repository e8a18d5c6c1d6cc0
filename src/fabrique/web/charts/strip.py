"""All values of a measure on one axis, a dot each: the distribution, not only its mean."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from fabrique.web.charts.scale import Scale, round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, RADIUS, ROWS = 960, 5, 7
LEFT, RIGHT, TOP, FOOT = 44, 72, 40, 36
"""Beside the axis there is room for the median's label, which is centred, and the target's, which begins at its line."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One value with its name and its page."""

    value: float
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A dot on the drawing."""

    x: float
    y: float
    dot: Dot
    at_target: bool


@dataclass(frozen=True, slots=True)
class Strip:
    """Ready to draw."""

    dots: list[Placed]
    ticks: list[tuple[float, float]]
    target: float
    target_x: float
    median: float
    median_x: float
    axis_y: float
    height: float
    width: int = WIDTH
    radius: int = RADIUS


def strip(dots: Sequence[Dot], target: float) -> Strip:
    """Dots stacked where they would hide one another."""
    ordered = sorted(dots, key=lambda dot: dot.value)
    values = [dot.value for dot in ordered]
    ticks = round_ticks(min(*values, target), max(*values, target), 7)
    scale = Scale(ticks[0], ticks[-1], LEFT, WIDTH - RIGHT)
    last_in_row: list[float] = []
    rows: list[int] = []
    for value in values:
        x = scale(value)
        row = next((r for r, last in enumerate(last_in_row) if x - last >= 2 * RADIUS + 1), len(last_in_row))
        if row >= ROWS:
            row = min(range(ROWS), key=lambda r: last_in_row[r])
        if row == len(last_in_row):
            last_in_row.append(x)
        last_in_row[row] = x
        rows.append(row)
    axis = TOP + max(2, len(last_in_row)) * (2 * RADIUS + 2)
    middle = median(values)
    return Strip(
        dots=[
            Placed(scale(dot.value), round(axis - RADIUS - 3 - row * (2 * RADIUS + 2), 1), dot, dot.value >= target)
            for dot, row in zip(ordered, rows, strict=True)
        ],
        ticks=[(tick, scale(tick)) for tick in ticks],
        target=target,
        target_x=scale(target),
        median=middle,
        median_x=scale(middle),
        axis_y=axis,
        height=axis + FOOT,
    )
