"""Reads: an experiment with everything about it, the board, what waits for a coach, practices."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts.model import PersonRow
from fabrique.experiments.data.reading import data_from, table_from_text
from fabrique.experiments.data.rows import Count, Data
from fabrique.experiments.model import (
    DeviationRow,
    ExperimentAnalysisRow,
    ExperimentAuthorRow,
    ExperimentCountRow,
    ExperimentDecisionRow,
    ExperimentLookRow,
    ExperimentPracticeRow,
    ExperimentRow,
    ExperimentStepRow,
    ExperimentTableRow,
    PracticeRow,
)
from fabrique.experiments.plan.reading import read
from fabrique.experiments.rules import State
from fabrique.portfolio.model import ProductRow
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.experiments.plan.canonical import Document
    from fabrique.experiments.plan.schema import Plan
    from fabrique.experiments.plan.sections import Fault


@dataclass(frozen=True, slots=True)
class Line:
    """An experiment in a list."""

    slug: str
    title: str
    state: State
    product_slug: str
    product_name: str
    product_id: int
    kind: str
    start: str
    planned_end: str
    changed_at: datetime
    verdict: str
    choice: str
    practices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One line of an experiment's history."""

    at: datetime
    who: str
    step: str
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class Deviation:
    """One change of a locked plan."""

    number: int
    at: datetime
    who: str
    path: str
    old: Any
    new: Any
    reason: str
    results_known: bool

    def as_json(self) -> dict[str, Any]:
        """As files and calculation sheets tell it."""
        return {
            "what": self.path, "old": self.old, "new": self.new, "why": self.reason, "who": self.who,
            "at": self.at.isoformat(), "results_known": self.results_known,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided."""

    at: datetime
    who: str
    choice: str
    departs: bool
    reasons: str
    dissent: str


@dataclass(frozen=True, slots=True)
class Told:
    """A stored analysis."""

    id: int
    at: datetime
    who: str
    verdict: str
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LookTaken:
    """A recorded look."""

    day: date
    at: datetime
    who: str
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything about one experiment but its figures."""

    id: int
    slug: str
    title: str
    state: State
    product_id: int
    product_slug: str
    product_name: str
    document: Document
    locked: Document | None
    version: int
    plan: Plan
    faults: tuple[Fault, ...]
    plan_hash: str
    registered_at: datetime | None
    registered_name: str
    after_collection: bool
    closed_on: date | None
    created_at: datetime
    author_ids: frozenset[int]
    authors: tuple[str, ...]
    steps: tuple[StepTaken, ...]
    deviations: tuple[Deviation, ...]
    looks: tuple[LookTaken, ...]
    analysis: Told | None
    decision: Decision | None
    practices: tuple[tuple[str, str], ...]

    @property
    def registration(self) -> dict[str, Any] | None:
        """As files and calculation sheets tell it."""
        if self.registered_at is None:
            return None
        return {
            "plan_hash": self.plan_hash,
            "registered_at": self.registered_at.isoformat(),
            "registered_by": self.registered_name,
            "after_collection": self.after_collection,
        }


def experiment(session: Session, slug: str) -> Experiment:
    """One experiment. Raises NotThere."""
    found = session.execute(
        sa.select(ExperimentRow, ProductRow.slug, ProductRow.name)
        .join(ProductRow, ProductRow.id == ExperimentRow.product_id)
        .where(ExperimentRow.slug == slug)
    ).one_or_none()
    if found is None:
        raise not_there(slug)
    row, product_slug, product_name = found
    plan, faults = read(row.document)
    authors = session.execute(
        sa.select(PersonRow.id, PersonRow.name)
        .join(ExperimentAuthorRow, ExperimentAuthorRow.person_id == PersonRow.id)
        .where(ExperimentAuthorRow.experiment_id == row.id)
        .order_by(PersonRow.name)
    ).all()
    return Experiment(
        id=row.id,
        slug=row.slug,
        title=row.title,
        state=State(row.state),
        product_id=row.product_id,
        product_slug=product_slug,
        product_name=product_name,
        document=row.document,
        locked=row.locked,
        version=row.version,
        plan=plan,
        faults=tuple(faults),
        plan_hash=row.plan_hash,
        registered_at=row.registered_at,
        registered_name=row.registered_name,
        after_collection=row.after_collection,
        closed_on=row.closed_on,
        created_at=row.created_at,
        author_ids=frozenset(one.id for one in authors),
        authors=tuple(one.name for one in authors),
        steps=steps_of(session, row.id),
        deviations=deviations_of(session, row.id),
        looks=looks_of(session, row.id),
        analysis=last_analysis(session, row.id),
        decision=last_decision(session, row.id),
        practices=practices_of(session, row.id),
    )


def steps_of(session: Session, experiment_id: int) -> tuple[StepTaken, ...]:
    """The history, newest first."""
    rows = session.execute(
        sa.select(ExperimentStepRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == ExperimentStepRow.person_id)
        .where(ExperimentStepRow.experiment_id == experiment_id)
        .order_by(ExperimentStepRow.id.desc())
    )
    return tuple(StepTaken(row.at, name or "", row.step, row.state, row.note) for row, name in rows)


def deviations_of(session: Session, experiment_id: int) -> tuple[Deviation, ...]:
    """Every deviation, in order."""
    rows = session.scalars(
        sa.select(DeviationRow).where(DeviationRow.experiment_id == experiment_id).order_by(DeviationRow.number)
    )
    return tuple(Deviation(r.number, r.at, r.who, r.path, r.old, r.new, r.reason, r.results_known) for r in rows)


def looks_of(session: Session, experiment_id: int) -> tuple[LookTaken, ...]:
    """Every recorded look, in order."""
    rows = session.execute(
        sa.select(ExperimentLookRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == ExperimentLookRow.person_id)
        .where(ExperimentLookRow.experiment_id == experiment_id)
        .order_by(ExperimentLookRow.day)
    )
    return tuple(LookTaken(row.day, row.at, name or "", row.result) for row, name in rows)


def last_analysis(session: Session, experiment_id: int) -> Told | None:
    """The newest analysis."""
    found = session.execute(
        sa.select(ExperimentAnalysisRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == ExperimentAnalysisRow.person_id)
        .where(ExperimentAnalysisRow.experiment_id == experiment_id)
        .order_by(ExperimentAnalysisRow.id.desc())
        .limit(1)
    ).one_or_none()
    return Told(found[0].id, found[0].at, found[1] or "", found[0].verdict, found[0].result) if found else None


def last_decision(session: Session, experiment_id: int) -> Decision | None:
    """The newest decision."""
    row = session.scalar(
        sa.select(ExperimentDecisionRow)
        .where(ExperimentDecisionRow.experiment_id == experiment_id)
        .order_by(ExperimentDecisionRow.id.desc())
        .limit(1)
    )
    return Decision(row.at, row.who, row.choice, row.departs, row.reasons, row.dissent) if row else None


def practices_of(session: Session, experiment_id: int) -> tuple[tuple[str, str], ...]:
    """Slug and name of each practice that the experiment tried."""
    rows = session.execute(
        sa.select(PracticeRow.slug, PracticeRow.name)
        .join(ExperimentPracticeRow, ExperimentPracticeRow.practice_id == PracticeRow.id)
        .where(ExperimentPracticeRow.experiment_id == experiment_id)
        .order_by(PracticeRow.name)
    )
    return tuple((row.slug, row.name) for row in rows)


def data_of(session: Session, experiment_id: int, plan: Plan) -> Data:
    """Every figure that stands today."""
    rows = session.scalars(
        sa.select(ExperimentCountRow)
        .where(ExperimentCountRow.experiment_id == experiment_id, ExperimentCountRow.replaced_at.is_(None))
        .order_by(ExperimentCountRow.day, ExperimentCountRow.arm, ExperimentCountRow.metric, ExperimentCountRow.segment)
    )
    counts = tuple(count_of(row) for row in rows)
    texts = tables_of(session, experiment_id)
    tables = {kind: table_from_text(f"{kind}.csv", text) for kind, text in texts.items()}
    given, _faults = data_from({kind: [table] for kind, table in tables.items()}, plan)
    return Data(tuple(sorted(counts, key=lambda one: one.key)), given.units, given.series, given.events)


def changed_after_results(session: Session, experiment_id: int) -> int:
    """Counts that were corrected, or added to a closed collection, after a look, a closing or an analysis."""
    first_seen = session.scalar(
        sa.select(sa.func.min(ExperimentLookRow.at)).where(ExperimentLookRow.experiment_id == experiment_id)
    )
    closed = session.scalar(
        sa.select(sa.func.min(ExperimentStepRow.at)).where(
            ExperimentStepRow.experiment_id == experiment_id, ExperimentStepRow.step.in_(["close", "analyse"])
        )
    )
    moments = [one for one in (first_seen, closed) if one is not None]
    mine = ExperimentCountRow.experiment_id == experiment_id
    count = sa.select(sa.func.count()).select_from(ExperimentCountRow)
    corrected = session.scalar(count.where(mine, ExperimentCountRow.replaced_at > min(moments))) if moments else 0
    tables = sa.select(sa.func.count()).where(
        ExperimentTableRow.experiment_id == experiment_id, ExperimentTableRow.kind != "events"
    )
    replaced = session.scalar(tables.where(ExperimentTableRow.replaced_at > min(moments))) if moments else 0
    corrected = (corrected or 0) + (replaced or 0)
    added = 0
    if closed is not None:
        late = count.where(mine, ExperimentCountRow.recorded_at > closed, ExperimentCountRow.replaced_at.is_(None))
        added = session.scalar(late) or 0
    return max(corrected, added)


def count_of(row: ExperimentCountRow) -> Count:
    """A row as the analysis reads it."""
    return Count(
        row.day, row.arm, row.metric, row.n, row.x, row.total, row.total_of_squares, tuple(row.levels),
        tuple((name, value) for name, value in row.segment),
    )  # fmt: skip


def tables_of(session: Session, experiment_id: int) -> dict[str, str]:
    """The text of each table that stands, by kind."""
    rows = session.execute(
        sa.select(ExperimentTableRow.kind, ExperimentTableRow.text).where(
            ExperimentTableRow.experiment_id == experiment_id, ExperimentTableRow.replaced_at.is_(None)
        )
    )
    return {row.kind: row.text for row in rows}


NEWEST_VERDICTS = sa.select(ExperimentAnalysisRow.experiment_id, ExperimentAnalysisRow.verdict).order_by(ExperimentAnalysisRow.id)
NEWEST_CHOICES = sa.select(ExperimentDecisionRow.experiment_id, ExperimentDecisionRow.choice).order_by(ExperimentDecisionRow.id)
"""In order, so that the newest of each experiment comes last."""


def lines(session: Session, *, product_id: int | None = None, state: State | None = None, search: str = "") -> list[Line]:
    """Experiments in a list, those that changed last first."""
    verdicts = {row.experiment_id: row.verdict for row in session.execute(NEWEST_VERDICTS)}
    choices = {row.experiment_id: row.choice for row in session.execute(NEWEST_CHOICES)}
    tried: dict[int, list[str]] = defaultdict(list)
    for experiment_id, name in session.execute(
        sa.select(ExperimentPracticeRow.experiment_id, PracticeRow.name)
        .join(PracticeRow, PracticeRow.id == ExperimentPracticeRow.practice_id)
        .order_by(PracticeRow.name)
    ):
        tried[experiment_id].append(name)
    query = (
        sa.select(ExperimentRow, ProductRow.slug, ProductRow.name)
        .join(ProductRow, ProductRow.id == ExperimentRow.product_id)
        .order_by(ExperimentRow.changed_at.desc(), ExperimentRow.id)
    )
    if product_id is not None:
        query = query.where(ExperimentRow.product_id == product_id)
    if state is not None:
        query = query.where(ExperimentRow.state == state)
    if search:
        query = query.where(
            ExperimentRow.title.icontains(search, autoescape=True) | ProductRow.name.icontains(search, autoescape=True)
        )
    return [
        Line(
            slug=row.slug,
            title=row.title,
            state=State(row.state),
            product_slug=product_slug,
            product_name=product_name,
            product_id=row.product_id,
            kind=str(row.document.get("design", {}).get("kind", "")),
            start=str(row.document.get("design", {}).get("start", "")),
            planned_end=str(row.document.get("design", {}).get("planned_end", "")),
            changed_at=row.changed_at,
            verdict=verdicts.get(row.id, ""),
            choice=choices.get(row.id, ""),
            practices=tuple(tried[row.id]),
        )
        for row, product_slug, product_name in session.execute(query)
    ]


def newest_sheets(session: Session, product_id: int) -> dict[str, dict[str, Any]]:
    """The last calculation sheet of each of a product's experiments, by its slug, in one query."""
    rows = session.execute(
        sa.select(ExperimentRow.slug, ExperimentAnalysisRow.result)
        .join(ExperimentAnalysisRow, ExperimentAnalysisRow.experiment_id == ExperimentRow.id)
        .where(ExperimentRow.product_id == product_id)
        .order_by(ExperimentAnalysisRow.id)
    )
    return {row.slug: row.result for row in rows}


def products_named(session: Session, ids: Iterable[int]) -> list[tuple[str, str]]:
    """Slug and name of products, by name."""
    rows = session.execute(
        sa.select(ProductRow.slug, ProductRow.name).where(ProductRow.id.in_(list(ids))).order_by(ProductRow.name)
    )
    return [(row.slug, row.name) for row in rows]
