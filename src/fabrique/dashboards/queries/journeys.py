"""Which way do products go, how long do they stay, what ends them? Two reads, whatever the number of products."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import sqlalchemy as sa

from fabrique.experiments.sentences import p_words
from fabrique.language import _, folded, n_, ngettext
from fabrique.portfolio import journeys as rules
from fabrique.portfolio.journeys import ENDS
from fabrique.portfolio.model import IncubatorRow, ProductRow, StayRow
from fabrique.portfolio.rules import ACTIVE, STAGE_LABELS, Mark, Stage, Stay
from fabrique.tables.cells import Table
from fabrique.web.charts import funnel as drawing
from fabrique.web.charts.survival import LONGEST_LABEL, SHAPES, Curve, survival_chart
from fabrique.web.durations import lasting, median_told
from fabrique.web.errors import not_there
from fabrique.web.formats import number, with_symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.portfolio.journeys import Comparison, Ending, Flow, Funnel, Group, Journey, Lengths, Step
    from fabrique.stats.survival import LogRank, Survival
    from fabrique.tables.cells import Cell
    from fabrique.web.charts.funnel import FunnelChart
    from fabrique.web.charts.survival import SurvivalChart

STAYS_LABELS = {
    Stage.INVESTIGATION: n_("investigations"),
    Stage.EXPERIMENTATION: n_("experimentations"),
    Stage.SCALE_UP: n_("scale-ups"),
    Stage.CONSOLIDATION: n_("consolidations"),
}
SURE = 0.05
"""Curves that chance alone would part like this less often than once in twenty are said to differ."""
ACRONYM = re.compile(r"\(([^()]{2,24})\)\s*$")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the address asks for: one incubator's products, those that began in one year, and the stage compared."""

    incubator: str = ""
    entry: int | None = None
    stage: Stage = Stage.INVESTIGATION

    def address(self, stage: Stage) -> str:
        """The same choice with another stage compared."""
        asked = {"incubateur": self.incubator, "annee": self.entry, "phase": stage}
        return "/produits/parcours?" + urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class TimeInStage:
    """How long stays in a stage last. median: in words; finished: the median of the finished stays alone, in words where it is shorter.

    curve and chart are None with too few stays.
    """

    stage: Stage
    lengths: Lengths
    curve: Survival | None
    chart: SurvivalChart | None
    median: str
    finished: str

    @property
    def reached(self) -> bool:
        """Whether half are over at some time."""
        return self.curve is not None and math.isfinite(self.curve.median)


@dataclass(frozen=True, slots=True)
class ComparedGroup:
    """One line of a comparison."""

    label: str
    shape: str
    lengths: Lengths
    curve: Survival | None
    median: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Curves side by side; chart is None where fewer than two groups have enough stays. verdict: what the test says, in a sentence."""

    groups: tuple[ComparedGroup, ...]
    chart: SurvivalChart | None
    left_out: int
    test: LogRank | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The page's one sentence: the first stage that has a curve, its median, and how many stays led to nothing further."""

    stays: str
    number: int
    median: str
    reached: bool
    ended: int


@dataclass(frozen=True, slots=True)
class JourneysPage:
    """Everything that the page tells."""

    choice: Choice
    incubator: str
    incubators: list[tuple[str, str, int]]
    entries: list[tuple[int, int]]
    total: int
    headline: Headline | None
    funnel: Funnel
    funnel_chart: FunnelChart | None
    cohorts: list[tuple[int, Funnel]]
    flows: list[Flow]
    times: list[TimeInStage]
    by_incubator: Compared | None
    by_entry: Compared | None
    endings: list[Ending]


def journeys(session: Session, today: date, choice: Choice) -> JourneysPage:
    """The page for a choice. Raises NotThere for an incubator that does not exist."""
    titles, everyone = read_journeys(session, today)
    if choice.incubator and choice.incubator not in titles:
        raise not_there(choice.incubator)
    chosen = [
        one for one in everyone if choice.incubator in {"", one.incubator} and (choice.entry is None or one.entry == choice.entry)
    ]
    sizes = Counter(one.incubator for one in everyone)
    funnel, flows = rules.funnel(chosen), rules.flows(chosen)
    times = [time_in(chosen, stage, today) for stage in ACTIVE]
    return JourneysPage(
        choice=choice,
        incubator=titles.get(choice.incubator, ""),
        incubators=sorted(((key, titles[key], sizes[key]) for key in sizes if key), key=lambda one: folded(one[1])),
        entries=[(year, len(some)) for year, some in rules.by_entry(everyone).items()],
        total=len(everyone),
        headline=headline(times, flows),
        funnel=funnel,
        funnel_chart=drawn_funnel(funnel),
        cohorts=[(year, rules.funnel(some)) for year, some in rules.by_entry(chosen).items()],
        flows=flows,
        times=times,
        by_incubator=(compared(rules.compare_incubators(chosen, choice.stage, today), titles) if not choice.incubator else None),
        by_entry=compared(rules.compare_entries(chosen, choice.stage, today), titles) if choice.entry is None else None,
        endings=rules.endings(chosen),
    )


def read_journeys(session: Session, today: date) -> tuple[dict[str, str], list[Journey]]:
    """The incubators' titles by key, and the road of every product that has begun."""
    # A look in a table, for thousands of rows: an enum takes ten times as long to find its member.
    stages, marks = {one.value: one for one in Stage}, {one.value: one for one in Mark}
    stays: dict[int, list[Stay]] = defaultdict(list)
    for row in session.execute(
        sa.select(StayRow.product_id, StayRow.stage, StayRow.start, StayRow.end, StayRow.mark).order_by(
            StayRow.product_id, StayRow.position
        )
    ):
        stays[row.product_id].append(Stay(stages[row.stage], row.start, row.end, marks[row.mark]))
    titles: dict[str, str] = {}
    found = []
    for product in session.execute(
        sa.select(ProductRow.id, IncubatorRow.key, IncubatorRow.title)
        .outerjoin(IncubatorRow, IncubatorRow.id == ProductRow.incubator_id)
        .order_by(ProductRow.id)
    ):
        if product.key:
            titles[product.key] = product.title or product.key
        if one := rules.journey(product.id, product.key or "", stays[product.id], today):
            found.append(one)
    return titles, found


def headline(times: Sequence[TimeInStage], flows: Sequence[Flow]) -> Headline | None:
    """The first stage with a curve; None where there is none."""
    first = next((time for time in times if time.curve is not None), None)
    if first is None or first.curve is None:
        return None
    lost = sum(flow.number for flow in flows if flow.origin is first.stage and flow.to in {Stage.INCONCLUSIVE, Stage.STOPPED})
    return Headline(_(STAYS_LABELS[first.stage]), first.lengths.number, first.median, math.isfinite(first.curve.median), lost)


def time_in(some: Sequence[Journey], stage: Stage, today: date) -> TimeInStage:
    """A stage's lengths, its curve and its words."""
    lengths = rules.lengths(some, stage, today)
    curve, finished = lengths.curve, lengths.finished_median
    return TimeInStage(
        stage=stage,
        lengths=lengths,
        curve=curve,
        chart=survival_chart([curve_of("", lengths, curve)]) if curve else None,
        median=told(curve),
        finished=lasting(finished) if curve and finished is not None and finished < curve.median else "",
    )


def told(curve: Survival | None) -> str:
    """A curve's median with its interval."""
    return median_told(curve.median, curve.median_interval.low, curve.median_interval.high) if curve else ""


def curve_of(label: str, lengths: Lengths, curve: Survival) -> Curve:
    """The curve as the drawing wants it."""
    return Curve(
        label=label,
        times=curve.times.tolist(),
        share=curve.share.tolist(),
        low=curve.low.tolist(),
        high=curve.high.tolist(),
        lengths=sorted(lengths.days),
        censored=[days for days, ended in zip(lengths.days, lengths.ended, strict=True) if not ended],
        median=curve.median,
        median_low=curve.median_interval.low,
        median_high=curve.median_interval.high,
    )


def compared(found: Comparison, titles: dict[str, str]) -> Compared:
    """A comparison with its names, its drawing and what its test says."""
    groups = tuple(
        ComparedGroup(named(group, titles), SHAPES[place % len(SHAPES)], group.lengths, curve, told(curve))
        for place, group in enumerate(found.groups)
        for curve in (group.lengths.curve,)
    )
    curves = [curve_of(brief(group.label), group.lengths, group.curve) for group in groups if group.curve]
    chart = survival_chart(curves) if len(curves) > 1 else None
    return Compared(groups, chart, found.left_out, found.test, verdict(found.test))


def named(group: Group, titles: dict[str, str]) -> str:
    """A group's name in the language in force."""
    match group.kind:
        case "rest":
            return _("All others")
        case "earlier":
            return _("Until %(year)s", year=int(group.key))
        case _:
            return titles.get(group.key) or str(int(group.key))


def brief(title: str) -> str:
    """A name that fits beside a curve: the acronym that a long title ends with, where it does."""
    found = ACRONYM.search(title)
    return found[1] if found and len(title) > LONGEST_LABEL else title


def verdict(test: LogRank | None) -> str:
    """What the log-rank test says, in one sentence."""
    if test is None:
        return ""
    if test.p_value < SURE:
        return _(
            "These curves lie further apart than chance alone would put them (log-rank test, %(p)s).", p=p_words(test.p_value)
        )
    return _("These curves may lie apart by chance alone (log-rank test, %(p)s).", p=p_words(test.p_value))


def drawn_funnel(found: Funnel) -> FunnelChart | None:
    """The funnel on paper."""
    steps = [drawn_step(step, found.began, first=place == 0) for place, step in enumerate(found.steps)]
    return drawing.funnel_chart(steps)


def drawn_step(step: Step, began: int, *, first: bool) -> drawing.Stage:
    """A step with its words: those that went no further leave it, the ones that live on beside the trunk."""
    if first:
        label, words = _("Begun"), ngettext("%(num)s product", "%(num)s products", step.reached, num=number(step.reached))
    else:
        label = _(STAGE_LABELS[step.stage])
        words = _("%(number)s, or %(share)s", number=number(step.reached), share=percent(step.reached, began))
    exits = [drawing.Exit(ended_words(end, step.ends[end]), step.ends[end], LEAVING[end]) for end in LEAVING]
    exits.append(drawing.Exit(_("still on the road"), step.going, "going"))
    return drawing.Stage(label, words, step.reached, step.further, exits)


LEAVING = {Stage.INCONCLUSIVE: "lost", Stage.STOPPED: "lost", Stage.TRANSFERRED: "kept", Stage.OPERATED: "kept"}
"""How each final stage is drawn, in the order in which they turn off."""


def ended_words(end: Stage, count: int) -> str:
    """What became of so many products; French makes words agree."""
    match end:
        case Stage.INCONCLUSIVE:
            return ngettext("came to nothing", "came to nothing", count)
        case Stage.STOPPED:
            return ngettext("was stopped", "were stopped", count)
        case Stage.TRANSFERRED:
            return ngettext("was transferred", "were transferred", count)
        case _:
            return ngettext("is operated", "are operated", count)


def percent(part: float, whole: float = 1) -> str:
    """A share in whole points; a dash of nothing."""
    return with_symbol(number(100 * part / whole), "%") if whole else "–"


def journeys_table(page: JourneysPage, name: str) -> Table:
    """One of the page's tables, by the name that its address gives it. Raises NotThere for another."""
    if name not in TABLES:
        raise not_there(name)
    return TABLES[name](page)


def funnel_table(page: JourneysPage) -> Table:
    """A row a cohort and a step: all products first, then by entry year."""
    columns = [
        _("Entry year"), _("Phase"), _("Reached it or a later one"), _("Went further"), _("Still on the road"),
        *(_(STAGE_LABELS[end]) for end in ENDS),
    ]  # fmt: skip
    cohorts: list[tuple[str | int, Funnel]] = [(_("All"), page.funnel), *page.cohorts]
    rows: list[list[Cell]] = [
        [year, _(STAGE_LABELS[step.stage]), step.reached, step.further, step.going, *(step.ends[end] for end in ENDS)]
        for year, found in cohorts
        for step in found.steps
    ]
    return Table(_("Products by furthest phase"), columns, rows)


def flows_table(page: JourneysPage) -> Table:
    """A row a passage."""
    columns = [_("From"), _("To"), _("Passages"), _("Of all those that left"), _("Median of days before"), _("Step back")]
    rows: list[list[Cell]] = [
        [
            _(STAGE_LABELS[one.origin]), _(STAGE_LABELS[one.to]), one.number, one.number / one.departures, one.median_days,
            one.back,
        ]
        for one in page.flows
    ]  # fmt: skip
    return Table(_("Passages between phases"), columns, rows)


def times_table(page: JourneysPage) -> Table:
    """A row a step of each stage's curve."""
    columns = [_("Phase"), *curve_columns()]
    rows: list[list[Cell]] = [
        [_(STAGE_LABELS[time.stage]), *row] for time in page.times if time.curve for row in curve_rows(time.curve)
    ]
    return Table(_("Time in phase"), columns, rows)


def comparison_table(page: JourneysPage, found: Compared | None, what: str, title: str) -> Table:
    """A row a step of each group's curve."""
    rows: list[list[Cell]] = [
        [_(STAGE_LABELS[page.choice.stage]), group.label, *row]
        for group in (found.groups if found else ())
        if group.curve
        for row in curve_rows(group.curve)
    ]
    return Table(title, [_("Phase"), what, *curve_columns()], rows)


def curve_columns() -> list[str]:
    """What a step of a curve tells."""
    return [
        _("Days"), _("Still followed just before"), _("Ended then"), _("Share still going"), _("Lower bound (95%)"),
        _("Upper bound (95%)"),
    ]  # fmt: skip


def curve_rows(curve: Survival) -> list[list[Cell]]:
    """The curve's steps, one a moment at which something ended."""
    steps = (curve.times, curve.at_risk, curve.ended, curve.share, curve.low, curve.high)
    return [
        [int(days), int(followed), int(ended), share, low, high]
        for days, followed, ended, share, low, high in zip(*(step.tolist() for step in steps), strict=True)
    ]


def endings_table(page: JourneysPage) -> Table:
    """A row a way to end."""
    columns = [
        _("Phase left"), _("End"), _("Products"), _("Share of those that ended"), _("Lower bound (95%)"), _("Upper bound (95%)"),
        _("Median age in days"),
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [
            _(STAGE_LABELS[one.origin]) if one.origin else "", _(STAGE_LABELS[one.end]), one.number, one.number / one.total,
            one.share.low, one.share.high, one.median_age,
        ]
        for one in page.endings
    ]  # fmt: skip
    return Table(_("What ends products"), columns, rows)


TABLES: dict[str, Callable[[JourneysPage], Table]] = {
    "entonnoir": funnel_table,
    "passages": flows_table,
    "durees": times_table,
    "incubateurs": lambda page: comparison_table(page, page.by_incubator, _("Incubator"), _("Time in phase by incubator")),
    "annees": lambda page: comparison_table(page, page.by_entry, _("Entry year"), _("Time in phase by entry year")),
    "fins": endings_table,
}
"""What can be downloaded, by the name in its address."""
