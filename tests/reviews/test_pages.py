"""The pages of reviews, as people meet them: nothing typed is lost, nobody goes past their rights, both languages speak."""

from __future__ import annotations

import json
import re
from datetime import date
from html import unescape
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fabrique.portfolio.actions import correct_stays
from fabrique.portfolio.queries import version_of
from fabrique.portfolio.rules import Mark, Stage
from fabrique.reviews.actions.holding import record_hash
from fabrique.reviews.model import ConditionRow
from fabrique.reviews.rules import Answer, ReviewState
from factories import client, sign_in_as
from reviews.conftest import ADVANCE, CONTINUE, JANUARY, TODAY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.accounts.rules import Person
    from reviews.conftest import Gate


@pytest.fixture
def site(gate: Gate) -> Iterator[TestClient]:
    with client(gate.database, gate.clock) as made:
        yield made


def be(site: TestClient, gate: Gate, person: Person) -> None:
    sign_in_as(site, gate.database, gate.clock, person)


def page(site: TestClient, address: str, status: int = 200) -> str:
    answer = site.get(address)
    assert answer.status_code == status, answer.text
    return unescape(answer.text).replace("\u00a0", " ").replace("\u202f", " ")


def post(site: TestClient, address: str, where: str = "", **data: str) -> tuple[int, str, str]:
    """Send a form as the page would: with its hidden fields. Returns status, place to go, text."""
    text = site.get(where or address).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    answer = site.post(address, data=hidden | data, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", ""), unescape(answer.text)


HOME = "/produits/aides/revues"


def test_a_coach_prepares_and_signs_through_the_pages(gate: Gate, site: TestClient) -> None:
    be(site, gate, gate.noor)
    assert "était due le 9 mars 2026" in page(site, HOME)
    assert post(site, HOME)[1] == f"{HOME}/1"
    answers = {f"answer-{key}": "yes" for key in gate.read(1).criteria.keys} | {
        f"comment-{key}": "Vu en entretien." for key in gate.read(1).criteria.keys
    }
    assert post(site, f"{HOME}/1/criteres", following="comite", **answers)[1] == f"{HOME}/1/comite"
    seats = {"name-0": "anne", "role-0": "directrice", "decides-0": "true", "held_on": "01/06/2026"}
    assert post(site, f"{HOME}/1/comite", following="decision", **seats)[1] == f"{HOME}/1/decision"
    assert gate.read(1).draft.committee[0].person_id == gate.anne.id, "a known name is an account"
    told = {"decision": "advance", "next_stage": "experimentation", "reasons": "Le problème est réel.", "condition-0": "Nommer un DPO",
            "due-0": "2026-12-15"}  # fmt: skip
    assert post(site, f"{HOME}/1/decision", **told)[1] == f"{HOME}/1"
    assert "Tout y est" in page(site, f"{HOME}/1")
    assert "entre en « Expérimentation » le 1er juin 2026" in page(site, f"{HOME}/1/signature")
    assert post(site, f"{HOME}/1/signature")[1] == f"{HOME}/1"
    minutes = page(site, f"{HOME}/1")
    assert "Procès-verbal d’une revue d’étape" in minutes
    assert "Nommer un DPO" in minutes
    assert "Expérimentation" in page(site, "/produits/aides")
    record = site.get(f"{HOME}/1/proces-verbal.json")
    assert record_hash(json.loads(record.text)) == gate.read(1).record_sha256
    assert gate.read(1).record_sha256 in minutes
    site.cookies.set("language", "en")
    assert "Minutes of a gate review" in page(site, f"{HOME}/1")
    assert "Have users themselves confirmed the problem?" in page(site, f"{HOME}/1")


def test_a_double_click_on_the_signature_signs_once(gate: Gate, site: TestClient) -> None:
    review = gate.ready()
    be(site, gate, gate.noor)
    text = site.get(f"{HOME}/{review}/signature").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    assert site.post(f"{HOME}/{review}/signature", data=hidden, follow_redirects=False).status_code == 303
    again = site.post(f"{HOME}/{review}/signature", data=hidden, follow_redirects=False)
    assert again.status_code == 409
    assert "ne se modifie jamais" in again.text
    assert len(gate.stages()) == 2


def test_a_double_click_on_the_opening_opens_one(gate: Gate, site: TestClient) -> None:
    be(site, gate, gate.noor)
    token = re.search(r'name="_csrf" value="([^"]*)"', site.get(HOME).text)
    assert token is not None
    statuses = [site.post(HOME, data={"_csrf": token[1]}, follow_redirects=False).status_code for _ in range(2)]
    assert statuses == [303, 422]
    assert "continuez celle-là" in post(site, HOME)[2]


@pytest.mark.parametrize(
    ("part", "field", "text"),
    [
        ("comite", "held_on", "31/02/2026"),
        ("comite", "planned_on", "demain"),
        ("decision", "continue_until", "2026-13-01"),
        ("decision", "due-0", "9999999999"),
    ],
)
def test_a_day_that_is_none_comes_back_with_all_that_was_typed(
    gate: Gate, site: TestClient, part: str, field: str, text: str
) -> None:
    gate.open()
    be(site, gate, gate.noor)
    typed = {"reasons": "Des raisons", "name-0": "Paule", "condition-0": "Une condition", field: text}
    status, _place, shown = post(site, f"{HOME}/1/{part}", **typed)
    assert status == 422
    assert f'value="{text}"' in shown
    assert "Paule" in shown if part == "comite" else "Des raisons" in shown
    assert "n’est pas une date" in shown


def test_a_condition_without_its_day_is_asked_for_it(gate: Gate, site: TestClient) -> None:
    gate.open()
    be(site, gate, gate.noor)
    status, _place, shown = post(site, f"{HOME}/1/decision", **{"condition-0": "Nommer un DPO"})
    assert status == 422
    assert "Donnez à cette condition la date" in shown


def test_more_rows_keep_what_was_typed(gate: Gate, site: TestClient) -> None:
    gate.open()
    be(site, gate, gate.noor)
    _status, _place, shown = post(site, f"{HOME}/1/comite", **{"more": "seat", "name-0": "Paule", "role-0": "directrice"})
    assert 'value="Paule"' in shown
    assert 'id="name-5"' in shown
    assert gate.read(1).draft.committee == ()


def test_the_second_of_two_coaches_is_shown_what_changed_and_keeps_their_words(gate: Gate, site: TestClient) -> None:
    gate.open()
    be(site, gate, gate.noor)
    text = site.get(f"{HOME}/1/decision").text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    gate.decide(1, CONTINUE)
    mine = {"decision": "stop", "reasons": "Les miennes"}
    answer = site.post(f"{HOME}/1/decision", data=hidden | mine, follow_redirects=False)
    assert answer.status_code == 409
    shown = unescape(answer.text)
    assert CONTINUE.reasons in shown, "what is saved now"
    assert ">Les miennes</textarea>" in shown, "what was typed"
    seen = re.search(r'name="seen" value="([^"]*)"', answer.text)
    assert seen is not None
    again = site.post(f"{HOME}/1/decision", data=hidden | mine | {"seen": seen[1]}, follow_redirects=False)
    assert again.status_code == 303
    assert gate.read(1).draft.outcome.reasons == "Les miennes"


def test_the_team_asks_and_says_its_view_and_the_coach_reads_it(gate: Gate, site: TestClient) -> None:
    be(site, gate, gate.camille)
    assert post(site, HOME, planned_on="2026-12-10")[1] == f"{HOME}/1"
    assert "aucun coach ne s’en est encore saisi" in page(site, f"{HOME}/1")
    assert post(site, f"{HOME}/1/equipe", **{"answer-sponsor": "partly", "comment-sponsor": "Un accord oral."})[0] == 303
    assert page(site, f"{HOME}/1/criteres", 403)
    assert post(site, f"{HOME}/1/signature", where=HOME)[0] == 403
    site.cookies.clear()
    be(site, gate, gate.noor)
    assert "Un accord oral." in page(site, f"{HOME}/1/criteres")
    assert "L’équipe demande sa revue." in page(site, "/mes-produits")


def test_strangers_read_and_write_nothing(gate: Gate, site: TestClient) -> None:
    review = gate.ready()
    be(site, gate, gate.anne)
    assert "Le problème est réel." in page(site, f"{HOME}/{review}/signature")
    assert page(site, f"{HOME}/{review}/decision", 403)
    assert post(site, f"{HOME}/{review}/decision", where=HOME, reasons="À moi")[0] == 403
    assert post(site, HOME, where="/mes-produits")[0] == 403


@pytest.mark.parametrize("address", [f"{HOME}/99", f"{HOME}/99999999999999", "/produits/inconnu/revues", f"{HOME}/1/nulle-part",
                                     "/calendrier/abc.ics", "/calendrier/abc", "/produits/inconnu/revues.ics",
                                     f"{HOME}/1/proces-verbal.json"])  # fmt: skip
def test_addresses_that_name_nothing_say_so(gate: Gate, site: TestClient, address: str) -> None:
    gate.open()
    be(site, gate, gate.noor)
    assert site.get(address).status_code == 404


def test_markup_in_names_and_reasons_stays_text(gate: Gate, site: TestClient) -> None:
    review = gate.ready()
    gate.answer(review, Answer.YES, "<script>alert(1)</script> \"'🎈 مرحبا")
    be(site, gate, gate.noor)
    for address in (f"{HOME}/{review}", f"{HOME}/{review}/criteres", f"{HOME}/{review}/signature"):
        assert "<script>alert(1)" not in site.get(address).text
        assert "&lt;script&gt;alert(1)" in site.get(address).text


def test_dates_go_into_calendars_once_or_by_a_secret_address(gate: Gate, site: TestClient) -> None:
    gate.sign(gate.ready(ADVANCE))
    be(site, gate, gate.noor)
    once = site.get("/mes-produits.ics")
    assert once.headers["content-type"].startswith("text/calendar")
    assert "Nommer un DPO" in once.text
    shown = post(site, "/mes-produits/calendrier", where="/mes-produits")[2]
    address = re.search(r"/calendrier/[\w-]+\.ics", shown)
    assert address is not None
    site.cookies.clear()
    assert "Nommer un DPO" in site.get(address[0]).text
    be(site, gate, gate.noor)
    post(site, "/mes-produits/calendrier", where="/mes-produits")
    site.cookies.clear()
    assert site.get(address[0]).status_code == 404, "a new address closes the one before"


def test_a_signed_review_is_superseded_through_its_page(gate: Gate, site: TestClient) -> None:
    gate.sign(gate.ready())
    be(site, gate, gate.noor)
    assert post(site, f"{HOME}/1/remplacement", where=f"{HOME}/1")[1] == f"{HOME}/2"
    gate.decide(2, CONTINUE)
    assert post(site, f"{HOME}/2/signature")[1] == f"{HOME}/2"
    assert gate.read(1).state is ReviewState.SUPERSEDED
    assert "Cette décision ne vaut plus" in page(site, f"{HOME}/1")
    assert "Investigation" in page(site, "/produits/aides")


def test_a_condition_is_met_through_the_minutes(gate: Gate, site: TestClient) -> None:
    gate.sign(gate.ready())
    be(site, gate, gate.noor)
    assert "En retard depuis le 1er septembre 2026" in page(site, f"{HOME}/1")
    assert post(site, "/produits/aides/conditions/1", where=f"{HOME}/1", met_on="2026-11-23", note="Nommée")[0] == 303
    assert "Levée le 23 novembre 2026" in page(site, f"{HOME}/1")
    assert post(site, "/produits/aides/conditions/1", where=f"{HOME}/1", met_on="2030-01-01", note="Nommée", reopen="")[0] == 409
    assert post(site, "/produits/aides/conditions/1", where=f"{HOME}/1", reopen="1")[0] == 303
    assert post(site, "/produits/aides/conditions/1", where=f"{HOME}/1", met_on="2030-01-01", note="Nommée")[0] == 422


def test_what_was_typed_of_a_condition_or_a_day_comes_back(gate: Gate, site: TestClient) -> None:
    be(site, gate, gate.noor)
    status, _place, shown = post(site, HOME, planned_on="31/02/2026")
    assert (status, 'value="31/02/2026"' in shown) == (422, True)
    gate.sign(gate.ready())
    status, _place, shown = post(site, "/produits/aides/conditions/1", where=f"{HOME}/1", met_on="31/02/2026", note="Nommée hier")
    assert status == 422
    assert 'value="31/02/2026"' in shown
    assert 'value="Nommée hier"' in shown


def test_a_calendar_survives_the_last_day_that_there_is(gate: Gate, site: TestClient) -> None:
    gate.sign(gate.ready())
    with gate.database.write() as session:
        session.execute(sa.update(ConditionRow).values(due_on=date.max))
    be(site, gate, gate.noor)
    assert "99991231" in site.get("/mes-produits.ics").text


def test_fields_that_no_form_has_break_nothing(gate: Gate, site: TestClient) -> None:
    gate.open()
    be(site, gate, gate.noor)
    odd = {"name-x": "A", "name-99999999": "B", "condition-": "C", "name--1": "D", "name-²": "E"}
    assert post(site, f"{HOME}/1/comite", **odd)[0] == 303
    assert post(site, f"{HOME}/1/decision", **odd)[0] == 303


def test_marks_that_turn_a_text_around_are_taken_out(gate: Gate, site: TestClient) -> None:
    gate.open()
    be(site, gate, gate.noor)
    post(site, f"{HOME}/1/decision", reasons="\u202eLes\u200b raisons\x00")
    assert gate.read(1).draft.outcome.reasons == "Les raisons"


def test_minutes_say_when_phases_were_corrected_since_and_offer_no_vain_review(gate: Gate, site: TestClient) -> None:
    gate.sign(gate.ready())
    with gate.database.write() as session:
        starts = [(Stage.INVESTIGATION, JANUARY, Mark.KNOWN), (Stage.STOPPED, TODAY, Mark.KNOWN)]
        correct_stays(session, gate.noor, "aides", version_of(session, gate.product), starts, "Abandon", gate.clock.now(), TODAY)
    be(site, gate, gate.noor)
    shown = page(site, f"{HOME}/1")
    assert "ont été corrigées depuis" in shown
    assert "Préparer une revue qui la remplace" not in shown
