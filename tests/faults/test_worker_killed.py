"""A worker killed with -9 in mid-run, five times, leaves each period checked exactly once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.clock import SystemClock
from fabrique.watch.model import CheckRunRow, FlagEventRow, FlagRow
from factories import add_service, dropping, proportions, record

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database

SERVICES, KILLS = 120, 5
SLOW = """
import time, sys
from fabrique.watch import actions
look = actions.look
def slow(series, history):
    time.sleep(0.02)
    return look(series, history)
actions.look = slow
from fabrique.cli import main
main(["check", "--json"])
"""
"""The real command with a detector slow enough to be killed in the middle of its work."""


def start(url: str) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "FABRIQUE_DATABASE_URL": url, "FABRIQUE_LEASE_SECONDS": "1", "FABRIQUE_CHECK_HOUR": "0"}
    return subprocess.Popen([sys.executable, "-c", SLOW], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_a_worker_killed_five_times_leaves_each_period_checked_once(database: Database, clock: FixedClock) -> None:
    services = [add_service(database, f"service-{number}") for number in range(SERVICES)]
    shares = dropping(weeks=40, at=25)
    record(database, clock, [row for service in services for row in proportions(service, shares, seed=service)])
    chance = random.Random(7)
    killed_at_work = 0
    for _ in range(KILLS):
        worker = start(database.url)
        wait_for_work(database)
        time.sleep(chance.uniform(0.0, 0.4))
        worker.send_signal(signal.SIGKILL)
        killed_at_work += worker.wait() == -signal.SIGKILL
    assert killed_at_work == KILLS, "the worker was done before it could be killed: give it more services"
    last = start(database.url)
    assert last.wait(timeout=120) == 0
    with database.read() as session:
        runs = session.execute(sa.select(CheckRunRow.status, CheckRunRow.completions, CheckRunRow.attempt)).all()
        flags = session.scalars(sa.select(FlagRow.id)).all()
        series = session.scalar(sa.select(sa.func.count(sa.distinct(FlagRow.series_id))))
        begun = session.scalars(sa.select(FlagEventRow.flag_id).where(FlagEventRow.kind.in_(["candidate", "closed"]))).all()
        raised = session.scalars(sa.select(FlagEventRow.flag_id).where(FlagEventRow.kind == "raised")).all()
    assert len(runs) == SERVICES
    assert {(run.status, run.completions) for run in runs} == {("done", 1)}
    assert any(run.attempt > 1 for run in runs), "no check was taken over: the kills hit nothing"
    assert series == SERVICES
    assert sorted(begun) == sorted(flags), "a change was entered twice, or without its history"
    assert len(raised) == len(set(raised)) >= SERVICES, "a flag was raised twice, or never"


def wait_for_work(database: Database) -> None:
    """Until a check is under a live lease: the worker is in the middle of it."""
    for _ in range(400):
        with database.read() as session:
            now = sa.select(sa.func.count()).select_from(CheckRunRow).where(CheckRunRow.status == "running")
            fresh = session.scalar(now.where(CheckRunRow.lease_until > SystemClock().now()))
        if fresh:
            return
        time.sleep(0.02)
    pytest.fail("the worker took no check")
