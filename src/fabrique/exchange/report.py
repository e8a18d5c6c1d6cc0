"""What an import did: counts, refused rows with their place and reason, and what was repaired on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field

MOST_TOLD = 10_000
"""Refused rows kept in full; beyond that they are counted only."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One row, or one cell, that was not taken."""

    file: str
    line: int | None
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """Something read otherwise than it was written."""

    file: str
    line: int | None
    column: str
    value: str
    reason: str
    kept: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field of something that an import changes; or leaves, because people decided otherwise here."""

    kind: str
    key: str
    name: str
    field: str
    before: tuple[str, ...]
    """In words, an item a line: what stands, or stays."""
    after: tuple[str, ...]
    """In words: what the import makes of it, or would have."""
    told_before: object
    """The same for programs."""
    told_after: object

    def as_json(self) -> dict[str, object]:
        """For scripts, and for the batch."""
        return {
            "kind": self.kind, "key": self.key, "name": self.name, "field": self.field, "before": self.told_before,
            "after": self.told_after,
        }  # fmt: skip


@dataclass(slots=True)
class ImportReport:
    """The account of one import. The counts add up the kinds of things that the file holds (see `kinds`)."""

    dry_run: bool = False
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    refused_count: int = 0
    repaired: list[Repaired] = field(default_factory=list)
    created: list[tuple[str, str, str]] = field(default_factory=list)
    """What was not known: kind, key, name."""
    changes: list[Change] = field(default_factory=list)
    kept: list[Change] = field(default_factory=list)
    """What stays as it is here although the file tells otherwise."""
    read_as: dict[str, str] = field(default_factory=dict)
    """How the file was understood: encoding, separator, decimal mark."""
    batch: int | None = None

    def count(self, kind: str, outcome: str, number: int = 1) -> None:
        """Note what became of some things of a kind."""
        self.kinds.setdefault(kind, Counter())[outcome] += number

    def refuse(self, file: str, line: int | None, column: str, value: str, reason: str) -> None:
        """Note a row or cell that was not taken."""
        self.refused_count += 1
        if len(self.refused) < MOST_TOLD:
            short = value if len(value) <= 120 else value[:119] + "…"  # noqa: PLR2004 - enough to recognise it
            self.refused.append(Refused(file, line, column, short, reason))

    def total(self, outcome: str) -> int:
        """How many things had that outcome."""
        return sum(counts[outcome] for counts in self.kinds.values())

    def counts(self) -> dict[str, int]:
        """The counts alone."""
        return {outcome: self.total(outcome) for outcome in ("read", "created", "changed", "unchanged")}

    def details(self, most: int) -> dict[str, object]:
        """What a batch keeps of what was met on the way: the first `most` of each."""
        return {
            "repaired": [asdict(one) for one in self.repaired[:most]],
            "refused": [asdict(one) for one in self.refused[:most]],
            "kept": [one.as_json() for one in self.kept[:most]],
        }

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            **self.counts(),
            "new": [{"kind": kind, "key": key, "name": name} for kind, key, name in self.created],
            "changes": [one.as_json() for one in self.changes],
            "kept": [one.as_json() for one in self.kept],
            "refused": [asdict(one) for one in self.refused],
            "repaired": [asdict(one) for one in self.repaired],
            "refused_count": self.refused_count,
            "kinds": {kind: dict(counts) for kind, counts in self.kinds.items()},
            "read_as": self.read_as,
            "dry_run": self.dry_run,
            "batch": self.batch,
        }
