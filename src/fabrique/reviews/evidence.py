"""What is known of a product when its gate is reviewed, laid beside each criterion in both languages, so that it can be frozen.

An item is told as it stood; nothing here judges. The same gathering serves the page and, at the signature, the record.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique import language
from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.experiments import queries as experiments
from fabrique.experiments.report import sentence_of
from fabrique.experiments.rules import CHOICE_SHORT, STATE_LABELS, Choice
from fabrique.language import _, current, folded, n_, ngettext, speaking
from fabrique.portfolio.checking import is_link
from fabrique.portfolio.programme import ACCESSIBILITY as DECLARED
from fabrique.portfolio.programme import ANSWER_LABELS, QUALITIES, accessibility_of
from fabrique.portfolio.programme import Answer as QualityAnswer
from fabrique.portfolio.queries import organisation_names, product_sheets
from fabrique.portfolio.rules import EVENT_LABELS, STAGE_LABELS, stay_on
from fabrique.quality import queries as quality
from fabrique.quality.model import SeriesRow, SeriesStateRow, ServiceRow
from fabrique.quality.rules import BAND_LABELS, band, enough
from fabrique.reviews.defaults import Draw
from fabrique.reviews.rules import USUAL
from fabrique.watch import explain
from fabrique.watch import queries as watch
from fabrique.watch.model import FlagRow
from fabrique.watch.rules import FlagState
from fabrique.web import formats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.experiments.queries import Line
    from fabrique.portfolio.rules import Stay
    from fabrique.portfolio.sheet import Budget, Event, ProductSheet
    from fabrique.quality.catalogue import Metric
    from fabrique.watch.queries import Flag

MOST_EVENTS = 12
ADOPTION = ("transactions", "digital_take_up")
NOT_JUDGED = (*ADOPTION, "rgaa")
"""Metrics that stand under a heading of their own."""
SPONSOR, PARTNER = n_("Sponsor: %(name)s"), n_("Partner: %(name)s")


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is known, told in both languages, with the page where it stands."""

    fr: str
    en: str
    link: str = ""

    @property
    def text(self) -> str:
        """In the language in force."""
        return self.fr if current.get() == "fr" else self.en


Evidence = dict[Draw, tuple[Item, ...]]


@dataclass(frozen=True, slots=True)
class Known:
    """What was read, before it is put into words."""

    sheet: ProductSheet
    sponsors: list[str]
    members: list[Any]
    metrics: dict[str, Metric]
    states: list[Any]
    services: list[quality.Service]
    flags: list[Flag]
    trials: list[Line]
    sheets: dict[str, dict[str, Any]]
    today: date


def gather(session: Session, product_id: int, slug: str, today: date) -> Evidence:
    """Everything that a gate's criteria may draw on, in a constant number of queries."""
    known = read(session, product_id, slug, today)
    return {draw: tuple(tell(known)) for draw, tell in TELLERS.items()}


def read(session: Session, product_id: int, slug: str, today: date) -> Known:
    """What is known, read once."""
    sheet = product_sheets(session, [slug])[slug]
    states = session.execute(
        sa.select(
            ServiceRow.name, ServiceRow.slug, SeriesRow.metric_key, SeriesRow.unit, SeriesStateRow.level, SeriesStateRow.answers,
            SeriesStateRow.last_start, SeriesStateRow.granularity,
        )
        .join(SeriesRow, SeriesRow.service_id == ServiceRow.id)
        .join(SeriesStateRow, SeriesStateRow.series_id == SeriesRow.id)
        .where(ServiceRow.product_id == product_id, SeriesRow.segment == "")
    ).all()  # fmt: skip
    members = session.execute(
        sa.select(PersonRow.name, MembershipRow.kind, MembershipRow.title, MembershipRow.since)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(MembershipRow.product_id == product_id, MembershipRow.until.is_(None) | (MembershipRow.until >= today))
    ).all()
    return Known(
        sheet=sheet,
        sponsors=organisation_names(session, sheet.sponsors),
        members=sorted(members, key=lambda row: (row.kind, folded(row.name))),
        metrics=quality.metrics(session),
        states=sorted(states, key=lambda row: (folded(row.name), row.slug, row.metric_key)),
        services=quality.services_of_product(session, product_id),
        flags=watch.flags(session, ServiceRow.product_id == product_id, FlagRow.state == FlagState.RAISED),
        trials=experiments.lines(session, product_id=product_id),
        sheets=experiments.newest_sheets(session, product_id),
        today=today,
    )


def both(make: Callable[[], str], link: str = "") -> Item:
    """An item said in each language."""
    told = {}
    for one in language.LANGUAGES:
        with speaking(one):
            told[one] = make()
    return Item(told["fr"], told["en"], link)


def trials(known: Known) -> Iterator[Item]:
    """Each trial: where it stands, what it concludes, what was decided."""
    for line in known.trials:
        yield both(partial(trial_words, line, known.sheets.get(line.slug)), f"/essais/{line.slug}")


def trial_words(line: Line, sheet: dict[str, Any] | None) -> str:
    """One trial in a sentence or two."""
    state = _(CHOICE_SHORT[Choice(line.choice)]) if line.choice else _(STATE_LABELS[line.state])
    told = _("“%(title)s”: %(state)s.", title=line.title, state=state.lower())
    return f"{told} {sentence_of(sheet)}" if sheet else told


def metric_items(known: Known, wanted: Callable[[str], bool]) -> Iterator[Item]:
    """The metrics of the services: level, band, number of answers."""
    for row in known.states:
        if row.metric_key in known.metrics and wanted(row.metric_key):
            yield both(partial(metric_words, known.metrics[row.metric_key], row), f"/services/{row.slug}")


def metric_words(metric: Metric, row: Any) -> str:
    """One metric of one service."""
    label = metric.label_fr if current.get() == "fr" else metric.label_en
    if row.level is None or not enough(metric, row.answers):
        return _("%(service)s, %(metric)s: not enough answers.", service=row.name, metric=label.lower())
    level = formats.scaled(row.level, quality.unit_of(metric, row.unit))
    found = band(metric, row.level, row.answers)
    notes = [_(BAND_LABELS[found]).lower()] if found else []
    if row.answers is not None:
        notes.append(ngettext("%(count)s answer", "%(count)s answers", int(row.answers), count=formats.number(row.answers)))
    notes.append(_("up to %(period)s", period=formats.period(row.last_start, row.granularity)))
    return _(
        "%(service)s, %(metric)s: %(level)s (%(notes)s).",
        service=row.name,
        metric=label.lower(),
        level=level,
        notes=", ".join(notes),
    )


def open_flags(known: Known) -> Iterator[Item]:
    """Changes that nobody has explained yet."""
    for flag in known.flags:
        if flag.metric_key in known.metrics:
            yield both(partial(explain.sentence, flag, known.metrics[flag.metric_key]), f"/signalements/{flag.id}")


def services(known: Known) -> Iterator[Item]:
    """The services that people use."""
    for one in known.services:
        yield Item(one.name, one.name, f"/services/{one.slug}")


def budget(known: Known) -> Iterator[Item]:
    """Each line of the budget."""
    for line in known.sheet.budget:
        yield both(partial(budget_words, line))


def budget_words(line: Budget) -> str:
    """One line of the budget, in whole euros."""
    unit = formats.Unit("€", 0)
    return _(
        "%(year)s, %(funder)s: %(planned)s planned, %(spent)s spent.",
        year=line.year,
        funder=line.funder,
        planned=formats.figure(line.planned, unit),
        spent=formats.figure(line.spent, unit),
    )


def stage(known: Known) -> Iterator[Item]:
    """How long the product has been in its phase, beside the usual length."""
    if stay := stay_on(known.sheet.stays, known.today):
        yield both(partial(stage_words, stay, known.today))


def stage_words(stay: Stay, today: date) -> str:
    """The time in a phase in a sentence."""
    told = ngettext(
        "In “%(stage)s” for %(num)s week (since %(day)s)",
        "In “%(stage)s” for %(num)s weeks (since %(day)s)",
        (today - stay.start).days // 7,
        stage=_(STAGE_LABELS[stay.stage]),
        day=formats.day(stay.start),
    )
    if stay.stage not in USUAL:
        return f"{told}."
    return _("%(told)s; usually at most %(usual)s weeks.", told=told, usual=USUAL[stay.stage].days // 7)


def team(known: Known) -> Iterator[Item]:
    """Who works on it, who coaches it."""
    for row in known.members:
        yield both(partial(member_words, row))


def member_words(row: Any) -> str:
    """One person with what they do there, and since when."""
    title = row.title or (_("coach") if row.kind == "coach" else _("team member"))
    since = _(", since %(day)s", day=formats.day(row.since)) if row.since else ""
    return f"{row.name} ({title}{since})"


def sponsors(known: Known) -> Iterator[Item]:
    """Who sponsors it, with whom it works."""
    for name in known.sponsors:
        yield both(partial(_, SPONSOR, name=name))
    for name in known.sheet.partners:
        yield both(partial(_, PARTNER, name=name))


def accessibility(known: Known) -> Iterator[Item]:
    """What is declared, and the audited rates."""
    if known.sheet.accessibility:
        label = DECLARED[accessibility_of(known.sheet.accessibility)]
        yield both(lambda: _("Declared: %(status)s", status=_(label).lower()))
    yield from metric_items(known, lambda key: key == "rgaa")


def qualities(known: Known) -> Iterator[Item]:
    """What was answered to each quality, and where the code is."""
    for key, answer in known.sheet.qualities:
        if key in QUALITIES:
            yield both(partial(quality_words, key, answer))
    if address := known.sheet.repository:
        yield both(lambda: _("Source code: %(address)s", address=address), address if is_link(address) else "")


def quality_words(key: str, answer: str) -> str:
    """One quality with its answer."""
    told = _(ANSWER_LABELS[QualityAnswer(answer)]).lower()
    return _("%(quality)s: %(answer)s", quality=_(QUALITIES[key].label), answer=told)


def events(known: Known) -> Iterator[Item]:
    """The latest things that happened."""
    past = [event for event in known.sheet.events if event.day <= known.today]
    for event in reversed(past[-MOST_EVENTS:]):
        yield both(partial(event_words, event))


def event_words(event: Event) -> str:
    """One event with its day."""
    kind = _(EVENT_LABELS.get(event.kind, EVENT_LABELS["other"]))
    return f"{formats.day(event.day)} – {kind}" + (f" – {event.comment}" if event.comment else "")


TELLERS: dict[Draw, Callable[[Known], Iterator[Item]]] = {
    Draw.EXPERIMENTS: trials,
    Draw.METRICS: lambda known: metric_items(known, lambda key: key not in NOT_JUDGED),
    Draw.FLAGS: open_flags,
    Draw.SERVICES: services,
    Draw.ADOPTION: lambda known: metric_items(known, lambda key: key in ADOPTION),
    Draw.BUDGET: budget,
    Draw.STAGE: stage,
    Draw.TEAM: team,
    Draw.SPONSORS: sponsors,
    Draw.ACCESSIBILITY: accessibility,
    Draw.QUALITIES: qualities,
    Draw.EVENTS: events,
}


def as_json(evidence: Evidence) -> dict[str, list[dict[str, str]]]:
    """For the record."""
    return {draw.value: [asdict(item) for item in items] for draw, items in evidence.items() if items}


def from_json(document: dict[str, list[dict[str, str]]]) -> Evidence:
    """From the record."""
    found: Evidence = defaultdict(tuple)
    for draw, items in document.items():
        found[Draw(draw)] = tuple(Item(**item) for item in items)
    return found


def laid(evidence: Evidence, draws: Sequence[Draw]) -> list[tuple[Draw, tuple[Item, ...]]]:
    """What stands beside a criterion: each kind that it draws on and that has something."""
    return [(draw, evidence[draw]) for draw in draws if evidence.get(draw)]
