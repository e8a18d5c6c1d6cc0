"""Product sheets as they stand, and what hangs on them: stays, events, revisions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.language import folded
from fabrique.portfolio.model import (
    BudgetRow,
    IncubatorRow,
    OrganisationRow,
    ProductEventRow,
    ProductRow,
    RevisionRow,
    SavedViewRow,
    SponsorshipRow,
    StakeRow,
    StayRow,
)
from fabrique.portfolio.rules import Mark, Origin, Stage, Stay, stay_on
from fabrique.portfolio.sheet import Budget, Difference, Event, ProductSheet, differences, event_order, from_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class ProductLine:
    """A product in a list."""

    id: int
    slug: str
    name: str
    incubator: str
    stay: Stay | None


@dataclass(frozen=True, slots=True)
class StayLine:
    """A stay with who says so."""

    stay: Stay
    origin: Origin
    review_id: int | None


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event with its number."""

    id: int
    event: Event


@dataclass(frozen=True, slots=True)
class Revision:
    """A change of a sheet: when, from whom, why, and what it changed."""

    at: datetime
    origin: Origin
    person_id: int | None
    batch_id: int | None
    reason: str
    differences: tuple[Difference, ...]


def product_sheets(session: Session, slugs: Sequence[str]) -> dict[str, ProductSheet]:
    """The sheets of those products, by slug."""
    rows = session.execute(
        sa.select(ProductRow, IncubatorRow.key)
        .outerjoin(IncubatorRow, IncubatorRow.id == ProductRow.incubator_id)
        .where(ProductRow.slug.in_(slugs))
    ).all()
    ids = [row.id for row, _incubator in rows]
    sponsors, stakes, budgets = sponsors_of(session, ids), stakes_of(session, ids), budgets_of(session, ids)
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
            dashlord_url=row.dashlord_url,
            risk_analysis_url=row.risk_analysis_url,
            accessibility=row.accessibility,
            audiences=tuple(row.audiences),
            themes=tuple(row.themes),
            technologies=tuple(row.technologies),
            mission=row.mission,
            pitch=row.pitch,
            partners=tuple(row.partners),
            qualities=tuple(sorted(row.qualities.items())),
            stakes=tuple(stakes[row.id]),
            budget=tuple(budgets[row.id]),
            stays=tuple(stays.get(row.id, ())),
            events=tuple(events.get(row.id, ())),
        )
        for row, incubator in rows
    }


def sponsors_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[str]]:
    """The keys of the sponsors of those products."""
    found: dict[int, list[str]] = defaultdict(list)
    for row in session.execute(
        sa.select(SponsorshipRow.product_id, OrganisationRow.key)
        .join(OrganisationRow, OrganisationRow.id == SponsorshipRow.organisation_id)
        .where(SponsorshipRow.product_id.in_(list(product_ids)))
    ):
        found[row.product_id].append(row.key)
    return found


def stakes_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    """The stakes of those products, each with the metric that will show it."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in session.scalars(sa.select(StakeRow).where(StakeRow.product_id.in_(list(product_ids)))):
        found[row.product_id].append((row.stake, row.metric_key))
    for pairs in found.values():
        pairs.sort()
    return found


def budgets_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[Budget]]:
    """The budget lines of those products."""
    found: dict[int, list[Budget]] = defaultdict(list)
    for row in session.scalars(
        sa.select(BudgetRow).where(BudgetRow.product_id.in_(list(product_ids))).order_by(BudgetRow.product_id, BudgetRow.position)
    ):
        found[row.product_id].append(Budget(row.year, row.funder, row.planned, row.spent))
    return found


def stays_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[Stay]]:
    """The stays of those products, oldest first."""
    return {key: [line.stay for line in lines] for key, lines in stay_lines(session, product_ids).items()}


def stay_lines(session: Session, product_ids: Iterable[int]) -> dict[int, list[StayLine]]:
    """The stays of those products with who says so, oldest first."""
    found: dict[int, list[StayLine]] = defaultdict(list)
    for row in session.scalars(
        sa.select(StayRow).where(StayRow.product_id.in_(list(product_ids))).order_by(StayRow.product_id, StayRow.position)
    ):
        stay = Stay(Stage(row.stage), row.start, row.end, Mark(row.mark))
        found[row.product_id].append(StayLine(stay, Origin(row.origin), row.review_id))
    return found


def events_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[Event]]:
    """The events of those products, oldest first."""
    return {key: [line.event for line in lines] for key, lines in event_lines(session, product_ids).items()}


def event_lines(session: Session, product_ids: Iterable[int]) -> dict[int, list[EventLine]]:
    """The events of those products with their numbers, oldest first."""
    found: dict[int, list[EventLine]] = defaultdict(list)
    for row in session.scalars(sa.select(ProductEventRow).where(ProductEventRow.product_id.in_(list(product_ids)))):
        found[row.product_id].append(EventLine(row.id, Event(row.kind, row.day, row.comment, row.link, Origin(row.origin))))
    for lines in found.values():
        lines.sort(key=lambda line: event_order(line.event))
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


def version_of(session: Session, product_id: int) -> int:
    """The version that a form saves onto."""
    return session.scalar(sa.select(ProductRow.version).where(ProductRow.id == product_id)) or 0


def revisions(session: Session, product_id: int) -> list[Revision]:
    """The changes of a product's sheet, the latest first."""
    return _with_differences(
        session.scalars(sa.select(RevisionRow).where(RevisionRow.product_id == product_id).order_by(RevisionRow.id)).all()
    )


def _with_differences(rows: Sequence[RevisionRow]) -> list[Revision]:
    """Each revision with what it changed."""
    before = ProductSheet("", "")
    found = []
    for row in rows:
        after = from_document(row.document)
        found.append(Revision(row.at, Origin(row.origin), row.person_id, row.batch_id, row.reason, differences(before, after)))
        before = after
    return found[::-1]


@dataclass(frozen=True, slots=True)
class SavedView:
    """A filtered list that somebody kept."""

    id: int
    name: str
    query: str


def saved_views(session: Session, person_id: int) -> list[SavedView]:
    """A person's views, by name."""
    rows = session.scalars(sa.select(SavedViewRow).where(SavedViewRow.person_id == person_id))
    return sorted((SavedView(row.id, row.name, row.query) for row in rows), key=lambda one: folded(one.name))
