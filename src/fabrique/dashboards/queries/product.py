"""How is this product: where does it stand on its road, how are its services, and what comes next?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.dashboards.queries.services import KEY_METRICS, ServiceLine, service_lines
from fabrique.experiments import queries as experiments
from fabrique.language import folded
from fabrique.portfolio import queries as portfolio_queries
from fabrique.portfolio.rules import stay_on
from fabrique.quality import queries as quality
from fabrique.watch import explain
from fabrique.watch import queries as watch
from fabrique.watch.rules import FlagState
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.experiments.queries import Line
    from fabrique.portfolio.queries import Event, ProductSheet
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
