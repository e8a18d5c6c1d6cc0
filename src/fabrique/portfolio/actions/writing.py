"""How a sheet is written: the row, what hangs on it, and a revision, together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.language import folded
from fabrique.portfolio.model import (
    BudgetRow,
    IncubatorRow,
    OrganisationRow,
    ProductEventRow,
    ProductRow,
    RevisionRow,
    SponsorshipRow,
    StakeRow,
    StayRow,
)
from fabrique.portfolio.rules import Origin
from fabrique.portfolio.sheet import ProductSheet, as_document

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Writing:
    """Who writes, when, from which batch, and why."""

    batch_id: int | None
    now: datetime
    origin: Origin = Origin.IMPORT
    person_id: int | None = None
    reason: str = ""
    review_id: int | None = None


COLUMNS = (
    "name", "website", "repository", "statistics_url", "impact_url", "budget_url", "dashlord_url", "risk_analysis_url",
    "accessibility", "mission", "pitch",
)  # fmt: skip
LISTS = ("audiences", "themes", "technologies", "partners")


def write_sheet(session: Session, row: ProductRow, before: ProductSheet | None, sheet: ProductSheet, writing: Writing) -> None:
    """Write a sheet over the one before: only what changed is touched, so that a stay keeps who decided it."""
    if before is not None and row.told is None:
        # Imported before tellings were kept: this is the last moment at which the sheet is still as it was told.
        row.told = as_document(before)
    moved = before is None or before.incubator != sheet.incubator
    _write_row(session, row, sheet, writing, moved=moved)
    if moved:
        accounts.coach_through_incubator(session, row.id, row.incubator_id)
    for name, write in PARTS.items():
        if before is None or getattr(before, name) != getattr(sheet, name):
            write(session, row.id, sheet, writing)
    session.add(
        RevisionRow(
            product_id=row.id, at=writing.now, origin=writing.origin, person_id=writing.person_id, batch_id=writing.batch_id,
            reason=writing.reason, document=as_document(sheet),
        )
    )  # fmt: skip
    session.flush()


def _write_row(session: Session, row: ProductRow, sheet: ProductSheet, writing: Writing, *, moved: bool) -> None:
    for name in COLUMNS:
        setattr(row, name, getattr(sheet, name))
    for name in LISTS:
        setattr(row, name, list(getattr(sheet, name)))
    row.qualities = dict(sheet.qualities)
    row.searched = folded(f"{sheet.name} {sheet.slug} {sheet.pitch}")
    row.changed_at, row.batch_id = writing.now, writing.batch_id or row.batch_id
    row.version = (row.version or 0) + 1
    if moved:
        row.incubator_id = key_ids(session, IncubatorRow, "title", {sheet.incubator} - {""}).get(sheet.incubator)
    session.add(row)
    session.flush()


def _write_sponsors(session: Session, product_id: int, sheet: ProductSheet, _writing: Writing) -> None:
    ids = key_ids(session, OrganisationRow, "name", set(sheet.sponsors))
    session.execute(sa.delete(SponsorshipRow).where(SponsorshipRow.product_id == product_id))
    session.add_all(SponsorshipRow(product_id=product_id, organisation_id=ids[key]) for key in dict.fromkeys(sheet.sponsors))


def _write_stakes(session: Session, product_id: int, sheet: ProductSheet, _writing: Writing) -> None:
    session.execute(sa.delete(StakeRow).where(StakeRow.product_id == product_id))
    session.add_all(StakeRow(product_id=product_id, stake=stake, metric_key=metric) for stake, metric in sheet.stakes)


def _write_budget(session: Session, product_id: int, sheet: ProductSheet, _writing: Writing) -> None:
    session.execute(sa.delete(BudgetRow).where(BudgetRow.product_id == product_id))
    session.add_all(
        BudgetRow(product_id=product_id, position=place, year=one.year, funder=one.funder, planned=one.planned, spent=one.spent)
        for place, one in enumerate(sheet.budget)
    )


def _write_stays(session: Session, product_id: int, sheet: ProductSheet, writing: Writing) -> None:
    """A stay that was there keeps who decided it. Two may be alike (a stage entered and left in a day): each is found once."""
    known: dict[tuple[str, date, str], list[tuple[str, int | None, int | None]]] = defaultdict(list)
    for row in session.scalars(sa.select(StayRow).where(StayRow.product_id == product_id).order_by(StayRow.position)):
        known[row.stage, row.start, row.mark].append((row.origin, row.review_id, row.batch_id))
    session.execute(sa.delete(StayRow).where(StayRow.product_id == product_id))
    for place, stay in enumerate(sheet.stays):
        same = known[stay.stage, stay.start, stay.mark]
        origin, review_id, batch_id = same.pop(0) if same else (writing.origin, writing.review_id, writing.batch_id)
        session.add(
            StayRow(
                product_id=product_id, position=place, stage=stay.stage, start=stay.start, end=stay.end, mark=stay.mark,
                origin=origin, review_id=review_id, batch_id=batch_id,
            )
        )  # fmt: skip
    session.flush()


def _write_events(session: Session, product_id: int, sheet: ProductSheet, _writing: Writing) -> None:
    """An event that stays keeps its number: links to it go on holding."""
    waiting = list(sheet.events)
    for row in session.scalars(
        sa.select(ProductEventRow).where(ProductEventRow.product_id == product_id).order_by(ProductEventRow.id)
    ):
        same = next(
            (
                one for one in waiting
                if (one.kind, one.day, one.comment, one.link, one.origin) == (row.kind, row.day, row.comment, row.link, row.origin)
            ),
            None,
        )  # fmt: skip
        if same is None:
            session.delete(row)
        else:
            waiting.remove(same)
    session.add_all(
        ProductEventRow(product_id=product_id, kind=one.kind, day=one.day, comment=one.comment, link=one.link, origin=one.origin)
        for one in waiting
    )


PARTS = {
    "sponsors": _write_sponsors,
    "stakes": _write_stakes,
    "budget": _write_budget,
    "stays": _write_stays,
    "events": _write_events,
}
"""What hangs on a product's row, in the order in which it is written."""


def key_ids(session: Session, table: type[OrganisationRow | IncubatorRow], label: str, keys: Iterable[str]) -> dict[str, int]:
    """The id of each key; an unknown one gets a row named after its key, until its own sheet comes."""
    wanted = set(keys)
    rows = session.execute(sa.select(table.key, table.id).where(table.key.in_(wanted))).all()
    found = {row.key: row.id for row in rows}
    for key in sorted(wanted - found.keys()):
        row: Any = table(key=key, **{label: key})
        session.add(row)
        session.flush()
        found[key] = row.id
    return found
