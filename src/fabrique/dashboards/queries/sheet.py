"""What the form of a product's sheet is made of: the sheet as it stands, and the lists that its fields choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.portfolio import queries as portfolio
from fabrique.portfolio.programme import STAKES
from fabrique.portfolio.sheet import changed
from fabrique.portfolio.wording import differences_in_words
from fabrique.quality import queries as quality
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sqlalchemy.orm import Session

    from fabrique.portfolio.sheet import Difference, ProductSheet

Pair = tuple[str, str]
"""A key and what people read of it."""


@dataclass(frozen=True, slots=True)
class SheetPage:
    """A product's sheet as its form shows it."""

    product_id: int
    sheet: ProductSheet
    version: int
    incubators: tuple[Pair, ...]
    organisations: tuple[Pair, ...]
    metrics: dict[str, str]
    """The catalogue, in its order: what each metric is called in the language of the reader."""

    def usual(self, stake: str) -> list[Pair]:
        """The metrics that usually show a stake."""
        return [(key, self.metrics[key]) for key in STAKES[stake].metrics if key in self.metrics]

    def others(self, stake: str) -> list[Pair]:
        """The rest of the catalogue."""
        return [(key, label) for key, label in self.metrics.items() if key not in STAKES[stake].metrics]


def sheet_page(session: Session, slug: str, language: str) -> SheetPage:
    """One product's sheet. Raises NotThere."""
    product_id, sheet = portfolio.product_id_of(session, slug), portfolio.product_sheets(session, [slug]).get(slug)
    if product_id is None or sheet is None:
        raise not_there(slug)
    return SheetPage(
        product_id,
        sheet,
        portfolio.version_of(session, product_id),
        tuple((one.key, one.title) for one in portfolio.all_incubators(session)),
        tuple((one.key, one.name) for one in portfolio.all_organisations(session)),
        {key: one.label_en if language == "en" else one.label_fr for key, one in quality.metrics(session).items()},
    )


def overtaken_by(page: SheetPage, changes: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What somebody wrote (before) beside what is saved now (after), in the fields where the two differ."""
    names = {"incubator": dict(page.incubators), "sponsors": dict(page.organisations), "stakes": page.metrics}
    return differences_in_words(changed(page.sheet, changes), page.sheet, names)
