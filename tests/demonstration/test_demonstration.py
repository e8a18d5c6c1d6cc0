"""The demonstration is true: every hidden change is flagged near its date, and nothing else is told of the invented services."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.clock import FixedClock, today
from fabrique.demonstration import NotADemonstration, load_demonstration, monday
from fabrique.demonstration.story import SERVICES
from fabrique.quality import queries as quality
from fabrique.quality.model import ObservationRow
from fabrique.watch import queries as watch
from fabrique.watch.actions import tick
from fabrique.watch.rules import FlagState
from factories import add_service

if TYPE_CHECKING:
    from fabrique.database import Database
    from fabrique.settings import Settings

NEAR = timedelta(weeks=4)


def test_the_watch_finds_the_hidden_changes_and_nothing_else(sqlite: Database, clock: FixedClock, settings: Settings) -> None:
    begun = time.monotonic()
    load_demonstration(sqlite, clock)
    tick(sqlite, clock, settings)
    assert time.monotonic() - begun < 20, "the demonstration loads in under 20 s"
    missed, invented = [], []
    with sqlite.read() as session:
        for service in SERVICES:
            found = quality.service_by_slug(session, service.slug)
            assert found is not None
            flags = watch.flags_of_service(session, found.id)
            wanted = [(hidden.metric, monday(today(clock), hidden.weeks_ago), hidden.by > 0) for hidden in service.hidden]
            for metric, day, up in wanted:
                direction = "improvement" if up else "regression"
                if not any(f.metric_key == metric and abs(f.start - day) <= NEAR and f.direction == direction for f in flags):
                    missed.append((service.slug, metric, day))
            invented += [
                (service.slug, flag.metric_key, flag.start, flag.state)
                for flag in flags
                if not any(flag.metric_key == metric and abs(flag.start - day) <= NEAR for metric, day, _up in wanted)
            ]
    assert missed == []
    assert [one for one in invented if one[-1] is FlagState.RAISED] == []
    # Two and a half years of some fifty series: chance shows about one such change, which nobody is asked to explain.
    assert len(invented) <= 1


def test_loading_it_again_changes_nothing(sqlite: Database, clock: FixedClock) -> None:
    load_demonstration(sqlite, clock)
    with sqlite.read() as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(ObservationRow))
    clock.advance(timedelta(days=30))
    assert load_demonstration(sqlite, clock) == {"created": 0}
    with sqlite.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ObservationRow)) == before


def test_it_stays_out_of_a_database_with_real_services(sqlite: Database, clock: FixedClock) -> None:
    add_service(sqlite, "reel")
    with pytest.raises(NotADemonstration):
        load_demonstration(sqlite, clock)


def test_it_loads_on_postgresql_too(database: Database, clock: FixedClock, settings: Settings) -> None:
    load_demonstration(database, clock)
    assert tick(database, clock, settings).failed == 0
