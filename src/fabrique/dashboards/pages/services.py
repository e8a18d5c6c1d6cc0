"""Every public service, one of them, and its figures as a table."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from fabrique.accounts.rules import Permission
from fabrique.dashboards import queries
from fabrique.dashboards.pages.asked import LONGEST_SEARCH
from fabrique.tables.cells import Table
from fabrique.web.errors import not_there
from fabrique.web.exports import table_answer
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit


@get("/services", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def services(
    visit: NamedDependency[Visit],
    q: FromQuery[str] = "",
    tri: FromQuery[str] = "regressions",
    signales: FromQuery[bool] = False,
    page: FromQuery[int] = 1,
    par_page: FromQuery[int] = 50,
) -> Response[bytes]:
    """How good are public services?"""
    choice = queries.Choice(q[:LONGEST_SEARCH].strip(), tri, signales, page, min(max(par_page, 1), 1000))
    template = "dashboards/_services_results.html" if visit.is_fragment else "dashboards/services.html"
    return answer(visit, lambda s: render(visit, template, page=queries.services(s, choice), choice=choice))


@get("/services/{slug:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def service(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """What do users say of this one, and what changed?"""
    return answer(visit, lambda s: render(visit, "dashboards/service.html", page=queries.service(s, slug, visit.today)))


@get("/services/{slug:str}/{file:str}", permission=Permission.READ, sync_to_thread=True)
def series_file(visit: NamedDependency[Visit], slug: FromPath[str], file: FromPath[str]) -> Response[bytes]:
    """The figures behind a chart, as a table for a spreadsheet."""
    metric, _dot, kind = file.rpartition(".")
    with visit.site.database.read() as session:
        page = queries.service(session, slug, visit.today)
    block = next((b for b in page.blocks if b.series.metric.key == metric and not b.series.segment), None)
    if block is None:
        raise not_there(file)
    columns = ("period", "label", "value", "answers", "centre", "lower", "upper", "signal")
    rows = [(p.period, p.label, p.value, p.weight, p.centre, p.lower, p.upper, p.kind) for p in block.chart.rows]
    return table_answer(visit, Table(f"{page.service.slug}-{metric}", columns, rows), kind)


routes = [services, service, series_file]
