"""A series of measurements: what was counted, the level it gives, and how precise that level is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


class Form(StrEnum):
    """What a measurement keeps: always sufficient statistics, never only an average when counts are known."""

    PROPORTION = "proportion"
    SCORE = "score"
    RATE = "rate"
    MEAN = "mean"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Measurements:
    """One series in period order, reduced to what limits and changes need.

    level: the value of each period (nan where missing); weight: its number of trials, answers or exposure (nan for a bare value,
    0 where missing); spread: standard deviation of a single trial around the level of its period, pooled over the series (nan for a
    bare value).
    """

    form: Form
    level: Floats
    weight: Floats
    spread: float
    lowest: float = -np.inf
    highest: float = np.inf

    def __len__(self) -> int:
        return len(self.level)

    def first(self, size: int) -> Measurements:
        """The first periods alone, as they were known then."""
        level, weight = self.level[:size], self.weight[:size]
        return Measurements(self.form, level, weight, self.spread, self.lowest, self.highest)

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which periods hold a value."""
        return np.isfinite(self.level)


def proportions(numerator: ArrayLike, denominator: ArrayLike) -> Measurements:
    """x of n a period; a period with n = 0 or nan is missing.

    Raises ValueError naming the first period (counted from 0) whose counts are impossible.
    """
    x, n = _counts(numerator, "numerator"), _counts(denominator, "denominator")
    _same_length(x, n)
    _refuse(x > n, "the numerator is above the denominator", x)
    pooled = _pooled(x, n)
    return _weighted(Form.PROPORTION, x, n, float(np.sqrt(pooled * (1 - pooled))), 0.0, 1.0)


def rates(events: ArrayLike, exposure: ArrayLike) -> Measurements:
    """Events per exposure a period; a period without exposure is missing. Raises ValueError like `proportions`."""
    x, n = _counts(events, "number of events"), _counts(exposure, "exposure")
    _same_length(x, n)
    return _weighted(Form.RATE, x, n, float(np.sqrt(_pooled(x, n))), 0.0, np.inf)


def means(n: ArrayLike, total: ArrayLike, total_of_squares: ArrayLike) -> Measurements:
    """n, sum and sum of squares a period. Raises ValueError where no sample could have them."""
    count, s, q = _counts(n, "n"), _finite(total, "sum"), _counts(total_of_squares, "sum of squares")
    _same_length(count, s, q)
    with np.errstate(invalid="ignore"):
        _refuse(q * count < s * s * (1 - 1e-9), "the sum of squares is too small for the sum", q)
    whole = (count > 0) & np.isfinite(s) & np.isfinite(q)
    return _weighted(Form.MEAN, s, count, _spread_within(count[whole], s[whole], q[whole]))


def scores(levels: ArrayLike, marks: Sequence[float]) -> Measurements:
    """Counts per answer level (periods × levels, worst level first) with a mark each. Raises ValueError like `proportions`."""
    counts = np.atleast_2d(np.asarray(levels, dtype=np.float64))
    if counts.shape[1] != len(marks):
        msg = f"{counts.shape[1]} answer levels were given for {len(marks)} marks"
        raise ValueError(msg)
    flat = counts.ravel()
    _refuse(np.isinf(flat), "a count is infinite", flat, counts.shape[1])
    with np.errstate(invalid="ignore"):
        _refuse(flat < 0, "a count is negative", flat, counts.shape[1])
    values = np.asarray(marks, dtype=np.float64)
    n = counts.sum(axis=1)
    whole = np.isfinite(n) & (n > 0)
    total, squares = counts[whole] @ values, counts[whole] @ values**2
    return _weighted(
        Form.SCORE, counts @ values, n, _spread_within(n[whole], total, squares), float(values.min()), float(values.max())
    )


def values(value: ArrayLike) -> Measurements:
    """A bare number a period; nan is missing. Raises ValueError where one is infinite."""
    level = _finite(value, "value")
    return Measurements(Form.VALUE, level, np.where(np.isfinite(level), np.nan, 0.0), np.nan)


def _pooled(x: Floats, n: Floats) -> float:
    """The level of the periods that are whole, taken together; nan where there is none."""
    whole = np.isfinite(x) & (n > 0)
    return float(x[whole].sum() / n[whole].sum()) if whole.any() else np.nan


def _spread_within(n: Floats, total: Floats, squares: Floats) -> float:
    """Standard deviation of one answer around its own period's mean, pooled over the periods.

    Where no period has two answers, around the mean of all; nan where there is none at all.
    """
    freedom = np.maximum(n - 1, 0).sum()
    if freedom > 0:
        return float(np.sqrt(max((squares - total**2 / n).sum(), 0.0) / freedom))
    if len(n) == 0:
        return np.nan
    return float(np.sqrt(max(squares.sum() / n.sum() - (total.sum() / n.sum()) ** 2, 0.0)))


def _weighted(
    form: Form, total: Floats, n: Floats, spread: float, lowest: float = -np.inf, highest: float = np.inf
) -> Measurements:
    weight = np.nan_to_num(n, nan=0.0)
    weight = np.where(np.isfinite(total), weight, 0.0)
    level = np.divide(total, weight, out=np.full_like(weight, np.nan), where=weight > 0)
    return Measurements(form, level, weight, spread, lowest, highest)


def _finite(given: ArrayLike, name: str) -> Floats:
    array = np.atleast_1d(np.asarray(given, dtype=np.float64))
    _refuse(np.isinf(array), f"the {name} is infinite", array)
    return array


def _counts(given: ArrayLike, name: str) -> Floats:
    array = _finite(given, name)
    with np.errstate(invalid="ignore"):
        _refuse(array < 0, f"the {name} is negative", array)
    return array


def _refuse(bad: NDArray[np.bool_], what: str, array: Floats, width: int = 1) -> None:
    if bad.any():
        first = int(np.argmax(bad))
        msg = f"period {first // width}: {what} ({array[first]:g})"
        raise ValueError(msg)


def _same_length(*arrays: Floats) -> None:
    if len({len(array) for array in arrays}) > 1:
        msg = f"the columns differ in length: {', '.join(str(len(array)) for array in arrays)}"
        raise ValueError(msg)
