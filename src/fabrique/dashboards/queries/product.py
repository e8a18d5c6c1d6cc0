"""How is this product: where does it stand on its road, what does its next gate ask, how are its services, what is missing?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.accounts.rules import Permission, Person, Role, coaches, may, works_on
from fabrique.dashboards.queries.happened import Moment, Told, happened
from fabrique.dashboards.queries.service import metric_label
from fabrique.dashboards.queries.services import EMPTY_CELL, KEY_METRICS, ServiceLine, service_lines
from fabrique.experiments import queries as experiments
from fabrique.language import folded
from fabrique.portfolio import queries as portfolio
from fabrique.portfolio.programme import (
    ACCESSIBILITY,
    MISSIONS,
    QUALITIES,
    STAKES,
    Accessibility,
    Answer,
    accessibility_of,
)
from fabrique.portfolio.queries.team import team_page
from fabrique.portfolio.road import Step, road_of
from fabrique.portfolio.rules import ACTIVE, FINAL, Stage, stay_on
from fabrique.portfolio.sheet import FIELD_LABELS, LINKS
from fabrique.quality import queries as quality
from fabrique.quality.model import ServiceRow
from fabrique.reviews.queries.sitting import Gate, gate_of
from fabrique.reviews.rules import may_ask, may_prepare
from fabrique.watch import explain
from fabrique.watch import queries as watch
from fabrique.watch.model import FlagRow
from fabrique.watch.rules import FlagState
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.dashboards.queries.services import Cell
    from fabrique.experiments.queries import Line
    from fabrique.portfolio.programme import Mission, Quality, Stake
    from fabrique.portfolio.queries import Incubator, Organisation, ProductSheet
    from fabrique.portfolio.queries.team import Member
    from fabrique.portfolio.rules import Stay
    from fabrique.portfolio.sheet import Budget
    from fabrique.quality.catalogue import Metric
    from fabrique.watch.queries import Flag


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may do here."""

    writes: bool
    corrects: bool
    prepares: bool
    asks: bool


@dataclass(frozen=True, slots=True)
class StakeShown:
    """A stake with the metric that will show it, and what that metric says of each service that is measured by it."""

    stake: Stake
    metric: str
    services: tuple[tuple[ServiceLine, Cell], ...]


@dataclass(frozen=True, slots=True)
class Money:
    """What was planned and spent; None where nobody told."""

    planned: int | None
    spent: int | None


@dataclass(frozen=True, slots=True)
class BudgetYear:
    """A year's lines, with their sum where there are several."""

    year: int
    lines: tuple[Budget, ...]
    total: Money


@dataclass(frozen=True, slots=True)
class QualityShown:
    """A quality with what is answered to it."""

    quality: Quality
    answer: Answer


@dataclass(frozen=True, slots=True)
class ToTell:
    """Something that the sheet does not tell yet: what (a key of the template's sentences) and where one tells it."""

    what: str
    where: str


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One product."""

    id: int
    sheet: ProductSheet
    incubator: Incubator | None
    sponsors: list[Organisation]
    mission: Mission | None
    stay: Stay | None
    road: tuple[Step, ...]
    gate: Gate
    services: list[ServiceLine]
    columns: list[Metric]
    flags: list[tuple[Flag, str]]
    stakes: list[StakeShown]
    trials: list[Line]
    team: tuple[Member, ...]
    coaches: tuple[Member, ...]
    timeline: list[Moment]
    budget: list[BudgetYear]
    budget_total: Money
    qualities: list[QualityShown]
    accessibility: str
    """A msgid, or the words of an import that are none of the choices."""
    links: list[tuple[str, str]]
    """Address and label."""
    to_tell: list[ToTell]
    rights: Rights
    today: date

    @property
    def has_ended(self) -> bool:
        """Whether the product has left the road."""
        return self.stay is not None and self.stay.stage in FINAL

    @property
    def is_new(self) -> bool:
        """Whether it has just been begun: nothing but a phase is told of it."""
        return not self.services and not self.trials and not self.gate.held and len(self.timeline) <= 1


def product(session: Session, slug: str, today: date, person: Person | None = None) -> ProductPage:
    """One product, as that person may see it. A fixed number of queries. Raises NotThere."""
    sheet = portfolio.product_sheets(session, [slug]).get(slug)
    product_id = portfolio.product_id_of(session, slug)
    if sheet is None or product_id is None:
        raise not_there(slug)
    known = quality.metrics(session)
    columns = [known[key] for key in KEY_METRICS if key in known]
    shown_by = [known[metric] for _stake, metric in sheet.stakes if metric in known]
    services = sorted(service_lines(session, [*columns, *shown_by], product_id), key=lambda line: folded(line.name))
    flags = watch.flags(session, ServiceRow.product_id == product_id, FlagRow.state == FlagState.RAISED)
    gate = gate_of(session, product_id, today)
    stays = portfolio.stay_lines(session, [product_id]).get(product_id, [])
    people = team_page(session, slug, today)
    stay = stay_on(sheet.stays, today)
    return ProductPage(
        id=product_id,
        sheet=sheet,
        incubator=portfolio.incubators_by_key(session, [sheet.incubator]).get(sheet.incubator),
        sponsors=sorted(portfolio.organisations_by_key(session, sheet.sponsors).values(), key=lambda one: folded(one.name)),
        mission=MISSIONS.get(sheet.mission),
        stay=stay,
        road=road_of(sheet.stays, today),
        gate=gate,
        services=services,
        columns=columns,
        flags=[(flag, explain.sentence(flag, known[flag.metric_key])) for flag in flags],
        stakes=stakes_shown(sheet, services, known),
        trials=experiments.lines(session, product_id=product_id),
        team=people.team,
        coaches=people.coaches,
        timeline=happened(session, product_id, slug, Told(stays, sheet.events, gate.held, flags), known, today),
        budget=budget_years(sheet.budget),
        budget_total=total_of(sheet.budget),
        qualities=qualities_shown(sheet),
        accessibility=accessibility_words(sheet.accessibility),
        links=[(address, FIELD_LABELS[name]) for name in LINKS if is_web(address := getattr(sheet, name))],
        to_tell=to_tell(sheet, stay, people.team, people.coaches, known),
        rights=rights_of(person, product_id),
        today=today,
    )


def rights_of(person: Person | None, product_id: int) -> Rights:
    """What a person may do to a product."""
    if person is None:
        return Rights(writes=False, corrects=False, prepares=False, asks=False)
    writes = may(person, Permission.WORK) and works_on(person, product_id)
    return Rights(
        writes=writes,
        corrects=writes and (coaches(person, product_id) or person.role is Role.ADMINISTRATOR),
        prepares=may_prepare(person, product_id),
        asks=may_ask(person, product_id),
    )


def stakes_shown(sheet: ProductSheet, services: Sequence[ServiceLine], known: dict[str, Metric]) -> list[StakeShown]:
    """The stakes in the programme's order; a metric that left the catalogue is shown by its key."""
    chosen = dict(sheet.stakes)
    found = []
    for key, stake in STAKES.items():
        if key not in chosen:
            continue
        metric = chosen[key]
        cells = [(line, line.cells[metric]) for line in services if metric in known]
        measured = tuple((line, cell) for line, cell in cells if cell is not EMPTY_CELL)
        found.append(StakeShown(stake, metric_label(known[metric]) if metric in known else metric, measured))
    return found


def budget_years(lines: Iterable[Budget]) -> list[BudgetYear]:
    """The budget year by year, the latest first."""
    by_year: dict[int, list[Budget]] = defaultdict(list)
    for line in lines:
        by_year[line.year].append(line)
    return [BudgetYear(year, tuple(by_year[year]), total_of(by_year[year])) for year in sorted(by_year, reverse=True)]


def total_of(lines: Sequence[Budget]) -> Money:
    """The sum of what is told."""
    planned = [line.planned for line in lines if line.planned is not None]
    spent = [line.spent for line in lines if line.spent is not None]
    return Money(sum(planned) if planned else None, sum(spent) if spent else None)


def qualities_shown(sheet: ProductSheet) -> list[QualityShown]:
    """Every quality that products are asked about; one that nobody answered is not told."""
    given = dict(sheet.qualities)
    return [
        QualityShown(one, Answer(given[key]) if given.get(key) in set(Answer) else Answer.UNKNOWN)
        for key, one in QUALITIES.items()
    ]


def accessibility_words(text: str) -> str:
    """What is declared: the law's words, or the import's own where they are others."""
    declared = accessibility_of(text)
    return text if text and declared is Accessibility.UNKNOWN else ACCESSIBILITY[declared]


def is_web(address: str) -> bool:
    """Whether an address may be linked to: an import may have brought something else."""
    return address.startswith(("https://", "http://"))


def to_tell(
    sheet: ProductSheet, stay: Stay | None, team: Sequence[Member], coaching: Sequence[Member], known: dict[str, Metric]
) -> list[ToTell]:
    """What a product on its road does not tell yet, the most useful first."""
    if stay is not None and stay.stage in FINAL:
        return []
    later = stay is not None and stay.stage in ACTIVE and stay.stage is not Stage.INVESTIGATION
    unshown = [
        key for key, metric in sheet.stakes if not metric and key in STAKES and any(one in known for one in STAKES[key].metrics)
    ]
    asked = {
        ("stay", "phases"): stay is None,
        ("pitch", "fiche/identite"): not sheet.pitch,
        ("team", "equipe"): not team,
        ("alone", "equipe"): len(team) == 1,
        ("coach", "equipe"): not coaching,
        ("sponsor", "fiche/identite"): not sheet.sponsors,
        ("stakes", "fiche/enjeux"): not sheet.stakes,
        ("metrics", "fiche/enjeux"): bool(unshown),
        ("qualities", "fiche/qualites"): later and not sheet.qualities,
        ("budget", "fiche/budget"): later and not sheet.budget,
    }
    return [ToTell(what, where) for (what, where), is_missing in asked.items() if is_missing]
