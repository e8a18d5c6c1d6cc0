"""Stages and stays: which stage a product is in, and how dated phases become stays without overlap or gap."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fabrique.language import n_

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


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


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase as a product sheet tells it."""

    stage: Stage
    start: date
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in a stage: from its first day to the first day of the next stay."""

    stage: Stage
    start: date
    end: date | None


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that a sheet said and that was put right: what was read, and what was kept."""

    value: str
    reason: str
    kept: str


def stays_from(phases: Sequence[Phase]) -> tuple[list[Stay], list[Repair]]:
    """Stays in order, without overlap or gap, at most the last one open; and every repair that took.

    Two phases that start the same day follow each other along the road: the first one's stay is empty.
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
    stays = [
        Stay(phase.stage, phase.start, following.start if following else None)
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
