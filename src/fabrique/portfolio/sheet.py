"""A product's sheet as plain values: what a file or a form tells, what a revision keeps, and how two tellings are brought together.

Pure: no session, no clock. A sheet becomes a JSON document and comes back from it, so that revisions can be compared years later.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from fabrique.language import n_
from fabrique.portfolio.rules import Mark, Origin, Stage, Stay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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
    link: str = ""
    origin: Origin = Origin.IMPORT


@dataclass(frozen=True, slots=True)
class Budget:
    """Money for a product in a year, from a funder, in whole euros; None where nobody told."""

    year: int
    funder: str
    planned: int | None = None
    spent: int | None = None


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
    dashlord_url: str = ""
    """Where DashLord shows the technical quality of its site."""
    risk_analysis_url: str = ""
    accessibility: str = ""
    audiences: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    technologies: tuple[str, ...] = ()
    mission: str = ""
    pitch: str = ""
    partners: tuple[str, ...] = ()
    qualities: tuple[tuple[str, str], ...] = ()
    stakes: tuple[tuple[str, str], ...] = ()
    """Stake key and the key of the metric that will show it, empty where none is named yet."""
    budget: tuple[Budget, ...] = ()
    stays: tuple[Stay, ...] = ()
    events: tuple[Event, ...] = ()


NOTHING = ProductSheet("", "")

FIELD_LABELS = {
    "name": n_("Name"),
    "incubator": n_("Incubator"),
    "sponsors": n_("Sponsors"),
    "website": n_("Site"),
    "repository": n_("Source code"),
    "statistics_url": n_("Statistics"),
    "impact_url": n_("Impact"),
    "budget_url": n_("Budget page"),
    "dashlord_url": n_("Technical quality (DashLord)"),
    "risk_analysis_url": n_("Risk analysis page"),
    "accessibility": n_("Accessibility"),
    "audiences": n_("Audiences"),
    "themes": n_("Themes"),
    "technologies": n_("Technologies"),
    "mission": n_("Mission"),
    "pitch": n_("Problem"),
    "partners": n_("Partners"),
    "qualities": n_("Qualities"),
    "stakes": n_("Stakes"),
    "budget": n_("Budget"),
    "stays": n_("Phases"),
    "events": n_("Events"),
}
SETS = frozenset({"sponsors", "audiences", "themes", "technologies", "partners", "events"})
"""Fields whose items come and go one by one: both sides' changes can always stand together."""
KEYED = frozenset({"qualities", "stakes"})
"""Fields that answer several questions, each by its key: both sides' answers stand together where they are not to the same one."""
LINKS = (
    "website", "repository", "statistics_url", "impact_url", "budget_url", "dashlord_url", "risk_analysis_url",
)  # fmt: skip
"""Fields that hold a web address."""
Document = dict[str, Any]


def as_document(sheet: ProductSheet) -> Document:
    """The sheet as JSON can hold it; fields that say nothing are left out, so that a new field changes no old document."""
    made: Document = {}
    for field in fields(sheet):
        value = getattr(sheet, field.name)
        if value in ("", ()):
            continue
        match field.name:
            case "stays":
                made["stays"] = [[one.stage, one.start.isoformat(), _iso(one.end), one.mark] for one in value]
            case "events":
                made["events"] = [[one.kind, one.day.isoformat(), one.comment, one.link, one.origin] for one in value]
            case "budget":
                made["budget"] = [[one.year, one.funder, one.planned, one.spent] for one in value]
            case "qualities" | "stakes":
                made[field.name] = [list(pair) for pair in value]
            case _:
                made[field.name] = list(value) if isinstance(value, tuple) else value
    return made


def from_document(document: Document) -> ProductSheet:
    """The sheet that a document holds."""
    known = {field.name for field in fields(ProductSheet)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items() if name in known
    }
    values["stays"] = tuple(
        Stay(Stage(stage), date.fromisoformat(start), date.fromisoformat(end) if end else None, Mark(mark))
        for stage, start, end, mark in document.get("stays", ())
    )
    values["events"] = tuple(
        Event(kind, date.fromisoformat(day), comment, link, Origin(origin))
        for kind, day, comment, link, origin in document.get("events", ())
    )
    values["budget"] = tuple(Budget(*line) for line in document.get("budget", ()))
    for name in ("qualities", "stakes"):
        values[name] = tuple((str(key), str(value)) for key, value in document.get(name, ()))
    return ProductSheet(**{"slug": "", "name": "", **values})


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two sheets tell differently: its name, and both values as plain texts, one item a line."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def label(self) -> str:
        """The field's msgid."""
        return FIELD_LABELS[self.field]

    @property
    def gone(self) -> tuple[str, ...]:
        """What was there and is no more."""
        return tuple(one for one in self.before if one not in self.after)

    @property
    def new(self) -> tuple[str, ...]:
        """What was not there before."""
        return tuple(one for one in self.after if one not in self.before)


def differences(before: ProductSheet, after: ProductSheet) -> tuple[Difference, ...]:
    """The fields that changed, in the sheet's order."""
    return tuple(
        Difference(name, told(before, name), told(after, name))
        for name in FIELD_LABELS
        if getattr(before, name) != getattr(after, name)
    )


def told(sheet: ProductSheet, name: str) -> tuple[str, ...]:
    """A field's value as plain texts: keys and ISO dates, the same in every language."""
    value = getattr(sheet, name)
    match name:
        case "stays":
            return tuple(_stay_words(one) for one in value)
        case "events":
            return tuple(" ".join(part for part in (one.day.isoformat(), one.kind, one.comment) if part) for one in value)
        case "budget":
            return tuple(f"{one.year} {one.funder}: {_money(one.planned)} / {_money(one.spent)}" for one in value)
        case "qualities" | "stakes":
            return tuple(f"{key}: {answer}" if answer else key for key, answer in value)
        case _:
            return ((value,) if value else ()) if isinstance(value, str) else tuple(value)


def _stay_words(stay: Stay) -> str:
    return f"{stay.stage} {'~' if stay.mark is Mark.ESTIMATED else ''}{stay.start} → {stay.end or '…'}"


def _money(amount: int | None) -> str:
    return "–" if amount is None else f"{amount} €"


@dataclass(frozen=True, slots=True)
class Telling:
    """A sheet as a source tells it, and what that source says nothing about: there an absence means nothing.

    `silent` names fields; of a field of KEYED it may name one answer: `qualities/open_source`.
    """

    sheet: ProductSheet
    silent: frozenset[str] = frozenset()

    def over(self, base: ProductSheet | None) -> ProductSheet:
        """The sheet that it amounts to, when the last telling was `base`: of what it says nothing about, what was told then."""
        if base is None or not self.silent:
            return ordered(self.sheet)
        changes: dict[str, Any] = {name: getattr(base, name) for name in self.silent if "/" not in name}
        for name in KEYED - changes.keys():
            silent = {one.partition("/")[2] for one in self.silent if one.startswith(f"{name}/")}
            known = {key: answer for key, answer in getattr(base, name) if key in silent}
            changes[name] = tuple((known | dict(getattr(self.sheet, name))).items())
        return ordered(replace(self.sheet, **changes))


@dataclass(frozen=True, slots=True)
class Merged:
    """An import brought together with what people did here: the sheet that results, and what was kept although it tells otherwise."""

    sheet: ProductSheet
    here: ProductSheet = NOTHING
    """What stays as it is here, where the import tells otherwise; every other field is empty."""
    there: ProductSheet = NOTHING
    """What the import tells of those fields."""

    @property
    def kept(self) -> tuple[Difference, ...]:
        """Both beside each other: what stays (before) and what the import would have said (after)."""
        return differences(self.here, self.there)


def merge(base: ProductSheet, current: ProductSheet, telling: ProductSheet) -> Merged:
    """What an import changes: what it tells otherwise than it told last time (`base`), except where people changed the same here.

    Lists whose items stand alone take both sides' changes. A phase, a name, a link that was changed on both sides keeps what
    was decided here, and that is said: an import never undoes a review or a correction.
    """
    changes: dict[str, Any] = {}
    here: dict[str, Any] = {}
    there: dict[str, Any] = {}
    for name in FIELD_LABELS:
        before, now, told_now = getattr(base, name), getattr(current, name), getattr(telling, name)
        if told_now in (before, now):
            continue
        if now == before:
            changes[name] = told_now
        elif name in SETS:
            changes[name] = _both(before, now, told_now)
        elif name in KEYED:
            changes[name], here[name], there[name] = _by_key(dict(before), dict(now), dict(told_now))
        else:
            here[name], there[name] = now, told_now
    return Merged(ordered(replace(current, **changes)), replace(NOTHING, **here), replace(NOTHING, **there))


def _both(before: Iterable[Any], here: Iterable[Any], there: Iterable[Any]) -> tuple[Any, ...]:
    """Items of here, without those that the import took back, with those that it added."""
    known = set(before)
    gone = known - set(there)
    items = [one for one in here if one not in gone]
    items += [one for one in there if one not in known and one not in items]
    return tuple(items)


Pairs = tuple[tuple[str, str], ...]


def _by_key(before: Mapping[str, str], here: Mapping[str, str], there: Mapping[str, str]) -> tuple[Pairs, Pairs, Pairs]:
    """Answers key by key: the result, and of those answered otherwise on both sides, what stays here and what the import tells."""
    made, stays, told_there = dict(here), {}, {}
    for key in {**before, **there}:
        was, now, says = before.get(key), here.get(key), there.get(key)
        if says in (was, now):
            continue
        if now != was:
            stays[key], told_there[key] = now or "", says or ""
        elif says is None:
            del made[key]
        else:
            made[key] = says
    return tuple(made.items()), tuple(stays.items()), tuple(told_there.items())


def ordered(sheet: ProductSheet) -> ProductSheet:
    """The sheet with its parts in the order in which the database gives them back: nothing differs by its order alone."""
    return replace(
        sheet,
        sponsors=tuple(sorted(set(sheet.sponsors))),
        qualities=tuple(sorted(dict(sheet.qualities).items())),
        stakes=tuple(sorted(dict(sheet.stakes).items())),
        events=tuple(sorted(sheet.events, key=event_order)),
    )


def event_order(event: Event) -> tuple[Any, ...]:
    """Events in the order of their days, the same on every database."""
    return (event.day, event.kind, event.comment, event.link, event.origin)


def changed(sheet: ProductSheet, changes: Mapping[str, Any]) -> ProductSheet:
    """The sheet with some fields otherwise."""
    return ordered(replace(sheet, **changes))
