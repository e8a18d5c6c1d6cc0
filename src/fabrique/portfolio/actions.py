"""What changes the portfolio: organisations, incubators and product sheets put as they are told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.portfolio.model import (
    IncubatorRow,
    OrganisationRow,
    ProductEventRow,
    ProductRow,
    SponsorshipRow,
    StayRow,
)
from fabrique.portfolio.queries import product_sheets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries import Incubator, Organisation, ProductSheet


class Outcome(StrEnum):
    """What became of something put."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes, when, and whether for real."""

    batch_id: int | None
    now: datetime
    origin: str = "import"


def put_organisation(session: Session, told: Organisation) -> Outcome:
    """Record an organisation as told."""
    values = {"name": told.name, "acronym": told.acronym, "kind": told.kind}
    return _put(session, OrganisationRow, told.key, values)


def put_incubator(session: Session, told: Incubator) -> Outcome:
    """Record an incubator as told."""
    values = {"title": told.title, "owner_key": told.owner_key, "website": told.website}
    return _put(session, IncubatorRow, told.key, values)


def _put(session: Session, table: type[OrganisationRow | IncubatorRow], key: str, values: dict[str, str]) -> Outcome:
    row = session.scalar(sa.select(table).where(table.key == key))
    if row is None:
        session.add(table(key=key, **values))
        session.flush()
        return Outcome.CREATED
    if all(getattr(row, name) == value for name, value in values.items()):
        return Outcome.UNCHANGED
    for name, value in values.items():
        setattr(row, name, value)
    return Outcome.CHANGED


def put_products(session: Session, sheets: Sequence[ProductSheet], writing: Writing) -> list[Outcome]:
    """Record product sheets as told: one outcome each, in their order."""
    known = product_sheets(session, [sheet.slug for sheet in sheets])
    incubators = ensure_keys(session, IncubatorRow, "title", {s.incubator for s in sheets if s.incubator})
    sponsors = ensure_keys(session, OrganisationRow, "name", {key for s in sheets for key in s.sponsors})
    outcomes = []
    for sheet in sheets:
        before = known.get(sheet.slug)
        if before == sheet:
            outcomes.append(Outcome.UNCHANGED)
            continue
        _write_product(session, sheet, incubators.get(sheet.incubator), [sponsors[key] for key in sheet.sponsors], writing)
        outcomes.append(Outcome.CREATED if before is None else Outcome.CHANGED)
    return outcomes


def ensure_keys(session: Session, table: type[OrganisationRow | IncubatorRow], label: str, keys: set[str]) -> dict[str, int]:
    """The id of each key; an unknown one gets a row named after its key, until its own sheet comes."""
    rows = session.execute(sa.select(table.key, table.id).where(table.key.in_(keys))).all()
    found = {row.key: row.id for row in rows}
    for key in sorted(keys - found.keys()):
        row: Any = table(key=key, **{label: key})
        session.add(row)
        session.flush()
        found[key] = row.id
    return found


def _write_product(
    session: Session, sheet: ProductSheet, incubator_id: int | None, sponsor_ids: list[int], writing: Writing
) -> None:
    row = session.scalar(sa.select(ProductRow).where(ProductRow.slug == sheet.slug)) or ProductRow(slug=sheet.slug)
    row.name, row.incubator_id = sheet.name, incubator_id
    row.website, row.repository = sheet.website, sheet.repository
    row.statistics_url, row.impact_url, row.budget_url = sheet.statistics_url, sheet.impact_url, sheet.budget_url
    row.accessibility, row.audiences, row.themes = sheet.accessibility, list(sheet.audiences), list(sheet.themes)
    row.changed_at, row.batch_id = writing.now, writing.batch_id
    session.add(row)
    session.flush()
    for table in (SponsorshipRow, StayRow, ProductEventRow):
        session.execute(sa.delete(table).where(table.product_id == row.id))
    session.add_all(SponsorshipRow(product_id=row.id, organisation_id=key) for key in dict.fromkeys(sponsor_ids))
    session.add_all(
        StayRow(
            product_id=row.id,
            position=position,
            stage=stay.stage,
            start=stay.start,
            end=stay.end,
            origin=writing.origin,
            batch_id=writing.batch_id,
        )
        for position, stay in enumerate(sheet.stays)
    )
    session.add_all(
        ProductEventRow(product_id=row.id, kind=event.kind, day=event.day, comment=event.comment) for event in sheet.events
    )
    session.flush()
