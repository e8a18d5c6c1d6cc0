"""What people write about a product: its creation, its sheet, its phases and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.actions import audit
from fabrique.accounts.rules import Role, coaches, works_on
from fabrique.language import Problem, folded, n_, slug_from
from fabrique.portfolio.actions.writing import Writing, write_sheet
from fabrique.portfolio.checking import FIRST_DAY, LONGEST_TEXT, Fault, SheetInvalid, one_event_faults, sheet_faults
from fabrique.portfolio.model import IncubatorRow, OrganisationRow, ProductRow
from fabrique.portfolio.queries.sheets import product_sheets
from fabrique.portfolio.rules import (
    EVENT_LABELS,
    RESERVED_SLUGS,
    Mark,
    Origin,
    Stage,
    StaysInvalid,
    entered,
    joined,
    require_stays,
    with_planned,
)
from fabrique.portfolio.sheet import Event, ProductSheet, changed, differences, event_order
from fabrique.web.errors import NotAllowed, Overtaken, not_there

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person
    from fabrique.portfolio.rules import Stay
    from fabrique.portfolio.sheet import Difference


LONGEST_TITLE = 200
"""Of what somebody does in a team."""


class ProductExists(Problem):
    """A product has that name already; `values` says under which slug."""


class ReasonUnfit(Problem):
    """A correction says why, in a text of a bounded length."""


class SheetOvertaken(Overtaken):
    """Somebody else saved the sheet meanwhile: what they changed, and the version to save onto now."""

    def __init__(self, changes: tuple[Difference, ...], version: int) -> None:
        super().__init__(
            n_(
                "Somebody else saved this sheet while you were writing. Nothing of yours is lost: look at what changed, then save again."
            )
        )
        self.changes, self.version = changes, version


@dataclass(frozen=True, slots=True)
class Begun:
    """What a new investigation is begun with."""

    name: str
    start: date
    pitch: str = ""
    incubator: str = ""
    mission: str = "fabrique"
    title: str = ""
    """What the person who begins it does there."""


def create_product(session: Session, person: Person, begun: Begun, now: datetime, today: date) -> str:
    """Begin an investigation; who begins it works on it, or coaches it.

    Returns its slug. Raises ProductExists, SheetInvalid, StaysInvalid.
    """
    if found := begun_faults(session, begun):
        raise SheetInvalid(found)
    sheet = begun_sheet(begun, free_slug(session, begun.name))
    require_first_day(begun.start, today)
    # An empty telling: should an import know this product one day, what was written here is kept.
    row = ProductRow(slug=sheet.slug, told={}, version=0)
    try:
        write_sheet(session, row, None, sheet, Writing(None, now, Origin.CREATION, person.id))
    except sa.exc.IntegrityError as error:  # begun twice at the same moment: PostgreSQL lets both look before either writes
        raise exists(sheet.name, sheet.slug) from error
    kind = "coach" if person.role is Role.COACH else "team"
    accounts.join_product(session, person.id, row.id, kind, begun.title.strip(), begun.start)
    details = {"name": sheet.name, "start": begun.start.isoformat()}
    audit(session, now, "create_product", ("product", sheet.slug), details, person.id)
    return sheet.slug


def require_first_day(start: date, today: date) -> None:
    """Raise StaysInvalid unless an investigation can have begun on that day."""
    require_stays(joined([(Stage.INVESTIGATION, start, Mark.KNOWN)]), today)
    if start < FIRST_DAY:
        raise StaysInvalid(n_("%(day)s is not a day of a product’s life."), day=start)


def begun_faults(session: Session, begun: Begun) -> list[Fault]:
    """What is wrong with what a new investigation is begun with, its first day left aside."""
    found = faults_of(session, ProductSheet("", ""), begun_sheet(begun, ""))
    if len(begun.title) > LONGEST_TITLE:
        found.append(Fault("title", n_("Fewer than %(most)s characters, please."), (("most", LONGEST_TITLE),)))
    return found


def begun_sheet(begun: Begun, slug: str) -> ProductSheet:
    """The sheet that a new product has."""
    return ProductSheet(
        slug,
        " ".join(begun.name.split()),
        incubator=begun.incubator,
        mission=begun.mission,
        pitch=begun.pitch.strip(),
        stays=joined([(Stage.INVESTIGATION, begun.start, Mark.KNOWN)]),
    )


def free_slug(session: Session, name: str) -> str:
    """An address made of a name that no product has. Raises ProductExists where one of that very name has it.

    Names without a letter of the alphabet (🎈, نص) and names that differ by a sign alone (C, C++) are told apart by a number.
    """
    name = " ".join(name.split())
    wanted = slug_from(name)
    if wanted in RESERVED_SLUGS or not wanted:
        wanted = f"produit-{wanted}".strip("-")
    taken = dict(
        session.execute(
            sa.select(ProductRow.slug, ProductRow.name).where(
                sa.or_(ProductRow.slug == wanted, ProductRow.slug.startswith(f"{wanted}-", autoescape=True))
            )
        ).all()
    )
    slug, number = wanted, 1
    while slug in taken:
        if folded(taken[slug]) == folded(name):
            raise exists(name, slug)
        number += 1
        slug = f"{wanted}-{number}"
    return slug


def exists(name: str, slug: str) -> ProductExists:
    """What is told of a name that is taken."""
    return ProductExists(n_("There is a product called “%(name)s” already: /produits/%(slug)s."), name=name, slug=slug)


def held(session: Session, person: Person, slug: str) -> ProductRow:
    """The product, locked for this transaction. Raises NotThere, NotAllowed."""
    row = session.scalar(sa.select(ProductRow).where(ProductRow.slug == slug).with_for_update())
    if row is None:
        raise not_there(slug)
    if not works_on(person, row.id):
        raise NotAllowed(n_("Only the product’s own team and its coaches may do this."))
    return row


def current_sheet(session: Session, row: ProductRow) -> ProductSheet:
    """The sheet as it stands."""
    return product_sheets(session, [row.slug])[row.slug]


def save_sheet(session: Session, person: Person, slug: str, version: int, changes: Mapping[str, Any], now: datetime) -> bool:
    """Save some fields of a sheet. Returns whether anything changed. Raises SheetOvertaken, SheetInvalid, NotAllowed, NotThere."""
    row = held(session, person, slug)
    before = current_sheet(session, row)
    after = changed(before, changes)
    if after == before:
        return False
    if row.version != version:
        raise SheetOvertaken(differences(after, before), row.version)
    require_sheet(session, before, after)
    write_sheet(session, row, before, after, Writing(None, now, Origin.PERSON, person.id))
    details = {one.field: [list(one.before), list(one.after)] for one in differences(before, after)}
    audit(session, now, "save_sheet", ("product", slug), details, person.id)
    return True


def correct_stays(
    session: Session, person: Person, slug: str, version: int, starts: Sequence[tuple[Stage, date, Mark]], reason: str,
    now: datetime, today: date,
) -> bool:  # fmt: skip
    """Put a product's phases right, by hand and with a reason: the way to reopen a product that had left the road, too.

    Phases that are planned for later (an import may tell some) stay where they are. Only coaches and administrators: a product's
    own team would decide its stage. Returns whether anything changed.
    """
    row = held(session, person, slug)
    if not (coaches(person, row.id) or person.role is Role.ADMINISTRATOR):
        raise NotAllowed(n_("Phases are corrected by a coach of the product or an administrator."))
    before = current_sheet(session, row)
    begun, planned = joined(starts), [stay for stay in before.stays if stay.start > today]
    if not begun and before.stays:
        raise StaysInvalid(n_("Keep at least one phase: a product is always somewhere."))
    require_stays(begun, today)
    known = {stay.start for stay in before.stays}
    for stay in begun:
        if stay.start < FIRST_DAY and stay.start not in known:
            raise StaysInvalid(n_("%(day)s is not a day of a product’s life."), day=stay.start)
    stays = with_planned(starts, planned)
    if stays == before.stays:
        return False
    if fault := reason_fault(reason):
        raise ReasonUnfit(fault.message, **dict(fault.values))
    after = changed(before, {"stays": stays})
    if row.version != version:
        raise SheetOvertaken(differences(after, before), row.version)
    write_sheet(session, row, before, after, Writing(None, now, Origin.CORRECTION, person.id, reason.strip()))
    (change,) = differences(before, after)
    details = {"before": list(change.before), "after": list(change.after), "reason": reason.strip()}
    audit(session, now, "correct_stages", ("product", slug), details, person.id)
    return True


def reason_fault(reason: str) -> Fault | None:
    """What is wrong with the reason of a correction."""
    if not reason.strip():
        return Fault("reason", n_("Say why the phases are corrected: the reason is kept with the correction."))
    if len(reason) > LONGEST_TEXT:
        return Fault("reason", n_("Fewer than %(most)s characters, please."), (("most", LONGEST_TEXT),))
    return None


def enter_stage(
    session: Session, product_id: int, stage: Stage, day: date, review_id: int, person_id: int, now: datetime, today: date
) -> None:
    """Enter a stage by a gate review's decision; the review's own action writes the trail. Raises StageNotReachable."""
    row = session.scalars(sa.select(ProductRow).where(ProductRow.id == product_id).with_for_update()).one()
    before = current_sheet(session, row)
    after = changed(before, {"stays": entered(before.stays, stage, day, today)})
    write_sheet(session, row, before, after, Writing(None, now, Origin.REVIEW, person_id, review_id=review_id))


def withdraw_stay(
    session: Session, product_id: int, stays: tuple[Stay, ...], review_id: int, person_id: int, now: datetime
) -> None:
    """Take back the stay that a superseded review made: `stays` are those that remain."""
    row = session.scalars(sa.select(ProductRow).where(ProductRow.id == product_id).with_for_update()).one()
    before = current_sheet(session, row)
    after = changed(before, {"stays": stays})
    write_sheet(session, row, before, after, Writing(None, now, Origin.REVIEW, person_id, review_id=review_id))


def add_event(session: Session, person: Person, slug: str, event: Event, now: datetime) -> None:
    """Note something that happened to a product; the same again changes nothing."""
    row = held(session, person, slug)
    if event.kind not in EVENT_LABELS:
        raise not_there(event.kind)
    before = current_sheet(session, row)
    told = replace(event, origin=Origin.PERSON)
    if told in before.events:
        return
    if faults := list(one_event_faults(told)):  # of this one alone: what an import brought is left as it came
        raise SheetInvalid(faults)
    after = changed(before, {"events": tuple(sorted((*before.events, told), key=event_order))})
    write_sheet(session, row, before, after, Writing(None, now, Origin.PERSON, person.id))
    details = {"kind": event.kind, "day": event.day.isoformat(), "comment": event.comment}
    audit(session, now, "add_event", ("product", slug), details, person.id)


def remove_event(session: Session, person: Person, slug: str, event: Event, now: datetime) -> None:
    """Take an event back. Imported ones too: should the file go on telling it, it stays taken back."""
    row = held(session, person, slug)
    before = current_sheet(session, row)
    if event not in before.events:
        raise not_there(event.kind)
    left = list(before.events)
    left.remove(event)
    after = changed(before, {"events": tuple(left)})
    write_sheet(session, row, before, after, Writing(None, now, Origin.PERSON, person.id))
    details = {"kind": event.kind, "day": event.day.isoformat(), "comment": event.comment}
    audit(session, now, "remove_event", ("product", slug), details, person.id)


def require_sheet(session: Session, before: ProductSheet, after: ProductSheet) -> None:
    """Raise SheetInvalid where a field that is being changed is wrong. What an import brought is left as it came."""
    if found := faults_of(session, before, after):
        raise SheetInvalid(found)


def faults_of(session: Session, before: ProductSheet, after: ProductSheet) -> list[Fault]:
    """What is wrong in the fields that are being changed."""
    fields = {one.field for one in differences(before, after)} | ({"name"} if not after.name else set())
    incubators = set(session.scalars(sa.select(IncubatorRow.key).where(IncubatorRow.key == after.incubator)))
    known = set(session.scalars(sa.select(OrganisationRow.key).where(OrganisationRow.key.in_(after.sponsors))))
    return sheet_faults(after, fields, incubators=incubators, organisations=known)
