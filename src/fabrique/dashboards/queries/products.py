"""Which products are where?"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.language import folded
from fabrique.portfolio import queries as portfolio_queries
from fabrique.portfolio.rules import Stage

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries import ProductLine


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
