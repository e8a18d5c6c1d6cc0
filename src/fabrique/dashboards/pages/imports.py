"""What came in and what it changed; one product's history."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fabrique.accounts.rules import Permission
from fabrique.dashboards.queries import imports as queries
from fabrique.portfolio.rules import ORIGIN_LABELS
from fabrique.web.errors import not_there
from fabrique.web.exports import table_answer
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit

LARGEST_ID = 2**31 - 1


@get("/imports", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def imports(visit: NamedDependency[Visit]) -> Response[bytes]:
    """What came in, when, from whom?"""
    return answer(visit, lambda s: render(visit, "dashboards/imports.html", lines=queries.imports(s), shown=queries.SHOWN))


@get("/imports/{batch_id:int}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def one_import(visit: NamedDependency[Visit], batch_id: FromPath[int]) -> Response[bytes]:
    """What did this import change, put right, refuse?"""
    if batch_id > LARGEST_ID:
        raise not_there(str(batch_id))
    return answer(
        visit, lambda s: render(visit, "dashboards/import.html", page=queries.import_page(s, batch_id), shown=queries.SHOWN)
    )


@get("/imports/{batch_id:int}/{file:str}", permission=Permission.READ, sync_to_thread=True)
def import_lines(visit: NamedDependency[Visit], batch_id: FromPath[int], file: FromPath[str]) -> Response[bytes]:
    """The repairs or refusals as a table for a spreadsheet."""
    name, _dot, kind = file.rpartition(".")
    if batch_id > LARGEST_ID:
        raise not_there(str(batch_id))
    with visit.site.database.read() as session:
        table = queries.lines_table(queries.import_page(session, batch_id), name)
    return table_answer(visit, table, kind)


@get("/produits/{slug:str}/historique", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def history(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """Who changed what of this product, when, and why?"""
    return answer(
        visit,
        lambda s: render(
            visit, "dashboards/history.html", page=queries.history_page(s, slug), origins=ORIGIN_LABELS, shown=queries.SHOWN
        ),
    )


routes = [imports, one_import, import_lines, history]
