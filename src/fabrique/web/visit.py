"""One request as the pages see it: who, in which language and theme, and the version of what they look at."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from litestar.connection import ASGIConnection, Request
    from sqlalchemy.orm import Session

    from fabrique.clock import Clock
    from fabrique.database import Database
    from fabrique.settings import Settings
    from fabrique.web.statics import Statics

PAGING = frozenset({"page", "par_page"})
SCHEMES = ("system", "light", "dark")
NONCE_MARK = "%%NONCE%%"
"""Stands in cached bodies where each answer's own nonce goes."""


if TYPE_CHECKING:
    # Litestar's connections are generic in a user, an auth and a state that fabrique does not use.
    AnyConnection = ASGIConnection[Any, Any, Any, Any]
    AnyRequest = Request[Any, Any, Any]


class Visitor(Protocol):
    """What the layout shows of the person signed in."""

    @property
    def id(self) -> int:
        """The person's id."""

    @property
    def name(self) -> str:
        """The person's name."""

    @property
    def role_label(self) -> str:
        """The msgid of their role."""


class BodyCache:
    """The latest page bodies by ETag, bounded in bytes. A write moves the version on, so old bodies simply fall out."""

    def __init__(self, limit: int = 24_000_000) -> None:
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._limit = limit
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        """The body kept under that key."""
        with self._lock:
            if (body := self._bodies.get(key)) is not None:
                self._bodies.move_to_end(key)
            return body

    def put(self, key: str, body: bytes) -> None:
        """Keep a body; let the oldest go."""
        with self._lock:
            if key in self._bodies:
                return
            self._bodies[key] = body
            self._size += len(body)
            while self._size > self._limit:
                _key, old = self._bodies.popitem(last=False)
                self._size -= len(old)


@dataclass(frozen=True, slots=True)
class Site:
    """What every request of one process shares."""

    settings: Settings
    database: Database
    clock: Clock
    statics: Statics
    demonstration: bool = False
    bodies: BodyCache = field(default_factory=BodyCache)


class Visit:
    """One request. (A plain class: Litestar would take a dataclass apart to validate it.)"""

    __slots__ = (
        "csrf_token", "is_fragment", "language", "nonce", "path", "query", "scheme", "session_token", "site", "today",
        "version", "visitor",
    )  # fmt: skip

    def __init__(self, site: Site, path: str, query: str, *, language: str, scheme: str, today: date, is_fragment: bool) -> None:
        self.site = site
        self.path = path
        self.query = query
        self.language = language
        self.scheme = scheme
        self.today = today
        self.is_fragment = is_fragment
        self.nonce = secrets.token_urlsafe(16)
        self.visitor: Visitor | None = None
        self.session_token = ""
        self.csrf_token = ""
        self.version = 0

    @property
    def address(self) -> str:
        """Path and query, to come back to."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def filters(self) -> str:
        """The query without what only says which part of a list is on screen."""
        return urlencode([(name, value) for name, value in parse_qsl(self.query) if name not in PAGING])

    @property
    def etag(self) -> str:
        """Names everything that the page depends on: the site's version, the program, the reader, the address, the date."""
        parts = (
            self.version,
            self.site.statics.digest,
            self.address,
            self.language,
            self.scheme,
            self.site.settings.theme,
            self.today,
            self.csrf_token,
            self.is_fragment,
        )
        return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'

    def static(self, name: str) -> str:
        """The address of a static file, which changes with its content."""
        return self.site.statics.address(name)

    def page(self, make: Callable[[Session], str]) -> bytes:
        """The page's body: from the cache where nothing changed since it was made, else made from one read of the database."""
        body = self.site.bodies.get(self.etag)
        if body is None:
            with self.site.database.read() as session:
                body = make(session).encode()
            self.site.bodies.put(self.etag, body)
        return body.replace(NONCE_MARK.encode(), self.nonce.encode())


def csrf_token(key: str) -> str:
    """The token that a session's forms carry."""
    return hmac.new(key.encode(), b"form", hashlib.sha256).hexdigest()


def visit_of(connection: AnyConnection) -> Visit | None:
    """The visit that the middleware prepared, None before it ran."""
    visit = connection.scope.get("state", {}).get("visit")
    return visit if isinstance(visit, Visit) else None


def chosen_language(cookie: str | None, accept: str) -> str:
    """The cookie's language, else the first of the browser's that we speak, else French."""
    if cookie in {"fr", "en"}:
        return cookie
    for part in accept.lower().split(","):
        code = part.split(";")[0].strip()[:2]
        if code in {"fr", "en"}:
            return code
    return "fr"


def local_address(address: str) -> str:
    """The address when it stays on this site, else the front page: nobody is sent elsewhere by a link of ours."""
    if address.startswith("/") and not address.startswith(("//", "/\\")) and not any(ord(c) < 32 for c in address):  # noqa: PLR2004
        return address
    return "/"
