"""A product's page: what it tells, to whom, in which words, and at what price."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts.model import MembershipRow
from fabrique.accounts.rules import Role
from fabrique.portfolio.actions import Writing, put_incubator, put_organisation, put_products
from fabrique.portfolio.model import IncubatorRow
from fabrique.portfolio.queries import Event, Incubator, Organisation, ProductSheet, product_id_of
from fabrique.portfolio.rules import Mark, Stage, joined
from fabrique.portfolio.sheet import Budget
from fabrique.quality.actions import Observed, SeriesKey
from fabrique.quality.rules import Figures
from fabrique.watch.actions import put_events, tick
from factories import add_service, client, dropping, proportions, record, sign_in, sign_in_as
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.settings import Settings

JANUARY, MARCH, JUNE = date(2026, 1, 5), date(2026, 3, 2), date(2026, 6, 1)
AIDES = ProductSheet(
    "aides",
    "Aides",
    incubator="ici",
    sponsors=("dgs",),
    website="https://aides.example.fr",
    repository="javascript:alert(1)",
    accessibility="partiellement conforme",
    audiences=("familles",),
    mission="transfo",
    pitch="Des aides que personne ne trouve.",
    partners=("ANCT",),
    qualities=(("open_source", "yes"), ("privacy", "partly")),
    stakes=(("alliances", ""), ("inclusion", "rgaa"), ("simplification", "completion")),
    budget=(Budget(2025, "DGS", 100_000, 90_000), Budget(2026, "DGS", 120_000), Budget(2026, "ANCT", 30_000, 1_000)),
    stays=joined([(Stage.INVESTIGATION, JANUARY, Mark.ESTIMATED), (Stage.EXPERIMENTATION, MARCH, Mark.KNOWN)]),
    events=(Event("product_launch", JUNE, "à Rennes"), Event("fête_du_village", JUNE), Event("committee", date(2027, 1, 4))),
)


def put(database: Database, clock: FixedClock, sheet: ProductSheet = AIDES) -> int:
    with database.write() as session:
        put_incubator(session, Incubator("ici", "L’incubateur d’ici"))
        put_organisation(session, Organisation("dgs", "Direction des solidarités"))
        put_products(session, [sheet], Writing(None, clock.now()))
        found = product_id_of(session, sheet.slug)
    assert found is not None
    return found


@contextmanager
def site(database: Database, clock: FixedClock, person: Person | None = None) -> Iterator[TestClient]:
    """The site as a person sees it; as leadership does where none is named."""
    with client(database, clock) as browser:
        if person is None:
            sign_in(browser, database, clock)
        else:
            sign_in_as(browser, database, clock, person)
        yield browser


def words(browser: TestClient, address: str = "/produits/aides", status: int = 200) -> str:
    """The page's text, without tags, its spaces made plain."""
    answer = browser.get(address)
    assert answer.status_code == status, answer.text
    text = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).replace("\u00a0", " ").replace("\u202f", " ").split())


def section(browser: TestClient, key: str, address: str = "/produits/aides") -> str:
    """The text of one section."""
    found = re.search(rf'<section[^>]*aria-labelledby="{key}".*?</section>', browser.get(address).text, re.DOTALL)
    assert found is not None, key
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", found[0])).replace("\u00a0", " ").replace("\u202f", " ").split())


def test_the_page_tells_what_the_sheet_does(database: Database, clock: FixedClock) -> None:
    put(database, clock)
    with site(database, clock) as browser:
        shown = words(browser)
        assert "En phase « Expérimentation » depuis le 2 mars 2026" in shown
        assert "Des aides que personne ne trouve." in shown
        identity = section(browser, "identite")
        for told in ("L’incubateur d’ici", "Direction des solidarités", "TRANSFO", "ANCT", "familles"):
            assert told in identity
        road = section(browser, "parcours")
        assert "5 janvier 2026 → 2 mars 2026 56 jours · date estimée" in road
        assert "Expérimentation phase actuelle 2 mars 2026" in road
        assert "Consolidation à venir" in road
        assert "Sa revue est à tenir d’ici le" in section(browser, "prochaine-revue")
        qualities = section(browser, "qualites")
        assert "Partiellement conforme" in qualities
        assert "Code source ouvert Oui" in qualities
        assert "ProConnect Non renseigné" in qualities


def test_the_same_in_english(sqlite: Database, clock: FixedClock) -> None:
    put(sqlite, clock)
    with site(sqlite, clock) as browser:
        browser.cookies.set("language", "en")
        shown = words(browser)
        assert "In “Experimentation” since 2 March 2026" in shown
        assert "5 January 2026 → 2 March 2026 56 days · estimated date" in shown
        assert "€150,000" in shown


def test_the_budget_is_added_up_by_year_and_in_all(sqlite: Database, clock: FixedClock) -> None:
    put(sqlite, clock)
    with site(sqlite, clock) as browser:
        table = section(browser, "budget")
    assert "2026 DGS 120 000 € – ANCT 30 000 € 1 000 € Total 2026 150 000 € 1 000 €" in table
    assert "Total 250 000 € 91 000 €" in table
    assert table.index("2026") < table.index("2025")


def test_what_happened_is_told_the_latest_first_whoever_told_it(sqlite: Database, clock: FixedClock) -> None:
    service = add_service(sqlite, "demande", "La demande", put(sqlite, clock))
    with sqlite.write() as session:
        put_events(session, service, [("release", date(2026, 9, 1), "version 2")])
    with site(sqlite, clock) as browser:
        told = section(browser, "chronologie")
    order = [
        "4 janvier 2027",
        "version 2 (La demande)",
        "à Rennes",
        "Entrée en « Expérimentation »",
        "Entrée en « Investigation »",
    ]
    assert [told.index(one) for one in order] == sorted(told.index(one) for one in order)
    assert "4 janvier 2027 Événement à venir Comité" in told
    assert "1er juin 2026 Événement Événement" in told, "a kind that nobody knows is an event"
    assert "5 janvier 2026 Phase date estimée" in told


def test_a_stake_says_what_its_metric_says_of_each_service(database: Database, clock: FixedClock) -> None:
    product = put(database, clock)
    for place, slug in enumerate(("une", "autre")):
        record(database, clock, proportions(add_service(database, slug, f"Service {slug}", product), [0.8] * 60, seed=place))
    add_service(database, "vide", "Service vide", product)
    with site(database, clock) as browser:
        stakes = section(browser, "enjeux")
    assert re.search(r"Simplification Démarches achevées Service autre : \d+ % .* Service une : \d+ %", stakes)
    assert "Service vide" not in stakes
    assert "Pas encore mesuré sur ses services" in stakes
    assert "Alliances Aucun indicateur ne le montre encore" in stakes


def test_a_metric_with_too_few_answers_is_not_told(sqlite: Database, clock: FixedClock) -> None:
    service = add_service(
        sqlite, "petit", "Petit", put(sqlite, clock, replace(AIDES, stakes=(("simplification", "satisfaction"),)))
    )
    few = proportions(service, [0.5] * 3)
    rows = [Observed(SeriesKey(service, "satisfaction", "", ""), one.period, Figures(levels=(0.0, 1.0, 8.0))) for one in few]
    record(sqlite, clock, rows)
    with site(sqlite, clock) as browser:
        assert "Petit : pas assez d’avis" in section(browser, "enjeux")


def test_changes_to_explain_stand_in_the_sentence_the_section_and_the_list(
    sqlite: Database, clock: FixedClock, settings: Settings
) -> None:
    service = add_service(sqlite, "demande", "La demande", put(sqlite, clock))
    record(sqlite, clock, proportions(service, dropping(weeks=97, at=88)))
    tick(sqlite, clock, settings)
    with site(sqlite, clock) as browser:
        assert "1 changement dans ce que vivent ses usagers attend une explication" in words(browser)
        assert "« La demande »" in section(browser, "signalements")
        assert "Dégradation" in section(browser, "chronologie")


def test_edit_links_are_for_those_who_may(sqlite: Database, clock: FixedClock) -> None:
    product = put(sqlite, clock)
    others = put(sqlite, clock, replace(AIDES, slug="autre", name="Autre"))
    team = added_person(sqlite, clock, "Camille", Role.INTRAPRENEUR, product)
    coach = added_person(sqlite, clock, "Noor", Role.COACH, product, "coach")
    stranger = added_person(sqlite, clock, "Sacha", Role.COACH, others, "coach")

    def seen(person: Person | None) -> set[str]:
        with site(sqlite, clock, person) as browser:
            return set(re.findall(r'href="/produits/aides/([\w/]+)"', browser.get("/produits/aides").text))

    read = {"equipe", "revues", "historique"}
    forms = {f"fiche/{part}" for part in ("identite", "enjeux", "liens", "qualites", "budget")} | {"evenements"}
    head = added_person(sqlite, clock, "Anne", Role.LEADERSHIP, product)
    assert seen(None) == seen(stranger) == seen(head) == read
    assert seen(team) == read | forms
    assert seen(coach) == read | forms | {"phases"}


def test_who_writes_the_sheet_is_told_what_it_lacks(sqlite: Database, clock: FixedClock) -> None:
    bare = ProductSheet("nu", "Nu", stays=joined([(Stage.INVESTIGATION, date(2026, 11, 2), Mark.KNOWN)]))
    lou = added_person(sqlite, clock, "Lou", Role.INTRAPRENEUR, put(sqlite, clock, bare))
    with site(sqlite, clock, lou) as browser:
        told = section(browser, "suite", "/produits/nu")
        for wanted in (
            "Et maintenant ?",
            "qui y travaillent avec vous",
            "un coach",
            "son sponsor",
            "les enjeux",
            "première revue",
        ):
            assert wanted in told, wanted
    with site(sqlite, clock) as browser:
        assert "Et maintenant" not in words(browser, "/produits/nu"), "nobody is told to do what they may not"


def test_people_are_named_with_what_they_do_until_they_have_left(sqlite: Database, clock: FixedClock) -> None:
    product = put(sqlite, clock)
    camille = added_person(sqlite, clock, "Camille", Role.INTRAPRENEUR, product)
    noor = added_person(sqlite, clock, "Noor", Role.COACH, product, "coach")
    gone = added_person(sqlite, clock, "Partie", Role.INTRAPRENEUR, product)
    with sqlite.write() as session:
        session.get_one(MembershipRow, (camille.id, product)).title = "designer <b>"
        session.get_one(MembershipRow, (camille.id, product)).since = MARCH
        incubator = session.scalars(sa.select(IncubatorRow.id)).one()
        session.get_one(MembershipRow, (noor.id, product)).through_incubator = incubator
        session.get_one(MembershipRow, (gone.id, product)).until = date(2026, 11, 22)
    with site(sqlite, clock) as browser:
        shown = section(browser, "equipe")
        assert "Camille designer <b> · depuis le 2 mars 2026" in shown
        assert "Noor Coach par L’incubateur d’ici" in shown
        assert "Partie" not in shown
        assert f'href="/coachs/{noor.id}"' in browser.get("/produits/aides").text
        assert "@" not in words(browser), "no address is shown"


@pytest.mark.parametrize(
    "name",
    [
        'L’« aide » & "co" <script>alert(1)</script>',
        "🎈🎉",
        "مرحبا بالعالم",
        "O'Brien\u202f!",
        "x" * 10_000,
        "<img src=x onerror=alert(1)>",
    ],
    ids=["quotes", "emoji", "right to left", "spaces", "long", "image"],
)
def test_a_name_of_any_kind_is_shown_as_written(sqlite: Database, clock: FixedClock, name: str) -> None:
    put(sqlite, clock, replace(AIDES, name=name, pitch=name, events=(Event("other", JUNE, name, name),), partners=(name,)))
    with site(sqlite, clock) as browser:
        raw = browser.get("/produits/aides").text
        assert raw.count("<script") == raw.count('nonce="'), "no script but ours"
        assert "<img src=x" not in raw
        assert name[:40] in unescape(raw)


def test_what_is_no_web_address_is_never_a_link(sqlite: Database, clock: FixedClock) -> None:
    put(sqlite, clock, replace(AIDES, events=(Event("other", JUNE, "là", "javascript:alert(2)"),)))
    with site(sqlite, clock) as browser:
        raw = browser.get("/produits/aides").text
    assert "javascript:" not in raw
    assert 'href="https://aides.example.fr"' in raw


def test_a_product_that_left_says_so_and_is_asked_for_nothing(sqlite: Database, clock: FixedClock) -> None:
    left = joined([(Stage.INVESTIGATION, JANUARY, Mark.KNOWN), (Stage.INCONCLUSIVE, MARCH, Mark.KNOWN)])
    lou = added_person(sqlite, clock, "Lou", Role.INTRAPRENEUR, put(sqlite, clock, replace(AIDES, stays=left, sponsors=())))
    with site(sqlite, clock, lou) as browser:
        shown = words(browser)
        assert "quitté le parcours le 2 mars 2026 : « Investigation non concluante »" in shown
        assert "ne dit pas encore" not in shown
        assert 'id="revue"' not in browser.get("/produits/aides").text


def test_a_sheet_that_tells_nothing_says_what_to_do(sqlite: Database, clock: FixedClock) -> None:
    noor = added_person(sqlite, clock, "Noor", Role.COACH, put(sqlite, clock, ProductSheet("rien", "Rien")), "coach")
    with site(sqlite, clock, noor) as browser:
        shown = words(browser, "/produits/rien")
        for said in ("Dire dans quelle phase il est", "Aucun service", "Aucun budget", "Aucun événement", "Aucun lien"):
            assert said in shown, said


def test_there_is_no_page_for_an_unknown_product(sqlite: Database, clock: FixedClock) -> None:
    with site(sqlite, clock) as browser:
        assert "inconnu" in words(browser, "/produits/inconnu", 404)


def test_the_number_of_queries_does_not_grow_with_what_there_is_to_show(sqlite: Database, clock: FixedClock) -> None:
    product = put(sqlite, clock)
    add_service(sqlite, "seul", "Seul", product)
    counted: list[str] = []
    sa.event.listen(sqlite.engine, "before_cursor_execute", lambda _c, _cur, statement, *_: counted.append(statement))

    def queries() -> int:
        with site(sqlite, clock) as browser:
            counted.clear()
            words(browser)
            return len(counted)

    few = queries()
    events = tuple(Event("release", JUNE + timedelta(days=place), f"n° {place}") for place in range(30))
    budget = tuple(Budget(2000 + place, "DGS", place) for place in range(20))
    put(sqlite, clock, replace(AIDES, events=events, budget=budget))
    for place in range(12):
        added_person(sqlite, clock, f"Personne{place}", Role.INTRAPRENEUR, product)
        record(sqlite, clock, proportions(add_service(sqlite, f"s{place}", f"S{place}", product), [0.5] * 9))
    assert queries() <= few + 1, counted
