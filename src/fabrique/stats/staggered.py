"""What did a change bring that units adopted one after the other?

Each group that adopts at one date is compared, period by period, with units that have not adopted (Callaway & Sant'Anna 2021, without
covariates). A plain two-way regression would take early adopters as controls for late ones, and can even get the sign wrong; it is
given as a warning only. Chance is what a reshuffled order of adoption would show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import numpy as np

from fabrique.stats.permutation import CELLS, DRAWS, MOST_EXACT, invert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from fabrique.stats.interval import Interval

    Floats = NDArray[np.float64]
    Labels = NDArray[np.intp]

Control = Literal["never", "not-yet"]


@dataclass(frozen=True, slots=True)
class GroupTime:
    """Effect at `period` on the `units` that adopted at `group` (labels of periods), since the period before they did."""

    group: float
    period: float
    estimate: float
    units: int


@dataclass(frozen=True, slots=True)
class EventPoint:
    """Average over groups, by size, `relative` periods after adoption (0: the first with the change; negative: before it, where
    nothing should be seen). interval: None for a lead that not-yet adopters, measured themselves at other leads, do not bound."""

    relative: int
    estimate: float
    interval: Interval | None
    p_value: float


@dataclass(frozen=True, slots=True)
class StaggeredDifferences:
    """att: average of all group-time effects after adoption, weighted by group size, in the outcome's unit.

    interval: the constant effects that a permutation of the adoption order does not reject (infinite, with a `note`, where there are too
    few orders); exact: whether all `assignments` were tried; pretrend_p: the same test of all leads together (None without leads);
    twfe: two-way fixed effects, misleading where effects grow or differ; control: who the comparisons are with; units: treated and never
    treated in the window; left_out: units with a missing value, or treated from the first period on.
    """

    att: float
    interval: Interval
    p_value: float
    exact: bool
    assignments: int
    group_time: tuple[GroupTime, ...]
    event_study: tuple[EventPoint, ...]
    pretrend_p: float | None
    twfe: float | None
    control: Control
    units_treat: int
    units_never: int
    left_out: int
    note: str | None


def staggered_differences(
    y: ArrayLike,
    first_treated: ArrayLike,
    periods: ArrayLike | None = None,
    *,
    control: Control | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> StaggeredDifferences:
    """Effect of a change adopted at several dates.

    y: units × periods, nan where missing (such a unit is left out); first_treated: label of each unit's first period with the change,
    0 or a later one than the last for never; periods: increasing labels (1, 2, … unless given); control: "never" (the default where
    some unit never adopts) or "not-yet" (all that have not adopted by that period, the default otherwise).
    p: every reassignment of the adoption dates to the units up to 20,000, or 10,000 drawn. Raises ValueError for shapes that differ,
    periods that do not increase, or where no group can be compared with anybody.
    """
    if not 0 < alpha < 1:
        msg = f"an alpha of {alpha:g}: it lies between 0 and 1."
        raise ValueError(msg)
    roll_out = _RollOut.read(y, first_treated, periods, control)
    cells = roll_out.cells()
    after = [cell for cell in cells if cell.relative >= 0]
    if not after:
        msg = "no group can be compared: each needs a period before it adopts, and units that have not adopted after it does."
        raise ValueError(msg)
    leads_and_lags = sorted({cell.relative for cell in cells})
    averages = [after, *([cell for cell in cells if cell.relative == relative] for relative in leads_and_lags)]
    contrasts = np.stack([roll_out.contrast(average) for average in averages])
    shifts = np.stack([roll_out.treated(), *(roll_out.treated(relative) for relative in leads_and_lags)])
    shuffled = _shuffled(roll_out, contrasts, shifts, [False, *(relative < 0 for relative in leads_and_lags)], seed)
    p_value, interval = invert(*shuffled.of(0), alpha=alpha, exact=shuffled.exact)
    bounded = math.isfinite(interval.low) and math.isfinite(interval.high)
    return StaggeredDifferences(
        att=float(shuffled.seen[0]),
        interval=interval,
        p_value=p_value,
        exact=shuffled.exact,
        assignments=shuffled.statistics.shape[1],
        group_time=tuple(roll_out.group_time(cell) for cell in after),
        event_study=tuple(shuffled.point(place, relative, alpha) for place, relative in enumerate(leads_and_lags, start=1)),
        pretrend_p=shuffled.joint_p([place for place, relative in enumerate(leads_and_lags, start=1) if relative < 0]),
        twfe=_two_way(roll_out),
        control=roll_out.control,
        units_treat=len(roll_out.y) - roll_out.sizes[-1],
        units_never=roll_out.sizes[-1],
        left_out=roll_out.left_out,
        note=None if bounded else f"too few orders of adoption: none could be rare enough to bound the effect at {1 - alpha:.0%}",
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    """A group at a period, its base (the period before it adopts) and the groups it is compared with."""

    group: int
    period: int
    base: int
    controls: tuple[int, ...]

    @property
    def relative(self) -> int:
        return self.period - self.base - 1


@dataclass(frozen=True, slots=True)
class _RollOut:
    """y: units × periods, from their mean; group: place of each unit's group, the last one never adopting; starts: first period with
    the change of each group but that one; sizes: units of each group."""

    y: Floats
    group: Labels
    starts: tuple[int, ...]
    sizes: tuple[int, ...]
    labels: tuple[float, ...]
    control: Control
    left_out: int

    @classmethod
    def read(cls, y: ArrayLike, first_treated: ArrayLike, periods: ArrayLike | None, control: Control | None) -> _RollOut:
        table, first = np.array(y, dtype=np.float64), np.asarray(first_treated, dtype=np.float64).ravel()
        if table.ndim != 2 or len(table) != len(first):  # noqa: PLR2004 - units × periods
            msg = f"outcomes of shape {table.shape} for {len(first)} adoption dates: one row a unit, one column a period."
            raise ValueError(msg)
        labels = np.arange(1.0, table.shape[1] + 1) if periods is None else np.asarray(periods, dtype=np.float64).ravel()
        if len(labels) != table.shape[1] or (np.diff(labels) <= 0).any():
            msg = f"{len(labels)} labels for {table.shape[1]} periods: each has one, and they increase."
            raise ValueError(msg)
        if np.isinf(table).any() or np.isnan(first).any():
            msg = "an outcome is infinite or an adoption date is missing: 0 says never."
            raise ValueError(msg)
        place = np.where(first == 0, len(labels), np.searchsorted(labels, first))
        kept = np.isfinite(table).all(axis=1) & (place > 0)
        if not kept.any():
            msg = "no unit has all its periods and one of them without the change."
            raise ValueError(msg)
        table, place = table[kept] - table[kept].mean(), place[kept]
        starts = sorted({int(p) for p in place if p < len(labels)})
        group = np.searchsorted(np.array([*starts, len(labels)]), place)
        sizes = tuple(int(size) for size in np.bincount(group, minlength=len(starts) + 1))
        chosen: Control = control or ("never" if sizes[-1] else "not-yet")
        return cls(table, group, tuple(starts), sizes, tuple(labels.tolist()), chosen, int((~kept).sum()))

    def cells(self) -> list[_Cell]:
        """Every group and period but its base that has somebody to compare with."""
        found = []
        for group, start in enumerate(self.starts):
            for period in range(len(self.labels)):
                controls = self._controls(group, max(period, start - 1))
                if period != start - 1 and controls:
                    found.append(_Cell(group, period, start - 1, controls))
        return found

    def _controls(self, group: int, until: int) -> tuple[int, ...]:
        never = (len(self.starts),) if self.sizes[-1] else ()
        if self.control == "never":
            return never
        return tuple(other for other, start in enumerate(self.starts) if start > until and other != group) + never

    def contrast(self, cells: list[_Cell]) -> Floats:
        """Groups × periods: what each unit's outcome weighs in the average of the cells, by group size."""
        weights = np.zeros((len(self.sizes), len(self.labels)))
        total = sum(self.sizes[cell.group] for cell in cells)
        for cell in cells:
            share = self.sizes[cell.group] / total
            others = list(cell.controls)
            each = share / sum(self.sizes[other] for other in others)
            weights[cell.group, [cell.period, cell.base]] += np.array([1, -1]) * share / self.sizes[cell.group]
            weights[others, cell.period] -= each
            weights[others, cell.base] += each
        return weights

    def treated(self, relative: int | None = None) -> Floats:
        """Units × periods: 1 with the change; or only `relative` periods from adoption."""
        start = np.array([*self.starts, 10**9])[self.group]
        since = np.arange(len(self.labels))[None, :] - start[:, None]
        chosen = since >= 0 if relative is None else since == relative
        return np.where(chosen, 1.0, 0.0)

    def group_time(self, cell: _Cell) -> GroupTime:
        estimate = float((self.contrast([cell])[self.group] * self.y).sum())
        return GroupTime(self.labels[cell.base + 1], self.labels[cell.period], estimate, self.sizes[cell.group])


@dataclass(frozen=True, slots=True)
class _Shuffled:
    """Each estimate (a row) as seen and under other orders of adoption; overlaps: the same of the shift that it measures."""

    seen: Floats
    overlap_seen: Floats
    statistics: Floats
    overlaps: Floats
    exact: bool

    def of(self, place: int) -> tuple[float, Floats, Floats]:
        return float(self.seen[place]), self.statistics[place], self.overlaps[place]

    def point(self, place: int, relative: int, alpha: float) -> EventPoint:
        p_value, interval = invert(*self.of(place), alpha=alpha, exact=self.exact)
        measured = abs(self.overlap_seen[place] - 1) < 1e-9  # noqa: PLR2004 - a share of counts
        return EventPoint(relative, float(self.seen[place]), interval if measured else None, p_value)

    def joint_p(self, places: list[int]) -> float | None:
        """Of the leads' sum of squares."""
        if not places:
            return None
        seen = float((self.seen[places] ** 2).sum())
        extreme = ((self.statistics[places] ** 2).sum(axis=0) >= seen * (1 - 1e-9)).sum()
        return float(extreme / self.statistics.shape[1] if self.exact else (1 + extreme) / (1 + self.statistics.shape[1]))


def _shuffled(roll_out: _RollOut, contrasts: Floats, shifts: Floats, leads: list[bool], seed: int) -> _Shuffled:
    """Group sizes stay, so that a unit's part in each estimate depends only on the group it is put in: a look-up."""
    average = float((contrasts[0][roll_out.group] * roll_out.y).sum())
    # The effect is no part of what leads are judged by: among shuffled units it would drown any unlikeness before the change.
    before = roll_out.y - average * roll_out.treated()
    outcomes = np.stack([before if lead else roll_out.y for lead in leads])
    of_outcome = np.einsum("kgt,knt->kng", contrasts, outcomes)
    # Equal outcomes leave a dust of rounding that must not pass for an effect.
    of_outcome[np.abs(of_outcome) <= 1e-13 * np.abs(roll_out.y).max()] = 0.0
    parts = np.concatenate([of_outcome, np.einsum("kgt,knt->kng", contrasts, shifts)])
    units = np.arange(len(roll_out.y))
    seen = parts[:, units, roll_out.group].sum(axis=1)
    ways = math.factorial(len(units)) // math.prod(math.factorial(size) for size in roll_out.sizes)
    exact = ways <= MOST_EXACT
    orders = _every_order(roll_out.sizes) if exact else _drawn_orders(roll_out.group, len(parts), np.random.default_rng(seed))
    drawn = np.concatenate([parts[:, units, order].sum(axis=2) for order in orders], axis=1)
    half = len(contrasts)
    return _Shuffled(seen[:half], seen[half:], drawn[:half], drawn[half:], exact)


def _every_order(sizes: tuple[int, ...]) -> Iterator[Labels]:
    """All ways to put units in groups of these sizes, a row each."""
    units = sum(sizes)
    rows = [np.full(units, len(sizes) - 1)]
    for group, size in enumerate(sizes[:-1]):
        longer = []
        for row in rows:
            for picked in combinations(np.flatnonzero(row == len(sizes) - 1).tolist(), size):
                placed = row.copy()
                placed[list(picked)] = group
                longer.append(placed)
        rows = longer
    yield from (np.stack(rows[start : start + 2000]) for start in range(0, len(rows), 2000))


def _drawn_orders(group: Labels, estimates: int, rng: np.random.Generator) -> Iterator[Labels]:
    rows = max(1, CELLS // (len(group) * estimates))
    for start in range(0, DRAWS, rows):
        yield rng.permuted(np.tile(group, (min(rows, DRAWS - start), 1)), axis=1)


def _two_way(roll_out: _RollOut) -> float | None:
    """Two-way fixed effects of a full panel, by taking off the means of units and of periods."""
    treatment = roll_out.treated()
    for axis in (0, 1):
        treatment = treatment - treatment.mean(axis=axis, keepdims=True)
    weight = float((treatment**2).sum())
    return float((treatment * roll_out.y).sum()) / weight if weight > 1e-9 else None  # noqa: PLR2004 - rounding
