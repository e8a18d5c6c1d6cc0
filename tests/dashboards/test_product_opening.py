"""A product's page opens on its next gate, and leads to those who carry it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from fabrique.accounts.rules import Role
from fabrique.portfolio.actions import Writing, put_incubator, put_organisation, put_products
from fabrique.portfolio.queries import Incubator, Organisation, ProductSheet, product_id_of
from fabrique.portfolio.rules import Mark, Origin, Stage, joined
from fabrique.reviews.actions import holding
from factories import client, sign_in
from people import added_person

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database

BEGUN = ProductSheet(
    "aides",
    "Aides",
    incubator="l’atelier d’ici",
    sponsors=("dgs", "a b?c"),
    mission="transfo",
    stays=joined([(Stage.INVESTIGATION, date(2026, 11, 2), Mark.KNOWN)]),
)
LATE = replace(BEGUN, stays=joined([(Stage.INVESTIGATION, date(2026, 1, 5), Mark.KNOWN)]))


def put(database: Database, clock: FixedClock, sheet: ProductSheet, origin: Origin = Origin.IMPORT) -> int:
    with database.write() as session:
        put_incubator(session, Incubator("l’atelier d’ici", "L’atelier"))
        put_organisation(session, Organisation("dgs", "Direction des solidarités"))
        put_products(session, [sheet], Writing(None, clock.now(), origin))
        found = product_id_of(session, sheet.slug)
    assert found is not None
    return found


def page(database: Database, clock: FixedClock, language: str = "fr") -> str:
    with client(database, clock) as browser:
        sign_in(browser, database, clock)
        browser.cookies.set("language", language)
        answer = browser.get("/produits/aides")
    assert answer.status_code == 200, answer.text
    return answer.text


def opening(database: Database, clock: FixedClock, language: str = "fr") -> str:
    """The sentence under the title."""
    found = re.search(r'fab-sentence">(.*?)</p>', page(database, clock, language), re.DOTALL)
    assert found is not None
    return " ".join(unescape(found[1]).replace("\u00a0", " ").replace("\u202f", " ").split())


def test_the_opening_says_when_the_gate_is_and_counts_nothing_that_nobody_answered(database: Database, clock: FixedClock) -> None:
    put(database, clock, BEGUN)
    assert re.fullmatch(
        r"En phase « Investigation » depuis le 2 novembre 2026\. Sa revue est à tenir d’ici le 4 janvier 2027\.",
        opening(database, clock),
    )


def test_the_same_in_english(sqlite: Database, clock: FixedClock) -> None:
    put(sqlite, clock, BEGUN)
    assert re.search(r"Its review is due on 4 January 2027\.", opening(sqlite, clock, "en"))


def test_a_late_review_is_told_as_late(sqlite: Database, clock: FixedClock) -> None:
    put(sqlite, clock, LATE)
    assert "Sa revue devait se tenir avant le 9 mars 2026." in opening(sqlite, clock)


@pytest.mark.parametrize("planned", [True, False])
def test_a_review_in_preparation_is_told_with_its_committees_day(sqlite: Database, clock: FixedClock, planned: bool) -> None:
    noor = added_person(sqlite, clock, "Noor", Role.COACH, put(sqlite, clock, LATE), "coach")
    today = clock.now().date()
    with sqlite.write() as session:
        holding.open_review(session, noor, "aides", today + timedelta(days=9) if planned else None, clock.now(), today)
    told = opening(sqlite, clock)
    assert "Sa revue est en préparation" in told
    assert ("son comité prévu pour le 2 décembre 2026" in told) is planned
    assert "devait" not in told


def test_a_product_that_left_the_road_has_no_gate_to_tell(sqlite: Database, clock: FixedClock) -> None:
    left = joined(
        [*((stay.stage, stay.start, stay.mark) for stay in LATE.stays), (Stage.INCONCLUSIVE, date(2026, 3, 2), Mark.KNOWN)]
    )
    put(sqlite, clock, replace(LATE, stays=left))
    assert opening(sqlite, clock) == "Il a quitté le parcours le 2 mars 2026 : « Investigation non concluante »."


def test_those_who_carry_it_are_led_to_whatever_their_keys(sqlite: Database, clock: FixedClock) -> None:
    put(sqlite, clock, BEGUN)
    shown = page(sqlite, clock)
    assert '<a href="/incubateurs/l%E2%80%99atelier%20d%E2%80%99ici">L’atelier</a>' in shown
    assert '<a href="/organisations/dgs">Direction des solidarités</a>' in shown
    assert "/organisations/a%20b%3Fc" in shown
    assert '<a href="/produits?mission=transfo">' in shown


@pytest.mark.parametrize(
    ("origin", "told"),
    [(Origin.IMPORT, "importée"), (Origin.CORRECTION, "corrigée à la main"), (Origin.CREATION, "à sa création")],
)
def test_a_phase_says_who_told_it(sqlite: Database, clock: FixedClock, origin: Origin, told: str) -> None:
    put(sqlite, clock, BEGUN, origin)
    moments = page(sqlite, clock).partition('class="fab-timeline"')[2]
    assert told in moments
