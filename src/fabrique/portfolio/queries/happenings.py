"""What happened to a product, for the page that adds to it and takes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.queries.sheets import event_lines
from fabrique.portfolio.rules import EVENT_LABELS, ORIGIN_LABELS
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabrique.portfolio.queries.sheets import EventLine
    from fabrique.portfolio.sheet import Event


@dataclass(frozen=True, slots=True)
class EventsPage:
    """The events of a product, the latest first."""

    product_id: int
    slug: str
    product: str
    lines: tuple[EventLine, ...]

    def event(self, event_id: int) -> Event | None:
        """The event of that number; None where it is gone."""
        return next((line.event for line in self.lines if line.id == event_id), None)


def events_page(session: Session, slug: str) -> EventsPage:
    """The events of a product. Raises NotThere."""
    product = session.execute(sa.select(ProductRow.id, ProductRow.name).where(ProductRow.slug == slug)).one_or_none()
    if product is None:
        raise not_there(slug)
    lines = event_lines(session, [product.id]).get(product.id, [])
    return EventsPage(product.id, slug, product.name, tuple(reversed(lines)))


def event_label(event: Event) -> str:
    """The msgid of an event's kind; one that nobody here knows is an event all the same."""
    return EVENT_LABELS.get(event.kind, EVENT_LABELS["other"])


def origin_label(event: Event) -> str:
    """The msgid of who told it."""
    return ORIGIN_LABELS[event.origin]
