"""Putting a product's phases right by hand: for coaches and administrators, with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission
from fabrique.language import Problem, _, n_
from fabrique.portfolio.actions import ReasonUnfit, SheetOvertaken, correct_stays
from fabrique.portfolio.actions.sheets import reason_fault
from fabrique.portfolio.checking import Fault, SheetInvalid
from fabrique.portfolio.forms import STAY, read_stays, rows_of, stay_values, troubled_row, typed
from fabrique.portfolio.pages.reading import Form, faults_of, may_coach, person_of
from fabrique.portfolio.queries.correcting import stays_page
from fabrique.portfolio.rules import MARK_LABELS, ORIGIN_LABELS, STAGE_LABELS, Origin, StaysInvalid, with_planned
from fabrique.portfolio.sheet import changed
from fabrique.portfolio.wording import differences_in_words
from fabrique.web.errors import NotAllowed, status_of
from fabrique.web.rendering import private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import Any

    from fabrique.portfolio.forms import Values
    from fabrique.portfolio.queries.correcting import StaysPage
    from fabrique.portfolio.rules import Mark, Stage
    from fabrique.portfolio.sheet import Difference

    Rows = list[tuple[int, tuple[Stage, date, Mark]]]

SPARE, MORE = 1, 3
LONGEST_VERSION = 9


@get("/produits/{slug:str}/phases", permission=Permission.WORK, sync_to_thread=True)
def phases(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """The phases as they stand, ready to be put right."""
    page = opened(visit, slug)
    return form(visit, page, stay_values(one.stay for one in page.begun))


def opened(visit: Visit, slug: str) -> StaysPage:
    """The phases, for who may correct them. Raises NotThere, NotAllowed."""
    with visit.site.database.read() as session:
        page = stays_page(session, slug, visit.today)
    if not may_coach(visit, page.product_id):
        raise NotAllowed(n_("Phases are corrected by a coach of the product or an administrator."))
    return page


@post("/produits/{slug:str}/phases", permission=Permission.WORK, sync_to_thread=True)
def correct(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Correct them; or show more rows, or what is wrong with all that was typed."""
    page, values = opened(visit, slug), typed(data)
    version = values.get("version", "")
    seen = int(version) if version.isascii() and version.isdecimal() and len(version) <= LONGEST_VERSION else 0
    if values.get("more"):
        return form(visit, page, values, version=seen, more=True)
    faults: list[Fault] = []
    rows = read_stays(values, faults)
    try:
        save(visit, slug, seen, rows, values, faults)
    except SheetOvertaken as problem:
        page = opened(visit, slug)
        mine = changed(page.sheet, {"stays": with_planned([start for _place, start in rows], page.planned)})
        told = differences_in_words(mine, page.sheet)
        return form(visit, page, values, problem=problem, changes=told, version=problem.version)
    except SheetInvalid as problem:
        return form(visit, page, values, problem=problem, faults=faults_of(problem), version=seen)
    return see_other(f"/produits/{slug}")


def save(visit: Visit, slug: str, version: int, rows: Rows, values: Values, faults: list[Fault]) -> None:
    """Correct the phases. Raises SheetInvalid with every fault at its field, SheetOvertaken."""
    reason, now = values.get("reason", ""), visit.site.clock.now()
    starts = [start for _place, start in rows]
    try:
        if not faults:
            with visit.site.database.write() as session:
                correct_stays(session, person_of(visit), slug, version, starts, reason, now, visit.today)
            return
    except ReasonUnfit:
        pass  # told below, as beside any other fault
    except StaysInvalid as problem:
        faults.append(Fault(f"start-{troubled_row(rows, visit.today)}", problem.message, tuple(problem.values.items())))
    if fault := reason_fault(reason):
        faults.append(fault)
    raise SheetInvalid(faults)


def form(
    visit: Visit, page: StaysPage, values: Values, *, problem: Problem | None = None, faults: dict[str, str] | None = None,
    changes: tuple[Difference, ...] = (), version: int | None = None, more: bool = False,
) -> Response[bytes]:  # fmt: skip
    """The page."""
    text = render(
        visit, "portfolio/stays.html", page=page, slug=page.sheet.slug, values=values, problem=problem, faults=faults or {},
        changes=changes, version=page.version if version is None else version, rows=rows_of(values, STAY, SPARE + MORE * more),
        stages=pairs(STAGE_LABELS), marks=pairs(MARK_LABELS), stage_labels=STAGE_LABELS, origins=ORIGIN_LABELS, Origin=Origin,
    )  # fmt: skip
    return private_answer(visit, text, status_of(problem) if problem else 200)


def pairs(labels: Mapping[Any, str]) -> list[tuple[str, str]]:
    """The choices of a list, in the language in force."""
    return [(str(key), _(label)) for key, label in labels.items()]


routes = [phases, correct]
