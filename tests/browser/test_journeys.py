"""Three people and what they come for, each from the first page to the end, in both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.test_walk import violations, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
TODAY = date.today()  # noqa: DTZ011 - the demonstration runs on the machine's own day


@dataclass(frozen=True)
class Words:
    """What a person reads and clicks, by language."""

    locale: str
    begin: str
    ask: str
    view: str
    partly: str
    yes: str
    save: str
    save_go_on: str
    asks: str
    open: str
    answer: str
    sign: str
    minutes: str
    experimentation: str
    show: str
    fell: str


WORDS = {
    "fr": Words(
        "fr-FR", "Commencer l’investigation", "Demander la revue", "Le regard de l’équipe", "Partiellement", "Oui", "Enregistrer",
        "Enregistrer et continuer", "L’équipe demande sa revue", "Ouvrir la revue", "Répondre aux critères", "Signer la revue",
        "Procès-verbal", "Expérimentation", "Afficher", "Satisfaction en baisse",
    ),
    "en": Words(
        "en-GB", "Begin the investigation", "Ask for the review", "The team’s view", "Partly", "Yes", "Save", "Save and go on",
        "The team asks for its review", "Open the review", "Answer the criteria", "Sign the review", "Minutes", "Experimentation",
        "Show", "Satisfaction fell",
    ),
}  # fmt: skip


@pytest.fixture(params=sorted(WORDS))
def words(request: pytest.FixtureRequest) -> Words:
    return WORDS[request.param]


class Visit:
    """Somebody's browser. Whatever goes wrong on a page is kept, and looked at in the end."""

    def __init__(self, browser: Browser, address: str, words: Words, person: str, *, script: bool) -> None:
        self.context = browser.new_context(locale=words.locale, java_script_enabled=script, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.address, self.script = address, script
        self.faults = watched(self.page, address)
        self.page.goto(f"{address}/connexion")
        self.page.get_by_role("button", name=re.compile(person)).click()
        self.page.wait_for_url("**/tableau-de-bord")

    def goto(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def click(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()
        self.page.wait_for_load_state()

    def follow(self, name: str) -> None:
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()
        self.page.wait_for_load_state()

    def sound(self) -> None:
        assert not self.script or violations(self.page) == []
        assert self.faults == []

    def close(self) -> None:
        assert self.faults == []
        self.context.close()


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def script(request: pytest.FixtureRequest, theme: str, words: Words) -> bool:
    if theme == "plain" and request.param != (words.locale == "fr-FR"):
        pytest.skip("walked so in the State's theme: the plain one has the same templates")
    return bool(request.param)


@pytest.fixture
def name(words: Words, script: bool, demonstration: str) -> str:
    """A product's name that no other journey takes."""
    return f"Trajet {words.locale} {'avec' if script else 'sans'} {demonstration.rpartition(':')[2]}"


def slug_of(page: Page) -> str:
    found = re.search(r"/produits/([\w.-]+)", page.url)
    assert found is not None, page.url
    return found[1]


def begin(visit: Visit, words: Words, name: str) -> str:
    page = visit.goto("/produits/nouveau")
    page.locator("[name=name]").fill(name)
    page.locator("[name=pitch]").fill("Les familles ne savent pas à qui demander.")
    page.locator("[name=incubator]").select_option("demo-solidarites")
    page.locator("[name=start]").fill((TODAY - timedelta(weeks=8)).isoformat())
    visit.click(words.begin)
    assert name in page.inner_text("h1")
    visit.sound()
    return slug_of(page)


def test_an_intrapreneur_takes_an_investigation_to_its_first_gate(
    browser: Browser, demonstration: str, words: Words, name: str, script: bool
) -> None:
    camille = Visit(browser, demonstration, words, "Camille", script=script)
    slug = begin(camille, words, f"{name} A")
    page = camille.goto(f"/produits/{slug}/fiche/enjeux")
    page.locator("input[type=checkbox][value=inclusion], input[type=checkbox][name*=inclusion]").first.check(force=True)
    camille.sound()
    camille.click(words.save)
    camille.goto(f"/produits/{slug}")
    camille.follow(words.ask)
    page.locator("[name=planned_on]").fill((TODAY + timedelta(days=12)).isoformat())
    camille.sound()
    camille.click(words.ask)
    camille.follow(words.view)
    for criterion in page.locator("fieldset.fab-criterion").all():
        criterion.get_by_label(words.partly, exact=True).check(force=True)
        criterion.locator("textarea").fill("Huit entretiens sur dix.")
    camille.sound()
    camille.click(words.save)
    assert "Huit entretiens sur dix." in page.inner_text("main")
    camille.close()
    noor = Visit(browser, demonstration, words, "Noor", script=script)
    noor.goto("/mes-produits")
    assert words.asks in noor.page.locator("article", has_text=f"{name} A").inner_text().replace("\u00a0", " ")
    noor.sound()
    noor.close()


def test_a_coach_prepares_holds_and_signs_a_review_and_the_product_enters_experimentation(
    browser: Browser, demonstration: str, words: Words, name: str, script: bool
) -> None:
    noor = Visit(browser, demonstration, words, "Noor", script=script)
    slug = begin(noor, words, f"{name} B")
    page = noor.goto(f"/produits/{slug}/revues")
    noor.click(words.open)
    noor.follow(words.answer)
    for criterion in page.locator("fieldset.fab-criterion").all():
        criterion.get_by_label(words.yes, exact=True).check(force=True)
        criterion.locator("textarea").fill("Douze entretiens, deux maquettes.")
    noor.sound()
    noor.click(words.save_go_on)
    held = TODAY - timedelta(days=3)
    page.locator("[name=held_on]").fill(held.isoformat())
    page.locator("[name=name-0]").fill("Anne Morel")
    noor.sound()
    noor.click(words.save_go_on)
    page.locator("#decision-advance").check(force=True)
    page.locator("[name=reasons]").fill("Le problème est réel.")
    page.locator("[name=condition-0]").fill("Nommer un délégué à la protection des données")
    page.locator("[name=due-0]").fill((TODAY + timedelta(days=60)).isoformat())
    noor.sound()
    noor.click(words.save)
    noor.goto(f"{page.url.removeprefix(demonstration)}/signature")
    noor.sound()
    noor.click(words.sign)
    assert words.minutes in page.inner_text("main")
    noor.sound()
    noor.goto(f"/produits/{slug}")
    assert words.experimentation.casefold() in page.inner_text("h1").casefold()
    page.go_back()
    page.go_back()
    if page.get_by_role("button", name=words.sign).count():
        noor.click(words.sign)
        assert page.get_by_role("button", name=words.sign).count() == 0, "signed once, whatever the back button shows"
    noor.context.close()


def test_leadership_finds_the_scale_ups_of_a_sponsor_whose_satisfaction_fell(
    browser: Browser, demonstration: str, words: Words, script: bool
) -> None:
    anne = Visit(browser, demonstration, words, "Anne", script=script)
    page = anne.goto("/produits")
    page.locator("[name=phase]").select_option("scale_up")
    page.locator("[name=sponsor]").select_option("demo-dgs")
    page.locator("[name=sante]").select_option("fell")
    assert words.fell in page.locator("[name=sante] option:checked").inner_text()
    if not script:
        anne.click(words.show)
    expect(page.locator("#resultats tbody tr")).to_have_count(1)
    assert "Toit clair" in page.inner_text("#resultats")
    assert page.locator("#resultats tbody tr").count() == 1
    assert "phase=scale_up" in page.url
    anne.sound()
    address = page.url
    page.get_by_role("link", name="Toit clair").first.click()
    assert "Toit clair" in page.inner_text("h1")
    page.goto(address)
    assert page.locator("#resultats tbody tr").count() == 1, "the address holds the question"
    anne.close()
