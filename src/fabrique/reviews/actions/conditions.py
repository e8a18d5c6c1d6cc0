"""What a signed decision asks for by a day: marked as met, with what shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.actions import audit
from fabrique.language import Problem, n_
from fabrique.portfolio.model import ProductRow
from fabrique.reviews.actions.holding import TextTooLong
from fabrique.reviews.model import ConditionRow, ReviewRow
from fabrique.reviews.rules import may_prepare
from fabrique.web.errors import NotAllowed, Overtaken, not_there

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person

LONGEST_NOTE = 2_000


class ConditionDayWrong(Problem):
    """A condition is not met on a day to come, nor before it was asked for."""


class ConditionMet(Overtaken):
    """Somebody marked the condition already."""


class NoteMissing(Problem):
    """A condition is met on nothing that can be seen."""


def meet_condition(
    session: Session, person: Person, slug: str, condition_id: int, met_on: date | None, note: str, now: datetime, today: date
) -> None:
    """Mark a condition as met on a day (None: it is not met after all). By a coach of the product."""
    found = session.execute(
        sa.select(ConditionRow, ReviewRow.held_on)
        .join(ReviewRow, ReviewRow.id == ConditionRow.review_id)
        .join(ProductRow, ProductRow.id == ConditionRow.product_id)
        .where(ConditionRow.id == condition_id, ProductRow.slug == slug)
        .with_for_update(of=ConditionRow)
    ).one_or_none()
    if found is None:
        raise not_there(str(condition_id))
    row, held_on = found
    if not may_prepare(person, row.product_id):
        raise NotAllowed(n_("A condition is marked as met by a coach of the product."))
    if met_on is not None and row.met_on is not None and (row.met_on, row.met_note) != (met_on, note.strip()):
        raise ConditionMet(
            n_("This condition is marked as met already, on %(day)s; say first that it is not met after all."), day=row.met_on
        )
    if met_on is not None and not note.strip():
        raise NoteMissing(n_("Say how one sees that the condition is met: it is kept with the decision."))
    if len(note) > LONGEST_NOTE:
        raise TextTooLong(n_("A text is longer than %(most)s characters; nobody would read it."), most=LONGEST_NOTE)
    if met_on is not None and (met_on > today or (held_on is not None and met_on < held_on)):
        raise ConditionDayWrong(n_("A condition is met after it was asked for, and not on a day to come."))
    row.met_on, row.met_note, row.met_by = met_on, note.strip() if met_on else "", person.id if met_on else None
    details = {"condition": row.id, "text": row.text, "met_on": met_on.isoformat() if met_on else None, "note": note.strip()}
    audit(session, now, "meet_condition", ("product", slug), details, person.id)
