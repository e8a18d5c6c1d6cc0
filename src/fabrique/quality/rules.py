"""Is this figure possible? What level does it give, in which band? Pure decisions over counts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from fabrique.language import Problem, n_
from fabrique.stats.measurements import Form, Measurements, means, proportions, rates, scores, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.quality.catalogue import Metric

RECENT = 52
"""Levels kept for the small line beside a name."""
TWELVE_MONTHS = timedelta(days=364)
"""A period that begins this long before the last one is no longer counted with it: 52 weeks, 12 months, 4 quarters or a year are."""


class FigureImpossible(Problem):
    """No real count could be this. `column` names the one to look at."""

    def __init__(self, column: str, message: str, **values: object) -> None:
        super().__init__(message, **values)
        self.column = column


class Band(StrEnum):
    """Where a level stands against the metric's thresholds."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


BAND_LABELS = {Band.GREEN: n_("Good"), Band.YELLOW: n_("Fair"), Band.RED: n_("Poor")}


@dataclass(frozen=True, slots=True)
class Figures:
    """The sufficient statistics of one period; what the form does not use stays None."""

    numerator: float | None = None
    denominator: float | None = None
    n: float | None = None
    total: float | None = None
    total_of_squares: float | None = None
    value: float | None = None
    levels: tuple[float, ...] | None = None


NAMES = {
    Form.PROPORTION: ("numerator", "denominator"),
    Form.RATE: ("numerator", "denominator"),
    Form.MEAN: ("n", "total", "total_of_squares"),
    Form.VALUE: ("value",),
}
COLUMNS = {"total": "sum", "total_of_squares": "sum_sq"}
"""What the files call a statistic, where it differs."""


def check(metric: Metric, figures: Figures) -> None:
    """Raise FigureImpossible where the counts are missing, negative, not finite, or contradict one another."""
    if metric.form is Form.SCORE:
        _check_levels(metric, figures.levels)
        return
    for name in NAMES[metric.form]:
        _check_number(COLUMNS.get(name, name), getattr(figures, name), signed=name in {"value", "total"})
    match metric.form:
        case Form.PROPORTION:
            if (figures.numerator or 0) > (figures.denominator or 0):
                raise FigureImpossible(
                    "numerator",
                    n_("the numerator %(x)s is above the denominator %(n)s"),
                    x=_short(figures.numerator),
                    n=_short(figures.denominator),
                )
        case Form.MEAN:
            n, s, q = figures.n or 0, figures.total or 0, figures.total_of_squares or 0
            if q * n < s * s * (1 - 1e-9) or (n == 0 and q > 0):
                raise FigureImpossible("sum_sq", n_("the sum of squares is too small for the sum and the count"))
        case _:
            pass


def _check_levels(metric: Metric, levels: tuple[float, ...] | None) -> None:
    if not levels:
        raise FigureImpossible("level_1", n_("%(metric)s needs counts in level_1 to level_%(k)s"),
                               metric=metric.key, k=len(metric.marks))  # fmt: skip
    if len(levels) != len(metric.marks):
        raise FigureImpossible(
            f"level_{len(levels)}",
            n_("%(metric)s has %(k)s answer levels; %(given)s were given"),
            metric=metric.key,
            k=len(metric.marks),
            given=len(levels),
        )
    for place, count in enumerate(levels, start=1):
        _check_number(f"level_{place}", count)


def _check_number(column: str, number: float | None, *, signed: bool = False) -> None:
    if number is None:
        raise FigureImpossible(column, n_("nothing is written here"))
    if not math.isfinite(number):
        raise FigureImpossible(column, n_("the number is not finite"))
    if number < 0 and not signed:
        raise FigureImpossible(column, n_("a count cannot be negative"))


def _short(number: float | None) -> str:
    return f"{number:.15g}" if number is not None else ""


def measured(metric: Metric, rows: Sequence[Figures | None]) -> Measurements:
    """The series of some periods in order; None is a missing period."""
    nan = math.nan

    def column(name: str) -> list[float]:
        return [nan if row is None else _or_nan(getattr(row, name)) for row in rows]

    match metric.form:
        case Form.PROPORTION:
            return proportions(column("numerator"), column("denominator"))
        case Form.RATE:
            return rates(column("numerator"), column("denominator"))
        case Form.MEAN:
            return means(column("n"), column("total"), column("total_of_squares"))
        case Form.SCORE:
            missing = (nan,) * len(metric.marks)
            return scores([missing if row is None or row.levels is None else row.levels for row in rows], metric.marks)
        case Form.VALUE:
            return values(column("value"))


def _or_nan(number: float | None) -> float:
    return math.nan if number is None else number


@dataclass(frozen=True, slots=True)
class State:
    """A series at a glance."""

    level: float | None
    answers: float | None
    recent: tuple[float | None, ...]


def summary(metric: Metric, starts: Sequence[date], rows: Sequence[Figures]) -> State:
    """The level over the twelve months that end with the last period (the last value for a bare value), and the recent ones."""
    series = measured(metric, rows)
    levels = [None if math.isnan(level) else round(level, 6) for level in series.level.tolist()]
    recent = tuple(levels[-RECENT:])
    if metric.form is Form.VALUE:
        known = [level for level in levels if level is not None]
        return State(known[-1] if known else None, None, recent)
    since = starts[-1] - TWELVE_MONTHS
    window = [place for place, start in enumerate(starts) if start > since]
    weight = series.weight[window]
    answers = float(weight.sum())
    if answers == 0:
        return State(None, 0.0, recent)
    kept = weight > 0
    return State(float((series.level[window][kept] @ weight[kept]) / answers), answers, recent)


def enough(metric: Metric, answers: float | None) -> bool:
    """Whether there are enough answers to show a level."""
    return answers is None or answers >= metric.minimum_answers


def band(metric: Metric, level: float | None, answers: float | None) -> Band | None:
    """The band of a level; none where the metric has no thresholds or there are too few answers."""
    if level is None or metric.green is None or metric.yellow is None or not enough(metric, answers):
        return None
    sign = -1.0 if metric.better == "lower" else 1.0
    if sign * level >= sign * metric.green:
        return Band.GREEN
    return Band.YELLOW if sign * level >= sign * metric.yellow else Band.RED
