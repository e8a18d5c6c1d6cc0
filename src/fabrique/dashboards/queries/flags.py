"""What moved, and what was going on around it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fabrique.dashboards.queries.news import News, news
from fabrique.dashboards.queries.service import MetricBlock, metric_blocks
from fabrique.quality import queries as quality
from fabrique.watch import explain
from fabrique.watch import queries as watch
from fabrique.watch.sheet import sheet
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabrique.watch.queries import Flag, FlagLine, ServiceEvent
    from fabrique.watch.rules import FlagState


@dataclass(frozen=True, slots=True)
class FlagsPage:
    """Flags in a list."""

    news: list[News]
    counts: dict[str, dict[str, int]]
    state: FlagState | None
    direction: str | None


@dataclass(frozen=True, slots=True)
class FlagPage:
    """One flag."""

    flag: Flag
    sentence: str
    evidence: str
    block: MetricBlock
    nearby: list[ServiceEvent]
    history: list[FlagLine]


def flags(session: Session, state: FlagState | None, direction: str | None) -> FlagsPage:
    """The list of flags."""
    known = quality.metrics(session)
    found = watch.flags_in(session, state=state, direction=direction, limit=200)
    states = quality.states(session, [flag.series_id for flag in found])
    return FlagsPage([news(flag, known, states) for flag in found], watch.flag_counts(session), state, direction)


def flag(session: Session, flag_id: int) -> FlagPage:
    """One flag with its chart and what happened around it. Raises NotThere."""
    found = watch.flag_by_id(session, flag_id)
    if found is None:
        raise not_there(str(flag_id))
    known = quality.metrics(session)
    series = [one for one in quality.series_of_services(session, [found.service_id], known) if one.id == found.series_id]
    events = watch.events_of_service(session, found.service_id)
    related = [one for one in watch.flags_of_service(session, found.service_id) if one.series_id == found.series_id]
    (block,) = metric_blocks(session, series, related, events)
    near = timedelta(days=45)
    return FlagPage(
        flag=found,
        sentence=explain.sentence(found, known[found.metric_key]),
        evidence=explain.evidence(found, known[found.metric_key]),
        block=block,
        nearby=[one for one in events if found.earliest - near <= one.day <= found.latest + near],
        history=watch.history_of(session, flag_id),
    )


def flag_sheet(session: Session, flag_id: int) -> dict[str, Any]:
    """The calculation behind a flag, on what is known today. Raises NotThere."""
    found = watch.flag_by_id(session, flag_id)
    if found is None:
        raise not_there(str(flag_id))
    known = quality.metrics(session)
    (series,) = [one for one in quality.series_of_services(session, [found.service_id], known) if one.id == found.series_id]
    return {"flag": flag_id, "service": found.service_slug, **sheet(series, quality.histories(session, [series])[series.id])}
