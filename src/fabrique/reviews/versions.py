"""A gate's criteria from one version to the next: what is wrong with what somebody writes, and what it changes. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from fabrique.language import Problem, _, current, folded, n_, slug_from
from fabrique.portfolio.checking import Fault
from fabrique.reviews.defaults import DRAW_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fabrique.portfolio.rules import Stage
    from fabrique.reviews.defaults import Draw

LONGEST_KEY, LONGEST_LABEL, LONGEST_HELP, LONGEST_NOTE, MOST_CRITERIA = 60, 300, 2_000, 1_000, 40
KEY = re.compile(r"[a-z0-9_]{1,60}")
TEXTS = ("label_fr", "label_en", "help_fr", "help_en")
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
FIELD_LABELS = {
    "label_fr": n_("Question in French"),
    "label_en": n_("Question in English"),
    "help_fr": n_("Help in French"),
    "help_en": n_("Help in English"),
    "draws": n_("Evidence laid beside it"),
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """A question of a gate."""

    key: str
    label_fr: str
    label_en: str
    help_fr: str
    help_en: str
    draws: tuple[Draw, ...]

    @property
    def label(self) -> str:
        """In the language in force."""
        return self.label_fr if current.get() == "fr" else self.label_en

    @property
    def help(self) -> str:
        """In the language in force."""
        return self.help_fr if current.get() == "fr" else self.help_en


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """One version of a gate's criteria."""

    id: int
    gate: Stage
    version: int
    created_at: datetime
    person: str
    note: str
    criteria: tuple[Criterion, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The criteria's keys, in order."""
        return tuple(one.key for one in self.criteria)


class CriteriaInvalid(Problem):
    """Some criteria cannot be kept as written. A fault's field is “note”, “criteria”, or a place and a field: “3.label_fr”."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__(n_("The criteria cannot be saved as they are: see the fields below."))
        self.faults = tuple(faults)


def criteria_faults(criteria: Sequence[Criterion], note: str) -> list[Fault]:
    """What is wrong, in the form's order."""
    return [*set_faults(criteria), *(fault for place, one in enumerate(criteria) for fault in text_faults(place, one)),
            *twin_faults(criteria), *note_faults(note)]  # fmt: skip


def set_faults(criteria: Sequence[Criterion]) -> Iterator[Fault]:
    """A gate asks something, and no more than a committee can answer."""
    if not criteria:
        yield Fault("criteria", n_("A gate without any criterion decides on nothing: keep at least one."))
    if len(criteria) > MOST_CRITERIA:
        yield Fault("criteria", n_("No committee answers more than %(most)s criteria."), (("most", MOST_CRITERIA),))
    if any(not KEY.fullmatch(one.key) for one in criteria) or len({one.key for one in criteria}) < len(criteria):
        yield Fault("criteria", n_("Two criteria carry the same key: reload the page and write the change again."))


def text_faults(place: int, one: Criterion) -> Iterator[Fault]:
    """A question in both languages, of a length that a form can show."""
    for name in ("label_fr", "label_en"):
        if not getattr(one, name):
            yield Fault(f"{place}.{name}", n_("Write the question in both languages."))
    for name in TEXTS:
        longest = LONGEST_LABEL if name.startswith("label") else LONGEST_HELP
        if len(getattr(one, name)) > longest:
            yield Fault(f"{place}.{name}", n_("Keep within %(longest)s characters."), (("longest", longest),))


def twin_faults(criteria: Sequence[Criterion]) -> Iterator[Fault]:
    """The same question does not stand twice."""
    for name in ("label_fr", "label_en"):
        counted = Counter(folded(getattr(one, name)) for one in criteria)
        for place, one in enumerate(criteria):
            if getattr(one, name) and counted[folded(getattr(one, name))] > 1:
                yield Fault(f"{place}.{name}", n_("This question stands twice."))


def note_faults(note: str) -> Iterator[Fault]:
    """A change says why."""
    if not note:
        yield Fault("note", n_("Say why the criteria change: the reason is kept with the version."))
    if len(note) > LONGEST_NOTE:
        yield Fault("note", n_("Keep within %(longest)s characters."), (("longest", LONGEST_NOTE),))


def tidied(criteria: Iterable[Criterion]) -> list[Criterion]:
    """Texts on one line and trimmed (helps keep their lines), and a key for each new criterion, made of its English question."""
    made: list[Criterion] = []
    trimmed = [in_order(one, {name: plain(getattr(one, name), name) for name in TEXTS}) for one in criteria]
    taken = {one.key for one in trimmed if one.key}
    for one in trimmed:
        made.append(one if one.key else replace(one, key=new_key(one, taken)))
        taken.add(made[-1].key)
    return made


def in_order(one: Criterion, texts: Mapping[str, str]) -> Criterion:
    """The criterion with those texts, and its evidence in the order that forms show it."""
    changed: dict[str, Any] = {**texts, "draws": tuple(draw for draw in DRAW_LABELS if draw in one.draws)}
    return replace(one, **changed)


def plain(text: str, name: str) -> str:
    """A text as it is kept: a question on one line, a help on as many as it has, neither with what no page can show."""
    text = UNPRINTABLE.sub("", text.replace("\r\n", "\n"))
    return (re.sub(r"[\n\t]+", " ", text) if name.startswith("label") else text).strip()


def new_key(one: Criterion, taken: set[str]) -> str:
    """A key that no other criterion of the gate has."""
    base = slug_from(one.label_en or one.label_fr, LONGEST_KEY - 4).replace("-", "_") or "criterion"
    return next(key for key in (base, *(f"{base}_{number}" for number in range(2, MOST_CRITERIA * 3))) if key not in taken)


class Kind(StrEnum):
    """What became of a criterion."""

    ADDED = "added"
    WITHDRAWN = "withdrawn"
    REWRITTEN = "rewritten"
    MOVED = "moved"


KIND_LABELS = {
    Kind.ADDED: n_("Added"),
    Kind.WITHDRAWN: n_("Withdrawn"),
    Kind.REWRITTEN: n_("Rewritten"),
    Kind.MOVED: n_("Moved"),
}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field before and after, as texts."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one criterion between two versions. criterion: as it stands after, or stood before where it is withdrawn."""

    kind: Kind
    criterion: Criterion
    fields: tuple[FieldChange, ...] = ()


def changes(before: Sequence[Criterion], after: Sequence[Criterion]) -> list[Change]:
    """What changed, in the order of the later version; what was withdrawn comes last."""
    known, kept = {one.key: one for one in before}, {one.key for one in after}
    moved = moved_keys([one.key for one in before if one.key in kept], [one.key for one in after if one.key in known])
    found: list[Change] = []
    for one in after:
        former = known.get(one.key)
        if former is None:
            found.append(Change(Kind.ADDED, one))
        elif fields := tuple(field_changes(former, one)):
            found.append(Change(Kind.REWRITTEN, one, fields))
        elif one.key in moved:
            found.append(Change(Kind.MOVED, one))
    return [*found, *(Change(Kind.WITHDRAWN, one) for one in before if one.key not in kept)]


def field_changes(before: Criterion, after: Criterion) -> Iterator[FieldChange]:
    """The fields of a criterion that differ."""
    for name in TEXTS:
        if getattr(before, name) != getattr(after, name):
            yield FieldChange(FIELD_LABELS[name], getattr(before, name), getattr(after, name))
    if set(before.draws) != set(after.draws):
        yield FieldChange(FIELD_LABELS["draws"], drawn(before), drawn(after))


def drawn(one: Criterion) -> str:
    """The evidence laid beside a criterion, in words."""
    return ", ".join(_(DRAW_LABELS[draw]) for draw in DRAW_LABELS if draw in one.draws)


def moved_keys(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The fewest keys whose move tells how one order became the other: those outside the longest run that kept its order."""
    place = {key: number for number, key in enumerate(before)}
    longest: list[str] = []
    runs: list[list[str]] = []
    for key in after:
        before_it = [run for run in runs if place[run[-1]] < place[key]]
        runs.append([*max(before_it, key=len), key] if before_it else [key])
        longest = max(longest, runs[-1], key=len)
    return set(after) - set(longest)


def merged(base: Criterion, theirs: Criterion, mine: Criterion) -> Criterion:
    """A criterion that two people rewrote at once: mine where I changed it, else theirs."""
    names = [*TEXTS, "draws"]
    taken: dict[str, Any] = {name: getattr(theirs, name) for name in names if getattr(mine, name) == getattr(base, name)}
    return replace(mine, **taken)
