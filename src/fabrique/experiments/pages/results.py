"""Deviations, decision, report and files."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission
from fabrique.experiments import board, queries
from fabrique.experiments.actions import looking
from fabrique.experiments.actions import plans as planning
from fabrique.experiments.actions import practices as learning
from fabrique.experiments.charts import charts_of
from fabrique.experiments.data.writing import counts_text, json_text, plan_text
from fabrique.experiments.pages.reader import LABELS, Form, person_of, require_work, rights
from fabrique.experiments.plan.reading import PlanFaulty
from fabrique.experiments.printed import csv_report
from fabrique.experiments.report import told
from fabrique.experiments.rules import (
    LOCKED,
)
from fabrique.language import Problem
from fabrique.web.errors import not_there, status_of
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit


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
            planning.deviate(
                session,
                person_of(visit),
                slug,
                document,
                reason,
                results_known=known == "yes",
                now=visit.site.clock.now(),
                version=int(data["version"]) if data.get("version", "").isdecimal() else None,
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
            learning.tag(session, person, slug, data.get("practices", "").split(","), now)
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


routes = [deviations, file_deviation, decision, decide, report, files]
