"""Signing in and out, inviting people, and the trail that every action writes to."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts.model import (
    ApiTokenRow,
    AuditRow,
    AuthSessionRow,
    BatchRow,
    CalendarFeedRow,
    IncubatorCoachRow,
    MembershipRow,
    PersonRow,
    SignInLinkRow,
)
from fabrique.accounts.queries import digest
from fabrique.accounts.rules import Role, TokenScope
from fabrique.language import Problem, n_

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

LINK_HOURS = 24
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class LinkUnusable(Problem):
    """A sign-in link was used before, has expired, or never existed."""


class PersonInvalid(Problem):
    """A person cannot be added as described."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """What the browser is given at sign-in."""

    token: str
    expires_at: datetime


def audit(
    session: Session,
    now: datetime,
    action: str,
    target: tuple[str, str],
    details: dict[str, Any],
    person_id: int | None = None,
) -> None:
    """Write the action's line in the trail, in the action's own transaction. `target` is the object's type and key."""
    session.add(
        AuditRow(
            at=now,
            person_id=person_id,
            action=action,
            object_type=target[0],
            object_key=target[1][:200],
            details=details,
        )
    )


def open_session(session: Session, person_id: int, now: datetime, lifetime: timedelta) -> NewSession:
    """Sign a person in: always a new random token, so that nobody can choose it beforehand."""
    token = secrets.token_urlsafe(32)
    expires_at = now + lifetime
    session.execute(sa.delete(AuthSessionRow).where(AuthSessionRow.expires_at <= now))
    session.add(
        AuthSessionRow(
            token_sha256=digest(token),
            person_id=person_id,
            csrf_key=secrets.token_hex(32),
            created_at=now,
            last_seen_at=now,
            expires_at=expires_at,
        )
    )
    audit(session, now, "sign_in", ("person", str(person_id)), {}, person_id)
    return NewSession(token, expires_at)


def sign_in_as_persona(session: Session, person_id: int, now: datetime, lifetime: timedelta) -> NewSession:
    """Sign in as one of the demonstration's people. Raises LinkUnusable for anybody else."""
    if session.scalar(sa.select(PersonRow.persona).where(PersonRow.id == person_id)) is not True:
        raise LinkUnusable(n_("This person is not part of the demonstration."))
    return open_session(session, person_id, now, lifetime)


def sign_in_by_link(session: Session, token: str, now: datetime, lifetime: timedelta) -> NewSession:
    """Use a one-time link. Raises LinkUnusable when it was used, has expired or never existed."""
    person_id = session.scalar(
        sa.update(SignInLinkRow)
        .where(
            SignInLinkRow.token_sha256 == digest(token),
            SignInLinkRow.used_at.is_(None),
            SignInLinkRow.expires_at > now,
        )
        .values(used_at=now)
        .returning(SignInLinkRow.person_id)
    )
    if person_id is None:
        raise LinkUnusable(n_("This sign-in link was already used or has expired; ask for a new one."))
    return open_session(session, person_id, now, lifetime)


def touch_session(session: Session, token: str, now: datetime) -> None:
    """Note a visit, so that the idle time starts again."""
    session.execute(sa.update(AuthSessionRow).where(AuthSessionRow.token_sha256 == digest(token)).values(last_seen_at=now))


def close_session(session: Session, token: str, now: datetime) -> None:
    """Sign out: the session is gone from the database, not only from the browser."""
    person_id = session.scalar(
        sa.delete(AuthSessionRow).where(AuthSessionRow.token_sha256 == digest(token)).returning(AuthSessionRow.person_id)
    )
    if person_id is not None:
        audit(session, now, "sign_out", ("person", str(person_id)), {}, person_id)


def invite(session: Session, email: str, name: str, role: str, now: datetime) -> str:
    """Add a person (or find the one with that address) and return a one-time sign-in token. Raises PersonInvalid."""
    email = email.strip().lower()
    if not EMAIL.fullmatch(email) or len(email) > 254:  # noqa: PLR2004 - RFC 5321
        raise PersonInvalid(n_("“%(email)s” is not an e-mail address."), email=email[:80])
    if role not in set(Role):
        raise PersonInvalid(n_("“%(role)s” is not a role; choose among %(roles)s."), role=role, roles=", ".join(Role))
    person = session.scalar(sa.select(PersonRow).where(PersonRow.email == email))
    if person is not None and person.role != role:
        raise PersonInvalid(
            n_("%(email)s is here already, as %(role)s; invite them with that role."), email=email, role=person.role
        )
    if person is None:
        person = PersonRow(email=email, name=name.strip() or email, role=role, persona=False, created_at=now)
        session.add(person)
        session.flush()
    token = secrets.token_urlsafe(32)
    session.add(
        SignInLinkRow(
            token_sha256=digest(token),
            person_id=person.id,
            created_at=now,
            expires_at=now + timedelta(hours=LINK_HOURS),
        )
    )
    audit(session, now, "invite", ("person", str(person.id)), {"role": person.role})
    return token


def ensure_persona(
    session: Session, email: str, name: str, role: Role, memberships: Iterable[tuple[int, str]], now: datetime
) -> None:
    """One of the demonstration's people, with their products."""
    person = session.scalar(sa.select(PersonRow).where(PersonRow.email == email))
    if person is not None and person.role != role:
        raise PersonInvalid(
            n_("%(email)s is here already, as %(role)s; invite them with that role."), email=email, role=person.role
        )
    if person is None:
        person = PersonRow(email=email, name=name, role=role, persona=True, created_at=now)
        session.add(person)
        session.flush()
        session.add_all(MembershipRow(person_id=person.id, product_id=product, kind=kind) for product, kind in memberships)


def make_token(session: Session, email: str, product_id: int, scopes: Iterable[str], name: str, days: int, now: datetime) -> str:
    """A program's token for one product, in the name of a person who answers for it. Returned once; raises PersonInvalid."""
    person = session.scalar(sa.select(PersonRow).where(PersonRow.email == email.strip().lower()))
    if person is None:
        raise PersonInvalid(n_("Nobody here has the address %(email)s; invite them first."), email=email[:80])
    belongs = session.scalar(
        sa.select(MembershipRow.product_id).where(MembershipRow.person_id == person.id, MembershipRow.product_id == product_id)
    )
    if belongs is None and person.role != Role.ADMINISTRATOR:
        raise PersonInvalid(n_("%(email)s belongs to another product: a token does no more than its person."), email=email[:80])
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(TokenScope):
        raise PersonInvalid(n_("A token needs scopes among %(scopes)s."), scopes=", ".join(TokenScope))
    token = "fab_" + secrets.token_urlsafe(32)
    row = ApiTokenRow(
        token_sha256=digest(token),
        name=name,
        person_id=person.id,
        product_id=product_id,
        scopes=wanted,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    audit(session, now, "make_token", ("api_token", str(row.id)), {"product": product_id, "scopes": wanted}, person.id)
    return token


def revoke_token(session: Session, token_id: int, now: datetime) -> bool:
    """End a token now. Returns whether there was a live one."""
    found = session.scalar(
        sa.update(ApiTokenRow)
        .where(ApiTokenRow.id == token_id, ApiTokenRow.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiTokenRow.id)
    )
    if found is not None:
        audit(session, now, "revoke_token", ("api_token", str(token_id)), {})
    return found is not None


def touch_token(session: Session, token: str, now: datetime) -> None:
    """Note a token's use."""
    session.execute(sa.update(ApiTokenRow).where(ApiTokenRow.token_sha256 == digest(token)).values(last_used_at=now))


def make_calendar_key(session: Session, person_id: int, now: datetime) -> str:
    """A new secret for a person's calendar address. The former one ends with it: that is how a lost address is closed."""
    token = secrets.token_urlsafe(32)
    row = session.get(CalendarFeedRow, person_id)
    if row is None:
        row = CalendarFeedRow(person_id=person_id)
        session.add(row)
    row.token_sha256, row.created_at, row.last_read_at = digest(token), now, None
    session.flush()
    audit(session, now, "make_calendar_key", ("person", str(person_id)), {}, person_id)
    return token


def end_calendar_key(session: Session, person_id: int, now: datetime) -> bool:
    """Close a person's calendar address. Returns whether there was one."""
    found = session.scalar(
        sa.delete(CalendarFeedRow).where(CalendarFeedRow.person_id == person_id).returning(CalendarFeedRow.person_id)
    )
    if found is not None:
        audit(session, now, "end_calendar_key", ("person", str(person_id)), {}, person_id)
    return found is not None


def touch_calendar(session: Session, token: str, now: datetime) -> None:
    """Note that a calendar was read."""
    session.execute(sa.update(CalendarFeedRow).where(CalendarFeedRow.token_sha256 == digest(token)).values(last_read_at=now))


def join_product(
    session: Session, person_id: int, product_id: int, kind: str, title: str = "", since: date | None = None,
    until: date | None = None,
) -> None:  # fmt: skip
    """Tie a person to a product; again, with other dates or another title, changes the tie. The caller writes the trail."""
    row = session.get(MembershipRow, (person_id, product_id))
    if row is None:
        row = MembershipRow(person_id=person_id, product_id=product_id, kind=kind)
        session.add(row)
    row.kind, row.title, row.since, row.until, row.through_incubator = kind, title, since, until, None
    session.flush()


def coach_through_incubator(session: Session, product_id: int, incubator_id: int | None) -> None:
    """Give a product the coaches of its incubator, and take those of its former one away."""
    session.execute(
        sa.delete(MembershipRow).where(
            MembershipRow.product_id == product_id,
            MembershipRow.through_incubator.is_not(None),
            sa.true() if incubator_id is None else MembershipRow.through_incubator != incubator_id,
        )
    )
    if incubator_id is None:
        return
    tied = set(session.scalars(sa.select(MembershipRow.person_id).where(MembershipRow.product_id == product_id)))
    coaches = session.scalars(sa.select(IncubatorCoachRow.person_id).where(IncubatorCoachRow.incubator_id == incubator_id))
    session.add_all(
        MembershipRow(person_id=person, product_id=product_id, kind="coach", through_incubator=incubator_id)
        for person in coaches
        if person not in tied
    )
    session.flush()


def coach_incubator(session: Session, person_id: int, incubator_id: int, product_ids: Iterable[int], now: datetime) -> None:
    """Make a person the coach of an incubator: of its products, and of those that will come."""
    if session.get(IncubatorCoachRow, (person_id, incubator_id)) is None:
        session.add(IncubatorCoachRow(person_id=person_id, incubator_id=incubator_id))
        session.flush()
        for product_id in product_ids:
            coach_through_incubator(session, product_id, incubator_id)
        audit(session, now, "coach_incubator", ("person", str(person_id)), {"incubator": incubator_id})


@dataclass(frozen=True, slots=True)
class Source:
    """Where an import reads from: what every figure's provenance will say."""

    kind: str
    file: str
    sha256: str
    licence: str = ""
    person_id: int | None = None


def open_batch(session: Session, source: Source, now: datetime) -> int:
    """The batch of this source: a new one, or the unfinished one that a killed import of the same content left."""
    known = session.scalar(
        sa.select(BatchRow.id).where(
            BatchRow.kind == source.kind, BatchRow.sha256 == source.sha256, BatchRow.finished_at.is_(None)
        )
    )
    if known is not None:
        return known
    batch = BatchRow(
        kind=source.kind,
        file=source.file[-500:],
        sha256=source.sha256,
        licence=source.licence,
        person_id=source.person_id,
        started_at=now,
    )
    session.add(batch)
    session.flush()
    return batch.id


def finish_batch(
    session: Session, batch_id: int, counts: dict[str, Any], now: datetime, details: dict[str, Any] | None = None
) -> None:
    """Close a batch with its counts and what it met on the way, and write the import in the trail."""
    session.execute(sa.update(BatchRow).where(BatchRow.id == batch_id).values(finished_at=now, counts=counts, details=details))
    audit(session, now, "import", ("batch", str(batch_id)), counts)
