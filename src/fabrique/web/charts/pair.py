"""A series beside what it would have been, or beside others: two lines over periods, and the moment of the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.web.charts.scale import Scale, decimals_of, round_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 960, 320
LEFT, RIGHT, TOP, FOOT = 72, 170, 24, 44
MOST_LABELS = 6


@dataclass(frozen=True, slots=True)
class Pair:
    """Ready to draw. `dots` are the seen values: x, y, label, value, after the change or not."""

    seen: str
    expected: str
    dots: list[tuple[float, float, str, float, bool]]
    ticks: list[tuple[float, float]]
    labels: list[tuple[str, float]]
    change_x: float | None
    seen_end: tuple[float, float] | None
    expected_end: tuple[float, float] | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    axis_y: int = HEIGHT - FOOT

    @property
    def decimals(self) -> int:
        """As many as the axis needs."""
        return decimals_of([value for value, _place in self.ticks], 1.0)


def pair(points: Sequence[tuple[str, float | None, float | None, bool]]) -> Pair | None:
    """Period, value, expected value, treated; None where nothing is known."""
    known = [one for _p, value, expected, _t in points for one in (value, expected) if one is not None]
    if not known:
        return None
    ticks = round_ticks(min(known), max(known), 6)
    across, up = Scale(0, max(1, len(points) - 1), LEFT, WIDTH - RIGHT), Scale(ticks[0], ticks[-1], HEIGHT - FOOT, TOP)
    change = next((place for place, point in enumerate(points) if point[3]), None)
    seen = [(across(x), up(value)) for x, (_p, value, _e, _t) in enumerate(points) if value is not None]
    expected = [(across(x), up(value)) for x, (_p, _v, value, _t) in enumerate(points) if value is not None]
    stride = max(1, (len(points) - 1) // (MOST_LABELS - 1))
    half = (across(1) - across(0)) / 2
    return Pair(
        seen=path(seen),
        expected=path(expected),
        dots=[(across(x), up(v), p, v, t) for x, (p, v, _e, t) in enumerate(points) if v is not None],
        ticks=[(tick, up(tick)) for tick in ticks],
        labels=[(points[place][0], across(place)) for place in range(0, len(points), stride)],
        change_x=round(across(change) - half, 1) if change is not None else None,
        seen_end=seen[-1] if seen else None,
        expected_end=apart(expected[-1], seen[-1]) if expected and seen else None,
    )


def path(places: Sequence[tuple[float, float]]) -> str:
    """A polyline."""
    return "M" + " L".join(f"{x} {y}" for x, y in places) if places else ""


def apart(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """A label's place that does not touch the other's."""
    if abs(one[1] - other[1]) >= 16:  # noqa: PLR2004 - a line of text
        return one
    return one[0], other[1] + (16 if one[1] >= other[1] else -16)
