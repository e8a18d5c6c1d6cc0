"""The report, in one order everywhere: verdict, plan, health, primary, guardrails, secondaries, subgroups, growth, power, decision, method.

`told` shapes a calculation sheet for templates; the text, CSV and HTML forms are made of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from fabrique.experiments.analysis import comparing, designs, health, running
from fabrique.experiments.analysis.running import from_json
from fabrique.experiments.methods import BESIDE_LABELS, METHODS
from fabrique.experiments.plan.reading import plan_from
from fabrique.experiments.plan.schema import KIND_LABELS
from fabrique.experiments.rules import VERDICT_LABELS, Verdict
from fabrique.experiments.sentences import (
    PERCENT,
    gap,
    guard_sentence,
    p_words,
    span,
    unit_of,
    value,
    verdict_sentence,
)
from fabrique.language import _, ngettext
from fabrique.web.formats import Unit, day, difference, figure, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fabrique.experiments.analysis.result import Analysis, Beside, Guard, Reading
    from fabrique.experiments.plan.schema import Metric, Plan

NOTES = health.NOTE_LABELS | comparing.NOTE_LABELS | designs.NOTE_LABELS | running.NOTE_LABELS
WHOLE = Unit("%", 0, 100.0)


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison, as cells of a table."""

    label: str
    group: str
    treat: str
    control: str
    n: str
    gap: str
    span: str
    p: str
    method: str
    beside: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A sheet in words."""

    plan: Plan
    analysis: Analysis
    sentence: str
    verdict: str
    title: str
    rule: str
    plan_lines: tuple[tuple[str, str], ...]
    deviations: tuple[dict[str, Any], ...]
    health_lines: tuple[tuple[str, str], ...]
    primary: tuple[Row, ...]
    boundary: str
    guardrails: tuple[tuple[str, str, str], ...]
    secondaries: tuple[Row, ...]
    subgroups: tuple[Row, ...]
    looks: tuple[tuple[str, ...], ...]
    power: str
    bayes: str
    notes: tuple[str, ...]
    methods: tuple[tuple[str, str], ...]
    method_lines: tuple[tuple[str, str], ...]


def told(sheet: dict[str, Any]) -> Report:
    """A calculation sheet in the language in force."""
    plan = plan_from(sheet["inputs"]["plan"])
    analysis = from_json({key: one for key, one in sheet.items() if key not in {"sheet", "sentence", "inputs"}})
    hidden = analysis.verdict == Verdict.INVALID
    return Report(
        plan=plan,
        analysis=analysis,
        sentence=verdict_sentence(plan, analysis),
        verdict=_(VERDICT_LABELS[Verdict(analysis.verdict)]),
        title=plan.title,
        rule=rule_words(analysis),
        plan_lines=tuple(plan_lines(plan, analysis)),
        deviations=analysis.deviations,
        health_lines=tuple(health_lines(plan, analysis)),
        primary=() if hidden else tuple(row_of(plan, one) for one in analysis.comparisons),
        boundary=boundary_words(analysis),
        guardrails=tuple(guard_row(plan, one) for one in analysis.guardrails),
        secondaries=tuple(row_of(plan, one, adjusted=True) for one in analysis.secondaries),
        subgroups=tuple(subgroup_rows(plan, analysis)),
        looks=tuple(look_rows(plan, analysis)),
        power=power_words(plan, analysis),
        bayes=bayes_words(plan, analysis),
        notes=tuple(_(NOTES[one]) for one in dict.fromkeys(all_notes(analysis)) if one in NOTES),
        methods=tuple(methods_used(analysis)),
        method_lines=tuple(method_lines(analysis)),
    )


def sentence_of(sheet: dict[str, Any]) -> str:
    """What a calculation sheet concludes, in one sentence of the language in force."""
    plan = plan_from(sheet["inputs"]["plan"])
    return verdict_sentence(
        plan, from_json({key: one for key, one in sheet.items() if key not in {"sheet", "sentence", "inputs"}})
    )


def all_notes(analysis: Analysis) -> Iterable[str]:
    """Every note of an analysis."""
    yield from analysis.notes
    yield from analysis.health.notes
    if analysis.primary is not None:
        yield from analysis.primary.notes


def rule_words(analysis: Analysis) -> str:
    """Which rule gave the verdict."""
    if analysis.rule is None:
        return _("rules %(version)s", version=analysis.rules_version)
    return _("rule %(rule)s of %(version)s", rule=analysis.rule, version=analysis.rules_version)


def plan_lines(plan: Plan, analysis: Analysis) -> Iterable[tuple[str, str]]:
    """The plan in few lines."""
    hypothesis = plan.hypothesis
    yield _("Hypothesis"), _(
        "If %(condition)s, then %(outcome)s, because %(reason)s.",
        condition=bare(hypothesis.condition), outcome=bare(hypothesis.outcome), reason=bare(hypothesis.reason),
    )  # fmt: skip
    yield _("Design"), f"{_(KIND_LABELS[plan.design.kind])} – {plan.design.unit}"
    yield _("Population"), plan.design.population
    yield _("Collection"), _("from %(start)s to %(end)s", start=day(plan.design.start), end=day(plan.design.planned_end))
    if plan.primary.mde_abs is not None:
        yield (
            _("Smallest effect that matters"),
            difference(plan.primary.better.sign * plan.primary.mde_abs, unit_of(plan.primary)),
        )
    yield _("Plan’s hash"), analysis.plan_hash
    registration = analysis.registration
    if registration is None:
        yield _("Registration"), _("not registered")
    else:
        when = str(registration.get("registered_at", ""))[:10]
        yield (
            _("Registration"),
            _(
                "by %(who)s on %(day)s",
                who=registration.get("registered_by", "?"),
                day=day(date.fromisoformat(when)) if when else "?",
            ),
        )


def bare(text: str) -> str:
    """A clause without its final stop."""
    return text.rstrip(" .")


def health_lines(plan: Plan, analysis: Analysis) -> Iterable[tuple[str, str]]:
    """Whether the figures can be trusted."""
    seen = analysis.health
    names = {arm.key: arm.name for arm in plan.arms}
    if seen.counts:
        yield (
            _("Units in each arm"),
            " · ".join(
                _("%(what)s: %(value)s", what=name, value=number(seen.counts.get(arm, 0.0))) for arm, name in names.items()
            ),
        )
    if seen.sample_ratio_p is not None:
        words = _("as drawn") if not seen.sample_ratio_mismatch else _("not as drawn: the result is invalid")
        yield _("Sizes of the arms"), f"{words} ({p_words(seen.sample_ratio_p)})"
    if seen.missing:
        yield (
            _("Without an outcome"),
            " · ".join(
                _("%(what)s: %(value)s", what=name, value=figure(seen.missing[arm], PERCENT))
                for arm, name in names.items()
                if arm in seen.missing
            ),
        )
    if seen.first_day and seen.last_day:
        days = ngettext("%(num)s day", "%(num)s days", seen.days)
        first, last = day(date.fromisoformat(seen.first_day)), day(date.fromisoformat(seen.last_day))
        text = _("%(days)s, from %(first)s to %(last)s", days=days, first=first, last=last)
        if seen.gaps:
            text += " · " + ngettext("%(num)s day without figures", "%(num)s days without figures", seen.gaps)
        yield _("Days covered"), text
    if analysis.series:
        yield _("Periods"), number(len(analysis.series))


def row_of(plan: Plan, reading: Reading, *, adjusted: bool = False, group: str = "") -> Row:
    """A comparison's cells."""
    metric = plan.metric(reading.metric) or plan.primary
    names = {arm.key: arm.name for arm in plan.arms} | {"treated": _("after the change"), "untreated": _("without it")}
    p_text = p_words(reading.p_adjusted if adjusted and reading.p_adjusted is not None else reading.p_value)
    return Row(
        label=metric.label,
        group=group or names.get(reading.arm, reading.arm),
        treat=value(metric, reading.value_treat, reading.value_ctrl),
        control=value(metric, reading.value_ctrl, reading.value_treat),
        n=f"{number(reading.n_treat)} / {number(reading.n_ctrl)}",
        gap=gap(metric, reading, reading.estimate),
        span=span(metric, reading),
        p=p_text,
        method=reading.method,
        beside=tuple(beside_words(metric, reading, one) for one in reading.beside),
        notes=tuple(_(NOTES[one]) for one in reading.notes if one in NOTES),
    )


def beside_words(metric: Metric, reading: Reading, one: Beside) -> tuple[str, str]:
    """A second reading in words."""
    key = re.sub(r"_[+-]?\d+$", "", one.key)
    label = _(BESIDE_LABELS.get(key, key))
    found = re.search(r"_([+-]?\d+)$", one.key)
    if found and key in {"event", "quantile"}:
        label = label.replace("…", found[1])

    def write(amount: float) -> str:
        if key in SAME_SCALE and reading.scale == "difference":
            return gap(metric, reading, amount)
        if float(amount).is_integer() and abs(amount) >= SMALL:
            return number(amount)
        return number(amount, 3 if abs(amount) < SMALL else 1)

    if one.value is None:
        return label, "–"
    text = write(one.value)
    if one.low is None and one.high is None:
        return label, text
    low = "−∞" if one.low is None else write(one.low)
    high = "+∞" if one.high is None else write(one.high)
    return label, _("%(value)s (between %(low)s and %(high)s)", value=text, low=low, high=high)


SMALL = 10
"""Numbers without a unit have three decimals below it."""
SAME_SCALE = frozenset(
    {
        "miettinen_nurminen",
        "mean_mark_difference",
        "unadjusted",
        "median_difference",
        "twoway_fixed_effects",
        "event",
        "slope_change",
    }
)
"""Second readings in the same unit as the first."""


def boundary_words(analysis: Analysis) -> str:
    """The boundary of the look that counts."""
    if not analysis.looks or analysis.primary is None:
        return ""
    look = analysis.looks[-1]
    share = figure(look.fraction, WHOLE)
    level = figure(1 - look.nominal_p, Unit("%", 1, 100.0))
    if look.boundary_z is None:
        return _("Read once, with a %(level)s interval.", level=level)
    return _(
        "Look %(number)s, at %(share)s of the planned information: the boundary is |z| = %(z)s (p = %(p)s), hence a %(level)s interval.",
        number=look.number, share=share, z=number(look.boundary_z, 2), p=number(look.nominal_p, 4), level=level,
    )  # fmt: skip


def guard_row(plan: Plan, guard: Guard) -> tuple[str, str, str]:
    """Name, verdict key and sentence of a guardrail."""
    metric = plan.metric(guard.metric)
    label = metric.label if metric else guard.metric
    if len(plan.treatments) > 1:
        label += f" ({next((arm.name for arm in plan.arms if arm.key == guard.arm), guard.arm)})"
    return label, guard.verdict, guard_sentence(plan, guard)


def subgroup_rows(plan: Plan, analysis: Analysis) -> Iterable[Row]:
    """Each subgroup, with the interaction's p-value."""
    for one in analysis.subgroups:
        row = row_of(plan, one.reading, group=f"{one.name} = {one.value}")
        yield Row(
            **{
                **{name: getattr(row, name) for name in Row.__slots__},
                "p": _("%(p)s between groups", p=p_words(one.p_interaction_adjusted)),
            }
        )


def look_rows(plan: Plan, analysis: Analysis) -> Iterable[tuple[str, ...]]:
    """Number, day, units, share, effect, interval, p, boundary, crossed."""
    reading = analysis.primary
    for look in analysis.looks:
        if reading is None:
            continue
        metric = plan.primary
        shown = type(reading)(**{**{n: getattr(reading, n) for n in reading.__slots__}, "low": look.low, "high": look.high})
        yield (
            number(look.number), day(date.fromisoformat(look.day)), number(look.n), figure(look.fraction, WHOLE),
            gap(metric, reading, look.estimate), span(metric, shown), p_words(look.p_value), number(look.nominal_p, 4),
            _("crossed") if look.crossed else _("not crossed"),
        )  # fmt: skip


def power_words(plan: Plan, analysis: Analysis) -> str:
    """What this size could and could not have shown."""
    found = analysis.detectable
    if found is None or analysis.primary is None:
        return ""
    metric, reading = plan.primary, analysis.primary
    size = gap(metric, reading, found.effect if found.scale == "ratio" else metric.better.sign * found.effect)
    share = figure(found.power, WHOLE)
    text = _(
        "This size shows an effect of %(size)s in %(share)s of trials; smaller ones it misses more often.", size=size, share=share
    )
    if found.mde is not None:
        mde = gap(metric, reading, found.mde if found.scale == "ratio" else metric.better.sign * found.mde)
        text += " " + _("The smallest effect that matters was set to %(mde)s.", mde=mde)
    return text


def bayes_words(plan: Plan, analysis: Analysis) -> str:
    """The optional second reading."""
    found = analysis.bayes
    if found is None:
        return ""
    return _(
        "Bayesian reading, prior Beta(%(a)s, %(b)s): the new arm is better with probability %(p)s; expected loss %(loss)s."
        " It never decides alone.",
        a=number(found["prior_a"], 1), b=number(found["prior_b"], 1), p=figure(found["p_better"], PERCENT),
        loss=difference(found["expected_loss"], unit_of(plan.primary)).lstrip("+"),
    )  # fmt: skip


def methods_used(analysis: Analysis) -> Iterable[tuple[str, str]]:
    """Name and source of each method that had a part."""
    readings = [*analysis.comparisons, *analysis.secondaries, *(g.reading for g in analysis.guardrails if g.reading)]
    keys = [part for one in readings for part in one.method.split("+")]
    keys += [one.key for reading in analysis.comparisons for one in reading.beside]
    keys += ["group_sequential"] if any(look.boundary_z is not None for look in analysis.looks) else []
    keys += ["sample_ratio"] if analysis.health.sample_ratio_p is not None else []
    keys += ["guardrails"] if analysis.guardrails else []
    keys += ["holm"] if len(analysis.secondaries) > 1 else []
    for key in dict.fromkeys(keys):
        if key in METHODS:
            name, formula = METHODS[key]
            yield _(name), _(formula)


def method_lines(analysis: Analysis) -> Iterable[tuple[str, str]]:
    """Versions and hashes."""
    yield _("Rules"), analysis.rules_version
    yield _("Analysis"), analysis.version
    yield _("Software"), ", ".join(f"{name} {version}" for name, version in analysis.software.items())
    yield _("Hash of the data"), analysis.data_hash
    yield _("Analysed as on"), day(date.fromisoformat(analysis.as_of))
