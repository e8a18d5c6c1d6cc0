"""Practices: what they showed where, and who made them their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.experiments.model import (
    AdoptionRow,
    ExperimentAnalysisRow,
    ExperimentDecisionRow,
    ExperimentPracticeRow,
    ExperimentRow,
    PracticeRow,
)
from fabrique.experiments.rules import State
from fabrique.portfolio.model import ProductRow
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Practice:
    """A practice, what it showed where, and who made it their own."""

    slug: str
    name: str
    description: str
    trials: tuple[Trial, ...]
    adoptions: tuple[Adoption, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A decided experiment of a practice, with its last analysis."""

    slug: str
    title: str
    product_slug: str
    product_name: str
    population: str
    verdict: str
    choice: str
    result: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Adoption:
    """A product that made a practice its own."""

    product_slug: str
    product_name: str
    since: date
    note: str


def practices(session: Session) -> list[tuple[str, str, str, int, int]]:
    """Slug, name, description, number of decided experiments and of adoptions, by name."""
    decided = (
        sa.select(sa.func.count())
        .select_from(ExperimentPracticeRow)
        .join(ExperimentRow, ExperimentRow.id == ExperimentPracticeRow.experiment_id)
        .where(ExperimentPracticeRow.practice_id == PracticeRow.id, ExperimentRow.state.in_(LEARNT))
        .scalar_subquery()
    )
    adopted = (
        sa.select(sa.func.count()).select_from(AdoptionRow).where(AdoptionRow.practice_id == PracticeRow.id).scalar_subquery()
    )
    rows = session.execute(
        sa.select(PracticeRow.slug, PracticeRow.name, PracticeRow.description, decided, adopted).order_by(PracticeRow.name)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


LEARNT = (State.DECIDED, State.ARCHIVED)
"""An experiment teaches once people have decided on it."""


def practice(session: Session, slug: str) -> Practice:
    """One practice. Raises NotThere."""
    row = session.scalar(sa.select(PracticeRow).where(PracticeRow.slug == slug))
    if row is None:
        raise not_there(slug)
    found = session.execute(
        sa.select(
            ExperimentRow,
            ProductRow.slug,
            ProductRow.name,
            ExperimentAnalysisRow.verdict,
            ExperimentAnalysisRow.result,
            ExperimentDecisionRow.choice,
        )
        .join(ProductRow, ProductRow.id == ExperimentRow.product_id)
        .join(ExperimentPracticeRow, ExperimentPracticeRow.experiment_id == ExperimentRow.id)
        .outerjoin(ExperimentAnalysisRow, ExperimentAnalysisRow.id == newest(ExperimentAnalysisRow))
        .outerjoin(ExperimentDecisionRow, ExperimentDecisionRow.id == newest(ExperimentDecisionRow))
        .where(ExperimentPracticeRow.practice_id == row.id, ExperimentRow.state.in_(LEARNT))
        .order_by(ExperimentRow.title)
    )
    trials = [trial_of(*one) for one in found]
    adopted = session.execute(
        sa.select(ProductRow.slug, ProductRow.name, AdoptionRow.since, AdoptionRow.note)
        .join(ProductRow, ProductRow.id == AdoptionRow.product_id)
        .where(AdoptionRow.practice_id == row.id)
        .order_by(ProductRow.name)
    )
    return Practice(row.slug, row.name, row.description, tuple(trials), tuple(Adoption(*one) for one in adopted))


def newest(table: type[ExperimentAnalysisRow | ExperimentDecisionRow]) -> sa.ScalarSelect[int]:
    """The number of the last row that the table has of an experiment."""
    return (
        sa.select(sa.func.max(table.id)).where(table.experiment_id == ExperimentRow.id).correlate(ExperimentRow).scalar_subquery()
    )


def trial_of(
    row: ExperimentRow,
    product_slug: str,
    product_name: str,
    verdict: str | None,
    result: dict[str, Any] | None,
    choice: str | None,
) -> Trial:
    """One experiment of a practice."""
    return Trial(
        slug=row.slug,
        title=row.title,
        product_slug=product_slug,
        product_name=product_name,
        population=str(row.document.get("design", {}).get("population", "")),
        verdict=verdict or "",
        choice=choice or "",
        result=result,
    )
