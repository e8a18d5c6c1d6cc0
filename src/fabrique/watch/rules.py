"""Which night is it, is this change a flag already, and what becomes of flags whose evidence moved. Pure decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from fabrique.language import n_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.stats.changes import Change


class RunStatus(StrEnum):
    """Where a check stands."""

    DUE = "due"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class FlagState(StrEnum):
    """Where a flag stands."""

    CANDIDATE = "candidate"
    """Seen, but not yet clear enough among all that is watched: shown on its chart, told to nobody."""
    RAISED = "raised"
    CLOSED = "closed"
    """Known and over: history when the series was first looked at."""
    WITHDRAWN = "withdrawn"
    """Later or corrected data, or a newer method, no longer show it."""


FLAG_STATE_LABELS = {
    FlagState.CANDIDATE: n_("To confirm"),
    FlagState.RAISED: n_("To explain"),
    FlagState.CLOSED: n_("Earlier level"),
    FlagState.WITHDRAWN: n_("Withdrawn"),
}
RUN_STATUS_LABELS = {
    RunStatus.DUE: n_("Due"),
    RunStatus.RUNNING: n_("Running"),
    RunStatus.DONE: n_("Done"),
    RunStatus.FAILED: n_("Failed"),
}
DIRECTION_LABELS = {
    "improvement": n_("Improvement"),
    "regression": n_("Regression"),
    "neutral": n_("Change"),
}
NOTE_LABELS = {
    "too_short": n_("Not enough periods yet to say what moves."),
    "constant": n_("The value has never varied."),
    "drift": n_("The level drifts slowly rather than in steps."),
    "season": n_("A season was found and taken out before looking for changes."),
    "restless": n_("The level never lasts; nothing can be said of its changes."),
    "autocorrelated": n_("Neighbouring periods resemble one another; changes are asked for more evidence."),
}
EVENT_KIND_LABELS = {
    "release": n_("Release"),
    "campaign": n_("Campaign"),
    "incident": n_("Incident"),
    "other": n_("Event"),
}


NEWS = timedelta(days=366)
"""When a series is first looked at, a change begun longer before its last period is recorded as history: nobody is asked to explain it."""


def night_of(local: datetime, check_hour: int) -> date:
    """The night whose checks are due at a Paris time: the day's own from the check hour on, the day before's until then."""
    return local.date() if local.hour >= check_hour else local.date() - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KnownFlag:
    """A flag as matching sees it."""

    id: int
    state: FlagState
    direction: str
    granularity: str
    start: date
    earliest: date
    latest: date
    before: float
    after: float
    effect_low: float
    effect_high: float
    chance: float
    version: str
    """The method that found it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A change in dates rather than indices."""

    direction: str
    granularity: str
    start: date
    earliest: date
    latest: date
    before: float
    after: float
    effect_low: float
    effect_high: float
    evidence: float
    chance: float
    is_news: bool
    """Whether the level it led to still holds and began in the last year of the series' own data."""


def finding_from(change: Change, starts: Sequence[date], granularity: str, *, is_last: bool) -> Finding:
    """The finding that a change of a series is. `starts` are the first days of the series' periods; `is_last`: no change follows."""
    return Finding(
        direction=change.direction,
        granularity=granularity,
        start=starts[change.index],
        earliest=starts[change.earliest],
        latest=starts[change.latest],
        before=change.before,
        after=change.after,
        effect_low=change.effect_low,
        effect_high=change.effect_high,
        evidence=change.evidence.z,
        chance=change.evidence.chance,
        is_news=is_last and starts[-1] - starts[change.index] <= NEWS,
    )


def is_same(flag: KnownFlag, finding: Finding) -> bool:
    """Whether a finding is the change that a flag already tells: same way, plausible dates in common."""
    return (
        flag.direction == finding.direction
        and flag.granularity == finding.granularity
        and flag.earliest <= finding.latest
        and finding.earliest <= flag.latest
    )


def distance(flag: KnownFlag, finding: Finding) -> timedelta:
    """How far apart the two dates are."""
    return abs(flag.start - finding.start)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What becomes of the flags of one series after a check."""

    new: tuple[Finding, ...]
    confirmed: tuple[tuple[KnownFlag, Finding], ...]
    withdrawn: tuple[KnownFlag, ...]


def decide(flags: Sequence[KnownFlag], findings: Sequence[Finding]) -> Decisions:
    """Match findings with known flags, each used once: flags that stand before withdrawn ones, then the nearest date."""
    pairs = sorted(
        (
            (flag.state is FlagState.WITHDRAWN, distance(flag, finding), flag.id, place)
            for flag in flags
            for place, finding in enumerate(findings)
            if is_same(flag, finding)
        ),
    )
    by_id = {flag.id: flag for flag in flags}
    taken_flags: dict[int, int] = {}
    for _withdrawn, _gap, flag_id, place in pairs:
        if flag_id not in taken_flags and place not in taken_flags.values():
            taken_flags[flag_id] = place
    return Decisions(
        new=tuple(one for place, one in enumerate(findings) if place not in taken_flags.values()),
        confirmed=tuple((by_id[flag_id], findings[place]) for flag_id, place in sorted(taken_flags.items())),
        withdrawn=tuple(flag for flag in flags if flag.id not in taken_flags and flag.state is not FlagState.WITHDRAWN),
    )


def moved(flag: KnownFlag, finding: Finding) -> bool:
    """Whether a confirmed flag's figures changed enough to write them again."""
    return (
        flag.start,
        flag.earliest,
        flag.latest,
        flag.before,
        flag.after,
        flag.effect_low,
        flag.effect_high,
        flag.chance,
    ) != (
        finding.start,
        finding.earliest,
        finding.latest,
        finding.before,
        finding.after,
        finding.effect_low,
        finding.effect_high,
        finding.chance,
    )
