"""The web's foundation: permissions, headers, sessions, forms, errors, revalidation."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from litestar import Litestar, get

from fabrique.accounts import actions as accounts
from fabrique.accounts.rules import GRANTS, Permission, Role, may
from fabrique.app import RouteWithoutPermission, create_app, require_permissions
from fabrique.settings import Settings
from factories import add_service, client, dropping, proportions, record, sign_in

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database

PAGES = ["/tableau-de-bord", "/services", "/produits", "/signalements", "/veille"]


def test_the_app_does_not_start_when_a_route_names_no_permission() -> None:
    @get("/oubli", sync_to_thread=False)
    def forgotten() -> str:
        return ""

    with pytest.raises(RouteWithoutPermission, match="/oubli"):
        require_permissions(Litestar([forgotten], openapi_config=None))


def test_every_permission_is_granted_to_somebody() -> None:
    assert {Permission.PUBLIC, *GRANTS} == set(Permission)
    assert all(roles <= set(Role) for roles in GRANTS.values())
    assert not may(None, Permission.READ)


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_sent_to_the_sign_in_page_and_back(page: str, sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        answer = browser.get(f"{page}?q=a%20b", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/connexion?retour=%2F{page[1:]}%3Fq%3Da%2520b"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_page_answers_when_there_is_nothing_yet(page: str, language: str, database: Database, clock: FixedClock) -> None:
    with client(database, clock) as browser:
        sign_in(browser, database, clock)
        browser.cookies.set("language", language)
        answer = browser.get(page)
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text


def test_a_page_carries_a_policy_whose_nonce_is_the_one_of_its_scripts(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        first, second = browser.get("/services"), browser.get("/services")
    nonces = []
    for answer in (first, second):
        (nonce,) = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert f"'nonce-{nonce}' 'strict-dynamic'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        nonces.append(nonce)
    assert nonces[0] != nonces[1]


def test_an_unchanged_page_is_answered_304_without_a_policy_that_would_break_the_one_kept(
    sqlite: Database, clock: FixedClock
) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        tag = browser.get("/services").headers["etag"]
        again = browser.get("/services", headers={"if-none-match": tag})
        assert again.status_code == 304
        assert again.content == b""
        assert "content-security-policy" not in again.headers
        add_service(sqlite, "nouveau", "Nouveau service")
        changed = browser.get("/services", headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert "Nouveau service" in changed.text


def test_what_one_reader_sees_is_never_answered_304_to_another(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        tag = browser.get("/services").headers["etag"]
    with client(sqlite, clock) as stranger:
        assert stranger.get("/services", headers={"if-none-match": tag}, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/nulle-part", 404),
        ("/services/absent", 404),
        ("/signalements/7", 404),
        ("/services?page=abc", 422),
        ("/produits?phase=x", 404),
    ],
)
def test_errors_are_pages_in_the_readers_language(
    address: str, status: int, language: str, sqlite: Database, clock: FixedClock
) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        browser.cookies.set("language", language)
        answer = browser.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert f'<html lang="{language}"' in answer.text
    assert ("Accueil" if language == "fr" else "Home") in answer.text


def test_a_fault_of_ours_is_a_page_without_its_trace(
    sqlite: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("fabrique.dashboards.queries.watch_page", broken)
    app = create_app(Settings(), database=sqlite, clock=clock)
    from litestar.testing import TestClient  # noqa: PLC0415

    with TestClient(app, raise_server_exceptions=False, base_url="http://fabrique.test") as browser:
        browser.headers["sec-fetch-site"] = "same-origin"
        sign_in(browser, sqlite, clock)
        answer = browser.get("/veille")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "<html" in answer.text


def test_a_database_that_does_not_answer_is_a_503_that_names_no_address(database: Database, clock: FixedClock) -> None:
    with client(database, clock) as browser:
        with database.write() as session:
            session.execute(sa.text("DROP TABLE auth_session"))
        browser.cookies.set("session", "x")
        answer = browser.get("/services")
    assert answer.status_code in {500, 503}
    assert str(database.url) not in answer.text


def test_a_form_from_another_site_is_refused(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        token = re.search(r'name="_csrf" value="(\w+)"', browser.get("/services").text)[1]  # type: ignore[index]
        for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "none"}):
            assert browser.post("/deconnexion", data={"_csrf": token}, headers=headers).status_code == 403
        assert browser.post("/deconnexion", data={"_csrf": "0" * 64}).status_code == 403
        assert browser.post("/deconnexion", data={}).status_code == 403
        assert browser.get("/services").status_code == 200
        assert browser.post("/deconnexion", data={"_csrf": token}, follow_redirects=False).status_code == 303
        assert browser.get("/services", follow_redirects=False).status_code == 303


def test_without_the_browsers_word_the_origin_decides(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        del browser.headers["sec-fetch-site"]
        for origin, status in ((None, 403), ("http://evil.test", 403), ("null", 403), ("http://fabrique.test", 422)):
            headers = {"origin": origin} if origin else {}
            assert browser.post("/connexion/lien", data={"token": "x"}, headers=headers).status_code == status


def test_a_sign_in_link_works_once_and_a_look_at_it_does_not_use_it(database: Database, clock: FixedClock) -> None:
    with database.write() as session:
        token = accounts.invite(session, "anne@exemple.fr", "Anne", "coach", clock.now())
    with client(database, clock) as browser:
        assert browser.get(f"/connexion/lien/{token}").status_code == 200
        assert browser.post("/connexion/lien", data={"token": token}, follow_redirects=False).status_code == 303
    with client(database, clock) as other:
        again = other.post("/connexion/lien", data={"token": token}, follow_redirects=False)
        assert again.status_code == 422
        assert "session" not in other.cookies


def test_an_old_sign_in_link_is_refused(sqlite: Database, clock: FixedClock) -> None:
    with sqlite.write() as session:
        token = accounts.invite(session, "anne@exemple.fr", "Anne", "coach", clock.now())
    clock.advance(timedelta(hours=25))
    with client(sqlite, clock) as browser:
        assert browser.post("/connexion/lien", data={"token": token}).status_code == 422


def test_a_session_ends_when_idle_and_ends_anyway(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock, session_idle_minutes=30, session_hours=2) as browser:
        sign_in(browser, sqlite, clock)
        for _ in range(3):
            clock.advance(timedelta(minutes=29))
            assert browser.get("/services", follow_redirects=False).status_code == 200
        clock.advance(timedelta(minutes=31))
        assert browser.get("/services", follow_redirects=False).status_code == 303
    with client(sqlite, clock, session_idle_minutes=600, session_hours=2) as browser:
        sign_in(browser, sqlite, clock, Role.COACH)
        clock.advance(timedelta(hours=2, minutes=1))
        assert browser.get("/services", follow_redirects=False).status_code == 303


def test_a_session_chosen_by_somebody_else_is_not_taken_over_at_sign_in(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        browser.cookies.set("session", "chosen-by-an-attacker")
        sign_in(browser, sqlite, clock)
        assert "chosen-by-an-attacker" not in [cookie.value for cookie in browser.cookies.jar if cookie.domain]


def test_personas_exist_in_the_demonstration_only(sqlite: Database, clock: FixedClock) -> None:
    with sqlite.write() as session:
        accounts.ensure_persona(session, "p@exemple.invalid", "Persona", Role.COACH, [], clock.now())
    with client(sqlite, clock) as browser:
        assert "Persona" not in browser.get("/connexion").text
        assert browser.post("/connexion/persona", data={"person": "1"}).status_code in {404, 405}
    with client(sqlite, clock, demonstration=True) as browser:
        assert "Persona" in browser.get("/connexion").text
        assert browser.post("/connexion/persona", data={"person": "1"}, follow_redirects=False).status_code == 303


def test_a_real_person_is_not_entered_through_the_demonstration(sqlite: Database, clock: FixedClock) -> None:
    with sqlite.write() as session:
        accounts.invite(session, "anne@exemple.fr", "Anne", "coach", clock.now())
    with client(sqlite, clock, demonstration=True) as browser:
        assert browser.post("/connexion/persona", data={"person": "1"}, follow_redirects=False).status_code == 422


@pytest.mark.parametrize(
    "back", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/a\r\nSet-Cookie: x=1"]
)
def test_a_preference_sends_nobody_elsewhere(back: str, sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        answer = browser.get("/langue/en", params={"retour": back}, follow_redirects=False)
    assert answer.headers["location"] == "/"
    assert "x" not in browser.cookies


def test_cookies_are_bound_to_the_host_when_people_come_by_https(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock, public_url="https://fabrique.test") as browser:
        with sqlite.write() as session:
            token = accounts.invite(session, "anne@exemple.fr", "Anne", "coach", clock.now())
        answer = browser.post("/connexion/lien", data={"token": token}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-session=")
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))
    assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_static_files_are_kept_for_a_year_compressed_and_without_a_cookie(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        address = re.search(r'href="(/static/\w+/app\.css)"', browser.get("/").text)[1]  # type: ignore[index]
        answer = browser.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert "set-cookie" not in answer.headers
        assert ".fab-tile" in answer.text
        for bad in (
            "/static/x/app.css",
            "/static/../settings.py",
            f"{address}/../../settings.py",
            "/static/0/%2e%2e/settings.py",
        ):
            assert browser.get(bad).status_code == 404


def test_markup_in_a_name_is_shown_as_text(sqlite: Database, clock: FixedClock) -> None:
    service = add_service(sqlite, "piege", '<script>alert("é")</script> {{ 7*7 }}')
    record(sqlite, clock, proportions(service, dropping()))
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        for page in ("/services", "/services/piege"):
            text = browser.get(page).text
            assert "<script>alert" not in text
            assert "&lt;script&gt;" in text
            assert "{{ 7*7 }}" in text
