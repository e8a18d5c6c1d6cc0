"""Which way products go, how long they stay, what ends them: pure rules over the stays of many products.

Everything is told as known on a day: what is planned for later has not begun, and a stay that ends by passing into a phase of the
future is still going.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from fabrique.portfolio.rules import ACTIVE, FINAL, ROAD, Mark, Stage
from fabrique.stats.proportions import wilson_interval
from fabrique.stats.survival import kaplan_meier, log_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from fabrique.portfolio.rules import Stay
    from fabrique.stats.interval import Interval
    from fabrique.stats.survival import LogRank, Survival

FEWEST = 5
"""Stays below which no curve is drawn: each would weigh a fifth and more."""
FEWEST_COMPARED = 10
"""Stays that a group needs for a curve of its own beside others."""
MOST_GROUPS = 5
ENDS = (Stage.TRANSFERRED, Stage.OPERATED, Stage.INCONCLUSIVE, Stage.STOPPED)
"""The final stages in the order in which pages tell them: what lives on first."""


@dataclass(frozen=True, slots=True)
class Journey:
    """A product's road as known on a day: its stays begun by then (one at least), the last one still going."""

    product_id: int
    incubator: str
    stays: tuple[Stay, ...]

    @property
    def entry(self) -> int:
        """The year in which it began: its cohort."""
        return self.stays[0].start.year

    @property
    def current(self) -> Stage:
        """Where it stands."""
        return self.stays[-1].stage

    @property
    def furthest(self) -> Stage:
        """The most advanced active stage it has entered; the first one where only an end is told of it."""
        return max((stay.stage for stay in self.stays if stay.stage in ACTIVE), key=ROAD.__getitem__, default=ACTIVE[0])


def journey(product_id: int, incubator: str, stays: Sequence[Stay], today: date) -> Journey | None:
    """The road so far; None where nothing has begun yet.

    A last stay with an end and nothing after it counts as going on: a product is always somewhere.
    """
    begun = [stay for stay in stays if stay.start <= today]
    if not begun:
        return None
    return Journey(product_id, incubator, (*begun[:-1], replace(begun[-1], end=None)))


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long the stays in a stage lasted, or have lasted so far. One place in `days` and `ended` each a stay.

    same_day: how many began and ended on one day; estimated: how many begin or end on a date that is estimated.
    """

    days: tuple[int, ...]
    ended: tuple[bool, ...]
    same_day: int
    estimated: int

    @property
    def number(self) -> int:
        """How many stays."""
        return len(self.days)

    @property
    def over(self) -> int:
        """How many have ended."""
        return sum(self.ended)

    @property
    def finished_median(self) -> float | None:
        """The median of the finished stays alone: too short while long ones are still going. Told to warn of it."""
        finished = [days for days, ended in zip(self.days, self.ended, strict=True) if ended]
        return median(finished) if finished else None

    @property
    def curve(self) -> Survival | None:
        """The share still going as time passes; None with too few stays."""
        return kaplan_meier(self.days, self.ended) if self.number >= FEWEST else None


def lengths(journeys: Iterable[Journey], stage: Stage, today: date) -> Lengths:
    """Days from the first day of each stay in a stage to its end, or to today where it is still going.

    A product that came back has several. A stay that ended the day it began counts 0 days: that is what was told.
    """
    days, ended, estimated = [], [], 0
    for one in journeys:
        for stay, after in zip(one.stays, [*one.stays[1:], None], strict=True):
            if stay.stage is stage:
                days.append(((stay.end or today) - stay.start).days)
                ended.append(stay.end is not None)
                estimated += Mark.ESTIMATED in {stay.mark, after.mark if after else stay.mark}
    same_day = sum(over and length == 0 for length, over in zip(days, ended, strict=True))
    return Lengths(tuple(days), tuple(ended), same_day, estimated)


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the funnel. reached: products that have entered it or a later one; further: those that have entered a later one;
    going: of the others, those still on the road today; ends: of the others, those that have left it, by final stage.

    reached = further + going + all ends, always.
    """

    stage: Stage
    reached: int
    further: int
    going: int
    ends: dict[Stage, int]


@dataclass(frozen=True, slots=True)
class Funnel:
    """How far products went, each counted once at the furthest stage it has entered.

    began: all of them; only_end: those of which nothing but an end is told (they count at the first step).
    """

    began: int
    only_end: int
    steps: tuple[Step, ...]

    @property
    def going(self) -> int:
        """How many are on the road today."""
        return sum(step.going for step in self.steps)

    def ended(self, stage: Stage) -> int:
        """How many stand in that final stage today."""
        return sum(step.ends[stage] for step in self.steps)


def funnel(journeys: Sequence[Journey]) -> Funnel:
    """Of those that began, how many went as far as each stage, and what became of the others.

    A product that skipped a stage has gone past it; one that stepped back has still been further.
    """
    places: dict[Stage, Counter[Stage | None]] = defaultdict(Counter)
    for one in journeys:
        places[one.furthest][one.current if one.current in FINAL else None] += 1
    reached = len(journeys)
    steps = []
    for stage in ACTIVE:
        here = places[stage]
        further = reached - here.total()
        steps.append(Step(stage, reached, further, here[None], {end: here[end] for end in ENDS}))
        reached = further
    only_end = sum(all(stay.stage in FINAL for stay in one.stays) for one in journeys)
    return Funnel(len(journeys), only_end, tuple(steps))


def by_entry(journeys: Iterable[Journey]) -> dict[int, list[Journey]]:
    """The cohorts, newest first."""
    found: dict[int, list[Journey]] = defaultdict(list)
    for one in journeys:
        found[one.entry].append(one)
    return dict(sorted(found.items(), reverse=True))


@dataclass(frozen=True, slots=True)
class Flow:
    """Passages from a stage to another. departures: all those from that stage; median_days: spent there before, by those that passed;
    back: to an earlier stage, or out of a final one.
    """

    origin: Stage
    to: Stage
    number: int
    departures: int
    median_days: float
    back: bool


def flows(journeys: Iterable[Journey]) -> list[Flow]:
    """Every passage that has taken place, along the road, the most frequent first from each stage."""
    spent: dict[tuple[Stage, Stage], list[int]] = defaultdict(list)
    for one in journeys:
        for before, after in pairwise(one.stays):
            spent[before.stage, after.stage].append((after.start - before.start).days)
    departures = Counter[Stage]()
    for (origin, _to), days in spent.items():
        departures[origin] += len(days)
    found = [
        Flow(origin, to, len(days), departures[origin], median(days), back=steps_back(origin, to))
        for (origin, to), days in spent.items()
    ]
    return sorted(found, key=lambda flow: (ROAD[flow.origin], -flow.number, ROAD[flow.to]))


def steps_back(origin: Stage, to: Stage) -> bool:
    """Whether a passage goes against the road: to an earlier stage, or out of a final one back onto it."""
    return to in ACTIVE and ROAD[to] < ROAD[origin]


@dataclass(frozen=True, slots=True)
class Ending:
    """Products that stand in a final stage, by the last active stage before it (None where none is told).

    total: all those that have ended; share: number of total, with its interval; median_age: days from their beginning to that end.
    """

    origin: Stage | None
    end: Stage
    number: int
    total: int
    share: Interval
    median_age: float | None


def endings(journeys: Iterable[Journey]) -> list[Ending]:
    """What ended products, the most frequent first. One that was reopened has not ended; one that ended twice counts as it stands."""
    ages: dict[tuple[Stage | None, Stage], list[int]] = defaultdict(list)
    for one in journeys:
        if one.current in FINAL:
            origin = next((stay.stage for stay in reversed(one.stays) if stay.stage in ACTIVE), None)
            ages[origin, one.current].append((one.stays[-1].start - one.stays[0].start).days)
    total = sum(len(days) for days in ages.values())
    found = [
        Ending(origin, end, len(days), total, wilson_interval(len(days), total), median(days) if origin else None)
        for (origin, end), days in ages.items()
    ]
    return sorted(found, key=lambda one: (-one.number, ROAD[one.origin] if one.origin else -1, ROAD[one.end]))


@dataclass(frozen=True, slots=True)
class Group:
    """Products compared as one, under a key of their own. kind: one (an incubator, a year), rest or earlier."""

    kind: str
    key: str
    lengths: Lengths


@dataclass(frozen=True, slots=True)
class Comparison:
    """Curves side by side. left_out: stays in groups too small for a curve; test: whether the curves differ at all."""

    groups: tuple[Group, ...]
    left_out: int
    test: LogRank | None


def compare_incubators(journeys: Sequence[Journey], stage: Stage, today: date) -> Comparison:
    """The incubators with most stays, at most five; all others together."""
    parts = lengths_by(journeys, lambda one: one.incubator, stage, today)
    named = sorted((key for key in parts if key), key=lambda key: (-parts[key].number, key))
    chosen = [key for key in named if parts[key].number >= FEWEST_COMPARED][:MOST_GROUPS]
    rest = together(part for key, part in parts.items() if key not in chosen)
    return compared([*(Group("one", key, parts[key]) for key in chosen), Group("rest", "", rest)])


def compare_entries(journeys: Sequence[Journey], stage: Stage, today: date) -> Comparison:
    """The latest entry years with enough stays, one curve each; all years before them together."""
    parts = lengths_by(journeys, lambda one: f"{one.entry:04}", stage, today)
    enough = sorted(key for key in parts if parts[key].number >= FEWEST_COMPARED)
    chosen = enough if len(enough) <= MOST_GROUPS else enough[1 - MOST_GROUPS :]
    before = [part for key, part in parts.items() if chosen and key < chosen[0]]
    between = [part for key, part in parts.items() if key not in chosen and not (chosen and key < chosen[0])]
    groups = [Group("one", key, parts[key]) for key in chosen]
    if before:
        groups.insert(0, Group("earlier", str(int(chosen[0]) - 1), together(before)))
    return compared(groups, left_out=together(between).number)


def lengths_by(journeys: Iterable[Journey], key: Callable[[Journey], str], stage: Stage, today: date) -> dict[str, Lengths]:
    """The lengths of stays, by some property of their product."""
    members: dict[str, list[Journey]] = defaultdict(list)
    for one in journeys:
        members[key(one)].append(one)
    return {name: lengths(some, stage, today) for name, some in members.items()}


def together(parts: Iterable[Lengths]) -> Lengths:
    """Several groups' stays as one group's."""
    listed = list(parts)
    return Lengths(
        tuple(days for part in listed for days in part.days),
        tuple(ended for part in listed for ended in part.ended),
        sum(part.same_day for part in listed),
        sum(part.estimated for part in listed),
    )


def compared(groups: Sequence[Group], left_out: int = 0) -> Comparison:
    """The groups that have enough stays, tested against one another where they are two or more."""
    kept = tuple(group for group in groups if group.lengths.number >= FEWEST_COMPARED)
    left_out += sum(group.lengths.number for group in groups if group not in kept)
    if len(kept) < 2:  # noqa: PLR2004 - one group has nothing to be compared with
        return Comparison(kept, left_out, None)
    whole = together(group.lengths for group in kept)
    member = [place for place, group in enumerate(kept) for _ in group.lengths.days]
    return Comparison(kept, left_out, log_rank(whole.days, whole.ended, member))
