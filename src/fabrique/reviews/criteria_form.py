"""A gate's criteria as form fields and back, so that nothing typed is lost when they cannot be saved as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fabrique.language import n_
from fabrique.portfolio.checking import Fault
from fabrique.reviews.defaults import DRAW_LABELS
from fabrique.reviews.versions import MOST_CRITERIA, TEXTS, Criterion, Kind, changes, merged

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fabrique.reviews.versions import CriteriaSet

BLANK = Criterion("", "", "", "", "", ())
ROW = re.compile(r"c(\d{1,2})\.place")
MOST_ROWS = 2 * MOST_CRITERIA
LONGEST_PLACE = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One criterion as it is being written. place: its number as typed; the blank row at the end has no key and no texts."""

    criterion: Criterion
    place: str
    withdrawn: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nobody wrote in it."""
        return not self.criterion.key and not any(getattr(self.criterion, name).strip() for name in TEXTS)


@dataclass(frozen=True, slots=True)
class CriteriaForm:
    """All rows, with the version that they were read from, and what is wrong."""

    base_version: int
    rows: tuple[Row, ...]
    note: str = ""
    faults: tuple[Fault, ...] = ()

    def fault(self, field: str) -> Fault | None:
        """What is wrong with a field: “note”, “criteria”, or a row's “3.label_fr”."""
        return next((one for one in self.faults if one.field == field), None)

    def is_wrong(self, row: int) -> bool:
        """Whether anything is wrong with that row."""
        return any(one.field.startswith(f"{row}.") for one in self.faults)

    def in_order(self) -> list[int]:
        """The rows that are kept, by their numbers; equal numbers stay as they stand."""
        kept = [number for number, row in enumerate(self.rows) if not row.withdrawn and not row.is_blank]
        return sorted(kept, key=lambda number: (numbered(self.rows[number].place) or 0.0, number))

    def criteria(self) -> list[Criterion]:
        """What is to be saved."""
        return [self.rows[number].criterion for number in self.in_order()]

    def place_faults(self) -> list[Fault]:
        """Numbers that are none."""
        return [
            Fault(f"{number}.place", n_("Write a number: criteria are asked from the smallest to the largest."))
            for number, row in enumerate(self.rows)
            if not row.withdrawn and not row.is_blank and numbered(row.place) is None
        ]

    def with_faults(self, faults: Sequence[Fault]) -> CriteriaForm:
        """The form with the faults of its numbers and of its criteria, each told on its row, in the order of the rows."""
        order = self.in_order()
        found = [*self.place_faults(), *(placed(fault, order) for fault in faults)]
        return replace(self, faults=tuple(sorted(found, key=row_of)))

    def with_one_more(self) -> CriteriaForm:
        """The form with another row to fill."""
        if len(self.rows) >= MOST_ROWS:
            return self
        return replace(self, rows=(*self.rows, Row(BLANK, str(len(self.rows) + 1))))

    def after(self, base: Sequence[Criterion], latest: CriteriaSet) -> CriteriaForm:
        """What was typed, laid over the version that somebody else saved meanwhile.

        Of each text the writer's where they changed it, else the other's. What the other added is there, and what they withdrew is
        marked so, unless the writer rewrote it.
        """
        known, theirs = {one.key: one for one in base}, {one.key: one for one in latest.criteria}
        rows = []
        for row in self.rows:
            mine = row.criterion
            if mine.key in known and mine.key in theirs:
                rows.append(replace(row, criterion=merged(known[mine.key], theirs[mine.key], mine)))
            elif mine.key in known:
                untouched = not any(one.kind is Kind.REWRITTEN for one in changes([known[mine.key]], [mine]))
                rows.append(replace(row, withdrawn=row.withdrawn or untouched))
            else:
                rows.append(row)
        present = {row.criterion.key for row in rows}
        added = [one for one in latest.criteria if one.key not in known and one.key not in present]
        rows += [Row(one, str(len(rows) + number)) for number, one in enumerate(added, start=1)]
        return CriteriaForm(latest.version, tuple(rows), self.note)


def placed(fault: Fault, order: Sequence[int]) -> Fault:
    """A fault told of a criterion by its place among those to save, told of its row."""
    place, dot, name = fault.field.partition(".")
    return replace(fault, field=f"{order[int(place)]}.{name}") if dot else fault


def row_of(fault: Fault) -> int:
    """Where a fault stands in the form: those of no row come last."""
    place = fault.field.partition(".")[0]
    return int(place) if place.isdecimal() else MOST_ROWS


def numbered(place: str) -> float | None:
    """The number that somebody typed: 3, or 2,5 to go between two others."""
    text = place.strip().replace(",", ".")
    return float(text) if re.fullmatch(r"\d{1,3}(\.\d{1,2})?", text) else None


def form_of(version: CriteriaSet) -> CriteriaForm:
    """A version, ready to be rewritten."""
    rows = (Row(one, str(number)) for number, one in enumerate(version.criteria, start=1))
    return CriteriaForm(version.version, tuple(rows)).with_one_more()


def form_from(fields: Mapping[str, str], known: Mapping[str, Criterion]) -> CriteriaForm:
    """The form as it was sent. known: the criteria of every version of the gate, by key; a row that names no such key is a new one."""
    version = fields.get("version", "")
    numbers = sorted({int(found[1]) for name in fields if (found := ROW.fullmatch(name))})[:MOST_ROWS]
    return CriteriaForm(
        base_version=int(version) if version.isdecimal() and len(version) < LONGEST_PLACE else 0,
        rows=tuple(row_from(fields, f"c{number}", known) for number in numbers),
        note=fields.get("note", ""),
    )


def row_from(fields: Mapping[str, str], prefix: str, known: Mapping[str, Criterion]) -> Row:
    """One row as it was sent."""
    key = fields.get(f"{prefix}.key", "")
    texts = {name: fields.get(f"{prefix}.{name}", "").replace("\r\n", "\n") for name in TEXTS}
    draws = tuple(draw for draw in DRAW_LABELS if fields.get(f"{prefix}.draw.{draw}"))
    criterion = Criterion(key if key in known else "", **texts, draws=draws)
    return Row(criterion, fields.get(f"{prefix}.place", "")[:LONGEST_PLACE], bool(fields.get(f"{prefix}.withdrawn")))
