"""What files tell: organisations, incubators and product sheets, put as told without undoing what people decided here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.portfolio.actions.writing import write_sheet
from fabrique.portfolio.model import IncubatorRow, OrganisationRow, ProductRow
from fabrique.portfolio.queries.sheets import product_sheets
from fabrique.portfolio.sheet import Difference, ProductSheet, as_document, differences, from_document, merge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from fabrique.portfolio.actions.writing import Writing
    from fabrique.portfolio.sheet import Incubator, Organisation


class Outcome(StrEnum):
    """What became of something put."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Planned:
    """What putting a sheet does: the sheet as it will stand, what changes, and what is kept although the file tells otherwise."""

    told: ProductSheet
    before: ProductSheet | None
    after: ProductSheet
    changes: tuple[Difference, ...]
    kept: tuple[Difference, ...]
    told_before: bool
    """Whether the last import told the very same: then there is nothing to do."""

    @property
    def outcome(self) -> Outcome:
        """In a word."""
        if self.before is None:
            return Outcome.CREATED
        return Outcome.CHANGED if self.changes else Outcome.UNCHANGED


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


def plan_products(session: Session, sheets: Sequence[ProductSheet]) -> list[Planned]:
    """What putting these sheets would do, one answer each, in their order. Reads only."""
    slugs = [sheet.slug for sheet in sheets]
    current = product_sheets(session, slugs)
    last = {
        row.slug: row.told
        for row in session.execute(sa.select(ProductRow.slug, ProductRow.told).where(ProductRow.slug.in_(slugs)))
    }
    return [_planned(told, current.get(told.slug), last.get(told.slug)) for told in sheets]


def _planned(told: ProductSheet, before: ProductSheet | None, last: dict[str, object] | None) -> Planned:
    if before is None:
        return Planned(told, None, told, (), (), told_before=False)
    # Imported before the last telling was kept: nobody could change a sheet here then, so it was told as it stands.
    base = before if last is None else from_document(last)
    if base == told:
        return Planned(told, before, before, (), (), told_before=last is not None)
    merged = merge(base, before, told)
    return Planned(told, before, merged.sheet, differences(before, merged.sheet), merged.kept, told_before=False)


def put_products(session: Session, sheets: Sequence[ProductSheet], writing: Writing) -> list[Planned]:
    """Record product sheets as told: what was done with each, in their order."""
    planned = plan_products(session, sheets)
    for one in planned:
        if one.told_before:
            continue
        row = session.scalar(sa.select(ProductRow).where(ProductRow.slug == one.told.slug).with_for_update())
        row = row or ProductRow(slug=one.told.slug, version=0)
        row.told = as_document(one.told)
        if one.outcome is not Outcome.UNCHANGED:
            write_sheet(session, row, one.before, one.after, writing)
    session.flush()
    return planned
