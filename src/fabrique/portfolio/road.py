"""A product's road for its reader: each phase of the road in its place, with the stays that were, are, or are planned. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fabrique.language import n_
from fabrique.portfolio.rules import ACTIVE, FINAL, ROAD, Mark, stay_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from fabrique.portfolio.rules import Stage, Stay


class Place(StrEnum):
    """Where a phase stands for a product."""

    PAST = "past"
    NOW = "now"
    PLANNED = "planned"
    AHEAD = "ahead"
    PASSED_OVER = "passed_over"
    """Never entered, although the product is further or has left the road."""


PLACE_LABELS = {
    Place.PAST: n_("passed"),
    Place.NOW: n_("present phase"),
    Place.PLANNED: n_("planned"),
    Place.AHEAD: n_("ahead"),
    Place.PASSED_OVER: n_("not gone through"),
}


@dataclass(frozen=True, slots=True)
class Leg:
    """A stay as its reader sees it: how many days it lasted, or has lasted so far; None where it is only planned."""

    stay: Stay
    days: int | None

    @property
    def is_estimated(self) -> bool:
        """Whether its first day is no more than a guess."""
        return self.stay.mark is Mark.ESTIMATED


@dataclass(frozen=True, slots=True)
class Step:
    """A phase of the road with the stays in it: several where the product came back to it."""

    stage: Stage
    place: Place
    legs: tuple[Leg, ...]

    @property
    def label(self) -> str:
        """The place's msgid."""
        return PLACE_LABELS[self.place]


def road_of(stays: Sequence[Stay], today: date) -> tuple[Step, ...]:
    """The four phases of the road, then the end where the product has one or one is planned. Empty where no phase is told."""
    if not stays:
        return ()
    now = stay_on(stays, today)
    furthest = max((ROAD[stay.stage] for stay in stays if stay.start <= today), default=-1)
    ends = [stage for stage in ROAD if stage in FINAL and any(stay.stage is stage for stay in stays)]
    return tuple(
        Step(stage, place_of(stage, stays, now, furthest, today), legs_of(stage, stays, today)) for stage in (*ACTIVE, *ends)
    )


def place_of(stage: Stage, stays: Sequence[Stay], now: Stay | None, furthest: int, today: date) -> Place:
    """Where a phase stands."""
    if now is not None and now.stage is stage:
        return Place.NOW
    mine = [stay for stay in stays if stay.stage is stage]
    if any(stay.start <= today for stay in mine):
        return Place.PAST
    if mine:
        return Place.PLANNED
    return Place.PASSED_OVER if ROAD[stage] < furthest else Place.AHEAD


def legs_of(stage: Stage, stays: Sequence[Stay], today: date) -> tuple[Leg, ...]:
    """The stays in a phase, oldest first."""
    return tuple(
        Leg(stay, (min(stay.end or today, today) - stay.start).days if stay.start <= today else None)
        for stay in stays
        if stay.stage is stage
    )
