"""The form of a product's sheet: each part saves its own fields, says what is wrong where it is wrong, and loses nothing."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts.model import AuditRow
from fabrique.accounts.rules import Role
from fabrique.portfolio import queries
from fabrique.portfolio.actions import put_incubator, put_organisation, save_sheet
from fabrique.portfolio.sheet import LINKS, Budget, Incubator, Organisation
from factories import add_product, client, sign_in, sign_in_as
from people import added_person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.portfolio.sheet import ProductSheet

HOME = "/produits/produit/fiche"
TEXTS = ["L’« outil » d'Élise & Cie", "<script>alert(1)</script>", "🎈", "أداة الخدمة العامة"]


class Site:
    """A product with a team member signed in."""

    def __init__(self, browser: TestClient, database: Database, clock: FixedClock) -> None:
        self.browser, self.database, self.clock = browser, database, clock
        self.product = add_product(database, clock)
        with database.write() as session:
            put_incubator(session, Incubator("atelier", "L’atelier"))
            put_organisation(session, Organisation("dinum", "DINUM"))
            put_organisation(session, Organisation("dgfip", "Finances publiques"))
        self.lou: Person = added_person(database, clock, "Lou", Role.INTRAPRENEUR, self.product)
        sign_in_as(browser, database, clock, self.lou)

    def page(self, part: str, status: int = 200) -> str:
        answer = self.browser.get(f"{HOME}/{part}")
        assert answer.status_code == status, answer.text
        return unescape(answer.text)

    def post(self, part: str, **data: str) -> tuple[int, str]:
        """Send the form as the page has it, with some fields otherwise. Returns the status, and the text or the place to go."""
        fields = form_fields(self.browser.get(f"{HOME}/{part}").text)
        answer = self.browser.post(f"{HOME}/{part}", data=fields | data, follow_redirects=False)
        return answer.status_code, answer.headers.get("location") or unescape(answer.text)

    def sheet(self) -> ProductSheet:
        with self.database.read() as session:
            return queries.product_sheets(session, ["produit"])["produit"]

    def elsewhere(self, **changes: object) -> None:
        """Somebody else saves the sheet."""
        with self.database.write() as session:
            version = queries.version_of(session, self.product)
            save_sheet(session, self.lou, "produit", version, changes, self.clock.now())

    def saves(self) -> int:
        with self.database.read() as session:
            return session.scalar(sa.select(sa.func.count()).where(AuditRow.action == "save_sheet")) or 0


def form_fields(text: str) -> dict[str, str]:
    """What a browser would send of the sheet's form, untouched."""
    form = text[text.index('class="fab-form"') :]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and value and ('type="checkbox"' not in tag or " checked" in tag):
            fields[name[1]] = value[1]
    for name, content in re.findall(r'<textarea [^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        fields[name] = content.replace("\n", "\r\n")
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return {name: unescape(value) for name, value in fields.items()}


@pytest.fixture
def site(sqlite: Database, clock: FixedClock) -> Iterator[Site]:
    with client(sqlite, clock) as browser:
        yield Site(browser, sqlite, clock)


@pytest.fixture
def both(database: Database, clock: FixedClock) -> Iterator[Site]:
    with client(database, clock) as browser:
        yield Site(browser, database, clock)


def flat(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_sheet_is_written_part_by_part(both: Site) -> None:
    assert both.browser.get(HOME, follow_redirects=False).headers["location"] == f"{HOME}/identite"
    identity = {"name": " Toit  clair ", "pitch": "On attend.\r\nOn appelle.", "incubator": "atelier", "sponsor-0": "dinum",
                "technologies": "python",
                "partners": "CNAF\r\n\r\n CNAF \r\nMSA", "audiences": "particulier", "themes": "logement"}  # fmt: skip
    assert both.post("identite", following="enjeux", **identity) == (303, f"{HOME}/enjeux")
    stakes = {"mission": "transfo", "stake-simplification": "true", "metric-simplification": "clarity", "stake-inclusion": "true"}
    assert both.post("enjeux", **stakes) == (303, "/produits/produit")
    assert both.post("liens", website=" https://toit.gouv.fr ", repository="https://github.com/betagouv/toit")[0] == 303
    assert (
        both.post("qualites", **{"quality-open_source": "yes", "quality-privacy": "partly", "accessibility": "partial"})[0] == 303
    )
    budget = {"year-0": "2026", "funder-0": "DINUM", "planned-0": "120 000", "spent-0": "90 000,00 €", "year-1": "2025", "funder-1": "FAST",
              "spent-1": "0"}  # fmt: skip
    assert both.post("budget", **budget)[0] == 303
    made = both.sheet()
    assert (made.name, made.pitch, made.incubator, made.sponsors) == (
        "Toit clair",
        "On attend.\nOn appelle.",
        "atelier",
        ("dinum",),
    )
    assert made.partners == ("CNAF", "MSA")
    assert (made.audiences, made.themes, made.technologies) == (("particulier",), ("logement",), ("python",))
    assert (made.mission, made.stakes) == ("transfo", (("inclusion", ""), ("simplification", "clarity")))
    assert (made.website, made.repository) == ("https://toit.gouv.fr", "https://github.com/betagouv/toit")
    assert (made.qualities, made.accessibility) == ((("open_source", "yes"), ("privacy", "partly")), "partiellement conforme")
    assert made.budget == (Budget(2026, "DINUM", 120_000, 90_000), Budget(2025, "FAST", None, 0))
    assert both.saves() == 5
    page = flat(both.page("budget"))
    assert 'value="120 000"' in page
    assert "<td>120 000 €</td><td>90 000 €</td>" in page
    assert "<td>–</td><td>0 €</td>" in page


@pytest.mark.parametrize("part", ["identite", "enjeux", "liens", "qualites", "budget"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_form_saved_untouched_changes_nothing(site: Site, part: str, language: str) -> None:
    site.elsewhere(
        name="Deux  espaces", pitch="\nUne ligne  \n\nune autre\n", accessibility="non conforme en 2024", partners=("a  b", "a  b "),
        sponsors=("dgfip", "dinum"), stakes=(("inclusion", "disparue"),), qualities=(("privacy", "unknown"), ("proconnect", "no")),
        budget=(Budget(2026, "DINUM", 1_234_567, None), Budget(2026, "DINUM", 0, 5)), website="https://a.fr/?a=1&b=<2>",
    )  # fmt: skip
    before, saves = site.sheet(), site.saves()
    site.browser.cookies.set("language", language)
    assert site.post(part)[0] == 303
    assert site.sheet() == before
    assert site.saves() == saves


def test_more_rows_save_nothing_and_keep_what_was_typed(site: Site) -> None:
    status, page = site.post("budget", **{"more": "rows", "year-0": "2026", "funder-0": "<b>moi</b>"})
    assert status == 200
    assert 'value="<b>moi</b>"' in page
    assert 'name="year-5"' in page
    status, page = site.post("identite", more="rows", name="Autre")
    assert 'value="Autre"' in page
    assert 'name="sponsor-3"' in page
    assert site.saves() == 0


def test_a_sponsor_and_a_line_are_taken_away_by_emptying_them(site: Site) -> None:
    site.elsewhere(sponsors=("dgfip", "dinum"), budget=(Budget(2025, "DINUM", 1, None), Budget(2026, "DINUM", 2, None)))
    assert site.post("identite", **{"sponsor-0": ""})[0] == 303
    assert site.post("budget", **{"year-0": "", "funder-0": "", "planned-0": ""})[0] == 303
    assert site.sheet().sponsors == ("dinum",)
    assert site.sheet().budget == (Budget(2026, "DINUM", 2, None),)


@pytest.mark.parametrize(
    ("part", "field", "text", "told", "anchor"),
    [
        ("identite", "name", "  ", "Donnez un nom", "name"),
        ("identite", "name", "x" * 10_000, "10 000 caractères", "name"),
        ("identite", "pitch", "x" * 30_000, "20 000", "pitch"),
        ("identite", "incubator", "nulle-part", "nulle-part", "incubator"),
        ("identite", "sponsor-0", "<b>personne</b>", "<b>personne</b>", "sponsors"),
        ("identite", "partners", "x" * 10_000, "300", "partners"),
        ("identite", "technologies", "\n".join(str(one) for one in range(200)), "100", "technologies"),
        ("enjeux", "mission", "conquête", "conquête", "mission"),
        ("enjeux", "metric-alliances", "bonheur", "bonheur", "metric-alliances"),
        *(
            ("liens", name, text, "https://", name)
            for name in LINKS
            for text in ("exemple.fr", "javascript:alert(1)", "https://")
        ),
        ("liens", "website", "https://a.fr/" + "x" * 10_000, "trop longue", "website"),
        ("qualites", "quality-open_source", "peut-être", "n’existe", "quality-open_source"),
        ("qualites", "accessibility", "peut-être", "n’existe", "accessibility"),
        ("budget", "planned-0", "abc", "« abc » n’est pas un montant", "planned-0"),
        ("budget", "planned-0", "-5", "de 0 à", "planned-0"),
        ("budget", "planned-0", "12,5", "n’est pas un montant", "planned-0"),
        ("budget", "planned-0", "120,000", "deux façons", "planned-0"),
        ("budget", "planned-0", "120.000", "deux façons", "planned-0"),
        ("budget", "planned-0", "9" * 13, "de 0 à", "planned-0"),
        ("budget", "spent-0", "9" * 10_000, "n’est pas un montant", "spent-0"),
        ("budget", "spent-0", "1e3000", "n’est pas un montant", "spent-0"),
        ("budget", "spent-0", "NaN", "n’est pas un montant", "spent-0"),
        ("budget", "planned-0", "", "un montant", "planned-0"),
        ("budget", "year-0", "0001", "1 n’est pas", "year-0"),
        ("budget", "year-0", "9999", "9999 n’est pas", "year-0"),
        ("budget", "year-0", "٢٠٢٦", "n’est pas une année", "year-0"),
        ("budget", "year-0", "", "n’est pas une année", "year-0"),
        ("budget", "funder-0", " ", "qui", "funder-0"),
        ("budget", "funder-0", "x" * 10_000, "qui", "funder-0"),
    ],
)
def test_what_cannot_be_kept_comes_back_at_its_field(
    site: Site, part: str, field: str, text: str, told: str, anchor: str
) -> None:
    base = {"budget": {"year-0": "2026", "funder-0": "DINUM", "planned-0": "10"}, "enjeux": {"stake-alliances": "true"}}.get(
        part, {}
    )
    status, page = site.post(part, **(base | {field: text}))
    page = flat(page)
    assert status == 422
    assert f'href="#{anchor}"' in page, "the summary leads to the field"
    assert f'id="{anchor}"' in page
    assert f'id="{anchor}-faute"' in page
    assert told in page
    assert text.strip()[:40] in page
    assert site.saves() == 0


def test_every_fault_of_a_part_is_told_at_once(site: Site) -> None:
    _status, page = site.post("enjeux", **{"mission": "conquête", "stake-inclusion": "true", "metric-inclusion": "bonheur"})
    assert 'href="#mission"' in page
    assert 'href="#metric-inclusion"' in page
    _status, page = site.post("budget", **{"year-0": "an", "funder-0": "", "planned-0": "x", "year-1": "2026", "planned-1": "1"})
    assert all(f'href="#{field}"' in page for field in ("year-0", "planned-0", "funder-1"))


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_is_kept_and_shown_as_written(both: Site, text: str) -> None:
    assert both.post("identite", name=f"{text}\0", pitch=text, partners=text)[0] == 303
    assert both.post("budget", **{"year-0": "2026", "funder-0": text, "spent-0": "1"})[0] == 303
    made = both.sheet()
    assert (made.name, made.pitch, made.partners, made.budget[0].funder) == (text, text, (text,), text)
    raw = both.browser.get(f"{HOME}/identite").text
    assert "<script>alert" not in raw
    assert text in both.page("identite")


@pytest.mark.parametrize("name", ["year-x", "year-²", "year-99999999999999999999", "year--1", "sponsor-٣"])
def test_rows_of_no_number_are_no_rows(site: Site, name: str) -> None:
    assert site.post("budget", **{name: "2026"})[0] == 303
    assert site.post("identite", **{name: "dinum"})[0] == 303
    assert site.saves() == 0


def test_who_saves_late_is_shown_what_changed_and_loses_nothing(site: Site) -> None:
    fields = form_fields(site.browser.get(f"{HOME}/identite").text)
    site.elsewhere(name="Le nom des autres", sponsors=("dgfip",))
    mine = fields | {"name": "Mon <nom>", "pitch": "Mon problème", "sponsor-0": "dinum"}
    answer = site.browser.post(f"{HOME}/identite", data=mine, follow_redirects=False)
    page = unescape(answer.text)
    assert answer.status_code == 409
    assert "Le nom des autres" in page
    assert "Finances publiques" in page, "sponsors are told by their names"
    assert 'value="Mon <nom>"' in page
    assert "Mon problème" in page
    assert site.sheet().name == "Le nom des autres"
    again = form_fields(answer.text)
    assert again["version"] != fields["version"]
    assert again["name"] == "Mon <nom>"
    assert site.browser.post(f"{HOME}/identite", data=again, follow_redirects=False).status_code == 303
    assert (site.sheet().name, site.sheet().sponsors) == ("Mon <nom>", ("dinum",))


def test_a_stake_in_conflict_is_told_by_its_metric(site: Site) -> None:
    fields = form_fields(site.browser.get(f"{HOME}/enjeux").text)
    site.elsewhere(stakes=(("inclusion", "rgaa"),), mission="idnum")
    mine = fields | {"stake-simplification": "true", "metric-simplification": "satisfaction", "mission": "transfo"}
    page = unescape(site.browser.post(f"{HOME}/enjeux", data=mine, follow_redirects=False).text)
    assert "Simplification (Satisfaction)" in page
    assert "Inclusion (rgaa)" not in page


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 50, "²", "0"])
def test_a_version_that_nobody_gave_is_stale(site: Site, version: str) -> None:
    assert site.post("identite", version=version, name="Autre")[0] == 409
    assert site.saves() == 0


def test_rights_and_addresses(site: Site, clock: FixedClock) -> None:
    assert site.page("identite")
    assert site.browser.get(f"{HOME}/nulle-part").status_code == 404
    assert site.browser.get("/produits/nulle-part/fiche/identite").status_code == 404
    add_product(site.database, clock, "autre")
    answer = site.browser.get("/produits/autre/fiche/identite")
    assert answer.status_code == 403
    assert "équipe du produit" in unescape(answer.text)
    fields = form_fields(site.browser.get(f"{HOME}/identite").text)
    assert site.browser.post("/produits/autre/fiche/identite", data=fields | {"name": "Pris"}).status_code == 403
    site.browser.cookies.clear()
    assert site.browser.get(f"{HOME}/identite", follow_redirects=False).status_code == 303, "sign in first"
    sign_in(site.browser, site.database, clock)
    assert site.browser.get(f"{HOME}/identite").status_code == 403, "leadership reads"


def test_the_usual_metrics_of_a_stake_come_first(site: Site) -> None:
    page = site.page("enjeux")
    select = page[page.index('name="metric-inclusion"') :]
    assert (
        select.index("À choisir")
        < select.index("Ceux qui le montrent d’habitude")
        < select.index('value="rgaa"' if "rgaa" in select[:3000] else 'value="autonomy"')
    )
    assert select.index('value="autonomy"') < select.index("Les autres du catalogue") < select.index('value="satisfaction"')


def test_english_amounts_group_thousands_by_commas(site: Site) -> None:
    site.browser.cookies.set("language", "en")
    assert site.post("budget", **{"year-0": "2026", "funder-0": "DINUM", "planned-0": "€", "spent-0": "1,200,000.00 €"})[0] == 303
    assert site.post("budget", **{"planned-0": "120,000"})[0] == 303
    assert site.sheet().budget == (Budget(2026, "DINUM", 120_000, 1_200_000),)
    assert "Mission and stakes" in site.page("enjeux")
    status, page = site.post("budget", **{"planned-0": "120.000"})
    assert (status, "two ways" in page) == (422, True)
