"""What moved, and the calculation behind it."""

from __future__ import annotations

import json

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from fabrique.accounts.rules import Permission
from fabrique.dashboards import queries
from fabrique.dashboards.pages.asked import one_of
from fabrique.watch.rules import FlagState
from fabrique.web.errors import not_there
from fabrique.web.rendering import answer, render
from fabrique.web.visit import Visit

LARGEST_ID = 2**31 - 1
"""What the databases count with."""


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


routes = [flags, flag, flag_sheet]
