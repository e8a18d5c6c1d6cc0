"""People, their roles and memberships, sign-in sessions, and the trail."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fabrique.database import Json, Moment, Table


class PersonRow(Table):
    """Somebody who may sign in."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[str] = mapped_column(sa.String(20))
    persona: Mapped[bool] = mapped_column(default=False)
    """One of the demonstration's, who sign in without a secret."""
    created_at: Mapped[datetime] = mapped_column(Moment)


class MembershipRow(Table):
    """A person's tie to a product, named by its id (products stand above accounts on the road)."""

    __tablename__ = "membership"

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    """team or coach."""
    title: Mapped[str] = mapped_column(sa.String(200), default="", server_default="")
    """What they do there: intrapreneur, developer…"""
    since: Mapped[date | None]
    until: Mapped[date | None]
    """The last day; afterwards they have no right on the product any more."""
    through_incubator: Mapped[int | None]
    """A coach of a whole incubator has a row for each of its products, kept up by the portfolio."""


class IncubatorCoachRow(Table):
    """A coach of every product of an incubator, named by its id."""

    __tablename__ = "incubator_coach"

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    incubator_id: Mapped[int] = mapped_column(primary_key=True)


class CalendarFeedRow(Table):
    """A person's secret calendar address. Only its hash is kept."""

    __tablename__ = "calendar_feed"

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), primary_key=True)
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_read_at: Mapped[datetime | None] = mapped_column(Moment)


class SignInLinkRow(Table):
    """A link that signs its person in, once."""

    __tablename__ = "sign_in_link"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class AuthSessionRow(Table):
    """A signed-in browser. Made at sign-in only; the token itself is kept nowhere but in the browser."""

    __tablename__ = "auth_session"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    csrf_key: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class ApiTokenRow(Table):
    """A program's key to one product. Only its hash is kept."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    """Who made it, and answers for it."""
    product_id: Mapped[int]
    """By id alone: products come after accounts on the road."""
    scopes: Mapped[Any] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    last_used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class AuditRow(Table):
    """Who did what to which object."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    """None: the command line or the worker."""
    action: Mapped[str] = mapped_column(sa.String(60))
    object_type: Mapped[str] = mapped_column(sa.String(40))
    object_key: Mapped[str] = mapped_column(sa.String(200))
    details: Mapped[Any] = mapped_column(Json)


class BatchRow(Table):
    """Something brought in: every figure that came with it points here."""

    __tablename__ = "batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    """betagouv, gds, observations or demonstration."""
    file: Mapped[str] = mapped_column(sa.String(500))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    licence: Mapped[str] = mapped_column(sa.String(200))
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    started_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    counts: Mapped[Any | None] = mapped_column(Json)
    details: Mapped[Any | None] = mapped_column(Json)
    """What was repaired, refused and kept, one by one, as far as anybody reads."""

    __table_args__ = (sa.Index("ix_batch_open", "kind", "sha256"),)
