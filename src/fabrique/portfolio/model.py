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
    accessibility: Mapped[str] = mapped_column(sa.Text, default="")
    audiences: Mapped[Any] = mapped_column(Json, default=list)
    themes: Mapped[Any] = mapped_column(Json, default=list)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batch.id"))


class SponsorshipRow(Table):
    """An organisation that sponsors a product."""

    __tablename__ = "sponsorship"

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), primary_key=True, index=True)


class StayRow(Table):
    """A product's stay in a stage, from its first day to the first day of the next."""

    __tablename__ = "stage_stay"

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(sa.String(20))
    start: Mapped[date]
    end: Mapped[date | None]
    origin: Mapped[str] = mapped_column(sa.String(20))
    """import or review."""
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batch.id"))

    __table_args__ = (sa.CheckConstraint('"end" IS NULL OR "end" >= start', name="order"),)


class ProductEventRow(Table):
    """Something that happened to a product: a launch, a committee, funding…"""

    __tablename__ = "product_event"

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("product.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(30))
    day: Mapped[date]
    comment: Mapped[str] = mapped_column(sa.Text, default="")
