"""The rows of an experiment's tables, and the whole of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date  # noqa: TC003 - msgspec reads the annotations when a sheet is run again
from typing import TYPE_CHECKING, Any

from fabrique.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

Segment = tuple[tuple[str, str], ...]
"""A subgroup's columns and values, sorted: (("device", "mobile"),)."""


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted in one arm for one metric on one day, in one subgroup.

    `n` is the number of units (the exposure of a rate); `x` of them succeeded, or had events; `total` and `total_of_squares` of a
    mean; `levels` the answers from the worst level to the best.
    """

    day: date
    arm: str
    metric: str
    n: float
    x: float | None = None
    total: float | None = None
    total_of_squares: float | None = None
    levels: tuple[int, ...] = ()
    segment: Segment = ()

    @property
    def key(self) -> tuple[str, str, str, Segment]:
        """What there is one of."""
        return (self.day.isoformat(), self.arm, self.metric, self.segment)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit's outcome; `y` is None where it is not known, `pre` is what it was before."""

    unit: str
    arm: str
    metric: str
    y: float | None
    cluster: str = ""
    pre: float | None = None
    day: date | None = None
    segment: Segment = ()


@dataclass(frozen=True, slots=True)
class SeriesValue:
    """One unit's value in one period; `position` counts periods on the calendar."""

    period: str
    position: int
    unit: str
    value: float | None
    treated: bool
    season: int = 0
    covariates: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened meanwhile."""

    day: date
    title: str


@dataclass(frozen=True, slots=True)
class Data:
    """Everything that was observed."""

    counts: tuple[Count, ...] = ()
    units: tuple[Unit, ...] = ()
    series: tuple[SeriesValue, ...] = ()
    events: tuple[Event, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.counts or self.units or self.series)

    @property
    def days(self) -> list[date]:
        """Every day with a figure."""
        found = {row.day for row in self.counts if row.n > 0} | {row.day for row in self.units if row.day is not None}
        return sorted(found)

    def until(self, day: date) -> Data:
        """What was known at the end of that day."""
        return Data(
            tuple(row for row in self.counts if row.day <= day),
            tuple(row for row in self.units if row.day is None or row.day <= day),
            self.series,
            self.events,
        )

    def digest(self) -> str:
        """SHA-256 of the figures, whatever the files' order and form."""
        kept: list[Count | Unit | SeriesValue] = [*self.counts, *self.units, *self.series]
        rows = sorted(json.dumps(plain(row)) for row in kept)
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def plain(row: Count | Unit | SeriesValue) -> list[Any]:
    """A row for its digest: whole numbers without decimals, dates as text."""
    values = [getattr(row, name) for name in row.__slots__]
    return [value.isoformat() if hasattr(value, "isoformat") else rounded(value) for value in values]


def rounded(value: Any) -> Any:
    """15.0 and 15 are the same count."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one cell: file, line, column, value, reason."""

    file: str
    line: int
    column: str
    value: str
    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        reason = _(self.message, **self.values)
        if not self.file:
            return reason
        if not self.line:
            return _("%(file)s: %(reason)s", file=self.file, reason=reason)
        if not self.column:
            return _("%(file)s, line %(line)s: %(reason)s", file=self.file, line=self.line, reason=reason)
        return _(
            "%(file)s, line %(line)s, %(column)s “%(value)s”: %(reason)s",
            file=self.file, line=self.line, column=self.column, value=self.value, reason=reason,
        )  # fmt: skip
