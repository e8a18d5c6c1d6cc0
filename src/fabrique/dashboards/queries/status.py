"""The whole installation in numbers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.portfolio import queries as portfolio_queries
from fabrique.portfolio.rules import Stage
from fabrique.quality.model import ObservationRow, SeriesRow, ServiceRow
from fabrique.watch import queries as watch
from fabrique.watch.rules import FlagState

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.portfolio.model import ProductRow


def status(session: Session, today: date, now: datetime) -> dict[str, object]:
    """The whole installation in numbers, for `fabrique status`."""

    def count(table: type[ProductRow | ServiceRow | SeriesRow | ObservationRow]) -> int:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    lines = portfolio_queries.product_lines(session, today)
    by_stage = Counter(line.stay.stage.value if line.stay else "none" for line in lines)
    return {
        "at": now.isoformat(),
        "products": {"total": len(lines), "by_stage": {key: by_stage.get(key, 0) for key in [*Stage, "none"]}},
        "services": count(ServiceRow),
        "series": count(SeriesRow),
        "observations": count(ObservationRow),
        "check_runs": watch.run_counts(session),
        "flags": {
            state.value: {
                direction: watch.flag_counts(session).get(state, {}).get(direction, 0)
                for direction in ("improvement", "regression", "neutral")
            }
            for state in FlagState
        },
    }
