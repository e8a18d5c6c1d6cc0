"""Correcting a product's phases by hand: who may, what it must say, and that nothing typed is lost."""

from __future__ import annotations

import re
from datetime import date
from html import unescape
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts.model import AuditRow
from fabrique.accounts.rules import Role
from fabrique.portfolio import queries
from fabrique.portfolio.actions import Writing, correct_stays, put_products
from fabrique.portfolio.model import RevisionRow, StayRow
from fabrique.portfolio.rules import Mark, Origin, Stage, Stay
from fabrique.portfolio.sheet import ProductSheet
from factories import add_product, client, sign_in_as
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database

HOME = "/produits/produit/phases"
TODAY = date(2026, 11, 23)
FIRST, SECOND = date(2025, 1, 6), date(2025, 3, 10)
WHY = {"reason": "La fiche se trompait."}


class Site:
    """A product in experimentation, and its coach signed in."""

    def __init__(self, browser: TestClient, database: Database, clock: FixedClock) -> None:
        self.browser, self.database, self.clock = browser, database, clock
        self.product = add_product(database, clock)
        self.noor = added_person(database, clock, "Noor", Role.COACH, self.product, "coach")
        self.be(self.noor)

    def be(self, person: Person) -> None:
        self.browser.cookies.clear()
        sign_in_as(self.browser, self.database, self.clock, person)

    def fields(self, text: str = "") -> dict[str, str]:
        """What a browser would send of the form, untouched."""
        form = text or self.browser.get(HOME).text
        form = form[form.index('class="fab-form') :]
        found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        found |= dict(re.findall(r'name="(start-\d+)" value="([^"]*)"', form))
        for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
            chosen = re.search(r'value="([^"]*)" selected', options)
            found[name] = chosen[1] if chosen else ""
        return {name: unescape(value) for name, value in found.items()}

    def post(self, **data: str) -> tuple[int, str]:
        answer = self.browser.post(HOME, data=self.fields() | data, follow_redirects=False)
        return answer.status_code, flat(unescape(answer.headers.get("location") or answer.text))

    def stays(self) -> list[tuple[str, date, str]]:
        with self.database.read() as session:
            return [(one.stage, one.start, one.mark) for one in queries.product_sheets(session, ["produit"])["produit"].stays]

    def corrections(self) -> list[AuditRow]:
        with self.database.read() as session:
            return list(session.scalars(sa.select(AuditRow).where(AuditRow.action == "correct_stages")))


def flat(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture
def site(sqlite: Database, clock: FixedClock) -> Iterator[Site]:
    with client(sqlite, clock) as browser:
        yield Site(browser, sqlite, clock)


@pytest.fixture
def both(database: Database, clock: FixedClock) -> Iterator[Site]:
    with client(database, clock) as browser:
        yield Site(browser, database, clock)


AS_IT_STANDS = [("investigation", FIRST, "known"), ("experimentation", SECOND, "known")]


def test_a_coach_corrects_a_day_and_adds_a_phase(both: Site) -> None:
    status, place = both.post(
        **{"start-1": "01/04/2025", "mark-1": "estimated", "stage-2": "scale_up", "start-2": "2026-06-01"}, **WHY
    )
    assert (status, place) == (303, "/produits/produit")
    assert both.stays() == [
        ("investigation", FIRST, "known"), ("experimentation", date(2025, 4, 1), "estimated"), ("scale_up", date(2026, 6, 1), "known"),
    ]  # fmt: skip
    (line,) = both.corrections()
    assert line.details["reason"] == WHY["reason"]
    assert line.person_id == both.noor.id
    with both.database.read() as session:
        assert session.scalars(sa.select(RevisionRow.reason).order_by(RevisionRow.id.desc())).first() == WHY["reason"]
        origins = session.execute(sa.select(StayRow.origin).order_by(StayRow.position)).scalars().all()
    assert origins == [Origin.IMPORT, Origin.CORRECTION, Origin.CORRECTION]
    page = flat(unescape(both.browser.get(HOME).text))
    assert "corrigée à la main" in page
    assert "importée" in page


def test_saved_untouched_it_asks_for_no_reason_and_changes_nothing(site: Site) -> None:
    assert site.post()[0] == 303
    assert site.stays() == AS_IT_STANDS
    assert site.corrections() == []


def test_a_phase_is_taken_away_by_its_box_or_by_emptying_it(site: Site) -> None:
    assert site.post(**{"gone-1": "true"}, **WHY)[0] == 303
    assert site.stays() == AS_IT_STANDS[:1]
    assert site.post(**{"stage-1": "stopped", "start-1": "2026-01-05"}, **WHY)[0] == 303
    assert site.post(**{"stage-1": "", "start-1": " "}, **WHY)[0] == 303
    assert site.stays() == AS_IT_STANDS[:1]


def test_a_product_that_left_the_road_is_reopened(site: Site) -> None:
    site.post(**{"stage-2": "stopped", "start-2": "2026-01-05"}, **WHY)
    assert site.post(**{"stage-3": "experimentation", "start-3": "2026-06-01"}, reason="Financé de nouveau.")[0] == 303
    assert site.stays()[-1] == ("experimentation", date(2026, 6, 1), "known")


def test_more_rows_save_nothing(site: Site) -> None:
    status, page = site.post(more="rows", **{"start-0": "2025-01-01"}, **WHY)
    assert status == 200
    assert 'value="2025-01-01"' in page
    assert 'name="stage-5"' in page
    assert WHY["reason"] in page
    assert site.stays() == AS_IT_STANDS


@pytest.mark.parametrize(
    ("data", "field", "told"),
    [
        ({"start-1": "demain"}, "start-1", "n’est pas une date"),
        ({"start-1": "31/02/2026"}, "start-1", "n’est pas une date"),
        ({"start-1": "<b>\"'🎈"}, "start-1", "« <b>\"'🎈 »"),
        ({"start-1": "9" * 10_000}, "start-1", "n’est pas une date"),
        ({"start-1": ""}, "start-1", "premier jour"),
        ({"stage-1": ""}, "stage-1", "Choisissez la phase"),
        ({"stage-1": "retraite"}, "stage-1", "Choisissez la phase"),
        ({"start-1": "2024-12-31"}, "start-1", "ne peut pas précéder"),
        ({"stage-1": "investigation"}, "start-1", "La même phase"),
        ({"start-1": "2026-11-24"}, "start-1", "24 novembre 2026"),
        ({"start-1": "9999-12-31"}, "start-1", "31 décembre 9999"),
        ({"start-0": "0001-01-01"}, "start-0", "n’est pas un jour"),
        ({"stage-2": "scale_up", "start-2": "2025-02-01"}, "start-2", "1er février 2025"),
        ({"gone-0": "true", "gone-1": "true"}, "start-0", "au moins une phase"),
        ({"start-1": "2025-03-11", "reason": " "}, "reason", "pourquoi"),
        ({"start-1": "2025-03-11", "reason": "x" * 20_001}, "reason", "Moins de 20 000 caractères"),
        ({"start-1": "2025-03-11", "mark-1": "devinée"}, "mark-1", "connu ou estimé"),
    ],
)
def test_what_cannot_be_kept_comes_back_at_its_field(site: Site, data: dict[str, str], field: str, told: str) -> None:
    status, page = site.post(**(WHY | data))
    assert status == 422
    assert f'href="#{field}"' in page
    assert f'id="{field}"' in page
    assert f'id="{field}-faute"' in page
    assert told in page
    assert WHY["reason"] in page or data.get("reason")
    assert site.stays() == AS_IT_STANDS
    assert site.corrections() == []


def test_every_fault_is_told_at_once(site: Site) -> None:
    _status, page = site.post(**{"start-0": "hier", "stage-1": "", "reason": ""})
    assert all(f'href="#{field}"' in page for field in ("start-0", "stage-1", "reason"))
    _status, page = site.post(**{"start-1": "2026-12-24", "reason": ""})
    assert all(f'href="#{field}"' in page for field in ("start-1", "reason"))


def test_planned_phases_are_shown_and_stay(site: Site) -> None:
    later = date(2027, 3, 1)
    told = ProductSheet("produit", "Un produit", stays=(
        Stay(Stage.INVESTIGATION, FIRST, SECOND), Stay(Stage.EXPERIMENTATION, SECOND, later), Stay(Stage.SCALE_UP, later, None),
    ))  # fmt: skip
    with site.database.write() as session:
        put_products(session, [told], Writing(None, site.clock.now()))
    page = flat(unescape(site.browser.get(HOME).text))
    assert "Passage à l’échelle le 1er mars 2027" in page
    assert site.post(**{"start-1": "2025-04-01"}, **WHY)[0] == 303
    assert site.stays() == [AS_IT_STANDS[0], ("experimentation", date(2025, 4, 1), "known"), ("scale_up", later, "known")]
    assert site.post(**{"stage-2": "scale_up", "start-2": "2026-06-01"}, **WHY)[0] == 303
    assert [stage for stage, _start, _mark in site.stays()] == ["investigation", "experimentation", "scale_up"], (
        "the plan is fulfilled"
    )


def test_who_corrects_late_is_shown_what_changed(site: Site) -> None:
    stale = site.fields() | {"start-1": "2025-05-05"} | WHY
    with site.database.write() as session:
        version = queries.version_of(session, site.product)
        starts = [(Stage.INVESTIGATION, FIRST, Mark.KNOWN), (Stage.EXPERIMENTATION, date(2025, 4, 4), Mark.KNOWN)]
        correct_stays(session, site.noor, "produit", version, starts, "Autre", site.clock.now(), TODAY)
    answer = site.browser.post(HOME, data=stale, follow_redirects=False)
    page = flat(unescape(answer.text))
    assert answer.status_code == 409
    assert "4 avril 2025" in page
    assert "5 mai 2025" in page
    assert WHY["reason"] in page
    assert 'value="2025-05-05"' in page
    again = site.fields(answer.text) | WHY
    assert site.browser.post(HOME, data=again, follow_redirects=False).status_code == 303
    assert site.stays()[1][1] == date(2025, 5, 5)


@pytest.mark.parametrize("reason", ["L’« erreur » d'Élise", "<script>alert(1)</script>", "🎈", "تصحيح", "x" * 10_000])
def test_any_reason_is_kept_as_written(both: Site, reason: str) -> None:
    assert both.post(**{"start-1": "2025-03-11"}, reason=reason + "\0")[0] == 303
    assert both.corrections()[0].details["reason"] == reason


def test_a_phase_that_a_review_decided_leads_to_it(site: Site) -> None:
    with site.database.write() as session:
        session.execute(sa.update(StayRow).where(StayRow.stage == "experimentation").values(origin=Origin.REVIEW, review_id=7))
    assert '<a href="/produits/produit/revues/7">décidée par une revue' in flat(unescape(site.browser.get(HOME).text))


def test_a_team_member_and_strangers_correct_nothing(site: Site, clock: FixedClock) -> None:
    lou = added_person(site.database, clock, "Lou", Role.INTRAPRENEUR, site.product)
    stale = site.fields() | {"start-1": "2025-05-05"} | WHY
    for person in (
        lou,
        added_person(site.database, clock, "Carl", Role.COACH, None),
        added_person(site.database, clock, "Anne", Role.LEADERSHIP, None),
    ):
        site.be(person)
        assert site.browser.get(HOME).status_code == 403
        token = re.search(r'name="_csrf" value="([^"]+)"', site.browser.get("/").text)
        assert token is not None
        assert site.browser.post(HOME, data=stale | {"_csrf": token[1]}, follow_redirects=False).status_code == 403
    assert site.stays() == AS_IT_STANDS
    site.be(added_person(site.database, clock, "Root", Role.ADMINISTRATOR, None))
    assert site.post(**{"start-1": "2025-05-05"}, **WHY)[0] == 303
    assert site.browser.get("/produits/nulle-part/phases").status_code == 404


def test_the_same_in_english(site: Site) -> None:
    site.browser.cookies.set("language", "en")
    assert "Correct the phases" in site.browser.get(HOME).text
    status, page = site.post(**{"start-1": "soon"})
    assert (status, "is not a day" in page) == (422, True)
