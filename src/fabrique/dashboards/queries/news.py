"""A flag as one line of what moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.watch import explain
from fabrique.web.charts.spark import Sparkline, sparkline

if TYPE_CHECKING:
    from fabrique.quality.catalogue import Metric
    from fabrique.quality.model import SeriesStateRow
    from fabrique.watch.queries import Flag


@dataclass(frozen=True, slots=True)
class News:
    """One line of what moved."""

    flag: Flag
    sentence: str
    spark: Sparkline


def news(flag: Flag, known: dict[str, Metric], states: dict[int, SeriesStateRow]) -> News:
    """A flag as one line with its small chart."""
    recent = states[flag.series_id].recent if flag.series_id in states else []
    return News(flag, explain.short_sentence(flag, known[flag.metric_key]), sparkline(recent, flag.direction))
