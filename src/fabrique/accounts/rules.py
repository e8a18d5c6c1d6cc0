"""May this person do this? Pure decisions over a person and the ids of the target; nothing else in fabrique grants a right."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fabrique.language import n_


class Role(StrEnum):
    """What somebody is here for."""

    INTRAPRENEUR = "intrapreneur"
    COACH = "coach"
    LEADERSHIP = "leadership"
    ADMINISTRATOR = "administrator"


ROLE_LABELS = {
    Role.INTRAPRENEUR: n_("Intrapreneur"),
    Role.COACH: n_("Coach"),
    Role.LEADERSHIP: n_("Leadership"),
    Role.ADMINISTRATOR: n_("Administrator"),
}


class Permission(StrEnum):
    """What a route needs. Each route names one; the app refuses to start when one does not."""

    PUBLIC = "public"
    """Anybody, signed in or not."""
    SIGNED_IN = "signed_in"
    """One's own session."""
    READ = "read"
    """Products, services, figures and flags: read by everyone who has an account; the programme works in the open."""

    BEARER = "bearer"
    """A program with a token, whose scopes the route names; no person's session opens it."""
    READ_API = "read_api"
    """READ for programs: a token with the scope to read, or the session of anybody signed in. For reading alone."""
    WORK = "work"
    """Write something of a product one works for or coaches; which product is decided on the object itself."""
    ADMINISTER = "administer"
    """Change what holds for everybody: criteria, people, settings."""


class TokenScope(StrEnum):
    """What a token may do."""

    READ = "read"
    FIGURES_WRITE = "observations:write"


EVERY_ROLE = frozenset(Role)
FOR_PROGRAMS = frozenset({Permission.BEARER, Permission.READ_API})
"""What a token can open; every other permission is a person's."""
GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.SIGNED_IN: EVERY_ROLE,
    Permission.READ: EVERY_ROLE,
    Permission.BEARER: frozenset(),
    Permission.READ_API: EVERY_ROLE,
    Permission.WORK: frozenset({Role.INTRAPRENEUR, Role.COACH, Role.ADMINISTRATOR}),
    Permission.ADMINISTER: frozenset({Role.ADMINISTRATOR}),
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in: a role, the products of their team, and the products they coach (by id)."""

    id: int
    name: str
    role: Role
    products: frozenset[int] = field(default_factory=frozenset)
    coached: frozenset[int] = field(default_factory=frozenset)
    scopes: frozenset[TokenScope] = field(default_factory=frozenset)
    """Of a program acting by a token in this person's name; empty for the person."""

    @property
    def role_label(self) -> str:
        """The role's msgid."""
        return ROLE_LABELS[self.role]


def may(person: Person | None, permission: Permission) -> bool:
    """Whether the person (None: the public) has the permission."""
    if permission is Permission.PUBLIC:
        return True
    return person is not None and person.role in GRANTS[permission]


def works_on(person: Person, product_id: int) -> bool:
    """Whether the person may write what belongs to the product: its team, its coaches, administrators."""
    return person.role is Role.ADMINISTRATOR or product_id in person.products or product_id in person.coached


def coaches(person: Person, product_id: int) -> bool:
    """Whether the person is a coach of the product. Nobody else judges its plans, administrators included."""
    return person.role is Role.COACH and product_id in person.coached
