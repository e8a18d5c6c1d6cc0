"""Organisations and incubators by their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from fabrique.language import folded
from fabrique.portfolio.model import IncubatorRow, OrganisationRow
from fabrique.portfolio.sheet import Incubator, Organisation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def organisations_by_key(session: Session, keys: Sequence[str]) -> dict[str, Organisation]:
    """The organisations of those keys."""
    rows = session.scalars(sa.select(OrganisationRow).where(OrganisationRow.key.in_(keys)))
    return {row.key: Organisation(row.key, row.name, row.acronym, row.kind) for row in rows}


def incubators_by_key(session: Session, keys: Sequence[str]) -> dict[str, Incubator]:
    """The incubators of those keys."""
    rows = session.scalars(sa.select(IncubatorRow).where(IncubatorRow.key.in_(keys)))
    return {row.key: Incubator(row.key, row.title, row.owner_key, row.website) for row in rows}


def all_organisations(session: Session) -> list[Organisation]:
    """Every organisation, by name."""
    rows = session.scalars(sa.select(OrganisationRow))
    found = [Organisation(row.key, row.name, row.acronym, row.kind) for row in rows]
    return sorted(found, key=lambda one: (folded(one.name), one.key))


def all_incubators(session: Session) -> list[Incubator]:
    """Every incubator, by title."""
    found = [Incubator(row.key, row.title, row.owner_key, row.website) for row in session.scalars(sa.select(IncubatorRow))]
    return sorted(found, key=lambda one: (folded(one.title), one.key))


def incubator_title(session: Session, key: str) -> str:
    """An incubator's name."""
    return session.scalar(sa.select(IncubatorRow.title).where(IncubatorRow.key == key)) or key


def organisation_names(session: Session, keys: Sequence[str]) -> list[str]:
    """The names of some organisations."""
    return list(
        session.scalars(sa.select(OrganisationRow.name).where(OrganisationRow.key.in_(keys)).order_by(OrganisationRow.name))
    )
