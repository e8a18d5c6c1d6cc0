"""A change's calculation sheet: what went in and what came out, so that anybody can do it again with `fabrique detect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabrique.clock import SEASON
from fabrique.quality.rules import COLUMNS, NAMES
from fabrique.stats.changes import VERSION, detect
from fabrique.stats.measurements import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.quality.queries import History, Series
    from fabrique.quality.rules import Figures
    from fabrique.stats.changes import Change


def sheet(series: Series, history: History) -> dict[str, Any]:
    """The figures of a series in the columns that files have, and every change they show today."""
    metric = series.metric
    names = [f"level_{place}" for place in range(1, len(metric.marks) + 1)] if metric.form is Form.SCORE else NAMES[metric.form]
    periods = [str(period) for period in history.periods]
    detection = detect(history.measurements, metric.better, SEASON[history.granularity])
    return {
        "method": VERSION,
        "metric": metric.key,
        "segment": series.segment,
        "better": metric.better,
        "form": metric.form.value,
        "marks": list(metric.marks),
        "periods_per_season": SEASON[history.granularity],
        "columns": ["period", *(COLUMNS.get(name, name) for name in names)],
        "rows": [[period, *cells(metric.form, one, names)] for period, one in zip(periods, history.figures, strict=True)],
        "changes": [described(change, periods) for change in detection.changes],
        "notes": list(detection.notes),
    }


def cells(form: Form, figures: Figures | None, names: Sequence[str]) -> list[float | None]:
    """One period's statistics; nothing where it is missing."""
    if figures is None:
        return [None] * len(names)
    if form is Form.SCORE:
        return list(figures.levels or [None] * len(names))
    return [getattr(figures, name) for name in names]


def described(change: Change, periods: Sequence[str]) -> dict[str, Any]:
    """One change, with its periods by name."""
    return {
        "index": change.index,
        "period": periods[change.index],
        "period_interval": [periods[change.earliest], periods[change.latest]],
        "before": change.before,
        "after": change.after,
        "effect": change.effect,
        "effect_interval": [change.effect_low, change.effect_high],
        "direction": change.direction.value,
        "evidence": {
            "log_likelihood_ratio": change.evidence.ratio,
            "z": change.evidence.z,
            "threshold": change.evidence.threshold,
            "chance_per_year": change.evidence.chance,
        },
    }
