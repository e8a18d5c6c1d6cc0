"""How every importer of figures runs: in small transactions, the same way for real and for a dry run, safe to kill and run again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fabrique.accounts import actions as accounts
from fabrique.quality import actions as quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy.orm import Session

    from fabrique.accounts.actions import Source
    from fabrique.clock import Clock
    from fabrique.database import Database
    from fabrique.exchange.report import ImportReport
    from fabrique.quality.actions import Observed

CHUNK = 10_000


@dataclass(slots=True)
class Run:
    """One import: where from, into what, for real or not."""

    database: Database
    clock: Clock
    source: Source
    report: ImportReport
    progress: Callable[[int], None] = lambda _done: None
    _batch: int | None = field(default=None, init=False)

    @property
    def dry(self) -> bool:
        """Whether nothing is to be written."""
        return self.report.dry_run

    def batch(self, session: Session) -> int:
        """The batch that this import's figures point to, made when the first of them is written: the same file again makes none."""
        if self._batch is None:
            self._batch = accounts.open_batch(session, self.source, self.clock.now())
        return self._batch

    def record(self, chunk: Iterable[Observed]) -> None:
        """Record some figures in one transaction, or find out what recording them would do."""
        observed = list(chunk)
        if self.dry:
            with self.database.read() as session:
                counts, _new, _different = quality.compare(session, observed)
        else:
            before = self._batch
            try:
                with self.database.write() as session:
                    counts = quality.record_observations(session, observed, lambda: self.batch(session), self.clock.now())
            except BaseException:
                self._batch = before
                raise
        self.report.count("observations", "read", len(observed))
        for outcome in ("created", "changed", "unchanged"):
            self.report.count("observations", outcome, getattr(counts, outcome))
        self.progress(len(observed))

    def close(self) -> None:
        """Finish the batch, if anything was written."""
        if self._batch is None:
            return
        with self.database.write() as session:
            counts = {**self.report.counts(), "refused": self.report.refused_count}
            accounts.finish_batch(session, self._batch, counts, self.clock.now())
        self.report.batch = self._batch
