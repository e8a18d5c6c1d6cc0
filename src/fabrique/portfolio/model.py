"""Organisations, incubators, products, the stages they went through, and what happened to them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fabrique.database import Json, Moment, Table


class OrganisationRow(Table):
    """A public body: a product's sponsor, an incubator's owner."""

    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    acronym: Mapped[str] = mapped_column(sa.Text, default="")
    kind: Mapped[str] = mapped_column(sa.Text, default="")


class IncubatorRow(Table):
    """Where products are incubated."""

    __tablename__ = "incubator"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    title: Mapped[str] = mapped_column(sa.Text)
    owner_key: Mapped[str] = mapped_column(sa.String(200), default="")
    website: Mapped[str] = mapped_column(sa.Text, default="")


class ProductRow(Table):
    """A digital product that is, or was, incubated."""

    __tablename__ = "product"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(200), unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    incubator_id: Mapped[int | None] = mapped_column(sa.ForeignKey("incubator.id"), index=True)
    website: Mapped[str] = mapped_column(sa.Text, default="")
    repository: Mapped[str] = mapped_column(sa.Text, default="")
    statistics_url: Mapped[str] = mapped_column(sa.Text, default="")
    impact_url: Mapped[str] = mapped_column(sa.Text, default="")
    budget_url: Mapped[str] = mapped_column(sa.Text, default="")
    dashlord_url: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    risk_analysis_url: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    accessibility: Mapped[str] = mapped_column(sa.Text, default="")
    audiences: Mapped[Any] = mapped_column(Json, default=list)
    themes: Mapped[Any] = mapped_column(Json, default=list)
    mission: Mapped[str] = mapped_column(sa.String(20), default="", server_default="", index=True)
    pitch: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    """Whose problem it solves, in a sentence or two."""
    partners: Mapped[Any] = mapped_column(Json, default=list, server_default="[]")
    technologies: Mapped[Any] = mapped_column(Json, default=list, server_default="[]")
    qualities: Mapped[Any] = mapped_column(Json, default=dict, server_default="{}")
    """programme.QUALITIES answered: key → yes, partly, no, not_applicable."""
    searched: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    """What a search looks through: name, slug and pitch, without accents or capitals."""
    told: Mapped[Any | None] = mapped_column(Json)
    """The sheet as the last import told it: what an import changes is measured from there, so that it never undoes people's work."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Moved on by every change of the sheet: who saves an older one is shown what changed."""
    changed_at: Mapped[datetime] = mapped_column(Moment)
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batch.id"))


class SponsorshipRow(Table):
    """An organisation that sponsors a product."""

    __tablename__ = "sponsorship"

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), primary_key=True, index=True)


class StakeRow(Table):
    """A stake that a product serves, with the metric that will show it (named by its key: metrics come later on the road)."""

    __tablename__ = "product_stake"

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), primary_key=True)
    stake: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    metric_key: Mapped[str] = mapped_column(sa.String(60), default="")


class BudgetRow(Table):
    """Money for a product in a year, from a funder, in whole euros."""

    __tablename__ = "product_budget"

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int]
    funder: Mapped[str] = mapped_column(sa.Text)
    planned: Mapped[int | None] = mapped_column(sa.BigInteger)
    spent: Mapped[int | None] = mapped_column(sa.BigInteger)


class StayRow(Table):
    """A product's stay in a stage, from its first day to the first day of the next."""

    __tablename__ = "stage_stay"

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(sa.String(20))
    start: Mapped[date]
    end: Mapped[date | None]
    origin: Mapped[str] = mapped_column(sa.String(20))
    """Who says so: see rules.Origin."""
    mark: Mapped[str] = mapped_column(sa.String(10), default="known", server_default="known")
    """Whether the first day is known or estimated."""
    review_id: Mapped[int | None]
    """The gate review that decided it, by id: reviews come later on the road."""
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batch.id"))

    __table_args__ = (
        sa.CheckConstraint('"end" IS NULL OR "end" >= start', name="order"),
        sa.Index(
            "ix_stage_stay_one_open",
            "product_id",
            unique=True,
            sqlite_where=sa.text('"end" IS NULL'),
            postgresql_where=sa.text('"end" IS NULL'),
        ),
    )


class ProductEventRow(Table):
    """Something that happened to a product: a launch, a committee, funding…"""

    __tablename__ = "product_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(30))
    day: Mapped[date]
    comment: Mapped[str] = mapped_column(sa.Text, default="")
    link: Mapped[str] = mapped_column(sa.Text, default="", server_default="")
    origin: Mapped[str] = mapped_column(sa.String(20), default="import", server_default="import")
    """Who says so: see rules.Origin. An import replaces its own events only."""


class RevisionRow(Table):
    """A product's sheet as it stood after a change: what was known, since when, and from whom."""

    __tablename__ = "product_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    origin: Mapped[str] = mapped_column(sa.String(20))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batch.id"), index=True)
    reason: Mapped[str] = mapped_column(sa.Text, default="")
    document: Mapped[Any] = mapped_column(Json)


class SavedViewRow(Table):
    """A filtered list that a person wants to find again."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    name: Mapped[str] = mapped_column(sa.String(120))
    query: Mapped[str] = mapped_column(sa.Text)
    """The address after the question mark."""

    __table_args__ = (sa.UniqueConstraint("person_id", "name"),)
