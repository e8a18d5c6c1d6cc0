"""What administrators see of criteria: each gate, its versions, and what each version changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.portfolio.rules import ACTIVE, Stage
from fabrique.reviews.model import CriteriaSetRow, ReviewRow
from fabrique.reviews.queries.criteria import criteria_sets
from fabrique.reviews.rules import ReviewState
from fabrique.reviews.versions import changes
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabrique.reviews.versions import Change, CriteriaSet, Criterion


@dataclass(frozen=True, slots=True)
class GateVersions:
    """A gate with all its versions, the present one first. preparing: reviews in preparation that it is asked of."""

    gate: Stage
    versions: tuple[CriteriaSet, ...]
    preparing: int

    @property
    def present(self) -> CriteriaSet:
        """The version in force."""
        return self.versions[0]

    @property
    def known(self) -> dict[str, Criterion]:
        """Every criterion that was ever asked, by key, as it was last worded."""
        return {one.key: one for version in reversed(self.versions) for one in version.criteria}

    def version(self, number: int) -> CriteriaSet | None:
        """The version of that number."""
        return next((one for one in self.versions if one.version == number), None)


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One version with what it changed."""

    gate: GateVersions
    version: CriteriaSet
    former: CriteriaSet | None
    changes: tuple[Change, ...]

    @property
    def is_present(self) -> bool:
        """Whether it is the one in force."""
        return self.version.version == self.gate.present.version


def gates(session: Session) -> list[GateVersions]:
    """Every gate, in the order of the road."""
    return gates_where(session, sa.true())


def gate_named(session: Session, name: str) -> GateVersions:
    """One gate. Raises NotThere."""
    found = gates_where(session, CriteriaSetRow.gate == name)
    if not found:
        raise not_there(name)
    return found[0]


def gates_where(session: Session, condition: sa.ColumnElement[bool]) -> list[GateVersions]:
    """The gates whose versions meet the condition."""
    versions = criteria_sets(session, condition)
    rows = session.execute(
        sa.select(ReviewRow.from_stage, sa.func.count())
        .where(ReviewRow.state == ReviewState.PREPARING)
        .group_by(ReviewRow.from_stage)
    )
    preparing = dict(rows.all())
    by_gate = {stage: tuple(one for one in versions if one.gate is stage) for stage in ACTIVE}
    return [GateVersions(stage, found, preparing.get(stage, 0)) for stage, found in by_gate.items() if found]


def version_page(session: Session, name: str, number: int) -> VersionPage:
    """One version of a gate. Raises NotThere."""
    gate = gate_named(session, name)
    shown, former = gate.version(number), gate.version(number - 1)
    if shown is None:
        raise not_there(str(number))
    return VersionPage(gate, shown, former, tuple(changes(former.criteria, shown.criteria)) if former else ())
