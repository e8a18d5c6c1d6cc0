"""Incubators, sponsors and coaches: each with its products, its dates and what moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fabrique.accounts.rules import Permission
from fabrique.dashboards.pages.products import LABELS
from fabrique.dashboards.queries import circles as queries
from fabrique.language import _, n_
from fabrique.web.exports import table_answer
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy.orm import Session

    from fabrique.dashboards.queries.circles import Circle, Lines

KINDS: dict[str, tuple[str, Callable[[Session, date], Lines]]] = {
    "incubateurs": (n_("Incubators"), queries.incubators),
    "organisations": (n_("Sponsors"), queries.sponsors),
    "coachs": (n_("Coaches"), queries.coaches),
}
"""Each list by its address: its title and its query."""


def listed(visit: Visit, kind: str) -> Response[bytes]:
    """A list as a page."""
    title, read = KINDS[kind]
    return answer(
        visit, lambda s: render(visit, "dashboards/circles.html", found=read(s, visit.today), kind=kind, heading=_(title))
    )


def listed_file(visit: Visit, kind: str, ending: str) -> Response[bytes]:
    """The same as a file."""
    title, read = KINDS[kind]
    with visit.site.database.read() as session:
        table = queries.lines_table(_(title), read(session, visit.today))
    return table_answer(visit, table, ending)


def shown(visit: Visit, read: Callable[[Session], Circle]) -> Response[bytes]:
    """One of them."""
    return answer(
        visit, lambda s: render(visit, "dashboards/circle.html", circle=read(s), today=visit.today, kinds=KINDS, **LABELS)
    )


@get("/incubateurs", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def incubators(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Which incubators, with how many products?"""
    return listed(visit, "incubateurs")


@get("/organisations", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def organisations(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Who sponsors how many products?"""
    return listed(visit, "organisations")


@get("/coachs", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def coaches(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Who coaches how many products?"""
    return listed(visit, "coachs")


# One handler for each address: Litestar 2.25 wraps a sync handler once for each of its paths.
@get("/incubateurs.csv", permission=Permission.READ, sync_to_thread=True)
def incubators_csv(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The incubators as CSV."""
    return listed_file(visit, "incubateurs", "csv")


@get("/incubateurs.ods", permission=Permission.READ, sync_to_thread=True)
def incubators_ods(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The incubators as ODS."""
    return listed_file(visit, "incubateurs", "ods")


@get("/organisations.csv", permission=Permission.READ, sync_to_thread=True)
def organisations_csv(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The sponsors as CSV."""
    return listed_file(visit, "organisations", "csv")


@get("/organisations.ods", permission=Permission.READ, sync_to_thread=True)
def organisations_ods(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The sponsors as ODS."""
    return listed_file(visit, "organisations", "ods")


@get("/coachs.csv", permission=Permission.READ, sync_to_thread=True)
def coaches_csv(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The coaches as CSV."""
    return listed_file(visit, "coachs", "csv")


@get("/coachs.ods", permission=Permission.READ, sync_to_thread=True)
def coaches_ods(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The coaches as ODS."""
    return listed_file(visit, "coachs", "ods")


@get("/incubateurs/{key:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def incubator(visit: NamedDependency[Visit], key: FromPath[str]) -> Response[bytes]:
    """How are an incubator's products?"""
    return shown(visit, lambda s: queries.incubator(s, key, visit.today))


@get("/organisations/{key:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def organisation(visit: NamedDependency[Visit], key: FromPath[str]) -> Response[bytes]:
    """How are the products that an organisation sponsors?"""
    return shown(visit, lambda s: queries.sponsor(s, key, visit.today))


@get("/coachs/{person:int}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def coach(visit: NamedDependency[Visit], person: FromPath[int]) -> Response[bytes]:
    """How much is on a coach's hands, and what comes next?"""
    return shown(visit, lambda s: queries.coach(s, person, visit.today))


routes = [
    incubators,
    organisations,
    coaches,
    incubators_csv,
    incubators_ods,
    organisations_csv,
    organisations_ods,
    coaches_csv,
    coaches_ods,
    incubator,
    organisation,
    coach,
]
