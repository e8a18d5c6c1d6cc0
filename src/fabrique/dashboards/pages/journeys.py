"""Which way do products go, how long do they stay, what ends them?"""

from __future__ import annotations

import re

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from fabrique.accounts.rules import Permission
from fabrique.dashboards.pages.asked import LONGEST_SEARCH, one_of
from fabrique.dashboards.queries import journeys as queries
from fabrique.portfolio.rules import ACTIVE, STAGE_LABELS, Stage
from fabrique.web.durations import lasting
from fabrique.web.errors import not_there
from fabrique.web.exports import table_answer
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit

YEAR = re.compile("[0-9]{4}")
WORDS = {"stages": ACTIVE, "labels": STAGE_LABELS, "lasting": lasting}


@get("/produits/parcours", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def journeys(
    visit: NamedDependency[Visit], incubateur: FromQuery[str] = "", annee: FromQuery[str] = "", phase: FromQuery[str] = ""
) -> Response[bytes]:
    """The funnel, time in each stage, comparisons and ends of the products chosen."""
    choice = chosen(incubateur, annee, phase)
    return answer(
        visit,
        lambda s: render(visit, "dashboards/journeys.html", page=queries.journeys(s, visit.today, choice), **WORDS),
    )


@get("/produits/parcours/{file:str}", permission=Permission.READ, sync_to_thread=True)
def journeys_file(
    visit: NamedDependency[Visit],
    file: FromPath[str],
    incubateur: FromQuery[str] = "",
    annee: FromQuery[str] = "",
    phase: FromQuery[str] = "",
) -> Response[bytes]:
    """One of the page's tables, by the same filters: /produits/parcours/entonnoir.csv."""
    name, _dot, kind = file.rpartition(".")
    choice = chosen(incubateur, annee, phase)
    with visit.site.database.read() as session:
        table = queries.journeys_table(queries.journeys(session, visit.today, choice), name)
    return table_answer(visit, table, kind)


def chosen(incubator: str, year: str, stage: str) -> queries.Choice:
    """What the address asks for. Raises NotThere for a stage without time in it, or what is no year."""
    compared = one_of(Stage, stage) or Stage.INVESTIGATION
    if compared not in ACTIVE:
        raise not_there(stage)
    if year and not YEAR.fullmatch(year):
        raise not_there(year[:LONGEST_SEARCH])
    return queries.Choice(incubator[:LONGEST_SEARCH], int(year) if year else None, compared)


routes = [journeys, journeys_file]
