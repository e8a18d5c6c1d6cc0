"""Experiments with their plan, what was counted, looked at, found and decided; practices, and who adopted them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fabrique.database import Json, Moment, Table


class ExperimentRow(Table):
    """One experiment. Its plan is a document, the same as in a file; `plan_hash` is set when it is locked."""

    __tablename__ = "experiment"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(100), unique=True)
    title: Mapped[str] = mapped_column(sa.Text)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), index=True)
    state: Mapped[str] = mapped_column(sa.String(20), index=True)
    document: Mapped[Any] = mapped_column(Json)
    version: Mapped[int] = mapped_column(default=1)
    """Moves on with each change of the plan: whoever saves an older one is told."""
    locked: Mapped[Any] = mapped_column(Json, nullable=True)
    """The document as it was registered."""
    plan_hash: Mapped[str] = mapped_column(sa.String(64), default="")
    registered_at: Mapped[datetime | None] = mapped_column(Moment)
    registered_by: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    registered_name: Mapped[str] = mapped_column(sa.Text, default="")
    """Who registered it, as a file or this site says."""
    after_collection: Mapped[bool] = mapped_column(default=False)
    """Figures existed when it was registered."""
    closed_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)


class ExperimentAuthorRow(Table):
    """Somebody who wrote in a plan, and who therefore cannot register it."""

    __tablename__ = "experiment_author"

    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)


class ExperimentStepRow(Table):
    """One step of an experiment's life."""

    __tablename__ = "experiment_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    step: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(20))
    """The state that it led to."""
    note: Mapped[str] = mapped_column(sa.Text, default="")


class DeviationRow(Table):
    """One key of a locked plan that was changed: what, from what to what, why, by whom, and whether results were known."""

    __tablename__ = "experiment_deviation"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"), index=True)
    number: Mapped[int]
    at: Mapped[datetime] = mapped_column(Moment)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    who: Mapped[str] = mapped_column(sa.Text)
    path: Mapped[str] = mapped_column(sa.Text)
    old: Mapped[Any] = mapped_column(Json, nullable=True)
    new: Mapped[Any] = mapped_column(Json, nullable=True)
    reason: Mapped[str] = mapped_column(sa.Text)
    results_known: Mapped[bool]


class ExperimentCountRow(Table):
    """What was counted in one arm for one metric on one day. A corrected row stays, with the moment it was replaced."""

    __tablename__ = "experiment_count"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"))
    day: Mapped[date]
    arm: Mapped[str] = mapped_column(sa.Text)
    metric: Mapped[str] = mapped_column(sa.Text)
    segment: Mapped[Any] = mapped_column(Json, default=list)
    n: Mapped[float]
    x: Mapped[float | None]
    total: Mapped[float | None]
    total_of_squares: Mapped[float | None]
    levels: Mapped[Any] = mapped_column(Json, default=list)
    source: Mapped[str] = mapped_column(sa.Text, default="")
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = mapped_column(Moment)
    replaced_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        sa.Index(
            "uq_experiment_count_current",
            "experiment_id", "day", "arm", "metric", "segment",
            unique=True,
            sqlite_where=sa.text("replaced_at IS NULL"),
            postgresql_where=sa.text("replaced_at IS NULL"),
        ),
    )  # fmt: skip


class ExperimentTableRow(Table):
    """A table of units, of a series or of events, as it was given. A newer one replaces it; the old one stays."""

    __tablename__ = "experiment_table"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    text: Mapped[str] = mapped_column(sa.Text)
    rows: Mapped[int]
    source: Mapped[str] = mapped_column(sa.Text, default="")
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    recorded_at: Mapped[datetime] = mapped_column(Moment)
    replaced_at: Mapped[datetime | None] = mapped_column(Moment)


class ExperimentLookRow(Table):
    """A look that was taken: up to which day, and what it showed then."""

    __tablename__ = "experiment_look"

    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    result: Mapped[Any] = mapped_column(Json)


class ExperimentAnalysisRow(Table):
    """An analysis as it was told: its calculation sheet."""

    __tablename__ = "experiment_analysis"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    verdict: Mapped[str] = mapped_column(sa.String(20))
    result: Mapped[Any] = mapped_column(Json)


class ExperimentDecisionRow(Table):
    """What people decided on an analysis, with their reasons and the dissent."""

    __tablename__ = "experiment_decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"), index=True)
    analysis_id: Mapped[int | None] = mapped_column(sa.ForeignKey("experiment_analysis.id"))
    at: Mapped[datetime] = mapped_column(Moment)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    who: Mapped[str] = mapped_column(sa.Text)
    choice: Mapped[str] = mapped_column(sa.String(20))
    departs: Mapped[bool]
    reasons: Mapped[str] = mapped_column(sa.Text)
    dissent: Mapped[str] = mapped_column(sa.Text, default="")


class PracticeRow(Table):
    """Something that experiments try again and again: “rappel SMS”, “option par défaut”."""

    __tablename__ = "practice"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(100), unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    description: Mapped[str] = mapped_column(sa.Text, default="")


class ExperimentPracticeRow(Table):
    """An experiment that tried a practice."""

    __tablename__ = "experiment_practice"

    experiment_id: Mapped[int] = mapped_column(sa.ForeignKey("experiment.id"), primary_key=True)
    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"), primary_key=True, index=True)


class AdoptionRow(Table):
    """A product that made a practice its own."""

    __tablename__ = "practice_adoption"

    practice_id: Mapped[int] = mapped_column(sa.ForeignKey("practice.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), primary_key=True, index=True)
    since: Mapped[date]
    note: Mapped[str] = mapped_column(sa.Text, default="")
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(Moment)
