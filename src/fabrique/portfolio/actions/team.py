"""Who works on a product and who coaches it: joining, another title or other dates, leaving."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.actions import audit
from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.accounts.rules import Role, coaches
from fabrique.language import Problem, n_
from fabrique.portfolio.actions.sheets import LONGEST_TITLE, held
from fabrique.portfolio.checking import FIRST_DAY, LAST_YEAR, Fault
from fabrique.web.errors import NotAllowed, not_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person

TEAM, COACH = "team", "coach"
NOBODY_ONESELF = n_("Nobody makes themselves the coach of a product: ask another of its coaches, or an administrator.")


class MemberInvalid(Problem):
    """Somebody cannot be tied to the product as written; each fault with its field."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__(n_("The team cannot be changed as written: see the fields below."))
        self.faults = tuple(faults)


class CoachOfIncubator(Problem):
    """A coach of a whole incubator is no product's own to change."""


@dataclass(frozen=True, slots=True)
class Part:
    """What somebody does on a product, since when and until when."""

    title: str = ""
    since: date | None = None
    until: date | None = None


def part_faults(part: Part, today: date) -> Iterator[Fault]:
    """What is wrong with a title or with dates. Rights begin at once, so nobody joins on a day still to come."""
    if len(part.title) > LONGEST_TITLE:
        yield Fault("title", n_("Fewer than %(most)s characters, please."), (("most", LONGEST_TITLE),))
    for name, day in (("since", part.since), ("until", part.until)):
        if day is not None and (day < FIRST_DAY or day.year > LAST_YEAR):
            yield Fault(name, n_("%(day)s is not a day of a product’s life."), (("day", day),))
            return
    if part.since and part.since > today:
        yield Fault("since", n_("%(day)s is still to come: write people in on the day they join."), (("day", part.since),))
    if part.since and part.until and part.until < part.since:
        yield Fault("until", n_("The last day comes before the first, %(day)s."), (("day", part.since),))


def add_member(session: Session, person: Person, slug: str, email: str, kind: str, part: Part, now: datetime, today: date) -> str:
    """Tie somebody who is here already to a product; returns their name. Raises MemberInvalid, NotAllowed, NotThere."""
    product_id, part = held(session, person, slug).id, replace(part, since=part.since or today)
    found = session.scalar(sa.select(PersonRow).where(PersonRow.email == email.strip().lower()))
    if kind == COACH:
        require_coach(person, product_id)
        if found is not None and found.id == person.id:
            raise NotAllowed(NOBODY_ONESELF)
    tie = session.get(MembershipRow, (found.id, product_id)) if found else None
    faults = [*joining_faults(email, kind, found, tie, today), *part_faults(part, today)]
    if faults or found is None:
        raise MemberInvalid(faults)
    accounts.join_product(session, found.id, product_id, kind, part.title, part.since, part.until)
    audit(session, now, "add_member", ("product", slug), told(found, kind, part), person.id)
    return found.name


def joining_faults(
    email: str, kind: str, found: PersonRow | None, tie: MembershipRow | None, today: date
) -> Iterator[Fault]:  # fmt: skip
    """Why somebody cannot join."""
    if kind not in {TEAM, COACH}:
        yield Fault("kind", n_("Say whether they join the team or coach the product."))
    if not email.strip():
        yield Fault("email", n_("Write their e-mail address."))
    elif found is None:
        yield Fault(
            "email",
            n_(
                "Nobody here has this address. An administrator invites them with “fabrique invite %(email)s”, then they can join."
            ),
            (("email", email.strip()[:80]),),
        )
    elif kind == COACH and found.role != Role.COACH:
        yield Fault("email", n_("%(name)s is here without the role of coach."), (("name", found.name),))
    elif kind == COACH and tie is not None and tie.kind == TEAM:
        yield Fault(
            "email", n_("%(name)s is or was of this product’s team: nobody coaches what they made."), (("name", found.name),)
        )
    elif tie is not None and (tie.until is None or tie.until >= today):
        yield Fault("email", TIED[tie.kind], (("name", found.name),))


TIED = {
    TEAM: n_("%(name)s belongs to the team already; nobody is of a product’s team and its coach at once."),
    COACH: n_("%(name)s coaches this product already; nobody is of a product’s team and its coach at once."),
}


def change_member(
    session: Session, person: Person, slug: str, person_id: int, part: Part, now: datetime, today: date
) -> bool:  # fmt: skip
    """Give somebody another title or other dates. Returns whether anything changed. Raises as add_member, and CoachOfIncubator."""
    product_id = held(session, person, slug).id
    row, who = own_tie(session, person, product_id, person_id)
    if Part(row.title, row.since, row.until) == part:
        return False
    if row.kind == COACH and person_id == person.id and row.until and (part.until is None or part.until > row.until):
        raise NotAllowed(NOBODY_ONESELF)
    if faults := list(part_faults(part, today)):
        raise MemberInvalid(faults)
    accounts.join_product(session, person_id, product_id, row.kind, part.title, part.since, part.until)
    audit(session, now, "change_member", ("product", slug), told(who, row.kind, part), person.id)
    return True


def end_member(session: Session, person: Person, slug: str, person_id: int, now: datetime, today: date) -> bool:
    """Today is somebody's last day: from tomorrow on they have no right on the product. Returns whether it was not said already."""
    product_id = held(session, person, slug).id
    row, who = own_tie(session, person, product_id, person_id)
    if row.until is not None and row.until <= today:
        return False
    part = Part(row.title, row.since, today)
    accounts.join_product(session, person_id, product_id, row.kind, part.title, part.since, part.until)
    audit(session, now, "end_member", ("product", slug), told(who, row.kind, part), person.id)
    return True


def own_tie(session: Session, person: Person, product_id: int, person_id: int) -> tuple[MembershipRow, PersonRow]:
    """Somebody's tie to the product, and who they are, where this person may change it."""
    row, who = session.get(MembershipRow, (person_id, product_id)), session.get(PersonRow, person_id)
    if row is None or who is None:
        raise not_there(str(person_id))
    if row.kind == COACH:
        require_coach(person, product_id)
    if row.through_incubator is not None:
        raise CoachOfIncubator(n_("%(name)s coaches every product of the incubator: that ends at the incubator."), name=who.name)
    return row, who


def require_coach(person: Person, product_id: int) -> None:
    """Raise NotAllowed: a product's own team does not choose who coaches it."""
    if not (coaches(person, product_id) or person.role is Role.ADMINISTRATOR):
        raise NotAllowed(n_("A coach is added, changed or ended by a coach of the product or an administrator."))


def told(who: PersonRow, kind: str, part: Part) -> dict[str, object]:
    """What the trail keeps of a tie."""
    days = {name: day.isoformat() if day else None for name, day in (("since", part.since), ("until", part.until))}
    return {"person": who.id, "name": who.name, "kind": kind, "title": part.title, **days}
