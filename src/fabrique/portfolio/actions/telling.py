"""What files tell: organisations, incubators and product sheets, put as told without undoing what people decided here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.portfolio.actions.writing import write_sheet
from fabrique.portfolio.model import IncubatorRow, OrganisationRow, ProductRow
from fabrique.portfolio.queries.sheets import product_sheets
from fabrique.portfolio.sheet import Difference, Merged, ProductSheet, Telling, as_document, differences, from_document, merge

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
    merged: Merged
    told_before: bool
    """Whether the last import told the very same: then there is nothing to do."""

    @property
    def after(self) -> ProductSheet:
        """The sheet as it will stand."""
        return self.merged.sheet

    @property
    def changes(self) -> tuple[Difference, ...]:
        """What the import changes; nothing for a product that it creates."""
        return differences(self.before, self.after) if self.before else ()

    @property
    def kept(self) -> tuple[Difference, ...]:
        """What stays because people decided otherwise here."""
        return self.merged.kept

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
    row = session.scalar(sa.select(table).where(table.key == key).with_for_update())
    if row is None:
        session.add(table(key=key, **values))
        session.flush()
        return Outcome.CREATED
    if all(getattr(row, name) == value for name, value in values.items()):
        return Outcome.UNCHANGED
    for name, value in values.items():
        setattr(row, name, value)
    return Outcome.CHANGED


def plan_products(session: Session, sheets: Sequence[ProductSheet | Telling]) -> list[Planned]:
    """What putting these sheets would do, one answer each, in their order. Reads only."""
    tellings = [one if isinstance(one, Telling) else Telling(one) for one in sheets]
    slugs = [one.sheet.slug for one in tellings]
    current = product_sheets(session, slugs)
    last = {
        row.slug: row.told
        for row in session.execute(sa.select(ProductRow.slug, ProductRow.told).where(ProductRow.slug.in_(slugs)))
    }
    return [_planned(one, current.get(one.sheet.slug), last.get(one.sheet.slug)) for one in tellings]


def _planned(telling: Telling, before: ProductSheet | None, last: dict[str, object] | None) -> Planned:
    if before is None:
        told = telling.over(None)
        return Planned(told, None, Merged(told), told_before=False)
    # Imported before the last telling was kept, and not written by anybody since: it was told as it stands.
    base = before if last is None else from_document(last)
    told = telling.over(base)
    if base == told:
        return Planned(told, before, Merged(before), told_before=last is not None)
    return Planned(told, before, merge(base, before, told), told_before=False)


def put_products(session: Session, sheets: Sequence[ProductSheet | Telling], writing: Writing) -> list[Planned]:
    """Record product sheets as told: what was done with each, in their order.

    Raises IntegrityError where somebody else makes one of them at the same moment.
    """
    slugs = [one.sheet.slug if isinstance(one, Telling) else one.slug for one in sheets]
    # Held before they are compared: what is said to change is then what this transaction changes.
    in_order = sa.select(ProductRow).where(ProductRow.slug.in_(slugs)).order_by(ProductRow.id)
    rows = {row.slug: row for row in session.scalars(in_order.with_for_update())}
    planned = plan_products(session, sheets)
    for one in planned:
        if one.told_before:
            continue
        row = rows.get(one.told.slug) or ProductRow(slug=one.told.slug, version=0)
        row.told = as_document(one.told)
        if one.outcome is not Outcome.UNCHANGED:
            write_sheet(session, row, one.before, one.after, writing)
    session.flush()
    return planned
