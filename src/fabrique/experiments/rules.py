"""What a result earns, who may do what to a plan, and which state follows which. Pure decisions over plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fabrique.language import Problem, _, n_

RULES_VERSION = "verdict-1"
"""Stored beside every verdict; moves on when a rule changes."""


class Verdict(StrEnum):
    """What the figures say, by rules alone. People decide, with the verdict before them."""

    INVALID = "invalid"
    TOO_EARLY = "too_early"
    STOP = "stop"
    EXTEND = "extend"
    EXTEND_STEP_BY_STEP = "extend_step_by_step"
    NO_USEFUL_EFFECT = "no_useful_effect"
    UNDECIDABLE = "undecidable"
    NOT_THE_TOOL = "not_the_tool"
    CONTINUE = "continue"
    SIGNAL = "signal"
    DESCRIPTION = "description"


VERDICT_LABELS = {
    Verdict.INVALID: n_("Invalid"),
    Verdict.TOO_EARLY: n_("Too early"),
    Verdict.STOP: n_("Stop"),
    Verdict.EXTEND: n_("Extend"),
    Verdict.EXTEND_STEP_BY_STEP: n_("Extend step by step"),
    Verdict.NO_USEFUL_EFFECT: n_("No useful effect"),
    Verdict.UNDECIDABLE: n_("Undecidable"),
    Verdict.NOT_THE_TOOL: n_("A test is not the tool"),
    Verdict.CONTINUE: n_("Go on"),
    Verdict.SIGNAL: n_("A signal, no proof"),
    Verdict.DESCRIPTION: n_("Description only"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at. `crossed` is 1 where the primary crossed its boundary for the better, -1 for the worse, 0 otherwise."""

    mismatch: bool = False
    enough_days: bool = True
    looked: bool = True
    describable_only: bool = False
    harmed: bool = False
    guards_safe: bool = True
    crossed: int = 0
    final: bool = False
    excludes_mde: bool = False
    observational: bool = False


@dataclass(frozen=True, slots=True)
class Earned:
    """A verdict with the rule that gave it; `capped` where the rule said more than a comparison without lots can."""

    verdict: Verdict
    rule: int | None
    capped: bool = False


def verdict_of(facts: Facts) -> Earned:
    """The first rule that applies, in STATISTICS.md's order."""
    earned = first_rule(facts)
    if facts.observational and earned.verdict in {Verdict.EXTEND, Verdict.EXTEND_STEP_BY_STEP, Verdict.STOP}:
        return Earned(Verdict.SIGNAL, earned.rule, capped=True)
    return earned


def first_rule(facts: Facts) -> Earned:  # noqa: PLR0911 - one return a rule, in their order
    """The rules themselves."""
    if facts.mismatch:
        return Earned(Verdict.INVALID, 1)
    if facts.describable_only:
        return Earned(Verdict.DESCRIPTION, None)
    if not (facts.enough_days and facts.looked):
        return Earned(Verdict.TOO_EARLY, 2)
    if facts.harmed:
        return Earned(Verdict.STOP, 3)
    if facts.crossed > 0:
        return Earned(Verdict.EXTEND if facts.guards_safe else Verdict.EXTEND_STEP_BY_STEP, 4)
    if facts.crossed < 0:
        return Earned(Verdict.STOP, 5)
    if facts.final:
        return Earned(Verdict.NO_USEFUL_EFFECT, 6) if facts.excludes_mde else Earned(Verdict.UNDECIDABLE, 7)
    return Earned(Verdict.CONTINUE, None)


NOT_THE_TOOL_FACTOR = 2.0
"""Rule 8: a plan whose size can only show effects beyond twice the smallest one that matters."""


def is_not_the_tool(detectable: float | None, mde: float | None) -> bool:
    """Rule 8, at planning time. Both are sizes on one scale."""
    return detectable is not None and mde is not None and mde > 0 and detectable > NOT_THE_TOOL_FACTOR * mde


class State(StrEnum):
    """Where an experiment stands."""

    IDEA = "idea"
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    REGISTERED = "registered"
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"
    ANALYSED = "analysed"
    DECIDED = "decided"
    ARCHIVED = "archived"
    INVALID = "invalid"
    ABANDONED = "abandoned"


STATE_LABELS = {
    State.IDEA: n_("Idea"),
    State.DRAFT: n_("Draft"),
    State.IN_REVIEW: n_("In review"),
    State.REGISTERED: n_("Registered"),
    State.RUNNING: n_("Running"),
    State.PAUSED: n_("Paused"),
    State.CLOSED: n_("Collection closed"),
    State.ANALYSED: n_("Analysed"),
    State.DECIDED: n_("Decided"),
    State.ARCHIVED: n_("Archived"),
    State.INVALID: n_("Invalid experiment"),
    State.ABANDONED: n_("Abandoned"),
}
EDITABLE = frozenset({State.IDEA, State.DRAFT})
"""The plan may still be written."""
LOCKED = frozenset(State) - EDITABLE - {State.IN_REVIEW}
"""The plan changes by deviations alone. (In review it waits, unchanged, for the coach.)"""
COLLECTING = frozenset({State.REGISTERED, State.RUNNING, State.PAUSED})
"""Figures may come in or be corrected. Once closed, the collection is reopened first, with a reason that stays."""
ANALYSABLE = frozenset({State.CLOSED, State.ANALYSED})
ENDED = frozenset({State.DECIDED, State.ARCHIVED, State.INVALID, State.ABANDONED})


class Step(StrEnum):
    """What people do to an experiment."""

    DRAFT = "draft"
    SUBMIT = "submit"
    RETURN = "return"
    REGISTER = "register"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CLOSE = "close"
    REOPEN = "reopen"
    ANALYSE = "analyse"
    DECIDE = "decide"
    ARCHIVE = "archive"
    INVALIDATE = "invalidate"
    ABANDON = "abandon"


STEPS: dict[Step, tuple[frozenset[State], State]] = {
    Step.DRAFT: (frozenset({State.IDEA}), State.DRAFT),
    Step.SUBMIT: (EDITABLE, State.IN_REVIEW),
    Step.RETURN: (frozenset({State.IN_REVIEW}), State.DRAFT),
    Step.REGISTER: (frozenset({State.IN_REVIEW}), State.REGISTERED),
    Step.START: (frozenset({State.REGISTERED}), State.RUNNING),
    Step.PAUSE: (frozenset({State.RUNNING}), State.PAUSED),
    Step.RESUME: (frozenset({State.PAUSED}), State.RUNNING),
    Step.CLOSE: (frozenset({State.RUNNING, State.PAUSED}), State.CLOSED),
    Step.REOPEN: (frozenset({State.CLOSED, State.ANALYSED}), State.RUNNING),
    Step.ANALYSE: (ANALYSABLE, State.ANALYSED),
    Step.DECIDE: (frozenset({State.ANALYSED}), State.DECIDED),
    Step.ARCHIVE: (frozenset({State.DECIDED, State.INVALID, State.ABANDONED}), State.ARCHIVED),
    Step.INVALIDATE: (frozenset({State.RUNNING, State.PAUSED, State.CLOSED, State.ANALYSED}), State.INVALID),
    Step.ABANDON: (
        frozenset({State.IDEA, State.DRAFT, State.IN_REVIEW, State.REGISTERED, State.RUNNING, State.PAUSED, State.CLOSED}),
        State.ABANDONED,
    ),
}
"""From which states a step may be taken, and where it leads."""


class StepRefused(Problem):
    """A step cannot be taken from where the experiment stands, or not by this person."""


def after(step: Step, state: State) -> State:
    """The state that follows. Raises StepRefused."""
    sources, target = STEPS[step]
    if state not in sources:
        raise StepRefused(
            n_("This is not possible while the experiment is “%(state)s”; reload the page to see where it stands."),
            state=_(STATE_LABELS[state]),
        )
    return target


def may_register(person_id: int, *, coaches: bool, author_ids: frozenset[int]) -> bool:
    """A coach of the product registers a plan, and never one of those who wrote it."""
    return coaches and person_id not in author_ids


class Choice(StrEnum):
    """What people decide."""

    EXTEND = "extend"
    EXTEND_STEP_BY_STEP = "extend_step_by_step"
    STOP = "stop"
    ITERATE = "iterate"
    REPEAT = "repeat"
    UNDECIDABLE = "undecidable"


CHOICE_LABELS = {
    Choice.EXTEND: n_("Extend to everyone"),
    Choice.EXTEND_STEP_BY_STEP: n_("Extend step by step, watching the guardrails"),
    Choice.STOP: n_("Stop"),
    Choice.ITERATE: n_("Change something and try again"),
    Choice.REPEAT: n_("Repeat the same experiment"),
    Choice.UNDECIDABLE: n_("Undecidable: say so, and leave it there"),
}
CHOICE_SHORT = {
    Choice.EXTEND: n_("Extend"),
    Choice.EXTEND_STEP_BY_STEP: n_("Extend step by step"),
    Choice.STOP: n_("Stop"),
    Choice.ITERATE: n_("Try again, changed"),
    Choice.REPEAT: n_("Repeat"),
    Choice.UNDECIDABLE: n_("Undecidable"),
}
AGREES = {
    Verdict.EXTEND: frozenset({Choice.EXTEND, Choice.EXTEND_STEP_BY_STEP}),
    Verdict.EXTEND_STEP_BY_STEP: frozenset({Choice.EXTEND_STEP_BY_STEP}),
    Verdict.STOP: frozenset({Choice.STOP, Choice.ITERATE}),
    Verdict.NO_USEFUL_EFFECT: frozenset({Choice.STOP, Choice.ITERATE}),
    Verdict.UNDECIDABLE: frozenset({Choice.UNDECIDABLE, Choice.REPEAT, Choice.ITERATE, Choice.STOP}),
    Verdict.INVALID: frozenset({Choice.REPEAT, Choice.STOP}),
    Verdict.SIGNAL: frozenset({Choice.REPEAT, Choice.ITERATE, Choice.UNDECIDABLE, Choice.STOP, Choice.EXTEND_STEP_BY_STEP}),
    Verdict.DESCRIPTION: frozenset(Choice) - {Choice.EXTEND},
    Verdict.TOO_EARLY: frozenset({Choice.STOP, Choice.UNDECIDABLE, Choice.REPEAT, Choice.ITERATE}),
    Verdict.CONTINUE: frozenset({Choice.STOP, Choice.UNDECIDABLE, Choice.REPEAT, Choice.ITERATE}),
    Verdict.NOT_THE_TOOL: frozenset({Choice.STOP, Choice.UNDECIDABLE, Choice.ITERATE}),
}
"""Decisions that go no further than the verdict; any other one must say that it departs, and why."""


def departs(choice: Choice, verdict: Verdict) -> bool:
    """Whether a decision goes beyond what the verdict bears."""
    return choice not in AGREES[verdict]
