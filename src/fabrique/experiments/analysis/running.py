"""analyse(plan, data) → Analysis: one way for the command line, the pages and whoever runs the JSON again."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from fabrique.clock import PeriodInvalid, parse_period
from fabrique.experiments.analysis import subgrouping
from fabrique.experiments.analysis.comparing import compare, sketch
from fabrique.experiments.analysis.designs import DesignRead, read_design
from fabrique.experiments.analysis.guarding import ONE_SIDED, guard
from fabrique.experiments.analysis.health import health_of
from fabrique.experiments.analysis.looking import Planned, looks_for, next_fraction, planned_sizes, sizes_by_day
from fabrique.experiments.analysis.result import Analysis, Guard, Look, Reading, Step
from fabrique.experiments.analysis.sizing import advise, detectable_with
from fabrique.experiments.analysis.summaries import summaries
from fabrique.experiments.data.reading import DATED
from fabrique.experiments.plan.locking import exploratory_since
from fabrique.experiments.plan.schema import SERIES_KINDS, Correction, Kind, Looks, Outcome, Plan
from fabrique.experiments.rules import RULES_VERSION, Facts, Verdict, verdict_of
from fabrique.language import n_
from fabrique.stats.bayes import beta_binomial
from fabrique.stats.multiplicity import benjamini_hochberg, holm

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    from fabrique.experiments.analysis.result import Health
    from fabrique.experiments.data.rows import Data

NOTE_LABELS = {
    "unregistered": n_("The plan was not registered: nothing shows that it was written before the figures."),
    "after_collection": n_(
        "The plan was registered after the figures had been collected: nothing shows that it was written before them."
    ),
    "corrected_after": n_("Figures were changed after a look, the closing or an analysis; the former ones are kept."),
    "other_arm_harmed": n_("In another arm a guardrail is worse than its margin: that arm is to be stopped."),
    "other_arm_worse": n_("Another arm does worse than the control."),
    "exploratory": n_("The plan was changed when results were known: what it decides is exploratory."),
    "below_mde": n_("The effect is there, but it may be smaller than the smallest one that matters."),
    "size_not_reached": n_("The collection ended before the planned size was reached."),
    "stopped_early": n_("Figures came in after the boundary was crossed; the verdict is that of the look that crossed it."),
    "several_arms": n_("Several arms share the error that is allowed: each is judged more strictly."),
    "no_primary": n_("The primary metric has no figures yet."),
    "guardrail_missing": n_("A guardrail has no figures: it counts as inconclusive."),
    "secondary_missing": n_("A secondary metric has no figures."),
}


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds the figures: the day of the analysis, whether the collection is closed, who registered, recorded looks."""

    as_of: date
    plan_hash: str
    closed: bool = False
    registration: dict[str, Any] | None = None
    deviations: tuple[dict[str, Any], ...] = ()
    looks: tuple[date, ...] = ()
    final_look: bool = False
    """Whether the last of the recorded looks was the plan's last: no later figure buys another."""
    corrected: int = 0


def analyse(plan: Plan, data: Data, context: Context) -> Analysis:
    """Everything that the plan's rules say of the data."""
    over = context.closed or context.as_of > plan.design.planned_end
    data = data.until(context.as_of)
    if plan.design.kind is Kind.PILOT:
        return described(plan, data, context, over=over)
    if plan.design.kind in SERIES_KINDS:
        return of_series(plan, data, context, over=over)
    return of_arms(plan, data, context, over=over)


def base(plan: Plan, data: Data, context: Context, health: Health, *, over: bool) -> Analysis:
    """An analysis without any reading yet."""
    return Analysis(
        slug=plan.slug, title=plan.title, plan_hash=context.plan_hash, data_hash=data.digest(), as_of=context.as_of.isoformat(),
        closed=over, verdict=Verdict.TOO_EARLY, rule=2, rules_version=RULES_VERSION, observational=plan.design.is_observational,
        capped=False, primary=None, comparisons=(), guardrails=(), secondaries=(), subgroups=(), health=health, looks=(),
        next_look=None, final=False, cumulative=(), series=(), detectable=None, registration=shown(context.registration),
        deviations=context.deviations, notes=standing_notes(plan, data, context),
        corrected=context.corrected, pilot_criteria=plan.pilot_criteria, software=software(),
    )  # fmt: skip


def shown(registration: dict[str, Any] | None) -> dict[str, Any] | None:
    """A registration without the plan's own text."""
    return {key: value for key, value in registration.items() if key != "plan"} if registration else None


def standing_notes(plan: Plan, data: Data, context: Context) -> tuple[str, ...]:
    """What is to be said whatever the figures are."""
    notes = []
    if context.registration is None:
        notes.append("unregistered")
    elif context.registration.get("after_collection") or began_before(plan, data, context.registration):
        notes.append("after_collection")
    if context.corrected:
        notes.append("corrected_after")
    if exploratory_since(context.deviations):
        notes.append("exploratory")
    return tuple(notes)


def began_before(plan: Plan, data: Data, registration: dict[str, Any]) -> bool:
    """Whether the figures of a collection begin before its plan was registered, whenever they were brought in."""
    registered = str(registration.get("registered_at", ""))[:10]
    first = first_day(plan, data)
    return bool(registered) and first is not None and first.isoformat() < registered


def first_day(plan: Plan, data: Data) -> date | None:
    """When what the plan tries began in the figures; what came before is looked back on, by design."""
    if plan.design.kind in DATED:
        return data.days[0] if data.days else None
    if plan.design.kind not in SERIES_KINDS:
        return min((row.day for row in data.counts if row.arm != plan.control.key), default=None)
    changed = min((row for row in data.series if row.treated), key=lambda row: row.position, default=None)
    try:
        return parse_period(changed.period).start if changed is not None else None
    except PeriodInvalid:
        return None


def software() -> dict[str, str]:
    """What computed it."""
    import numpy  # noqa: ICN001, PLC0415 - only its version
    import scipy  # noqa: PLC0415

    return {"python": platform.python_version(), "numpy": numpy.__version__, "scipy": scipy.__version__}


def described(plan: Plan, data: Data, context: Context, *, over: bool) -> Analysis:
    """A pilot: its criteria are judged by people, the figures are told."""
    bare = base(plan, data, context, health_of(plan, data), over=over)
    return replace(bare, verdict=Verdict.DESCRIPTION, rule=None)


def of_series(plan: Plan, data: Data, context: Context, *, over: bool) -> Analysis:
    """An interrupted series, before and after beside others, a staggered roll-out."""
    bare = base(plan, data, context, health_of(plan, data), over=over)
    if not data.series:
        return replace(bare, notes=(*bare.notes, "no_primary"))
    read: DesignRead = read_design(plan, data.series)
    primary = read.reading
    facts = Facts(
        describable_only=read.describable_only or primary is None,
        crossed=crossing(plan, primary, plan.analysis.alpha),
        final=True,
        excludes_mde=excludes_mde(plan, primary),
        observational=plan.design.is_observational or bool(exploratory_since(context.deviations)),
    )
    earned = verdict_of(facts)
    return replace(
        bare, verdict=earned.verdict, rule=earned.rule, capped=earned.capped, primary=primary,
        comparisons=(primary,) if primary else (), series=read.points, final=True, notes=(*bare.notes, *read.notes),
    )  # fmt: skip


def of_arms(plan: Plan, data: Data, context: Context, *, over: bool) -> Analysis:
    """Arms side by side, at the looks that the plan allows."""
    health = health_of(plan, data)
    bare = base(plan, data, context, health, over=over)
    if not data:
        bare = replace(bare, notes=(*bare.notes, "no_primary"))
        return replace(bare, verdict=Verdict.NOT_THE_TOOL, rule=8) if advise(plan).not_the_tool else bare
    if health.sample_ratio_mismatch:
        return replace(bare, verdict=Verdict.INVALID, rule=1)
    enough_days = health.days >= health.min_days or not data.days
    looks = looks_for(plan, data, context.looks, closed=over, ended=context.final_look) if enough_days else []
    steps = cumulative(plan, data, looks) if looks else ()
    taken, readings, at = decisive(plan, data, looks)
    if at is None:
        fraction = next_fraction(plan, [])
        return replace(bare, next_look=fraction, looks=taken)
    seen = data.until(at.day)
    every = {one.arm: guardrails(plan, seen, one.arm, at) for one in readings}
    harmed = harmed_arms(plan, seen, readings, at)
    primary = best(plan, readings, at, harmed)
    guards = every[primary.arm] if primary else guardrails(plan, seen, "", at)
    others = tuple(one for arm, found in every.items() if primary and arm != primary.arm for one in found)
    crossed = crossing(plan, primary, at.nominal_p)
    facts = Facts(
        looked=primary is not None,
        describable_only="surveys_overlap" in health.notes,
        harmed=any(one.verdict == "harmed" for one in guards),
        guards_safe=all(one.verdict == "safe" for one in guards),
        crossed=crossed,
        final=at.final,
        excludes_mde=excludes_mde(plan, primary),
        observational=plan.design.is_observational or bool(exploratory_since(context.deviations)),
    )
    earned = verdict_of(facts)
    seconds = secondaries(plan, seen, primary.arm if primary else "")
    return replace(
        bare, verdict=earned.verdict, rule=earned.rule, capped=earned.capped, primary=primary, comparisons=tuple(readings),
        guardrails=(*guards, *others), secondaries=seconds, subgroups=subgrouping.subgroups(plan, seen, primary.arm if primary else ""),
        looks=taken, next_look=next_fraction(plan, looks) if not crossed else None, final=at.final, cumulative=steps,
        detectable=detectable_with(plan, primary), bayes=bayes(plan, seen, primary),
        notes=(*bare.notes, *arm_notes(plan, data, at, primary, guards, seconds, crossed=crossed),
               *other_arms(plan, readings, primary, harmed, at)),
    )  # fmt: skip


def other_arms(plan: Plan, readings: Sequence[Reading], primary: Reading | None, harmed: set[str], at: Planned) -> list[str]:
    """What is to be said of the arms that the verdict is not about."""
    others = [one for one in readings if primary is not None and one.arm != primary.arm]
    notes = ["other_arm_harmed"] if any(one.arm in harmed for one in others) else []
    return notes + (["other_arm_worse"] if any(crossing(plan, one, at.nominal_p) < 0 for one in others) else [])


def decisive(plan: Plan, data: Data, looks: Sequence[Planned]) -> tuple[tuple[Look, ...], list[Reading], Planned | None]:
    """The looks as they were read, and the one that counts: the first that crossed its boundary, else the last."""
    taken: list[Look] = []
    readings: list[Reading] = []
    for planned in looks:
        seen = data.until(planned.day)
        readings = readings_at(plan, seen, planned)
        harmed = harmed_arms(plan, seen, readings, planned)
        primary = best(plan, readings, planned, harmed)
        crossed = crossing(plan, primary, planned.nominal_p) != 0
        taken.append(told(planned, primary, crossed=crossed))
        if crossed or (readings and harmed >= {one.arm for one in readings}):
            return tuple(taken), readings, planned
    return tuple(taken), readings, looks[-1] if looks else None


def harmed_arms(plan: Plan, seen: Data, readings: Sequence[Reading], at: Planned) -> set[str]:
    """The arms in which a guardrail is shown worse than its margin."""
    return {one.arm for one in readings if any(found.verdict == "harmed" for found in guardrails(plan, seen, one.arm, at))}


def told(planned: Planned, primary: Reading | None, *, crossed: bool) -> Look:
    """A look with what it showed."""
    return Look(
        number=planned.number, day=planned.day.isoformat(), n=planned.n, fraction=planned.fraction, alpha_spent=planned.alpha_spent,
        boundary_z=planned.boundary_z, nominal_p=planned.nominal_p, final=planned.final,
        estimate=primary.estimate if primary else None, low=primary.low if primary else None, high=primary.high if primary else None,
        p_value=primary.p_value if primary else None, crossed=crossed, recorded=planned.recorded,
    )  # fmt: skip


def readings_at(plan: Plan, seen: Data, planned: Planned) -> list[Reading]:
    """Each treatment against the control on the primary metric, at the look's own level."""
    found = summaries(plan, seen, plan.primary)
    control = found.get(plan.control.key)
    if control is None:
        return []
    pairs = ((arm.key, found[arm.key]) for arm in plan.treatments if arm.key in found)
    readings = (compare(plan, plan.primary, arm, summary, control, planned.nominal_p) for arm, summary in pairs)
    return [one for one in readings if one is not None]


def best(plan: Plan, readings: Sequence[Reading], planned: Planned, harmed: Collection[str] = ()) -> Reading | None:
    """The arm that the verdict is about: of the unharmed ones that crossed for the better the furthest, else the furthest unharmed."""
    if not readings:
        return None
    sign = plan.primary.better.sign

    def gain(reading: Reading) -> tuple[bool, bool, float]:
        sound = reading.arm not in harmed
        ahead = crossing(plan, reading, planned.nominal_p) > 0
        return (
            sound and ahead,
            sound,
            sign * ((reading.estimate if reading.estimate is not None else reading.null) - reading.null),
        )

    return max(readings, key=gain)


def crossing(plan: Plan, reading: Reading | None, alpha: float) -> int:
    """1 where a reading crosses its boundary for the better, -1 for the worse, 0 otherwise.

    An estimate without end (every control failed) still has a side: that of its interval.
    """
    if reading is None or reading.p_value is None or reading.p_value > alpha:
        return 0
    if reading.estimate is not None:
        gap = reading.estimate - reading.null
    elif reading.low is not None and reading.low > reading.null:
        gap = 1.0
    else:
        gap = -1.0 if reading.high is not None and reading.high < reading.null else 0.0
    if gap == 0:
        return 0
    return plan.primary.better.sign * (1 if gap > 0 else -1)


def excludes_mde(plan: Plan, reading: Reading | None) -> bool:
    """Whether even the best end of the interval lies short of the smallest effect that matters."""
    if reading is None or reading.mde is None:
        return False
    if plan.primary.better.sign > 0:
        target = reading.mde
        return reading.high is not None and reading.high < target
    target = reading.mde if reading.scale == "ratio" else -reading.mde
    return reading.low is not None and reading.low > target


def guardrails(plan: Plan, seen: Data, arm: str, at: Planned) -> tuple[Guard, ...]:
    """Every guardrail in the arm that the verdict is about."""
    guards = []
    for metric in plan.guardrails:
        found = summaries(plan, seen, metric)
        harm_level = min(ONE_SIDED, at.nominal_p / 2) if plan.analysis.looks is Looks.GROUP_SEQUENTIAL else ONE_SIDED
        guards.append(
            guard(plan, metric, arm, found.get(arm), found.get(plan.control.key), alpha=2 * ONE_SIDED, harm_level=harm_level)
        )
    return tuple(guards)


def secondaries(plan: Plan, seen: Data, arm: str) -> tuple[Reading, ...]:
    """Every secondary metric, with p-values that answer for their number."""
    readings = []
    for metric in plan.secondaries:
        found = summaries(plan, seen, metric)
        if arm in found and plan.control.key in found:
            reading = compare(plan, metric, arm, found[arm], found[plan.control.key], plan.analysis.alpha)
            readings += [reading] if reading is not None else []
    with_p = [one.p_value for one in readings if one.p_value is not None]
    left = iter(corrected(with_p, plan.analysis.correction))
    return tuple(replace(one, p_adjusted=float(next(left))) if one.p_value is not None else one for one in readings)


def corrected(p_values: Sequence[float], correction: Correction) -> Sequence[float]:
    """p-values that answer for their number."""
    if not p_values or correction is Correction.NONE:
        return p_values
    adjust = holm if correction is Correction.HOLM else benjamini_hochberg
    return [float(one) for one in adjust(p_values)]


def cumulative(plan: Plan, data: Data, looks: Sequence[Planned]) -> tuple[Step, ...]:
    """The effect as it grew, at most 60 steps, up to the last look: an estimate with the plan's own level, and no verdict."""
    days = [day for day, _sizes in sizes_by_day(plan, data) if day <= looks[-1].day]
    stride = max(1, -(-len(days) // MOST_STEPS))
    chosen = [day for place, day in enumerate(days) if (len(days) - 1 - place) % stride == 0]
    steps = []
    for day in chosen:
        seen = data.until(day)
        found = summaries(plan, seen, plan.primary)
        control = found.get(plan.control.key)
        arm = next((one.key for one in plan.treatments if one.key in found), None)
        if control is None or arm is None:
            continue
        reading = sketch(plan, plan.primary, arm, found[arm], control)
        if reading is not None:
            steps.append(Step(day.isoformat(), reading.n_treat + reading.n_ctrl, reading.estimate, reading.low, reading.high))
    return tuple(steps)


MOST_STEPS = 60


def bayes(plan: Plan, seen: Data, primary: Reading | None) -> dict[str, float] | None:
    """The optional second reading, where the plan states a prior. It never decides."""
    prior = plan.analysis.prior
    if not prior or primary is None or plan.primary.type is not Outcome.BINARY:
        return None
    found = summaries(plan, seen, plan.primary)
    treat, ctrl = found[primary.arm], found[plan.control.key]
    result = beta_binomial(int(treat.x), int(treat.n), int(ctrl.x), int(ctrl.n), prior=(prior[0], prior[1]))
    better = result.p_better if plan.primary.better.sign > 0 else 1 - result.p_better
    loss = result.loss_treat if plan.primary.better.sign > 0 else result.loss_ctrl
    return {"p_better": better, "expected_loss": loss, "prior_a": prior[0], "prior_b": prior[1]}


def arm_notes(
    plan: Plan,
    data: Data,
    at: Planned,
    primary: Reading | None,
    guards: Sequence[Guard],
    seconds: Sequence[Reading],
    *,
    crossed: int,
) -> list[str]:
    """What a reader must know beside the verdict."""
    notes = []
    if primary is None:
        notes.append("no_primary")
    elif crossed > 0 and primary.mde is not None and not reaches_mde(plan, primary):
        notes.append("below_mde")
    if at.final and planned_sizes(plan) is not None and at.fraction < 1 - 1e-9 and not crossed:
        notes.append("size_not_reached")
    if crossed and data.days and data.days[-1] > at.day:
        notes.append("stopped_early")
    if len(plan.treatments) > 1:
        notes.append("several_arms")
    if any(one.reading is None for one in guards):
        notes.append("guardrail_missing")
    if len(seconds) < len(plan.secondaries):
        notes.append("secondary_missing")
    return notes


def reaches_mde(plan: Plan, primary: Reading) -> bool:
    """Whether the whole interval is at least the smallest effect that matters."""
    if primary.mde is None:
        return True
    if plan.primary.better.sign > 0:
        return primary.low is not None and primary.low >= primary.mde
    target = primary.mde if primary.scale == "ratio" else -primary.mde
    return primary.high is not None and primary.high <= target


def as_json(analysis: Analysis) -> dict[str, Any]:
    """The analysis as plain values: what is stored, shown and sent."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(analysis))
    return plain


def from_json(document: dict[str, Any]) -> Analysis:
    """A stored analysis."""
    return msgspec.convert(document, Analysis)
