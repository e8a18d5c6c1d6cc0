"""Is the watch itself well?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.quality.model import SeriesStateRow
from fabrique.watch import queries as watch
from fabrique.watch.rules import FlagState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabrique.watch.queries import LedgerState


@dataclass(frozen=True, slots=True)
class WatchPage:
    """The watch itself."""

    ledger: LedgerState
    runs: dict[str, int]
    notes: dict[str, int]
    series: int
    waiting: int
    """Changes seen, but not yet clear enough to be told."""


def watch_page(session: Session) -> WatchPage:
    """How the watch is."""
    series = session.scalar(sa.select(sa.func.count()).select_from(SeriesStateRow)) or 0
    waiting = sum(watch.flag_counts(session).get(FlagState.CANDIDATE, {}).values())
    return WatchPage(watch.ledger(session), watch.run_counts(session), watch.note_counts(session), series, waiting)
