"""Who coaches a whole incubator: its products of today, and those that will come to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.actions import PersonInvalid
from fabrique.accounts.model import IncubatorCoachRow, MembershipRow, PersonRow
from fabrique.accounts.rules import Role
from fabrique.language import n_
from fabrique.portfolio.model import IncubatorRow, ProductRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Coaching:
    """What was done, for who asked: the coach's and the incubator's names, and the number of products coached through it now."""

    name: str
    incubator: str
    products: int
    is_new: bool
    """Whether anything changed: saying it twice changes nothing."""


def coach_incubator(session: Session, email: str, key: str, now: datetime) -> Coaching:
    """Make a person the coach of an incubator. Raises PersonInvalid where there is no such coach or no such incubator."""
    person, incubator = coach_with(session, email), incubator_with(session, key)
    known = session.get(IncubatorCoachRow, (person.id, incubator.id)) is not None
    products = session.scalars(sa.select(ProductRow.id).where(ProductRow.incubator_id == incubator.id)).all()
    accounts.coach_incubator(session, person.id, incubator.id, products, now)
    return Coaching(person.name, incubator.title, coached_through(session, person.id, incubator.id), not known)


def leave_incubator(session: Session, email: str, key: str, now: datetime) -> Coaching:
    """End that: at once, for every product that was coached through the incubator. Raises PersonInvalid."""
    person, incubator = coach_with(session, email), incubator_with(session, key)
    row = session.get(IncubatorCoachRow, (person.id, incubator.id))
    if row is not None:
        session.delete(row)
        session.execute(
            sa.delete(MembershipRow).where(MembershipRow.person_id == person.id, MembershipRow.through_incubator == incubator.id)
        )
        accounts.audit(session, now, "leave_incubator", ("person", str(person.id)), {"incubator": incubator.id})
    return Coaching(person.name, incubator.title, 0, row is not None)


def coach_with(session: Session, email: str) -> PersonRow:
    """The coach of that address."""
    found = session.scalar(sa.select(PersonRow).where(PersonRow.email == email.strip().lower()))
    if found is None:
        raise PersonInvalid(n_("Nobody here has the address %(email)s; invite them first."), email=email[:80])
    if found.role != Role.COACH:
        raise PersonInvalid(n_("%(email)s is here as %(role)s, not as coach."), email=email[:80], role=found.role)
    return found


def incubator_with(session: Session, key: str) -> IncubatorRow:
    """The incubator of that key."""
    found = session.scalar(sa.select(IncubatorRow).where(IncubatorRow.key == key))
    if found is None:
        keys = sorted(session.scalars(sa.select(IncubatorRow.key)))
        if not keys:
            raise PersonInvalid(n_("There is no incubator yet; one comes with an import."))
        raise PersonInvalid(n_("No incubator has the key “%(key)s”; there are: %(keys)s."), key=key[:80], keys=", ".join(keys))
    return found


def coached_through(session: Session, person_id: int, incubator_id: int) -> int:
    """How many products a person coaches through an incubator."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(MembershipRow)
            .where(MembershipRow.person_id == person_id, MembershipRow.through_incubator == incubator_id)
        )
        or 0
    )
