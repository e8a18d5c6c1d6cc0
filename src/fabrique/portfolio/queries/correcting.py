"""A product's phases as the page that puts them right shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.portfolio.queries.sheets import product_id_of, product_sheets, stay_lines, version_of
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries.sheets import StayLine
    from fabrique.portfolio.rules import Stay
    from fabrique.portfolio.sheet import ProductSheet


@dataclass(frozen=True, slots=True)
class StaysPage:
    """A product's phases, each with who says so; those that a file plans for later apart."""

    product_id: int
    sheet: ProductSheet
    version: int
    begun: tuple[StayLine, ...]
    planned: tuple[Stay, ...]

    def said_by(self, stage: str, start: str) -> StayLine | None:
        """The phase as it stands that a row still tells."""
        return next((one for one in self.begun if (one.stay.stage, one.stay.start.isoformat()) == (stage, start)), None)


def stays_page(session: Session, slug: str, today: date) -> StaysPage:
    """One product's phases. Raises NotThere."""
    product_id, sheet = product_id_of(session, slug), product_sheets(session, [slug]).get(slug)
    if product_id is None or sheet is None:
        raise not_there(slug)
    lines = stay_lines(session, [product_id]).get(product_id, [])
    return StaysPage(
        product_id,
        sheet,
        version_of(session, product_id),
        tuple(one for one in lines if one.stay.start <= today),
        tuple(one.stay for one in lines if one.stay.start > today),
    )
