"""Who is signed in, and who could be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.accounts.model import AuthSessionRow, BatchRow, MembershipRow, PersonRow, SignInLinkRow
from fabrique.accounts.rules import Person, Role

if TYPE_CHECKING:
    from datetime import datetime, timedelta

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


def signed_in(session: Session, token: str, now: datetime, idle: timedelta) -> SignedIn | None:
    """The person whose live session carries the token."""
    row = session.execute(
        sa.select(AuthSessionRow.csrf_key, AuthSessionRow.last_seen_at, PersonRow.id, PersonRow.name, PersonRow.role)
        .join(PersonRow, PersonRow.id == AuthSessionRow.person_id)
        .where(
            AuthSessionRow.token_sha256 == digest(token),
            AuthSessionRow.expires_at > now,
            AuthSessionRow.last_seen_at > now - idle,
        )
    ).one_or_none()
    if row is None:
        return None
    person = Person(row.id, row.name, Role(row.role), *_memberships(session, row.id))
    return SignedIn(person, row.csrf_key, row.last_seen_at)


def _memberships(session: Session, person_id: int) -> tuple[frozenset[int], frozenset[int]]:
    rows = session.execute(
        sa.select(MembershipRow.product_id, MembershipRow.kind).where(MembershipRow.person_id == person_id)
    ).all()
    return (
        frozenset(product for product, kind in rows if kind == "team"),
        frozenset(product for product, kind in rows if kind == "coach"),
    )


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
