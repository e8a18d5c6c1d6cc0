"""How far products went: a trunk that narrows from step to step, and what leaves it at each, as wide as it is many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 470
LEFT, TRUNK, EXITS = 140, 150, 335
"""Where the trunk begins, how wide it is at its widest, and where those that leave it are named."""
NODE = 8
"""Height of the bar that opens a step."""
DROP = 22
"""Room between a step's bar and the first that leave it."""
LINE = 20
TOP = 8
BEND, BANDS_END = 12, 328
"""The radius of a turn, and where the bands stop, before the words."""
LEAST = 1.5
"""A product among thousands is still a line."""
TWO_LINES = 40
"""What the words of a step take on the left."""


@dataclass(frozen=True, slots=True)
class Exit:
    """Products that went no further than a step. kind: going (still there), kept (they live on) or lost."""

    label: str
    number: int
    kind: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A step: its name, a line of words under it, how many reached it and how many went further, what became of the others."""

    label: str
    words: str
    reached: int
    further: int
    exits: Sequence[Exit]


@dataclass(frozen=True, slots=True)
class DrawnExit:
    """Those that leave, as a band that turns to the right, and their words."""

    exit: Exit
    path: str
    label_y: float


@dataclass(frozen=True, slots=True)
class DrawnStage:
    """A step on the drawing: its bar, the trunk down to the next, and those that leave."""

    stage: Stage
    y: float
    width: float
    trunk_width: float
    trunk_height: float
    exits: list[DrawnExit]


@dataclass(frozen=True, slots=True)
class FunnelChart:
    """Ready to draw."""

    stages: list[DrawnStage]
    height: float
    left: int = LEFT
    node: int = NODE
    exits_x: int = EXITS
    width: int = WIDTH


def funnel_chart(stages: Sequence[Stage]) -> FunnelChart | None:
    """Steps from top to bottom; None where nothing began."""
    if not stages or not stages[0].reached:
        return None
    one = TRUNK / stages[0].reached
    drawn, y = [], float(TOP)
    for place, stage in enumerate(stages):
        here, end = leaving(stage, y + NODE, one)
        following = max(end, y + NODE + TWO_LINES)
        trunk = thick(stage.further, one)
        drawn.append(
            DrawnStage(
                stage=stage,
                y=round(y, 1),
                width=thick(stage.reached, one),
                trunk_width=trunk if place + 1 < len(stages) else 0.0,
                trunk_height=round(following - y - NODE, 1),
                exits=here,
            )
        )
        y = following
    return FunnelChart(drawn, round(y + TOP, 1))


def leaving(stage: Stage, y: float, one: float) -> tuple[list[DrawnExit], float]:
    """The bands that turn off, the outermost first so that none crosses another; and the foot of the lowest."""
    shown = [leaver for leaver in stage.exits if leaver.number]
    right = LEFT + stage.reached * one
    slot = y + DROP / 2
    found = []
    for leaver in shown:
        size = leaver.number * one
        height = max(size, LINE)
        middle = slot + height / 2
        found.append(DrawnExit(leaver, turn(right - size, right, y, middle - size / 2, middle + size / 2), round(middle + 4, 1)))
        right -= size
        slot += height
    return found, slot + DROP / 2


def turn(left: float, right: float, y: float, top: float, bottom: float) -> str:
    """A band that falls from a bar at y and turns to the right between two heights; a hair's breadth at least."""
    if right - left < LEAST:
        right, bottom = left + LEAST, top + LEAST
    bend = min(BEND, top - y)
    a, b, c = (f"{value:.1f}" for value in (left, right, right + bend))
    u, v, w, before = (f"{value:.1f}" for value in (top, bottom, y, top - bend))
    return f"M{a} {w} L{b} {w} L{b} {before} Q{b} {u} {c} {u} L{BANDS_END} {u} L{BANDS_END} {v} L{c} {v} Q{a} {v} {a} {before} Z"


def thick(number: int, one: float) -> float:
    """How wide so many are drawn."""
    return round(max(number * one, LEAST), 1) if number else 0.0
