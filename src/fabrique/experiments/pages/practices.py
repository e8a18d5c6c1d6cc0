"""What works: practices, their evidence, who adopted them."""

from __future__ import annotations

from datetime import date
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission, Person
from fabrique.experiments import queries
from fabrique.experiments.actions import practices as learning
from fabrique.experiments.pages.reader import LABELS, Form, person_of
from fabrique.experiments.pooling import evidence_of
from fabrique.language import Problem, n_
from fabrique.web.errors import status_of
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit


@get("/pratiques", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def all_practices(visit: NamedDependency[Visit]) -> Response[bytes]:
    """What works?"""
    return answer(visit, lambda s: render(visit, "experiments/practices.html", practices=queries.practices(s)))


@get("/pratiques/{slug:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def practice(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """What did it do, for whom, who made it their own?"""
    return answer(visit, lambda s: practice_page(visit, s, slug))


def practice_page(visit: Visit, session: Any, slug: str, problem: str = "") -> str:
    """A practice's page."""
    found = queries.practice(session, slug)
    person = visit.visitor
    ids = person.products | person.coached if isinstance(person, Person) else frozenset()
    return render(
        visit, "experiments/practice.html", practice=found, evidence=evidence_of(found), products=queries.products_named(session, ids),
        today=visit.today, problem=problem, **LABELS,
    )  # fmt: skip


@post("/pratiques/{slug:str}/adoptions", permission=Permission.WORK, sync_to_thread=True)
def adopt(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Say that a product made a practice its own."""
    try:
        try:
            since = date.fromisoformat(data.get("since", "") or visit.today.isoformat())
        except ValueError as error:
            raise Problem(
                n_("“%(text)s” is not a date; write 2026-11-24 for instance."), text=data.get("since", "")[:40]
            ) from error
        with visit.site.database.write() as session:
            learning.adopt(
                session, person_of(visit), slug, data.get("product", ""), since, data.get("note", ""), visit.site.clock.now()
            )
    except Problem as problem:
        with visit.site.database.read() as session:
            text = practice_page(visit, session, slug, str(problem))
        return private_answer(visit, text, status_of(problem))
    return see_other(f"/pratiques/{slug}")


routes = [all_practices, practice, adopt]
