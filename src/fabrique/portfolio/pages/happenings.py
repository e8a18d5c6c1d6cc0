"""What happened to a product: adding an event, taking one back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission
from fabrique.language import Problem, n_
from fabrique.portfolio import actions, forms
from fabrique.portfolio.checking import Fault, SheetInvalid, one_event_faults
from fabrique.portfolio.pages.reading import Form, by_field, faults_of, may_write, person_of
from fabrique.portfolio.queries.happenings import event_label, events_page, origin_label
from fabrique.portfolio.rules import EVENT_LABELS
from fabrique.portfolio.sheet import Event
from fabrique.web.errors import NotAllowed, NotThere, status_of
from fabrique.web.rendering import private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from datetime import date

FIELDS = ("kind", "day", "comment", "link")
"""In the order of the form, which is that of its summary of faults."""


@get("/produits/{slug:str}/evenements", permission=Permission.WORK, sync_to_thread=True)
def events(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """The events, and the form that adds one."""
    return page(visit, slug, {"kind": "release", "day": visit.today.isoformat()})


def page(visit: Visit, slug: str, values: dict[str, str], problem: Problem | None = None) -> Response[bytes]:
    """The page with what was typed, and what is wrong with it."""
    with visit.site.database.read() as session:
        found = events_page(session, slug)
    require_writer(visit, found.product_id)
    faults = faults_of(problem) if problem else {}
    text = render(
        visit, "portfolio/events.html", page=found, values=values, problem=problem, today=visit.today, kinds=EVENT_LABELS.items(),
        faults={name: faults[name] for name in FIELDS if name in faults}, label=event_label, origin=origin_label,
    )  # fmt: skip
    return private_answer(visit, text, status_of(problem) if problem else 200)


def require_writer(visit: Visit, product_id: int) -> None:
    """Raise NotAllowed where the product is none of the reader's."""
    if not may_write(visit, product_id):
        raise NotAllowed(n_("Only the product’s own team and its coaches may do this."))


@post("/produits/{slug:str}/evenements", permission=Permission.WORK, sync_to_thread=True)
def add(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Note an event."""
    values = forms.typed(data)
    try:
        event = event_from(values, visit.today)
        with visit.site.database.write() as session:
            actions.add_event(session, person_of(visit), slug, event, visit.site.clock.now())
    except SheetInvalid as problem:
        return page(visit, slug, values, problem)
    return see_other(f"/produits/{slug}/evenements")


def event_from(values: dict[str, str], today: date) -> Event:
    """The event that a form tells. Raises SheetInvalid, with everything that is wrong at once."""
    faults: list[Fault] = []
    if values.get("kind", "") not in EVENT_LABELS:
        faults.append(Fault("kind", n_("Choose what happened from the list.")))
    day = forms.read_day(values, "day", faults)
    if day is None and "day" not in by_field(faults):
        faults.append(Fault("day", n_("Say on which day.")))
    comment = values.get("comment", "").replace("\r\n", "\n").strip()
    event = Event(values.get("kind", ""), day or today, comment, values.get("link", "").strip())
    faults += one_event_faults(event)
    if faults:
        raise SheetInvalid(faults)
    return event


@post("/produits/{slug:str}/evenements/{event_id:int}/retrait", permission=Permission.WORK, sync_to_thread=True)
def remove(visit: NamedDependency[Visit], slug: FromPath[str], event_id: FromPath[int]) -> Redirect:
    """Take an event back. Raises NotThere for one that is gone, or another product's."""
    with visit.site.database.write() as session:
        found = events_page(session, slug)
        require_writer(visit, found.product_id)
        if (event := found.event(event_id)) is None:
            raise NotThere(n_("This event is not there, or not any more."))
        actions.remove_event(session, person_of(visit), slug, event, visit.site.clock.now())
    return see_other(f"/produits/{slug}/evenements")


routes = [events, add, remove]
