"""Which products are where? The list, the board and the file, by the filters of one address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.dashboards.queries.health import HEALTH_LABELS
from fabrique.dashboards.queries.listing import STAGES, Facet, View, choices, require_known, shown, stage_label, told
from fabrique.language import _
from fabrique.portfolio import queries as portfolio_queries
from fabrique.portfolio.programme import MISSIONS
from fabrique.portfolio.queries.finding import Group, every_product, find_board, find_products, stages_of
from fabrique.portfolio.rules import ACTIVE, STAGE_LABELS, Stage
from fabrique.reviews.rules import DUE_LABELS
from fabrique.tables.cells import Table

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.dashboards.queries.listing import Asked, Choices, Shown, Tag
    from fabrique.portfolio.queries import SavedView
    from fabrique.portfolio.queries.finding import Counts
    from fabrique.tables.cells import Cell

MOST_CARDS = 20
"""Products that a column of the board shows; the others are a number with a link."""


@dataclass(frozen=True, slots=True)
class Column:
    """A stage on the board. address: the list of all its products."""

    stage: Stage
    cards: list[Shown]
    number: int
    address: str


@dataclass(frozen=True, slots=True)
class Part:
    """The portfolio, or the part of it that the filters show."""

    asked: Asked
    rows: list[Shown]
    columns: list[Column]
    total: int
    page: int
    pages: int
    counts: Counts
    facets: list[Facet]
    tags: list[Tag]
    views: list[SavedView]


@dataclass(frozen=True, slots=True)
class ProductsPage:
    """The page around it. choices: None for a fragment, whose form stands on the page already."""

    part: Part
    choices: Choices | None


def products(session: Session, asked: Asked, today: date, person_id: int, *, fragment: bool = False) -> ProductsPage:
    """The list or the board, in a number of queries that does not grow with the products."""
    part = (board if asked.view is View.BOARD else page)(session, asked, today, portfolio_queries.saved_views(session, person_id))
    return ProductsPage(part, None if fragment else choices(session, asked, today))


def page(session: Session, asked: Asked, today: date, views: list[SavedView]) -> Part:
    """One page of the list."""
    found = find_products(session, asked.wanted, today, *asked.conditions(today), order=asked.order)
    return Part(
        asked=asked,
        rows=shown(session, found.lines, today),
        columns=[],
        total=found.total,
        page=found.page,
        pages=found.pages,
        counts=found.counts,
        facets=facets(asked, found.counts),
        tags=told(session, asked),
        views=views,
    )


def board(session: Session, asked: Asked, today: date, views: list[SavedView]) -> Part:
    """A column for each stage of incubation that is asked for."""
    found = find_board(session, asked.wanted, today, MOST_CARDS, *asked.conditions(today), order=asked.order)
    chosen = stages_of(asked.stage)
    stages = [stage for stage in ACTIVE if chosen is None or stage in chosen]
    cards = {one.product.id: one for one in shown(session, [line for stage in stages for line in found.columns[stage]], today)}
    return Part(
        asked=asked,
        rows=[],
        columns=[
            Column(
                stage,
                [cards[line.id] for line in found.columns[stage]],
                found.counts.of(stage),
                asked.address(stage=stage, view=View.LIST),
            )
            for stage in stages
        ],
        total=found.counts.of(asked.stage),
        page=1,
        pages=1,
        counts=found.counts,
        facets=facets(asked, found.counts),
        tags=told(session, asked),
        views=views,
    )


def facets(asked: Asked, counts: Counts) -> list[Facet]:
    """The stages to choose from: those on the road always, the others where there is something in them."""
    return [
        Facet(stage_label(stage), counts.of(stage), asked.address(stage=stage), stage == asked.stage)
        for stage in (None, *STAGES)
        if stage is None or stage in {Group.ACTIVE, Group.ENDED, *ACTIVE} or stage == asked.stage or counts.of(stage)
    ]


def products_table(session: Session, asked: Asked, today: date) -> Table:
    """The whole list as a table, by the same filters and in the same order."""
    require_known(session, asked)
    columns = [
        _("Product"), _("Key"), _("Incubator"), _("Phase"), _("Since"), _("Mission"), _("Sponsors"), _("Coaches"), _("Health"),
        _("Next review"), _("Why then"), _("Open conditions"), _("First condition due"), _("Sheet changed"),
    ]  # fmt: skip
    blocks = every_product(session, asked.wanted, today, *asked.conditions(today), order=asked.order)
    return Table(_("Products"), columns, [cells(one) for block in blocks for one in shown(session, block, today)])


def cells(one: Shown) -> list[Cell]:
    """A product as a row of the file."""
    product, agenda = one.product, one.agenda
    due = agenda.next_day
    return [
        product.name,
        product.slug,
        product.incubator.name if product.incubator else "",
        _(STAGE_LABELS[product.stay.stage]) if product.stay else "",
        product.stay.start if product.stay else None,
        _(MISSIONS[product.mission].label) if product.mission in MISSIONS else product.mission,
        ", ".join(sponsor.name for sponsor in product.sponsors),
        ", ".join(coach.name for coach in product.coaches),
        ", ".join(_(HEALTH_LABELS[health]) for health in one.health),
        due.day if due else None,
        _(DUE_LABELS[due.reason]) if due else "",
        len(agenda.conditions),
        agenda.conditions[0].due_on if agenda.conditions else None,
        product.changed_at,
    ]
