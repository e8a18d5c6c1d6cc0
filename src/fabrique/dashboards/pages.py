"""The pages that look across domains. Each parses, calls one query and renders."""

from __future__ import annotations

import csv
import io
import json
from typing import TypeVar

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from fabrique.accounts.rules import Permission
from fabrique.dashboards import queries
from fabrique.experiments.rules import CHOICE_SHORT, STATE_LABELS, VERDICT_LABELS
from fabrique.portfolio.rules import Stage
from fabrique.watch.rules import FlagState
from fabrique.web.errors import not_there
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit

Chosen = TypeVar("Chosen", Stage, FlagState)
TRIAL_LABELS = {"states": STATE_LABELS, "verdicts": VERDICT_LABELS, "short": CHOICE_SHORT}
LONGEST_SEARCH = 200
LARGEST_ID = 2**31 - 1
"""What the databases count with."""


@get("/", permission=Permission.PUBLIC, sync_to_thread=True)
def front(visit: NamedDependency[Visit]) -> Response[bytes] | Redirect:
    """Straight to work for who is signed in; else what this is."""
    if visit.visitor is not None:
        return see_other("/tableau-de-bord")
    return private_answer(visit, render(visit, "dashboards/front.html"))


@get("/tableau-de-bord", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def portfolio(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Is the programme making services better, and where must I look?"""
    return answer(visit, lambda s: render(visit, "dashboards/portfolio.html", page=queries.portfolio(s, visit.today)))


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
def series_csv(visit: NamedDependency[Visit], slug: FromPath[str], file: FromPath[str]) -> Response[bytes]:
    """The figures behind a chart, as a table for a spreadsheet."""
    metric = file.removesuffix(".csv")
    if metric == file:
        raise not_there(file)
    with visit.site.database.read() as session:
        page = queries.service(session, slug, visit.today)
    block = next((b for b in page.blocks if b.series.metric.key == metric and not b.series.segment), None)
    if block is None:
        raise not_there(metric)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["period", "label", "value", "answers", "centre", "lower", "upper", "signal"])
    table.writerows([p.period, p.label, p.value, p.weight, p.centre, p.lower, p.upper, p.kind] for p in block.chart.rows)
    headers = {"Content-Disposition": f'attachment; filename="{page.service.slug}-{block.series.metric.key}.csv"'}
    return Response(text.getvalue().encode("utf-8-sig"), media_type="text/csv", headers=headers)


@get("/produits", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def products(visit: NamedDependency[Visit], phase: FromQuery[str] = "", q: FromQuery[str] = "") -> Response[bytes]:
    """Which products are where?"""
    chosen = one_of(Stage, phase)
    search = q[:LONGEST_SEARCH].strip()
    return answer(
        visit,
        lambda s: render(visit, "dashboards/products.html", page=queries.products(s, visit.today, chosen, search), search=search),
    )


@get("/produits/{slug:str}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def product(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """How is this product?"""
    return answer(
        visit, lambda s: render(visit, "dashboards/product.html", page=queries.product(s, slug, visit.today), **TRIAL_LABELS)
    )


@get("/signalements", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def flags(visit: NamedDependency[Visit], etat: FromQuery[str] = "raised", sens: FromQuery[str] = "") -> Response[bytes]:
    """What moved?"""
    state = one_of(FlagState, "" if etat == "all" else etat)
    direction = sens if sens in {"improvement", "regression"} else None
    return answer(visit, lambda s: render(visit, "dashboards/flags.html", page=queries.flags(s, state, direction)))


@get("/signalements/{flag_id:int}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def flag(visit: NamedDependency[Visit], flag_id: FromPath[int]) -> Response[bytes]:
    """What moved here, and what was going on?"""
    if flag_id > LARGEST_ID:
        raise not_there(str(flag_id))
    return answer(visit, lambda s: render(visit, "dashboards/flag.html", page=queries.flag(s, flag_id)))


@get("/signalements/{flag_id:int}/calcul.json", permission=Permission.READ, sync_to_thread=True)
def flag_sheet(visit: NamedDependency[Visit], flag_id: FromPath[int]) -> Response[bytes]:
    """The calculation behind a flag, for whoever wants to do it again."""
    if flag_id > LARGEST_ID:
        raise not_there(str(flag_id))
    with visit.site.database.read() as session:
        found = queries.flag_sheet(session, flag_id)
    headers = {"Content-Disposition": f'attachment; filename="signalement-{flag_id}.json"'}
    return Response(json.dumps(found, indent=1, ensure_ascii=False).encode(), media_type="application/json", headers=headers)


@get("/veille", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def watch(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Is the watch itself well?"""
    return answer(visit, lambda s: render(visit, "dashboards/watch.html", page=queries.watch_page(s)))


def one_of(kind: type[Chosen], text: str) -> Chosen | None:
    """The member of that value; None for no text. Raises NotThere for another."""
    if not text:
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise not_there(text) from error


routes = [front, portfolio, services, service, series_csv, products, product, flags, flag, flag_sheet, watch]
