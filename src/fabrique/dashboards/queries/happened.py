"""What happened to a product, told in one list: its phases, its reviews, its events, its trials, what moved for its users."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.clock import PARIS
from fabrique.experiments.model import ExperimentDecisionRow, ExperimentRow
from fabrique.experiments.rules import CHOICE_SHORT, Choice
from fabrique.language import _, n_
from fabrique.portfolio.rules import EVENT_LABELS, ORIGIN_LABELS, STAGE_LABELS, Mark
from fabrique.quality.model import ServiceRow
from fabrique.reviews.rules import DECISION_SHORT
from fabrique.watch import explain
from fabrique.watch.model import EventRow
from fabrique.watch.rules import EVENT_KIND_LABELS
from fabrique.web.formats import day

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries import Event, StayLine
    from fabrique.quality.catalogue import Metric
    from fabrique.reviews.queries.holding import ReviewLine
    from fabrique.watch.queries import Flag


class Kind(StrEnum):
    """What sort of thing happened."""

    PHASE = "phase"
    REVIEW = "review"
    EVENT = "event"
    TRIAL = "trial"
    IMPROVEMENT = "improvement"
    REGRESSION = "regression"
    CHANGE = "change"


KIND_LABELS = {
    Kind.PHASE: n_("Phase"),
    Kind.REVIEW: n_("Gate review"),
    Kind.EVENT: n_("Event"),
    Kind.TRIAL: n_("Trial"),
    Kind.IMPROVEMENT: n_("Improvement"),
    Kind.REGRESSION: n_("Regression"),
    Kind.CHANGE: n_("Change"),
}
FLAG_KINDS = {"improvement": Kind.IMPROVEMENT, "regression": Kind.REGRESSION}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened on a day, in words."""

    day: date
    kind: Kind
    text: str
    comment: str = ""
    link: str = ""
    is_estimated: bool = False
    is_ahead: bool = False
    """Told for a day that is still to come."""

    @property
    def label(self) -> str:
        """The kind's msgid."""
        return KIND_LABELS[self.kind]


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a product's past, read beforehand."""

    stays: Sequence[StayLine]
    events: Sequence[Event]
    reviews: Sequence[ReviewLine]
    flags: Sequence[Flag]


def happened(session: Session, product_id: int, slug: str, told: Told, known: dict[str, Metric], today: date) -> list[Moment]:
    """Everything, the latest first. Two things of one day stand in the order of their kinds."""
    moments = [
        *phases(slug, told.stays, today),
        *reviews(slug, told.reviews, {line.review_id for line in told.stays}),
        *events(told.events, today),
        *service_events(session, product_id, today),
        *trials(session, product_id),
        *changes(told.flags, known),
    ]
    order = {kind: place for place, kind in enumerate(Kind)}
    return sorted(moments, key=lambda one: (-one.day.toordinal(), order[one.kind], one.text))


def phases(slug: str, lines: Iterable[StayLine], today: date) -> Iterator[Moment]:
    """Each phase on its first day, with who says so, and the way to the review that decided it."""
    for line in lines:
        yield Moment(
            line.stay.start,
            Kind.PHASE,
            _("Enters “%(stage)s”", stage=_(STAGE_LABELS[line.stay.stage])),
            _(ORIGIN_LABELS[line.origin]),
            f"/produits/{slug}/revues/{line.review_id}" if line.review_id else "",
            is_estimated=line.stay.mark is Mark.ESTIMATED,
            is_ahead=line.stay.start > today,
        )


def reviews(slug: str, lines: Iterable[ReviewLine], told: Collection[int | None]) -> Iterator[Moment]:
    """Each signed review with its decision, but for those that a phase tells already."""
    for line in lines:
        if line.held_on is None or line.decision is None or line.id in told:
            continue
        decision = _(DECISION_SHORT[line.decision]).lower()
        if line.continue_until is not None:
            decision = _("%(decision)s until %(day)s", decision=decision, day=day(line.continue_until))
        text = _("Review out of “%(stage)s”: %(decision)s", stage=_(STAGE_LABELS[line.from_stage]), decision=decision)
        yield Moment(line.held_on, Kind.REVIEW, text, link=f"/produits/{slug}/revues/{line.id}")


def events(found: Iterable[Event], today: date) -> Iterator[Moment]:
    """Each event; a kind that nobody here knows is an event all the same."""
    for event in found:
        label = _(EVENT_LABELS.get(event.kind, EVENT_LABELS["other"]))
        yield Moment(event.day, Kind.EVENT, label, event.comment, event.link, is_ahead=event.day > today)


def service_events(session: Session, product_id: int, today: date) -> Iterator[Moment]:
    """What happened to one of its services, named."""
    rows = session.execute(
        sa.select(EventRow.kind, EventRow.day, EventRow.title, ServiceRow.slug, ServiceRow.name)
        .join(ServiceRow, ServiceRow.id == EventRow.service_id)
        .where(ServiceRow.product_id == product_id)
    )
    for row in rows:
        label = _(EVENT_KIND_LABELS.get(row.kind, EVENT_KIND_LABELS["other"]))
        comment = f"{row.title} ({row.name})" if row.title else row.name
        yield Moment(row.day, Kind.EVENT, label, comment, f"/services/{row.slug}", is_ahead=row.day > today)


def trials(session: Session, product_id: int) -> Iterator[Moment]:
    """Each decision on one of its trials."""
    rows = session.execute(
        sa.select(ExperimentDecisionRow.at, ExperimentDecisionRow.choice, ExperimentRow.slug, ExperimentRow.title)
        .join(ExperimentRow, ExperimentRow.id == ExperimentDecisionRow.experiment_id)
        .where(ExperimentRow.product_id == product_id)
    )
    for row in rows:
        text = _("“%(trial)s”: %(choice)s", trial=row.title, choice=_(CHOICE_SHORT[Choice(row.choice)]).lower())
        yield Moment(row.at.astimezone(PARIS).date(), Kind.TRIAL, text, link=f"/essais/{row.slug}")


def changes(flags: Iterable[Flag], known: dict[str, Metric]) -> Iterator[Moment]:
    """Each change of its users' experience that is told."""
    for flag in flags:
        text = explain.sentence(flag, known[flag.metric_key])
        yield Moment(flag.start, FLAG_KINDS.get(flag.direction, Kind.CHANGE), text, link=f"/signalements/{flag.id}")
