"""Guardrails against their margins: safe, harmed, or inconclusive. A guardrail without figures is inconclusive."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fabrique.experiments.analysis.comparing import bounds, compare, finite
from fabrique.experiments.analysis.result import Guard, Reading
from fabrique.experiments.plan.schema import Kind, Metric, Outcome
from fabrique.stats.noninferiority import farrington_manning
from fabrique.stats.rate_margin import exact_ratio_tests

if TYPE_CHECKING:
    from fabrique.experiments.analysis.summaries import Summary
    from fabrique.experiments.plan.schema import Plan

ONE_SIDED = 0.025
"""The level at which a guardrail is safe. It is read once, where the primary metric crosses: extending needs both (Berger 1982)."""


def guard(
    plan: Plan, metric: Metric, arm: str, treat: Summary | None, ctrl: Summary | None, *, alpha: float, harm_level: float
) -> Guard:
    """One guardrail in one arm. `harm_level` is one-sided: the share of the error that this look may spend on stopping for harm."""
    margin = metric.non_inferiority_margin or 0.0
    reading = compare(plan, metric, arm, treat, ctrl, alpha) if treat is not None and ctrl is not None else None
    if reading is None or treat is None or ctrl is None:
        return Guard(metric.key, arm, margin, margin, "inconclusive", None, None, None)
    limit = limit_on_scale(metric, reading, margin)
    p_safe, p_harmed = tests(plan, metric, reading, treat, ctrl, margin=margin, limit=limit)
    verdict = "inconclusive"
    if p_harmed is not None and p_harmed <= harm_level:
        verdict = "harmed"
    elif p_safe is not None and p_safe <= ONE_SIDED:
        verdict = "safe"
    return Guard(metric.key, arm, margin, limit, verdict, p_safe, p_harmed, reading)


def limit_on_scale(metric: Metric, reading: Reading, margin: float) -> float:
    """The worst effect that is borne, on the reading's scale: -margin where more is better, a ratio for rates and durations."""
    worst = -metric.better.sign * margin
    if reading.scale == "difference":
        return worst
    base = reading.value_ctrl or metric.baseline or 0.0
    return max(base + worst, 0.0) / base if base else 1.0


def tests(
    plan: Plan, metric: Metric, reading: Reading, treat: Summary, ctrl: Summary, *, margin: float, limit: float
) -> tuple[float | None, float | None]:
    """One-sided p-values: that the effect is better than the limit, and that it is worse."""
    clustered = plan.design.kind is Kind.AB_CLUSTER and bool(treat.clusters)
    if metric.type is Outcome.BINARY and not clustered:
        return binary_tests(metric, treat, ctrl, margin)
    if metric.type is Outcome.RATE and limit > 0:
        below, above = exact_ratio_tests(int(treat.x), treat.n, int(ctrl.x), ctrl.n, ratio=limit)
        return (above, below) if metric.better.sign > 0 else (below, above)
    return student_tests(metric, reading, limit)


def binary_tests(metric: Metric, treat: Summary, ctrl: Summary, margin: float) -> tuple[float, float]:
    """Farrington and Manning's score test, on failures where less is better."""
    x_treat, n_treat, x_ctrl, n_ctrl = int(treat.x), int(treat.n), int(ctrl.x), int(ctrl.n)
    if metric.better.sign < 0:
        x_treat, x_ctrl = n_treat - x_treat, n_ctrl - x_ctrl
    found = farrington_manning(x_treat, n_treat, x_ctrl, n_ctrl, margin=margin, alpha_one_sided=ONE_SIDED)
    return found.p_safe, found.p_harmed


def student_tests(metric: Metric, reading: Reading, limit: float) -> tuple[float | None, float | None]:
    """Shifted test on the scale where the estimate is most nearly normal, with the spread that the interval tells."""
    estimate, error = centre_and_error(reading)
    if estimate is None or error is None:
        return None, None
    edge = math.log(limit) if reading.scale == "ratio" and limit > 0 else limit
    if error == 0:
        better = (estimate - edge) * metric.better.sign > 0
        return (0.0, 1.0) if better else (1.0, 0.0)
    from scipy.special import ndtr  # noqa: PLC0415

    z = (estimate - edge) / error * metric.better.sign
    return float(ndtr(-z)), float(ndtr(z))


def centre_and_error(reading: Reading) -> tuple[float | None, float | None]:
    """The estimate and its error: of the mean marks for answer levels, of the logarithm for ratios."""
    marks = next((one for one in reading.beside if one.key == "mean_mark_difference"), None)
    if marks is not None and marks.value is not None and marks.low is not None and marks.high is not None:
        from scipy.special import ndtri  # noqa: PLC0415

        return marks.value, (marks.high - marks.low) / 2 / float(ndtri(0.5 + reading.level / 2))
    return reading.link_estimate, finite(reading.link_error)


__all__ = ["ONE_SIDED", "bounds", "guard"]
