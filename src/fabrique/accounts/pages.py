"""Signing in and out, and choosing a language or a colour scheme."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery
from litestar.response import Redirect

from fabrique.accounts import actions, queries
from fabrique.accounts.middleware import session_cookie
from fabrique.accounts.rules import Permission
from fabrique.language import LANGUAGES
from fabrique.web.errors import not_there
from fabrique.web.rendering import private_answer, render, see_other
from fabrique.web.visit import SCHEMES, Visit, local_address

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
YEAR = 365 * 24 * 3600


@get("/connexion", permission=Permission.PUBLIC, sync_to_thread=True)
def sign_in_page(visit: NamedDependency[Visit], retour: FromQuery[str] = "/") -> Response[bytes]:
    """Where one signs in."""
    people = []
    if visit.site.demonstration:
        with visit.site.database.read() as session:
            people = queries.personas(session)
    return private_answer(visit, render(visit, "accounts/sign_in.html", people=people, back=local_address(retour)))


@post("/connexion/persona", permission=Permission.PUBLIC, sync_to_thread=True)
def sign_in_as_persona(visit: NamedDependency[Visit], data: Form) -> Redirect:
    """Sign in as one of the demonstration's people; the route exists in the demonstration only."""
    person_id = data.get("person", "")
    if not person_id.isdecimal() or len(person_id) > 9:  # noqa: PLR2004 - an id, not an essay
        raise not_there(person_id)
    with visit.site.database.write(visible=False) as session:
        made = actions.sign_in_as_persona(session, int(person_id), visit.site.clock.now(), lifetime(visit))
    return signed_in(visit, made, data.get("back", "/"))


@get("/connexion/lien/{token:str}", permission=Permission.PUBLIC, sync_to_thread=True)
def sign_in_link_page(visit: NamedDependency[Visit], token: FromPath[str]) -> Response[bytes]:
    """A one-time link: a button uses it, so that a mail scanner that follows links does not."""
    with visit.site.database.read() as session:
        usable = queries.link_is_open(session, token, visit.site.clock.now())
    return private_answer(visit, render(visit, "accounts/link.html", token=token, usable=usable))


@post("/connexion/lien", permission=Permission.PUBLIC, sync_to_thread=True)
def sign_in_by_link(visit: NamedDependency[Visit], data: Form) -> Redirect:
    """Use a one-time link."""
    with visit.site.database.write(visible=False) as session:
        made = actions.sign_in_by_link(session, data.get("token", ""), visit.site.clock.now(), lifetime(visit))
    return signed_in(visit, made, "/")


@post("/deconnexion", permission=Permission.PUBLIC, sync_to_thread=True)
def sign_out(visit: NamedDependency[Visit]) -> Redirect:
    """End the session, here and in the database. Who was signed out already is sent home all the same."""
    with visit.site.database.write(visible=False) as session:
        actions.close_session(session, visit.session_token, visit.site.clock.now())
    answer = see_other("/")
    answer.delete_cookie(session_cookie(visit.site))
    return answer


@get("/langue/{code:str}", permission=Permission.PUBLIC, sync_to_thread=False)
def choose_language(visit: NamedDependency[Visit], code: FromPath[str], retour: FromQuery[str] = "/") -> Redirect:
    """Keep the reader's language."""
    return with_preference(visit, "language", code, LANGUAGES, retour)


@get("/affichage/{code:str}", permission=Permission.PUBLIC, sync_to_thread=False)
def choose_scheme(visit: NamedDependency[Visit], code: FromPath[str], retour: FromQuery[str] = "/") -> Redirect:
    """Keep the reader's colour scheme."""
    return with_preference(visit, "scheme", code, SCHEMES, retour)


def with_preference(visit: Visit, name: str, value: str, allowed: tuple[str, ...], back: str) -> Redirect:
    """A redirect that sets a preference cookie."""
    if value not in allowed:
        raise not_there(value)
    answer = see_other(local_address(back))
    answer.set_cookie(Cookie(key=name, value=value, max_age=YEAR, samesite="lax", secure=visit.site.settings.secure, path="/"))
    return answer


def lifetime(visit: Visit) -> timedelta:
    """How long a session lasts."""
    return timedelta(hours=visit.site.settings.session_hours)


def signed_in(visit: Visit, made: actions.NewSession, back: str) -> Redirect:
    """Send the person on with their session's cookie."""
    answer = see_other(local_address(back))
    answer.set_cookie(
        Cookie(
            key=session_cookie(visit.site),
            value=made.token,
            max_age=int(lifetime(visit).total_seconds()),
            httponly=True,
            samesite="lax",
            secure=visit.site.settings.secure,
            path="/",
        )
    )
    return answer


routes = [sign_in_page, sign_in_link_page, sign_in_by_link, sign_out, choose_language, choose_scheme]
demonstration_routes = [sign_in_as_persona]
