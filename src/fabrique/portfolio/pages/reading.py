"""What every form of a product does the same way: who writes, what was typed, and days as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body

from fabrique.accounts.rules import Person, Role, coaches, works_on

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fabrique.language import Problem
    from fabrique.portfolio.checking import Fault
    from fabrique.web.visit import Visit

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LARGEST_ID = 2**31 - 1


def person_of(visit: Visit) -> Person:
    """Who is signed in; the route's permission made sure that somebody is."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


def may_write(visit: Visit, product_id: int) -> bool:
    """Whether the reader may write what belongs to the product."""
    person = visit.visitor
    return isinstance(person, Person) and person.role is not Role.LEADERSHIP and works_on(person, product_id)


def may_coach(visit: Visit, product_id: int) -> bool:
    """Whether the reader does what coaches of the product and administrators do."""
    person = visit.visitor
    return isinstance(person, Person) and (coaches(person, product_id) or person.role is Role.ADMINISTRATOR)


def by_field(faults: Iterable[Fault]) -> dict[str, str]:
    """The first fault of each field, in words, in the form's order."""
    told: dict[str, str] = {}
    for one in faults:
        told.setdefault(one.field, str(one))
    return told


def faults_of(problem: Problem) -> dict[str, str]:
    """What a problem says field by field; nothing where it is about the whole."""
    return by_field(getattr(problem, "faults", ()))
