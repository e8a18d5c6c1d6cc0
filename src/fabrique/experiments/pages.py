"""Pages of experiments: the board, the plan's wizard, review, figures, looks, report, decision, practices."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from fabrique.accounts.rules import Permission, Person, coaches, works_on
from fabrique.experiments import board, queries
from fabrique.experiments.actions import collecting, looking, plans, practices
from fabrique.experiments.analysis.sizing import advise
from fabrique.experiments.charts import charts_of
from fabrique.experiments.data.folder import DataFaulty
from fabrique.experiments.data.writing import counts_text, json_text, plan_text
from fabrique.experiments.forms import STEPS, PlanForm, StepOfPlan, step_named, value_at, written_into
from fabrique.experiments.plan.reading import PlanFaulty, read
from fabrique.experiments.plan.schema import KIND_LABELS, LOOKS_LABELS, OUTCOME_LABELS
from fabrique.experiments.pooling import evidence_of
from fabrique.experiments.report import advice_lines, csv_report, told
from fabrique.experiments.rules import (
    CHOICE_LABELS,
    CHOICE_SHORT,
    COLLECTING,
    EDITABLE,
    LOCKED,
    STATE_LABELS,
    VERDICT_LABELS,
    State,
    Step,
)
from fabrique.language import Problem, n_
from fabrique.web.errors import NotAllowed, not_there, status_of
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from fabrique.experiments.plan.schema import Plan

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LONGEST_SEARCH = 200
LABELS = {
    "states": STATE_LABELS,
    "verdicts": VERDICT_LABELS,
    "choices": CHOICE_LABELS,
    "short": CHOICE_SHORT,
    "kinds": KIND_LABELS,
    "outcomes": OUTCOME_LABELS,
    "looks_labels": LOOKS_LABELS,
}


def person_of(visit: Visit) -> Person:
    """Who is signed in; the route's permission made sure that somebody is."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


@dataclass(frozen=True, slots=True)
class Rights:
    """What the reader may do to an experiment."""

    works: bool
    coaches: bool
    wrote: bool

    @property
    def may_register(self) -> bool:
        """Whether they may lock the plan."""
        return self.coaches and not self.wrote


def rights(visit: Visit, experiment: queries.Experiment) -> Rights:
    """The reader's rights."""
    person = visit.visitor
    if not isinstance(person, Person):
        return Rights(works=False, coaches=False, wrote=False)
    return Rights(
        works=works_on(person, experiment.product_id),
        coaches=coaches(person, experiment.product_id),
        wrote=person.id in experiment.author_ids,
    )


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
        "schema": 1, "slug": practices.slug_from(data.get("slug", "") or title), "title": title, "product": data.get("product", ""),
        "owner": person.name,
    }  # fmt: skip
    try:
        with visit.site.database.write() as session:
            slug = plans.create(session, person, document, visit.site.clock.now())
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


def require_work(visit: Visit, found: queries.Experiment) -> None:
    """Raise NotAllowed where the experiment is not one of the reader's."""
    if not works_on(person_of(visit), found.product_id):
        raise NotAllowed(n_("Only the product’s own team and its coaches may do this."))


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
    if data.get("add"):
        return wizard(visit, found, step, form, visited=False, more=data["add"])
    given = data.get("version", "")
    version = int(given) if given.isdecimal() else 0
    try:
        with visit.site.database.write() as session:
            plans.save(session, person, slug, document, version, visit.site.clock.now())
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
                    plans.submit(session, person, slug, now)
                case Step.RETURN:
                    plans.give_back(session, person, slug, note, now)
                case Step.REGISTER:
                    version = data.get("version", "")
                    plans.register(session, person, slug, now, note, int(version) if version.isdecimal() else None)
                case Step.CLOSE:
                    collecting.close(session, person, slug, visit.today, now, note)
                case "look":
                    looking.take_look(session, person, slug, now, visit.today)
                case Step.ANALYSE:
                    looking.analyse_now(session, person, slug, now, visit.today)
                case _ if pas in set(Step):
                    plans.step(session, person, slug, Step(pas), now, note)
                case _:
                    raise not_there(pas)
    except (PlanFaulty, Problem) as problem:
        return again(visit, slug, problem)
    return see_other(f"/essais/{slug}")


@get("/essais/{slug:str}/mesures", permission=Permission.READ, sync_to_thread=True)
def figures(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """What was counted, and where to add to it."""
    return figures_page(visit, slug)


def figures_page(
    visit: Visit, slug: str, *, faults: tuple[Any, ...] = (), text: str = "", kind: str = "counts", problem: str = "",
    done: str = "", values: dict[str, str] | None = None, status: int = 200,
) -> Response[bytes]:  # fmt: skip
    """The page of figures; what was sent and refused stands in it again."""
    with visit.site.database.read() as session:
        found = queries.experiment(session, slug)
        data = queries.data_of(session, found.id, found.plan)
    page = render(
        visit, "experiments/figures.html", x=found, data=data, rights=rights(visit, found), faults=faults, text=text, kind=kind,
        problem=problem, done=done, values=values or {}, collecting=found.state in COLLECTING, today=visit.today,
        example=board.example(found.plan), recent=board.recent(data), entry=board.entry_fields(found.plan),
        day=board.usual_day(found.plan, visit.today), names=board.names(found.plan), kinds_of_tables=(*board.fitting(found.plan), "events"),
        **LABELS,
    )  # fmt: skip
    return private_answer(visit, page, status)


@post("/essais/{slug:str}/mesures", permission=Permission.WORK, sync_to_thread=True)
def add_figures(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes]:
    """Figures by the form's fields, or pasted."""
    text = data.get("text", "")
    if not text.strip():
        with visit.site.database.read() as session:
            text = board.text_of_entry(queries.experiment(session, slug).plan, data)
        return take_in(visit, slug, "counts", text, n_("form"), values=data)
    return take_in(visit, slug, data.get("kind", "counts"), text, n_("pasted table"))


@post("/essais/{slug:str}/fichier", permission=Permission.WORK, sync_to_thread=True)
def send_file(
    visit: NamedDependency[Visit], slug: FromPath[str],
    data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Response[bytes]:  # fmt: skip
    """Figures from a file."""
    file = data.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return figures_page(visit, slug, problem=str(Problem(n_("Choose a file first."))), status=422)
    content = file.file.read(collecting.LARGEST_TABLE + 1)
    return take_in(visit, slug, str(data.get("kind", "counts")), decoded(content), file.filename[:200])


def decoded(content: bytes) -> str:
    """UTF-8, else what Windows writes."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def take_in(
    visit: Visit, slug: str, kind: str, text: str, source: str, *, values: dict[str, str] | None = None
) -> Response[bytes]:
    """Record a table; on a fault, show it again with every fault."""
    person, now = person_of(visit), visit.site.clock.now()
    kept = "" if values else text
    try:
        with visit.site.database.read() as session:
            plan = queries.experiment(session, slug).plan
        table = board.table_sent(plan, kind, source, text)
        with visit.site.database.write() as session:
            if kind == "counts":
                found = collecting.record_counts(session, person, slug, [table], source, now)
                done = board.recorded_words(found)
            else:
                done = board.rows_words(collecting.record_table(session, person, slug, kind, table, text, now))
    except DataFaulty as problem:
        return figures_page(visit, slug, faults=tuple(problem.faults), text=kept, kind=kind, values=values, status=422)
    except Problem as problem:
        return figures_page(visit, slug, problem=str(problem), text=kept, kind=kind, values=values, status=status_of(problem))
    return figures_page(visit, slug, done=done, kind=kind)


@get("/essais/{slug:str}/ecarts", permission=Permission.READ, sync_to_thread=True)
def deviations(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """The plan against what was done; where a deviation is filed."""
    return deviations_page(visit, slug)


def deviations_page(
    visit: Visit,
    slug: str,
    *,
    text: str = "",
    reason: str = "",
    problem: str = "",
    faults: tuple[Any, ...] = (),
    status: int = 200,
) -> Response[bytes]:
    """The comparison, and the form."""
    with visit.site.database.read() as session:
        found = queries.experiment(session, slug)
        data = queries.data_of(session, found.id, found.plan)
    page = render(
        visit, "experiments/deviations.html", x=found, rights=rights(visit, found), text=text or plan_text(found.document),
        reason=reason, problem=problem, faults=faults, done=board.done_against_plan(found, data), locked=found.state in LOCKED, **LABELS,
    )  # fmt: skip
    return private_answer(visit, page, status)


@post("/essais/{slug:str}/ecarts", permission=Permission.WORK, sync_to_thread=True)
def file_deviation(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """File a deviation: the plan's new text, why, and whether results were known."""
    text, reason, known = data.get("text", ""), data.get("reason", ""), data.get("known", "")
    try:
        board.require_known(known)
        document = board.document_from(text)
        with visit.site.database.write() as session:
            plans.deviate(
                session, person_of(visit), slug, document, reason, results_known=known == "yes", now=visit.site.clock.now()
            )
    except PlanFaulty as problem:
        return deviations_page(visit, slug, text=text, reason=reason, faults=tuple(problem.faults), status=422)
    except Problem as problem:
        return deviations_page(visit, slug, text=text, reason=reason, problem=str(problem), status=status_of(problem))
    return see_other(f"/essais/{slug}/ecarts")


@get("/essais/{slug:str}/decision", permission=Permission.WORK, sync_to_thread=True)
def decision(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """Decide, the verdict at hand."""
    return decision_page(visit, slug, {}, "")


def decision_page(visit: Visit, slug: str, values: dict[str, str], problem: str, status: int = 200) -> Response[bytes]:
    """The form of a decision."""
    with visit.site.database.read() as session:
        found = queries.experiment(session, slug)
        known = [name for _slug, name, *_rest in queries.practices(session)]
    require_work(visit, found)
    page = render(
        visit, "experiments/decision.html", x=found, report=board.report_of(found), values=values, problem=problem, known=known,
        agreed=board.agreed(found), **LABELS,
    )  # fmt: skip
    return private_answer(visit, page, status)


@post("/essais/{slug:str}/decision", permission=Permission.WORK, sync_to_thread=True)
def decide(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Record the decision, its reasons, the dissent, and the practices that were tried."""
    person, now = person_of(visit), visit.site.clock.now()
    try:
        with visit.site.database.write() as session:
            looking.decide(
                session, person, slug, data.get("choice", ""), data.get("reasons", ""), data.get("dissent", ""), now,
                departing=data.get("departing") == "true",
            )  # fmt: skip
            practices.tag(session, person, slug, data.get("practices", "").split(","), now)
    except Problem as problem:
        return decision_page(visit, slug, data, str(problem), status_of(problem))
    return see_other(f"/essais/{slug}")


@get("/essais/{slug:str}/rapport", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def report(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """The report, to read and to print."""

    def page(session: Any) -> str:
        found = queries.experiment(session, slug)
        if found.analysis is None:
            raise not_there(slug)
        shown = told(found.analysis.result)
        return render(visit, "experiments/report.html", x=found, report=shown, charts=charts_of(shown), **LABELS)

    return answer(visit, page)


@get("/essais/{slug:str}/fichiers/{file:str}", permission=Permission.READ, sync_to_thread=True)
def files(visit: NamedDependency[Visit], slug: FromPath[str], file: FromPath[str]) -> Response[bytes]:
    """The plan as TOML, the figures and the report as CSV, the calculation sheet as JSON."""
    with visit.site.database.read() as session:
        found = queries.experiment(session, slug)
        data = queries.data_of(session, found.id, found.plan)
    sheet = found.analysis.result if found.analysis else None
    texts = {"plan.toml": plan_text(found.document), "mesures.csv": counts_text(data.counts) if data.counts else None}
    if sheet is not None:
        texts |= {"rapport.csv": csv_report(sheet), "calcul.json": json_text(sheet)}
    text = texts.get(file)
    if text is None:
        raise not_there(file)
    kinds = {"toml": "application/toml", "csv": "text/csv", "json": "application/json"}
    headers = {"Content-Disposition": f'attachment; filename="{slug}-{file}"'}
    return Response(
        text.encode("utf-8-sig" if file.endswith("csv") else "utf-8"), media_type=kinds[file.rsplit(".")[-1]], headers=headers
    )


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
            practices.adopt(
                session, person_of(visit), slug, data.get("product", ""), since, data.get("note", ""), visit.site.clock.now()
            )
    except Problem as problem:
        with visit.site.database.read() as session:
            text = practice_page(visit, session, slug, str(problem))
        return private_answer(visit, text, status_of(problem))
    return see_other(f"/pratiques/{slug}")


routes = [
    experiments, new_experiment, create_experiment, experiment, plan_step, save_step, live_size, take_step, figures, add_figures,
    send_file, deviations, file_deviation, decision, decide, report, files, all_practices, practice, adopt,
]  # fmt: skip
__all__ = ["json", "routes"]
