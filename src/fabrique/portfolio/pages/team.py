"""Who works on this product, who coaches it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission
from fabrique.language import Problem
from fabrique.portfolio.actions import team as teaming
from fabrique.portfolio.actions.team import MemberInvalid, Part, part_faults
from fabrique.portfolio.forms import read_day, typed
from fabrique.portfolio.pages.reading import LARGEST_ID, Form, by_field, faults_of, may_coach, may_write, person_of
from fabrique.portfolio.queries.team import team_page
from fabrique.web.errors import not_there, status_of
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabrique.portfolio.checking import Fault

ADDING = 0
"""Stands for nobody's id: the form that adds somebody."""


@get("/produits/{slug:str}/equipe", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def team(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """The people of a product."""
    return answer(visit, lambda s: page_text(visit, s, slug))


def page_text(
    visit: Visit, session: Session, slug: str, *, tried: int = ADDING, values: dict[str, str] | None = None,
    problem: Problem | None = None, faults: dict[str, str] | None = None,
) -> str:  # fmt: skip
    """The page; `tried` is whose form was sent, with what was typed in it and what is wrong with that."""
    page = team_page(session, slug, visit.today)
    return render(
        visit, "portfolio/team.html", page=page, writes=may_write(visit, page.product_id),
        coaches=may_coach(visit, page.product_id), tried=tried, typed=values or {}, faults=faults or {}, problem=problem,
        today=visit.today,
    )  # fmt: skip


def again(visit: Visit, slug: str, tried: int, values: dict[str, str], problem: Problem, read: list[Fault]) -> Response[bytes]:
    """The page with what was typed and what went wrong."""
    faults = by_field(read) | faults_of(problem)
    with visit.site.database.read() as session:
        text = page_text(visit, session, slug, tried=tried, values=values, problem=problem, faults=faults)
    return private_answer(visit, text, status_of(problem))


def part_of(values: dict[str, str], faults: list[Fault]) -> Part:
    """Title and days as they were typed; a day that is none is noted."""
    since, until = (read_day(values, name, faults) for name in ("since", "until"))
    return Part(" ".join(values.get("title", "").split()), since, until)


@post("/produits/{slug:str}/equipe", permission=Permission.WORK, sync_to_thread=True)
def add(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Tie somebody to the product."""
    values = typed(data)
    read: list[Fault] = []
    part, now, today = part_of(values, read), visit.site.clock.now(), visit.today
    try:
        with visit.site.database.write() as session:
            teaming.add_member(session, person_of(visit), slug, values.get("email", ""), values.get("kind", ""), part, now, today)
            if read:
                raise MemberInvalid([*read, *part_faults(part, today)])
    except Problem as problem:
        return again(visit, slug, ADDING, values, problem, read)
    return see_other(f"/produits/{slug}/equipe")


@post("/produits/{slug:str}/equipe/{person_id:int}", permission=Permission.WORK, sync_to_thread=True)
def change(
    visit: NamedDependency[Visit], slug: FromPath[str], person_id: FromPath[int], data: Form
) -> Response[bytes] | Redirect:
    """Another title, other dates; or today is the last day."""
    if person_id > LARGEST_ID:
        raise not_there(str(person_id))
    values = typed(data)
    read: list[Fault] = []
    part, now, today = part_of(values, read), visit.site.clock.now(), visit.today
    try:
        with visit.site.database.write() as session:
            if values.get("end"):
                teaming.end_member(session, person_of(visit), slug, person_id, now, today)
            else:
                teaming.change_member(session, person_of(visit), slug, person_id, part, now, today)
                if read:
                    raise MemberInvalid([*read, *part_faults(part, today)])
    except Problem as problem:
        return again(visit, slug, person_id, values, problem, read)
    return see_other(f"/produits/{slug}/equipe")


routes = [team, add, change]
