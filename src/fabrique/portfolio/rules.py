"""Stages and stays: which stage a product is in, which may follow, and how dated phases become stays without overlap or gap."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from fabrique.language import Problem, n_

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


class StaysInvalid(Problem):
    """Stays overlap, leave a gap, begin in the future, or say a stage twice in a row."""


class StageNotReachable(Problem):
    """A product cannot enter that stage on that day."""


class Stage(StrEnum):
    """Where a product stands on its road."""

    INVESTIGATION = "investigation"
    EXPERIMENTATION = "experimentation"
    SCALE_UP = "scale_up"
    CONSOLIDATION = "consolidation"
    OPERATED = "operated"
    TRANSFERRED = "transferred"
    INCONCLUSIVE = "inconclusive"
    STOPPED = "stopped"


STAGE_LABELS = {
    Stage.INVESTIGATION: n_("Investigation"),
    Stage.EXPERIMENTATION: n_("Experimentation"),
    Stage.SCALE_UP: n_("Scale-up"),
    Stage.CONSOLIDATION: n_("Consolidation"),
    Stage.OPERATED: n_("Operated"),
    Stage.TRANSFERRED: n_("Transferred"),
    Stage.INCONCLUSIVE: n_("Inconclusive"),
    Stage.STOPPED: n_("Stopped"),
}
ACTIVE = (Stage.INVESTIGATION, Stage.EXPERIMENTATION, Stage.SCALE_UP, Stage.CONSOLIDATION)
FINAL = frozenset(set(Stage) - set(ACTIVE))
ROAD = {stage: place for place, stage in enumerate(Stage)}


class Origin(StrEnum):
    """Who says so."""

    IMPORT = "import"
    DEMONSTRATION = "demonstration"
    CREATION = "creation"
    REVIEW = "review"
    CORRECTION = "correction"
    PERSON = "person"


ORIGIN_LABELS = {
    Origin.IMPORT: n_("imported"),
    Origin.DEMONSTRATION: n_("demonstration"),
    Origin.CREATION: n_("at its creation"),
    Origin.REVIEW: n_("decided by a gate review"),
    Origin.CORRECTION: n_("corrected by hand"),
    Origin.PERSON: n_("written by hand"),
}


class Mark(StrEnum):
    """How sure a date is."""

    KNOWN = "known"
    ESTIMATED = "estimated"


MARK_LABELS = {Mark.KNOWN: n_("known date"), Mark.ESTIMATED: n_("estimated date")}
EVENT_LABELS = {
    "product_launch": n_("Launch"),
    "committee": n_("Committee"),
    "fast": n_("FAST fund"),
    "national_impact": n_("National impact"),
    "release": n_("Release"),
    "campaign": n_("Campaign"),
    "incident": n_("Incident"),
    "eig": n_("Public interest entrepreneurs"),
    "end": n_("End"),
    "other": n_("Event"),
}
"""What happens to products, by kind; an import may tell others, shown as events."""
RESERVED_SLUGS = frozenset({"parcours", "nouveau", "vues", "calendrier", "importer", "export", "tableau"})
"""Addresses below /produits that are pages of their own."""
SLUG = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase as a product sheet tells it."""

    stage: Stage
    start: date
    end: date | None = None
    mark: Mark = Mark.KNOWN


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in a stage: from its first day to the first day of the next stay."""

    stage: Stage
    start: date
    end: date | None
    mark: Mark = Mark.KNOWN
    """Whether the first day is known or estimated."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that a sheet said and that was put right: what was read, and what was kept."""

    value: str
    reason: str
    kept: str


def stays_from(phases: Sequence[Phase]) -> tuple[list[Stay], list[Repair]]:
    """Stays in order, without overlap or gap, at most the last one open; and every repair that took.

    Two phases that start the same day follow each other along the road: the first one's stay is empty. A first day on which the
    sheet contradicts itself (two phases that day, or another end told for the phase before) is marked as estimated. A phase that
    ends on the eve of the next contradicts nothing: many sheets write the last day.
    """
    if not phases:
        return [], []
    repairs: list[Repair] = []
    ordered = sorted(phases, key=lambda phase: (phase.start, ROAD[phase.stage]))
    if [phase.start for phase in phases] != [phase.start for phase in ordered]:
        repairs.append(Repair(_told(phases), n_("the phases are not in the order of their dates"), _told(ordered)))
    merged: list[Phase] = []
    for phase in ordered:
        if merged and merged[-1].stage is phase.stage:
            repairs.append(Repair(_told([phase]), n_("the same phase twice in a row"), _told(merged[-1:])))
            continue
        if merged and merged[-1].start == phase.start:
            repairs.append(
                Repair(
                    _told([merged[-1], phase]),
                    n_("two phases start the same day"),
                    _told([merged[-1], phase]),
                )
            )
        merged.append(phase)
    doubtful = {
        after.start
        for before, after in pairwise(merged)
        if before.start == after.start or before.end not in (None, after.start, after.start - timedelta(days=1))
    }
    stays = [
        Stay(
            phase.stage,
            phase.start,
            following.start if following else None,
            Mark.ESTIMATED if phase.start in doubtful else phase.mark,
        )
        for phase, following in zip(merged, [*merged[1:], None], strict=True)
    ]
    for phase, stay in zip(merged, stays, strict=True):
        if phase.end is not None and phase.end != stay.end:
            repairs.append(_end_repair(phase, stay))
    return stays, repairs


def _end_repair(phase: Phase, stay: Stay) -> Repair:
    read = f"{phase.stage} → {phase.end}"
    if stay.end is None:
        return Repair(read, n_("the last phase ends and none follows: it is kept open"), str(stay.stage))
    return Repair(read, n_("the phase's end is not the next one's start"), f"{stay.stage} → {stay.end}")


def _told(phases: Sequence[Phase]) -> str:
    return ", ".join(f"{phase.stage} {phase.start}" for phase in phases)


def stay_on(stays: Sequence[Stay], day: date) -> Stay | None:
    """The stay that a day falls in: the last one begun by then. None before the first."""
    begun = [stay for stay in stays if stay.start <= day]
    return begun[-1] if begun else None


def require_stays(stays: Sequence[Stay], today: date) -> None:
    """Raise StaysInvalid, saying which, unless the stays follow each other without overlap or gap up to one that is open.

    Stays may be empty (a phase passed the day it began). Nothing begins after today: what is planned is not a stay.
    """
    if not stays:
        return
    for before, after in pairwise(stays):
        if before.start > after.start:
            raise StaysInvalid(
                n_(
                    "A phase that begins on %(before)s cannot come before one that begins on %(after)s: phases follow each other."
                ),
                before=before.start,
                after=after.start,
            )
        if before.end != after.start:
            raise StaysInvalid(n_("A phase ends on the day the next one begins: no overlap, no gap."))
        if before.stage is after.stage:
            raise StaysInvalid(n_("The same phase stands twice in a row; take one of the two away."))
    if stays[-1].end is not None:
        raise StaysInvalid(n_("The last phase stays open: a product is always somewhere."))
    if stays[-1].start > today:
        raise StaysInvalid(n_("A phase begins on %(day)s, which is still to come."), day=stays[-1].start)


def joined(starts: Sequence[tuple[Stage, date, Mark]]) -> tuple[Stay, ...]:
    """Stays given by their first days, each ending where the next begins."""
    return tuple(
        Stay(stage, start, following[1] if following else None, mark)
        for (stage, start, mark), following in zip(starts, [*starts[1:], None][: len(starts)], strict=True)
    )


def with_planned(starts: Sequence[tuple[Stage, date, Mark]], planned: Sequence[Stay]) -> tuple[Stay, ...]:
    """Those stays, then those that are planned; a plan to enter the stage that the product is in now is dropped."""
    later = [(stay.stage, stay.start, stay.mark) for stay in planned]
    if starts and later and later[0][0] is starts[-1][0]:
        later = later[1:]
    return joined([*starts, *later])


def entered(stays: Sequence[Stay], stage: Stage, day: date, today: date) -> tuple[Stay, ...]:
    """The stays once a product has entered a stage on a day. Raises StageNotReachable.

    Planned phases (an import may tell some) give way: what was decided counts.
    """
    begun = [stay for stay in stays if stay.start <= today]
    if day > today:
        raise StageNotReachable(n_("%(day)s is still to come: a phase begins on the day of the decision."), day=day)
    if begun:
        last = begun[-1]
        if last.stage in FINAL:
            raise StageNotReachable(n_("The product has left the road; reopen it by a correction of its phases, with a reason."))
        if day < last.start:
            raise StageNotReachable(
                n_("The present phase began on %(start)s; the next cannot begin on %(day)s, before it."),
                start=last.start,
                day=day,
            )
        if last.stage is stage:
            raise StageNotReachable(n_("The product is in that phase already."))
        begun[-1] = replace(last, end=day)
    return (*begun, Stay(stage, day, None))
