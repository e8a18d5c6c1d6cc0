"""What each gate asks: installed once, then rewritten by administrators, a new version each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fabrique.accounts.actions import audit
from fabrique.accounts.rules import Permission, may
from fabrique.language import n_
from fabrique.portfolio.checking import Fault
from fabrique.reviews.defaults import DEFAULT_CRITERIA
from fabrique.reviews.model import CriteriaSetRow, CriterionRow
from fabrique.reviews.queries.criteria import latest_criteria
from fabrique.reviews.versions import CriteriaInvalid, Kind, changes, criteria_faults, plain, tidied
from fabrique.web.errors import NotAllowed, Overtaken, not_there

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from fabrique.accounts.rules import Person
    from fabrique.portfolio.rules import Stage
    from fabrique.reviews.defaults import SeedCriterion
    from fabrique.reviews.versions import Criterion

SHIPPED = n_("As fabrique ships them.")


class CriteriaOvertaken(Overtaken):
    """Somebody else saved the gate's criteria meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            n_(
                "Somebody else changed these criteria while you were writing. Nothing of yours is lost: see below, then save again."
            )
        )


def install_criteria(session: Session, now: datetime) -> None:
    """The first version of each gate that has none. What administrators wrote is never touched."""
    known = set(session.scalars(sa.select(CriteriaSetRow.gate).distinct()))
    for gate, criteria in DEFAULT_CRITERIA.items():
        if gate not in known:
            put_version(session, CriteriaSetRow(gate=gate, version=1, created_at=now, note=SHIPPED), criteria)
            audit(session, now, "install_criteria", ("criteria", gate), {"version": 1})


def save_criteria(
    session: Session, person: Person, gate: Stage, base_version: int, criteria: Sequence[Criterion], note: str, now: datetime
) -> int:
    """Make the next version of a gate's criteria, and say why; returns its number. A criterion without a key is a new one.

    Raises NotAllowed, NotThere, CriteriaOvertaken where base_version is no longer the latest, CriteriaInvalid.
    """
    if not may(person, Permission.ADMINISTER):
        raise NotAllowed(n_("Only administrators change what a gate asks."))
    latest = latest_criteria(session, gate)
    if latest is None:
        raise not_there(gate)
    if latest.version != base_version:
        raise CriteriaOvertaken
    criteria, note = tidied(criteria), plain(note, "note")
    faults = criteria_faults(criteria, note)
    changed = changes(latest.criteria, criteria)
    if not faults and not changed:
        faults = [Fault("criteria", n_("Nothing changed: there is no new version to make."))]
    if faults:
        raise CriteriaInvalid(faults)
    row = CriteriaSetRow(gate=gate, version=base_version + 1, created_at=now, person_id=person.id, note=note)
    try:
        put_version(session, row, criteria)
    except IntegrityError as error:  # the other administrator's transaction ended first
        raise CriteriaOvertaken from error
    told = {kind.value: [one.criterion.key for one in changed if one.kind is kind] for kind in Kind}
    details = {"version": row.version, "note": note} | {kind: keys for kind, keys in told.items() if keys}
    audit(session, now, "save_criteria", ("criteria", gate), details, person.id)
    return row.version


def put_version(session: Session, row: CriteriaSetRow, criteria: Sequence[Criterion | SeedCriterion]) -> None:
    """Write a version with its criteria in their order."""
    session.add(row)
    session.flush()
    session.add_all(
        CriterionRow(
            set_id=row.id,
            position=position,
            key=one.key,
            label_fr=one.label_fr,
            label_en=one.label_en,
            help_fr=one.help_fr,
            help_en=one.help_en,
            draws=[draw.value for draw in one.draws],
        )
        for position, one in enumerate(criteria)
    )
    session.flush()
