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


FIELD_LABELS = {
    "name": n_("Name"),
    "incubator": n_("Incubator"),
    "sponsors": n_("Sponsors"),
    "website": n_("Site"),
    "repository": n_("Source code"),
    "statistics_url": n_("Statistics"),
    "impact_url": n_("Impact"),
    "budget_url": n_("Budget page"),
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
TEXTS = frozenset(
    {"name", "incubator", "website", "repository", "statistics_url", "impact_url", "budget_url", "accessibility", "mission", "pitch"}
)  # fmt: skip
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
class Merged:
    """An import brought together with what people did here: the sheet that results, and the fields where theirs was kept."""

    sheet: ProductSheet
    kept: tuple[Difference, ...]
    """What the import would have said (after) and what stays as it is here (before)."""


def merge(base: ProductSheet, current: ProductSheet, telling: ProductSheet) -> Merged:
    """What an import changes: what it tells otherwise than it told last time (`base`), except where people changed the same here.

    Lists whose items stand alone take both sides' changes. A phase, a name, a link that was changed on both sides keeps what
    was decided here, and that is said: an import never undoes a review or a correction.
    """
    changes: dict[str, Any] = {}
    kept = []
    for name in FIELD_LABELS:
        before, here, there = getattr(base, name), getattr(current, name), getattr(telling, name)
        if there in (before, here):
            continue
        if here == before:
            changes[name] = there
        elif name in SETS:
            changes[name] = _both(before, here, there, name)
        else:
            kept.append(Difference(name, told(current, name), told(telling, name)))
    return Merged(replace(current, **changes), tuple(kept))


def _both(before: Iterable[Any], here: Iterable[Any], there: Iterable[Any], name: str) -> tuple[Any, ...]:
    """Items of here, without those that the import took back, with those that it added."""
    gone = set(before) - set(there)
    items = [one for one in here if one not in gone]
    items += [one for one in there if one not in set(before) and one not in items]
    if name == "events":
        return tuple(sorted(items, key=event_order))
    return tuple(sorted(items)) if name == "sponsors" else tuple(items)


def event_order(event: Event) -> tuple[Any, ...]:
    """Events in the order of their days, the same on every database."""
    return (event.day, event.kind, event.comment, event.link, event.origin)


def changed(sheet: ProductSheet, changes: Mapping[str, Any]) -> ProductSheet:
    """The sheet with some fields otherwise."""
    return replace(sheet, **changes)
