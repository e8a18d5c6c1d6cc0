"""Beginning an investigation from its form: what was typed is never lost, and who begins it works on it."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts.model import AuditRow, MembershipRow
from fabrique.accounts.rules import Role
from fabrique.portfolio import queries
from fabrique.portfolio.actions import put_incubator
from fabrique.portfolio.model import ProductRow
from fabrique.portfolio.rules import Stage, Stay
from fabrique.portfolio.sheet import Incubator
from factories import client, sign_in, sign_in_as
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx import Response
    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.portfolio.sheet import ProductSheet

TODAY = date(2026, 11, 23)
TYPED = {"name": "Toit clair", "pitch": "On ne sait pas où en est son dossier.", "mission": "transfo", "title": "intrapreneure"}


@pytest.fixture
def browser(sqlite: Database, clock: FixedClock) -> Iterator[TestClient]:
    """Signed in as an intrapreneur who has no product yet."""
    lou = added_person(sqlite, clock, "Lou", Role.INTRAPRENEUR, None)
    with client(sqlite, clock) as made:
        sign_in_as(made, sqlite, clock, lou)
        yield made


def send(browser: TestClient, **fields: str) -> Response:
    """Send the form as its page has it."""
    token = re.search(r'name="_csrf" value="([^"]+)"', browser.get("/").text)
    assert token is not None
    return browser.post("/produits/nouveau", data={**fields, "_csrf": token[1]}, follow_redirects=False)


def sheet(database: Database, slug: str) -> ProductSheet:
    with database.read() as session:
        return queries.product_sheets(session, [slug])[slug]


def count(database: Database) -> int:
    with database.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(ProductRow)) or 0


def test_an_investigation_is_begun_and_its_page_tells_it(database: Database, clock: FixedClock) -> None:
    lou = added_person(database, clock, "Lou", Role.INTRAPRENEUR, None)
    with database.write() as session:
        put_incubator(session, Incubator("atelier", "L’atelier"))
    with client(database, clock) as browser:
        sign_in_as(browser, database, clock, lou)
        form = browser.get("/produits/nouveau")
        assert form.status_code == 200
        assert 'value="2026-11-23"' in form.text
        assert '<option value="fabrique" selected>' in form.text
        answer = send(browser, **TYPED, incubator="atelier", start="02/11/2026")
        assert (answer.status_code, answer.headers["location"]) == (303, "/produits/toit-clair")
        page = browser.get("/produits/toit-clair").text
    assert "Toit clair" in page
    made = sheet(database, "toit-clair")
    assert (made.incubator, made.mission, made.pitch) == ("atelier", "transfo", TYPED["pitch"])
    assert made.stays == (Stay(Stage.INVESTIGATION, date(2026, 11, 2), None),)
    with database.read() as session:
        tie = session.scalars(sa.select(MembershipRow).where(MembershipRow.person_id == lou.id)).one()
        assert (tie.kind, tie.title, tie.since) == ("team", "intrapreneure", date(2026, 11, 2))
        assert session.scalar(sa.select(AuditRow.person_id).where(AuditRow.action == "create_product")) == lou.id


def test_a_coach_who_begins_one_coaches_it(sqlite: Database, clock: FixedClock) -> None:
    noor = added_person(sqlite, clock, "Noor", Role.COACH, None)
    with client(sqlite, clock) as browser:
        sign_in_as(browser, sqlite, clock, noor)
        assert "Vous en devenez coach" in browser.get("/produits/nouveau").text
        assert send(browser, **TYPED).status_code == 303
    with sqlite.read() as session:
        assert session.scalars(sa.select(MembershipRow.kind).where(MembershipRow.person_id == noor.id)).all() == ["coach"]


def test_without_a_day_it_begins_today(browser: TestClient, sqlite: Database) -> None:
    assert send(browser, name="Toit clair").status_code == 303
    assert sheet(sqlite, "toit-clair").stays[0].start == TODAY
    assert sheet(sqlite, "toit-clair").mission == ""


def test_a_second_click_makes_nothing_and_leads_to_what_the_first_made(browser: TestClient, sqlite: Database) -> None:
    assert send(browser, **TYPED).status_code == 303
    again = send(browser, **TYPED)
    assert again.status_code == 422
    assert '<a href="/produits/toit-clair">Voir « Toit clair »</a>' in again.text.replace("\u00a0", " ")
    assert TYPED["pitch"] in again.text
    assert count(sqlite) == 1


@pytest.mark.parametrize(
    ("field", "text", "told"),
    [
        ("name", "  ", "Donnez un nom"),
        ("name", "x" * 10_000, "10\u202f000 caractères"),
        ("pitch", "x" * 30_000, "20\u202f000"),
        ("incubator", "nulle-part", "nulle-part"),
        ("mission", "conquête", "conquête"),
        ("start", "bientôt", "n’est pas une date"),
        ("start", "31/02/2026", "n’est pas une date"),
        ("start", "2026-12-24", "24 décembre 2026"),
        ("start", "1492-10-12", "12 octobre 1492"),
        ("title", "x" * 300, "200"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_its_fault_at_its_field(
    browser: TestClient, sqlite: Database, field: str, text: str, told: str
) -> None:
    answer = send(browser, **{**TYPED, "name": "Un <b>nom</b> à garder", field: text})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text, "the summary leads to the field"
    assert f'id="{field}-faute"' in answer.text
    assert told in answer.text
    assert field in {"name", "start", "pitch", "incubator", "mission", "title"}
    if field not in {"incubator", "mission"}:
        assert text[:40] in answer.text
    if field != "name":
        assert "Un &lt;b&gt;nom&lt;/b&gt; à garder" in answer.text
    assert "intrapreneure" in answer.text or field == "title"
    assert count(sqlite) == 0


@pytest.mark.parametrize("day", ["demain", "2027-01-01", "1492-10-12"])
def test_a_day_that_cannot_be_hides_no_other_fault(browser: TestClient, day: str) -> None:
    answer = send(browser, name="", start=day, title="x" * 201)
    assert "3 points à corriger" in answer.text
    assert [answer.text.index(f'href="#{field}"') for field in ("name", "start", "title")] == sorted(
        answer.text.index(f'href="#{field}"') for field in ("name", "start", "title")
    )


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("L’« outil » d'Élise & Cie", "l-outil-d-elise-cie"),
        ("<script>alert(1)</script>", "script-alert-1-script"),
        ("🎈", "produit"),
        ("نص عربي", "produit"),
        ("Nouveau", "produit-nouveau"),
        ("Revues\0 et NUL", "revues-et-nul"),
        ("é" * 300, "e" * 80),
    ],
)
def test_any_name_gets_an_address_and_is_shown_as_written(database: Database, clock: FixedClock, name: str, slug: str) -> None:
    with client(database, clock) as browser:
        sign_in_as(browser, database, clock, added_person(database, clock, "Lou", Role.INTRAPRENEUR, None))
        answer = send(browser, name=name)
        assert answer.headers["location"] == f"/produits/{slug}"
        page = browser.get(f"/produits/{slug}")
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    assert sheet(database, slug).name == name.replace("\0", "")


def test_names_without_a_letter_are_told_apart_by_a_number(browser: TestClient) -> None:
    assert send(browser, name="🎈").headers["location"] == "/produits/produit"
    assert send(browser, name="نص").headers["location"] == "/produits/produit-2"
    assert send(browser, name="C").headers["location"] == "/produits/c"
    assert send(browser, name="C++").headers["location"] == "/produits/c-2"
    assert send(browser, name="نص").status_code == 422


def test_leadership_reads_and_begins_nothing(sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as browser:
        sign_in(browser, sqlite, clock)
        assert browser.get("/produits/nouveau").status_code == 403
        assert send(browser, **TYPED).status_code == 403


def test_a_form_from_elsewhere_begins_nothing(browser: TestClient, sqlite: Database) -> None:
    assert browser.post("/produits/nouveau", data=TYPED).status_code == 403
    browser.headers["sec-fetch-site"] = "cross-site"
    assert send(browser, **TYPED).status_code == 403
    assert count(sqlite) == 0


def test_the_same_in_english(browser: TestClient) -> None:
    browser.cookies.set("language", "en")
    assert "Begin an investigation" in browser.get("/produits/nouveau").text
    answer = send(browser, name="", start="soon")
    assert "2 things are to put right" in answer.text
    assert "Give the product a name." in answer.text
    assert "is not a day" in answer.text


def test_what_cannot_be_seen_is_not_kept_of_a_name(browser: TestClient, sqlite: Database) -> None:
    answer = send(browser, **TYPED | {"name": "Toit\u200b \u202eclair\0\u2069 نص", "pitch": "Une\u202e ligne\r\nune\u200f autre"})
    assert answer.status_code == 303
    made = sheet(sqlite, answer.headers["location"].rpartition("/")[2])
    assert (made.name, made.pitch.replace("\r\n", "\n")) == ("Toit clair نص", "Une ligne\nune autre")
