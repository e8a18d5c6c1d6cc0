"""A line the height of a word: where a series comes from and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.web.charts.scale import Scale

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 96, 24


@dataclass(frozen=True, slots=True)
class Sparkline:
    """Ready to draw."""

    path: str
    last: tuple[float, float] | None
    direction: str
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(values: Sequence[float | None], direction: str | None) -> Sparkline:
    """The line of some values; gaps stay gaps. `direction` colours the last point."""
    known = [value for value in values if value is not None]
    if not known:
        return Sparkline("", None, direction or "neutral")
    across = Scale(0, max(1, len(values) - 1), 3, WIDTH - 6)
    up = Scale(min(known), max(known), HEIGHT - 4, 4)
    commands, pen, last = [], "M", None
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        last = (across(place), up(value))
        commands.append(f"{pen}{last[0]:g} {last[1]:g}")
        pen = "L"
    return Sparkline("".join(commands), last, direction or "neutral")
