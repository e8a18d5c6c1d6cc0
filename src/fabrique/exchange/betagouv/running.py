"""One import of product sheets: read, compared with what is known, and written in small transactions; safe to kill and run again."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.actions import Source as Provenance
from fabrique.exchange.betagouv.document import open_document
from fabrique.exchange.betagouv.entry import Entry, EntryRefused
from fabrique.exchange.betagouv.folder import open_folder
from fabrique.exchange.betagouv.telling import TELLERS
from fabrique.exchange.report import Change, ImportReport
from fabrique.language import _, n_
from fabrique.portfolio import actions as portfolio
from fabrique.portfolio.actions import Outcome, Writing
from fabrique.portfolio.queries import Incubator, Organisation, all_organisations, incubators_by_key, organisations_by_key
from fabrique.portfolio.rules import RESERVED_SLUGS
from fabrique.portfolio.sheet import FIELD_LABELS, Telling, as_document
from fabrique.portfolio.wording import words_of
from fabrique.tables.textfile import is_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from fabrique.clock import Clock
    from fabrique.database import Database
    from fabrique.exchange.betagouv.found import Source
    from fabrique.exchange.betagouv.telling import Told
    from fabrique.portfolio.actions import Planned
    from fabrique.portfolio.sheet import ProductSheet

LICENCE = "CC BY-NC-SA 4.0"
AT_ONCE = 100
KEY = re.compile(r"[\w.@-]{1,200}")
MOST_KEPT = 2_000
"""Repairs, refusals and differences that a batch keeps of each; beyond that they are counted only."""
Named = Organisation | Incubator
FIELD_NAMES = FIELD_LABELS | {"title": n_("Name"), "acronym": n_("Acronym"), "kind": n_("Kind"), "owner_key": n_("Owner")}
"""The fields of products, organisations and incubators, as people call them."""


def import_betagouv(
    database: Database,
    clock: Clock,
    path: Path,
    *,
    dry_run: bool = False,
    strict: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> ImportReport:
    """Bring a folder of product sheets, or the API's document, in. Raises FileUnreadable where it is neither."""
    source = open_source(path)
    with database.read() as session:
        known = named_organisations(session, source)
    if strict and not dry_run:
        rehearsal = ImportReport(dry_run=True)
        for _kind, _told in read_all(source, known, rehearsal):
            pass
        if rehearsal.refused_count:
            rehearsal.dry_run = False
            return rehearsal
    run = Run(database, clock, source, ImportReport(dry_run=dry_run), progress)
    for kind, told in together(read_all(source, known, run.report)):
        run.take(kind, told)
    run.close()
    return run.report


def open_source(path: Path) -> Source:
    """What stands at a path: a folder is one of sheets, a file the API's document."""
    return open_document(path) if not is_folder(path) and path_is_there(path) else open_folder(path)


def path_is_there(path: Path) -> bool:
    """Whether something is there; a name that cannot even be looked up is left to be refused."""
    try:
        return path.exists()
    except OSError:
        return False


def named_organisations(session: Session, source: Source) -> frozenset[str]:
    """The keys of organisations that have a name: in the source, or here already. A row named after its key only waits for one."""
    here = {one.key for one in all_organisations(session) if one.name != one.key}
    return frozenset(here | {one.key for one in source.entries if one.kind == "organisations"})


def together(told: Iterator[tuple[str, Told]]) -> Iterator[tuple[str, list[Told]]]:
    """Things of one kind that follow each other, some at once."""
    waiting: list[Told] = []
    waiting_kind = ""
    for kind, one in told:
        if waiting and (kind != waiting_kind or len(waiting) == AT_ONCE):
            yield waiting_kind, waiting
            waiting = []
        waiting_kind = kind
        waiting.append(one)
    if waiting:
        yield waiting_kind, waiting


def read_all(source: Source, organisations: frozenset[str], report: ImportReport) -> Iterator[tuple[str, Told]]:
    """Each good entry with its kind; the others go to the report."""
    seen: set[tuple[str, str]] = set()
    for found in source.entries:
        report.count(found.kind, "read")
        try:
            if not KEY.fullmatch(found.key) or not found.key.strip("."):
                raise EntryRefused("", found.key, _("this name cannot be an address"))  # noqa: TRY301
            if found.kind == "products" and found.key in RESERVED_SLUGS:
                raise EntryRefused("", found.key, _("a page of this site has that address"))  # noqa: TRY301
            if (found.kind, found.key) in seen:
                raise EntryRefused("id", found.key, _("this key was told before: the first one is taken"))  # noqa: TRY301
            entry = Entry(found.place, found.key, found.read(), partial=source.partial)
            told = TELLERS[found.kind](entry)
        except EntryRefused as refused:
            report.refuse(found.place, refused.line, refused.column, refused.value, refused.reason)
            continue
        seen.add((found.kind, found.key))
        for key in told.sheet.sponsors if isinstance(told, Telling) else ():
            if key not in organisations:
                entry.repair("sponsors", key, _("no organisation has this key"), key)
        report.repaired.extend(entry.repaired)
        yield found.kind, told


@dataclass(slots=True)
class Run:
    """One import: from where, into what, for real or not."""

    database: Database
    clock: Clock
    source: Source
    report: ImportReport
    progress: Callable[[int], None]
    batch_id: int | None = None

    def take(self, kind: str, told: Sequence[Told]) -> None:
        """Record some things of a kind in one transaction, or find out what recording them would do."""
        batch = self.batch_id
        try:
            self.record(kind, told)
        except sa.exc.IntegrityError:
            # Another import brought the same new thing at the same moment. It is done by now: look again.
            self.batch_id = batch
            self.record(kind, told)
        self.progress(len(told))

    def record(self, kind: str, told: Sequence[Told]) -> None:
        """Record them once; nothing is counted before the transaction held."""
        if kind == "products":
            self.products([one for one in told if isinstance(one, Telling)])
        else:
            self.named(kind, [one for one in told if not isinstance(one, Telling)])

    def products(self, told: Sequence[Telling]) -> None:
        """Products: what each changes of what is known, and what stays because people decided otherwise here."""
        with self.database.read() as session:
            plans = portfolio.plan_products(session, told)
        waiting = [one for one, plan in zip(told, plans, strict=True) if not plan.told_before]
        if waiting and not self.report.dry_run:
            visible = any(plan.outcome is not Outcome.UNCHANGED or plan.kept for plan in plans)
            with self.database.write(visible=visible) as session:
                batch = self.batch(session) if visible else None
                done = portfolio.put_products(session, waiting, Writing(batch, self.clock.now()))
            by_slug = {plan.told.slug: plan for plan in done}
            plans = [by_slug.get(plan.told.slug, plan) for plan in plans]
        for plan in plans:
            self.report.count("products", plan.outcome)
            self.tell(plan)

    def tell(self, plan: Planned) -> None:
        """Note what an import of one product changes and what it leaves."""
        slug, name = plan.told.slug, (plan.before or plan.after).name
        if plan.outcome is Outcome.CREATED:
            self.report.created.append(("products", slug, name))
        for one in plan.changes:
            assert plan.before is not None, "what was not there is created, not changed"
            self.report.changes.append(change(slug, name, one.field, plan.before, plan.after))
        for one in plan.kept:
            self.report.kept.append(change(slug, name, one.field, plan.merged.here, plan.merged.there))

    def named(self, kind: str, told: Sequence[Named]) -> None:
        """Incubators or organisations."""
        with self.database.read() as session:
            known = known_as(session, kind, [one.key for one in told])
        outcomes = {one.key: outcome_of(known.get(one.key), one) for one in told}
        different = [one for one in told if outcomes[one.key] is not Outcome.UNCHANGED]
        if different and not self.report.dry_run:
            with self.database.write() as session:
                # Looked at again where it is written: another import may have brought them since.
                known |= known_as(session, kind, [one.key for one in different])
                self.batch(session)
                outcomes |= {one.key: put(session, one) for one in different}
        for one in told:
            self.report.count(kind, outcomes[one.key])
            before = known.get(one.key)
            if outcomes[one.key] is Outcome.CREATED:
                self.report.created.append((kind, one.key, label_of(one)))
            elif before is not None and outcomes[one.key] is Outcome.CHANGED:
                self.report.changes.extend(named_changes(kind, before, one))

    def batch(self, session: Session) -> int:
        """The batch that this import's changes point to, made when the first of them is written."""
        if self.batch_id is None:
            source = Provenance("betagouv", self.source.name, self.source.sha256, LICENCE)
            self.batch_id = accounts.open_batch(session, source, self.clock.now())
        return self.batch_id

    def close(self) -> None:
        """Finish the batch, if anything was written."""
        if self.batch_id is None:
            return
        report = self.report
        counts: dict[str, Any] = {
            **report.counts(),
            "kinds": {kind: dict(one) for kind, one in report.kinds.items()},
            "refused": report.refused_count,
            "repaired": len(report.repaired),
            "kept": len(report.kept),
        }
        with self.database.write() as session:
            accounts.finish_batch(session, self.batch_id, counts, self.clock.now(), report.details(MOST_KEPT))
        report.batch = self.batch_id


def change(slug: str, name: str, field: str, before: ProductSheet, after: ProductSheet) -> Change:
    """One field of a product, before and after."""
    return Change(
        "products", slug, name, field, words_of(before, field), words_of(after, field), as_document(before).get(field),
        as_document(after).get(field),
    )  # fmt: skip


def outcome_of(before: Named | None, told: Named) -> Outcome:
    """What putting an incubator or an organisation would do."""
    if before is None:
        return Outcome.CREATED
    return Outcome.UNCHANGED if before == told else Outcome.CHANGED


def put(session: Session, told: Named) -> Outcome:
    """Record an incubator or an organisation: what was done."""
    match told:
        case Organisation():
            return portfolio.put_organisation(session, told)
        case Incubator():
            return portfolio.put_incubator(session, told)


def known_as(session: Session, kind: str, keys: Sequence[str]) -> dict[str, Named]:
    """What is known of these, by key."""
    return dict(incubators_by_key(session, keys) if kind == "incubators" else organisations_by_key(session, keys))


def label_of(one: Named) -> str:
    """What people call it."""
    return one.name if isinstance(one, Organisation) else one.title


def named_changes(kind: str, before: Named, after: Named) -> Iterator[Change]:
    """What changes of an organisation or an incubator, field by field."""
    for name in (field.name for field in fields(after)):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield Change(kind, after.key, label_of(before), name, (was,) if was else (), (now,) if now else (), was, now)
