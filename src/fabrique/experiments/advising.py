"""Size, duration, and whether a statistical test is the right tool, in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fabrique.experiments.plan.schema import SERIES_KINDS, Looks
from fabrique.experiments.sentences import (
    PERCENT,
    unit_of,
)
from fabrique.language import _, ngettext
from fabrique.web.formats import Unit, difference, figure, number

if TYPE_CHECKING:
    from fabrique.experiments.analysis.sizing import Advice
    from fabrique.experiments.plan.schema import Plan


WHOLE = Unit("%", 0, 100.0)


def as_advice(advice: Advice) -> dict[str, Any]:
    """Advice for scripts."""
    return asdict(advice)


def advice_lines(plan: Plan, advice: Advice) -> list[str]:
    """Size, duration, and whether a test is the right tool, in words."""
    lines = []
    if plan.design.kind in SERIES_KINDS:
        return [_("A series is sized by its periods: eight before the change and four after it, at least.")]
    if advice.missing:
        lines.append(_("No size can be computed without %(keys)s.", keys=", ".join(advice.missing)))
    if advice.needed is not None:
        lines.append(needed_words(plan, advice))
    elif not advice.missing and plan.primary.mde_abs is not None:
        lines.append(_("No size would show so small an effect."))
    if advice.detectable is not None:
        size = effect_words(plan, advice, advice.detectable)
        lines.append(_("The planned %(n)s per arm show %(size)s.", n=number(advice.planned or 0), size=size))
    if advice.days is not None:
        lines.append(
            ngettext("It takes about %(count)s day at this pace; %(planned)s are planned.",
                     "It takes about %(count)s days at this pace; %(planned)s are planned.",
                     advice.days, count=number(advice.days), planned=number(advice.planned_days))
        )  # fmt: skip
    if advice.clusters_per_arm is not None:
        lines.append(_("That is %(clusters)s clusters per arm.", clusters=number(advice.clusters_per_arm)))
    if advice.not_the_tool:
        lines.append(
            _("A statistical test is not the tool: this size only shows effects more than twice the smallest one that matters."
              " Try usability tests with a few people, or state the criteria of a pilot.")
        )  # fmt: skip
    return lines


def needed_words(plan: Plan, advice: Advice) -> str:
    """How many an arm are needed."""
    size = effect_words(plan, advice, advice.mde)
    share = figure(plan.analysis.power, WHOLE)
    text = _(
        "%(n)s per arm are needed to show %(size)s in %(share)s of trials.", n=number(advice.needed or 0), size=size, share=share
    )
    if plan.analysis.looks is Looks.GROUP_SEQUENTIAL:
        text += " " + _("Looking before the end costs %(share)s of it.", share=figure(1 - 1 / advice.inflation, PERCENT))
    if advice.design_effect > 1:
        text += " " + _("Clusters multiply it by %(factor)s.", factor=number(advice.design_effect, 2))
    return text


def effect_words(plan: Plan, advice: Advice, size: float | None) -> str:
    """An effect of a plan, on its scale."""
    if size is None:
        return "–"
    if advice.scale == "ratio":
        return figure(abs(size - 1), PERCENT)
    return difference(abs(size), unit_of(plan.primary, size)).lstrip("+")
