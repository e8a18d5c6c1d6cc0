"""Criteria by gate and version."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.model import PersonRow
from fabrique.language import current
from fabrique.portfolio.rules import Stage
from fabrique.reviews.defaults import Draw
from fabrique.reviews.model import CriteriaSetRow, CriterionRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Criterion:
    """A question of a gate."""

    key: str
    label_fr: str
    label_en: str
    help_fr: str
    help_en: str
    draws: tuple[Draw, ...]

    @property
    def label(self) -> str:
        """In the language in force."""
        return self.label_fr if current.get() == "fr" else self.label_en

    @property
    def help(self) -> str:
        """In the language in force."""
        return self.help_fr if current.get() == "fr" else self.help_en


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """One version of a gate's criteria."""

    id: int
    gate: Stage
    version: int
    created_at: datetime
    person: str
    note: str
    criteria: tuple[Criterion, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The criteria's keys, in order."""
        return tuple(one.key for one in self.criteria)


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
