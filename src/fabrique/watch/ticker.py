"""APScheduler as a ticker, no more: every half minute, look at the ledger. What was done, and by whom, stands in the ledger alone."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

from apscheduler.schedulers.background import BackgroundScheduler

from fabrique.watch.actions import tick

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fabrique.clock import Clock
    from fabrique.database import Database
    from fabrique.settings import Settings

log = logging.getLogger("fabrique.worker")


@contextmanager
def ticking(database: Database, clock: Clock, settings: Settings) -> Iterator[None]:
    """Tick in a thread while the block runs; at its end let the checks in hand be finished."""
    stopping = Event()

    def once() -> None:
        try:
            report = tick(database, clock, settings, stop=stopping.is_set)
        except Exception:
            # The next tick tries again; a worker that dies of one bad minute is worse than a line in the log.
            log.exception("a tick failed")
            return
        if report.done or report.failed or report.fenced:
            log.info("checks: %s", report.as_json())

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(once, "interval", seconds=settings.tick_seconds, max_instances=1, coalesce=True)
    scheduler.add_job(once)
    scheduler.start()
    try:
        yield
    finally:
        stopping.set()
        scheduler.shutdown(wait=True)
