"""May a product enter its next stage, who may say so, what is missing, and when is it due? Pure decisions over plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from fabrique.accounts.rules import Role, coaches
from fabrique.language import _, n_
from fabrique.portfolio.rules import ACTIVE, ROAD, STAGE_LABELS, Stage
from fabrique.reviews.names import alike, is_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from fabrique.accounts.rules import Person
    from fabrique.portfolio.rules import Stay


class ReviewState(StrEnum):
    """Where a review stands."""

    PREPARING = "preparing"
    SIGNED = "signed"
    SUPERSEDED = "superseded"
    ABANDONED = "abandoned"


class Decision(StrEnum):
    """What a committee decides."""

    ADVANCE = "advance"
    CONTINUE = "continue"
    PIVOT = "pivot"
    STOP = "stop"


class Answer(StrEnum):
    """What is answered to a criterion."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    NOT_APPLICABLE = "not_applicable"


REVIEW_LABELS = {
    ReviewState.PREPARING: n_("In preparation"),
    ReviewState.SIGNED: n_("Signed"),
    ReviewState.SUPERSEDED: n_("Superseded"),
    ReviewState.ABANDONED: n_("Given up"),
}
DECISION_LABELS = {
    Decision.ADVANCE: n_("Enter the next phase"),
    Decision.CONTINUE: n_("Continue in this phase until a date"),
    Decision.PIVOT: n_("Pivot: change what is made, or go back a phase"),
    Decision.STOP: n_("Stop"),
}
DECISION_SHORT = {
    Decision.ADVANCE: n_("Next phase"),
    Decision.CONTINUE: n_("Continue"),
    Decision.PIVOT: n_("Pivot"),
    Decision.STOP: n_("Stop"),
}
ANSWER_LABELS = {
    Answer.YES: n_("Yes"),
    Answer.PARTLY: n_("Partly"),
    Answer.NO: n_("No"),
    Answer.NOT_APPLICABLE: n_("Not applicable"),
}
NEXT = {
    Stage.INVESTIGATION: (Stage.EXPERIMENTATION,),
    Stage.EXPERIMENTATION: (Stage.SCALE_UP,),
    Stage.SCALE_UP: (Stage.CONSOLIDATION, Stage.TRANSFERRED, Stage.OPERATED),
    Stage.CONSOLIDATION: (Stage.TRANSFERRED, Stage.OPERATED),
}
"""The stages that a gate opens on. Real products leave scale-up straight for an owner, without a consolidation."""
USUAL = {
    Stage.INVESTIGATION: timedelta(weeks=9),
    Stage.EXPERIMENTATION: timedelta(days=365),
    Stage.SCALE_UP: timedelta(days=3 * 365),
    Stage.CONSOLIDATION: timedelta(days=183),
}
"""The usual length of each stage, at its longest: from then on its review is due."""
SOON = timedelta(days=30)
SILENCE = timedelta(weeks=8)
"""Without any news for so long, a coach asks."""
LONGEST_CONTINUE = timedelta(days=2 * 365)
LONGEST_CONDITION = timedelta(days=5 * 365)
MOST_CONDITIONS, MOST_SEATS = 50, 50


def stop_stage(stage: Stage) -> Stage:
    """Where a product goes that is stopped: an investigation was not conclusive, anything later is stopped."""
    return Stage.INCONCLUSIVE if stage is Stage.INVESTIGATION else Stage.STOPPED


def back_stages(stage: Stage) -> tuple[Stage, ...]:
    """The stages that a pivot may go back to."""
    return tuple(one for one in ACTIVE if ROAD[one] < ROAD[stage])


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who sat. person_id: their account, None for a guest; decides: whether their voice counts."""

    name: str
    role: str = ""
    person_id: int | None = None
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """Something asked for by a day."""

    text: str
    due_on: date


@dataclass(frozen=True, slots=True)
class Answered:
    """What is answered to one criterion, by the coach who prepares, and by the team beside."""

    answer: Answer | None = None
    comment: str = ""
    team_answer: Answer | None = None
    team_comment: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided, and why."""

    decision: Decision | None = None
    next_stage: Stage | None = None
    continue_until: date | None = None
    reasons: str = ""
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A review as it is being prepared."""

    from_stage: Stage
    held_on: date | None = None
    answers: Mapping[str, Answered] = field(default_factory=dict)
    committee: tuple[Seat, ...] = ()
    outcome: Outcome = field(default_factory=Outcome)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a signature is checked against: the product as it stands and who is who."""

    stay: Stay | None
    team: frozenset[int]
    """Ids of the people who are, or ever were, of the product's own team."""
    prepared_by: frozenset[int]
    keys: tuple[str, ...]
    """The criteria's keys, in order."""
    drawn: frozenset[str]
    """The keys of criteria for which evidence was found."""
    criteria_since: date
    """The first day of the criteria's next version, or a day to come where they are the present ones."""
    today: date
    team_names: tuple[str, ...] = ()
    preparer_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that bars the way to a signature: the part of the form where it is put right, and what to do."""

    part: str
    message: str
    values: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return _(self.message, **dict(self.values))


def lacks(draft: Draft, ground: Ground) -> list[Lack]:
    """What is missing before a review can be signed, in the order of the form. Empty: it can."""
    return [
        *day_lacks(draft, ground),
        *criteria_lacks(draft, ground),
        *committee_lacks(draft, ground),
        *decision_lacks(draft),
        *condition_lacks(draft),
    ]


def day_lacks(draft: Draft, ground: Ground) -> Iterator[Lack]:
    """The day on which the committee sat lies inside the phase, and not ahead."""
    if ground.stay is None or ground.stay.stage is not draft.from_stage:
        yield Lack(
            "comite", n_("The product is no longer in the phase that this review was opened for: give it up and open another.")
        )
    if draft.held_on is None:
        yield Lack("comite", n_("Say on which day the committee sat."))
        return
    if draft.held_on > ground.today:
        yield Lack("comite", n_("The committee’s day is still to come: a decision is signed once it was taken."))
    if ground.stay is not None and draft.held_on < ground.stay.start:
        yield Lack("comite", n_("The committee’s day lies before the phase began."))
    if draft.held_on >= ground.criteria_since:
        yield Lack(
            "criteres", n_("The criteria changed before the committee sat: take their new version, then answer what is new.")
        )


def criteria_lacks(draft: Draft, ground: Ground) -> Iterator[Lack]:
    """Each criterion is answered; a yes stands on something, a “not applicable” says why."""
    given = [draft.answers.get(key, Answered()) for key in ground.keys]
    if unanswered := sum(1 for one in given if one.answer is None):
        yield Lack("criteres", n_("Criteria without an answer: %(count)s."), (("count", unanswered),))
    bare = sum(
        1
        for key, one in zip(ground.keys, given, strict=True)
        if one.answer in {Answer.YES, Answer.PARTLY} and not one.comment.strip() and key not in ground.drawn
    )
    if bare:
        yield Lack(
            "criteres",
            n_("Criteria answered yes or partly on nothing that can be seen: %(count)s. Say on what."),
            (("count", bare),),
        )
    if sum(1 for one in given if one.answer is Answer.NOT_APPLICABLE and not one.comment.strip()):
        yield Lack("criteres", n_("Say why a criterion does not apply."))


def committee_lacks(draft: Draft, ground: Ground) -> Iterator[Lack]:
    """The second-person rule: nobody of the team decides, and nobody decides alone on what they prepared themselves."""
    deciding = [seat for seat in draft.committee if seat.decides]
    if any(not is_name(seat.name) for seat in draft.committee):
        yield Lack("comite", n_("Write the name of each person who sat."))
    if team := [seat.name for seat in deciding if is_of_team(seat, ground)]:
        yield Lack(
            "comite",
            n_(
                "People who are or were of the product’s team sit, and do not decide: %(names)s. Is it somebody else? Write the full name."
            ),
            (("names", ", ".join(team)),),
        )
    if not [seat for seat in deciding if is_independent(seat, ground)]:
        yield Lack("comite", n_("At least one person decides who neither prepared the review nor belongs to the team."))
    names = [(seat.person_id, seat.name.casefold()) for seat in draft.committee]
    if len(set(names)) < len(names):
        yield Lack("comite", n_("Somebody is named twice in the committee."))


def is_of_team(seat: Seat, ground: Ground) -> bool:
    """Whether somebody who sat is or was of the product's own team: by account, and by whatever name it is written under."""
    if seat.person_id is not None:
        return seat.person_id in ground.team
    return any(alike(seat.name, name) for name in ground.team_names)


def is_independent(seat: Seat, ground: Ground) -> bool:
    """Whether somebody who decides neither prepared the review nor belongs to the team."""
    if is_of_team(seat, ground) or not is_name(seat.name):
        return False
    if seat.person_id is not None:
        return seat.person_id not in ground.prepared_by
    return not any(alike(seat.name, name) for name in ground.preparer_names)


def decision_lacks(draft: Draft) -> Iterator[Lack]:
    """A decision, where it leads, until when, and why."""
    outcome = draft.outcome
    if outcome.decision is None:
        yield Lack("decision", n_("Say what was decided."))
        return
    if not outcome.reasons.strip():
        yield Lack("decision", n_("Give the reasons of the decision: they are what is read in a year."))
    match outcome.decision:
        case Decision.ADVANCE:
            if outcome.next_stage not in NEXT[draft.from_stage]:
                yield Lack("decision", n_("Choose the phase that the product enters."))
            if any(one.answer is Answer.NO for one in draft.answers.values()) and not outcome.conditions:
                yield Lack("decision", n_("A criterion is answered no: to go on all the same, set a condition with its day."))
        case Decision.PIVOT:
            if outcome.next_stage is not None and outcome.next_stage not in back_stages(draft.from_stage):
                yield Lack("decision", n_("A pivot stays in the phase or goes back to an earlier one."))
        case Decision.CONTINUE | Decision.STOP:
            pass
    if needs_day(outcome):
        yield from until_lacks(draft)


def needs_day(outcome: Outcome) -> bool:
    """Whether the decision leaves the product in its phase, so that its next review needs a day."""
    return outcome.decision is Decision.CONTINUE or (outcome.decision is Decision.PIVOT and outcome.next_stage is None)


def until_lacks(draft: Draft) -> Iterator[Lack]:
    """The day until which the product continues lies after the committee's, and within two years."""
    until = draft.outcome.continue_until
    if until is None:
        yield Lack("decision", n_("Say until which day the product continues: its next review is due then."))
    elif draft.held_on is not None and not draft.held_on < until <= draft.held_on + LONGEST_CONTINUE:
        yield Lack("decision", n_("The next review’s day lies after the committee’s, within two years."))


def condition_lacks(draft: Draft) -> Iterator[Lack]:
    """A condition is a sentence with a day after the committee's."""
    conditions = draft.outcome.conditions
    if any(not one.text.strip() for one in conditions):
        yield Lack("decision", n_("A condition says what is asked for."))
    if draft.held_on is not None and any(one.due_on < draft.held_on for one in conditions):
        yield Lack("decision", n_("A condition is due on the committee’s day or later."))
    if draft.held_on is not None and any(one.due_on > draft.held_on + LONGEST_CONDITION for one in conditions):
        yield Lack("decision", n_("A condition is due within five years of the committee’s day."))


def leads_to(draft: Draft) -> Stage | None:
    """The stage that the decision leads to; None where the product stays where it is."""
    match draft.outcome.decision:
        case Decision.ADVANCE | Decision.PIVOT:
            return draft.outcome.next_stage
        case Decision.STOP:
            return stop_stage(draft.from_stage)
        case Decision.CONTINUE | None:
            return None


def may_prepare(person: Person, product_id: int) -> bool:
    """Whether the person prepares and records reviews of the product: its coaches, unless they are of its team."""
    return coaches(person, product_id) and product_id not in person.products


def may_ask(person: Person, product_id: int) -> bool:
    """Whether the person may ask for a review and say how the team sees it: the product's own team."""
    return product_id in person.products


def may_sign(person: Person, product_id: int, committee: Sequence[Seat]) -> bool:
    """Whether the person may sign: a coach of the product, or leadership named on the committee with a voice. Never its team."""
    if product_id in person.products:
        return False
    if may_prepare(person, product_id):
        return True
    return person.role is Role.LEADERSHIP and any(seat.person_id == person.id and seat.decides for seat in committee)


class DueReason(StrEnum):
    """Why a review is due on a day."""

    USUAL = "usual"
    CONTINUED = "continued"
    PLANNED = "planned"


DUE_LABELS = {
    DueReason.USUAL: n_("usual length of the phase"),
    DueReason.CONTINUED: n_("set by the last decision"),
    DueReason.PLANNED: n_("committee planned"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """When the next review is due, and why then."""

    day: date
    reason: DueReason

    def is_late(self, today: date) -> bool:
        """Whether that day has passed."""
        return self.day < today

    def is_soon(self, today: date) -> bool:
        """Whether that day is near."""
        return today <= self.day <= today + SOON


def due_of(stay: Stay | None, continue_until: date | None) -> Due | None:
    """When a product's next review is due: the day that the last decision in this stay set, else the stage's usual length.

    None for a product without a stage, or that has left the road.
    """
    if stay is None or stay.stage not in USUAL:
        return None
    if continue_until is not None:
        return Due(continue_until, DueReason.CONTINUED)
    return Due(stay.start + USUAL[stay.stage], DueReason.USUAL)


def missing_of(keys: Collection[str], answers: Mapping[str, Answered]) -> tuple[str, ...]:
    """The criteria that are not met yet by the coach's answer, or the team's where the coach has not answered."""
    held = {key: (one.answer or one.team_answer) for key, one in answers.items()}
    return tuple(key for key in keys if held.get(key) not in {Answer.YES, Answer.NOT_APPLICABLE})


def stage_label(stage: Stage | None) -> str:
    """A stage's name in the language in force; a dash for none."""
    return _(STAGE_LABELS[stage]) if stage else "–"
