"""The report's drawings: the effect as it grew, guardrails and subgroups on one axis, answer levels, a series and its counterfactual."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from fabrique.experiments.plan.schema import Outcome
from fabrique.experiments.sentences import gap
from fabrique.language import _
from fabrique.web.charts.forest import Forest, Line, forest
from fabrique.web.charts.growth import Grown, Growth, Looked, growth
from fabrique.web.charts.pair import Pair, pair

if TYPE_CHECKING:
    from fabrique.experiments.analysis.result import Guard, Reading
    from fabrique.experiments.plan.schema import Plan
    from fabrique.experiments.report import Report


@dataclass(frozen=True, slots=True)
class LevelBar:
    """One arm's answers as a bar of shares: level, answers, share, where its part begins (all of 1), and how dark it is."""

    arm: str
    answers: int
    parts: tuple[tuple[str, int, float, float, float], ...]


def level_bars(plan: Plan, reading: Reading) -> tuple[LevelBar, ...]:
    """The control's bar, then the new arm's; nothing where the metric has no levels."""
    names = {arm.key: arm.name for arm in plan.arms}
    pairs = ((reading.control, reading.levels_ctrl), (reading.arm, reading.levels_treat))
    return tuple(level_bar(plan, names.get(arm, arm), levels) for arm, levels in pairs if sum(levels))


def level_bar(plan: Plan, arm: str, levels: tuple[int, ...]) -> LevelBar:
    """One bar."""
    labels = plan.primary.levels or tuple(str(place) for place in range(1, len(levels) + 1))
    total, before, parts = sum(levels), 0, []
    for place, (label, count) in enumerate(zip(labels, levels, strict=True)):
        parts.append((label, count, count / total, before / total, 0.15 + 0.7 * place / max(1, len(levels) - 1)))
        before += count
    return LevelBar(arm, total, tuple(parts))


@dataclass(frozen=True, slots=True)
class Charts:
    """What a report draws; None where there is nothing to draw. Shares are drawn in points."""

    growth: Growth | None
    subgroups: Forest | None
    guardrails: tuple[tuple[str, Forest], ...]
    series: Pair | None
    levels: tuple[LevelBar, ...]
    factor: float
    scale: str


def charts_of(report: Report) -> Charts:
    """Every drawing of a report."""
    plan, analysis = report.plan, report.analysis
    factor = 100.0 if plan.primary.type is Outcome.BINARY else 1.0
    reading = analysis.primary
    drawn = growth_of(report, factor) if reading is not None and report.primary else None
    lines = [line_of(plan, one.reading, f"{one.name} = {one.value}", factor) for one in analysis.subgroups]
    kept = [line for line in lines if line is not None]
    return Charts(
        growth=drawn,
        subgroups=forest(kept, null=reading.null) if kept and reading is not None else None,
        guardrails=tuple(found for one in analysis.guardrails if (found := guard_chart(plan, one)) is not None),
        series=pair([(p.period, scaled(p.value, factor), scaled(p.expected, factor), p.treated) for p in analysis.series]),
        levels=level_bars(plan, reading) if reading is not None and report.primary else (),
        factor=factor,
        scale=reading.scale if reading is not None else "difference",
    )


def scaled(value: float | None, factor: float) -> float | None:
    """Shares in points."""
    return None if value is None else value * factor


def growth_of(report: Report, factor: float) -> Growth | None:
    """The effect as it grew."""
    analysis = report.analysis
    reading = analysis.primary
    if reading is None:
        return None
    steps = [
        Grown(date.fromisoformat(one.day), one.estimate * factor, scaled(one.low, factor), scaled(one.high, factor))
        for one in analysis.cumulative
        if one.estimate is not None
    ]
    looks = [
        Looked(date.fromisoformat(one.day), one.estimate * factor, scaled(one.low, factor), scaled(one.high, factor), one.crossed)
        for one in analysis.looks
        if one.estimate is not None
    ]
    sign = report.plan.primary.better.sign
    mde = None if reading.mde is None else reading.mde if reading.scale == "ratio" else sign * reading.mde * factor
    return growth(steps, looks, null=reading.null, mde=mde) if len(steps) > 1 else None


def line_of(plan: Plan, reading: Reading, label: str, factor: float) -> Line | None:
    """A comparison as a row of a forest."""
    if reading.estimate is None:
        return None
    metric = plan.metric(reading.metric) or plan.primary
    return Line(
        label=label,
        value=reading.estimate * factor,
        low=scaled(reading.low, factor),
        high=scaled(reading.high, factor),
        text=gap(metric, reading, reading.estimate),
        tone=tone_of(plan, reading),
    )


def tone_of(plan: Plan, reading: Reading) -> str:
    """Improvement or regression where the interval excludes nothing; neutral otherwise."""
    metric = plan.metric(reading.metric) or plan.primary
    if reading.low is not None and reading.low > reading.null:
        return "improvement" if metric.better.sign > 0 else "regression"
    if reading.high is not None and reading.high < reading.null:
        return "regression" if metric.better.sign > 0 else "improvement"
    return "neutral"


TONES = {"safe": "improvement", "harmed": "regression", "inconclusive": "neutral"}


def guard_chart(plan: Plan, guard: Guard) -> tuple[str, Forest] | None:
    """A guardrail's interval beside its margin, on an axis of its own: units differ."""
    metric = plan.metric(guard.metric)
    if guard.reading is None or metric is None or guard.reading.estimate is None:
        return None
    factor = 100.0 if metric.type is Outcome.BINARY else 1.0
    line = line_of(plan, guard.reading, metric.label, factor)
    if line is None:
        return None
    toned = Line(**{**{name: getattr(line, name) for name in Line.__slots__}, "tone": TONES[guard.verdict]})
    return metric.label, forest([toned], null=guard.reading.null, marks=[(guard.margin_on_scale * factor, _("margin"), "margin")])
