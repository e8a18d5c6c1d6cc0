"""Many series at once: which of them changed, and when? A country's worth in a minute; `changes.detect` says more of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fabrique.stats.changes import SHORTEST, steadied
from fabrique.stats.measurements import Form, means, proportions, rates, scores, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from fabrique.stats.measurements import Measurements

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Found:
    """Every change of every series, one place each in arrays of equal length, by series and then by date."""

    series: Integers
    """Which series, counted from 0."""
    index: Integers
    """First period of the new level, counted from 0 in its own series, missing periods included."""
    earliest: Integers
    latest: Integers
    gain: Floats
    """Twice the gain in log-likelihood."""


def detect_many(form: Form, columns: Sequence[ArrayLike], lengths: ArrayLike, season: float = 0.0) -> Found:
    """The changes that `changes.detect` finds in each series.

    columns: those of the form, all series end to end: (numerator, denominator), (events, exposure), (n, sum, sum of squares), (value,),
    or for scores (counts per level, marks) with counts of shape (periods, levels); nan is missing. lengths: periods of each series,
    which may differ. season: as for `detect`, the same for all.
    Raises ValueError, naming the series and its period, like `measurements` does for impossible counts; and for lengths that do not add up.
    """
    sizes = np.asarray(lengths, dtype=np.int64)
    series = _measured(form, columns, sizes)
    if sizes.ndim != 1 or (sizes < 0).any() or sizes.sum() != len(series):
        raise ValueError(f"the lengths add up to {sizes.sum()} periods; the columns hold {len(series)}")
    owner = np.repeat(np.arange(len(sizes)), sizes)
    seen = np.flatnonzero(series.present)
    owner, place = owner[seen], seen - (np.cumsum(sizes) - sizes)[owner[seen]]
    y, v, counted = _stabilised(series, columns, seen, owner, len(sizes))
    present = np.bincount(owner, minlength=len(sizes))
    offsets = np.concatenate([[0], np.cumsum(present)])
    from fabrique.stats.engine import examine as engine  # noqa: PLC0415 - compiled code takes a moment to load

    counts, room, rows = engine.examine_many(y, v, place.astype(np.float64), offsets, counted, season)
    counts[present < SHORTEST] = 0
    which = np.repeat(np.arange(len(sizes)), counts)
    kept = rows[np.repeat(room[:-1], counts) + np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)]

    def period(column: int) -> Integers:
        return np.asarray(place[offsets[which] + kept[:, column].astype(np.int64)], dtype=np.int64)

    return Found(
        which, period(engine.INDEX), period(engine.EARLIEST), period(engine.LATEST), kept[:, engine.GAIN].astype(np.float64)
    )


def _measured(form: Form, columns: Sequence[ArrayLike], sizes: Integers) -> Measurements:
    """All series end to end, their counts checked."""
    try:
        return _made(form, columns)
    except ValueError:
        # Slow, but only where something is wrong: say of which series.
        end = np.cumsum(sizes)
        for place in range(len(sizes)):
            piece = slice(int(end[place] - sizes[place]), int(end[place]))
            marks = columns[1:] if form is Form.SCORE else ()
            part = [np.asarray(one)[piece] for one in columns[: len(columns) - len(marks)]]
            try:
                _made(form, [*part, *marks])
            except ValueError as error:
                raise ValueError(f"series {place}, {error}") from error
        raise


def _made(form: Form, columns: Sequence[ArrayLike]) -> Measurements:
    match form:
        case Form.PROPORTION:
            return proportions(*columns)
        case Form.RATE:
            return rates(*columns)
        case Form.MEAN:
            return means(*columns)
        case Form.SCORE:
            return scores(columns[0], np.asarray(columns[1], dtype=np.float64).tolist())
        case Form.VALUE:
            return values(*columns)


def _stabilised(
    series: Measurements, columns: Sequence[ArrayLike], seen: NDArray[np.intp], owner: Integers, size: int
) -> tuple[Floats, Floats, bool]:
    """As `changes.stabilised`, with the spread of each series its own."""
    level, weight = series.level[seen], series.weight[seen]
    match series.form:
        case Form.PROPORTION | Form.RATE:
            return *steadied(series.form, level, weight), True
        case Form.VALUE:
            number = np.maximum(np.bincount(owner, minlength=size), 1)
            return level - (np.bincount(owner, level, minlength=size) / number)[owner], np.ones(len(level)), False
        case Form.MEAN | Form.SCORE:
            total = level * weight
            if series.form is Form.SCORE:
                counts, marks = np.asarray(columns[0], dtype=np.float64), np.asarray(columns[1], dtype=np.float64)
                squares = (counts @ marks**2)[seen]
            else:
                squares = np.asarray(columns[2], dtype=np.float64)[seen]
            within = np.bincount(owner, squares - total**2 / weight, minlength=size)
            freedom = np.bincount(owner, np.maximum(weight - 1, 0), minlength=size)
            with np.errstate(divide="ignore", invalid="ignore"):
                spread = np.sqrt(np.maximum(within, 0) / freedom)
            middle = np.bincount(owner, total, minlength=size) / np.maximum(np.bincount(owner, weight, minlength=size), 1e-300)
            # Where no period has two answers the engine would have nothing to hold the variance against.
            usable = np.where(np.isfinite(spread) & (spread > 0), spread, np.inf)
            return (level - middle[owner]) / usable[owner], 1 / weight, True
