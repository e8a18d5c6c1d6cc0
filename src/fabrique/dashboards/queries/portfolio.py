"""Is the programme making services better, and where must I look?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.dashboards.queries.news import News, news
from fabrique.portfolio import queries as portfolio_queries
from fabrique.portfolio.rules import ACTIVE, Stage
from fabrique.quality import queries as quality
from fabrique.quality.model import SeriesRow, SeriesStateRow, ServiceRow
from fabrique.quality.rules import enough
from fabrique.watch import queries as watch
from fabrique.watch.rules import FlagState
from fabrique.web.charts.strip import Dot, Strip, strip

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries import ProductLine
    from fabrique.watch.queries import LedgerState

RECENT_DAYS = 92
"""A change is news for a quarter."""


MOST_NEWS = 7


@dataclass(frozen=True, slots=True)
class StageTile:
    """How many products stand in a stage, and how many entered it lately."""

    stage: Stage
    number: int
    arrivals: int


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The programme at a glance."""

    today: date
    since: date
    improved: list[News]
    regressed: list[News]
    improved_services: int
    regressed_services: int
    services: int
    rated: int
    at_target: int
    satisfaction: Strip | None
    stages: list[StageTile]
    ended: int
    products: int
    ledger: LedgerState
    to_explain: int


LEVELS = (
    sa.select(ServiceRow.name, ServiceRow.slug, SeriesStateRow.level, SeriesStateRow.answers)
    .join(SeriesRow, SeriesRow.service_id == ServiceRow.id)
    .join(SeriesStateRow, SeriesStateRow.series_id == SeriesRow.id)
    .where(SeriesRow.metric_key == "satisfaction", SeriesRow.segment == "")
)


def portfolio(session: Session, today: date) -> Portfolio:
    """The programme at a glance, from projections only: its cost does not grow with history."""
    known = quality.metrics(session)
    since = today - timedelta(days=RECENT_DAYS)
    raised = watch.raised_since(session, since)
    states = quality.states(session, [flag.series_id for flag in raised])
    levels = session.execute(LEVELS).all()
    satisfaction = known.get("satisfaction")
    rated = [row for row in levels if satisfaction and row.level is not None and enough(satisfaction, row.answers)]
    target = satisfaction.green if satisfaction and satisfaction.green is not None else 8.0
    lines = portfolio_queries.product_lines(session, today)
    by_stage: dict[Stage, list[ProductLine]] = defaultdict(list)
    for line in lines:
        if line.stay is not None:
            by_stage[line.stay.stage].append(line)
    improved = [flag for flag in raised if flag.direction == "improvement"]
    regressed = [flag for flag in raised if flag.direction == "regression"]
    return Portfolio(
        today=today,
        since=since,
        improved=[news(flag, known, states) for flag in improved[:MOST_NEWS]],
        regressed=[news(flag, known, states) for flag in regressed[:MOST_NEWS]],
        improved_services=len({flag.service_id for flag in improved}),
        regressed_services=len({flag.service_id for flag in regressed}),
        services=session.scalar(sa.select(sa.func.count()).select_from(ServiceRow)) or 0,
        rated=len(rated),
        at_target=sum(row.level >= target for row in rated),
        satisfaction=strip([Dot(row.level, row.name, f"/services/{row.slug}") for row in rated], target) if rated else None,
        stages=[
            StageTile(stage, len(by_stage[stage]), sum(line.stay.start > since for line in by_stage[stage] if line.stay))
            for stage in ACTIVE
        ],
        ended=sum(len(found) for stage, found in by_stage.items() if stage not in ACTIVE),
        products=len(lines),
        ledger=watch.ledger(session),
        to_explain=sum(watch.flag_counts(session).get(FlagState.RAISED, {}).values()),
    )
