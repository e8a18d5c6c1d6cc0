"""People that tests need, as the session of a signed-in person would know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.accounts.rules import Person, Role

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database


def added_person(
    database: Database, clock: FixedClock, name: str, role: Role, product_id: int | None, kind: str = "team"
) -> Person:
    """Somebody of a product's team, one of its coaches, or nobody's yet."""
    with database.write() as session:
        row = PersonRow(email=f"{name.lower()}@exemple.invalid", name=name, role=role, persona=False, created_at=clock.now())
        session.add(row)
        session.flush()
        if product_id is not None:
            session.add(MembershipRow(person_id=row.id, product_id=product_id, kind=kind))
        found = row.id
    own = frozenset({product_id} if product_id is not None else ())
    return Person(found, name, role, own if kind == "team" else frozenset(), own if kind == "coach" else frozenset())
