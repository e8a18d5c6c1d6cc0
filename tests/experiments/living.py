"""What tests of an experiment's life do again and again."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from experiments.sample import counts, plan_document
from fabrique.experiments.actions import collecting, looking, plans
from fabrique.experiments.data.reading import table_from_text
from fabrique.experiments.model import ExperimentRow

if TYPE_CHECKING:
    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database

TODAY = date(2026, 11, 23)


def state(database: Database, slug: str) -> str:
    with database.read() as session:
        return session.scalar(sa.select(ExperimentRow.state).where(ExperimentRow.slug == slug)) or ""


def put(database: Database, clock: FixedClock, person: Person, slug: str, text: str) -> collecting.Recorded:
    with database.write() as session:
        return collecting.record_counts(session, person, slug, [table_from_text("collé", text)], "collé", clock.now())


def concluded(database: Database, clock: FixedClock, camille: Person, slug: str, text: str = "") -> dict[str, Any]:
    """Figures in, closed, analysed."""
    put(database, clock, camille, slug, text or counts(0.6, 0.7, satisfied=(0.8, 0.83)))
    with database.write() as session:
        collecting.close(session, camille, slug, date(2026, 11, 1), clock.now())
        return looking.analyse_now(session, camille, slug, clock.now(), TODAY)


def sequential(database: Database, clock: FixedClock, camille: Person, noor: Person) -> str:
    """A registered plan with looks at the half and at the end."""
    document = plan_document(analysis__looks="group_sequential", analysis__information_fractions=[0.5, 1.0])
    with database.write() as session:
        slug = plans.create(session, camille, document, clock.now())
        plans.submit(session, camille, slug, clock.now())
        plans.register(session, noor, slug, clock.now())
    return slug
