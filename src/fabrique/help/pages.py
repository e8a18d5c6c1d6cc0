"""Help pages: what programs can ask, for whoever writes them."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from fabrique.accounts.rules import Permission
from fabrique.help.openapi import document
from fabrique.help.reference import reference
from fabrique.web.rendering import private_answer, render
from fabrique.web.visit import Visit


@get("/aide/api", permission=Permission.PUBLIC, sync_to_thread=True)
def api(visit: NamedDependency[Visit], request: Request[Any, Any, Any]) -> Response[bytes]:
    """What can a program ask, and how?"""
    site = visit.site.settings.public_url or str(request.base_url)
    page = reference(document(request.app), site)
    return private_answer(visit, render(visit, "help/api.html", page=page))


routes = [api]
