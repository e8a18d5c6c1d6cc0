"""A product's people: who may add whom, as what, until when; and what they may do once they have left."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.model import AuditRow, MembershipRow
from fabrique.accounts.rules import Role
from fabrique.portfolio.actions import put_incubator
from fabrique.portfolio.model import IncubatorRow, ProductRow
from fabrique.portfolio.sheet import Incubator
from factories import add_product, client, sign_in_as
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database

TODAY = date(2026, 11, 23)
HOME = "/produits/produit/equipe"
TEXTS = ["L’« outil » d'Élise & Cie", "<script>alert(1)</script>", "🎈 designeuse", "مصمّم الخدمة"]


class Site:
    """A product with a team member, a coach and people who are nobody's yet."""

    def __init__(self, browser: TestClient, database: Database, clock: FixedClock) -> None:
        self.browser, self.database, self.clock = browser, database, clock
        self.product = add_product(database, clock)
        self.lou = self.person("Lou", Role.INTRAPRENEUR, self.product)
        self.noor = self.person("Noor", Role.COACH, self.product, "coach")
        self.sam = self.person("Sam", Role.INTRAPRENEUR, None)
        self.carl = self.person("Carl", Role.COACH, None)
        self.root = self.person("Root", Role.ADMINISTRATOR, None)

    def person(self, name: str, role: Role, product: int | None, kind: str = "team") -> Person:
        return added_person(self.database, self.clock, name, role, product, kind)

    def be(self, person: Person) -> None:
        self.browser.cookies.clear()
        sign_in_as(self.browser, self.database, self.clock, person)

    def page(self, status: int = 200) -> str:
        answer = self.browser.get(HOME)
        assert answer.status_code == status
        return unescape(answer.text)

    def post(self, address: str = HOME, **data: str) -> tuple[int, str]:
        token = re.search(r'name="_csrf" value="([^"]+)"', self.browser.get("/").text)
        assert token is not None
        answer = self.browser.post(address, data={**data, "_csrf": token[1]}, follow_redirects=False)
        return answer.status_code, unescape(answer.text)

    def tie(self, person: Person) -> tuple[str, str, date | None, date | None] | None:
        with self.database.read() as session:
            row = session.get(MembershipRow, (person.id, self.product))
            return (row.kind, row.title, row.since, row.until) if row else None

    def trail(self) -> list[tuple[str, str]]:
        with self.database.read() as session:
            found = session.scalars(sa.select(AuditRow).where(AuditRow.object_type == "product").order_by(AuditRow.id))
            return [(one.action, one.details["name"]) for one in found]


@pytest.fixture
def site(sqlite: Database, clock: FixedClock) -> Iterator[Site]:
    with client(sqlite, clock) as browser:
        yield Site(browser, sqlite, clock)


@pytest.fixture
def both(database: Database, clock: FixedClock) -> Iterator[Site]:
    with client(database, clock) as browser:
        yield Site(browser, database, clock)


def email(name: str) -> str:
    return f"{name.lower()}@exemple.invalid"


def test_a_team_member_adds_another_who_works_on_the_product_at_once(both: Site) -> None:
    both.be(both.lou)
    assert both.post(email="SAM@exemple.invalid ", kind="team", title="développeur", since="02/11/2026")[0] == 303
    assert both.tie(both.sam) == ("team", "développeur", date(2026, 11, 2), None)
    page = both.page()
    assert "Sam" in page
    assert "depuis le 2 novembre 2026" in page.replace("\u00a0", " ")
    assert "@exemple.invalid" not in page
    assert both.trail() == [("add_member", "Sam")]
    both.be(both.sam)
    assert both.post(f"{HOME}/{both.sam.id}", title="lead", since="2026-11-02", until="31/12/2026")[0] == 303
    assert both.tie(both.sam) == ("team", "lead", date(2026, 11, 2), date(2026, 12, 31))


def test_who_is_ended_keeps_their_rights_until_tonight(site: Site) -> None:
    site.be(site.noor)
    assert site.post(f"{HOME}/{site.lou.id}", end="true")[0] == 303
    assert site.tie(site.lou) == ("team", "", None, TODAY)
    site.be(site.lou)
    assert "Ajouter une personne" in site.page()
    site.clock.moment += timedelta(days=1)
    site.be(site.lou)
    assert "Ajouter une personne" not in site.page()
    assert "Autrefois" in site.page()
    assert site.post(email=email("Sam"), kind="team")[0] == 403
    assert site.tie(site.sam) is None


def test_who_was_ended_joins_again(site: Site) -> None:
    site.be(site.noor)
    site.post(f"{HOME}/{site.lou.id}", end="true")
    assert site.post(email=email("Lou"), kind="team")[0] == 422, "today is still theirs"
    site.clock.moment += timedelta(days=1)
    site.be(site.noor)
    assert site.post(email=email("Lou"), kind="team")[0] == 303
    assert site.tie(site.lou) == ("team", "", TODAY + timedelta(days=1), None)
    assert [action for action, _name in site.trail()] == ["end_member", "add_member"]


def test_ending_twice_says_it_once(site: Site) -> None:
    site.be(site.noor)
    assert site.post(f"{HOME}/{site.lou.id}", end="true")[0] == 303
    assert site.post(f"{HOME}/{site.lou.id}", end="true")[0] == 303
    assert site.trail() == [("end_member", "Lou")]


def test_a_coach_adds_a_coach_and_a_team_does_not(site: Site) -> None:
    site.be(site.lou)
    status, page = site.post(email=email("Carl"), kind="coach", title="appui")
    assert status == 403
    assert "par un coach du produit ou un administrateur" in page
    assert 'value="appui"' in page
    assert site.post(f"{HOME}/{site.noor.id}", end="true")[0] == 403
    assert site.tie(site.noor) == ("coach", "", None, None)
    site.be(site.noor)
    assert site.post(email=email("Carl"), kind="coach")[0] == 303
    assert site.tie(site.carl) == ("coach", "", TODAY, None)
    assert site.post(f"{HOME}/{site.carl.id}", end="true")[0] == 303


def test_an_administrator_adds_and_ends_coaches(site: Site) -> None:
    site.be(site.root)
    assert site.post(email=email("Carl"), kind="coach")[0] == 303
    assert site.post(f"{HOME}/{site.noor.id}", end="true")[0] == 303


def test_nobody_makes_themselves_coach(site: Site) -> None:
    site.be(site.carl)
    assert site.post(email=email("Carl"), kind="coach")[0] == 403
    with site.database.write() as session:
        accounts.join_product(session, site.carl.id, site.product, "team")
    site.be(site.carl)
    assert site.post(email=email("Carl"), kind="coach")[0] == 403
    assert site.tie(site.carl) == ("team", "", None, None)
    site.be(site.root)
    assert site.post(email=email("Root"), kind="coach")[0] == 403
    site.be(site.noor)
    status, page = site.post(email=email("Noor"), kind="coach")
    assert status == 403
    assert "ne se nomme soi-même" in page
    site.post(f"{HOME}/{site.noor.id}", end="true")
    assert site.post(f"{HOME}/{site.noor.id}", until="2027-12-31")[0] == 403, "nor do they stay longer by themselves"


@pytest.mark.parametrize(
    ("typed", "field", "told"),
    [
        ({"email": "inconnue@exemple.invalid"}, "email", "fabrique invite inconnue@exemple.invalid"),
        ({"email": ""}, "email", "adresse électronique"),
        ({"email": "<b>x</b>'\"@" + "x" * 10_000}, "email", "Personne n’a cette adresse"),
        ({"email": "noor@exemple.invalid"}, "email", "déjà coach de ce produit"),
        ({"email": "lou@exemple.invalid"}, "email", "déjà partie de l’équipe"),
        ({"email": "lou@exemple.invalid", "kind": "coach"}, "email", "pas le rôle de coach"),
        ({"kind": "reine"}, "kind", "Dites si"),
        ({"title": "x" * 201}, "title", "200"),
        ({"since": "demain"}, "since", "n’est pas une date"),
        ({"since": "31/02/2026"}, "since", "n’est pas une date"),
        ({"since": "0001-01-01"}, "since", "n’est pas un jour"),
        ({"until": "9999-12-31"}, "until", "n’est pas un jour"),
        ({"since": "2026-12-01"}, "since", "est à venir"),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "until", "précède le premier"),
        ({"until": "2026-11-01"}, "until", "précède le premier"),
    ],
)
def test_what_cannot_be_kept_comes_back_at_its_field(site: Site, typed: dict[str, str], field: str, told: str) -> None:
    site.be(site.noor)
    status, page = site.post(**({"email": email("Sam"), "kind": "team", "title": "Un « titre »"} | typed))
    assert status == 422
    assert f'href="#{field}"' in page
    assert f'id="{field}-faute"' in page
    assert told in page.replace("\u00a0", " ")
    assert "Un « titre »" in page or field == "title"
    assert site.trail() == []


def test_every_fault_is_told_at_once(site: Site) -> None:
    site.be(site.noor)
    _status, page = site.post(email="", kind="team", since="hier", until="0001-01-01", title="x" * 300)
    assert all(f'href="#{field}"' in page for field in ("email", "since", "until", "title"))


def test_faults_of_a_change_open_that_person(site: Site) -> None:
    site.be(site.lou)
    status, page = site.post(f"{HOME}/{site.lou.id}", title="À garder", since="hier")
    assert status == 422
    assert f'href="#since-{site.lou.id}"' in page
    assert 'value="À garder"' in page
    assert "<details" in page
    assert " open>" in page


@pytest.mark.parametrize("title", TEXTS)
def test_any_title_is_shown_as_written(both: Site, title: str) -> None:
    both.be(both.noor)
    assert both.post(email=email("Sam"), kind="team", title=f"{title}\0")[0] == 303
    assert both.tie(both.sam) == ("team", title, TODAY, None)
    assert "<script>alert" not in both.browser.get(HOME).text
    assert title in both.page()


def test_a_coach_of_the_incubator_is_shown_and_stays(site: Site) -> None:
    with site.database.write() as session:
        put_incubator(session, Incubator("atelier", "L’atelier"))
        incubator = session.scalars(sa.select(IncubatorRow.id)).one()
        session.execute(sa.update(ProductRow).values(incubator_id=incubator))
        accounts.coach_incubator(session, site.carl.id, incubator, [site.product], site.clock.now())
    site.be(site.noor)
    assert "par L’atelier" in site.page()
    status, page = site.post(f"{HOME}/{site.carl.id}", end="true")
    assert status == 422
    assert "prend fin au niveau de l’incubateur" in page
    assert site.tie(site.carl) == ("coach", "", None, None)


def test_strangers_read_and_change_nothing(site: Site) -> None:
    site.be(site.sam)
    assert "Ajouter une personne" not in site.page()
    assert site.post(email=email("Sam"), kind="team")[0] == 403
    assert site.post(f"{HOME}/{site.lou.id}", end="true")[0] == 403
    assert site.post("/produits/nulle-part/equipe", email=email("Sam"), kind="team")[0] == 404
    assert site.browser.get("/produits/nulle-part/equipe").status_code == 404


@pytest.mark.parametrize("number", ["999", "99999999999", "2147483648"])
def test_nobody_of_that_number_is_not_there(both: Site, number: str) -> None:
    both.be(both.noor)
    assert both.post(f"{HOME}/{number}", end="true")[0] == 404


def test_leadership_reads(site: Site) -> None:
    site.be(site.person("Anne", Role.LEADERSHIP, None))
    assert "Noor" in site.page()
    assert site.post(email=email("Sam"), kind="team")[0] == 403


def test_the_same_in_english(site: Site) -> None:
    site.be(site.noor)
    site.browser.cookies.set("language", "en")
    assert "Team and coaches" in site.page()
    assert "An administrator invites them" in site.post(email="x@y.fr", kind="team")[1]
