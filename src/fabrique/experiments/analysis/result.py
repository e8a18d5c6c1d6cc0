"""What an analysis says: values only, so that a page, a file and a JSON answer tell the same. Infinite bounds are None."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VERSION = "analysis-1"


@dataclass(frozen=True, slots=True)
class Beside:
    """Another way to read the same figures, shown beside the one that decides."""

    key: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One arm against the control on one metric.

    `scale` is difference (nothing moved: 0) or ratio (nothing moved: 1); `level` is the interval's, and a reading crosses its
    boundary when `p_value` is at most 1 - level. `link_*` are the estimate and its standard error where they are most nearly normal.
    """

    metric: str
    arm: str
    control: str
    n_treat: float
    n_ctrl: float
    value_treat: float | None
    value_ctrl: float | None
    scale: str
    estimate: float | None
    low: float | None
    high: float | None
    level: float
    p_value: float | None
    method: str
    mde: float | None = None
    link_estimate: float | None = None
    link_error: float | None = None
    p_adjusted: float | None = None
    beside: tuple[Beside, ...] = ()
    notes: tuple[str, ...] = ()
    levels_treat: tuple[int, ...] = ()
    levels_ctrl: tuple[int, ...] = ()
    """How many answers of each level, of answer levels only."""

    @property
    def null(self) -> float:
        """The estimate where nothing moved."""
        return 1.0 if self.scale == "ratio" else 0.0


@dataclass(frozen=True, slots=True)
class Guard:
    """A guardrail against its margin: safe, harmed or inconclusive."""

    metric: str
    arm: str
    margin: float
    margin_on_scale: float
    verdict: str
    p_safe: float | None
    p_harmed: float | None
    reading: Reading | None


@dataclass(frozen=True, slots=True)
class Look:
    """One look: what was known, how much of the planned information that is, and the boundary it had to cross."""

    number: int
    day: str
    n: float
    fraction: float
    alpha_spent: float
    boundary_z: float | None
    nominal_p: float
    final: bool
    estimate: float | None
    low: float | None
    high: float | None
    p_value: float | None
    crossed: bool
    recorded: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the figures can be trusted at all."""

    counts: dict[str, float]
    weights: dict[str, float]
    counted_by: str
    sample_ratio_p: float | None
    sample_ratio_mismatch: bool
    exposed_zero_weight: bool
    missing: dict[str, float]
    first_day: str | None
    last_day: str | None
    days: int
    min_days: int
    gaps: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subgroup:
    """One value of a subgroup column."""

    name: str
    value: str
    reading: Reading
    p_interaction: float | None
    p_interaction_adjusted: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """The cumulative effect at the end of a day."""

    day: str
    n: float
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One period of a series: what was seen, and what would have been seen without the change."""

    period: str
    value: float | None
    expected: float | None
    treated: bool


@dataclass(frozen=True, slots=True)
class Detectable:
    """What this size could show: the smallest effect found in `power` of trials, beside the smallest that matters."""

    effect: float
    mde: float | None
    power: float
    scale: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything an analysis says."""

    slug: str
    title: str
    plan_hash: str
    data_hash: str
    as_of: str
    closed: bool
    verdict: str
    rule: int | None
    rules_version: str
    observational: bool
    capped: bool
    primary: Reading | None
    comparisons: tuple[Reading, ...]
    guardrails: tuple[Guard, ...]
    secondaries: tuple[Reading, ...]
    subgroups: tuple[Subgroup, ...]
    health: Health
    looks: tuple[Look, ...]
    next_look: float | None
    final: bool
    cumulative: tuple[Step, ...]
    series: tuple[SeriesPoint, ...]
    detectable: Detectable | None
    registration: dict[str, Any] | None
    deviations: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    pilot_criteria: tuple[str, ...] = ()
    bayes: dict[str, float] | None = None
    corrected: int = 0
    """Figures that were changed when results were known."""
    version: str = VERSION
    software: dict[str, str] = field(default_factory=dict)
