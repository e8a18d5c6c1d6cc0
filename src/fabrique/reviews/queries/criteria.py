"""Criteria by gate and version."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.model import PersonRow
from fabrique.portfolio.rules import Stage
from fabrique.reviews.defaults import Draw
from fabrique.reviews.model import CriteriaSetRow, CriterionRow
from fabrique.reviews.versions import CriteriaSet, Criterion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session


def criteria_sets(session: Session, *conditions: sa.ColumnElement[bool]) -> list[CriteriaSet]:
    """Versions of criteria that meet the conditions, the latest version of each gate first."""
    rows = session.execute(
        sa.select(CriteriaSetRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == CriteriaSetRow.person_id)
        .where(*conditions)
        .order_by(CriteriaSetRow.gate, CriteriaSetRow.version.desc())
    ).all()
    criteria = criteria_by_set(session, [row.id for row, _name in rows])
    return [
        CriteriaSet(row.id, Stage(row.gate), row.version, row.created_at, name or "", row.note, tuple(criteria[row.id]))
        for row, name in rows
    ]


def criteria_by_set(session: Session, set_ids: Iterable[int]) -> dict[int, list[Criterion]]:
    """The criteria of those versions, in order."""
    found: dict[int, list[Criterion]] = defaultdict(list)
    for row in session.scalars(
        sa.select(CriterionRow).where(CriterionRow.set_id.in_(list(set_ids))).order_by(CriterionRow.set_id, CriterionRow.position)
    ):
        draws = tuple(Draw(one) for one in row.draws)
        found[row.set_id].append(Criterion(row.key, row.label_fr, row.label_en, row.help_fr, row.help_en, draws))
    return found


def criteria_set(session: Session, set_id: int) -> CriteriaSet:
    """One version."""
    (found,) = criteria_sets(session, CriteriaSetRow.id == set_id)
    return found


def latest_criteria(session: Session, gate: Stage) -> CriteriaSet | None:
    """The present version of a gate's criteria."""
    newest = sa.select(sa.func.max(CriteriaSetRow.version)).where(CriteriaSetRow.gate == gate).scalar_subquery()
    found = criteria_sets(session, CriteriaSetRow.gate == gate, CriteriaSetRow.version == newest)
    return found[0] if found else None
