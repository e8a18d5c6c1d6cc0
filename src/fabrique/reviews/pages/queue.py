"""A coach's morning: what needs me today, and my dates in a calendar."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fabrique.accounts import actions as accounts
from fabrique.accounts import queries as people
from fabrique.accounts.rules import Permission, Person
from fabrique.language import _
from fabrique.reviews.pages.reading import LABELS, person_of
from fabrique.reviews.queries import sitting
from fabrique.reviews.queries.queue import Urgency, queue
from fabrique.web.calendar import calendar_answer
from fabrique.web.errors import not_there
from fabrique.web.rendering import answer, private_answer, render
from fabrique.web.visit import Visit


@get("/mes-produits", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def mine(visit: NamedDependency[Visit]) -> Response[bytes]:
    """What needs me today?"""
    person = person_of(visit)
    return answer(
        visit,
        lambda s: render(
            visit, "reviews/queue.html", lines=queue(s, products_of(person), visit.today), Urgency=Urgency, today=visit.today,
            coach=bool(person.coached), **LABELS,
        ),
    )  # fmt: skip


def products_of(person: Person) -> list[int]:
    """The products that are a person's: coached, or their team's."""
    return sorted(person.coached | person.products)


@get("/mes-produits.ics", permission=Permission.READ, sync_to_thread=True)
def my_calendar(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The dates of my products, once."""
    return calendar_of(visit, person_of(visit))


def calendar_of(visit: Visit, person: Person) -> Response[bytes]:
    """A person's dates as a calendar."""
    with visit.site.database.read() as session:
        entries = sitting.entries(session, products_of(person), visit.today)
    return calendar_answer(visit, entries, _("Gate reviews"))


@post("/mes-produits/calendrier", permission=Permission.SIGNED_IN, sync_to_thread=True)
def make_address(visit: NamedDependency[Visit]) -> Response[bytes] | Redirect:
    """A new secret address to subscribe to; the one before stops working. Shown once."""
    with visit.site.database.write(visible=False) as session:
        key = accounts.make_calendar_key(session, person_of(visit).id, visit.site.clock.now())
    root = visit.site.settings.public_url.rstrip("/")
    return private_answer(
        visit, render(visit, "reviews/calendar.html", address=f"{root}/calendrier/{key}.ics", rooted=bool(root))
    )


@get("/calendrier/{file:str}", permission=Permission.PUBLIC, sync_to_thread=True)
def subscribed(visit: NamedDependency[Visit], file: FromPath[str]) -> Response[bytes]:
    """The dates of whoever the secret address belongs to: calendars do not sign in. Dates and names only."""
    key = file.removesuffix(".ics")
    with visit.site.database.read() as session:
        person = people.calendar_person(session, key, visit.site.clock.now()) if key != file else None
    if person is None:
        raise not_there("calendrier")
    return calendar_of(visit, person)


routes = [mine, my_calendar, make_address, subscribed]
