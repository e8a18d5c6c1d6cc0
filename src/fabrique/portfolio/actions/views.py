"""Filtered lists that a person keeps under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.actions import audit
from fabrique.language import Problem, n_
from fabrique.portfolio.model import SavedViewRow
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person

LONGEST_NAME, LONGEST_QUERY, MOST_VIEWS = 120, 2_000, 50


class ViewInvalid(Problem):
    """A view cannot be kept as named."""


def save_view(session: Session, person: Person, name: str, query: str, now: datetime) -> None:
    """Keep a list's filters under a name; the same name again takes the new filters."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise ViewInvalid(n_("Give the view a name of at most %(most)s characters."), most=LONGEST_NAME)
    if len(query) > LONGEST_QUERY:
        raise ViewInvalid(n_("These filters are too long to be kept."))
    mine = session.scalars(sa.select(SavedViewRow).where(SavedViewRow.person_id == person.id)).all()
    row = next((one for one in mine if one.name == name), None)
    if row is None and len(mine) >= MOST_VIEWS:
        raise ViewInvalid(n_("%(most)s views are kept already; delete one first."), most=MOST_VIEWS)
    if row is None:
        row = SavedViewRow(person_id=person.id, name=name, query=query)
        session.add(row)
    row.query = query
    session.flush()
    audit(session, now, "save_view", ("saved_view", str(row.id)), {"name": name, "query": query}, person.id)


def delete_view(session: Session, person: Person, view_id: int, now: datetime) -> None:
    """Forget a view. Raises NotThere where it is not one of the person's."""
    row = session.scalar(sa.select(SavedViewRow).where(SavedViewRow.id == view_id, SavedViewRow.person_id == person.id))
    if row is None:
        raise not_there(str(view_id))
    session.delete(row)
    audit(session, now, "delete_view", ("saved_view", str(view_id)), {"name": row.name}, person.id)
