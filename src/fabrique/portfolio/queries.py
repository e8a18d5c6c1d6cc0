"""What is known of products, shaped for their readers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.portfolio.model import (
    IncubatorRow,
    OrganisationRow,
    ProductEventRow,
    ProductRow,
    SponsorshipRow,
    StayRow,
)
from fabrique.portfolio.rules import Stage, Stay, stay_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Organisation:
    """A public body."""

    key: str
    name: str
    acronym: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Incubator:
    """Where products are incubated."""

    key: str
    title: str
    owner_key: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a product."""

    kind: str
    day: date
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ProductSheet:
    """A product as its sheet tells it; two sheets are equal when nothing changed."""

    slug: str
    name: str
    incubator: str = ""
    sponsors: tuple[str, ...] = ()
    website: str = ""
    repository: str = ""
    statistics_url: str = ""
    impact_url: str = ""
    budget_url: str = ""
    accessibility: str = ""
    audiences: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    stays: tuple[Stay, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class ProductLine:
    """A product in a list."""

    id: int
    slug: str
    name: str
    incubator: str
    stay: Stay | None


def product_sheets(session: Session, slugs: Sequence[str]) -> dict[str, ProductSheet]:
    """The sheets of those products, by slug."""
    rows = session.execute(
        sa.select(ProductRow, IncubatorRow.key)
        .outerjoin(IncubatorRow, IncubatorRow.id == ProductRow.incubator_id)
        .where(ProductRow.slug.in_(slugs))
    ).all()
    ids = [row.id for row, _incubator in rows]
    sponsors: dict[int, list[str]] = defaultdict(list)
    for product_id, key in session.execute(
        sa.select(SponsorshipRow.product_id, OrganisationRow.key)
        .join(OrganisationRow, OrganisationRow.id == SponsorshipRow.organisation_id)
        .where(SponsorshipRow.product_id.in_(ids))
    ):
        sponsors[product_id].append(key)
    stays, events = stays_of(session, ids), events_of(session, ids)
    return {
        row.slug: ProductSheet(
            slug=row.slug,
            name=row.name,
            incubator=incubator or "",
            sponsors=tuple(sorted(sponsors[row.id])),  # here, not by the database: each sorts as its locale does
            website=row.website,
            repository=row.repository,
            statistics_url=row.statistics_url,
            impact_url=row.impact_url,
            budget_url=row.budget_url,
            accessibility=row.accessibility,
            audiences=tuple(row.audiences),
            themes=tuple(row.themes),
            stays=tuple(stays.get(row.id, ())),
            events=tuple(events.get(row.id, ())),
        )
        for row, incubator in rows
    }


def stays_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[Stay]]:
    """The stays of those products, oldest first."""
    found: dict[int, list[Stay]] = defaultdict(list)
    for row in session.execute(
        sa.select(StayRow.product_id, StayRow.stage, StayRow.start, StayRow.end)
        .where(StayRow.product_id.in_(list(product_ids)))
        .order_by(StayRow.product_id, StayRow.position)
    ):
        found[row.product_id].append(Stay(Stage(row.stage), row.start, row.end))
    return found


def events_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[Event]]:
    """The events of those products, oldest first."""
    found: dict[int, list[Event]] = defaultdict(list)
    for row in session.execute(
        sa.select(ProductEventRow)
        .where(ProductEventRow.product_id.in_(list(product_ids)))
        .order_by(ProductEventRow.product_id, ProductEventRow.day, ProductEventRow.id)
    ).scalars():
        found[row.product_id].append(Event(row.kind, row.day, row.comment))
    return found


def product_lines(session: Session, today: date) -> list[ProductLine]:
    """Every product with the stage it is in today, by name."""
    stays: dict[int, list[Stay]] = defaultdict(list)
    for row in session.execute(
        sa.select(StayRow.product_id, StayRow.stage, StayRow.start, StayRow.end).order_by(StayRow.product_id, StayRow.position)
    ):
        stays[row.product_id].append(Stay(Stage(row.stage), row.start, row.end))
    rows = session.execute(
        sa.select(ProductRow.id, ProductRow.slug, ProductRow.name, IncubatorRow.title)
        .outerjoin(IncubatorRow, IncubatorRow.id == ProductRow.incubator_id)
        .order_by(sa.func.lower(ProductRow.name))
    )
    return [ProductLine(row.id, row.slug, row.name, row.title or "", stay_on(stays[row.id], today)) for row in rows]


def product_id_of(session: Session, slug: str) -> int | None:
    """The id behind a slug."""
    return session.scalar(sa.select(ProductRow.id).where(ProductRow.slug == slug))


def organisations_by_key(session: Session, keys: Sequence[str]) -> dict[str, Organisation]:
    """The organisations of those keys."""
    rows = session.scalars(sa.select(OrganisationRow).where(OrganisationRow.key.in_(keys)))
    return {row.key: Organisation(row.key, row.name, row.acronym, row.kind) for row in rows}


def incubators_by_key(session: Session, keys: Sequence[str]) -> dict[str, Incubator]:
    """The incubators of those keys."""
    rows = session.scalars(sa.select(IncubatorRow).where(IncubatorRow.key.in_(keys)))
    return {row.key: Incubator(row.key, row.title, row.owner_key, row.website) for row in rows}


def incubator_title(session: Session, key: str) -> str:
    """An incubator's name."""
    return session.scalar(sa.select(IncubatorRow.title).where(IncubatorRow.key == key)) or key


def organisation_names(session: Session, keys: Sequence[str]) -> list[str]:
    """The names of some organisations."""
    return list(
        session.scalars(sa.select(OrganisationRow.name).where(OrganisationRow.key.in_(keys)).order_by(OrganisationRow.name))
    )
