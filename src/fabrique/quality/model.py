"""Services, metrics, series, and observations with where they came from and what they replaced."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from fabrique.database import Json, Moment, Table


class ServiceRow(Table):
    """A public service that people use."""

    __tablename__ = "service"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(200), unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    product_id: Mapped[int | None] = mapped_column(sa.ForeignKey("product.id"), index=True)
    department: Mapped[str] = mapped_column(sa.Text, default="")
    agency: Mapped[str] = mapped_column(sa.Text, default="")
    origin: Mapped[str] = mapped_column(sa.String(20))
    """Which importer, or which part of the programme, brought the service in."""
    data_version: Mapped[int] = mapped_column(default=0)
    """Moved on whenever one of its observations changes: how the watch knows a check is out of date."""


class MetricRow(Table):
    """Something that can be measured of a service. Shipped ones come from quality.catalogue."""

    __tablename__ = "metric"

    key: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    position: Mapped[int]
    label_fr: Mapped[str] = mapped_column(sa.Text)
    label_en: Mapped[str] = mapped_column(sa.Text)
    subject_fr: Mapped[str] = mapped_column(sa.Text)
    subject_en: Mapped[str] = mapped_column(sa.Text)
    form: Mapped[str] = mapped_column(sa.String(20))
    better: Mapped[str | None] = mapped_column(sa.String(10))
    """higher, lower, or null: neither is better, and its changes raise no flag."""
    symbol: Mapped[str] = mapped_column(sa.String(20), default="")
    decimals: Mapped[int] = mapped_column(default=1)
    factor: Mapped[float] = mapped_column(default=1.0)
    marks: Mapped[Any] = mapped_column(Json)
    """The mark of each answer level, from the worst to the best (form score)."""
    minimum_answers: Mapped[int] = mapped_column(default=0)
    green: Mapped[float | None]
    yellow: Mapped[float | None]


class SeriesRow(Table):
    """One metric of one service, for everybody or for one segment."""

    __tablename__ = "series"

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(sa.ForeignKey("service.id"))
    metric_key: Mapped[str] = mapped_column(sa.ForeignKey("metric.key"), index=True)
    segment: Mapped[str] = mapped_column(sa.String(200), default="")
    unit: Mapped[str] = mapped_column(sa.String(20), default="")
    """Where it differs from the metric's (a cost in £)."""

    __table_args__ = (sa.UniqueConstraint("service_id", "metric_key", "segment", name="uq_series_identity"),)


class Statistics:
    """The sufficient statistics of any form; the columns of the other forms are null."""

    numerator: Mapped[float | None]
    denominator: Mapped[float | None]
    """proportion: x and n; rate: events and exposure."""
    n: Mapped[float | None]
    total: Mapped[float | None]
    total_of_squares: Mapped[float | None]
    value: Mapped[float | None]
    levels: Mapped[Any | None] = mapped_column(Json)
    """score: counts per answer level, from the worst to the best."""
    source: Mapped[str] = mapped_column(sa.Text, default="")
    note: Mapped[str] = mapped_column(sa.Text, default="")
    recorded_at: Mapped[datetime] = mapped_column(Moment)

    @declared_attr
    def batch_id(self) -> Mapped[int]:
        """What brought it in."""
        return mapped_column(sa.ForeignKey("batch.id"))


class ObservationRow(Statistics, Table):
    """What is known today of a series in a period."""

    __tablename__ = "observation"

    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"), primary_key=True)
    granularity: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    start: Mapped[date] = mapped_column(primary_key=True)

    __table_args__ = (
        sa.CheckConstraint("numerator >= 0 AND denominator >= 0", name="counts"),
        sa.CheckConstraint("n >= 0", name="trials"),
        {"sqlite_with_rowid": False},
    )


class ObservationRevisionRow(Statistics, Table):
    """What was believed before a correction: with it, any date's knowledge can be told."""

    __tablename__ = "observation_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"))
    granularity: Mapped[str] = mapped_column(sa.String(8))
    start: Mapped[date]
    replaced_at: Mapped[datetime] = mapped_column(Moment)
    replaced_by: Mapped[int] = mapped_column(sa.ForeignKey("batch.id"))

    __table_args__ = (sa.Index("ix_observation_revision_period", "series_id", "granularity", "start"),)


class SeriesStateRow(Table):
    """A series at a glance, written with its observations so that a page of many services needs no history."""

    __tablename__ = "series_state"

    series_id: Mapped[int] = mapped_column(sa.ForeignKey("series.id"), primary_key=True)
    granularity: Mapped[str] = mapped_column(sa.String(8))
    first_start: Mapped[date]
    last_start: Mapped[date]
    periods: Mapped[int]
    level: Mapped[float | None]
    """Over the twelve months that end with the last period; the last value for a bare value."""
    answers: Mapped[float | None]
    recent: Mapped[Any] = mapped_column(Json)
    """The latest levels, for the small line beside a name; null where missing."""
