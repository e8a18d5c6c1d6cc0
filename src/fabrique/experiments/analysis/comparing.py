"""One arm against the control on one metric, by the method that STATISTICS.md names for its type and size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from fabrique.experiments.analysis.result import Beside, Reading
from fabrique.experiments.plan.schema import Kind, Looks, Metric, Outcome, Plan
from fabrique.language import n_
from fabrique.stats.clusters import compare_clusters
from fabrique.stats.confidence_sequence import always_valid
from fabrique.stats.covariates import adjust
from fabrique.stats.durations import compare_durations
from fabrique.stats.levels import compare_levels
from fabrique.stats.means import MeanComparison, Moments, compare_means, compare_values
from fabrique.stats.proportions import compare_proportions, newcombe_interval
from fabrique.stats.rates import RateComparison, compare_counts, compare_rates

if TYPE_CHECKING:
    from fabrique.experiments.analysis.summaries import Summary
    from fabrique.stats.interval import Interval

NOTE_LABELS = {
    "no_variation": n_("Nobody, or everybody, succeeded in both arms."),
    "no_spread": n_("Nothing varies inside the arms: no interval can be given, and nothing is concluded."),
    "proportionality": n_("One odds ratio does not describe all levels well; read the bars of the levels beside it."),
    "overdispersed": n_("Days differ more than chance would have them: the interval is widened accordingly."),
    "always_valid_small": n_("Too few units yet for an interval that holds at any moment."),
    "few_clusters": n_("Few clusters: lots were drawn again in every possible way."),
    "drawn_within": n_("Lots were drawn inside clusters: each holds both arms."),
    "covariate": n_("Adjusted for what the units were before (Lin 2013)."),
    "no_pre": n_("The plan adjusts for what the units were before, but the data do not tell it for all; not adjusted."),
    "zero_durations": n_("Durations of zero were counted as half the smallest one seen."),
    "durations_from_moments": n_("Only sums of durations are known: means are compared, not typical durations."),
}
SUSPECT = 0.01
"""Below this p-value the proportional-odds assumption is said not to hold."""


def honest(reading: Reading) -> Reading:
    """Without a bound or a p-value where nothing varied: an interval of no width would claim certainty."""
    if not is_nil(reading.low, reading.high):
        return reading
    return replace(reading, low=None, high=None, p_value=None, link_error=None, notes=(*reading.notes, "no_spread"))


def is_nil(low: float | None, high: float | None) -> bool:
    """Whether an interval has no width but that of rounding."""
    return low is not None and high is not None and high - low <= ROUNDING * max(abs(low), abs(high), ROUNDING)


ROUNDING = 1e-9


def bounds(interval: Interval) -> tuple[float | None, float | None]:
    """The two ends, None where one is infinite."""
    return finite(interval.low), finite(interval.high)


def finite(value: float | None) -> float | None:
    """The number, None where it is not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def beside(key: str, value: float | None, interval: Interval | None = None) -> Beside:
    """A second reading."""
    low, high = bounds(interval) if interval is not None else (None, None)
    if is_nil(low, high):
        low = high = None
    return Beside(key, finite(value), low, high)


def compare(plan: Plan, metric: Metric, arm: str, treat: Summary, ctrl: Summary, alpha: float) -> Reading | None:
    """The reading at that level; None where an arm has nobody."""
    least = 1e-9 if metric.type is Outcome.RATE else 1.0
    if min(treat.n, ctrl.n) < least:
        return None
    bare = Reading(
        metric=metric.key, arm=arm, control=plan.control.key, n_treat=treat.n, n_ctrl=ctrl.n, value_treat=None, value_ctrl=None,
        scale="difference", estimate=None, low=None, high=None, level=1 - alpha, p_value=None, method="", mde=metric.mde_abs,
    )  # fmt: skip
    if plan.design.kind is Kind.AB_CLUSTER and treat.clusters and ctrl.clusters:
        return honest(clustered(bare, treat, ctrl, alpha))
    reading = honest(by_type(bare, plan, metric, treat, ctrl, alpha))
    if plan.analysis.looks is Looks.ALWAYS_VALID:
        return at_any_moment(reading, plan, alpha)
    return reading


def sketch(plan: Plan, metric: Metric, arm: str, treat: Summary, ctrl: Summary) -> Reading | None:
    """A reading for a drawing of many days: the same estimate and kind of interval, without the exact tests that cost time."""
    alpha = plan.analysis.alpha
    by_counts = metric.type in {Outcome.BINARY, Outcome.ORDINAL} and plan.design.kind is not Kind.AB_CLUSTER
    if not by_counts or plan.analysis.looks is Looks.ALWAYS_VALID:
        return compare(plan, metric, arm, treat, ctrl, alpha)
    if min(treat.n, ctrl.n) < 1:
        return None
    if metric.type is Outcome.ORDINAL:
        means = compare_means(of_levels(metric, treat), of_levels(metric, ctrl), alpha=alpha)
        estimate, interval, method = means.difference, means.interval, "welch"
    else:
        interval = newcombe_interval(int(treat.x), int(treat.n), int(ctrl.x), int(ctrl.n), alpha=alpha)
        estimate, method = treat.x / treat.n - ctrl.x / ctrl.n, "newcombe"
    low, high = bounds(interval)
    if is_nil(low, high):
        low = high = None
    return Reading(
        metric=metric.key, arm=arm, control=plan.control.key, n_treat=treat.n, n_ctrl=ctrl.n, value_treat=None, value_ctrl=None,
        scale="difference", estimate=estimate, low=low, high=high, level=1 - alpha, p_value=None, method=method,
    )  # fmt: skip


def of_levels(metric: Metric, summary: Summary) -> Moments:
    """The marks' moments."""
    marks = metric.marks or range(1, len(summary.levels) + 1)
    pairs = list(zip(summary.levels, marks, strict=False))
    return Moments(int(summary.n), sum(n * mark for n, mark in pairs), sum(n * mark * mark for n, mark in pairs))


def by_type(bare: Reading, plan: Plan, metric: Metric, treat: Summary, ctrl: Summary, alpha: float) -> Reading:
    """The default method of a metric's type."""
    match metric.type:
        case Outcome.BINARY:
            return binary(bare, treat, ctrl, alpha)
        case Outcome.ORDINAL:
            return ordinal(bare, metric, treat, ctrl, alpha)
        case Outcome.MEAN:
            return mean(bare, plan, treat, ctrl, alpha)
        case Outcome.RATE:
            return rate(bare, metric, treat, ctrl, alpha)
        case Outcome.DURATION:
            return duration(bare, metric, treat, ctrl, alpha)


def binary(bare: Reading, treat: Summary, ctrl: Summary, alpha: float) -> Reading:
    """Two shares: Newcombe's interval, pooled z (or Boschloo, Fisher) p-value."""
    found = compare_proportions(int(treat.x), int(treat.n), int(ctrl.x), int(ctrl.n), alpha=alpha)
    low, high = bounds(found.interval)
    return replace(
        bare,
        value_treat=found.rate_treat, value_ctrl=found.rate_ctrl, estimate=found.difference, low=low, high=high,
        p_value=found.p_value, method=f"newcombe+{found.p_method}",
        link_estimate=found.difference, link_error=finite(found.standard_error),
        beside=(
            beside("miettinen_nurminen", found.difference, found.score_interval),
            beside("risk_ratio", found.risk_ratio, found.risk_ratio_interval),
        ),
        notes=("no_variation",) if found.rate_treat == found.rate_ctrl and found.rate_ctrl in {0.0, 1.0} else (),
    )  # fmt: skip


def ordinal(bare: Reading, metric: Metric, treat: Summary, ctrl: Summary, alpha: float) -> Reading:
    """Answer levels: proportional odds, told as the difference of mean marks that it implies."""
    found = compare_levels(treat.levels, ctrl.levels, marks=metric.marks or None, alpha=alpha)
    low, high = bounds(found.implied_interval)
    suspect = found.proportionality_p is not None and found.proportionality_p < SUSPECT
    ratio = found.odds_ratio
    return replace(
        bare,
        value_treat=found.mean_ctrl + found.implied_difference, value_ctrl=found.mean_ctrl, estimate=found.implied_difference,
        low=low, high=high,
        p_value=found.p_value, method=f"proportional-odds+{found.p_method}",
        link_estimate=math.log(ratio) if 0 < ratio < math.inf else None, link_error=finite(found.standard_error),
        beside=(
            beside("odds_ratio", ratio, found.odds_ratio_interval),
            beside("superiority", found.superiority, found.superiority_interval),
            beside("mean_mark_difference", found.mean_difference, found.mean_interval),
            beside("proportionality_p", found.proportionality_p),
        ),
        notes=("proportionality",) if suspect else (), levels_treat=treat.levels, levels_ctrl=ctrl.levels,
    )  # fmt: skip


def mean(bare: Reading, plan: Plan, treat: Summary, ctrl: Summary, alpha: float) -> Reading:
    """Means: Welch; Lin's estimator where the plan adjusts for what units were before; permutation where few."""
    if treat.values and ctrl.values:
        found = compare_values(treat.array, ctrl.array, alpha=alpha)
    else:
        found = compare_means(moments(treat), moments(ctrl), alpha=alpha)
    reading = of_means(bare, found)
    if "pre" not in plan.analysis.covariates or bare.metric != plan.primary.key:
        return reading
    if not (treat.pre and ctrl.pre):
        return replace(reading, notes=(*reading.notes, "no_pre"))
    lin = adjust(treat.values, treat.pre, ctrl.values, ctrl.pre, alpha=alpha)
    low, high = bounds(lin.interval)
    return replace(
        reading,
        estimate=lin.difference, low=low, high=high, p_value=lin.p_value, method="lin-hc2" if lin.method == "lin" else "welch",
        link_estimate=lin.difference, link_error=finite(lin.standard_error),
        beside=(beside("unadjusted", found.difference, found.interval), *reading.beside), notes=(*reading.notes, "covariate"),
    )  # fmt: skip


def moments(summary: Summary) -> Moments:
    """n, sum and sum of squares."""
    return Moments(int(summary.n), summary.total, summary.total_of_squares)


def of_means(bare: Reading, found: MeanComparison) -> Reading:
    """A reading of Welch's comparison."""
    low, high = bounds(found.interval)
    median = found.median
    return replace(
        bare,
        value_treat=found.mean_treat, value_ctrl=found.mean_ctrl, estimate=found.difference, low=low, high=high,
        p_value=found.p_value, method=f"welch+{found.p_method}",
        link_estimate=found.difference, link_error=finite(found.standard_error),
        beside=(beside("median_difference", median.difference, median.interval),) if median is not None else (),
    )  # fmt: skip


def rate(bare: Reading, metric: Metric, treat: Summary, ctrl: Summary, alpha: float) -> Reading:
    """Events per exposure: exact conditional Poisson; quasi-Poisson where days differ more than chance has it."""
    exact = compare_rates(int(treat.x), treat.n, int(ctrl.x), ctrl.n, alpha=alpha)
    bare = replace(bare, scale="ratio", mde=ratio_mde(metric))
    reading = replace(of_rates(bare, exact, treat.x, ctrl.x), method="exact-poisson")
    if min(len(treat.by_day), len(ctrl.by_day)) < SPREAD_FROM:
        return reading
    spread = compare_counts(
        [x for x, n in treat.by_day if n > 0], [n for _x, n in treat.by_day if n > 0],
        [x for x, n in ctrl.by_day if n > 0], [n for _x, n in ctrl.by_day if n > 0], alpha=alpha,
    )  # fmt: skip
    if spread.p_method == "exact" or spread.dispersion <= OVERDISPERSED:
        return reading
    return replace(
        of_rates(bare, spread, treat.x, ctrl.x), method="quasi-poisson", notes=("overdispersed",),
        beside=(beside("exact_poisson", exact.ratio, exact.interval), beside("dispersion", spread.dispersion)),
    )  # fmt: skip


def of_rates(bare: Reading, found: RateComparison, x_treat: float, x_ctrl: float) -> Reading:
    """A reading of two rates; a ratio's logarithm has the variance of its counts, times their dispersion."""
    low, high = bounds(found.interval)
    error = math.sqrt(found.dispersion * (1 / x_treat + 1 / x_ctrl)) if x_treat and x_ctrl else None
    return replace(
        bare,
        value_treat=found.rate_treat, value_ctrl=found.rate_ctrl, estimate=finite(found.ratio), low=low, high=high,
        p_value=found.p_value, link_estimate=math.log(found.ratio) if found.ratio else None,
        link_error=error,
        beside=(beside("score_interval", found.ratio, found.score_interval),),
    )  # fmt: skip


SPREAD_FROM = 10
"""Days in each arm from which the spread of their rates can be told."""
OVERDISPERSED = 1.25
"""Variance over that of counts from which days are taken to differ by more than chance."""


def ratio_mde(metric: Metric) -> float | None:
    """The smallest effect that matters as a ratio."""
    if metric.baseline and metric.mde_abs is not None:
        return (metric.baseline + metric.better.sign * metric.mde_abs) / metric.baseline
    return None


def duration(bare: Reading, metric: Metric, treat: Summary, ctrl: Summary, alpha: float) -> Reading:
    """Durations: Mann–Whitney and the ratio of geometric means; means where only sums are known."""
    if not (treat.values and ctrl.values):
        return replace(
            of_means(bare, compare_means(moments(treat), moments(ctrl), alpha=alpha)), notes=("durations_from_moments",)
        )
    found = compare_durations(treat.array, ctrl.array, alpha=alpha)
    low, high = bounds(found.interval)
    return replace(
        bare,
        value_treat=finite(found.mean_treat), value_ctrl=finite(found.mean_ctrl), scale="ratio",
        estimate=finite(found.ratio), low=low, high=high, p_value=found.p_value, method=f"geometric-means+{found.p_method}",
        mde=ratio_mde(metric),
        link_estimate=math.log(found.ratio) if found.ratio > 0 else None, link_error=finite(found.standard_error_log),
        beside=(
            beside("superiority", found.superiority),
            *(beside(f"quantile_{round(one.level * 100)}", one.difference, one.interval) for one in found.quantiles),
        ),
        notes=("zero_durations",) if found.raised_zeros else (),
    )  # fmt: skip


def clustered(bare: Reading, treat: Summary, ctrl: Summary, alpha: float) -> Reading:
    """Agencies or territories: what one member does, its neighbours do as well."""
    values = [*treat.values, *ctrl.values]
    arms = [1] * len(treat.values) + [0] * len(ctrl.values)
    found = compare_clusters(values, arms, [*treat.clusters, *ctrl.clusters], alpha=alpha)
    varies = min(values) != max(values)
    low, high = bounds(found.interval) if varies else (None, None)
    notes = ["few_clusters"] if found.method == "permutation" else []
    notes += ["no_variation"] if not varies else []
    notes += ["drawn_within"] if found.within else []
    return replace(
        bare,
        value_treat=treat.total / treat.n, value_ctrl=ctrl.total / ctrl.n, estimate=found.difference, low=low, high=high,
        p_value=found.p_value, method=found.method, link_estimate=found.difference, link_error=finite(found.standard_error),
        beside=(
            beside("icc", found.icc), *(() if found.within else (beside("design_effect", found.design_effect),)),
            beside("clusters_treat", found.clusters_treat), beside("clusters_ctrl", found.clusters_ctrl),
        ),
        notes=tuple(notes),
    )  # fmt: skip


def at_any_moment(reading: Reading, plan: Plan, alpha: float) -> Reading:
    """The same with an interval that holds however often one looks (asymptotic confidence sequence).

    Ordinal answers are told by their mean marks: the sequence needs a mean.
    """
    marks = next((one for one in reading.beside if one.key == "mean_mark_difference"), None)
    estimate, error = reading.link_estimate, reading.link_error
    if marks is not None and marks.value is not None and marks.low is not None:
        estimate, error = marks.value, (marks.value - marks.low) / normal_quantile(alpha)
    if estimate is None or not error:
        return replace(
            reading, low=None, high=None, p_value=None, method="always-valid", notes=(*reading.notes, "always_valid_small")
        )
    n = reading.n_treat + reading.n_ctrl
    found = always_valid(estimate, error, n, alpha=alpha, n_star=plan.analysis.n_star or default_n_star(plan))
    low, high = finite(found.interval.low), finite(found.interval.high)
    if reading.scale == "ratio":
        low, high = exp(low), exp(high)
    small = ("always_valid_small",) if low is None or high is None else ()
    return replace(
        reading, estimate=reading.estimate if marks is None else estimate, low=low, high=high, p_value=found.p_value,
        method="always-valid", notes=(*reading.notes, *small),
    )  # fmt: skip


def exp(value: float | None) -> float | None:
    """Back from a logarithm."""
    return None if value is None else math.exp(value)


def normal_quantile(alpha: float) -> float:
    """What an interval's half-width is in standard errors."""
    from scipy.special import ndtri  # noqa: PLC0415

    return float(ndtri(1 - alpha / 2))


def default_n_star(plan: Plan) -> int:
    """The size at which the sequence is tightest: the planned one, else what 30 days bring, else 1,000."""
    if plan.sample.n_per_arm:
        return 2 * plan.sample.n_per_arm
    return max(100, round(30 * plan.sample.expected_per_day)) if plan.sample.expected_per_day else 1000
