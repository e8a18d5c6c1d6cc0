"""The board, one experiment's own page, the plan's wizard, and the steps of its life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from fabrique.accounts.rules import Permission, Person
from fabrique.experiments import board, queries
from fabrique.experiments.actions import collecting, looking
from fabrique.experiments.actions import plans as planning
from fabrique.experiments.advising import advice_lines
from fabrique.experiments.analysis.sizing import advise
from fabrique.experiments.forms import STEPS, PlanForm, StepOfPlan, step_named, value_at, written_into
from fabrique.experiments.pages.reader import LABELS, LONGEST_SEARCH, Form, person_of, require_work, rights
from fabrique.experiments.plan.reading import PlanFaulty, read
from fabrique.experiments.rules import (
    COLLECTING,
    EDITABLE,
    LOCKED,
    State,
    Step,
)
from fabrique.language import Problem, slug_from
from fabrique.web.errors import not_there, status_of
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from fabrique.experiments.plan.schema import Plan


@get("/essais", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def experiments(visit: NamedDependency[Visit], etat: FromQuery[str] = "", q: FromQuery[str] = "") -> Response[bytes]:
    """What are we trying, what did we learn?"""
    state = state_named(etat)
    search = q[:LONGEST_SEARCH].strip()
    return answer(
        visit,
        lambda s: render(
            visit, "experiments/list.html", board=board.board(s, state=state, search=search), search=search, state=state,
            may_create=may_create(visit), **LABELS,
        ),
    )  # fmt: skip


def may_create(visit: Visit) -> bool:
    """Whether the reader has a product to experiment on."""
    person = visit.visitor
    return isinstance(person, Person) and bool(person.products | person.coached)


def state_named(text: str) -> State | None:
    """The state of that value. Raises NotThere."""
    if not text:
        return None
    try:
        return State(text)
    except ValueError as error:
        raise not_there(text) from error


@get("/essais/nouveau", permission=Permission.WORK, sync_to_thread=True)
def new_experiment(visit: NamedDependency[Visit], produit: FromQuery[str] = "") -> Response[bytes]:
    """Begin with an idea: a title and a product."""
    return new_page(visit, {"product": produit}, "")


def new_page(visit: Visit, values: dict[str, str], problem: str, status: int = 200) -> Response[bytes]:
    """The first form."""
    person = person_of(visit)
    with visit.site.database.read() as session:
        products = queries.products_named(session, person.products | person.coached)
    text = render(visit, "experiments/new.html", products=products, values=values, problem=problem)
    return private_answer(visit, text, status)


@post("/essais/nouveau", permission=Permission.WORK, sync_to_thread=True)
def create_experiment(visit: NamedDependency[Visit], data: Form) -> Response[bytes] | Redirect:
    """Make the experiment, then go to the wizard's first step."""
    person, title = person_of(visit), data.get("title", "").strip()[:300]
    document = {
        "schema": 1, "slug": slug_from(data.get("slug", "") or title, 100), "title": title, "product": data.get("product", ""),
        "owner": person.name,
    }  # fmt: skip
    try:
        with visit.site.database.write() as session:
            slug = planning.create(session, person, document, visit.site.clock.now())
    except Problem as problem:
        return new_page(visit, data, str(problem), status_of(problem))
    return see_other(f"/essais/{slug}/plan/{STEPS[0].key}")


@get("/essais/{slug:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def experiment(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """How is this experiment, what may be done now?"""
    return answer(visit, lambda s: experiment_page(visit, s, slug))


def experiment_page(visit: Visit, session: Any, slug: str, problem: str = "") -> str:
    """The experiment's own page."""
    found = queries.experiment(session, slug)
    data = queries.data_of(session, found.id, found.plan) if not found.faults else None
    return render(
        visit, "experiments/show.html", x=found, rights=rights(visit, found), problem=problem,
        health=board.health(found, data), report=board.report_of(found), charts=board.charts_of(found),
        advice=board.advice_of(found), editable=found.state in EDITABLE, locked=found.state in LOCKED,
        primary_words=board.primary_words(found.plan), margins=board.margins(found.plan),
        collecting=found.state in COLLECTING, State=State, today=visit.today, first_step=STEPS[0].key, **LABELS,
    )  # fmt: skip


def again(visit: Visit, slug: str, problem: Problem) -> Response[bytes]:
    """The experiment's page with what went wrong at its top."""
    with visit.site.database.read() as session:
        text = experiment_page(visit, session, slug, str(problem))
    return private_answer(visit, text, status_of(problem))


@get("/essais/{slug:str}/plan/{etape:str}", permission=Permission.WORK, sync_to_thread=True)
def plan_step(visit: NamedDependency[Visit], slug: FromPath[str], etape: FromPath[str]) -> Response[bytes]:
    """One step of the plan's wizard."""
    step = step_or_none(etape)
    with visit.site.database.read() as session:
        found = queries.experiment(session, slug)
    require_work(visit, found)
    return wizard(
        visit,
        found,
        step,
        PlanForm(found.document, found.faults),
        visited=was_written(found.document, step),
    )


BEGUN = frozenset({"schema", "slug", "title", "product", "owner"})
"""Parts that are there from the first moment; a step is complained about once its own parts were written."""


def was_written(document: dict[str, Any], step: StepOfPlan) -> bool:
    """Whether somebody wrote the step's own parts already."""
    return not step.parts or bool(set(document) & (set(step.parts) - BEGUN))


def step_or_none(key: str) -> StepOfPlan:
    """The wizard's step. Raises NotThere."""
    step = step_named(key)
    if step is None:
        raise not_there(key)
    return step


def wizard(
    visit: Visit, found: queries.Experiment, step: StepOfPlan, form: PlanForm, *, visited: bool = True, problem: str = "",
    status: int = 200, more: str = "", version: int | None = None,
) -> Response[bytes]:  # fmt: skip
    """The wizard's page."""
    plan, faults = read(form.document)
    text = render(
        visit, "experiments/wizard.html", x=found, step=step, steps=STEPS, form=form, visited=visited, problem=problem, more=more,
        plan=plan, advice=None if faults and not board.can_size(faults) else advise(plan), lines=size_lines(plan, faults),
        place=STEPS.index(step), rights=rights(visit, found), value_at=value_at, editable=found.state in EDITABLE,
        primary_words=board.primary_words(plan), margins=board.margins(plan), version=found.version if version is None else version,
        **LABELS,
    )  # fmt: skip
    return private_answer(visit, text, status)


def size_lines(plan: Plan, faults: list[Any]) -> list[str]:
    """What the plan's size amounts to, in words; nothing where it cannot be told yet."""
    return advice_lines(plan, advise(plan)) if board.can_size(faults) else []


@post("/essais/{slug:str}/plan/{etape:str}", permission=Permission.WORK, sync_to_thread=True)
def save_step(visit: NamedDependency[Visit], slug: FromPath[str], etape: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Save a step; go on to the next, or stay where a row was asked for."""
    step, person = step_or_none(etape), person_of(visit)
    with visit.site.database.read() as session:
        found = queries.experiment(session, slug)
    require_work(visit, found)
    document = written_into(found.document, data, step)
    _plan, faults = read(document)
    form = PlanForm(document, tuple(faults))
    given = data.get("version", "")
    version = int(given) if given.isdecimal() else 0
    if data.get("add"):
        return wizard(visit, found, step, form, visited=False, more=data["add"], version=version)
    try:
        with visit.site.database.write() as session:
            planning.save(session, person, slug, document, version, visit.site.clock.now())
    except Problem as problem:
        return wizard(visit, found, step, form, problem=str(problem), status=status_of(problem), version=version)
    following = STEPS[min(STEPS.index(step) + 1, len(STEPS) - 1)]
    return see_other(f"/essais/{slug}/plan/{(step if data.get('stay') else following).key}")


@post("/essais/{slug:str}/taille", permission=Permission.WORK, sync_to_thread=True)
def live_size(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes]:
    """The size and duration that the form's figures amount to, while one writes them."""
    with visit.site.database.read() as session:
        found = queries.experiment(session, slug)
    require_work(visit, found)
    step = step_or_none("taille")
    document = written_into(found.document, data, step)
    plan, faults = read(document)
    advice = advise(plan) if board.can_size(faults) else None
    text = render(visit, "experiments/_size.html", lines=size_lines(plan, faults), advice=advice, plan=plan)
    return private_answer(visit, text)


@post("/essais/{slug:str}/etapes/{pas:str}", permission=Permission.WORK, sync_to_thread=True)
def take_step(visit: NamedDependency[Visit], slug: FromPath[str], pas: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Submit, give back, register, start, pause, resume, close, reopen, look, analyse, archive, abandon."""
    person, now, note = person_of(visit), visit.site.clock.now(), data.get("note", "")
    try:
        with visit.site.database.write() as session:
            match pas:
                case Step.SUBMIT:
                    planning.submit(session, person, slug, now)
                case Step.RETURN:
                    planning.give_back(session, person, slug, note, now)
                case Step.REGISTER:
                    version = data.get("version", "")
                    planning.register(session, person, slug, now, note, int(version) if version.isdecimal() else None)
                case Step.CLOSE:
                    collecting.close(session, person, slug, visit.today, now, note)
                case "look":
                    looking.take_look(session, person, slug, now, visit.today)
                case Step.ANALYSE:
                    looking.analyse_now(session, person, slug, now, visit.today)
                case _ if pas in set(Step):
                    planning.step(session, person, slug, Step(pas), now, note)
                case _:
                    raise not_there(pas)
    except (PlanFaulty, Problem) as problem:
        return again(visit, slug, problem)
    return see_other(f"/essais/{slug}")


routes = [
    experiments, new_experiment, create_experiment, experiment, plan_step, save_step, live_size, take_step,
]  # fmt: skip
