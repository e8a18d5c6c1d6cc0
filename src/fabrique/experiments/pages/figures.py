"""Figures by form, paste and file."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from fabrique.accounts.rules import Permission
from fabrique.experiments import board, queries
from fabrique.experiments.actions import collecting
from fabrique.experiments.data.folder import DataFaulty
from fabrique.experiments.pages.reader import LABELS, Form, person_of, rights
from fabrique.experiments.rules import (
    COLLECTING,
)
from fabrique.language import Problem, n_
from fabrique.web.errors import status_of
from fabrique.web.rendering import private_answer, render
from fabrique.web.visit import Visit


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


routes = [figures, add_figures, send_file]
