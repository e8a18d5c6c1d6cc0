"""What a practice did across experiments: comparable effects pooled, contradictions named, for whom it worked."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabrique.experiments.analysis.running import from_json
from fabrique.experiments.plan.reading import read
from fabrique.experiments.plan.schema import OUTCOME_SHORT, Better, Metric, Outcome
from fabrique.experiments.rules import Verdict
from fabrique.experiments.sentences import percent_change, unit_of
from fabrique.language import _, ngettext
from fabrique.stats.pooling import pool
from fabrique.web.charts.forest import Forest, Line, forest
from fabrique.web.formats import difference, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fabrique.experiments.analysis.result import Reading
    from fabrique.experiments.queries import Practice, Trial
    from fabrique.stats.pooling import Pooled

TELLING = frozenset(
    {Verdict.EXTEND, Verdict.EXTEND_STEP_BY_STEP, Verdict.STOP, Verdict.NO_USEFUL_EFFECT, Verdict.UNDECIDABLE, Verdict.SIGNAL}
)
"""Verdicts that come with an effect to pool; an invalid result teaches nothing about the practice."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One experiment's effect on the scale that is pooled, positive where users are better off."""

    trial: Trial
    metric: Metric
    scale: str
    estimate: float
    error: float


@dataclass(frozen=True, slots=True)
class Group:
    """Comparable experiments: same kind of outcome, same unit."""

    label: str
    effects: tuple[Effect, ...]
    pooled: Pooled | None
    chart: Forest
    sentence: str
    contradicting: tuple[Trial, ...]
    """Experiments whose interval lies on the other side of nothing than the pooled effect."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a practice's page tells."""

    groups: tuple[Group, ...]
    left_out: tuple[Trial, ...]


def evidence_of(practice: Practice) -> Evidence:
    """The evidence on a practice."""
    groups: dict[tuple[str, str, str], list[Effect]] = defaultdict(list)
    left_out: list[Trial] = []
    for trial in practice.trials:
        effect = effect_of(trial)
        if effect is None:
            left_out.append(trial)
        else:
            groups[effect.metric.type, effect.scale, effect.metric.unit].append(effect)
    return Evidence(tuple(group_of(effects) for effects in groups.values()), tuple(left_out))


def effect_of(trial: Trial) -> Effect | None:
    """An experiment's effect; None where it has none to pool."""
    if trial.result is None or Verdict(trial.verdict) not in TELLING:
        return None
    plan, faults = read(trial.result["inputs"]["plan"])
    reading = reading_of(trial.result)
    if faults or reading is None or reading.link_estimate is None or not reading.link_error:
        return None
    sign = 1 if plan.primary.better is Better.HIGHER else -1
    scale = "ratio" if plan.primary.type is Outcome.ORDINAL else reading.scale
    return Effect(trial, plan.primary, scale, sign * reading.link_estimate, reading.link_error)


def reading_of(result: dict[str, Any]) -> Reading | None:
    """The primary reading of a stored sheet."""
    return from_json({key: one for key, one in result.items() if key not in {"sheet", "sentence", "inputs", "day"}}).primary


def group_of(effects: Sequence[Effect]) -> Group:
    """Comparable effects, pooled where there are two at least."""
    pooled = pool([one.estimate for one in effects], [one.error**2 for one in effects]) if len(effects) > 1 else None
    first = effects[0]
    factor = 100.0 if first.metric.type is Outcome.BINARY else 1.0
    lines = [line_of(one, factor) for one in effects]
    if pooled is not None:
        lines += pooled_lines(pooled, first, factor)
    direction = math.copysign(1.0, pooled.mu if pooled is not None else first.estimate)
    return Group(
        label=_(OUTCOME_SHORT[first.metric.type]),
        effects=tuple(effects),
        pooled=pooled,
        chart=forest(lines, null=0.0),
        sentence=sentence_of(effects, pooled),
        contradicting=tuple(one.trial for one in effects if one.estimate * direction + Z95 * one.error < 0),
    )


Z95 = 1.959963984540054
"""Half-width of a 95 % interval in standard errors."""


def line_of(effect: Effect, factor: float) -> Line:
    """An experiment's row."""
    low, high = effect.estimate - Z95 * effect.error, effect.estimate + Z95 * effect.error
    return Line(
        label=effect.trial.title,
        value=effect.estimate * factor,
        low=low * factor,
        high=high * factor,
        text=words(effect, effect.estimate),
        tone="improvement" if low > 0 else "regression" if high < 0 else "neutral",
        address=f"/essais/{effect.trial.slug}",
    )


def pooled_lines(pooled: Pooled, first: Effect, factor: float) -> list[Line]:
    """The pooled effect, and where a next experiment's is expected."""
    low, high = pooled.interval.low, pooled.interval.high
    tone = "improvement" if low > 0 else "regression" if high < 0 else "neutral"
    lines = [Line(_("Together"), pooled.mu * factor, low * factor, high * factor, words(first, pooled.mu), "pooled", tone)]
    if pooled.prediction_interval is not None:
        span = pooled.prediction_interval
        lines.append(Line(_("A next one, probably"), pooled.mu * factor, span.low * factor, span.high * factor, "", "prediction"))
    return lines


def words(effect: Effect, amount: float) -> str:
    """An effect in words, positive where users are better off."""
    if effect.scale == "ratio":
        return percent_change(math.exp(amount))
    return difference(amount, unit_of(effect.metric, amount))


def sentence_of(effects: Sequence[Effect], pooled: Pooled | None) -> str:
    """What the group shows, in one sentence."""
    first = effects[0]
    if pooled is None:
        return _(
            "One experiment so far: %(gap)s for the better. One is not enough to generalise.", gap=words(first, first.estimate)
        )
    low, high = words(first, pooled.interval.low), words(first, pooled.interval.high)
    count = ngettext("%(num)s experiment", "%(num)s experiments", len(effects))
    text = _(
        "%(count)s together: %(gap)s for the better (between %(low)s and %(high)s).",
        count=count, gap=words(first, pooled.mu), low=low, high=high,
    )  # fmt: skip
    if pooled.i2 > LARGE_I2:
        text += " " + _(
            "They differ more than chance has it (I² = %(i2)s %%): ask for whom it worked.", i2=number(100 * pooled.i2)
        )
    return text


LARGE_I2 = 0.5
"""Share of the variation that is not chance from which experiments are said to differ (Higgins 2003: moderate)."""
