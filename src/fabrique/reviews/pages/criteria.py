"""Administrators' pages of criteria: every gate, one gate's form, one version with what it changed."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission, Person
from fabrique.portfolio.rules import STAGE_LABELS, Stage
from fabrique.reviews.actions.criteria import CriteriaOvertaken, save_criteria
from fabrique.reviews.criteria_form import CriteriaForm, form_from, form_of
from fabrique.reviews.defaults import DRAW_LABELS
from fabrique.reviews.queries.administering import GateVersions, gate_named, gates, version_page
from fabrique.reviews.rules import NEXT
from fabrique.reviews.versions import KIND_LABELS, CriteriaInvalid, changes, criteria_faults, plain, tidied
from fabrique.web.rendering import private_answer, render, see_other
from fabrique.web.visit import Visit

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LABELS = {"stages": STAGE_LABELS, "next_stages": NEXT, "draws": DRAW_LABELS, "kinds": KIND_LABELS}


@get("/administration/criteres", permission=Permission.ADMINISTER, sync_to_thread=True)
def gates_page(visit: NamedDependency[Visit]) -> Response[bytes]:
    """What is asked at each gate, since when?"""
    with visit.site.database.read() as session:
        found = gates(session)
    return private_answer(visit, render(visit, "reviews/gates.html", gates=found, **LABELS))


@get("/administration/criteres/{stage:str}", permission=Permission.ADMINISTER, sync_to_thread=True)
def criteria_page(visit: NamedDependency[Visit], stage: FromPath[str]) -> Response[bytes]:
    """The form of a gate's criteria."""
    with visit.site.database.read() as session:
        gate = gate_named(session, stage)
    return form_page(visit, gate, form_of(gate.present))


@get("/administration/criteres/{stage:str}/versions/{number:int}", permission=Permission.ADMINISTER, sync_to_thread=True)
def one_version(visit: NamedDependency[Visit], stage: FromPath[str], number: FromPath[int]) -> Response[bytes]:
    """What did this version ask, and what did it change?"""
    with visit.site.database.read() as session:
        page = version_page(session, stage, number)
    return private_answer(visit, render(visit, "reviews/criteria_version.html", page=page, **LABELS))


@post("/administration/criteres/{stage:str}", permission=Permission.ADMINISTER, sync_to_thread=True)
def save(visit: NamedDependency[Visit], stage: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Make the next version; or show another row to fill."""
    with visit.site.database.read() as session:
        gate = gate_named(session, stage)
    form = form_from(data, gate.known)
    if "more" in data:
        return form_page(visit, gate, form.with_one_more())
    if form.place_faults():
        faults = criteria_faults(tidied(form.criteria()), plain(form.note, "note"))
        return form_page(visit, gate, form.with_faults(faults), 422)
    assert isinstance(visit.visitor, Person), "the route's permission made sure that somebody is"
    person, now = visit.visitor, visit.site.clock.now()
    try:
        with visit.site.database.write() as session:
            made = save_criteria(session, person, Stage(stage), form.base_version, form.criteria(), form.note, now)
    except CriteriaInvalid as problem:
        return form_page(visit, gate, form.with_faults(problem.faults), 422)
    except CriteriaOvertaken:
        return overtaken_page(visit, stage, form)
    return see_other(f"/administration/criteres/{stage}/versions/{made}")


def overtaken_page(visit: Visit, stage: str, form: CriteriaForm) -> Response[bytes]:
    """The form again, over what somebody else saved meanwhile."""
    with visit.site.database.read() as session:
        gate = gate_named(session, stage)
    base = gate.version(form.base_version) or gate.versions[-1]
    meanwhile = changes(base.criteria, gate.present.criteria)
    return form_page(visit, gate, form.after(base.criteria, gate.present), 409, meanwhile=meanwhile)


def form_page(visit: Visit, gate: GateVersions, form: CriteriaForm, status: int = 200, **more: object) -> Response[bytes]:
    """The form as it stands."""
    text = render(visit, "reviews/gate_criteria.html", gate=gate, form=form, **{"meanwhile": [], **LABELS, **more})
    return private_answer(visit, text, status)


routes = [gates_page, criteria_page, one_version, save]
