"""A newcomer's walk: portfolio → service → chart → flag, in both languages and both themes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
EVERY_PAGE = [
    "/tableau-de-bord",
    "/services",
    "/services/demo-aide-au-logement",
    "/signalements",
    "/signalements/1",
    "/produits",
    "/produits?vue=tableau",
    "/produits?sante=late&q=rien",
    "/produits/demo-toit-clair",
    "/produits/demo-toit-clair/historique",
    "/produits/demo-seconde-vie",
    "/produits/parcours",
    "/produits/demo-aidants-ensemble/revues",
    "/produits/demo-aidants-ensemble/revues/1",
    "/produits/demo-garde-partagee/revues/3",
    "/produits/demo-garde-partagee/revues/3/signature",
    "/mes-produits",
    "/incubateurs",
    "/incubateurs/demo-solidarites",
    "/organisations",
    "/organisations/demo-dgs",
    "/coachs",
    "/coachs/2",
    "/programme",
    "/imports",
    "/imports/1",
    "/aide/api",
    "/veille",
    "/essais",
    "/essais/demo-sms-pieces",
    "/essais/demo-sms-pieces/rapport",
    "/essais/demo-sms-pieces/ecarts",
    "/essais/demo-aide-claire",
    "/essais/demo-aide-claire/mesures",
    "/pratiques",
    "/pratiques/rappel-par-sms",
    "/nulle-part",
]
FORMS = [
    "/mes-produits",
    "/produits/nouveau",
    *(f"/produits/demo-toit-clair/fiche/{part}" for part in ("identite", "enjeux", "liens", "qualites", "budget")),
    "/produits/demo-toit-clair/equipe",
    "/produits/demo-toit-clair/phases",
    "/produits/demo-toit-clair/evenements",
    *(f"/produits/demo-garde-partagee/revues/3{part}" for part in ("", "/criteres", "/comite", "/decision", "/signature")),
]
"""What a coach writes in."""


def watched(page: Page, address: str) -> list[str]:
    """Everything that should not happen: faults, refused scripts or styles, requests to another host."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" and "404" not in said.text else None)
    page.on("request", lambda sent: None if sent.url.startswith((address, "data:")) else faults.append(f"outside: {sent.url}"))
    return faults


def enter(page: Page, address: str, person: str = "Anne Morel") -> None:
    page.goto(address)
    page.get_by_role("main").get_by_role("link").click()
    page.get_by_role("button", name=re.compile(person)).click()
    page.wait_for_url("**/tableau-de-bord")


def test_a_newcomer_walks_from_the_portfolio_to_a_flag(context: BrowserContext, demonstration: str) -> None:
    page = context.new_page()
    faults = watched(page, demonstration)
    enter(page, demonstration)
    assert page.get_by_role("heading", level=1).inner_text() == "Tableau de bord"
    page.get_by_role("main").get_by_role("link", name="Demande d’aide au logement").first.click()
    assert "La satisfaction de « Demande d’aide au logement » passe de" in page.inner_text("h1").replace("\u00a0", " ")
    assert page.locator("svg.fab-control .fab-change").count() >= 1
    page.get_by_role("link", name="Demande d’aide au logement", exact=True).first.click()
    assert page.inner_text("h1").startswith("Demande d’aide au logement")
    page.get_by_text("Voir les données").first.click()
    assert page.get_by_role("table").first.is_visible()
    page.reload()
    page.go_back()
    page.get_by_role("link", name="English").click()
    assert page.inner_text("h1").startswith("Satisfaction of “Demande d’aide au logement” went from")
    page.get_by_role("link", name="Français").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.goto(f"{demonstration}/services")
    assert "/connexion" in page.url
    assert faults == []


def test_the_list_of_services_answers_as_one_types(context: BrowserContext, demonstration: str) -> None:
    page = context.new_page()
    faults = watched(page, demonstration)
    enter(page, demonstration)
    page.goto(f"{demonstration}/services")
    page.get_by_label("Chercher un service").press_sequentially("etat civil", delay=20)
    expect(page.locator("#resultats tbody tr")).to_have_count(1)
    assert "Acte d’état civil" in page.inner_text("#resultats")
    assert "q=etat" in page.url
    assert page.evaluate("document.activeElement.id") == "q", "the focus stays where one types"
    page.reload()
    assert "Acte d’état civil" in page.inner_text("#resultats")
    assert faults == []


def test_a_page_kept_by_the_browser_still_runs_its_scripts_after_a_304(context: BrowserContext, demonstration: str) -> None:
    page = context.new_page()
    faults = watched(page, demonstration)
    enter(page, demonstration)
    statuses: list[int] = []
    page.on("response", lambda got: statuses.append(got.status) if got.url.endswith("/services") else None)
    page.goto(f"{demonstration}/services")
    page.goto(f"{demonstration}/veille")
    page.goto(f"{demonstration}/services")
    assert page.evaluate("typeof htmx") == "object"
    assert statuses[0] == 200
    assert faults == []


def test_everything_can_be_read_without_javascript(browser: Browser, demonstration: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    enter(page, demonstration)
    page.goto(f"{demonstration}/services")
    page.get_by_label("Chercher un service").fill("etat civil")
    page.get_by_role("button", name="Afficher").click()
    assert "Acte d’état civil" in page.inner_text("#resultats")
    page.get_by_role("link", name="Acte d’état civil").click()
    page.get_by_text("Voir les données").first.click()
    assert page.get_by_role("table").first.is_visible()
    context.close()


@pytest.mark.parametrize(("person", "addresses"), [("Anne", EVERY_PAGE), ("Noor", FORMS)], ids=["pages", "forms"])
@pytest.mark.parametrize("language", ["fr-FR", "en-GB"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_an_accessibility_fault(
    browser: Browser, demonstration: str, theme: str, language: str, scheme: str, person: str, addresses: list[str]
) -> None:
    """Each page in both languages and both schemes in the State's theme; once in the plain one, whose templates are the same."""
    english, dark = language == "en-GB", scheme == "dark"
    addresses = addresses[2 * english + dark :: 4] if theme == "plain" else addresses[english ^ dark :: 2]
    context = browser.new_context(locale=language, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(demonstration)
    found = {"/": violations(page)}
    page.goto(f"{demonstration}/connexion")
    found["/connexion"] = violations(page)
    page.get_by_role("button", name=re.compile(person)).click()
    page.wait_for_url("**/tableau-de-bord")
    for address in addresses:
        page.goto(f"{demonstration}{address}")
        page.wait_for_timeout(150)
        found[address] = violations(page)
    context.close()
    assert {address: faults for address, faults in found.items() if faults} == {}


def violations(page: Page) -> list[str]:
    return [
        f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in Axe().run(page).response["violations"]
    ]


@pytest.mark.parametrize("width", [320, 390])
def test_no_page_scrolls_sideways_on_a_phone(browser: Browser, demonstration: str, theme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{demonstration}/connexion")
    page.get_by_role("button", name=re.compile("Noor")).click()
    page.wait_for_url("**/tableau-de-bord")
    wide = []
    for address in [*EVERY_PAGE, *FORMS][(width == 390) * (theme == "plain") :: 2 if theme == "plain" else 1]:
        page.goto(f"{demonstration}{address}")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(address)
    context.close()
    assert wide == []


def test_on_paper_the_list_of_products_keeps_its_last_column(browser: Browser, demonstration: str) -> None:
    context = browser.new_context(viewport={"width": 680, "height": 960}, locale="fr-FR")
    page = context.new_page()
    enter(page, demonstration)
    page.goto(f"{demonstration}/produits")
    page.emulate_media(media="print")
    last = page.locator(".fab-listing thead th").last
    expect(last).to_have_text("Prochaine revue")
    box = last.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 680, "what an A4 page leaves between its margins"
    context.close()


def test_the_colours_that_one_chooses_stay_whatever_the_design_system_remembers(browser: Browser, demonstration: str) -> None:
    context = browser.new_context(locale="fr-FR", color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{demonstration}/connexion")
    page.wait_for_timeout(300)
    light = page.evaluate('getComputedStyle(document.querySelector("h1")).color')
    page.get_by_role("contentinfo").get_by_role("link", name="Sombre").click()
    page.wait_for_timeout(300)
    assert page.evaluate('getComputedStyle(document.querySelector("h1")).color') != light
    page.get_by_role("contentinfo").get_by_role("link", name="Clair").click()
    page.wait_for_timeout(300)
    assert page.evaluate('getComputedStyle(document.querySelector("h1")).color') == light
    context.close()
