"""Beginning an investigation: the first page of a product's life here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body
from litestar.response import Redirect

from fabrique.accounts.rules import Permission, Person, Role
from fabrique.language import Problem, _
from fabrique.portfolio import actions, queries
from fabrique.portfolio.actions import Begun, ProductExists
from fabrique.portfolio.checking import SheetInvalid
from fabrique.portfolio.forms import typed
from fabrique.portfolio.programme import MISSIONS
from fabrique.portfolio.rules import StaysInvalid
from fabrique.web.days import day_from
from fabrique.web.errors import status_of
from fabrique.web.rendering import private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from datetime import date

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
FIELDS = ("name", "pitch", "incubator", "mission", "start", "title")
"""In the order of the form, which is that of its summary of faults."""


@get("/produits/nouveau", permission=Permission.WORK, sync_to_thread=True)
def new_product(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Begin an investigation."""
    return form(visit, {"mission": "fabrique", "start": visit.today.isoformat()})


@post("/produits/nouveau", permission=Permission.WORK, sync_to_thread=True)
def create_product(visit: NamedDependency[Visit], data: Form) -> Response[bytes] | Redirect:
    """Make the product, then go to its page."""
    values = typed({name: data.get(name, "") for name in FIELDS})
    try:
        begun = begun_with(values, day_from(values["start"]) or visit.today)
    except ValueError:
        return unread_day(visit, values)
    try:
        with visit.site.database.write() as session:
            slug = actions.create_product(session, person_of(visit), begun, visit.site.clock.now(), visit.today)
    except SheetInvalid as problem:
        return form(visit, values, problem, faults_by_field(problem) | day_fault(begun.start, visit.today))
    except StaysInvalid as problem:
        return form(visit, values, problem, {"start": str(problem)})
    except ProductExists as problem:
        return form(visit, values, problem, {"name": str(problem)})
    return see_other(f"/produits/{slug}")


def person_of(visit: Visit) -> Person:
    """Who is signed in; the route's permission made sure that somebody is."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


def begun_with(values: dict[str, str], start: date) -> Begun:
    """What the form says."""
    return Begun(
        values["name"], start, pitch=values["pitch"], incubator=values["incubator"], mission=values["mission"],
        title=values["title"],
    )  # fmt: skip


def unread_day(visit: Visit, values: dict[str, str]) -> Response[bytes]:
    """The form again, where its day is none; with what else is wrong, so that all of it is put right at once."""
    with visit.site.database.read() as session:
        problem = SheetInvalid(actions.begun_faults(session, begun_with(values, visit.today)))
    unread = _("“%(text)s” is not a day; write it as 2026-03-14 or 14/03/2026.", text=values["start"][:40])
    return form(visit, values, problem, faults_by_field(problem) | {"start": unread})


def faults_by_field(problem: SheetInvalid) -> dict[str, str]:
    """What is wrong with each field, in words."""
    return {one.field: str(one) for one in problem.faults}


def day_fault(start: date, today: date) -> dict[str, str]:
    """What is wrong with a first day that can be read."""
    try:
        actions.require_first_day(start, today)
    except StaysInvalid as problem:
        return {"start": str(problem)}
    return {}


def form(
    visit: Visit, values: dict[str, str], problem: Problem | None = None, faults: dict[str, str] | None = None
) -> Response[bytes]:
    """The form with what was typed, and what is wrong with it."""
    with visit.site.database.read() as session:
        incubators = queries.all_incubators(session)
    text = render(
        visit, "portfolio/new.html", values=values, faults=faults or {}, fields=FIELDS, incubators=incubators,
        missions=MISSIONS.values(), known=problem.values if isinstance(problem, ProductExists) else None,
        coaches=person_of(visit).role is Role.COACH,
    )  # fmt: skip
    return private_answer(visit, text, status_of(problem) if problem else 200)


routes = [new_product, create_product]
