"""The report away from the site: text for a terminal, a table for a spreadsheet, a page that stands alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabrique.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fabrique.experiments.analysis.result import Analysis, Reading


from typing import TYPE_CHECKING

from markupsafe import Markup

from fabrique.experiments.charts import charts_of
from fabrique.experiments.report import Row, told
from fabrique.language import current
from fabrique.resources import STATIC
from fabrique.tables.cells import Table
from fabrique.tables.textout import csv_text
from fabrique.web.rendering import environment

if TYPE_CHECKING:
    from collections.abc import Mapping


def text_report(sheet: dict[str, Any]) -> str:
    """The report for a terminal."""
    report = told(sheet)
    lines = [report.title, "", f"{report.verdict.upper()} ({report.rule})", report.sentence]
    lines += [f"! {note}" for note in report.notes]
    lines += ["", _("Plan"), *(f"  {label}: {text}" for label, text in report.plan_lines)]
    lines += [deviation_line(one) for one in report.deviations]
    lines += ["", _("Health of the data"), *(f"  {label}: {text}" for label, text in report.health_lines)]
    if report.primary:
        lines += ["", _("Primary metric"), *table(report.primary)]
        lines += [f"  {report.boundary}"] if report.boundary else []
        lines += [f"    {label}: {text}" for label, text in report.primary[0].beside]
    if report.guardrails:
        lines += ["", _("Guardrails"), *(f"  {name}: {sentence}" for name, _key, sentence in report.guardrails)]
    if report.secondaries:
        lines += ["", _("Secondary metrics"), *table(report.secondaries)]
    if report.subgroups:
        lines += ["", _("Subgroups (exploratory)"), *table(report.subgroups)]
    if len(report.looks) > 1:
        lines += ["", _("Looks"), *("  " + " | ".join(row) for row in report.looks)]
    for text in (report.power, report.bayes):
        lines += ["", text] if text else []
    lines += ["", _("Method"), *(f"  {name}: {formula}" for name, formula in report.methods)]
    lines += [f"  {label}: {text}" for label, text in report.method_lines]
    return "\n".join(lines)


def deviation_line(one: dict[str, Any]) -> str:
    """A deviation in one line."""
    known = _("results known") if one.get("results_known", True) else _("results unknown")
    return "  " + _(
        "Deviation, %(what)s: %(old)s → %(new)s (%(why)s; %(who)s; %(known)s)",
        what=one.get("what"), old=one.get("old"), new=one.get("new"), why=one.get("why"), who=one.get("who"), known=known,
    )  # fmt: skip


def table(rows: Iterable[Row]) -> list[str]:
    """Comparisons as lines."""
    return [
        f"  {row.label} ({row.group}): {row.control} → {row.treat}, {row.gap} ({row.span}), {row.p}, n = {row.n}" for row in rows
    ]


def csv_report(sheet: dict[str, Any]) -> str:
    """Every comparison as a table for a spreadsheet, numbers plain."""
    analysis = told(sheet).analysis
    columns = (
        "role", "metric", "group", "n_treat", "n_ctrl", "value_treat", "value_ctrl", "scale", "estimate", "low", "high", "level",
        "p_value", "p_adjusted", "method", "verdict",
    )  # fmt: skip
    rows = (
        [role, one.metric, group or one.arm, one.n_treat, one.n_ctrl, one.value_treat, one.value_ctrl, one.scale, one.estimate,
         one.low, one.high, one.level, one.p_value, one.p_adjusted, one.method, verdict]
        for role, group, one, verdict in comparisons(analysis)
    )  # fmt: skip
    return csv_text(Table("", columns, rows))


def comparisons(analysis: Analysis) -> Iterable[tuple[str, str, Reading, str]]:
    """Role, subgroup, reading and verdict of everything that was compared."""
    for one in analysis.comparisons:
        yield "primary", "", one, analysis.verdict
    for guard in analysis.guardrails:
        if guard.reading is not None:
            yield "guardrail", "", guard.reading, guard.verdict
    for one in analysis.secondaries:
        yield "secondary", "", one, ""
    for group in analysis.subgroups:
        yield "subgroup", f"{group.name}={group.value}", group.reading, "exploratory"


def html_report(sheet: Mapping[str, Any]) -> str:
    """A calculation sheet as a page without links: styles and drawings are inside."""
    report = told(dict(sheet))
    sheets = "\n".join((STATIC / name).read_text("utf-8") for name in ("plain.css", "app.css"))
    styles = Markup(f"<style>{sheets}</style>")  # noqa: S704 - our own files
    template = environment().get_template("experiments/report_alone.html")
    return template.render(report=report, charts=charts_of(report), language=current.get(), styles=styles)
