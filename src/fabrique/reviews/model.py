"""Gate reviews: criteria by version, reviews with their answers and frozen evidence, and the conditions that they set."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fabrique.database import Json, Moment, Table


class CriteriaSetRow(Table):
    """One version of a gate's criteria. Never edited: a change makes the next version."""

    __tablename__ = "criteria_set"

    id: Mapped[int] = mapped_column(primary_key=True)
    gate: Mapped[str] = mapped_column(sa.String(20))
    """The stage that one leaves."""
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    note: Mapped[str] = mapped_column(sa.Text, default="")

    __table_args__ = (sa.UniqueConstraint("gate", "version"),)


class CriterionRow(Table):
    """One criterion of a version, in both languages."""

    __tablename__ = "criterion"

    set_id: Mapped[int] = mapped_column(sa.ForeignKey("criteria_set.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(60))
    label_fr: Mapped[str] = mapped_column(sa.Text)
    label_en: Mapped[str] = mapped_column(sa.Text)
    help_fr: Mapped[str] = mapped_column(sa.Text, default="")
    help_en: Mapped[str] = mapped_column(sa.Text, default="")
    draws: Mapped[Any] = mapped_column(Json)
    """The kinds of evidence that answer it: see defaults.Draw."""


class ReviewRow(Table):
    """One gate review, from its preparation to its signature."""

    __tablename__ = "gate_review"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), index=True)
    set_id: Mapped[int] = mapped_column(sa.ForeignKey("criteria_set.id"))
    state: Mapped[str] = mapped_column(sa.String(20))
    """See rules.ReviewState."""
    from_stage: Mapped[str] = mapped_column(sa.String(20))
    planned_on: Mapped[date | None]
    held_on: Mapped[date | None]
    answers: Mapped[Any] = mapped_column(Json)
    """Criterion key → {answer, evidence, comment}."""
    committee: Mapped[Any] = mapped_column(Json)
    """Who sat: [{name, role, person_id, decides}]."""
    decision: Mapped[str] = mapped_column(sa.String(20), default="")
    next_stage: Mapped[str] = mapped_column(sa.String(20), default="")
    continue_until: Mapped[date | None]
    reasons: Mapped[str] = mapped_column(sa.Text, default="")
    conditions: Mapped[Any] = mapped_column(Json)
    """While it is prepared: [{text, due_on}]. At signature each becomes a condition of its own."""
    prepared_by: Mapped[Any] = mapped_column(Json)
    """The ids of all who wrote in it."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    changed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    signed_at: Mapped[datetime | None] = mapped_column(Moment)
    signed_by: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    supersedes_id: Mapped[int | None] = mapped_column(sa.ForeignKey("gate_review.id"))
    record: Mapped[Any | None] = mapped_column(Json)
    """Frozen at signature: criteria, answers, evidence, committee, decision, as they stood."""
    record_sha256: Mapped[str] = mapped_column(sa.String(64), default="")

    __table_args__ = (
        sa.Index(
            "ix_gate_review_one_in_preparation",
            "product_id",
            unique=True,
            sqlite_where=sa.text("state = 'preparing'"),
            postgresql_where=sa.text("state = 'preparing'"),
        ),
    )


class ConditionRow(Table):
    """Something that a signed decision asks for by a day."""

    __tablename__ = "review_condition"

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(sa.ForeignKey("gate_review.id"), index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), index=True)
    position: Mapped[int]
    text: Mapped[str] = mapped_column(sa.Text)
    due_on: Mapped[date]
    met_on: Mapped[date | None]
    met_note: Mapped[str] = mapped_column(sa.Text, default="")
    met_by: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
