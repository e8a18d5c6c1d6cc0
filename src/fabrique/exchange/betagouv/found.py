"""What a source holds, before it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a source holds: what kind, where, under which key, and how its keys are read."""

    kind: str
    place: str
    key: str
    read: Callable[[], dict[str, Any]]
    """Raises EntryRefused."""


@dataclass(frozen=True, slots=True)
class Source:
    """A folder or a document, opened."""

    name: str
    sha256: str
    entries: Sequence[Found]
    partial: bool
    """Whether its entries leave out what they do not know."""
