"""The products around an incubator, a sponsor or a coach: where they are, who follows them, what comes next and what moved."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.accounts.rules import Role
from fabrique.dashboards.queries.health import Health, health_condition, told_lately
from fabrique.dashboards.queries.listing import Asked, Order, shown
from fabrique.dashboards.queries.news import News, news
from fabrique.dashboards.queries.portfolio import RECENT_DAYS
from fabrique.language import _, folded
from fabrique.portfolio.model import IncubatorRow, OrganisationRow, ProductRow, SponsorshipRow
from fabrique.portfolio.queries.finding import (
    CURRENT,
    MOST_ID,
    Counts,
    Group,
    filters_of,
    find_products,
    in_current_stay,
    kept,
    still_coaching,
)
from fabrique.portfolio.rules import ACTIVE, Stage
from fabrique.quality import queries as quality
from fabrique.quality.model import ServiceRow
from fabrique.tables.cells import Table
from fabrique.watch import queries as watch
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.dashboards.queries.listing import Shown
    from fabrique.reviews.rules import DueReason
    from fabrique.tables.cells import Cell

MOST_SHOWN = 300
"""Products in incubation that a page shows with their dates, the next review first; the list has them all."""
MOST_DATES, MOST_NEWS = 12, 7


class Around(StrEnum):
    """What products gather around."""

    INCUBATOR = "incubator"
    SPONSOR = "sponsor"
    COACH = "coach"


@dataclass(frozen=True, slots=True)
class Centre:
    """An incubator, a sponsor or a coach with its own words."""

    around: Around
    key: str
    name: str
    address: str
    website: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """A coach with their products in incubation: those of this page, and all."""

    id: int
    name: str
    here: int
    everywhere: int


@dataclass(frozen=True, slots=True)
class Dated:
    """Something due: a review, with why then, or a condition, with its text."""

    day: date
    late: bool
    slug: str
    name: str
    reason: DueReason | None
    text: str
    address: str


@dataclass(frozen=True, slots=True)
class Circle:
    """The products around something."""

    centre: Centre
    asked: Asked
    counts: Counts
    by_stage: dict[Stage, list[Shown]]
    shown: int
    late: int
    coaches: list[Load]
    dates: list[Dated]
    dates_in_all: int
    news: list[News]
    moved: int
    since: date

    @property
    def active(self) -> int:
        """Its products in incubation."""
        return self.counts.of(Group.ACTIVE)


@dataclass(frozen=True, slots=True)
class Line:
    """An incubator, a sponsor or a coach in a list."""

    centre: Centre
    counts: Counts
    late: int

    @property
    def active(self) -> int:
        """Its products in incubation."""
        return self.counts.of(Group.ACTIVE)


@dataclass(frozen=True, slots=True)
class Lines:
    """All incubators, sponsors or coaches with products, those with the most in incubation first; and how many have none."""

    lines: list[Line]
    without: int

    @property
    def late(self) -> int:
        """Those that have something late."""
        return sum(line.late > 0 for line in self.lines)

    @property
    def busy(self) -> int:
        """Those that have a product in incubation."""
        return sum(line.active > 0 for line in self.lines)


def incubator(session: Session, key: str, today: date) -> Circle:
    """An incubator's products. Raises NotThere."""
    row = session.execute(
        sa.select(IncubatorRow.key, IncubatorRow.title, IncubatorRow.website, OrganisationRow.name)
        .outerjoin(OrganisationRow, OrganisationRow.key == IncubatorRow.owner_key)
        .where(IncubatorRow.key == kept(key))
    ).one_or_none()
    if row is None:
        raise not_there(key)
    centre = Centre(Around.INCUBATOR, row.key, row.title, f"/incubateurs/{row.key}", row.website, row.name or "")
    return circle(session, centre, Asked(incubator=row.key), today)


def sponsor(session: Session, key: str, today: date) -> Circle:
    """The products that an organisation sponsors. Raises NotThere."""
    row = session.execute(
        sa.select(OrganisationRow.key, OrganisationRow.name).where(OrganisationRow.key == kept(key))
    ).one_or_none()
    if row is None:
        raise not_there(key)
    centre = Centre(Around.SPONSOR, row.key, row.name, f"/organisations/{row.key}")
    return circle(session, centre, Asked(sponsor=row.key), today)


def coach(session: Session, person_id: int, today: date) -> Circle:
    """The products that somebody coaches. Raises NotThere for anybody who is no coach and coaches nothing."""
    coaching = sa.exists().where(MembershipRow.person_id == PersonRow.id, still_coaching(today))
    name = session.scalar(
        sa.select(PersonRow.name).where(PersonRow.id == min(person_id, MOST_ID), sa.or_(PersonRow.role == Role.COACH, coaching))
    )
    if name is None:
        raise not_there(str(person_id))
    centre = Centre(Around.COACH, str(person_id), name, f"/coachs/{person_id}")
    return circle(session, centre, Asked(coach=person_id), today)


def circle(session: Session, centre: Centre, asked: Asked, today: date) -> Circle:
    """The products that the filter names, in a number of queries that does not grow with them."""
    pressing = replace(asked, sort=Order.REVIEW)
    found = find_products(session, replace(pressing.wanted, stage=Group.ACTIVE, size=MOST_SHOWN), today, order=pressing.order)
    rows = shown(session, found.lines, today)
    by_stage: dict[Stage, list[Shown]] = {stage: [] for stage in ACTIVE}
    for row in rows:
        if row.product.stay is not None:
            by_stage[row.product.stay.stage].append(row)
    dates = dates_of(rows, today)
    lines, moved = what_moved(session, asked, today)
    return Circle(
        centre=centre,
        asked=asked,
        counts=found.counts,
        by_stage=by_stage,
        shown=len(rows),
        late=sum(Health.LATE in row.health for row in rows),
        coaches=loads(session, rows, today),
        dates=dates[:MOST_DATES],
        dates_in_all=len(dates),
        news=lines,
        moved=moved,
        since=today - timedelta(days=RECENT_DAYS),
    )


def dates_of(rows: Sequence[Shown], today: date) -> list[Dated]:
    """Every review and condition that is due, the first day first."""
    found = []
    for row in rows:
        product, reviews = row.product, f"/produits/{row.product.slug}/revues"
        due = row.agenda.next_day
        if due is not None:
            preparing = row.agenda.preparing
            address = f"{reviews}/{preparing}" if preparing else reviews
            found.append(Dated(due.day, due.is_late(today), product.slug, product.name, due.reason, "", address))
        found += [
            Dated(
                one.due_on,
                one.is_late(today),
                product.slug,
                product.name,
                None,
                one.text,
                f"{reviews}/{one.review_id}#conditions",
            )
            for one in row.agenda.conditions
        ]
    return sorted(found, key=lambda one: (one.day, folded(one.name), one.text))


def loads(session: Session, rows: Sequence[Shown], today: date) -> list[Load]:
    """The coaches of those products, the busiest here first."""
    here = Counter(person for row in rows for person in row.product.coaches)
    everywhere = dict(
        session.execute(
            sa.select(MembershipRow.person_id, sa.func.count())
            .select_from(ProductRow)
            .join(MembershipRow, MembershipRow.product_id == ProductRow.id)
            .join(CURRENT, in_current_stay(today))
            .where(
                MembershipRow.person_id.in_([person.id for person in here]),
                still_coaching(today),
                CURRENT.stage.in_([stage.value for stage in ACTIVE]),
            )
            .group_by(MembershipRow.person_id)
        ).all()
    )
    found = [Load(person.id, person.name, number, everywhere.get(person.id, number)) for person, number in here.items()]
    return sorted(found, key=lambda one: (-one.here, folded(one.name), one.id))


def what_moved(session: Session, asked: Asked, today: date) -> tuple[list[News], int]:
    """The latest movements of their services within the quarter, and how many in all."""
    mine = sa.select(ProductRow.id).where(*filters_of(session, asked.wanted, today))
    flags = watch.flags(session, *told_lately(today), ServiceRow.product_id.in_(mine))
    states = quality.states(session, [flag.series_id for flag in flags[:MOST_NEWS]])
    known = quality.metrics(session)
    return [news(flag, known, states) for flag in flags[:MOST_NEWS]], len(flags)


def incubators(session: Session, today: date) -> Lines:
    """Every incubator with its products."""
    rows = session.execute(sa.select(IncubatorRow.id, IncubatorRow.key, IncubatorRow.title)).all()
    centres = {row.id: Centre(Around.INCUBATOR, row.key, row.title, f"/incubateurs/{row.key}") for row in rows}
    return gathered(session, centres, ProductRow.incubator_id, sa.select(ProductRow.id), today)


def sponsors(session: Session, today: date) -> Lines:
    """Every organisation that sponsors a product."""
    rows = session.execute(sa.select(OrganisationRow.id, OrganisationRow.key, OrganisationRow.name)).all()
    centres = {row.id: Centre(Around.SPONSOR, row.key, row.name, f"/organisations/{row.key}") for row in rows}
    tied = sa.select(ProductRow.id).join(SponsorshipRow, SponsorshipRow.product_id == ProductRow.id)
    return gathered(session, centres, SponsorshipRow.organisation_id, tied, today)


def coaches(session: Session, today: date) -> Lines:
    """Every coach with their load."""
    coaching = sa.exists().where(MembershipRow.person_id == PersonRow.id, still_coaching(today))
    rows = session.execute(sa.select(PersonRow.id, PersonRow.name).where(sa.or_(PersonRow.role == Role.COACH, coaching))).all()
    centres = {row.id: Centre(Around.COACH, str(row.id), row.name, f"/coachs/{row.id}") for row in rows}
    tied = sa.select(ProductRow.id).join(MembershipRow, MembershipRow.product_id == ProductRow.id).where(still_coaching(today))
    return gathered(session, centres, MembershipRow.person_id, tied, today)


def gathered(
    session: Session,
    centres: dict[int, Centre],
    by: sa.SQLColumnExpression[Any],
    tied: sa.Select[int],
    today: date,
) -> Lines:
    """Products counted by what they gather around: all by stage, then those with something late."""
    counted: dict[int, dict[Stage | None, int]] = defaultdict(dict)
    base = tied.outerjoin(CURRENT, in_current_stay(today)).where(by.is_not(None)).group_by(by)
    for key, stage, number in session.execute(base.with_only_columns(by, CURRENT.stage, sa.func.count()).group_by(CURRENT.stage)):
        counted[key][Stage(stage) if stage else None] = number
    waiting = health_condition(Health.LATE, today)
    late: dict[int, int] = dict(session.execute(base.with_only_columns(by, sa.func.count()).where(waiting)).all())
    lines = [Line(centre, Counts(counted[key]), late.get(key, 0)) for key, centre in centres.items() if key in counted]
    lines.sort(key=lambda line: (-line.active, folded(line.centre.name), line.centre.key))
    return Lines(lines, len(centres) - len(lines))


def lines_table(title: str, found: Lines) -> Table:
    """Such a list as a table."""
    columns = [
        _("Name"), _("Key"), _("In incubation"), _("Investigation"), _("Experimentation"), _("Scale-up"), _("Consolidation"),
        _("Out of incubation"), _("No phase told"), _("Late"),
    ]  # fmt: skip
    return Table(title, columns, [cells(line) for line in found.lines])


def cells(line: Line) -> list[Cell]:
    """A line of it."""
    counts = line.counts
    return [
        line.centre.name, line.centre.key, line.active, *(counts.of(stage) for stage in ACTIVE), counts.of(Group.ENDED),
        counts.of(Group.UNTOLD), line.late,
    ]  # fmt: skip
