"""An effect as it grew with the days, its band, and the boundary of each look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.web.charts.scale import Scale, decimals_of, round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

WIDTH, HEIGHT = 960, 320
LEFT, RIGHT, TOP, FOOT = 72, 190, 24, 44
MOST_LABELS = 5
WIDEST = 4.0
"""A first day's band would flatten all the others: the axis spans this many times the last interval at most."""


@dataclass(frozen=True, slots=True)
class Grown:
    """The effect at the end of a day."""

    day: date
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Looked:
    """A look: its day, its interval at the look's own level, whether it crossed."""

    day: date
    value: float
    low: float | None
    high: float | None
    crossed: bool


@dataclass(frozen=True, slots=True)
class LookDrawn:
    """A look on the drawing."""

    look: Looked
    number: int
    x: float
    y: float
    y_low: float
    y_high: float


@dataclass(frozen=True, slots=True)
class Growth:
    """Ready to draw."""

    path: str
    band: str
    looks: list[LookDrawn]
    ticks: list[tuple[float, float]]
    days: list[tuple[date, float]]
    null_y: float
    mde_y: float | None
    last: tuple[float, float]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    axis_y: int = HEIGHT - FOOT

    @property
    def decimals(self) -> int:
        """As many as the axis needs."""
        return decimals_of([value for value, _place in self.ticks], 1.0)


def growth(steps: Sequence[Grown], looks: Sequence[Looked], *, null: float, mde: float | None) -> Growth | None:
    """None where there is nothing to follow."""
    if not steps:
        return None
    first, last = steps[0].day, steps[-1].day
    across = Scale(first.toordinal(), max(last.toordinal(), first.toordinal() + 1), LEFT, WIDTH - RIGHT)
    low, high = extent(steps, looks, null, mde)
    ticks = round_ticks(low, high, 6)
    up = Scale(ticks[0], ticks[-1], HEIGHT - FOOT, TOP)

    def y(value: float | None, otherwise: float) -> float:
        return up(min(max(value if value is not None else otherwise, ticks[0]), ticks[-1]))

    places = [(across(one.day.toordinal()), one) for one in steps]
    path = "M" + " L".join(f"{x} {y(one.value, null)}" for x, one in places)
    above = [f"{x} {y(one.high, ticks[-1])}" for x, one in places]
    below = [f"{x} {y(one.low, ticks[0])}" for x, one in reversed(places)]
    stride = max(1, (len(steps) - 1) // (MOST_LABELS - 1))
    return Growth(
        path=path,
        band="M" + " L".join([*above, *below]) + "Z",
        looks=[
            LookDrawn(one, n, across(one.day.toordinal()), y(one.value, null), y(one.low, ticks[0]), y(one.high, ticks[-1]))
            for n, one in enumerate(looks, 1)
        ],
        ticks=[(tick, up(tick)) for tick in ticks],
        days=[(one.day, x) for x, one in places[::stride]],
        null_y=up(null),
        mde_y=up(mde) if mde is not None else None,
        last=(places[-1][0], y(steps[-1].value, null)),
    )


def extent(steps: Sequence[Grown], looks: Sequence[Looked], null: float, mde: float | None) -> tuple[float, float]:
    """What the axis spans: the looks, nothing, the smallest effect that matters, and a bounded part of the early days."""
    known = [null, *([mde] if mde is not None else [])]
    for one in looks:
        known += [value for value in (one.value, one.low, one.high) if value is not None]
    last = steps[-1]
    known += [value for value in (last.value, last.low, last.high) if value is not None]
    low, high = min(known), max(known)
    room = (high - low) * (WIDEST - 1) / 6
    early = [value for one in steps for value in (one.value,)]
    return max(low - room, min(low, *early)), min(high + room, max(high, *early))
