"""Product sheets of beta.gouv.fr: a folder with _startups/*.md, _incubators/*.md and _organisations/*.md, YAML at their head.

Real sheets are dirty; what was put right is reported as repaired, what cannot be is refused with its file, key and reason.
"""

from __future__ import annotations

import hashlib
import re
import reprlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import yaml

from fabrique.accounts import actions as accounts
from fabrique.accounts.actions import Source
from fabrique.exchange.report import ImportReport, Repaired
from fabrique.language import _, n_
from fabrique.portfolio import actions as portfolio
from fabrique.portfolio.actions import Outcome, Writing
from fabrique.portfolio.queries import (
    Event,
    Incubator,
    Organisation,
    ProductSheet,
    incubators_by_key,
    organisations_by_key,
    product_sheets,
)
from fabrique.portfolio.rules import Phase, Stage, stays_from
from fabrique.tables.textfile import FileUnreadable, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from fabrique.clock import Clock
    from fabrique.database import Database

FOLDERS = {"_organisations": "organisations", "_incubators": "incubators", "_startups": "products"}
"""Folders in the order in which they are read, with what they hold."""
STAGES = {
    "investigation": Stage.INVESTIGATION,
    "construction": Stage.EXPERIMENTATION,
    "acceleration": Stage.SCALE_UP,
    "consolidation": Stage.CONSOLIDATION,
    "opere": Stage.OPERATED,
    "transfere": Stage.TRANSFERRED,
    "abandon-investigation": Stage.INCONCLUSIVE,
    "abandon": Stage.STOPPED,
}
LARGEST_SHEET = 1_000_000
SHEETS_AT_ONCE = 100
KEY = re.compile(r"[\w.@-]{1,200}")
Told = Organisation | Incubator | ProductSheet
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SheetRefused(Exception):
    """A sheet that cannot be taken: which key, what it said, why, and on which line."""

    def __init__(self, column: str, value: object, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason, self.line = column, plain(value), reason, line


def plain(value: object) -> str:
    """A value as text; of a list or mapping the beginning only, for a few aliases can make it larger than any memory."""
    return reprlib.repr(value) if isinstance(value, list | dict | set | tuple) else str(value)


def squeezed(text: str) -> str:
    """A text on one line, without the null characters that PostgreSQL cannot keep."""
    return " ".join(text.replace("\0", " ").split())


@dataclass(slots=True)
class Sheet:
    """One file being read: its keys, and what had to be put right."""

    file: str
    slug: str
    keys: dict[str, Any]
    repaired: list[Repaired]

    def repair(self, column: str, value: object, reason: str, kept: object) -> None:
        """Note something read otherwise than it was written."""
        self.repaired.append(Repaired(self.file, None, column, str(value)[:120], reason, str(kept)[:120]))

    def text(self, *names: str) -> str:
        """The first of these keys that holds a text; anything else is as good as nothing."""
        for name in names:
            value = self.keys.get(name)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and (text := squeezed(str(value))):
                return text
        return ""

    def words(self, name: str) -> list[str]:
        """The texts of a list; a lone text counts as a list of one."""
        value = self.keys.get(name)
        items = value if isinstance(value, list) else [value]
        return [text for item in items if isinstance(item, str) and (text := squeezed(item))]


@dataclass(slots=True)
class Run:
    """One import of a folder."""

    database: Database
    clock: Clock
    source: Source
    report: ImportReport
    progress: Callable[[int], None]
    batch_id: int | None = None

    def take(self, kind: str, told: Sequence[Told]) -> None:
        """Record some things of a kind in one transaction, or find out what recording them would do."""
        with self.database.read() as session:
            different = [one for one, same in zip(told, unchanged(session, kind, told), strict=True) if not same]
        outcomes: list[Outcome] = [Outcome.UNCHANGED] * (len(told) - len(different))
        if different and self.report.dry_run:
            with self.database.read() as session:
                outcomes += [Outcome.CHANGED if known else Outcome.CREATED for known in exist(session, kind, different)]
        elif different:
            with self.database.write() as session:
                self.batch_id = self.batch_id or accounts.open_batch(session, self.source, self.clock.now())
                outcomes += put(session, different, Writing(self.batch_id, self.clock.now()))
        for outcome in outcomes:
            self.report.count(kind, outcome)
        self.progress(len(told))

    def close(self) -> None:
        """Finish the batch, if anything was written."""
        if self.batch_id is not None:
            with self.database.write() as session:
                counts = {**self.report.counts(), "refused": self.report.refused_count}
                accounts.finish_batch(session, self.batch_id, counts, self.clock.now())
            self.report.batch = self.batch_id


def import_betagouv(
    database: Database,
    clock: Clock,
    folder: Path,
    *,
    dry_run: bool = False,
    strict: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> ImportReport:
    """Bring a folder of product sheets in. Raises FileUnreadable where it is not one."""
    files = sheets_in(folder)
    if strict and not dry_run:
        rehearsal = ImportReport(dry_run=True)
        for _kind, _told in read_all(folder, files, rehearsal):
            pass
        if rehearsal.refused_count:
            rehearsal.dry_run = False
            return rehearsal
    report = ImportReport(dry_run=dry_run)
    source = Source("betagouv", printable(folder.resolve().name), fingerprint(files), "CC BY-NC-SA 4.0")
    run = Run(database, clock, source, report, progress)
    waiting: list[Told] = []
    waiting_kind = ""
    for kind, told in read_all(folder, files, report):
        if waiting and (kind != waiting_kind or len(waiting) == SHEETS_AT_ONCE):
            run.take(waiting_kind, waiting)
            waiting = []
        waiting_kind = kind
        waiting.append(told)
    if waiting:
        run.take(waiting_kind, waiting)
    run.close()
    return report


def sheets_in(folder: Path) -> list[Path]:
    """Every sheet in reading order. Raises FileUnreadable where there is none."""
    try:
        if not folder.exists():
            raise FileUnreadable(n_("There is no folder %(file)s."), file=folder)
        if not folder.is_dir():
            raise FileUnreadable(n_("%(file)s is a file; name the folder that holds _startups."), file=folder)
        if not (folder / "_startups").is_dir():
            raise FileUnreadable(n_("%(file)s holds no folder _startups; this is not a set of product sheets."), file=folder)
        return [file for name in FOLDERS for file in sorted((folder / name).glob("*.md"))]
    except OSError as error:
        raise FileUnreadable(n_("%(file)s cannot be read: %(why)s."), file=folder, why=error.strerror) from error


def fingerprint(files: Sequence[Path]) -> str:
    """A digest of the folder's content. What cannot be read is left to be refused."""
    whole = hashlib.sha256()
    for file in files:
        with suppress(OSError):
            if file.is_file() and file.stat().st_size <= LARGEST_SHEET:
                whole.update(f"{file.parent.name}/{file.name}".encode(errors="surrogateescape"))
                whole.update(file.read_bytes())
    return whole.hexdigest()


def read_all(folder: Path, files: Sequence[Path], report: ImportReport) -> Iterator[tuple[str, Told]]:
    """Each good sheet with its kind; the others go to the report."""
    sponsors_known = {file.stem for file in files if file.parent.name == "_organisations"}
    for file in files:
        kind = FOLDERS[file.parent.name]
        report.count(kind, "read")
        name = file.relative_to(folder).as_posix()
        try:
            sheet = Sheet(name, file.stem, front_matter(file), [])
            if not KEY.fullmatch(sheet.slug):
                raise SheetRefused("", sheet.slug, _("the file's name cannot be an address"))  # noqa: TRY301
            told = TELLERS[kind](sheet)
        except SheetRefused as refused:
            report.refuse(name, refused.line, refused.column, refused.value, refused.reason)
            continue
        if isinstance(told, ProductSheet):
            for key in told.sponsors:
                if key not in sponsors_known:
                    sheet.repair("sponsors", key, _("no organisation has this key"), key)
        report.repaired.extend(sheet.repaired)
        yield kind, told


def front_matter(file: Path) -> dict[str, Any]:
    """The YAML between the first two lines of three hyphens. Raises SheetRefused."""
    try:
        if file.stat().st_size > LARGEST_SHEET:
            raise SheetRefused("", "", _("the file is larger than 1 MB"))
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetRefused("", "", _("the file is not UTF-8 text")) from error
    except OSError as error:
        raise SheetRefused("", "", error.strerror or "") from error
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        raise SheetRefused("", lines[0][:60] if lines else "", _("the file does not begin with “---”"), 1)
    try:
        end = next(place for place, line in enumerate(lines[1:], start=1) if line.strip() == "---")
    except StopIteration:
        raise SheetRefused("", "", _("the front matter has no closing “---”")) from None
    return yaml_mapping("\n".join(lines[1:end]))


def yaml_mapping(text: str) -> dict[str, Any]:
    """A YAML mapping. Raises SheetRefused with the line at fault."""
    try:
        keys = yaml.load(text, Loader=Loader)  # noqa: S506 - the safe loader, in C where there is one
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else None
        raise SheetRefused("", "", _("the YAML is broken: %(why)s", why=error.problem or ""), line) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SheetRefused("", "", _("the YAML is broken: %(why)s", why=str(error).splitlines()[0])) from error
    if not isinstance(keys, dict):
        raise SheetRefused("", "", _("the front matter holds no keys"))
    return keys


def organisation(sheet: Sheet) -> Organisation:
    """An organisation's sheet."""
    return Organisation(sheet.slug, required(sheet, "name", "title"), sheet.text("acronym"), sheet.text("type"))


def incubator(sheet: Sheet) -> Incubator:
    """An incubator's sheet."""
    return Incubator(sheet.slug, required(sheet, "title", "name"), last_part(sheet.text("owner")), sheet.text("website"))


def product(sheet: Sheet) -> ProductSheet:
    """A product's sheet."""
    incubators = sheet.words("incubators")
    home = sheet.text("incubator")
    if incubators and not home:
        home = incubators[0]
    if incubators and set(incubators) != {home}:
        sheet.repair("incubators", ", ".join(incubators), _("a product has one incubator"), home)
    stays, repairs = stays_from(phases(sheet))
    for one in repairs:
        sheet.repair("phases", one.value, _(one.reason), one.kept)
    return ProductSheet(
        slug=sheet.slug,
        name=required(sheet, "title", "name"),
        incubator=last_part(home),
        sponsors=tuple(sorted({last_part(word) for word in sheet.words("sponsors")})),
        website=sheet.text("link"),
        repository=sheet.text("repository"),
        statistics_url=sheet.text("stats_url"),
        impact_url=sheet.text("impact_url"),
        budget_url=sheet.text("budget_url"),
        accessibility=sheet.text("accessibility_status"),
        audiences=tuple(sheet.words("usertypes")),
        themes=tuple(sheet.words("thematiques")),
        stays=tuple(stays),
        events=tuple(events(sheet)),
    )


TELLERS: dict[str, Callable[[Sheet], Told]] = {
    "organisations": organisation,
    "incubators": incubator,
    "products": product,
}


def required(sheet: Sheet, *names: str) -> str:
    """A text that must be there. Raises SheetRefused."""
    text = sheet.text(*names)
    if not text:
        raise SheetRefused(names[0], sheet.keys.get(names[0], ""), _("nothing is written here"))
    return text


def last_part(address: str) -> str:
    """`/organisations/anct` names anct."""
    return address.rstrip("/").rpartition("/")[2][:200]


def items(sheet: Sheet, name: str) -> list[tuple[int, dict[str, Any]]]:
    """The mappings of a list, numbered. Raises SheetRefused where it is something else."""
    value = sheet.keys.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise SheetRefused(name, value, _("a list of entries was expected"))
    return list(enumerate(value))


def phases(sheet: Sheet) -> list[Phase]:
    """The sheet's phases as written. Raises SheetRefused for a stage that nobody knows or a date that does not exist."""
    found = []
    for place, entry in items(sheet, "phases"):
        stage = STAGES.get(plain(entry.get("name", "")).strip())
        if stage is None:
            raise SheetRefused(f"phases[{place}].name", entry.get("name", ""), _("no phase is called this"))
        start = day(entry.get("start"), f"phases[{place}].start")
        if start is None:
            raise SheetRefused(f"phases[{place}].start", "", _("a phase needs its first day"))
        end = day(entry.get("end"), f"phases[{place}].end")
        if end is not None and end < start:
            sheet.repair(f"phases[{place}].end", end, _("the end is before the start: it is left out"), "")
            end = None
        found.append(Phase(stage, start, end))
    return found


def events(sheet: Sheet) -> list[Event]:
    """The sheet's events in order. One without a date is left out, and that is said."""
    found = []
    for place, entry in items(sheet, "events"):
        when = day(entry.get("date"), f"events[{place}].date")
        kind = squeezed(plain(entry.get("name", "") or "other"))[:30]
        if when is None:
            sheet.repair(f"events[{place}].date", "", _("an event without a date is left out"), "")
            continue
        comment = entry.get("comment")
        found.append(Event(kind, when, squeezed(comment) if isinstance(comment, str) else ""))
    return sorted(found, key=lambda event: (event.day, event.kind, event.comment))


def day(value: object, column: str) -> date | None:
    """A date, however YAML took it. Raises SheetRefused."""
    match value:
        case None | "":
            return None
        case datetime():
            return value.date()
        case date():
            return value
        case str():
            try:
                return date.fromisoformat(value.strip()[:10])
            except ValueError as error:
                raise SheetRefused(column, value, _("this date does not exist")) from error
        case _:
            raise SheetRefused(column, value, _("this is not a date"))


def unchanged(session: Session, kind: str, told: Sequence[Told]) -> list[bool]:
    """Which of these are known exactly as told."""
    known = known_as(session, kind, told)
    return [known.get(key_of(one)) == one for one in told]


def exist(session: Session, kind: str, told: Sequence[Told]) -> list[bool]:
    """Which of these are known at all."""
    known = known_as(session, kind, told)
    return [key_of(one) in known for one in told]


def known_as(session: Session, kind: str, told: Sequence[Told]) -> dict[str, Told]:
    """What is known of these, by key."""
    keys = [key_of(one) for one in told]
    if kind == "products":
        return dict(product_sheets(session, keys))
    if kind == "incubators":
        return dict(incubators_by_key(session, keys))
    return dict(organisations_by_key(session, keys))


def key_of(told: Told) -> str:
    """What names it."""
    return told.slug if isinstance(told, ProductSheet) else told.key


def put(session: Session, told: Sequence[Told], writing: Writing) -> list[Outcome]:
    """Record these: all of one kind."""
    products = [one for one in told if isinstance(one, ProductSheet)]
    outcomes = [one.outcome for one in portfolio.put_products(session, products, writing)] if products else []
    for one in told:
        match one:
            case Organisation():
                outcomes.append(portfolio.put_organisation(session, one))
            case Incubator():
                outcomes.append(portfolio.put_incubator(session, one))
            case ProductSheet():
                pass
    return outcomes
