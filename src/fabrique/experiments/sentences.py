"""What an analysis says, in words that hold: the verdict in one sentence in natural units, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabrique.experiments.plan.schema import Metric, Outcome
from fabrique.experiments.rules import Verdict
from fabrique.language import _, n_, ngettext
from fabrique.web.formats import SPACE, Unit, difference, figure, number

if TYPE_CHECKING:
    from fabrique.experiments.analysis.result import Analysis, Guard, Reading
    from fabrique.experiments.plan.schema import Plan

PERCENT = Unit("%", 1, 100.0)

MEANING = {
    Verdict.EXTEND: n_("The effect is there, and every guardrail is safe: extend."),
    Verdict.EXTEND_STEP_BY_STEP: n_("The effect is there, but a guardrail is not shown safe: extend step by step, and watch it."),
    Verdict.NO_USEFUL_EFFECT: n_("The effect, if there is one, is smaller than the smallest one that matters."),
    Verdict.UNDECIDABLE: n_("The figures do not decide: they bear no effect as well as a useful one."),
    Verdict.CONTINUE: n_("Nothing is decided yet: go on collecting."),
    Verdict.INVALID: n_("The result is invalid, and effects are not shown: repair the draw, then start again."),
    Verdict.NOT_THE_TOOL: n_(
        "A statistical test is not the tool: this size would only show effects more than twice the smallest one that matters."
    ),
}


def unit_of(metric: Metric, *amounts: float | None) -> Unit:
    """How a metric's values are written: enough decimals for the amounts at hand, the same for all of them."""
    if metric.type is Outcome.BINARY:
        return PERCENT
    largest = max((abs(one) for one in amounts if one is not None), default=1.0)
    decimals = next((places for least, places in ((1000, 0), (100, 1), (0.1, 2)) if largest >= least), 4 if largest else 0)
    return Unit(metric.unit, decimals)


def value(metric: Metric, amount: float | None, beside: float | None = None) -> str:
    """A value in the metric's unit, with the decimals that it shares with the one beside it."""
    return "–" if amount is None else figure(amount, unit_of(metric, amount, beside))


def gap(metric: Metric, reading: Reading, amount: float | None) -> str:
    """An effect, or a bound of it, signed: +8 points, −12 %, without end where it is infinite."""
    if amount is None:
        return "∞"
    if reading.scale == "ratio":
        return percent_change(amount)
    return difference(amount, unit_of(metric, reading.estimate, reading.low, reading.high))


def percent_change(ratio: float) -> str:
    """A ratio as a signed change: 0.88 is −12 %."""
    change = (ratio - 1) * 100
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return f"{sign}{figure(abs(change) / 100, PERCENT)}"


def span(metric: Metric, reading: Reading) -> str:
    """Between its two bounds; one-sided where the other is infinite."""
    nothing = reading.low is None or (reading.scale == "ratio" and reading.low == 0)
    if nothing and reading.high is None:
        return _("no bound can be given")
    if reading.low is None:
        return _("at most %(high)s", high=gap(metric, reading, reading.high))
    if reading.high is None:
        return _("at least %(low)s", low=gap(metric, reading, reading.low))
    return _("between %(low)s and %(high)s", low=gap(metric, reading, reading.low), high=gap(metric, reading, reading.high))


def effect(plan: Plan, reading: Reading) -> str:
    """One comparison in natural units, with its interval."""
    metric = plan.metric(reading.metric) or plan.primary
    bounds = span(metric, reading)
    size = gap(metric, reading, reading.estimate) if reading.estimate is not None else _("more than any number")
    if reading.value_treat is None or reading.value_ctrl is None:
        return _("“%(metric)s” moves by %(gap)s (%(bounds)s).", metric=metric.label, gap=size, bounds=bounds)
    after = value(metric, reading.value_treat, reading.value_ctrl)
    before = value(metric, reading.value_ctrl, reading.value_treat)
    if reading.control == "untreated":
        return _(
            "“%(metric)s” moves by %(gap)s (%(bounds)s): %(before)s before the change, %(after)s after.",
            metric=metric.label, gap=size, bounds=bounds, before=before, after=after,
        )  # fmt: skip
    names = {arm.key: arm.name for arm in plan.arms}
    return _(
        "“%(metric)s”: %(after)s with “%(arm)s” against %(before)s with “%(control)s”, that is %(gap)s (%(bounds)s).",
        metric=metric.label, after=after, arm=names.get(reading.arm, reading.arm), before=before,
        control=names.get(reading.control, reading.control), gap=size, bounds=bounds,
    )  # fmt: skip


def verdict_sentence(plan: Plan, analysis: Analysis) -> str:
    """The sentence that opens a report."""
    verdict = Verdict(analysis.verdict)
    if verdict in {Verdict.INVALID, Verdict.NOT_THE_TOOL} or analysis.primary is None:
        return meaning(plan, analysis, verdict)
    return f"{effect(plan, analysis.primary)} {meaning(plan, analysis, verdict)}"


def meaning(plan: Plan, analysis: Analysis, verdict: Verdict) -> str:
    """What the verdict asks for."""
    match verdict:
        case Verdict.TOO_EARLY:
            return too_early(analysis)
        case Verdict.STOP:
            return stop(plan, analysis)
        case Verdict.SIGNAL:
            return signal(analysis)
        case Verdict.DESCRIPTION:
            return description(plan)
        case Verdict.EXTEND if not analysis.guardrails:
            return _("The effect is there; no guardrail was set: extend.")
        case _:
            return _(MEANING[verdict])


def too_early(analysis: Analysis) -> str:
    """Counts only, and when one may look."""
    health = analysis.health
    total = sum(health.counts.values())
    counted = ngettext("%(count)s unit so far", "%(count)s units so far", int(total), count=number(total))
    if not total:
        return _("Too early: nothing is counted yet.")
    if health.days < health.min_days:
        days = ngettext("%(num)s day", "%(num)s days", health.days)
        return _(
            "Too early: %(counted)s over %(days)s, %(least)s days are needed so that every day of the week counts alike.",
            counted=counted, days=days, least=health.min_days,
        )  # fmt: skip
    if analysis.next_look is not None:
        share = figure(analysis.next_look, Unit("%", 0, 100.0))
        return _("Too early: %(counted)s; the next look is due at %(share)s of the planned size.", counted=counted, share=share)
    return _(
        "Too early: %(counted)s; the plan looks once, when the planned size is there or the collection closed.", counted=counted
    )


def stop(plan: Plan, analysis: Analysis) -> str:
    """Why it is to be stopped."""
    harmed = [guard for guard in analysis.guardrails if guard.verdict == "harmed"]
    if analysis.rule == RULE_HARM and harmed:
        metric = plan.metric(harmed[0].metric)
        return _(
            "The guardrail “%(metric)s” is worse than its margin: stop.", metric=metric.label if metric else harmed[0].metric
        )
    return _("The effect is for the worse: stop.")


RULE_HARM = 3
RULE_BETTER = 4


def signal(analysis: Analysis) -> str:
    """A result that nobody drew lots for, or that was chosen after the fact."""
    if "exploratory" in analysis.notes and not analysis.observational:
        return _("The plan was changed when results were known: take this as a signal, and repeat the experiment.")
    if analysis.rule == RULE_BETTER:
        return _("Nobody drew lots: a favourable signal, no proof. An experiment would tell.")
    return _("Nobody drew lots: an unfavourable signal, no proof. Look into it before going further.")


def description(plan: Plan) -> str:
    """Figures without a verdict."""
    if plan.pilot_criteria:
        return _("A pilot has no comparison: its criteria are judged by people, figures in hand.")
    return _("There is too little to judge by: the figures are described, and no verdict is given.")


def guard_sentence(plan: Plan, guard: Guard) -> str:
    """One guardrail in words."""
    metric = plan.metric(guard.metric)
    if metric is None or guard.reading is None:
        return _("no figures: inconclusive")
    margin = margin_words(metric, guard)
    bounds = span(metric, guard.reading)
    match guard.verdict:
        case "safe":
            return _("safe: %(bounds)s, the margin being %(margin)s", bounds=bounds, margin=margin)
        case "harmed":
            return _("worse than its margin: %(bounds)s, the margin being %(margin)s", bounds=bounds, margin=margin)
        case _:
            return _("inconclusive: %(bounds)s, the margin being %(margin)s", bounds=bounds, margin=margin)


def margin_words(metric: Metric, guard: Guard) -> str:
    """The worst that is borne."""
    return difference(-metric.better.sign * guard.margin, unit_of(metric, guard.margin))


def p_words(p_value: float | None) -> str:
    """A p-value as it is read: p = 0,032; p < 0,001."""
    if p_value is None:
        return "–"
    if p_value < SMALLEST_P:
        return f"p{SPACE}<{SPACE}{number(SMALLEST_P, 3)}"
    return f"p{SPACE}={SPACE}{number(p_value, 3)}"


SMALLEST_P = 0.001
