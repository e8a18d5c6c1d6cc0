"""Effects with their intervals, one a row, on one axis: who gained, by how much, how sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.web.charts.scale import Scale, decimals_of, round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, ROW, TOP, FOOT = 960, 34, 16, 40
LEFT, RIGHT = 300, 200


@dataclass(frozen=True, slots=True)
class Line:
    """One row to draw; a bound of None has no end. kind: one, pooled or prediction; tone: improvement, regression or neutral."""

    label: str
    value: float
    low: float | None
    high: float | None
    text: str
    kind: str = "one"
    tone: str = "neutral"
    address: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row on the drawing."""

    line: Line
    y: float
    x: float
    x_low: float
    x_high: float
    open_low: bool
    open_high: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line: nothing moved, the smallest effect that matters, a margin."""

    x: float
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Forest:
    """Ready to draw."""

    rows: list[Drawn]
    ticks: list[tuple[float, float]]
    marks: list[Mark]
    axis_y: float
    height: float
    width: int = WIDTH
    left: int = LEFT
    right: int = WIDTH - RIGHT

    @property
    def decimals(self) -> int:
        """As many as the axis needs."""
        return decimals_of([value for value, _place in self.ticks], 1.0)


def forest(lines: Sequence[Line], *, null: float = 0.0, marks: Sequence[tuple[float, str, str]] = ()) -> Forest:
    """Rows from top to bottom. `marks`: value, label and kind of further vertical lines."""
    known = [null, *(value for value, _label, _kind in marks)]
    for line in lines:
        known += [one for one in (line.value, line.low, line.high) if one is not None]
    ticks = round_ticks(min(known), max(known), 6)
    scale = Scale(ticks[0], ticks[-1], LEFT, WIDTH - RIGHT)
    rows = [
        Drawn(
            line=line,
            y=TOP + ROW * place + ROW / 2,
            x=scale(line.value),
            x_low=scale(line.low) if line.low is not None else LEFT,
            x_high=scale(line.high) if line.high is not None else WIDTH - RIGHT,
            open_low=line.low is None,
            open_high=line.high is None,
        )
        for place, line in enumerate(lines)
    ]
    axis = TOP + ROW * len(lines) + 6
    return Forest(
        rows=rows,
        ticks=[(tick, scale(tick)) for tick in ticks],
        marks=[Mark(scale(null), "", "null"), *(Mark(scale(value), label, kind) for value, label, kind in marks)],
        axis_y=axis,
        height=axis + FOOT,
    )
