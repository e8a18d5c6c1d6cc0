"""Which missions and stakes are served, by what, with what effect?"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from fabrique.dashboards.queries.news import News, news
from fabrique.dashboards.queries.portfolio import RECENT_DAYS
from fabrique.dashboards.queries.service import metric_label
from fabrique.language import _, folded
from fabrique.portfolio.model import ProductRow, StakeRow, StayRow
from fabrique.portfolio.programme import MISSIONS, STAKES
from fabrique.portfolio.rules import ACTIVE
from fabrique.quality import queries as quality
from fabrique.quality.model import SeriesRow, SeriesStateRow, ServiceRow
from fabrique.tables.cells import Table
from fabrique.watch import queries as watch
from fabrique.watch.model import FlagRow
from fabrique.watch.rules import FlagState
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.portfolio.programme import Mission, Stake
    from fabrique.quality.catalogue import Metric
    from fabrique.tables.cells import Cell
    from fabrique.watch.queries import Flag

MOST_NAMED = 5
"""Products that a mission names; the others are a number with a link."""
MOST_NEWS = 3
"""Movements that a stake tells on the programme's page."""
MOST_LISTED = 100
"""And on its own."""


class Product(NamedTuple):
    """A product as this page needs it."""

    id: int
    slug: str
    name: str
    mission: str
    active: bool


class Declared(NamedTuple):
    """What a product says of a stake."""

    product_id: int
    stake: str
    metric_key: str


@dataclass(frozen=True, slots=True)
class MissionLine:
    """A mission with the products that serve it: those in incubation are named first."""

    mission: Mission
    products: int
    active: int
    named: list[Product]


@dataclass(frozen=True, slots=True)
class MetricLine:
    """A metric that products chose to show a stake by."""

    label: str
    products: int
    services: int
    improved: int
    regressed: int


@dataclass(frozen=True, slots=True)
class StakeLine:
    """A stake with what it is shown by, and what moved lately. unshown: products that have not chosen a metric yet."""

    stake: Stake
    products: int
    active: int
    metrics: list[MetricLine]
    usual: list[str]
    unshown: int
    news: list[News]
    improved: int
    regressed: int

    @property
    def moved(self) -> int:
        """How many movements in all."""
        return self.improved + self.regressed


@dataclass(frozen=True, slots=True)
class ProgrammePage:
    """The programme's missions and stakes."""

    since: date
    products: int
    with_mission: int
    with_stake: int
    missions: list[MissionLine]
    stakes: list[StakeLine]
    improved: int
    regressed: int


@dataclass(frozen=True, slots=True)
class StakePage:
    """One stake."""

    since: date
    line: StakeLine


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database knows of all this, read once."""

    total: int
    products: dict[int, Product]
    declared: list[Declared]
    flags: list[Flag]
    service_products: dict[int, int]
    measured: dict[tuple[str, str], int]
    known: dict[str, Metric]


def programme(session: Session, today: date) -> ProgrammePage:
    """Missions and stakes at a glance: a fixed number of queries, whatever the number of products."""
    since = today - timedelta(days=RECENT_DAYS)
    facts = read_facts(session, today, since)
    moved = movements(facts)
    news_of = told(session, facts, {key: flags[:MOST_NEWS] for key, flags in moved.items()})
    every = {flag.id: flag for flags in moved.values() for flag in flags}.values()
    return ProgrammePage(
        since=since,
        products=facts.total,
        with_mission=sum(product.mission in MISSIONS for product in facts.products.values()),
        with_stake=len({one.product_id for one in facts.declared if one.stake in STAKES}),
        missions=[mission_line(mission, facts.products.values()) for mission in MISSIONS.values()],
        stakes=[stake_line(stake, facts, moved[key], news_of[key]) for key, stake in STAKES.items()],
        improved=count(every, "improvement"),
        regressed=count(every, "regression"),
    )


def stake_page(session: Session, today: date, key: str) -> StakePage:
    """One stake with everything that moved since a day. Raises NotThere."""
    if key not in STAKES:
        raise not_there(key)
    since = today - timedelta(days=RECENT_DAYS)
    facts = read_facts(session, today, since)
    moved = movements(facts)[key]
    return StakePage(since, stake_line(STAKES[key], facts, moved, told(session, facts, {key: moved[:MOST_LISTED]})[key]))


def read_facts(session: Session, today: date, since: date) -> Facts:
    """Everything both pages are made of."""
    chosen = sa.exists().where(StakeRow.product_id == ServiceRow.product_id, StakeRow.metric_key == SeriesRow.metric_key)
    flags = watch.flags(session, FlagRow.state == FlagState.RAISED, FlagRow.start >= since, chosen)
    return Facts(
        total=session.scalar(sa.select(sa.func.count()).select_from(ProductRow)) or 0,
        products=products_of(session, today),
        declared=[Declared(*row) for row in session.execute(DECLARED)],
        flags=flags,
        service_products=services_of(session, {flag.service_id for flag in flags}),
        measured={(row.stake, row.metric_key): row.services for row in session.execute(MEASURED)},
        known=quality.metrics(session),
    )


DECLARED = sa.select(StakeRow.product_id, StakeRow.stake, StakeRow.metric_key)
MEASURED = (
    sa.select(StakeRow.stake, StakeRow.metric_key, sa.func.count(sa.distinct(ServiceRow.id)).label("services"))
    .join(ServiceRow, ServiceRow.product_id == StakeRow.product_id)
    .join(SeriesRow, sa.and_(SeriesRow.service_id == ServiceRow.id, SeriesRow.metric_key == StakeRow.metric_key))
    .join(SeriesStateRow, SeriesStateRow.series_id == SeriesRow.id)
    .group_by(StakeRow.stake, StakeRow.metric_key)
)


def products_of(session: Session, today: date) -> dict[int, Product]:
    """The products that serve a mission or a stake, by id."""
    stay = sa.and_(
        StayRow.product_id == ProductRow.id,
        StayRow.start <= today,
        sa.or_(StayRow.end.is_(None), StayRow.end > today),
    )
    rows = session.execute(
        sa.select(ProductRow.id, ProductRow.slug, ProductRow.name, ProductRow.mission, StayRow.stage)
        .outerjoin(StayRow, stay)
        .where(sa.or_(ProductRow.mission != "", ProductRow.id.in_(sa.select(StakeRow.product_id))))
    )
    return {row.id: Product(row.id, row.slug, row.name, row.mission, row.stage in ACTIVE) for row in rows}


def services_of(session: Session, service_ids: Iterable[int]) -> dict[int, int]:
    """The product of each of those services."""
    rows = session.execute(sa.select(ServiceRow.id, ServiceRow.product_id).where(ServiceRow.id.in_(list(service_ids))))
    return {row.id: row.product_id for row in rows if row.product_id is not None}


def movements(facts: Facts) -> dict[str, list[Flag]]:
    """The flags of each stake, the latest first: those on the metric that the service's product declared for it."""
    stakes: dict[tuple[int, str], list[str]] = defaultdict(list)
    for one in facts.declared:
        stakes[one.product_id, one.metric_key].append(one.stake)
    found: dict[str, list[Flag]] = {key: [] for key in STAKES}
    for flag in facts.flags:
        for key in stakes.get((facts.service_products[flag.service_id], flag.metric_key), []):
            if key in found:
                found[key].append(flag)
    return found


def told(session: Session, facts: Facts, shown: dict[str, list[Flag]]) -> dict[str, list[News]]:
    """Each stake's flags as lines with their small charts."""
    states = quality.states(session, {flag.series_id for flags in shown.values() for flag in flags})
    return {key: [news(flag, facts.known, states) for flag in flags] for key, flags in shown.items()}


def mission_line(mission: Mission, products: Iterable[Product]) -> MissionLine:
    """A mission with its products."""
    mine = sorted((one for one in products if one.mission == mission.key), key=lambda one: (not one.active, folded(one.name)))
    return MissionLine(mission, len(mine), sum(one.active for one in mine), mine[:MOST_NAMED])


def stake_line(stake: Stake, facts: Facts, moved: Sequence[Flag], lines: list[News]) -> StakeLine:
    """A stake with its metrics, in the catalogue's order."""
    mine = [one for one in facts.declared if one.stake == stake.key]
    chosen = Counter(one.metric_key for one in mine)
    improved = Counter(flag.metric_key for flag in moved if flag.direction == "improvement")
    regressed = Counter(flag.metric_key for flag in moved if flag.direction == "regression")
    order = {key: place for place, key in enumerate(facts.known)}
    metrics = [
        MetricLine(
            metric_label(facts.known[key]) if key in facts.known else key,
            chosen[key],
            facts.measured.get((stake.key, key), 0),
            improved[key],
            regressed[key],
        )
        for key in sorted(chosen.keys() - {""}, key=lambda key: (order.get(key, len(order)), key))
    ]
    return StakeLine(
        stake=stake,
        products=len(mine),
        active=sum(facts.products[one.product_id].active for one in mine),
        metrics=metrics,
        usual=[metric_label(facts.known[key]) for key in stake.metrics if key in facts.known],
        unshown=chosen[""],
        news=lines,
        improved=improved.total(),
        regressed=regressed.total(),
    )


def count(flags: Iterable[Flag], direction: str) -> int:
    """How many go that way."""
    return sum(flag.direction == direction for flag in flags)


def programme_table(page: ProgrammePage) -> Table:
    """The page as a table: a row a mission, a row a stake, then a row for each metric that shows it."""
    columns = [
        _("What"), _("Name"), _("Metric"), _("Products"), _("In incubation"), _("Services measured"), _("Improvements"),
        _("Regressions"),
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [_("Mission"), f"{line.mission.code} – {_(line.mission.label)}", "", line.products, line.active, None, None, None]
        for line in page.missions
    ]
    for line in page.stakes:
        label = _(line.stake.label)
        rows.append([_("Stake"), label, "", line.products, line.active, None, line.improved, line.regressed])
        rows += [
            [_("Metric of a stake"), label, one.label, one.products, None, one.services, one.improved, one.regressed]
            for one in line.metrics
        ]
    return Table(_("Programme"), columns, rows)
