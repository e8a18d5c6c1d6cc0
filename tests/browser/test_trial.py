"""Two people in two browsers take one trial from an idea to a decision."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.test_walk import violations, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
ADDRESS = "un-sms-la-veille"


def entered(browser: Browser, address: str, person: str) -> Page:
    page = browser.new_context(locale="fr-FR", reduced_motion="reduce").new_page()
    page.goto(f"{address}/connexion")
    page.get_by_role("button", name=re.compile(person)).click()
    page.wait_for_url("**/tableau-de-bord")
    return page


def filled(page: Page, fields: dict[str, str]) -> None:
    for name, value in fields.items():
        page.locator(f'[name="{name}"]').fill(value)


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Enregistrer et continuer").click()
    page.wait_for_load_state()


def figures(start: date) -> str:
    """Sixty days in which three of five, then seven of ten, come."""
    lines = ["date,arm,metric,n,x"]
    for day in range(60):
        for arm, every in (("sans_sms", 6), ("avec_sms", 7)):
            lines.append(f"{start + timedelta(days=day)},{arm},venus,10,{every}")
            lines.append(f"{start + timedelta(days=day)},{arm},satisfaits,10,{8 if arm == 'sans_sms' or day % 5 else 9}")
    return "\n".join(lines)


def plan(page: Page, address: str, start: date) -> None:
    """The five steps, up to the submission."""
    page.goto(f"{address}/essais/nouveau?produit=demo-toit-clair")
    filled(page, {"title": "Un SMS la veille"})
    page.get_by_role("button", name="Commencer").click()
    page.wait_for_url(f"**/essais/{ADDRESS}/plan/hypothese")
    filled(page, {"hypothesis.if": "un SMS rappelle le rendez-vous la veille", "hypothesis.then": "davantage de personnes viennent",
                  "hypothesis.because": "un tiers des absents dit avoir oublié", "hypothesis.direction": "hausse",
                  "legal_basis": "comptages agrégés", "decision.practices": "Rappel par SMS"})  # fmt: skip
    go_on(page)
    filled(page, {"design.unit": "personne", "design.population": "tous les rendez-vous", "design.start": start.isoformat(),
                  "design.planned_end": (start + timedelta(days=62)).isoformat(), "arms[0].name": "Sans SMS",
                  "arms[1].name": "Avec SMS"})  # fmt: skip
    go_on(page)
    filled(page, {"metrics.primary.name": "Venus", "metrics.primary.baseline": "60", "metrics.primary.mde_abs": "8"})
    page.locator('button[value="metrics.guardrails"]').click()
    filled(page, {"metrics.guardrails[0].name": "Satisfaits", "metrics.guardrails[0].non_inferiority_margin": "5"})
    go_on(page)
    filled(page, {"sample.n_per_arm": "60", "sample.expected_per_day": "20", "sample.min_days": "14"})
    expect(page.locator("#taille")).to_contain_text("n’est pas l’outil")
    filled(page, {"sample.n_per_arm": "600"})
    expect(page.locator("#taille")).not_to_contain_text("n’est pas l’outil")
    go_on(page)
    assert violations(page) == []
    page.get_by_role("button", name="Soumettre à un coach").click()
    page.wait_for_url(f"**/essais/{ADDRESS}")


def enter_figures(page: Page, address: str, start: date) -> None:
    """A table with a fault, then without; sent twice by an impatient hand."""
    page.goto(f"{address}/essais/{ADDRESS}/mesures")
    page.locator("#text").fill(figures(start).replace(",10,6", ",10,60", 1))
    page.locator("form:has(#text) button").click()
    assert "ligne 2" in page.inner_text("main")
    assert ",10,60" in page.locator("#text").input_value()
    page.locator("#text").fill(figures(start))
    page.locator("form:has(#text) button").dblclick()
    expect(page.locator(".fr-alert--success")).to_be_visible()


def conclude(page: Page, address: str) -> None:
    """Close, analyse, decide against the verdict, knowingly."""
    page.goto(f"{address}/essais/{ADDRESS}")
    assert "points" not in page.locator(".fab-lines").first.inner_text()
    page.locator('form[action$="/close"] button').click()
    page.wait_for_load_state()
    page.go_back()
    page.goto(f"{address}/essais/{ADDRESS}")
    page.locator('form[action$="/analyse"] button').click()
    page.wait_for_load_state()
    assert "soit +10,0 points" in page.inner_text(".fab-verdict").replace("\u00a0", " ")
    assert violations(page) == []
    page.get_by_role("link", name="Décider").click()
    page.locator("label[for=choice-stop]").click()
    page.get_by_label("Raisons").fill("Trop cher pour nous.")
    page.get_by_role("button", name="Enregistrer la décision").click()
    assert page.get_by_label("Raisons").input_value() == "Trop cher pour nous."
    page.locator("label[for=departing]").click()
    page.get_by_role("button", name="Enregistrer la décision").click()
    page.wait_for_url(f"**/essais/{ADDRESS}")
    assert "Trop cher pour nous." in page.inner_text("main")


def test_two_people_take_a_trial_from_an_idea_to_a_decision(browser: Browser, demonstration: str) -> None:
    camille, noor = entered(browser, demonstration, "Camille"), entered(browser, demonstration, "Noor")
    faults = watched(noor, demonstration)
    start = date.today() - timedelta(days=70)  # noqa: DTZ011 - the demonstration is dated from the machine's today
    plan(camille, demonstration, start)
    assert camille.locator('form[action$="/register"]').count() == 0, "the author is not offered to register"
    noor.goto(f"{demonstration}/essais/{ADDRESS}")
    assert violations(noor) == []
    noor.locator('form[action$="/register"] button').click()
    noor.wait_for_load_state()
    assert "Enregistré".upper() in noor.inner_text("h1").upper()
    enter_figures(camille, demonstration, start)
    conclude(camille, demonstration)
    noor.goto(f"{demonstration}/pratiques/rappel-par-sms")
    assert "Un SMS la veille" in noor.inner_text("main")
    assert violations(noor) == []
    assert faults == []
    for page in (camille, noor):
        page.context.close()
