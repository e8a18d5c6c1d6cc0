"""From a document to a Plan, or to every fault at once, each with the path of its key."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from fabrique.experiments.plan.schema import (
    SCHEMA,
    SERIES_KINDS,
    AnalysisPlan,
    Arm,
    Better,
    Correction,
    Design,
    Hypothesis,
    Kind,
    Looks,
    Metric,
    Missing,
    Outcome,
    Plan,
    Sample,
    Spending,
)
from fabrique.experiments.plan.sections import Fault, Section
from fabrique.language import Problem, n_

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fabrique.experiments.plan.canonical import Document

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
KEY = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")
LONGEST_SLUG = 100
SEASONS = ("month", "quarter", "weekday")
RESERVED = frozenset({"date", "arm", "metric", "n", "x", "sum", "sum_sq", "unit", "cluster", "y", "pre"})
EXPOSURE = "exposure"
"""The metric key under which counts tell how many units each arm received."""


class PlanFaulty(Problem):
    """A plan has faults; `faults` lists them all."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(n_("The plan has faults: %(faults)s"), faults="; ".join(str(one) for one in faults))
        self.faults = faults


def plan_from(document: Document) -> Plan:
    """The plan that a document tells. Raises PlanFaulty with every fault."""
    plan, faults = read(document)
    if faults:
        raise PlanFaulty(faults)
    return plan


def read(document: Document) -> tuple[Plan, list[Fault]]:
    """The plan with stand-ins where the document is at fault, and the faults."""
    faults: list[Fault] = []
    top = Section(document, "", faults)
    if (schema := top.get("schema", required=True)) is not None and schema != SCHEMA:
        top.fault("schema", n_("this fabrique reads schema 1"))
    slug = top.text("slug")
    if slug and (not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG):
        top.fault("slug", n_("small letters, digits and single hyphens only, at most 100"))
    design = design_of(top.section("design"))
    metrics = top.section("metrics")
    decision = top.section("decision", required=design.kind is Kind.PILOT)
    plan = Plan(
        slug=slug,
        title=top.text("title"),
        product=top.text("product"),
        service=top.text("service", required=False),
        owner=top.text("owner"),
        coach=top.text("coach", required=False),
        legal_basis=top.text("legal_basis"),
        hypothesis=hypothesis_of(top.section("hypothesis")),
        design=design,
        arms=arms_of(top, design.kind),
        primary=primary_of(metrics.section("primary"), design.kind),
        secondaries=tuple(secondary_of(one) for one in metrics.sections("secondary")),
        guardrails=tuple(guardrail_of(one) for one in metrics.sections("guardrails")),
        analysis=analysis_of(top.section("analysis", required=False)),
        sample=sample_of(top.section("sample", required=False)),
        pilot_criteria=decision.texts("pilot_criteria", required=design.kind is Kind.PILOT),
        practices=decision.texts("practices"),
    )
    for section in (metrics, decision, top):
        section.finish()
    across(plan, faults)
    return plan, faults


def hypothesis_of(section: Section) -> Hypothesis:
    """[hypothesis]."""
    made = Hypothesis(section.text("if"), section.text("then"), section.text("because"), section.text("direction"))
    section.finish()
    return made


def design_of(section: Section) -> Design:
    """[design]."""
    kind = section.choice("kind", Kind)
    season = section.text("season", required=False)
    if season and season not in SEASONS:
        section.fault("season", n_("must be one of %(choices)s"), choices=", ".join(SEASONS))
    made = Design(
        kind=kind,
        unit=section.text("unit"),
        cluster=section.text("cluster", required=kind is Kind.AB_CLUSTER),
        cluster_size=section.number("cluster_size", low=1),
        icc=section.number("icc", low=0, below=1),
        population=section.text("population"),
        start=section.day("start"),
        planned_end=section.day("planned_end"),
        season=season,
        randomised=section.yes("randomised"),
    )
    if date.min not in {made.start, made.planned_end} and made.planned_end < made.start:
        section.fault("planned_end", n_("lies before the first day"))
    section.finish()
    return made


def arms_of(top: Section, kind: Kind) -> tuple[Arm, ...]:
    """[[arms]]."""
    sections = top.sections("arms")
    arms = tuple(arm_of(one) for one in sections)
    unique(sections, (arm.key for arm in arms))
    least = 0 if kind in SERIES_KINDS else 1 if kind is Kind.PILOT else 2
    used = [arm for arm in arms if arm.weight > 0]
    if len(arms) < least:
        top.fault("arms", n_("at least %(least)s are needed"), least=least)
    elif len(used) < least:
        top.fault("arms", n_("at least %(least)s must have a weight above zero"), least=least)
    elif arms and arms[0].weight == 0:
        sections[0].fault("weight", n_("the first arm is the control; its weight cannot be zero"))
    if kind is Kind.BEFORE_AFTER and len(arms) > least:
        top.fault("arms", n_("exactly two: before, then after"))
    return arms


def arm_of(section: Section) -> Arm:
    """One of [[arms]]."""
    key = key_of(section)
    weight = section.number("weight", required=True, low=0)
    made = Arm(key, section.text("name", required=False) or key, weight if weight is not None else 1.0)
    section.finish()
    return made


def key_of(section: Section) -> str:
    """A key that files and addresses can carry."""
    key = section.text("key")
    if key and not KEY.fullmatch(key):
        section.fault("key", n_("small letters, digits, hyphens and underscores only"))
    return key


def unique(sections: Iterable[Section], keys: Iterable[str]) -> None:
    """Note each key that was there before."""
    seen: set[str] = set()
    for section, key in zip(sections, keys, strict=True):
        if key and key in seen:
            section.fault("key", n_("“%(key)s” is there twice"), key=key)
        seen.add(key)


def primary_of(section: Section, kind: Kind) -> Metric:
    """[metrics.primary]: its smallest effect that matters is what the plan is sized for."""
    metric = metric_of(section, effect_required=kind is not Kind.PILOT)
    if metric.baseline is not None and metric.mde_abs is not None:
        target = metric.baseline + metric.better.sign * metric.mde_abs
        low, high = natural_range(metric)
        if not low <= target <= high:
            section.fault("mde_abs", n_("the baseline moved by this much would leave the possible range"))
    section.finish()
    return metric


def secondary_of(section: Section) -> Metric:
    """One of [[metrics.secondary]]."""
    metric = metric_of(section)
    section.finish()
    return metric


def guardrail_of(section: Section) -> Metric:
    """One of [[metrics.guardrails]]: what may not get worse by more than its margin."""
    metric = metric_of(section, margin=True)
    section.finish()
    return metric


def metric_of(section: Section, *, effect_required: bool = False, margin: bool = False) -> Metric:
    """What every metric tells."""
    outcome = section.choice("type", Outcome)
    binary = outcome is Outcome.BINARY
    made = Metric(
        key=key_of(section),
        type=outcome,
        better=section.choice("better", Better),
        name=section.text("name", required=False),
        unit=section.text("unit", required=False),
        baseline=section.number("baseline", required=effect_required, **({"low": 0, "high": 1} if binary else {})),
        mde_abs=section.number("mde_abs", required=effect_required, above=0),
        sd=section.number("sd", above=0),
        levels=section.texts("levels"),
        marks=section.numbers("marks"),
        baseline_levels=section.numbers("baseline_levels"),
        non_inferiority_margin=margin_of(section) if margin else None,
    )
    if made.key == EXPOSURE:
        section.fault("key", n_("“exposure” is kept for the number of units that each arm received"))
    if outcome is Outcome.ORDINAL:
        levels_fit(section, made)
    return made


def margin_of(section: Section) -> float | None:
    """A guardrail's margin: the size of harm that would still be borne; `better` tells on which side harm lies."""
    value = section.number("non_inferiority_margin", required=True)
    if value is not None and value <= 0:
        section.fault(
            "non_inferiority_margin",
            n_("write the size of harm that would be borne as a positive number; which way is better says its side"),
        )
        return None
    return value


def levels_fit(section: Section, metric: Metric) -> None:
    """Levels, their marks and their baseline shares go together, from the worst level to the best."""
    size = len(metric.levels) or len(metric.marks) or len(metric.baseline_levels)
    for key, values in (("marks", metric.marks), ("baseline_levels", metric.baseline_levels)):
        if values and len(values) != size:
            section.fault(key, n_("as many as levels are needed (%(size)s)"), size=size)
    if size == 1:
        section.fault("levels", n_("at least two levels are needed"))
    if any(after <= before for before, after in pairwise(metric.marks)):
        section.fault("marks", n_("must rise from the worst level to the best"))
    shares = metric.baseline_levels
    if shares and (min(shares) < 0 or abs(sum(shares) - 1) > 1e-6):  # noqa: PLR2004 - rounding of decimals
        section.fault("baseline_levels", n_("shares must be positive and make 1 together"))


def natural_range(metric: Metric) -> tuple[float, float]:
    """What the metric's mean can be."""
    match metric.type:
        case Outcome.BINARY:
            return 0.0, 1.0
        case Outcome.ORDINAL if metric.marks:
            return metric.marks[0], metric.marks[-1]
        case Outcome.RATE | Outcome.DURATION:
            return 0.0, float("inf")
        case _:
            return float("-inf"), float("inf")


SPENDINGS = {"obf": Spending.OBRIEN_FLEMING, "lan_demets": Spending.OBRIEN_FLEMING, "lan_demets_obf": Spending.OBRIEN_FLEMING}
CORRECTIONS = {"benjamini_hochberg": Correction.BH, "fdr": Correction.BH}
MISSINGS = {
    **dict.fromkeys(("complete_case", "complete_cases", "exclude", "excluded", "drop", "none"), Missing.COMPLETE),
    **dict.fromkeys(("failure", "failures", "as_failures", "worst_case"), Missing.AS_FAILURE),
}
"""Other names that people give the same choices."""


def analysis_of(section: Section) -> AnalysisPlan:
    """[analysis]."""
    made = AnalysisPlan(
        alpha=or_else(section.number("alpha", above=0, high=0.5), 0.05),
        power=or_else(section.number("power", low=0.5, below=1), 0.8),
        looks=section.choice("looks", Looks, Looks.FIXED),
        information_fractions=section.numbers("information_fractions"),
        spending=section.choice("spending", Spending, Spending.OBRIEN_FLEMING, aliases=SPENDINGS),
        phi=or_else(section.number("phi", above=0), 2.0),
        n_star=section.whole("n_star", low=1),
        covariates=section.texts("covariates"),
        subgroups=section.texts("subgroups"),
        correction=section.choice("correction", Correction, Correction.HOLM, aliases=CORRECTIONS),
        missing=section.choice("missing", Missing, Missing.COMPLETE, aliases=MISSINGS),
        prior=section.numbers("prior"),
    )
    if made.prior and (len(made.prior) != 2 or min(made.prior) <= 0):  # noqa: PLR2004 - Beta(a, b)
        section.fault("prior", n_("two positive numbers: the prior's successes and failures"))
    for name in made.subgroups:
        if name in RESERVED:
            section.fault("subgroups", n_("“%(name)s” is a column of its own"), name=name)
    fractions_fit(section, made)
    section.finish()
    return made


def fractions_fit(section: Section, analysis: AnalysisPlan) -> None:
    """Information fractions rise to 1, and only a group-sequential plan has them."""
    fractions = analysis.information_fractions
    if analysis.looks is not Looks.GROUP_SEQUENTIAL:
        if fractions:
            section.fault("information_fractions", n_('only for looks = "group_sequential"'))
        return
    if not fractions:
        section.fault("information_fractions", n_("missing"))
    elif min(fractions) <= 0 or any(after <= before for before, after in pairwise(fractions)) or fractions[-1] != 1:
        section.fault("information_fractions", n_("must rise from above 0 to the whole (100 %, written 1 in a file)"))


def sample_of(section: Section) -> Sample:
    """[sample]."""
    made = Sample(
        n_per_arm=section.whole("n_per_arm", low=1),
        expected_per_day=section.number("expected_per_day", above=0),
        min_days=section.whole("min_days") or 0,
    )
    section.finish()
    return made


def across(plan: Plan, faults: list[Fault]) -> None:
    """What single keys cannot tell."""
    paths = ["metrics.primary"]
    paths += [f"metrics.guardrails[{index}]" for index in range(len(plan.guardrails))]
    paths += [f"metrics.secondary[{index}]" for index in range(len(plan.secondaries))]
    seen: set[str] = set()
    for path, metric in zip(paths, plan.metrics, strict=True):
        if metric.key and metric.key in seen:
            faults.append(Fault(f"{path}.key", n_("“%(key)s” is there twice"), {"key": metric.key}))
        seen.add(metric.key)
    kind, looks = plan.design.kind, plan.analysis.looks
    needs_size = kind in {Kind.AB, Kind.AB_CLUSTER} and looks is not Looks.ALWAYS_VALID
    if needs_size and plan.sample.n_per_arm is None and "sample.n_per_arm" not in {one.path for one in faults}:
        faults.append(Fault("sample.n_per_arm", n_("missing")))
    if looks is not Looks.FIXED and kind is not Kind.AB:
        faults.append(Fault("analysis.looks", n_("only a random comparison of people can be looked at before its end")))
    if plan.primary.type not in OWN_OUTCOMES.get(kind, frozenset(Outcome)):
        choices = ", ".join(sorted(OWN_OUTCOMES[kind]))
        faults.append(Fault("metrics.primary.type", n_("this design reads %(choices)s"), {"choices": choices}))


OWN_OUTCOMES = {
    Kind.AB_CLUSTER: frozenset({Outcome.BINARY, Outcome.MEAN}),
    Kind.ITS: frozenset({Outcome.BINARY, Outcome.MEAN, Outcome.RATE}),
    Kind.DID: frozenset({Outcome.BINARY, Outcome.MEAN, Outcome.RATE}),
    Kind.STAGGERED: frozenset({Outcome.BINARY, Outcome.MEAN, Outcome.RATE}),
}
"""What designs can read other than everything."""


def or_else(value: float | None, default: float) -> float:
    """The value, or the default where there is none."""
    return default if value is None else value
