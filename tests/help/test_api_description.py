"""The API's description says what the API does: each example runs, each refusal is as told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from litestar import Litestar, get, post
from openapi_spec_validator import validate

import curl
from fabrique.accounts.rules import Permission
from fabrique.app import RouteWithoutPermission, require_permissions
from fabrique.help.reference import reference
from fabrique.language import speaking
from factories import client, sign_in
from help.conftest import fill

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database
    from help.conftest import Documented

OPERATIONS = {
    "list_products", "one_product", "list_incubators", "list_organisations", "programme", "one_experiment", "put_counts",
    "list_reviews", "one_record",
}  # fmt: skip
"""Programs know them by these names: one is added, none renamed."""
SAME_IN_BOTH = {"API", "Organisations"}


def operations(description: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, one) for path, item in description["paths"].items() for method, one in item.items()]


def shape(description: dict[str, Any], operation: dict[str, Any], status: str, media_type: str) -> Draft202012Validator:
    """What an answer must look like."""
    answer = operation["responses"][status]
    if "$ref" in answer:
        answer = description["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return Draft202012Validator({**answer["content"][media_type]["schema"], "components": description["components"]})


def example_path(path: str, operation: dict[str, Any]) -> str:
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(next(iter(one["examples"].values()))["value"]))
    return path


def test_the_description_keeps_its_own_standard(documented: Documented) -> None:
    description = documented.description
    assert description["openapi"].startswith("3.1")
    validate(description)
    assert documented.made.get("/schema").json() == description


def test_it_describes_the_api_and_no_page(documented: Documented) -> None:
    description = documented.description
    assert {one["operationId"] for _path, _method, one in operations(description)} == OPERATIONS
    assert all(path.startswith("/api/") for path in description["paths"])


def test_each_operation_says_what_it_is_for_who_may_and_how_it_refuses(documented: Documented) -> None:
    for path, _method, one in operations(documented.description):
        assert one["summary"], path
        assert one["description"], path
        assert one["security"][0]["token"], path
        assert {"200", "401", "403"} <= set(one["responses"]), path
        assert "400" not in one["responses"]
        assert ("404" in one["responses"]) is ("{" in path)
        for parameter in one.get("parameters", ()):
            assert parameter["description"], (path, parameter["name"])


def test_every_text_of_it_is_said_in_french(documented: Documented) -> None:
    def texts(language: str) -> list[str]:
        with speaking(language):
            page = reference(documented.description, "http://fabrique.test")
        found = [page.about]
        for one in page.operations:
            found += [
                one.summary,
                one.description,
                *(a.description for a in one.answers),
                *(p.description for p in one.parameters),
            ]
        return found + [field.description for shape in page.shapes for field in shape.fields]

    same = [english for english, french in zip(texts("en"), texts("fr"), strict=True) if english == french and english]
    assert not set(same) - SAME_IN_BOTH


def test_each_documented_line_does_what_it_says(documented_on_both: Documented) -> None:
    description = documented_on_both.description
    page = reference(description, "http://fabrique.test")
    for one in page.operations:
        answer = curl.run(documented_on_both.made, one.curl, {"FABRIQUE_TOKEN": documented_on_both.token})
        assert answer.status_code == 200, (one.curl, answer.text)
        told = description["paths"][one.path][one.method.lower()]
        shape(description, told, "200", "application/json").validate(answer.json())


def test_without_a_token_an_answer_is_401_and_says_what_is_needed(documented: Documented) -> None:
    description = documented.description
    for path, method, one in operations(description):
        for token in ("", "fab_faux", "é"):
            headers = {"authorization": f"Bearer {token}".encode()} if token else {}
            answer = documented.made.request(method, example_path(path, one), headers=headers, follow_redirects=False)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"
            shape(description, one, "401", "application/problem+json").validate(answer.json())


def test_a_token_without_the_scope_is_refused(documented: Documented) -> None:
    description = documented.description
    for path, method, one in operations(description):
        scope = one["security"][0]["token"][0]
        token = documented.writing if scope == "read" else documented.reading
        answer = documented.call(method, example_path(path, one), token)
        assert answer.status_code == 403, path
        shape(description, one, "403", "application/problem+json").validate(answer.json())


def test_a_signed_in_person_reads_and_does_not_write(documented: Documented, sqlite: Database, clock: FixedClock) -> None:
    sign_in(documented.made, sqlite, clock)
    for path, method, one in operations(documented.description):
        answer = documented.call(method, example_path(path, one))
        by_session = any("session" in way for way in one["security"])
        assert by_session is (method == "get")
        assert answer.status_code in ({200} if by_session else {401, 403}), (path, answer.text)


def test_a_wrong_token_is_not_made_good_by_a_session(documented: Documented, sqlite: Database, clock: FixedClock) -> None:
    sign_in(documented.made, sqlite, clock)
    assert documented.call("GET", "/api/experiments/demo-aide-claire").status_code == 200
    assert documented.call("GET", "/api/experiments/demo-aide-claire", "fab_faux").status_code == 401


def test_what_a_session_opens_is_for_reading_alone() -> None:
    @post("/api/x", permission=Permission.READ_API, sync_to_thread=False)
    def written() -> None: ...

    @get("/api/y", permission=Permission.READ_API, sync_to_thread=False)
    def read() -> None: ...

    with pytest.raises(RouteWithoutPermission, match="/api/x"):
        require_permissions(Litestar([written], openapi_config=None))
    require_permissions(Litestar([read], openapi_config=None))


def test_what_is_not_there_is_told_as_everywhere(documented: Documented) -> None:
    description = documented.description
    for path, method, one in operations(description):
        if "{" not in path:
            continue
        sent = {"json": next(iter(bodies(one)), None)} if bodies(one) else {}
        answer = documented.call(method, re.sub(r"{\w+}", "absent", path), documented.token, **sent)
        assert answer.status_code == 404, path
        shape(description, one, "404", "application/problem+json").validate(answer.json())
    assert documented.call("GET", "/api/nulle-part", documented.token).json()["status"] == 404
    page = documented.made.get("/schema/autre")
    assert page.status_code == 404
    assert '<html lang="fr"' in page.text
    assert "Error 404" not in page.text


def bodies(operation: dict[str, Any]) -> list[Any]:
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("examples", [])


def test_a_body_that_is_not_as_described_is_told_where(documented: Documented) -> None:
    address = "/api/experiments/demo-aide-claire/counts"
    for body, where in (({}, "rows"), ({"rows": "x"}, "rows"), ({"rows": [1]}, "rows[0]"), ({"rows": [{"n": [1]}]}, "rows[0]")):
        answer = documented.call("PUT", address, documented.token, json=body)
        assert answer.status_code == 422
        assert "JSON" in answer.json()["detail"]
        assert where in answer.json()["errors"][0]


@given(st.data())
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_no_address_breaks_what_reads(shared: Documented, data: st.DataObject) -> None:
    """Whatever is put in the address, the answer is one that the description knows."""
    readable = [(path, one) for path, method, one in operations(shared.description) if method == "get"]
    path, one = data.draw(st.sampled_from(readable))
    names = [parameter["name"] for parameter in one.get("parameters", ()) if parameter["in"] == "query"]
    odd = st.one_of(
        st.sampled_from(["0", "-1", "1", "99999999999999999999", "x", "", "é", "null", "1.5", "%00"]), st.text(max_size=20)
    )
    params = {name: data.draw(odd) for name in data.draw(st.lists(st.sampled_from(names), unique=True))} if names else {}
    segment = st.text(st.characters(exclude_characters="/", exclude_categories=("Cs",)), min_size=1, max_size=20).filter(
        lambda text: text not in {".", ".."}
    )
    path = re.sub(r"{\w+}", lambda _found: quote(data.draw(segment), safe=""), path)
    answer = shared.call("GET", path, shared.token, params=params)
    assert str(answer.status_code) in one["responses"], (path, params, answer.text)
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_null_character_breaks_neither_database(documented_on_both: Documented) -> None:
    for path, method, one in operations(documented_on_both.description):
        if method == "get" and "{" in path:
            assert documented_on_both.call("GET", re.sub(r"{\w+}", "a%00b", path), documented_on_both.token).status_code in {
                404,
                422,
            }
        names = [parameter["name"] for parameter in one.get("parameters", ()) if parameter["in"] == "query"]
        for name in names if method == "get" else ():
            answer = documented_on_both.call("GET", f"{path}?{name}=%00", documented_on_both.token)
            assert answer.status_code in {200, 422}, (path, name)


@pytest.fixture
def shared(documented: Documented) -> Documented:
    return documented


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_shows_each_operation_to_anybody(sqlite: Database, clock: FixedClock, language: str) -> None:
    fill(sqlite, clock)
    with client(sqlite, clock) as made:
        made.cookies.set("language", language)
        answer = made.get("/aide/api")
        description = made.get("/schema/openapi.json").json()
    assert answer.status_code == 200
    for path, method, one in operations(description):
        assert f"<code>{method.upper()} {path}</code>" in answer.text
        assert f'id="{one["operationId"]}"' in answer.text
    assert "curl -H" in answer.text
    assert re.findall(r'href="#([\w-]+)"', answer.text)
    for anchor in re.findall(r'href="#([\w-]+)"', answer.text):
        assert f'id="{anchor}"' in answer.text, anchor
    assert "http://fabrique.test/api/experiments/demo-aide-claire" in answer.text
