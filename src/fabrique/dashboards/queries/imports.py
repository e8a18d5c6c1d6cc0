"""What came in from files, what it changed, and what was refused; and the history of one product."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from fabrique.accounts.model import AuditRow, BatchRow, PersonRow
from fabrique.language import _, current, n_
from fabrique.portfolio.model import ProductRow, RevisionRow
from fabrique.portfolio.queries import incubators_by_key, organisations_by_key, product_id_of
from fabrique.portfolio.rules import Origin
from fabrique.portfolio.sheet import FIELD_LABELS, NOTHING, from_document
from fabrique.portfolio.wording import differences_in_words, words_of
from fabrique.quality.queries import metrics
from fabrique.tables.cells import Table, local
from fabrique.web.errors import not_there
from fabrique.web.outcomes import of_a_kind, outcomes, refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from fabrique.portfolio.sheet import Difference, ProductSheet
    from fabrique.portfolio.wording import Names

SHOWN = 200
"""Imports in the list, lines of a kind on one import's page, lines of a history; files have them all."""
KIND_LABELS = {
    "betagouv": n_("Product sheets"),
    "gds": n_("UK services table"),
    "observations": n_("Table of figures"),
    "demonstration": n_("Demonstration"),
}
THING_LABELS = {
    "products": n_("Products"),
    "incubators": n_("Incubators"),
    "organisations": n_("Organisations"),
    "services": n_("Services"),
    "observations": n_("Figures"),
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

    @property
    def sentence(self) -> str:
        """What became of all of it: 1 création, 3 modifications, 0 sans changement, 2 refus."""
        counts = {name: self.number(name) for name in ("created", "changed", "unchanged")}
        return f"{outcomes(counts)}, {refused(self.number('refused'))}."

    def number(self, name: str) -> int:
        """One of its counts."""
        value = self.counts.get(name, 0)
        return value if isinstance(value, int) else 0

    @property
    def kinds(self) -> list[str]:
        """What became of each kind of thing in it, a sentence each."""
        told = self.counts.get("kinds")
        return [kind_words(kind, counts) for kind, counts in told.items()] if isinstance(told, dict) else []


def kind_words(kind: str, counts: dict[str, int]) -> str:
    """Produits : 377 dans le fichier, 12 créations, 3 modifications, 362 sans changement."""
    return of_a_kind(_(THING_LABELS.get(kind, kind)), counts)


def imports(session: Session) -> list[Import]:
    """The latest imports, the newest first."""
    rows = session.execute(IMPORTS.options(sa.orm.defer(BatchRow.details)).order_by(BatchRow.id.desc()).limit(SHOWN))
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
class Met:
    """Something that an import met on the way: where, what it read, why it was not taken so, and what stands."""

    place: str
    field: str
    read: str
    reason: str
    kept: str


@dataclass(frozen=True, slots=True)
class ImportPage:
    """One import with what it changed."""

    found: Import
    changed: tuple[Changed, ...]
    total: int
    """How many products it changed, those that are not shown included."""
    repaired: tuple[Met, ...]
    refused: tuple[Met, ...]
    kept: tuple[Met, ...]


def import_page(session: Session, batch_id: int) -> ImportPage:
    """One import. Raises NotThere."""
    row = session.execute(IMPORTS.where(BatchRow.id == batch_id)).one_or_none()
    if row is None:
        raise not_there(str(batch_id))
    batch, person = row
    changed, total = changed_by(session, batch_id)
    details = batch.details or {}
    repaired, refused = (tuple(met(one) for one in details.get(name, ())) for name in ("repaired", "refused"))
    sides = [
        from_document({one["field"]: one[side]}) for one in details.get("kept", ()) for side in SIDES if one[side] is not None
    ]
    names = names_of(session, sides)
    kept = tuple(left_alone(one, names) for one in details.get("kept", ()))
    return ImportPage(_import(batch, person), tuple(changed), total, repaired, refused, kept)


def met(told: dict[str, Any]) -> Met:
    """A repair or a refusal, in the words in which it was told when it came."""
    place = f"{told['file']}:{told['line']}" if told.get("line") else str(told["file"])
    return Met(place, str(told["column"]), str(told["value"]), str(told["reason"]), str(told.get("kept", "")))


SIDES = ("before", "after")


def left_alone(told: dict[str, Any], names: Names) -> Met:
    """A field that stays as people decided it here, although the file tells otherwise."""
    name = str(told["field"])
    here, there = (
        "; ".join(words_of(from_document({name: told[side]} if told[side] is not None else {}), name, names)) for side in SIDES
    )
    return Met(str(told["name"]), _(FIELD_LABELS[name]), there, _("written or decided otherwise here"), here)


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
    earlier = {
        key: from_document(one) for key, one in previous_documents(session, {row.id: row.product_id for row in rows}).items()
    }
    sheets = {row.id: from_document(row.document) for row in rows}
    names = names_of(session, [*earlier.values(), *sheets.values()])
    return [
        Changed(
            row.slug,
            row.name,
            row.id not in earlier,
            differences_in_words(earlier[row.id], sheets[row.id], names) if row.id in earlier else (),
        )
        for row in rows
    ], total


def names_of(session: Session, sheets: Sequence[ProductSheet]) -> Names:
    """The names of the incubators, sponsors and metrics that some sheets mention, in the language in force."""
    homes = sorted({one.incubator for one in sheets} - {""})
    sponsors = sorted({key for one in sheets for key in one.sponsors})
    return {
        "incubator": {key: one.title for key, one in incubators_by_key(session, homes).items()},
        "sponsors": {key: one.name for key, one in organisations_by_key(session, sponsors).items()},
        "stakes": {key: one.label_en if current.get() == "en" else one.label_fr for key, one in metrics(session).items()},
    }


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
    columns = (_("Where"), _("Field"), _("What was read"), _("Why"), _("What was kept"))
    rows = [(one.place, one.field, one.read, one.reason, one.kept) for one in lines]
    return Table(f"{title} – import {page.found.id}", columns, rows)


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of a product's history: when, who, what, why, and what it changed."""

    at: datetime
    who: str
    origin: Origin | None = None
    batch_id: int | None = None
    action: str = ""
    """A msgid for what a person did; empty for a change of the sheet."""
    times: int = 1
    """How often in a row that day."""
    address: str = ""
    """Where it can be read in full."""
    reason: str = ""
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A product's history, the latest first."""

    slug: str
    name: str
    lines: tuple[Happening, ...]
    total: int
    """How many changes of its sheet there are."""


def history_page(session: Session, slug: str) -> HistoryPage:
    """The latest changes of a product's sheet, and what people did around it. Raises NotThere."""
    product_id = product_id_of(session, slug)
    if product_id is None:
        raise not_there(slug)
    name = session.scalars(sa.select(ProductRow.name).where(ProductRow.id == product_id)).one()
    total = session.scalar(sa.select(sa.func.count()).select_from(RevisionRow).where(RevisionRow.product_id == product_id)) or 0
    lines = sorted([*sheet_changes(session, product_id), *acts(session, slug)], key=lambda line: line.at, reverse=True)
    return HistoryPage(slug, name, tuple(lines[:SHOWN]), total)


def sheet_changes(session: Session, product_id: int) -> list[Happening]:
    """The latest revisions of the sheet, the newest first."""
    rows = session.execute(
        sa.select(RevisionRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == RevisionRow.person_id)
        .where(RevisionRow.product_id == product_id)
        .order_by(RevisionRow.id.desc())
        .limit(SHOWN + 1)
    ).all()
    sheets = [from_document(row.document) for row, _name in rows]
    before, names = [*sheets[1:], NOTHING], names_of(session, sheets)
    return [
        Happening(
            row.at, name or "", Origin(row.origin), row.batch_id, reason=row.reason,
            differences=differences_in_words(earlier, sheet, names),
        )
        for (row, name), sheet, earlier in zip(rows[:SHOWN], sheets, before, strict=False)
    ]  # fmt: skip


SHEET_ACTS = frozenset({"save_sheet", "correct_stages", "add_event", "remove_event", "create_product"})
"""Told by the revision that they made."""


def acts(session: Session, slug: str) -> list[Happening]:
    """What people did that is not told by a revision: reviews, conditions, team; the newest first.

    The same again by the same person on the same day is one line: a review is prepared in twenty small steps.
    """
    rows = session.execute(
        sa.select(AuditRow.at, AuditRow.action, AuditRow.details, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == AuditRow.person_id)
        .where(AuditRow.object_type == "product", AuditRow.object_key == slug, AuditRow.action.not_in(SHEET_ACTS))
        .order_by(AuditRow.id.desc())
        .limit(MOST_ACTS)
    )
    found: list[Happening] = []
    for row in rows:
        label, address = ACTION_LABELS.get(row.action, row.action), review_address(slug, row.details)
        one = Happening(row.at, row.name or "", action=label, address=address, reason=reason_of(row.details))
        last = found[-1] if found else None
        if last is not None and replace(last, at=one.at, times=1) == one and local(last.at).date() == local(one.at).date():
            found[-1] = replace(last, times=last.times + 1)
        else:
            found.append(one)
    return found


MOST_ACTS = 2_000


def review_address(slug: str, details: Any) -> str:
    """Where the review stands that an act was about."""
    review = details.get("review") if isinstance(details, dict) else None
    return f"/produits/{slug}/revues/{review}" if isinstance(review, int) else ""


def reason_of(details: Any) -> str:
    """Why somebody did it, where they said."""
    reason = details.get("reason") if isinstance(details, dict) else None
    return reason if isinstance(reason, str) else ""
