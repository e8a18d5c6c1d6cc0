"""docs/api.md keeps its promises: each line of it is run."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import curl
from fabrique.cli.people import token_group

if TYPE_CHECKING:
    from help.conftest import Documented

TEXT = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text("utf-8")


def lines() -> list[str]:
    """Each command of the page."""
    blocks = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    return [line for block in blocks for line in re.findall(r"(?:.*\\\n)*.+", block)]


def test_each_curl_line_is_answered(documented_on_both: Documented) -> None:
    answers = {
        line: curl.run(documented_on_both.made, line, {"FABRIQUE_TOKEN": documented_on_both.token})
        for line in lines()
        if line.startswith("curl")
    }
    assert len(answers) >= 8
    assert {line: answer.text for line, answer in answers.items() if answer.status_code != 200} == {}
    lists = [answer.json() for line, answer in answers.items() if "/products?" in line]
    assert len(lists) >= 2
    assert all("demo-toit-clair" in [found["slug"] for found in one["items"]] for one in lists)


def test_the_token_is_made_as_told() -> None:
    (line,) = [one for one in lines() if one.startswith("fabrique")]
    words = shlex.split(line)
    assert words[:3] == ["fabrique", "token", "make"]
    command = token_group.commands["make"]
    command.make_context("make", words[3:])  # raises where an option is not known


def test_every_address_of_the_description_is_on_the_page(documented: Documented) -> None:
    for path in documented.description["paths"]:
        assert re.search(re.sub(r"{\w+}", r"[\\w-]+", path) + r'["?]', TEXT), path


def test_a_refusal_looks_as_shown(documented: Documented) -> None:
    shown = json.loads(re.search(r"```json\n(.*?)\n```", TEXT, re.DOTALL)[1])  # type: ignore[index]
    answer = documented.call("PUT", "/api/experiments/demo-aide-claire/counts", documented.token, json={}).json()
    assert list(answer) == list(shown)
    assert (answer["title"], answer["status"], answer["type"]) == (shown["title"], shown["status"], shown["type"])
