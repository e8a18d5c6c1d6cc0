"""What a plan is made of. Values only: a Plan that exists is a plan without fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from fabrique.language import n_

if TYPE_CHECKING:
    from datetime import date

SCHEMA = 1
"""The version of the file's form."""


class Kind(StrEnum):
    """How the comparison is made."""

    AB = "ab"
    AB_CLUSTER = "ab_cluster"
    STAGGERED = "staggered"
    BEFORE_AFTER = "before_after"
    ITS = "its"
    DID = "did"
    PILOT = "pilot_single_arm"


KIND_LABELS = {
    Kind.AB: n_("Random comparison of people"),
    Kind.AB_CLUSTER: n_("Random comparison of agencies or territories"),
    Kind.STAGGERED: n_("Staggered roll-out"),
    Kind.BEFORE_AFTER: n_("Two surveys, before and after"),
    Kind.ITS: n_("Interrupted series"),
    Kind.DID: n_("Before and after, beside others"),
    Kind.PILOT: n_("Pilot without comparison"),
}
SERIES_KINDS = frozenset({Kind.ITS, Kind.DID, Kind.STAGGERED})
"""Read from series.csv; their arms are told by its column “treated”."""
OBSERVATIONAL = frozenset({Kind.BEFORE_AFTER, Kind.ITS, Kind.DID, Kind.STAGGERED})
"""Nobody drew lots: a result is a signal, never a proof."""


class Outcome(StrEnum):
    """What one unit's outcome is."""

    BINARY = "binary"
    ORDINAL = "ordinal"
    MEAN = "mean"
    RATE = "rate"
    DURATION = "duration"


OUTCOME_LABELS = {
    Outcome.BINARY: n_("Yes or no (completed, came back…)"),
    Outcome.ORDINAL: n_("Answer levels (satisfaction…)"),
    Outcome.MEAN: n_("A number (mark, amount…)"),
    Outcome.RATE: n_("Events (calls, errors…) per exposure"),
    Outcome.DURATION: n_("A duration"),
}


OUTCOME_SHORT = {
    Outcome.BINARY: n_("On shares (yes or no)"),
    Outcome.ORDINAL: n_("On answer levels"),
    Outcome.MEAN: n_("On numbers"),
    Outcome.RATE: n_("On rates of events"),
    Outcome.DURATION: n_("On durations"),
}


class Better(StrEnum):
    """Which way is better for users."""

    HIGHER = "higher"
    LOWER = "lower"

    @property
    def sign(self) -> int:
        """1 where more is better, -1 where less is."""
        return 1 if self is Better.HIGHER else -1


class Looks(StrEnum):
    """When results may be looked at."""

    FIXED = "fixed"
    GROUP_SEQUENTIAL = "group_sequential"
    ALWAYS_VALID = "always_valid"


LOOKS_LABELS = {
    Looks.FIXED: n_("Once, at the end"),
    Looks.GROUP_SEQUENTIAL: n_("At points fixed beforehand"),
    Looks.ALWAYS_VALID: n_("At any moment"),
}


class Spending(StrEnum):
    """How the error that is allowed is shared among looks."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"
    POWER = "power"


class Correction(StrEnum):
    """How secondary metrics answer for their number."""

    HOLM = "holm"
    BH = "bh"
    NONE = "none"


class Missing(StrEnum):
    """What a unit without outcome counts for."""

    COMPLETE = "complete"
    AS_FAILURE = "as_failure"


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the things compared. The first arm of a plan is the control."""

    key: str
    name: str
    weight: float


@dataclass(frozen=True, slots=True)
class Metric:
    """One outcome. `mde_abs` and `non_inferiority_margin` are sizes in the metric's own unit (0.05 is five points of a share)."""

    key: str
    type: Outcome
    better: Better
    name: str = ""
    unit: str = ""
    baseline: float | None = None
    mde_abs: float | None = None
    sd: float | None = None
    levels: tuple[str, ...] = ()
    marks: tuple[float, ...] = ()
    baseline_levels: tuple[float, ...] = ()
    non_inferiority_margin: float | None = None

    @property
    def label(self) -> str:
        """Its name, or its key where it has none."""
        return self.name or self.key


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """If we do this, then that follows, because."""

    condition: str
    outcome: str
    reason: str
    direction: str


@dataclass(frozen=True, slots=True)
class Design:
    """On whom, how, and when."""

    kind: Kind
    unit: str
    population: str
    start: date
    planned_end: date
    cluster: str = ""
    cluster_size: float | None = None
    icc: float | None = None
    season: str = ""
    randomised: bool = False

    @property
    def is_observational(self) -> bool:
        """Whether nobody drew lots."""
        return self.kind in OBSERVATIONAL and not self.randomised


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """How the figures will be read, fixed beforehand."""

    alpha: float = 0.05
    power: float = 0.8
    looks: Looks = Looks.FIXED
    information_fractions: tuple[float, ...] = ()
    spending: Spending = Spending.OBRIEN_FLEMING
    phi: float = 2.0
    n_star: int | None = None
    covariates: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    correction: Correction = Correction.HOLM
    missing: Missing = Missing.COMPLETE
    prior: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """How many, and for how long at least."""

    n_per_arm: int | None = None
    expected_per_day: float | None = None
    min_days: int = 0

    @property
    def min_weeks_in_days(self) -> int:
        """`min_days` in whole weeks: a Monday's users are not a Sunday's."""
        return -(-self.min_days // 7) * 7


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan, without fault."""

    slug: str
    title: str
    product: str
    owner: str
    legal_basis: str
    hypothesis: Hypothesis
    design: Design
    arms: tuple[Arm, ...]
    primary: Metric
    secondaries: tuple[Metric, ...] = ()
    guardrails: tuple[Metric, ...] = ()
    analysis: AnalysisPlan = field(default_factory=AnalysisPlan)
    sample: Sample = field(default_factory=Sample)
    pilot_criteria: tuple[str, ...] = ()
    practices: tuple[str, ...] = ()
    service: str = ""
    coach: str = ""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every metric, the primary first."""
        return (self.primary, *self.guardrails, *self.secondaries)

    @property
    def control(self) -> Arm:
        """The arm that the others are compared with."""
        return self.arms[0]

    @property
    def treatments(self) -> tuple[Arm, ...]:
        """The arms that receive something new; an arm of weight zero receives nobody."""
        return tuple(arm for arm in self.arms[1:] if arm.weight > 0)

    def metric(self, key: str) -> Metric | None:
        """The metric of that key."""
        return next((one for one in self.metrics if one.key == key), None)
