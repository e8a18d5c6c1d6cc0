"""Which products match these filters, in which order? For lists, boards and exports: the database filters, sorts and cuts into pages.

Whoever looks across domains adds conditions over ProductRow and orders of their own; the number of queries never grows with the rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.database import in_letter_order
from fabrique.language import folded
from fabrique.portfolio.model import IncubatorRow, OrganisationRow, ProductRow, SponsorshipRow, StakeRow, StayRow
from fabrique.portfolio.rules import ACTIVE, FINAL, ROAD, Mark, Stage, Stay

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

LONGEST_SEARCH = 200
"""Characters of a search that are looked at; nobody remembers more of a name."""
BLOCK = 5_000
"""Products read at once for a file: databases bind some ten thousand values to a query, not more."""
MOST_ID = 2**31 - 1


class Group(StrEnum):
    """Stages that are asked for together."""

    ACTIVE = "active"
    ENDED = "ended"
    UNTOLD = "untold"


class Sort(StrEnum):
    """Orders that a list of products knows. SINCE: those that have been longest in their phase first."""

    NAME = "name"
    STAGE = "stage"
    SINCE = "since"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the portfolio; an empty filter means any."""

    stage: Stage | Group | None = None
    incubator: str = ""
    sponsor: str = ""
    mission: str = ""
    stake: str = ""
    coach: int | None = None
    """A person's id."""
    search: str = ""
    """Words that all stand in a product's name, address or pitch, or in its incubator's name."""
    sort: Sort = Sort.NAME
    page: int = 1
    size: int = 50


@dataclass(frozen=True, slots=True)
class Named:
    """An organisation or an incubator as a list names it."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Coach:
    """A coach as a list names them."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class FoundProduct:
    """A product in a list, with the stay it is in."""

    id: int
    slug: str
    name: str
    mission: str
    stay: Stay | None
    changed_at: datetime
    incubator: Named | None
    sponsors: tuple[Named, ...] = ()
    coaches: tuple[Coach, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many products in each stage (None: no stage told), whatever the stage that is asked for."""

    by_stage: dict[Stage | None, int]

    def of(self, stage: Stage | Group | None) -> int:
        """How many products a choice of stage shows; None: any."""
        kept = stages_of(stage)
        return sum(number for one, number in self.by_stage.items() if kept is None or one in kept)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a list. total: products of all its pages; counts: by stage, with the other filters kept."""

    lines: list[FoundProduct]
    total: int
    page: int
    pages: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Board:
    """The first products of each active stage, and how many there are in all."""

    columns: dict[Stage, list[FoundProduct]]
    counts: Counts


def find_products(
    session: Session,
    wanted: Wanted,
    today: date,
    *conditions: sa.ColumnElement[bool],
    order: Sequence[sa.SQLColumnExpression[Any]] = (),
) -> Found:
    """One page of the products that match, in four queries (five with a search).

    conditions: more of them, over ProductRow and CURRENT; order: what comes before the order that is asked for. A page beyond the
    end is the last.
    """
    ranks = ranked(session, wanted, today, conditions, order)
    ids, size = ranks.of(wanted.stage), max(1, wanted.size)
    pages = max(1, -(-len(ids) // size))
    page = min(max(1, wanted.page), pages)
    lines = read_lines(session, ids[(page - 1) * size : page * size], today)
    return Found(lines, len(ids), page, pages, ranks.counts)


def find_board(
    session: Session,
    wanted: Wanted,
    today: date,
    most: int,
    *conditions: sa.ColumnElement[bool],
    order: Sequence[sa.SQLColumnExpression[Any]] = (),
) -> Board:
    """The first `most` products of each active stage that match, whatever the stage that is asked for."""
    ranks = ranked(session, wanted, today, conditions, order)
    shown = {stage: ranks.of(stage)[:most] for stage in ACTIVE}
    lines = {line.id: line for line in read_lines(session, [key for ids in shown.values() for key in ids], today)}
    return Board({stage: [lines[key] for key in ids] for stage, ids in shown.items()}, ranks.counts)


def every_product(
    session: Session,
    wanted: Wanted,
    today: date,
    *conditions: sa.ColumnElement[bool],
    order: Sequence[sa.SQLColumnExpression[Any]] = (),
) -> Iterator[list[FoundProduct]]:
    """All that match, in blocks: for files."""
    ids = ranked(session, wanted, today, conditions, order).of(wanted.stage)
    for first in range(0, len(ids), BLOCK):
        yield read_lines(session, ids[first : first + BLOCK], today)


@dataclass(frozen=True, slots=True)
class Ranks:
    """The ids of all that match whatever their stage, in order, each with its stage."""

    places: Sequence[sa.Row[int, str]]

    def of(self, stage: Stage | Group | None) -> list[int]:
        """Those of a choice of stage; None: all."""
        kept = stages_of(stage)
        return [key for key, one in self.places if kept is None or one in kept]

    @property
    def counts(self) -> Counts:
        """How many in each stage."""
        return Counts({Stage(one) if one else None: number for one, number in Counter(one for _key, one in self.places).items()})


def stages_of(choice: Stage | Group | None) -> frozenset[Stage | None] | None:
    """The stages that are asked for together; None: any."""
    match choice:
        case None:
            return None
        case Group.ACTIVE:
            return frozenset(ACTIVE)
        case Group.ENDED:
            return FINAL
        case Group.UNTOLD:
            return frozenset({None})
        case Stage():
            return frozenset({choice})


def ranked(
    session: Session,
    wanted: Wanted,
    today: date,
    conditions: Sequence[sa.ColumnElement[bool]],
    order: Sequence[sa.SQLColumnExpression[Any]],
) -> Ranks:
    """All that match, but for the stage, in order.

    Ids alone, and the page is cut from them here: counted by stage in one query and cut in another, a filter over all domains would be
    worked out twice, which takes longer than to bring five thousand ids along.
    """
    query = (
        sa.select(ProductRow.id, CURRENT.stage)
        .select_from(ProductRow)
        .outerjoin(CURRENT, in_current_stay(today))
        .where(*filters_of(session, wanted, today), *conditions)
        .order_by(*order, *ORDERS[wanted.sort])
    )
    # Past the session, which would make each row anew: a third of the time, at five thousand.
    return Ranks(session.connection().execute(query).all())


CURRENT = aliased(StayRow, name="current_stay")
"""The stay that a product is in, in the queries below; for orders and conditions over it."""


def in_current_stay(today: date) -> sa.ColumnElement[bool]:
    """Joins a product with the stay it is in: the last one that has begun. Those still to come are plans.

    Stays follow one another without overlap or gap up to an open one (rules.require_stays), so the last begun is the one that has not
    ended yet: one comparison for each stay, where looking for the greatest position takes a search for each product.
    """
    return sa.and_(
        CURRENT.product_id == ProductRow.id, CURRENT.start <= today, sa.or_(CURRENT.end.is_(None), CURRENT.end > today)
    )


def listing(today: date) -> sa.Select[*tuple[Any, ...]]:
    """What a line of a list is made of."""
    return (
        sa.select(
            ProductRow.id,
            ProductRow.slug,
            ProductRow.name,
            ProductRow.mission,
            ProductRow.changed_at,
            CURRENT.stage,
            CURRENT.start,
            CURRENT.end,
            CURRENT.mark,
            IncubatorRow.key,
            IncubatorRow.title,
        )
        .select_from(ProductRow)
        .outerjoin(CURRENT, in_current_stay(today))
        .outerjoin(IncubatorRow, IncubatorRow.id == ProductRow.incubator_id)
    )


_BY_NAME = (in_letter_order(ProductRow.searched), ProductRow.id)
ORDERS: dict[Sort, tuple[sa.SQLColumnExpression[Any], ...]] = {
    Sort.NAME: _BY_NAME,
    Sort.STAGE: (sa.case({stage.value: place for stage, place in ROAD.items()}, value=CURRENT.stage, else_=len(ROAD)), *_BY_NAME),
    Sort.SINCE: (CURRENT.start.is_(None), CURRENT.start, *_BY_NAME),
    Sort.CHANGED: (ProductRow.changed_at.desc(), *_BY_NAME),
}
"""Each ends with something unique: a list whose order wavers shows a product twice and another never."""


def filters_of(session: Session, wanted: Wanted, today: date) -> list[sa.ColumnElement[bool]]:
    """Every filter but the stage's, whose counts are shown beside."""
    found: list[sa.ColumnElement[bool]] = []
    if wanted.incubator:
        mine = sa.select(IncubatorRow.id).where(IncubatorRow.key == kept(wanted.incubator))
        found.append(ProductRow.incubator_id == mine.scalar_subquery())
    if wanted.sponsor:
        sponsor = sa.select(OrganisationRow.id).where(OrganisationRow.key == kept(wanted.sponsor)).scalar_subquery()
        found.append(ProductRow.id.in_(sa.select(SponsorshipRow.product_id).where(SponsorshipRow.organisation_id == sponsor)))
    if wanted.mission:
        found.append(ProductRow.mission == kept(wanted.mission))
    if wanted.stake:
        found.append(ProductRow.id.in_(sa.select(StakeRow.product_id).where(StakeRow.stake == kept(wanted.stake))))
    if wanted.coach is not None:
        found.append(coached_by(wanted.coach, today))
    return [*found, *search_filters(session, wanted.search)]


def kept(text: str) -> str:
    """The text as PostgreSQL can be asked about it: it knows no NUL, and no key holds what stands in for one."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def coached_by(person_id: int, today: date) -> sa.ColumnElement[bool]:
    """Whether that person coaches the product now: a condition over ProductRow.id."""
    if not 0 < person_id <= MOST_ID:
        return sa.false()
    mine = sa.select(MembershipRow.product_id).where(MembershipRow.person_id == person_id, still_coaching(today))
    return ProductRow.id.in_(mine)


def still_coaching(today: date) -> sa.ColumnElement[bool]:
    """Whether a membership is a coach's that has not ended."""
    return sa.and_(MembershipRow.kind == "coach", sa.or_(MembershipRow.until.is_(None), MembershipRow.until >= today))


def search_filters(session: Session, search: str) -> list[sa.ColumnElement[bool]]:
    """Each word stands in what is searched of a product, or in its incubator's name."""
    words = dict.fromkeys(folded(kept(search[:LONGEST_SEARCH])).split())
    if not words:
        return []
    titles = [(row.id, folded(row.title)) for row in session.execute(sa.select(IncubatorRow.id, IncubatorRow.title))]
    return [
        sa.or_(
            ProductRow.searched.contains(word, autoescape=True),
            ProductRow.incubator_id.in_([key for key, title in titles if word in title]),
        )
        for word in words
    ]


def read_lines(session: Session, product_ids: Sequence[int], today: date) -> list[FoundProduct]:
    """Those products as lines, in that order, with their sponsors and coaches."""
    rows = {row.id: row for row in session.execute(listing(today).where(ProductRow.id.in_(product_ids)))}
    sponsors, coaches = sponsors_named(session, product_ids), coaches_named(session, product_ids, today)
    return [
        FoundProduct(
            id=row.id,
            slug=row.slug,
            name=row.name,
            mission=row.mission,
            stay=Stay(Stage(row.stage), row.start, row.end, Mark(row.mark)) if row.stage else None,
            changed_at=row.changed_at,
            incubator=Named(row.key, row.title) if row.key else None,
            sponsors=tuple(sponsors[row.id]),
            coaches=tuple(coaches[row.id]),
        )
        for row in (rows[key] for key in product_ids)
    ]


def sponsors_named(session: Session, product_ids: Sequence[int]) -> dict[int, list[Named]]:
    """The sponsors of those products, by name."""
    found: dict[int, list[Named]] = defaultdict(list)
    for row in session.execute(
        sa.select(SponsorshipRow.product_id, OrganisationRow.key, OrganisationRow.name)
        .join(OrganisationRow, OrganisationRow.id == SponsorshipRow.organisation_id)
        .where(SponsorshipRow.product_id.in_(product_ids))
    ):
        found[row.product_id].append(Named(row.key, row.name))
    for names in found.values():
        names.sort(key=lambda one: (folded(one.name), one.key))
    return found


def coaches_named(session: Session, product_ids: Sequence[int], today: date) -> dict[int, list[Coach]]:
    """The people who coach those products now, by name."""
    found: dict[int, list[Coach]] = defaultdict(list)
    for row in session.execute(
        sa.select(MembershipRow.product_id, PersonRow.id, PersonRow.name)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .where(MembershipRow.product_id.in_(product_ids), still_coaching(today))
    ):
        found[row.product_id].append(Coach(row.id, row.name))
    for people in found.values():
        people.sort(key=lambda one: (folded(one.name), one.id))
    return found
