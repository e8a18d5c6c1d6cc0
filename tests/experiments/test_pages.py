"""Pages and API of experiments, as a browser or a program meets them."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from experiments.sample import counts, plan_document, rows
from fabrique.accounts.actions import make_token, open_session, revoke_token
from fabrique.experiments import queries
from fabrique.experiments.actions import collecting, looking, plans
from fabrique.experiments.data.reading import table_from_text
from fabrique.experiments.forms import STEPS
from fabrique.experiments.sheet import run_again
from factories import client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar.testing import TestClient

    from fabrique.accounts.rules import Person
    from fabrique.clock import FixedClock
    from fabrique.database import Database

PAGES = [
    "",
    "/plan/hypothese",
    "/plan/comparaison",
    "/plan/indicateurs",
    "/plan/taille",
    "/plan/relecture",
    "/mesures",
    "/ecarts",
]


@contextmanager
def browser(database: Database, clock: FixedClock, person: Person, language: str = "fr") -> Iterator[TestClient]:
    """A browser in which a person is signed in."""
    with client(database, clock) as made:
        with database.write(visible=False) as session:
            opened = open_session(session, person.id, clock.now(), timedelta(hours=8))
        made.cookies.set("session", opened.token)
        made.cookies.set("language", language)
        yield made


def csrf(made: TestClient) -> str:
    found = re.search(r'name="_csrf" value="([^"]+)"', made.get("/essais").text)
    assert found is not None
    return found[1]


def send(made: TestClient, address: str, **fields: str) -> Any:
    return made.post(address, data={"_csrf": csrf(made), **fields}, follow_redirects=False)


def run_through(database: Database, clock: FixedClock, person: Person, slug: str) -> None:
    """Figures, closing, analysis."""
    text = counts(0.6, 0.7, satisfied=(0.8, 0.83))
    with database.write() as session:
        collecting.record_counts(session, person, slug, [table_from_text("t", text)], "t", clock.now())
        collecting.close(session, person, slug, clock.now().date(), clock.now())
        looking.analyse_now(session, person, slug, clock.now(), clock.now().date())


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_page_answers_at_each_moment_of_an_experiments_life(
    database: Database, clock: FixedClock, camille: Person, registered: str, language: str
) -> None:
    with browser(database, clock, camille, language) as made:
        for page in PAGES:
            answer = made.get(f"/essais/{registered}{page}")
            assert answer.status_code == 200, (page, answer.text)
            assert f'<html lang="{language}"' in answer.text
        run_through(database, clock, camille, registered)
        for page in PAGES:
            assert made.get(f"/essais/{registered}{page}").status_code == 200, page
        for page in (
            f"/essais/{registered}/rapport",
            f"/essais/{registered}/decision",
            "/pratiques",
            "/essais?etat=analysed&q=sms",
        ):
            assert made.get(page).status_code == 200, page


def test_what_does_not_exist_is_told_and_not_guessed(
    database: Database, clock: FixedClock, camille: Person, written: str
) -> None:
    with browser(database, clock, camille) as made:
        for page in ("/essais/rien", f"/essais/{written}/plan/rien", f"/essais/{written}/rapport", "/essais?etat=rien", "/pratiques/rien",
                     f"/essais/{written}/fichiers/rien.csv", f"/essais/{written}/fichiers/mesures.csv"):  # fmt: skip
            assert made.get(page).status_code == 404, page
        assert send(made, f"/essais/{written}/etapes/rien").status_code == 404


def test_a_wizard_step_keeps_what_was_written_even_when_it_is_wrong(
    database: Database, clock: FixedClock, camille: Person, written: str
) -> None:
    with browser(database, clock, camille) as made:
        answer = send(made, f"/essais/{written}/plan/taille", **{"version": "1", "sample.n_per_arm": "beaucoup", "stay": "1"})
        assert answer.status_code == 303
        page = made.get(f"/essais/{written}/plan/taille").text
        assert 'value="beaucoup"' in page
        assert "un nombre était attendu" in page
        assert send(made, f"/essais/{written}/etapes/submit").status_code == 422


def test_one_more_row_is_a_button_that_needs_no_script_and_saves_nothing(
    database: Database, clock: FixedClock, camille: Person, written: str
) -> None:
    with browser(database, clock, camille) as made:
        answer = send(made, f"/essais/{written}/plan/indicateurs", version="1", add="metrics.guardrails",
                      **{"metrics.primary.name": "Venus", "metrics.guardrails[0].name": "Satisfaits"})  # fmt: skip
    assert answer.status_code == 200
    assert 'name="metrics.guardrails[1].name"' in answer.text
    with database.read() as session:
        assert queries.experiment(session, written).version == 1


def test_a_plan_saved_meanwhile_by_somebody_else_is_not_overwritten_and_ones_own_text_stays_on_the_page(
    database: Database, clock: FixedClock, camille: Person, noor: Person, written: str
) -> None:
    with database.write() as session:
        plans.save(session, noor, written, plan_document(title="Celui de Noor"), 1, clock.now())
    with browser(database, clock, camille) as made:
        answer = send(made, f"/essais/{written}/plan/hypothese", version="1", title="Celui de Camille")
    assert answer.status_code == 409
    assert 'value="Celui de Camille"' in answer.text
    assert "entre-temps" in answer.text


def test_the_size_is_told_while_one_writes(database: Database, clock: FixedClock, camille: Person, written: str) -> None:
    with browser(database, clock, camille) as made:
        answer = send(made, f"/essais/{written}/taille", **{"sample.n_per_arm": "60", "sample.expected_per_day": "20"})
    assert answer.status_code == 200
    assert "564" in answer.text
    assert "Un test statistique n’est pas l’outil" in answer.text.replace("\u00a0", " ")


def test_refused_figures_stay_in_the_form_with_every_fault(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    bad = rows("2026-09-07,sms,venus,10,12", "2026-09-07,autre,venus,10,1")
    with browser(database, clock, camille) as made:
        answer = send(made, f"/essais/{registered}/mesures", kind="counts", text=bad)
        assert answer.status_code == 422
        assert "2026-09-07,sms,venus,10,12" in answer.text
        assert answer.text.count("ligne 2") == 1
        assert answer.text.count("ligne 3") == 1
        assert send(made, f"/essais/{registered}/mesures", kind="autre", text="x").status_code == 404
        assert send(made, f"/essais/{registered}/mesures", kind="counts", text="x\x00").status_code == 422


def test_the_small_form_records_a_day_and_a_file_does_too(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    fields = {"date": "2026-09-07", "venus:sms:n": "12", "venus:sms:x": "7", "venus:temoin:n": "12", "venus:temoin:x": "6"}
    with browser(database, clock, camille) as made:
        assert "2 nouvelles lignes" in send(made, f"/essais/{registered}/mesures", **fields).text
        file = {"file": ("jour.csv", rows("2026-09-08,sms,venus,12,8").encode("utf-8-sig"), "text/csv")}
        answer = made.post(f"/essais/{registered}/fichier", data={"_csrf": csrf(made), "kind": "counts"}, files=file)
        assert "1 nouvelle ligne" in answer.text
        empty = made.post(f"/essais/{registered}/fichier", data={"_csrf": csrf(made), "kind": "counts"},
                          files={"file": ("", b"", "text/csv")})  # fmt: skip
        assert empty.status_code == 422
    with database.read() as session:
        found = queries.experiment(session, registered)
        assert len(queries.data_of(session, found.id, found.plan).counts) == 3


def test_no_effect_is_on_any_page_before_the_plan_allows_it(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    with database.write() as session:
        collecting.record_counts(
            session, camille, registered, [table_from_text("t", counts(0.6, 0.9, days=10))], "t", clock.now()
        )
    with browser(database, clock, camille) as made:
        page = made.get(f"/essais/{registered}").text
    assert "points" not in page.split("Santé des données")[1].split("Le plan")[0]
    assert "120" in page


def test_the_downloads_are_the_plan_the_figures_and_a_sheet_that_runs_again(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    run_through(database, clock, camille, registered)
    with browser(database, clock, camille) as made:
        sheet = json.loads(made.get(f"/essais/{registered}/fichiers/calcul.json").content)
        assert run_again(sheet) == sheet
        report = made.get(f"/essais/{registered}/fichiers/rapport.csv").text
        assert report.splitlines()[1].startswith("primary,venus,sms,600")
        assert made.get(f"/essais/{registered}/fichiers/plan.toml").text.startswith("schema = 1")


def test_a_stranger_to_the_product_reads_and_changes_nothing(
    database: Database, clock: FixedClock, stranger: Person, registered: str
) -> None:
    with browser(database, clock, stranger) as made:
        assert made.get(f"/essais/{registered}").status_code == 200
        assert made.get(f"/essais/{registered}/plan/hypothese").status_code == 403
        for address, fields in (("plan/hypothese", {}), ("etapes/start", {}), ("mesures", {"text": "x"}), ("ecarts", {"known": "no"}),
                                ("decision", {"choice": "stop"}), ("taille", {})):  # fmt: skip
            assert send(made, f"/essais/{registered}/{address}", **fields).status_code == 403, address


def token(database: Database, clock: FixedClock, person: Person, *scopes: str, days: int = 1) -> str:
    with database.write() as session:
        (product,) = person.products
        return make_token(session, f"{person.name.lower()}@exemple.invalid", product, scopes, "test", days, clock.now())


def call(made: TestClient, method: str, address: str, key: str, **kwargs: Any) -> Any:
    return made.request(method, f"/api/experiments/{address}", headers={"authorization": f"Bearer {key}"}, **kwargs)


ROW = {"date": "2026-09-07", "arm": "sms", "metric": "venus", "n": 12, "x": 7}


def test_a_program_puts_counts_in_and_the_same_again_changes_nothing(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    key = token(database, clock, camille, "observations:write", "read")
    with client(database, clock) as made:
        assert call(made, "PUT", f"{registered}/counts", key, json={"rows": [ROW]}).json() == {
            "new": 1,
            "corrected": 0,
            "unchanged": 0,
        }
        assert call(made, "PUT", f"{registered}/counts", key, json={"rows": [ROW]}).json()["unchanged"] == 1
        assert call(made, "PUT", f"{registered}/counts", key, json={"rows": [{**ROW, "x": 8}]}).json()["corrected"] == 1
        assert call(made, "GET", registered, key).json()["state"] == "running"


def test_faults_come_back_as_problem_details_one_sentence_each(
    database: Database, clock: FixedClock, camille: Person, registered: str
) -> None:
    key = token(database, clock, camille, "observations:write")
    with client(database, clock) as made:
        answer = call(made, "PUT", f"{registered}/counts", key, json={"rows": [{**ROW, "x": 70}, {**ROW, "arm": "autre"}]})
        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert len(answer.json()["errors"]) == 2
        for body in ({}, {"rows": []}, {"rows": "x"}, {"rows": [1]}):
            assert call(made, "PUT", f"{registered}/counts", key, json=body).status_code == 422, body
        for content in (b"{", b"", b"[]", b"[" * 100_000):
            broken = call(made, "PUT", f"{registered}/counts", key, content=content)
            assert broken.status_code == 422, content[:10]
            assert "JSON" in broken.json()["detail"] or "rows" in broken.json()["detail"], broken.text


def test_a_token_does_what_its_scope_its_product_and_its_life_allow_and_nothing_else(
    database: Database, clock: FixedClock, camille: Person, stranger: Person, registered: str
) -> None:
    reading, other = token(database, clock, camille, "read"), token(database, clock, stranger, "read", "observations:write")
    with client(database, clock) as made:
        assert call(made, "PUT", f"{registered}/counts", reading, json={"rows": [ROW]}).status_code == 403
        assert call(made, "PUT", f"{registered}/counts", other, json={"rows": [ROW]}).status_code == 403
        assert call(made, "GET", registered, "fab_faux").status_code == 401
        assert made.get(f"/api/experiments/{registered}").status_code == 401
        assert made.get("/services", headers={"authorization": f"Bearer {reading}"}, follow_redirects=False).status_code == 403
        with database.write() as session:
            assert revoke_token(session, 1, clock.now())
            assert not revoke_token(session, 1, clock.now())
        assert call(made, "GET", registered, reading).status_code == 401
        clock.advance(timedelta(days=2))
        assert call(made, "GET", registered, other).status_code == 401


def test_a_title_that_is_a_script_is_shown_as_text(database: Database, clock: FixedClock, camille: Person, written: str) -> None:
    with database.write() as session:
        plans.save(session, camille, written, plan_document(title="<script>alert(1)</script>"), 1, clock.now())
    with browser(database, clock, camille) as made:
        for page in ("/essais", f"/essais/{written}", "/produits/produit"):
            text = made.get(page).text
            assert "<script>alert" not in text
            assert "&lt;script&gt;" in text


def test_each_step_of_the_wizard_writes_parts_of_its_own() -> None:
    parts = [part for step in STEPS for part in step.parts]
    assert len(parts) == len(set(parts))
