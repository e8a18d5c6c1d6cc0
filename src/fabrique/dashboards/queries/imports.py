"""What came in from files, what it changed, and what was refused; and the history of one product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from fabrique.accounts.model import AuditRow, BatchRow, PersonRow
from fabrique.language import _, n_
from fabrique.portfolio.model import ProductRow, RevisionRow
from fabrique.portfolio.queries import product_id_of
from fabrique.portfolio.rules import Origin
from fabrique.portfolio.sheet import ProductSheet, differences, from_document
from fabrique.tables.cells import Table
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from fabrique.portfolio.sheet import Difference
    from fabrique.tables.cells import Cell

SHOWN = 200
"""Imports in the list, and lines of a kind on one import's page; the file has them all."""
KIND_LABELS = {
    "betagouv": n_("Product sheets"),
    "gds": n_("UK services table"),
    "observations": n_("Table of figures"),
    "demonstration": n_("Demonstration"),
}
ACTION_LABELS = {
    "create_product": n_("began the product"),
    "save_sheet": n_("changed the sheet"),
    "correct_stages": n_("corrected the phases"),
    "add_event": n_("noted an event"),
    "remove_event": n_("took an event back"),
    "open_review": n_("opened a gate review"),
    "prepare_review": n_("prepared the gate review"),
    "sign_review": n_("signed a gate review"),
    "supersede_review": n_("opened a review that supersedes another"),
    "give_up_review": n_("gave a gate review up"),
    "meet_condition": n_("marked a condition"),
    "add_member": n_("added somebody to the team"),
    "change_member": n_("changed somebody’s part in the team"),
    "end_member": n_("ended somebody’s part in the team"),
}


@dataclass(frozen=True, slots=True)
class Import:
    """One file that came in."""

    id: int
    kind: str
    file: str
    licence: str
    person: str
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, Any]

    @property
    def label(self) -> str:
        """What kind of file, in the language in force."""
        return _(KIND_LABELS.get(self.kind, self.kind))

    def number(self, name: str) -> int:
        """One of its counts."""
        value = self.counts.get(name, 0)
        return len(value) if isinstance(value, list) else int(value or 0)


def imports(session: Session) -> list[Import]:
    """The latest imports, the newest first."""
    rows = session.execute(IMPORTS.order_by(BatchRow.id.desc()).limit(SHOWN))
    return [_import(row, name) for row, name in rows]


IMPORTS = sa.select(BatchRow, PersonRow.name).outerjoin(PersonRow, PersonRow.id == BatchRow.person_id)


def _import(row: BatchRow, name: str | None) -> Import:
    return Import(row.id, row.kind, row.file, row.licence, name or "", row.started_at, row.finished_at, row.counts or {})


@dataclass(frozen=True, slots=True)
class Changed:
    """A product that an import brought or changed."""

    slug: str
    name: str
    created: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class ImportPage:
    """One import with what it changed."""

    found: Import
    changed: tuple[Changed, ...]
    total: int
    """How many products it changed, those that are not shown included."""
    repaired: tuple[dict[str, Any], ...]
    refused: tuple[dict[str, Any], ...]
    kept: tuple[dict[str, Any], ...]


def import_page(session: Session, batch_id: int) -> ImportPage:
    """One import. Raises NotThere."""
    row = session.execute(IMPORTS.where(BatchRow.id == batch_id)).one_or_none()
    if row is None:
        raise not_there(str(batch_id))
    found = _import(*row)
    changed, total = changed_by(session, batch_id)
    lists = {
        name: [one for one in value if isinstance(one, dict)] for name, value in found.counts.items() if isinstance(value, list)
    }
    return ImportPage(found, tuple(changed), total, *(tuple(lists.get(name, ())) for name in ("repaired", "refused", "kept")))


def changed_by(session: Session, batch_id: int) -> tuple[list[Changed], int]:
    """The first products that an import changed, by name, each with its differences; and how many there are."""
    total = session.scalar(sa.select(sa.func.count()).select_from(RevisionRow).where(RevisionRow.batch_id == batch_id)) or 0
    rows = session.execute(
        sa.select(RevisionRow.id, RevisionRow.product_id, RevisionRow.document, ProductRow.slug, ProductRow.name)
        .join(ProductRow, ProductRow.id == RevisionRow.product_id)
        .where(RevisionRow.batch_id == batch_id)
        .order_by(sa.func.lower(ProductRow.name), RevisionRow.id)
        .limit(SHOWN)
    ).all()
    earlier = previous_documents(session, {row.id: row.product_id for row in rows})
    return [
        Changed(
            row.slug,
            row.name,
            row.id not in earlier,
            differences(from_document(earlier[row.id]), from_document(row.document)) if row.id in earlier else (),
        )
        for row in rows
    ], total


def previous_documents(session: Session, products: dict[int, int]) -> dict[int, dict[str, Any]]:
    """The document before each revision, in one query: the last of the same product with a smaller number."""
    later = aliased(RevisionRow)
    before = (
        sa.select(later.id.label("revision"), sa.func.max(RevisionRow.id).label("id"))
        .join(RevisionRow, (RevisionRow.product_id == later.product_id) & (RevisionRow.id < later.id))
        .where(later.id.in_(list(products)))
        .group_by(later.id)
        .subquery()
    )
    rows = session.execute(sa.select(before.c.revision, RevisionRow.document).join(RevisionRow, RevisionRow.id == before.c.id))
    return {row.revision: row.document for row in rows}


def lines_table(page: ImportPage, kind: str) -> Table:
    """The repairs, refusals or differences kept of an import as a table. Raises NotThere for another kind."""
    titles = {
        "reparations": (_("Repairs"), page.repaired),
        "refus": (_("Refused"), page.refused),
        "maintenus": (_("Kept as here"), page.kept),
    }
    if kind not in titles:
        raise not_there(kind)
    title, lines = titles[kind]
    names = list(dict.fromkeys(name for line in lines for name in line))
    return Table(f"{title} – import {page.found.id}", [*names], [[as_cell(line.get(name)) for name in names] for line in lines])


def as_cell(value: object) -> Cell:
    """A value of a report as a cell."""
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return value if isinstance(value, str | int | float) or value is None else str(value)


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of a product's history: when, who, what, why, and what it changed."""

    at: datetime
    who: str
    origin: Origin | None
    batch_id: int | None
    action: str
    """A msgid for what a person did; empty for a change of the sheet."""
    reason: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A product's history, the latest first."""

    slug: str
    name: str
    lines: tuple[Happening, ...]


def history_page(session: Session, slug: str) -> HistoryPage:
    """Every change of a product's sheet, and what people did around it. Raises NotThere."""
    product_id = product_id_of(session, slug)
    if product_id is None:
        raise not_there(slug)
    name = session.scalars(sa.select(ProductRow.name).where(ProductRow.id == product_id)).one()
    lines = [*sheet_changes(session, product_id), *acts(session, slug)]
    return HistoryPage(slug, name, tuple(sorted(lines, key=lambda line: line.at, reverse=True)))


def sheet_changes(session: Session, product_id: int) -> list[Happening]:
    """The revisions of the sheet."""
    rows = session.execute(
        sa.select(RevisionRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == RevisionRow.person_id)
        .where(RevisionRow.product_id == product_id)
        .order_by(RevisionRow.id)
    )
    before, found = ProductSheet("", ""), []
    for row, name in rows:
        after = from_document(row.document)
        changes = differences(before, after)
        found.append(Happening(row.at, name or "", Origin(row.origin), row.batch_id, "", row.reason, changes))
        before = after
    return found


SHEET_ACTS = frozenset({"save_sheet", "correct_stages", "add_event", "remove_event", "create_product"})
"""Told by the revision that they made."""


def acts(session: Session, slug: str) -> Sequence[Happening]:
    """What people did that is not told by a revision: reviews, conditions, team."""
    rows = session.execute(
        sa.select(AuditRow.at, AuditRow.action, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == AuditRow.person_id)
        .where(AuditRow.object_type == "product", AuditRow.object_key == slug, AuditRow.action.not_in(SHEET_ACTS))
        .order_by(AuditRow.id)
    )
    return [Happening(row.at, row.name or "", None, None, ACTION_LABELS.get(row.action, row.action), "", ()) for row in rows]
