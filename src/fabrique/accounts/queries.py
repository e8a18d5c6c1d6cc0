"""Who is signed in, and who could be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.model import (
    ApiTokenRow,
    AuthSessionRow,
    BatchRow,
    CalendarFeedRow,
    MembershipRow,
    PersonRow,
    SignInLinkRow,
)
from fabrique.accounts.rules import Person, Role, TokenScope
from fabrique.clock import PARIS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta
    from typing import Any

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session and its person."""

    person: Person
    csrf_key: str
    last_seen_at: datetime


def digest(token: str) -> str:
    """What is kept of a secret token."""
    return hashlib.sha256(token.encode()).hexdigest()


STILL_TIED = (MembershipRow.person_id == PersonRow.id) & (
    MembershipRow.until.is_(None) | (MembershipRow.until >= sa.bindparam("today"))
)
# Asked by every request, so built once.
LIVE_SESSION = (
    sa.select(
        AuthSessionRow.csrf_key,
        AuthSessionRow.last_seen_at,
        PersonRow.id,
        PersonRow.name,
        PersonRow.role,
        MembershipRow.product_id,
        MembershipRow.kind,
    )
    .join(PersonRow, PersonRow.id == AuthSessionRow.person_id)
    .outerjoin(MembershipRow, STILL_TIED)
    .where(
        AuthSessionRow.token_sha256 == sa.bindparam("digest"),
        AuthSessionRow.expires_at > sa.bindparam("now"),
        AuthSessionRow.last_seen_at > sa.bindparam("since"),
    )
)


def signed_in(session: Session, token: str, now: datetime, idle: timedelta) -> SignedIn | None:
    """The person whose live session carries the token."""
    rows = session.execute(
        LIVE_SESSION, {"digest": digest(token), "now": now, "since": now - idle, "today": now.astimezone(PARIS).date()}
    ).all()
    if not rows:
        return None
    return SignedIn(person_of(rows), rows[0].csrf_key, rows[0].last_seen_at)


def person_of(rows: Sequence[sa.Row[*tuple[Any, ...]]]) -> Person:
    """A person from one row for each of their products."""
    products = frozenset(one.product_id for one in rows if one.kind == "team")
    coached = frozenset(one.product_id for one in rows if one.kind == "coach")
    return Person(rows[0].id, rows[0].name, Role(rows[0].role), products, coached)


def calendar_person(session: Session, token: str, now: datetime) -> Person | None:
    """Whose calendar a secret address is."""
    rows = session.execute(
        sa.select(PersonRow.id, PersonRow.name, PersonRow.role, MembershipRow.product_id, MembershipRow.kind)
        .join(CalendarFeedRow, CalendarFeedRow.person_id == PersonRow.id)
        .outerjoin(MembershipRow, STILL_TIED)
        .where(CalendarFeedRow.token_sha256 == digest(token)),
        {"today": now.astimezone(PARIS).date()},
    ).all()
    return person_of(rows) if rows else None


def calendar_made_at(session: Session, person_id: int) -> datetime | None:
    """Since when a person has a calendar address; None for none. The address itself is known to its holder alone."""
    return session.scalar(sa.select(CalendarFeedRow.created_at).where(CalendarFeedRow.person_id == person_id))


def token_bearer(session: Session, token: str, now: datetime) -> Person | None:
    """Who a live token acts for, narrowed to its product and its scopes."""
    row = session.execute(
        sa.select(ApiTokenRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == ApiTokenRow.person_id)
        .where(
            ApiTokenRow.token_sha256 == digest(token),
            ApiTokenRow.revoked_at.is_(None),
            ApiTokenRow.expires_at > now,
        )
    ).one_or_none()
    if row is None:
        return None
    kept, name = row
    scopes = frozenset(TokenScope(one) for one in kept.scopes)
    return Person(kept.person_id, name, Role.INTRAPRENEUR, frozenset({kept.product_id}), scopes=scopes)


def personas(session: Session) -> list[Person]:
    """The demonstration's people, in the order in which they were made."""
    rows = session.execute(
        sa.select(PersonRow.id, PersonRow.name, PersonRow.role).where(PersonRow.persona).order_by(PersonRow.id)
    )
    return [Person(row.id, row.name, Role(row.role)) for row in rows]


def link_is_open(session: Session, token: str, now: datetime) -> bool:
    """Whether a sign-in link can still be used."""
    return (
        session.scalar(
            sa.select(SignInLinkRow.person_id).where(
                SignInLinkRow.token_sha256 == digest(token),
                SignInLinkRow.used_at.is_(None),
                SignInLinkRow.expires_at > now,
            )
        )
        is not None
    )


def last_batch_of(session: Session, kind: str) -> int | None:
    """The newest batch of that kind."""
    return session.scalar(sa.select(sa.func.max(BatchRow.id)).where(BatchRow.kind == kind))
