"""The events of a product, through their page: what was typed is never lost, what was taken away is gone once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts.model import AuditRow
from fabrique.accounts.rules import Person, Role
from fabrique.portfolio.actions import Writing, put_products
from fabrique.portfolio.model import ProductEventRow
from fabrique.portfolio.queries import Event, ProductSheet, product_id_of, product_sheets
from factories import client, sign_in, sign_in_as
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database

HOME = "/produits/aides/evenements"
TOLD = ProductSheet(
    "aides", "Aides", events=(Event("fête", date(2026, 3, 2), "au village"), Event("committee", date(1789, 7, 14)))
)


@pytest.fixture
def camille(database: Database, clock: FixedClock) -> Person:
    with database.write() as session:
        put_products(session, [TOLD, replace(TOLD, slug="autre", events=())], Writing(None, clock.now()))
        product = product_id_of(session, "aides")
    return added_person(database, clock, "Camille", Role.INTRAPRENEUR, product)


@pytest.fixture
def site(database: Database, clock: FixedClock, camille: Person) -> Iterator[TestClient]:
    with client(database, clock) as made:
        sign_in_as(made, database, clock, camille)
        yield made


def shown(site: TestClient) -> str:
    answer = site.get(HOME)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ")


def post(site: TestClient, address: str = HOME, token: str = "", **data: str) -> tuple[int, str]:
    found = re.search(r'name="_csrf" value="([^"]*)"', site.get("/produits/nouveau").text)
    assert found is not None
    answer = site.post(address, data={"_csrf": token or found[1], **data}, follow_redirects=False)
    return answer.status_code, unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ")


def events(database: Database) -> list[tuple[str, date, str, str]]:
    with database.read() as session:
        return [(one.kind, one.day, one.comment, one.link) for one in product_sheets(session, ["aides"])["aides"].events]


def test_an_event_is_added_stands_on_the_product_and_is_taken_away(database: Database, site: TestClient) -> None:
    told = {"kind": "release", "day": "01/06/2026", "comment": "version 2\r\nplus simple", "link": "https://exemple.fr/2"}
    assert post(site, **told)[0] == 303
    assert ("release", date(2026, 6, 1), "version 2\nplus simple", "https://exemple.fr/2") in events(database)
    assert "version 2" in unescape(site.get("/produits/aides").text)
    with database.read() as session:
        number = session.scalars(sa.select(ProductEventRow.id).where(ProductEventRow.kind == "release")).one()
    assert [post(site, f"{HOME}/{number}/retrait")[0] for _click in range(2)] == [303, 404]
    assert [kind for kind, *_rest in events(database)] == ["committee", "fête"]
    with database.read() as session:
        trail = session.scalars(sa.select(AuditRow.action).where(AuditRow.action.endswith("_event"))).all()
    assert sorted(trail) == ["add_event", "remove_event"]


def test_a_double_click_adds_once(database: Database, site: TestClient) -> None:
    for _click in range(2):
        assert post(site, kind="incident", day="2026-06-01", comment="panne")[0] == 303
    assert len([one for one in events(database) if one[0] == "incident"]) == 1


def test_a_kind_that_nobody_knows_is_shown_as_an_event(site: TestClient) -> None:
    assert re.search(r'fab-kind">Événement <span class="fab-mention">importé', shown(site))
    site.cookies.set("language", "en")
    assert re.search(r'fab-kind">Event <span class="fab-mention">imported', shown(site))


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("kind", "", "Choisissez dans la liste"),
        ("kind", "fête", "Choisissez dans la liste"),
        ("day", "", "Dites quel jour"),
        ("day", "31/02/2026", "n’est pas une date"),
        ("day", "demain", "n’est pas une date"),
        ("day", "0001-01-01", "n’est pas un jour de la vie"),
        ("day", "9999-12-31", "n’est pas un jour de la vie"),
        ("comment", "é" * 20_001, "Moins de 20 000 caractères"),
        ("link", "javascript:alert(1)", "adresse entière"),
        ("link", "exemple.fr", "adresse entière"),
    ],
)
def test_what_cannot_be_kept_comes_back_with_all_that_was_typed(
    database: Database, site: TestClient, field: str, text: str, why: str
) -> None:
    typed = {"kind": "release", "day": "2026-06-01", "comment": "Une version <b>", "link": "https://exemple.fr"} | {field: text}
    status, page = post(site, **typed)
    assert status == 422
    assert f'href="#{field}"' in page, "the summary leads to the field"
    assert f'id="{field}-faute"' in page
    assert why in page
    for value in typed.values():
        assert value in page
    assert len(events(database)) == 2


def test_everything_wrong_is_told_at_once(site: TestClient) -> None:
    status, page = post(site, kind="", day="demain", link="là")
    assert status == 422
    assert [name for name in ("kind", "day", "link") if f'id="{name}-faute"' in page] == ["kind", "day", "link"]


@pytest.mark.parametrize(
    "comment",
    ['L’« aide » & "co" <script>alert(1)</script>', "🎈🎉", "مرحبا بالعالم", "ligne\0nulle"],
    ids=["html", "emoji", "rtl", "nul"],
)
def test_comments_of_every_kind_are_kept_as_written(database: Database, site: TestClient, comment: str) -> None:
    assert post(site, kind="other", day="2026-06-01", comment=comment)[0] == 303
    assert comment.replace("\0", "") in {one[2] for one in events(database)}
    assert "<script>alert" not in site.get(HOME).text
    assert "<script>alert" not in site.get("/produits/aides").text


def test_an_event_still_to_come_is_marked_as_such(site: TestClient) -> None:
    post(site, kind="committee", day="2027-01-04")
    assert re.search(r"4 janvier 2027.*?à venir", shown(site), re.DOTALL)


def test_strangers_unknown_products_and_unknown_numbers(database: Database, clock: FixedClock, site: TestClient) -> None:
    with database.read() as session:
        number = session.scalars(sa.select(ProductEventRow.id).order_by(ProductEventRow.id)).first() or 0
    assert site.get("/produits/autre/evenements").status_code == 403
    assert site.get("/produits/inconnu/evenements").status_code == 404
    assert post(site, "/produits/autre/evenements", kind="other", day="2026-06-01")[0] == 403
    assert post(site, "/produits/autre/evenements/1/retrait")[0] == 403
    assert post(site, "/produits/inconnu/evenements/1/retrait")[0] == 404
    assert post(site, f"{HOME}/{2**40}/retrait")[0] == 404
    assert post(site, f"{HOME}/{number + 999}/retrait")[0] == 404
    with client(database, clock) as other:
        sign_in(other, database, clock)
        assert other.get(HOME).status_code == 403, "leadership reads, and writes nothing"
        assert other.post(f"{HOME}/{number}/retrait", data={}).status_code == 403
    assert len(events(database)) == 2
