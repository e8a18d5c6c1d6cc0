"""How many are needed, what a size can show, how long it takes; and whether a statistical test is the right tool at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.experiments.analysis.looking import SPENDING
from fabrique.experiments.analysis.result import Detectable
from fabrique.experiments.plan.schema import SERIES_KINDS, Kind, Looks, Metric, Outcome, Plan
from fabrique.experiments.rules import is_not_the_tool
from fabrique.stats import sample_size
from fabrique.stats.group_sequential import required_drift, spending_bounds

if TYPE_CHECKING:
    from fabrique.experiments.analysis.result import Reading

MOST = 1e9
"""Units from which a size is called out of reach."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What a plan's size amounts to. Sizes are units an arm; None where the plan does not say enough."""

    needed: int | None
    inflation: float
    design_effect: float
    planned: int | None
    detectable: float | None
    mde: float | None
    scale: str
    days: int | None
    planned_days: int
    clusters_per_arm: int | None
    not_the_tool: bool
    missing: tuple[str, ...] = ()


def advise(plan: Plan) -> Advice:
    """Size a plan. A series is not sized by units."""
    if plan.design.kind in SERIES_KINDS:
        length = (plan.design.planned_end - plan.design.start).days + 1
        return Advice(None, 1.0, 1.0, None, None, plan.primary.mde_abs, "difference", None, length, None, not_the_tool=False)
    factor = looks_inflation(plan)
    effect = design_effect(plan)
    bare = needed_per_arm(plan)
    needed = None if bare is None or bare * factor * effect > MOST else math.ceil(bare * factor * effect)
    planned = plan.sample.n_per_arm
    scale, mde = mde_of(plan.primary)
    detectable = detectable_at(plan, planned / (factor * effect)) if planned else None
    per_day = plan.sample.expected_per_day
    arms = max(2, sum(1 for arm in plan.arms if arm.weight > 0))
    size = planned or needed
    days = max(math.ceil(size * arms / per_day), plan.sample.min_weeks_in_days) if size and per_day else None
    cluster_size = plan.design.cluster_size
    reachable = detectable if detectable is not None else in_the_time(plan, factor * effect, arms)
    return Advice(
        needed=needed,
        inflation=factor,
        design_effect=effect,
        planned=planned,
        detectable=detectable,
        mde=mde,
        scale=scale,
        days=days,
        planned_days=(plan.design.planned_end - plan.design.start).days + 1,
        clusters_per_arm=math.ceil(size / cluster_size) if size and cluster_size else None,
        not_the_tool=is_not_the_tool(shortfall(plan, reachable), shortfall(plan, mde)),
        missing=missing_for_size(plan),
    )


def in_the_time(plan: Plan, factor: float, arms: int) -> float | None:
    """What the traffic until the planned end can show, where no size is planned."""
    per_day = plan.sample.expected_per_day
    if not per_day:
        return None
    days = (plan.design.planned_end - plan.design.start).days + 1
    return detectable_at(plan, per_day * days / arms / factor)


def shortfall(plan: Plan, effect: float | None) -> float | None:
    """An effect as a distance from nothing, so that differences and ratios compare."""
    if effect is None:
        return None
    return abs(math.log(effect)) if mde_of(plan.primary)[0] == "ratio" and effect > 0 else abs(effect)


def mde_of(metric: Metric) -> tuple[str, float | None]:
    """The smallest effect that matters, on the scale that its reading has."""
    if metric.type in {Outcome.RATE, Outcome.DURATION}:
        if metric.baseline and metric.mde_abs is not None:
            return "ratio", (metric.baseline + metric.better.sign * metric.mde_abs) / metric.baseline
        return "ratio", None
    return "difference", metric.mde_abs


def missing_for_size(plan: Plan) -> tuple[str, ...]:
    """Keys without which no size can be computed."""
    metric = plan.primary
    missing = [f"metrics.primary.{key}" for key in ("baseline", "mde_abs") if getattr(metric, key) is None]
    if metric.type is Outcome.MEAN and metric.sd is None:
        missing.append("metrics.primary.sd")
    if metric.type is Outcome.DURATION and metric.sd is None:
        missing.append("metrics.primary.sd")
    if metric.type is Outcome.ORDINAL and not metric.baseline_levels:
        missing.append("metrics.primary.baseline_levels")
    if plan.design.kind is Kind.AB_CLUSTER:
        missing += [f"design.{key}" for key in ("cluster_size", "icc") if getattr(plan.design, key) is None]
    return tuple(missing)


def level(plan: Plan) -> float:
    """The error of one comparison: several treatments share it."""
    return plan.analysis.alpha / max(1, len(plan.treatments))


def looks_inflation(plan: Plan) -> float:
    """By how much looking before the end lengthens an experiment."""
    if plan.analysis.looks is not Looks.GROUP_SEQUENTIAL or not plan.analysis.information_fractions:
        return 1.0
    fractions = plan.analysis.information_fractions
    alpha, power = level(plan), plan.analysis.power
    bounds = spending_bounds(fractions, alpha=alpha, spending=SPENDING[plan.analysis.spending], phi=plan.analysis.phi)
    once = spending_bounds((1.0,), alpha=alpha)
    return (required_drift(bounds.bounds_z, fractions, power) / required_drift(once.bounds_z, (1.0,), power)) ** 2


def design_effect(plan: Plan) -> float:
    """By how much clusters lengthen it: 1 + (m - 1)·icc (Donner & Klar 2000)."""
    size, icc = plan.design.cluster_size, plan.design.icc
    if plan.design.kind is not Kind.AB_CLUSTER or size is None or icc is None:
        return 1.0
    return 1 + (size - 1) * icc


def needed_per_arm(plan: Plan) -> float | None:
    """Units an arm for one look without clusters; None where the plan does not say enough, or no size would do."""
    metric, alpha, power = plan.primary, level(plan), plan.analysis.power
    if metric.baseline is None or not metric.mde_abs:
        return None
    sizes = {
        Outcome.BINARY: binary_size,
        Outcome.MEAN: mean_size,
        Outcome.ORDINAL: ordinal_size,
        Outcome.RATE: rate_size,
        Outcome.DURATION: duration_size,
    }
    return sizes[metric.type](metric, metric.baseline, metric.mde_abs, alpha, power)


def binary_size(metric: Metric, baseline: float, mde: float, alpha: float, power: float) -> float | None:
    """Two shares."""
    other = baseline + metric.better.sign * mde
    if not 0 < baseline < 1 or not 0 < other < 1:
        return None
    return sample_size.proportions_size(baseline, other, alpha=alpha, power=power).n


def mean_size(metric: Metric, _baseline: float, mde: float, alpha: float, power: float) -> float | None:
    """Two means."""
    return sample_size.means_size(mde, metric.sd, alpha=alpha, power=power) if metric.sd else None


def ordinal_size(metric: Metric, _baseline: float, mde: float, alpha: float, power: float) -> float | None:
    """Answer levels, by the odds ratio that moves the mean mark as wanted."""
    ratio = odds_ratio_for(metric, mde)
    return None if ratio is None else sample_size.levels_size(metric.baseline_levels, ratio, alpha=alpha, power=power).n


def rate_size(metric: Metric, baseline: float, mde: float, alpha: float, power: float) -> float | None:
    """Exposure an arm for two rates."""
    other = baseline + metric.better.sign * mde
    return sample_size.rates_size(baseline, other, alpha=alpha, power=power) if baseline > 0 and other > 0 else None


def duration_size(metric: Metric, baseline: float, mde: float, alpha: float, power: float) -> float | None:
    """Typical durations: the variance of a logarithm is about log(1 + (sd / mean)²), as in a log-normal."""
    other = baseline + metric.better.sign * mde
    if not metric.sd or baseline <= 0 or other <= 0:
        return None
    variance = 2 * math.log(1 + (metric.sd / baseline) ** 2)
    return variance * ((quantile(1 - alpha / 2) + quantile(power)) / math.log(other / baseline)) ** 2


def quantile(p: float) -> float:
    """Of the normal distribution."""
    from scipy.special import ndtri  # noqa: PLC0415

    return float(ndtri(p))


def marks_of(metric: Metric) -> tuple[float, ...]:
    """The marks of a metric's levels."""
    return metric.marks or tuple(float(place) for place in range(1, len(metric.baseline_levels) + 1))


def mean_shift(metric: Metric, ratio: float) -> float:
    """By how much the mean mark moves when the odds are multiplied."""
    marks = marks_of(metric)
    before = sum(share * mark for share, mark in zip(metric.baseline_levels, marks, strict=True))
    after = sum(
        share * mark for share, mark in zip(sample_size.shifted_shares(metric.baseline_levels, ratio), marks, strict=True)
    )
    return after - before


def odds_ratio_for(metric: Metric, effect: float) -> float | None:
    """The odds ratio that moves the mean mark by `effect` for the better; None where the scale cannot bear it."""
    if not metric.baseline_levels:
        return None
    target = metric.better.sign * effect
    low, high = (1.0, 1e6) if target > 0 else (1e-6, 1.0)
    if not mean_shift(metric, low) <= target <= mean_shift(metric, high):
        return None
    for _round in range(80):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if mean_shift(metric, middle) < target else (low, middle)
    return math.sqrt(low * high)


def detectable_at(plan: Plan, n_per_arm: float) -> float | None:
    """The smallest effect that so many units an arm show in `power` of trials, on the reading's scale; found by halving."""
    if needed_per_arm(plan) is None:
        return None
    from dataclasses import replace  # noqa: PLC0415

    def needs(effect: float) -> float:
        metric = replace(plan.primary, mde_abs=effect)
        found = needed_per_arm(replace(plan, primary=metric))
        return math.inf if found is None else found

    low, high = 0.0, largest_effect(plan.primary)
    if needs(high * (1 - 1e-9)) > n_per_arm:
        return None
    for _round in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if needs(middle) > n_per_arm else (low, middle)
    return mde_of(replace(plan.primary, mde_abs=high))[1]


def largest_effect(metric: Metric) -> float:
    """The largest effect that a metric can have."""
    base = metric.baseline or 0.0
    match metric.type:
        case Outcome.BINARY:
            return 1 - base if metric.better.sign > 0 else base
        case Outcome.ORDINAL:
            return abs(mean_shift(metric, 1e6 if metric.better.sign > 0 else 1e-6))
        case Outcome.MEAN:
            return 20 * (metric.sd or 1.0)
        case Outcome.RATE | Outcome.DURATION:
            return base * (9.0 if metric.better.sign > 0 else 0.999)


def detectable_with(plan: Plan, primary: Reading | None) -> Detectable | None:
    """What the size that was reached could show: from the reading's own error where it has one."""
    if primary is None or not primary.link_error:
        return None
    distance = quantile(1 - level(plan) / 2) + quantile(plan.analysis.power)
    marks = next((one for one in primary.beside if one.key == "mean_mark_difference"), None)
    error = primary.link_error
    if marks is not None and marks.low is not None and marks.high is not None:
        error = (marks.high - marks.low) / 2 / quantile(0.5 + primary.level / 2)
    effect = distance * error
    if primary.scale == "ratio":
        effect = math.exp(plan.primary.better.sign * effect)
    return Detectable(effect, primary.mde, plan.analysis.power, primary.scale)
