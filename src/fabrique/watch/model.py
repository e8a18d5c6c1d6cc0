"""The ledger of checks, what the last check of a series found, flags with their history, and events."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fabrique.database import Json, Moment, Table


class CheckRunRow(Table):
    """One service's check for one night. A worker holds it by a token until its lease ends; only the holder may finish it."""

    __tablename__ = "check_run"

    service_id: Mapped[int] = mapped_column(sa.ForeignKey("service.id"), primary_key=True)
    period: Mapped[date] = mapped_column(primary_key=True)
    """The night's date, in Paris."""
    status: Mapped[str] = mapped_column(sa.String(10))
    """due, running, done or failed."""
    attempt: Mapped[int] = mapped_column(default=0)
    token: Mapped[str] = mapped_column(sa.String(32), default="")
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)
    completions: Mapped[int] = mapped_column(default=0)
    """How many times a result was written for this data: the promise is 1."""
    reopened: Mapped[int] = mapped_column(default=0)
    """How many times late or corrected data asked for it again."""
    data_version: Mapped[int | None]
    error: Mapped[str] = mapped_column(sa.Text, default="")

    __table_args__ = (
        sa.Index("ix_check_run_status", "status", "period"),
        # The last night is counted on every portfolio page, however many nights there were.
        sa.Index("ix_check_run_period", "period", "status"),
    )


class SeriesCheckRow(Table):
    """What the last check found in a series."""

    __tablename__ = "series_check"

    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"), primary_key=True)
    period: Mapped[date]
    checked_at: Mapped[datetime] = mapped_column(Moment)
    version: Mapped[str] = mapped_column(sa.String(20))
    periods: Mapped[int]
    notes: Mapped[Any] = mapped_column(Json)


class FlagRow(Table):
    """A change of level that somebody should know about."""

    __tablename__ = "flag"

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"))
    state: Mapped[str] = mapped_column(sa.String(20))
    direction: Mapped[str] = mapped_column(sa.String(20))
    granularity: Mapped[str] = mapped_column(sa.String(8))
    start: Mapped[date]
    earliest: Mapped[date]
    latest: Mapped[date]
    before: Mapped[float]
    after: Mapped[float]
    effect_low: Mapped[float]
    effect_high: Mapped[float]
    evidence: Mapped[float]
    chance: Mapped[float]
    """Changes this clear that one series shows in a year though nothing moved."""
    version: Mapped[str] = mapped_column(sa.String(20))
    raised_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (
        sa.Index("ix_flag_series", "series_id"),
        sa.Index("ix_flag_state", "state", "direction"),
    )


class FlagEventRow(Table):
    """One line of a flag's history."""

    __tablename__ = "flag_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    flag_id: Mapped[int] = mapped_column(sa.ForeignKey("flag.id"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    kind: Mapped[str] = mapped_column(sa.String(20))
    details: Mapped[Any] = mapped_column(Json)


class EventRow(Table):
    """Something that may explain a change: a release, a campaign, an incident."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(sa.ForeignKey("service.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    day: Mapped[date]
    title: Mapped[str] = mapped_column(sa.Text)
