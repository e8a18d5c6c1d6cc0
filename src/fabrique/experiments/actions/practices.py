"""What was learnt: practices, the experiments that tried them, the products that made them their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.actions import audit
from fabrique.accounts.rules import works_on
from fabrique.experiments.actions.plans import held
from fabrique.experiments.model import AdoptionRow, ExperimentPracticeRow, PracticeRow
from fabrique.language import Problem, n_, slug_from
from fabrique.portfolio.model import ProductRow
from fabrique.web.errors import NotAllowed, not_there

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person

LONGEST_NAME = 100


class PracticeUnnamed(Problem):
    """A practice has no usable name."""


def practice_id(session: Session, name: str) -> int:
    """The practice of that name, made where it is new. Raises PracticeUnnamed."""
    name = " ".join(name.split())
    slug = slug_from(name, LONGEST_NAME)
    if not slug or len(name) > LONGEST_NAME:
        raise PracticeUnnamed(n_("“%(name)s” cannot name a practice; use a few plain words."), name=name[:LONGEST_NAME])
    found = session.scalar(sa.select(PracticeRow.id).where(PracticeRow.slug == slug))
    if found is not None:
        return found
    row = PracticeRow(slug=slug, name=name)
    session.add(row)
    session.flush()
    return row.id


def set_practices(session: Session, experiment_id: int, names: Sequence[str]) -> None:
    """The practices that an experiment tried: these, and no others."""
    wanted = {practice_id(session, name) for name in names if name.strip()}
    session.execute(sa.delete(ExperimentPracticeRow).where(ExperimentPracticeRow.experiment_id == experiment_id))
    session.add_all(ExperimentPracticeRow(experiment_id=experiment_id, practice_id=one) for one in sorted(wanted))


def tag(session: Session, person: Person, slug: str, names: Sequence[str], now: datetime) -> None:
    """Say which practices an experiment tried."""
    row = held(session, person, slug)
    set_practices(session, row.id, names)
    row.changed_at = now
    audit(session, now, "tag_practices", ("experiment", slug), {"practices": list(names)}, person.id)


def adopt(session: Session, person: Person, practice_slug: str, product_slug: str, since: date, note: str, now: datetime) -> None:
    """Say that a product made a practice its own; saying it again changes the date and the note."""
    practice = session.scalar(sa.select(PracticeRow).where(PracticeRow.slug == practice_slug))
    product = session.scalar(sa.select(ProductRow).where(ProductRow.slug == product_slug))
    if practice is None or product is None:
        raise not_there(practice_slug if practice is None else product_slug)
    if not works_on(person, product.id):
        raise NotAllowed(n_("Only the product’s own team and its coaches may do this."))
    row = session.get(AdoptionRow, (practice.id, product.id))
    if row is None:
        row = AdoptionRow(practice_id=practice.id, product_id=product.id, since=since, at=now)
        session.add(row)
    row.since, row.note, row.person_id, row.at = since, note.strip()[:500], person.id, now
    audit(session, now, "adopt_practice", ("practice", practice_slug), {"product": product_slug}, person.id)
