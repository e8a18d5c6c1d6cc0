"""The programme's missions and stakes."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fabrique.accounts.rules import Permission
from fabrique.dashboards.queries import programme as queries
from fabrique.web.exports import table_answer
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit


@get("/programme", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def programme(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Which missions and stakes are served, by what, with what effect?"""
    return answer(visit, lambda s: render(visit, "dashboards/programme.html", page=queries.programme(s, visit.today)))


@get("/programme.csv", permission=Permission.READ, sync_to_thread=True)
def programme_csv(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The same as CSV."""
    return programme_file(visit, "csv")


# Not one handler for both addresses: Litestar 2.25 wraps a sync handler once for each of its paths.
@get("/programme.ods", permission=Permission.READ, sync_to_thread=True)
def programme_ods(visit: NamedDependency[Visit]) -> Response[bytes]:
    """The same as ODS."""
    return programme_file(visit, "ods")


def programme_file(visit: Visit, kind: str) -> Response[bytes]:
    """The page's table as a file."""
    with visit.site.database.read() as session:
        table = queries.programme_table(queries.programme(session, visit.today))
    return table_answer(visit, table, kind)


@get("/programme/enjeux/{key:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def stake(visit: NamedDependency[Visit], key: FromPath[str]) -> Response[bytes]:
    """What moved for this stake?"""
    return answer(visit, lambda s: render(visit, "dashboards/stake.html", page=queries.stake_page(s, visit.today, key)))


routes = [programme, programme_csv, programme_ods, stake]
