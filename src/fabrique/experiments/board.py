"""What the pages of experiments need of several queries at once, shaped for their templates."""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fabrique.experiments import queries
from fabrique.experiments.actions.collecting import LARGEST_TABLE
from fabrique.experiments.advising import advice_lines
from fabrique.experiments.analysis.health import health_of
from fabrique.experiments.analysis.looking import information, planned_sizes, sizes_by_day
from fabrique.experiments.analysis.sizing import advise
from fabrique.experiments.charts import Charts
from fabrique.experiments.charts import charts_of as draw
from fabrique.experiments.data.reading import table_from_text
from fabrique.experiments.plan.canonical import Difference, differences
from fabrique.experiments.plan.schema import SERIES_KINDS, Kind, Outcome
from fabrique.experiments.report import Report, told
from fabrique.experiments.rules import AGREES, Choice, State, Verdict
from fabrique.experiments.sentences import unit_of, value
from fabrique.language import Problem, _, n_, ngettext
from fabrique.web.errors import not_there
from fabrique.web.formats import Unit, day, difference, figure, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.experiments.actions.collecting import Recorded
    from fabrique.experiments.analysis.result import Health
    from fabrique.experiments.data.reading import Table
    from fabrique.experiments.data.rows import Count, Data
    from fabrique.experiments.plan.schema import Metric, Plan
    from fabrique.experiments.plan.sections import Fault

COLUMNS = (
    (n_("Being prepared"), (State.IDEA, State.DRAFT, State.IN_REVIEW)),
    (n_("Running"), (State.REGISTERED, State.RUNNING, State.PAUSED)),
    (n_("To conclude"), (State.CLOSED, State.ANALYSED)),
    (n_("Concluded"), (State.DECIDED, State.ARCHIVED, State.INVALID, State.ABANDONED)),
)
RECENT = 12
"""Counts shown below the form."""
CANNOT_SIZE = ("metrics.primary", "analysis", "sample", "design.start", "design.planned_end", "design.kind")


@dataclass(frozen=True, slots=True)
class Board:
    """Experiments by where they stand."""

    columns: tuple[tuple[str, tuple[queries.Line, ...]], ...]
    total: int
    running: int
    to_read: int
    to_decide: int


def board(session: Session, *, state: State | None, search: str, product_id: int | None = None) -> Board:
    """The board."""
    lines = queries.lines(session, state=state, search=search, product_id=product_id)
    columns = tuple((label, tuple(one for one in lines if one.state in states)) for label, states in COLUMNS)
    return Board(
        columns=columns,
        total=len(lines),
        running=sum(1 for one in lines if one.state in {State.RUNNING, State.REGISTERED, State.PAUSED}),
        to_read=sum(1 for one in lines if one.state is State.IN_REVIEW),
        to_decide=sum(1 for one in lines if one.state in {State.CLOSED, State.ANALYSED}),
    )


def health(found: queries.Experiment, data: Data | None) -> Health | None:
    """The checks of the figures so far: they show no effect, so they may be seen at any time."""
    return health_of(found.plan, data) if data else None


def report_of(found: queries.Experiment) -> Report | None:
    """The last analysis in words."""
    return told(found.analysis.result) if found.analysis else None


def charts_of(found: queries.Experiment) -> Charts | None:
    """The last analysis in drawings."""
    report = report_of(found)
    return draw(report) if report else None


def can_size(faults: Sequence[Fault]) -> bool:
    """Whether the plan says enough, without fault, for its size to be told."""
    return not any(one.path.startswith(CANNOT_SIZE) and not one.path.endswith("n_per_arm") for one in faults)


def advice_of(found: queries.Experiment) -> list[str]:
    """Size and duration in words."""
    return advice_lines(found.plan, advise(found.plan)) if can_size(found.faults) else []


def agreed(found: queries.Experiment) -> frozenset[Choice]:
    """Decisions that the verdict bears."""
    return AGREES[Verdict(found.analysis.verdict)] if found.analysis else frozenset()


def primary_words(plan: Plan) -> list[str]:
    """The primary metric's level today and the smallest effect that matters, in words."""
    metric = plan.primary
    words = []
    if metric.baseline is not None:
        words.append(_("today: %(level)s", level=value(metric, metric.baseline)))
    if metric.mde_abs is not None:
        effect = difference(metric.better.sign * metric.mde_abs, unit_of(metric, metric.mde_abs))
        words.append(_("smallest effect that matters: %(effect)s", effect=effect))
    return words


def margins(plan: Plan) -> dict[str, str]:
    """Each guardrail's margin in words."""
    return {
        one.key: difference(-one.better.sign * one.non_inferiority_margin, unit_of(one, one.non_inferiority_margin))
        if one.non_inferiority_margin is not None
        else ""
        for one in plan.guardrails
    }


@dataclass(frozen=True, slots=True)
class EntryField:
    """One number to enter for one arm and one metric."""

    name: str
    label: str
    column: str


@dataclass(frozen=True, slots=True)
class EntryMetric:
    """A metric's row of fields for one arm."""

    metric: str
    label: str
    arm: str
    arm_label: str
    fields: tuple[EntryField, ...]


def entry_fields(plan: Plan) -> list[EntryMetric]:
    """What the small form asks for: each metric in each arm."""
    if plan.design.kind in SERIES_KINDS or plan.design.kind is Kind.AB_CLUSTER:
        return []
    return [
        EntryMetric(metric.key, metric.label, arm.key, arm.name, fields_of(metric, arm.key))
        for metric in plan.metrics
        for arm in plan.arms
        if arm.weight > 0 and metric.key
    ]


def fields_of(metric: Metric, arm: str) -> tuple[EntryField, ...]:
    """The numbers that a metric's type needs."""
    parts = level_parts(metric) if metric.type is Outcome.ORDINAL else PARTS[metric.type]
    return tuple(EntryField(f"{metric.key}:{arm}:{column}", _(label), column) for column, label in parts)


MOMENTS = (("n", n_("Units")), ("sum", n_("Sum")), ("sum_sq", n_("Sum of squares")))
PARTS = {
    Outcome.BINARY: (("n", n_("Units")), ("x", n_("of which successes"))),
    Outcome.RATE: (("n", n_("Exposure")), ("x", n_("Events"))),
    Outcome.MEAN: MOMENTS,
    Outcome.DURATION: MOMENTS,
}


def level_parts(metric: Metric) -> tuple[tuple[str, str], ...]:
    """A column for each level, from the worst."""
    size = len(metric.levels) or len(metric.marks) or len(metric.baseline_levels)
    names = metric.levels or tuple(str(place) for place in range(1, size + 1))
    return tuple((f"level_{place}", name) for place, name in enumerate(names, 1))


def text_of_entry(plan: Plan, form: Mapping[str, str]) -> str:
    """The small form as a table of counts: rows where nothing was written are left out."""
    rows = []
    columns: list[str] = []
    for entry in entry_fields(plan):
        cells = {field.column: form.get(field.name, "").strip() for field in entry.fields}
        if any(cells.values()):
            rows.append({"date": form.get("date", "").strip(), "arm": entry.arm, "metric": entry.metric, **cells})
            columns += [column for column in cells if column not in columns]
    text = io.StringIO()
    out = csv.DictWriter(text, ["date", "arm", "metric", *columns], restval="", lineterminator="\n")
    out.writeheader()
    out.writerows(rows)
    return text.getvalue()


def usual_day(plan: Plan, today: date) -> date:
    """The day that a form begins with: today, where the collection holds it."""
    return min(max(today, plan.design.start), plan.design.planned_end)


def names(plan: Plan) -> dict[str, str]:
    """What arms and metrics are called."""
    return {one.key: one.name for one in plan.arms} | {one.key: one.label for one in plan.metrics}


def example(plan: Plan) -> str:
    """Two rows of a table as the plan wants them."""
    if plan.design.kind in SERIES_KINDS:
        return "period,unit,value,treated\n2026-01,A,0.61,0\n2026-02,A,0.66,1"
    if plan.design.kind is Kind.AB_CLUSTER:
        arms = [arm.key for arm in plan.arms[:2]] or ["a", "b"]
        return f"unit,cluster,arm,y\nu1,c1,{arms[0]},1\nu2,c2,{arms[-1]},0"
    columns, cells = ["date", "arm", "metric"], [plan.design.start.isoformat(), plan.arms[0].key if plan.arms else "a"]
    figures = {"n": "120", "x": "74", "sum": "912", "sum_sq": "7410"}
    names = [field.column for field in fields_of(plan.primary, "")]
    cells += [plan.primary.key, *(figures.get(name, "12") for name in names)]
    return ",".join([*columns, *names]) + "\n" + ",".join(cells)


def recent(data: Data) -> list[Count]:
    """The newest counts."""
    return sorted(data.counts, key=lambda one: one.key, reverse=True)[:RECENT]


def recorded_words(found: Recorded) -> str:
    """What became of the rows."""
    parts = [
        ngettext("%(num)s new row", "%(num)s new rows", found.new),
        ngettext("%(num)s corrected", "%(num)s corrected", found.corrected),
        ngettext("%(num)s unchanged", "%(num)s unchanged", found.unchanged),
    ]
    return _("Recorded: %(what)s.", what=", ".join(parts))


def rows_words(rows: int) -> str:
    """What became of a whole table."""
    return _("Recorded: %(what)s.", what=ngettext("%(num)s row", "%(num)s rows", rows))


def fitting(plan: Plan) -> tuple[str, ...]:
    """The kinds of tables that a design is read from."""
    if plan.design.kind in SERIES_KINDS:
        return ("series",)
    return ("units",) if plan.design.kind is Kind.AB_CLUSTER else ("counts", "units")


def table_sent(plan: Plan, kind: str, source: str, text: str) -> Table:
    """The table that a page sent. Raises Problem."""
    if kind not in {"counts", "units", "series", "events"}:
        raise not_there(kind)
    if kind not in {"events", *fitting(plan)}:
        raise Problem(n_("This design is not read from such a table; choose another kind of table."))
    if not text.strip():
        raise Problem(n_("The table is empty; paste it with its header."))
    if len(text) > LARGEST_TABLE or "\x00" in text:
        raise Problem(n_("This is too large for a page, or not text; use “fabrique experiments import”."))
    return table_from_text(source, text)


def require_known(text: str) -> None:
    """Raise Problem where nobody said whether results were known."""
    if text not in {"yes", "no"}:
        raise Problem(n_("Say whether results were known already when you changed the plan."))


def document_from(text: str) -> dict[str, Any]:
    """A plan's text. Raises Problem in one sentence."""
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise Problem(n_("The plan’s text cannot be read: %(why)s."), why=str(error).rstrip(".")) from error


@dataclass(frozen=True, slots=True)
class Done:
    """The plan against what was done."""

    changes: tuple[Difference, ...]
    lines: tuple[tuple[str, str, str], ...]
    """What, planned, done."""


def done_against_plan(found: queries.Experiment, data: Data) -> Done:
    """The comparison of a plan with what became of it."""
    if found.faults:
        return Done((), ())
    plan = found.plan
    sizes = sizes_by_day(plan, data)
    seen = sizes[-1][1] if sizes else {}
    lines = [(_("Start"), day(plan.design.start), day(sizes[0][0]) if sizes else "–")]
    last = found.closed_on or (sizes[-1][0] if sizes else None)
    lines.append((_("End"), day(plan.design.planned_end), day(last) if last else "–"))
    planned = planned_sizes(plan)
    for arm in plan.arms:
        wanted = number(planned[arm.key]) if planned and arm.key in planned else "–"
        lines.append((_("Units, %(arm)s", arm=arm.name), wanted, number(seen.get(arm.key, 0.0))))
    if planned and seen:
        lines.append((_("Information"), figure(1.0, PERCENT), figure(information(plan, seen), PERCENT)))
    looks = len(plan.analysis.information_fractions) or 1
    lines.append((_("Looks"), number(looks), number(len(found.looks))))
    changes = differences(found.locked, found.document) if found.locked else []
    return Done(tuple(changes), tuple(lines))


PERCENT = Unit("%", 0, 100.0)
