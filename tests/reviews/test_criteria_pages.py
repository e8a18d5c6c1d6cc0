"""The administrators' pages of criteria: read, rewrite, lose nothing."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.accounts import actions as accounts
from fabrique.accounts.model import PersonRow
from fabrique.accounts.rules import Person, Role
from fabrique.portfolio.rules import Stage
from fabrique.reviews.actions.criteria import save_criteria
from fabrique.reviews.queries.criteria import latest_criteria
from fabrique.reviews.versions import Criterion
from factories import client, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from fabrique.reviews.versions import CriteriaSet

ADDRESS = "/administration/criteres/investigation"
FIELD = re.compile(r'<(?:input|textarea)[^>]*?\bname="([^"]+)"[^>]*?>(?:([^<]*)</textarea>)?')


@pytest.fixture
def browser(sqlite: Database, clock: FixedClock) -> Iterator[TestClient]:
    """An administrator's."""
    with client(sqlite, clock) as made:
        sign_in(made, sqlite, clock, Role.ADMINISTRATOR)
        yield made


def page(browser: TestClient, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, answer.text
    return spaced(answer.text)


def spaced(text: str) -> str:
    return " ".join(html.unescape(text).replace("\u00a0", " ").replace("\u202f", " ").split())


def fields_of(text: str) -> dict[str, str]:
    """The form as a browser would send it back."""
    form = text[text.index('id="liste"') :]
    found = {}
    for match in FIELD.finditer(form):
        tag, name, typed = match[0], match[1], match[2]
        if 'type="checkbox"' in tag and " checked" not in tag:
            continue
        value = re.search(r'\bvalue="([^"]*)"', tag)
        found[name] = html.unescape(typed if typed is not None else value[1] if value else "")
    return found


def filled(browser: TestClient, **changed: str) -> dict[str, str]:
    return fields_of(browser.get(ADDRESS).text) | {name.replace("__", "."): value for name, value in changed.items()}


def present(database: Database) -> CriteriaSet:
    with database.read() as session:
        found = latest_criteria(session, Stage.INVESTIGATION)
    assert found is not None
    return found


def meanwhile(database: Database, clock: FixedClock, criteria: list[Criterion], note: str = "Entre-temps") -> None:
    """Another administrator saves."""
    with database.write() as session:
        accounts.invite(session, "lou@exemple.fr", "Lou Garnier", Role.ADMINISTRATOR, clock.now())
        lou = session.scalars(sa.select(PersonRow.id).where(PersonRow.name == "Lou Garnier")).one()
        person = Person(lou, "Lou Garnier", Role.ADMINISTRATOR)
        save_criteria(session, person, Stage.INVESTIGATION, 1, criteria, note, clock.now())


def test_the_list_tells_each_gate_with_its_version(browser: TestClient) -> None:
    text = page(browser, "/administration/criteres")
    assert text.count('<a href="/administration/criteres/') == 8
    assert "Sortie de la phase « Passage à l’échelle »" in text
    assert "Tels que fabrique les fournit." in text


def test_saving_makes_a_version_and_shows_what_it_changed(browser: TestClient, sqlite: Database) -> None:
    sent = filled(
        browser,
        c0__label_fr="Le problème est-il confirmé ?",
        c1__withdrawn="1",
        c7__place="0,5",
        c8__label_fr="Le calendrier tient-il ?",
        c8__label_en="Does the schedule hold?",
        c8__draw__stage="1",
        note="Retour des coachs",
    )
    answer = browser.post(ADDRESS, data=sent, follow_redirects=False)
    assert answer.status_code == 303, spaced(answer.text)
    assert answer.headers["location"] == f"{ADDRESS}/versions/2"
    keys = present(sqlite).keys
    assert keys[0] == "obligations_foreseen"
    assert keys[-1] == "does_the_schedule_hold"
    assert "problem_size" not in keys
    text = page(browser, f"{ADDRESS}/versions/2")
    assert "Une administrator : « Retour des coachs »" in text
    for line in (
        "<strong>Récrit</strong> – Le problème est-il confirmé ?",
        "<strong>Ajouté</strong> – Le calendrier tient-il ?",
        "<strong>Retiré</strong> – Le problème est-il assez grand pour mériter un service ?",
        "<strong>Déplacé</strong> – Les obligations à venir",
        "Avant : </span>Les usagers eux-mêmes ont-ils confirmé le problème ?</del>",
    ):
        assert line in text
    former = page(browser, f"{ADDRESS}/versions/1")
    assert "Posée du 23 novembre 2026" in former
    assert "Le problème est-il assez grand pour mériter un service ?" in former


def test_an_invalid_form_comes_back_with_everything_typed(browser: TestClient, sqlite: Database) -> None:
    sent = filled(browser, c0__label_en="", c2__help_fr="<b>Gras & « guillemets »</b>", c3__place="trois", note="")
    answer = browser.post(ADDRESS, data=sent)
    text = spaced(answer.text)
    assert answer.status_code == 422
    assert fields_of(answer.text) == sent
    assert '<a href="#c0.label_en">Critère 1 : Écrivez la question dans les deux langues.' in text
    assert '<a href="#c3.place">Critère 4 : Écrivez un nombre' in text
    assert '<a href="#note">Dites pourquoi' in text
    assert text.index("Critère 1 : Écrivez") < text.index("Critère 4 : Écrivez") < text.index("Dites pourquoi")
    assert 'aria-describedby="0.label_en-faute"' in text
    assert "<b>Gras" not in answer.text
    assert present(sqlite).version == 1


def test_faults_stand_at_their_rows_whatever_the_numbers_typed(browser: TestClient) -> None:
    sent = filled(browser, c5__label_fr="", c5__place="0", c1__withdrawn="1", note="Parce que")
    text = browser.post(ADDRESS, data=sent).text
    assert 'aria-describedby="5.label_fr-faute"' in text
    assert text.count("aria-invalid") == 1


def test_another_row_is_offered_without_saving_anything(browser: TestClient, sqlite: Database) -> None:
    sent = filled(browser, c8__label_fr="Une question", c0__label_fr="Autrement ?")
    answer = browser.post(ADDRESS, data=sent | {"more": "1"})
    assert answer.status_code == 200
    again = fields_of(answer.text)
    assert {name: again[name] for name in sent} == sent
    assert again["c9.label_fr"] == ""
    assert present(sqlite).version == 1


def test_nothing_changed_or_nothing_left_is_said(browser: TestClient) -> None:
    answer = browser.post(ADDRESS, data=filled(browser, note="Pour voir"))
    assert answer.status_code == 422
    assert "Rien n’a changé" in answer.text
    sent = filled(browser, note="Tout retirer") | {f"c{number}.withdrawn": "1" for number in range(8)}
    answer = browser.post(ADDRESS, data=sent)
    assert answer.status_code == 422
    assert "en garder au moins un" in answer.text


def test_two_administrators_at_once_lose_nothing(browser: TestClient, sqlite: Database, clock: FixedClock) -> None:
    sent = filled(browser, c0__label_fr="À ma façon ?", note="Ma raison")
    first, second, third, *others = present(sqlite).criteria
    added = Criterion("", "Le sponsor est-il là ?", "Is the sponsor there?", "", "", ())
    rewritten = Criterion(second.key, "Autre taille ?", second.label_en, second.help_fr, second.help_en, second.draws)
    meanwhile(sqlite, clock, [first, rewritten, *others, added])
    answer = browser.post(ADDRESS, data=sent)
    text = spaced(answer.text)
    assert answer.status_code == 409
    assert "Lou Garnier a enregistré la version 2 pendant la saisie" in text
    assert "<strong>Retiré</strong> – Le contexte et les solutions existantes" in text
    assert "La raison donnée : Entre-temps" in text
    again = fields_of(answer.text)
    assert again["version"] == "2"
    assert again["note"] == "Ma raison"
    assert again["c0.label_fr"] == "À ma façon ?"
    assert again["c1.label_fr"] == "Autre taille ?"
    assert again["c2.withdrawn"] == "1"
    assert browser.post(ADDRESS, data=again, follow_redirects=False).status_code == 303
    last = present(sqlite)
    assert last.version == 3
    assert [one.label_fr for one in last.criteria[:2]] == ["À ma façon ?", "Autre taille ?"]
    assert third.key not in last.keys
    assert "is_the_sponsor_there" in last.keys


def test_a_key_that_nobody_knows_is_no_key(browser: TestClient, sqlite: Database) -> None:
    sent = filled(browser, c8__key="../../etc", c8__label_fr="Nouvelle ?", c8__label_en="New?", note="Essai", version="1")
    assert browser.post(ADDRESS, data=sent, follow_redirects=False).status_code == 303
    assert present(sqlite).keys[-1] == "new"


@pytest.mark.parametrize("version", ["", "abc", "-1", "99999999999999999999", "7"])
def test_a_version_that_does_not_exist_is_an_overtaken_form(version: str, browser: TestClient) -> None:
    sent = filled(browser, c0__label_fr="Autrement ?", note="Essai", version=version)
    answer = browser.post(ADDRESS, data=sent)
    assert answer.status_code == 409
    assert fields_of(answer.text)["c0.label_fr"] == "Autrement ?"


@pytest.mark.parametrize(
    "address", [ADDRESS.replace("investigation", "stopped"), f"{ADDRESS}/versions/9", f"{ADDRESS}/versions/{10**30}"]
)
def test_what_does_not_exist_is_not_there(address: str, browser: TestClient) -> None:
    assert browser.get(address).status_code == 404


@pytest.mark.parametrize("role", [Role.COACH, Role.INTRAPRENEUR, Role.LEADERSHIP])
@pytest.mark.parametrize("address", ["/administration/criteres", ADDRESS, f"{ADDRESS}/versions/1"])
def test_only_administrators_see_them(role: Role, address: str, sqlite: Database, clock: FixedClock) -> None:
    with client(sqlite, clock) as made:
        sign_in(made, sqlite, clock, role)
        assert made.get(address).status_code == 403
        assert made.post(ADDRESS, data={}).status_code == 403


def test_the_pages_speak_english(browser: TestClient) -> None:
    browser.cookies.set("language", "en")
    assert "Criteria of gate reviews" in page(browser, "/administration/criteres")
    assert "Have users themselves confirmed the problem?" in page(browser, f"{ADDRESS}/versions/1")
    assert "This gate asks 8 questions" in page(browser, ADDRESS)


def test_the_number_of_queries_does_not_grow_with_versions(browser: TestClient, sqlite: Database, clock: FixedClock) -> None:
    counted: list[str] = []
    sa.event.listen(sqlite.engine, "before_cursor_execute", lambda *heard: counted.append(heard[2]))

    def queries_for(address: str) -> int:
        counted.clear()
        page(browser, address)
        return len(counted)

    addresses = ("/administration/criteres", ADDRESS, f"{ADDRESS}/versions/1")
    few = [queries_for(address) for address in addresses]
    meanwhile(sqlite, clock, list(present(sqlite).criteria[1:]))
    assert [queries_for(address) for address in addresses] == few
