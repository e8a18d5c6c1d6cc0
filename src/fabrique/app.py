"""create_app(settings) → Litestar: the one file that knows everyone."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from litestar import Litestar, Request, Response, Router, get
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from fabrique.accounts import pages as accounts
from fabrique.accounts.middleware import SignInFirst, Visits, anonymous, require_own_form, require_permission
from fabrique.accounts.rules import Permission
from fabrique.clock import Clock, SystemClock
from fabrique.dashboards import pages as dashboards
from fabrique.database import Database
from fabrique.experiments import api as experiments_api
from fabrique.experiments import pages as experiments
from fabrique.help import openapi
from fabrique.help import pages as help_pages
from fabrique.portfolio import api as portfolio_api
from fabrique.portfolio import pages as portfolio
from fabrique.reviews import api as reviews_api
from fabrique.reviews import pages as reviews
from fabrique.web.errors import error_page
from fabrique.web.headers import secure
from fabrique.web.rendering import see_other
from fabrique.web.statics import Statics
from fabrique.web.visit import Site, Visit, visit_of

AnyRequest = Request[Any, Any, Any]

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from litestar.types import Message, Scope

    from fabrique.settings import Settings

log = logging.getLogger("fabrique")


class RouteWithoutPermission(RuntimeError):
    """A route does not say who may use it: the app does not start."""


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    clock: Clock | None = None,
    demonstration: bool = False,
    on_start: Callable[[Site], contextlib.AbstractContextManager[None]] | None = None,
) -> Litestar:
    """The site. `on_start` runs beside it (the worker's ticker under `fabrique serve`).

    Raises RouteWithoutPermission where a route names no permission.
    """
    site = Site(
        settings,
        database or Database(settings.resolved_database_url),
        clock or SystemClock(),
        Statics(),
        demonstration=demonstration,
    )

    @contextlib.asynccontextmanager
    async def beside(_app: Litestar) -> AsyncIterator[None]:
        with on_start(site) if on_start else contextlib.nullcontext():
            yield
        site.database.close()

    async def before_send(message: Message, scope: Scope) -> None:
        visit = scope.get("state", {}).get("visit")
        secure(message, visit if isinstance(visit, Visit) else None, settings)

    on_error = error_page(lambda request: anonymous(site, request.scope)[0])
    app = Litestar(
        [
            *accounts.routes,
            *(accounts.demonstration_routes if demonstration else []),
            # Routers: Litestar 2.25 wraps a sync handler twice when its path has a second handler that is registered later.
            Router("/", route_handlers=dashboards.routes),
            Router("/", route_handlers=portfolio.routes),
            Router("/", route_handlers=experiments.routes),
            Router("/", route_handlers=reviews.routes),
            Router(
                "/", route_handlers=[*portfolio_api.routes, *reviews_api.routes, *experiments_api.routes], include_in_schema=True
            ),
            *help_pages.routes,
            statics,
            favicon,
            alive,
            nowhere,
        ],
        dependencies={"visit": Provide(provide_visit, sync_to_thread=False)},
        guards=[require_permission, require_own_form],
        middleware=[Visits(site)],
        exception_handlers={SignInFirst: sign_in_first, HTTPException: on_error, Exception: on_error},
        before_send=[before_send],
        lifespan=[beside],
        # Pages are for people: only the routers of the API are described.
        include_in_schema=False,
        openapi_config=openapi.config(),
        logging_config=None,
        request_max_body_size=1_000_000,
    )
    app.state.site = site
    require_permissions(app)
    return app


def provide_visit(request: AnyRequest) -> Visit:
    """The visit that the middleware prepared."""
    visit = visit_of(request)
    assert visit is not None, "the middleware runs before every route that asks for a visit"
    return visit


def sign_in_first(request: AnyRequest, _error: SignInFirst) -> Response[None]:
    """To the sign-in page, and back afterwards."""

    visit = visit_of(request)
    address = quote(visit.address if visit else "/", safe="")
    if visit is not None and visit.is_fragment:
        return Response(None, status_code=204, headers={"HX-Redirect": f"/connexion?retour={address}"})
    return see_other(f"/connexion?retour={address}")


@get("/static/{digest:str}/{name:path}", permission=Permission.PUBLIC, sync_to_thread=False, no_visit=True)
def statics(request: AnyRequest, digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """Static files, under an address that changes with their content, to be kept for a year."""
    found = request.app.state.site.statics
    file = found.files.get(name.strip("/"))
    if file is None or digest != found.digest:
        raise NotFoundException
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if file.twin is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.twin, media_type=file.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.content, media_type=file.media_type, headers=headers)


@get("/favicon.ico", permission=Permission.PUBLIC, sync_to_thread=False, no_visit=True)
def favicon(request: AnyRequest) -> Response[bytes]:
    """The icon that browsers ask for without being told."""
    files = request.app.state.site.statics.files
    file = files.get("vendor/dsfr/favicon.ico") or files["favicon.svg"]
    return Response(file.content, media_type=file.media_type, headers={"Cache-Control": "public, max-age=86400"})


@get("/health", permission=Permission.PUBLIC, sync_to_thread=False, no_visit=True)
def alive() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@get("/{path:path}", permission=Permission.PUBLIC, sync_to_thread=False)
def nowhere(path: FromPath[str]) -> None:
    """Every other address: answered inside the middleware, so that the page knows its reader."""
    raise NotFoundException(path)


def require_permissions(app: Litestar) -> None:
    """Raise RouteWithoutPermission where a route names no permission."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", None) or [getattr(route, "route_handler", None)]:
            if not isinstance(getattr(handler, "opt", {}).get("permission"), Permission):
                if isinstance(handler, HTTPRouteHandler) and handler.http_methods == {"OPTIONS"}:
                    continue  # Litestar's own answer to preflight requests
                raise RouteWithoutPermission(f"{route.path} names no permission")
            if handler.opt["permission"] is Permission.READ_API and handler.http_methods != {"GET"}:
                raise RouteWithoutPermission(f"{route.path} is opened by a session without a form's token: for reading alone")
