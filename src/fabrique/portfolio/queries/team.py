"""Who works on a product, who coaches it, and who did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.model import MembershipRow, PersonRow
from fabrique.language import folded
from fabrique.portfolio.model import IncubatorRow, ProductRow
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody tied to a product. No address: names are what the programme shows of people."""

    id: int
    name: str
    kind: str
    title: str
    since: date | None
    until: date | None
    incubator: str = ""
    """The incubator through which they coach, empty where they coach this very product."""


@dataclass(frozen=True, slots=True)
class TeamPage:
    """The people of a product: those who are there today, by name, and those who were."""

    product_id: int
    slug: str
    product: str
    team: tuple[Member, ...]
    coaches: tuple[Member, ...]
    past: tuple[Member, ...]


def team_page(session: Session, slug: str, today: date) -> TeamPage:
    """The people of a product. Raises NotThere."""
    product = session.execute(sa.select(ProductRow.id, ProductRow.name).where(ProductRow.slug == slug)).one_or_none()
    if product is None:
        raise not_there(slug)
    rows = session.execute(
        sa.select(MembershipRow, PersonRow.name, IncubatorRow.title)
        .join(PersonRow, PersonRow.id == MembershipRow.person_id)
        .outerjoin(IncubatorRow, IncubatorRow.id == MembershipRow.through_incubator)
        .where(MembershipRow.product_id == product.id)
    ).all()
    people = [
        Member(row.person_id, name, row.kind, row.title, row.since, row.until, incubator or "") for row, name, incubator in rows
    ]
    people.sort(key=lambda one: (folded(one.name), one.id))
    here = [one for one in people if one.until is None or one.until >= today]
    return TeamPage(
        product.id,
        slug,
        product.name,
        tuple(one for one in here if one.kind == "team"),
        tuple(one for one in here if one.kind == "coach"),
        tuple(one for one in people if one not in here),
    )
