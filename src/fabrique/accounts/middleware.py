"""Who is asking? Prepares each request's visit, answers 304 where nothing changed, and refuses forms sent from elsewhere."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import sqlalchemy as sa
from litestar.concurrency import sync_to_thread
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.middleware import ASGIMiddleware

from fabrique.accounts import actions, queries
from fabrique.accounts.rules import FOR_PROGRAMS, Permission, Person, TokenScope, may
from fabrique.clock import today
from fabrique.database import SiteVersion
from fabrique.language import current, n_
from fabrique.web.rendering import FRESH
from fabrique.web.visit import SCHEMES, Site, Visit, chosen_language, csrf_token, visit_of

if TYPE_CHECKING:
    from datetime import datetime

    from litestar.handlers import BaseRouteHandler
    from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

    from fabrique.web.visit import AnyConnection, AnyRequest

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
SITE_VERSION = sa.select(SiteVersion.version)
TOUCH_EVERY = timedelta(minutes=1)
"""A session's last visit is written at most this often."""


def session_cookie(site: Site) -> str:
    """The cookie's name: bound to this host by the browser itself where HTTPS allows it."""
    return "__Host-session" if site.settings.secure else "session"


class Visits(ASGIMiddleware):
    """Puts the visit in the request's state."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "no_visit"

    def __init__(self, site: Site) -> None:
        self.site = site

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Prepare the visit, then answer 304 or go on."""
        visit = await sync_to_thread(prepared, self.site, scope)
        scope["state"]["visit"] = visit
        current.set(visit.language)
        if unchanged(visit, cast("HTTPScope", scope)):
            headers = {"ETag": visit.etag, **FRESH}
            raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": 304, "headers": raw})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        await next_app(scope, receive, send)


def prepared(site: Site, scope: Scope) -> Visit:
    """The visit of a request, with its person when the session is alive."""
    visit, token = anonymous(site, scope)
    now = site.clock.now()
    if bearer := bearer_of(scope):
        return with_bearer(visit, bearer, now)
    idle = timedelta(minutes=site.settings.session_idle_minutes)
    with site.database.read() as session:
        visit.version = session.scalar(SITE_VERSION) or 0
        known = queries.signed_in(session, token, now, idle) if token else None
    if known is None:
        return visit
    visit.visitor, visit.session_token, visit.csrf_token = known.person, token, csrf_token(known.csrf_key)
    if now - known.last_seen_at > TOUCH_EVERY:
        with site.database.write(visible=False) as session:
            actions.touch_session(session, token, now)
    return visit


def bearer_of(scope: Scope) -> str:
    """The token that a program brings; empty for a browser."""
    kind, _space, token = Headers.from_scope(scope).get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def with_bearer(visit: Visit, token: str, now: datetime) -> Visit:
    """The visit of a program: in nobody's session, whatever cookie comes along."""
    with visit.site.database.read() as session:
        visit.visitor = queries.token_bearer(session, token, now)
    if visit.visitor is not None:
        with visit.site.database.write(visible=False) as session:
            actions.touch_token(session, token, now)
    return visit


def anonymous(site: Site, scope: Scope) -> tuple[Visit, str]:
    """What a request says by itself, and the session token it brings."""
    headers = Headers.from_scope(scope)
    cookies = dict(part.strip().split("=", 1) for part in headers.get("cookie", "").split(";") if "=" in part)
    scheme = cookies.get("scheme", "system")
    visit = Visit(
        site=site,
        path=scope["path"],
        query=scope.get("query_string", b"").decode("latin-1"),
        language=chosen_language(cookies.get("language"), headers.get("accept-language", "")),
        scheme=scheme if scheme in SCHEMES else "system",
        today=today(site.clock),
        is_fragment="hx-request" in headers,
    )
    return visit, cookies.get(session_cookie(site), "")


def unchanged(visit: Visit, scope: HTTPScope) -> bool:
    """Whether the browser holds this very page already. Its ETag names the reader's session, so rights were decided then."""
    if scope["method"] not in {"GET", "HEAD"} or not scope["route_handler"].opt.get("revisitable"):
        return False
    return visit.etag in Headers.from_scope(scope).get("if-none-match", "")


def require_permission(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    """The guard of every route: the permission it names, decided in accounts.rules."""
    visit = visit_of(connection)
    person = visit.visitor if visit and isinstance(visit.visitor, Person) else None
    # Litestar answers OPTIONS itself, with a route of its own; every other names a permission, or the app does not start.
    permission = handler.opt.get("permission", Permission.PUBLIC)
    if permission in FOR_PROGRAMS or (person is not None and person.scopes):
        require_scope(person, permission, handler.opt.get("scope"))
        return
    if not may(person, permission):
        if person is None and permission is not Permission.PUBLIC and cast("HTTPScope", connection.scope)["method"] == "GET":
            raise SignInFirst
        raise PermissionDeniedException


def require_scope(person: Person | None, permission: Permission, scope: TokenScope | None) -> None:
    """The guard of programs: a live token with the route's scope, and no page at all. What is read, a session opens as well."""
    if person is not None and not person.scopes and permission is Permission.READ_API:
        return
    if person is None or not person.scopes:
        raise NotAuthorizedException(n_("a valid token is needed: Authorization: Bearer …"))
    wanted = TokenScope.READ if permission is Permission.READ_API else scope
    if permission not in FOR_PROGRAMS or wanted not in person.scopes:
        raise PermissionDeniedException(n_("the token does not have the scope that this address needs"))


class SignInFirst(PermissionDeniedException):
    """Nobody is signed in; the page needs somebody."""


async def require_own_form(connection: AnyConnection, _: BaseRouteHandler) -> None:
    """The guard against forms sent from elsewhere: the browser's word for where it comes from, and the session's token."""
    if cast("HTTPScope", connection.scope)["method"] in SAFE_METHODS:
        return
    if bearer_of(connection.scope):
        return  # nothing that a browser would send along by itself
    if not same_origin(connection.headers):
        raise PermissionDeniedException(n_("the form was not sent from this site"))
    visit = visit_of(connection)
    if visit is None or visit.visitor is None:
        return
    request = cast("AnyRequest", connection)  # the guards of HTTP routes are given the request
    given = request.headers.get("x-csrf-token") or str((await request.form()).get("_csrf", ""))
    if not hmac.compare_digest(given.encode(), visit.csrf_token.encode()):
        raise PermissionDeniedException(n_("the form is out of date"))


def same_origin(headers: Headers) -> bool:
    """Whether a browser says that the request comes from our own page. Every browser sends one of the two on a POST."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == headers.get("host", "")
