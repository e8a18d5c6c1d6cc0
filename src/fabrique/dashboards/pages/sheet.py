"""The form of a product's sheet, part by part. In dashboards because a stake names the metric that will show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.exceptions import PermissionDeniedException
from litestar.params import Body, FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission, Person, works_on
from fabrique.dashboards.queries.sheet import overtaken_by, sheet_page
from fabrique.language import Problem, _, n_
from fabrique.portfolio.actions import SheetOvertaken, save_sheet
from fabrique.portfolio.actions.sheets import faults_of
from fabrique.portfolio.checking import SheetInvalid
from fabrique.portfolio.forms import LEADS, LINE, PARTS, read_part, rows_of, totals, typed, values_of
from fabrique.portfolio.programme import ACCESSIBILITY, ANSWER_LABELS, MISSIONS, QUALITIES, STAKES
from fabrique.portfolio.sheet import FIELD_LABELS, LINKS, changed
from fabrique.web.errors import NotAllowed, not_there, status_of
from fabrique.web.rendering import private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fabrique.dashboards.queries.sheet import SheetPage
    from fabrique.portfolio.checking import Fault
    from fabrique.portfolio.forms import Read, Values
    from fabrique.portfolio.sheet import Difference

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
LABELS = {
    "parts": PARTS,
    "leads": LEADS,
    "missions": MISSIONS.values(),
    "stakes": STAKES.values(),
    "qualities": QUALITIES.values(),
    "links": LINKS,
    "field_labels": FIELD_LABELS,
}
SPARE, MORE = {"sponsor": 1, "budget": 2}, 3
"""Rows to fill at the end of a list, and how many more a click gives."""
LONGEST_VERSION = 9


@get("/produits/{slug:str}/fiche", permission=Permission.WORK, sync_to_thread=True)
def sheet(visit: NamedDependency[Visit], slug: FromPath[str]) -> Redirect:
    """The form begins with its first part."""
    opened(visit, slug, "identite")
    return see_other(f"/produits/{slug}/fiche/identite")


@get("/produits/{slug:str}/fiche/{part:str}", permission=Permission.WORK, sync_to_thread=True)
def part_form(visit: NamedDependency[Visit], slug: FromPath[str], part: FromPath[str]) -> Response[bytes]:
    """One part of the sheet."""
    page = opened(visit, slug, part)
    return form(visit, page, part, values_of(page.sheet, part))


@post("/produits/{slug:str}/fiche/{part:str}", permission=Permission.WORK, sync_to_thread=True)
def save_part(visit: NamedDependency[Visit], slug: FromPath[str], part: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Save a part; or show more rows, or what is wrong with all that was typed."""
    page = opened(visit, slug, part)
    values = typed(data)
    read = read_part(values, part, page.sheet, page.metrics, grouped=visit.language == "en")
    version = values.get("version", "")
    seen = int(version) if version.isascii() and version.isdecimal() and len(version) <= LONGEST_VERSION else 0
    if values.get("more"):
        return form(visit, page, part, values, version=seen, more=True)
    try:
        require_read(visit, page, read)
        with visit.site.database.write() as session:
            save_sheet(session, person_of(visit), slug, seen, read.changes, visit.site.clock.now())
    except SheetOvertaken as problem:
        page = opened(visit, slug, part)
        return form(visit, page, part, values, problem=problem, changes=overtaken_by(page, read.changes), version=problem.version)
    except SheetInvalid as problem:
        return form(visit, page, part, values, problem=problem, faults=problem.faults, version=seen)
    following = values.get("following", "")
    return see_other(f"/produits/{slug}/fiche/{following}" if following in PARTS else f"/produits/{slug}")


def opened(visit: Visit, slug: str, part: str) -> SheetPage:
    """The sheet, for who may write it. Raises NotThere, NotAllowed."""
    if part not in PARTS:
        raise not_there(part)
    with visit.site.database.read() as session:
        page = sheet_page(session, slug, visit.language)
    if not works_on(person_of(visit), page.product_id):
        raise NotAllowed(n_("Only the product’s own team and its coaches may do this."))
    return page


def person_of(visit: Visit) -> Person:
    """Who is signed in; the route's permission made sure that somebody is."""
    if not isinstance(visit.visitor, Person):
        raise PermissionDeniedException
    return visit.visitor


def require_read(visit: Visit, page: SheetPage, read: Read) -> None:
    """Raise SheetInvalid where something cannot be read; with all else that is wrong, so that it is put right at once."""
    if not read.faults:
        return
    with visit.site.database.read() as session:
        others = faults_of(session, page.sheet, changed(page.sheet, read.changes))
    # A line of the budget that cannot be read says so at its own fields.
    raise SheetInvalid([*(one for one in others if one.field != "budget"), *read.faults])


def form(
    visit: Visit, page: SheetPage, part: str, values: Values, *, problem: Problem | None = None,
    faults: Iterable[Fault] = (), changes: Iterable[Difference] = (), version: int | None = None, more: bool = False,
) -> Response[bytes]:  # fmt: skip
    """A part's page."""
    told: dict[str, str] = {}
    for one in faults:
        told.setdefault(one.field, str(one))
    budget = read_part(values, "budget", page.sheet, (), grouped=visit.language == "en").changes["budget"]
    text = render(
        visit, "dashboards/sheet.html", page=page, slug=page.sheet.slug, part=part, values=values, problem=problem, faults=told,
        changes=tuple(changes), version=page.version if version is None else version, totals=totals(budget),
        sponsors=rows_of(values, ["sponsor"], SPARE["sponsor"] + MORE * more), rows=rows_of(values, LINE, SPARE["budget"] + MORE * more),
        following=following(part), answers=pairs(ANSWER_LABELS), accessibility=pairs(ACCESSIBILITY), **LABELS,
    )  # fmt: skip
    return private_answer(visit, text, status_of(problem) if problem else 200)


def pairs(labels: Mapping[Any, str]) -> list[tuple[str, str]]:
    """The choices of a list, in the language in force."""
    return [(str(key), _(label)) for key, label in labels.items()]


def following(part: str) -> str:
    """The part after this one; empty after the last."""
    keys = [*PARTS, ""]
    return keys[keys.index(part) + 1]


routes = [sheet, part_form, save_part]
