"""Which products are where, and how is this one?"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.dashboards.queries.services import KEY_METRICS, ServiceLine, service_lines
from fabrique.experiments import queries as experiments
from fabrique.language import folded
from fabrique.portfolio import queries as portfolio_queries
from fabrique.portfolio.rules import Stage, stay_on
from fabrique.quality import queries as quality
from fabrique.watch import explain
from fabrique.watch import queries as watch
from fabrique.watch.rules import FlagState
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.experiments.queries import Line
    from fabrique.portfolio.queries import Event, ProductLine, ProductSheet
    from fabrique.portfolio.rules import Stay
    from fabrique.quality.catalogue import Metric
    from fabrique.watch.queries import Flag


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One product."""

    sheet: ProductSheet
    incubator: str
    sponsors: list[str]
    stay: Stay | None
    stays: list[Stay]
    planned: list[Stay]
    services: list[ServiceLine]
    columns: list[Metric]
    events: list[Event]
    flags: list[tuple[Flag, str]]
    trials: list[Line]


@dataclass(frozen=True, slots=True)
class ProductsPage:
    """Products by stage."""

    groups: list[tuple[Stage | None, list[ProductLine]]]
    total: int
    counts: dict[Stage | None, int]
    chosen: Stage | None


def products(session: Session, today: date, chosen: Stage | None, search: str) -> ProductsPage:
    """Products by stage, filtered."""
    lines = portfolio_queries.product_lines(session, today)
    wanted = folded(search)
    counts = Counter(line.stay.stage if line.stay else None for line in lines)
    groups: dict[Stage | None, list[ProductLine]] = defaultdict(list)
    for line in lines:
        stage = line.stay.stage if line.stay else None
        if (chosen is None or stage is chosen) and wanted in folded(f"{line.name} {line.incubator}"):
            groups[stage].append(line)
    order: list[Stage | None] = [*Stage, None]
    return ProductsPage([(stage, groups[stage]) for stage in order if groups[stage]], len(lines), dict(counts), chosen)


def product(session: Session, slug: str, today: date) -> ProductPage:
    """One product. Raises NotThere."""
    sheet = portfolio_queries.product_sheets(session, [slug]).get(slug)
    product_id = portfolio_queries.product_id_of(session, slug)
    if sheet is None or product_id is None:
        raise not_there(slug)
    known = quality.metrics(session)
    columns = [known[key] for key in KEY_METRICS if key in known]
    services_here = quality.services_of_product(session, product_id)
    flags = [flag for one in services_here for flag in watch.flags_of_service(session, one.id)]
    return ProductPage(
        sheet=sheet,
        incubator=portfolio_queries.incubator_title(session, sheet.incubator) if sheet.incubator else "",
        sponsors=portfolio_queries.organisation_names(session, sheet.sponsors),
        stay=stay_on(sheet.stays, today),
        stays=[stay for stay in sheet.stays if stay.start <= today],
        planned=[stay for stay in sheet.stays if stay.start > today],
        services=sorted(service_lines(session, columns, product_id), key=lambda line: folded(line.name)),
        columns=columns,
        events=list(reversed(sheet.events)),
        flags=[(flag, explain.sentence(flag, known[flag.metric_key])) for flag in flags if flag.state is FlagState.RAISED],
        trials=experiments.lines(session, product_id=product_id),
    )
