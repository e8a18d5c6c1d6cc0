"""What needs a coach today, product by product, the most urgent first, each with its reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.clock import PARIS
from fabrique.experiments.model import ExperimentRow
from fabrique.experiments.rules import State
from fabrique.language import folded
from fabrique.portfolio.model import ProductEventRow, ProductRow, RevisionRow, StayRow
from fabrique.quality.model import SeriesRow, ServiceRow
from fabrique.reviews.model import ReviewRow
from fabrique.reviews.queries.due import Agenda, agendas
from fabrique.reviews.rules import SILENCE, ReviewState
from fabrique.watch.model import FlagRow
from fabrique.watch.rules import FlagState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class Urgency(IntEnum):
    """How much a reason presses; the smallest first."""

    REVIEW_LATE = 1
    CONDITION_LATE = 2
    ASKED = 3
    PLAN = 4
    FLAG = 5
    PREPARE = 6
    REVIEW_SOON = 7
    CONDITION_SOON = 8
    SILENT = 9


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a product needs its coach: what, since or until when, how many, and the page where it is dealt with."""

    urgency: Urgency
    link: str
    day: date | None = None
    text: str = ""
    number: int = 1


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A product with its reasons, the most urgent first."""

    id: int
    slug: str
    name: str
    agenda: Agenda
    last_news: date | None
    reasons: tuple[Reason, ...]

    @property
    def order(self) -> tuple[int, date, str]:
        """Where it stands in the queue: by its first reason, then the older day, then its name."""
        first = self.reasons[0] if self.reasons else None
        return (first.urgency if first else 99, (first.day if first else None) or date.max, folded(self.name))


def queue(session: Session, product_ids: Sequence[int], today: date) -> list[QueueLine]:
    """Those products, the most urgent first, in a constant number of queries."""
    products = session.execute(
        sa.select(ProductRow.id, ProductRow.slug, ProductRow.name).where(ProductRow.id.in_(product_ids))
    ).all()
    due = agendas(session, product_ids, today)
    asked, news = asked_reviews(session, product_ids), last_news(session, product_ids, today)
    plans, flags = plans_to_read(session, product_ids), flags_to_explain(session, product_ids)
    lines = [
        QueueLine(
            row.id, row.slug, row.name, due[row.id], news.get(row.id),
            tuple(
                sorted(
                    [
                        *agenda_reasons(row.slug, due[row.id], today, asked=row.id in asked),
                        *(Reason(Urgency.PLAN, f"/essais/{slug}", text=title) for slug, title in plans[row.id]),
                        *flag_reasons(row.slug, flags.get(row.id, 0)),
                        *silence(row.slug, due[row.id], news.get(row.id), today),
                    ],
                    key=lambda one: (one.urgency, one.day or date.max, one.text),
                )
            ),
        )
        for row in products
    ]  # fmt: skip
    return sorted(lines, key=lambda line: line.order)


def agenda_reasons(slug: str, agenda: Agenda, today: date, *, asked: bool) -> list[Reason]:
    """What the calendar says: reviews and conditions."""
    reviews = f"/produits/{slug}/revues"
    found = []
    if agenda.preparing is not None:
        kind = Urgency.ASKED if asked else Urgency.PREPARE
        found.append(Reason(kind, f"{reviews}/{agenda.preparing}", agenda.planned_on))
    if agenda.due is not None and agenda.due.is_late(today):
        found.append(
            Reason(Urgency.REVIEW_LATE, f"{reviews}/{agenda.preparing}" if agenda.preparing else reviews, agenda.due.day)
        )
    elif agenda.due is not None and agenda.due.is_soon(today) and agenda.preparing is None:
        found.append(Reason(Urgency.REVIEW_SOON, reviews, agenda.due.day))
    for one in agenda.conditions:
        link = f"{reviews}/{one.review_id}#conditions"
        if one.is_late(today):
            found.append(Reason(Urgency.CONDITION_LATE, link, one.due_on, one.text))
        elif one.due_on <= today + timedelta(days=30):
            found.append(Reason(Urgency.CONDITION_SOON, link, one.due_on, one.text))
    return found


def flag_reasons(slug: str, number: int) -> list[Reason]:
    """Changes that nobody has explained."""
    return [Reason(Urgency.FLAG, f"/produits/{slug}#signalements", number=number)] if number else []


def silence(slug: str, agenda: Agenda, news: date | None, today: date) -> list[Reason]:
    """No news for weeks of a product that is on its road."""
    if agenda.due is None or (news is not None and news > today - SILENCE):
        return []
    return [Reason(Urgency.SILENT, f"/produits/{slug}", news)]


def asked_reviews(session: Session, product_ids: Sequence[int]) -> set[int]:
    """The products whose team asked for a review that no coach has taken up."""
    rows = session.execute(
        sa.select(ReviewRow.product_id, ReviewRow.prepared_by).where(
            ReviewRow.product_id.in_(product_ids), ReviewRow.state == ReviewState.PREPARING
        )
    )
    return {row.product_id for row in rows if not row.prepared_by}


def plans_to_read(session: Session, product_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """The plans of experiments that wait for somebody to read them."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for row in session.execute(
        sa.select(ExperimentRow.product_id, ExperimentRow.slug, ExperimentRow.title)
        .where(ExperimentRow.product_id.in_(product_ids), ExperimentRow.state == State.IN_REVIEW)
        .order_by(ExperimentRow.id)
    ):
        found[row.product_id].append((row.slug, row.title))
    return found


def flags_to_explain(session: Session, product_ids: Sequence[int]) -> dict[int, int]:
    """How many changes of its services nobody has explained, by product."""
    rows = session.execute(
        sa.select(ServiceRow.product_id, sa.func.count())
        .select_from(FlagRow)
        .join(SeriesRow, SeriesRow.id == FlagRow.series_id)
        .join(ServiceRow, ServiceRow.id == SeriesRow.service_id)
        .where(ServiceRow.product_id.in_(product_ids), FlagRow.state == FlagState.RAISED)
        .group_by(ServiceRow.product_id)
    )
    return {product_id: number for product_id, number in rows if product_id is not None}


def last_news(session: Session, product_ids: Sequence[int], today: date) -> dict[int, date]:
    """The last day on which something was told of each product: its sheet, an event, a phase, a trial, a review."""
    dated = [
        sa.select(ProductEventRow.product_id, sa.func.max(ProductEventRow.day)).where(ProductEventRow.day <= today),
        sa.select(StayRow.product_id, sa.func.max(StayRow.start)).where(StayRow.start <= today),
    ]
    timed = [
        sa.select(RevisionRow.product_id, sa.func.max(RevisionRow.at)),
        sa.select(ExperimentRow.product_id, sa.func.max(ExperimentRow.changed_at)),
        sa.select(ReviewRow.product_id, sa.func.max(ReviewRow.changed_at)),
    ]
    found: dict[int, date] = {}
    for query in [*dated, *timed]:
        column = query.selected_columns[0]
        for product_id, moment in session.execute(query.where(column.in_(product_ids)).group_by(column)):
            day = moment.astimezone(PARIS).date() if hasattr(moment, "astimezone") else moment
            found[product_id] = max(found.get(product_id, day), day)
    return found
