"""Plans: every fault at once with its path, one hash however they are written, and nothing lost between file, page and file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.sample import DOCUMENT, plan_document
from fabrique.experiments.data.writing import plan_text
from fabrique.experiments.forms import STEPS, shown, written_into
from fabrique.experiments.plan.canonical import canonical, differences, normalised, plan_hash
from fabrique.experiments.plan.reading import PlanFaulty, plan_from, read
from fabrique.language import speaking

EXAMPLES = sorted((Path(__file__).parents[2] / "experiments").glob("*/plan.toml"))


def faults(document: dict[str, Any]) -> list[str]:
    with speaking("en"):
        return [str(one) for one in read(document)[1]]


def test_a_sound_plan_has_no_fault() -> None:
    assert faults(DOCUMENT) == []


def test_every_fault_is_told_at_once_with_the_path_of_its_key() -> None:
    document = plan_document(
        title=None,
        design__planned_end="2026-01-01",
        arms__1__weight=-1,
        metrics__primary__baseline=60,
        metrics__guardrails=[
            {"key": "a", "type": "binary", "better": "higher", "non_inferiority_margin": 0.1},
            {"key": "b", "type": "mean", "better": "lower"},
        ],
        analysis__spendng="pocock",
    )
    assert set(faults(document)) == {
        "title: missing",
        "design.planned_end: lies before the first day",
        "arms[1].weight: cannot be negative",
        "metrics.primary.baseline: must lie between 0 and 100 % (0 and 1 in a file)",
        "metrics.guardrails[1].non_inferiority_margin: missing",
        "analysis.spendng: unknown; did you mean spending?",
    }


FALLING = {"analysis__looks": "group_sequential", "analysis__information_fractions": [0.5, 0.4, 1]}


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"metrics__guardrails__0__non_inferiority_margin": -0.05}, "metrics.guardrails[0].non_inferiority_margin", "positive"),
        ({"metrics__guardrails__0__non_inferiority_margin": 0}, "metrics.guardrails[0].non_inferiority_margin", "positive"),
        ({"metrics__guardrails__0__better": None}, "metrics.guardrails[0].better", "missing"),
        ({"metrics__guardrails__0__key": "venus"}, "metrics.guardrails[0].key", "twice"),
        ({"metrics__guardrails__0__key": "exposure"}, "metrics.guardrails[0].key", "exposure"),
        ({"arms__1__key": "temoin"}, "arms[1].key", "twice"),
        ({"arms__0__weight": 0, "arms__1__weight": 0}, "arms", "above zero"),
        ({"arms": [{"key": "a", "weight": 0}, {"key": "b", "weight": 1}, {"key": "c", "weight": 1}]}, "arms[0].weight", "control"),
        ({"arms": []}, "arms", "at least 2"),
        ({"metrics__primary__mde_abs": 0.5}, "metrics.primary.mde_abs", "range"),
        ({"metrics__primary__mde_abs": "beaucoup"}, "metrics.primary.mde_abs", "number"),
        ({"metrics__primary__type": "share"}, "metrics.primary.type", "binary"),
        ({"analysis__looks": "group_sequential"}, "analysis.information_fractions", "missing"),
        (FALLING, "analysis.information_fractions", "rise"),
        ({"analysis__information_fractions": [0.5, 1]}, "analysis.information_fractions", "group_sequential"),
        ({"analysis__alpha": 5}, "analysis.alpha", "out of range"),
        ({"sample__n_per_arm": None}, "sample.n_per_arm", "missing"),
        ({"sample__n_per_arm": 10.5}, "sample.n_per_arm", "whole"),
        ({"design__kind": "ab_cluster"}, "design.cluster", "missing"),
        ({"design__kind": "pilot_single_arm"}, "decision.pilot_criteria", "missing"),
        ({"design__start": "le 3 mars"}, "design.start", "date"),
        ({"schema": 2}, "schema", "schema 1"),
        ({"slug": "Un Slug"}, "slug", "small letters"),
        ({"metrics": "beaucoup"}, "metrics", "table"),
        ({"hypothesis__if": ""}, "hypothesis.if", "missing"),
        ({"title": "x" * 5000}, "title", "4,000"),
        ({"design__randomised": "peut-être"}, "design.randomised", "true or false"),
    ],
)  # fmt: skip
def test_a_bent_plan_is_told_in_words(changes: dict[str, Any], path: str, words: str) -> None:
    found = faults(plan_document(**changes))
    assert any(one.startswith(f"{path}: ") and words in one for one in found), found


KEYS = st.sampled_from(["schema", "metrics", "primary", "arms", "key", "design", "kind", "analysis", "x"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


def nested(inner: Any) -> Any:
    return st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5)


@given(st.recursive(LEAVES, nested, max_leaves=12))
def test_whatever_document_is_read_there_is_an_answer_and_never_a_traceback(document: Any) -> None:
    top = document if isinstance(document, dict) else {"metrics": document}
    assert read(top)[1]


@pytest.mark.parametrize(
    ("key", "text"), [("spending", "O'Brien-Fleming"), ("missing", "complete-case"), ("correction", "Benjamini-Hochberg")]
)
def test_a_choice_may_be_written_as_people_write_it(key: str, text: str) -> None:
    assert faults(plan_document(**{f"analysis__{key}": text})) == []


def test_the_hash_does_not_depend_on_how_the_plan_is_written() -> None:
    again = {key: DOCUMENT[key] for key in reversed(DOCUMENT)}
    again["sample"] = {"n_per_arm": 600.0, "expected_per_day": 24, "min_days": 14}
    again["design"] = {**DOCUMENT["design"], "start": "2026-09-07", "season": ""}
    assert plan_hash(again) == plan_hash(DOCUMENT)


def test_the_hash_depends_on_every_value() -> None:
    assert plan_hash(plan_document(metrics__primary__mde_abs=0.081)) != plan_hash(DOCUMENT)
    assert plan_hash(plan_document(title="Un SMS rappelle le rendez-vous.")) != plan_hash(DOCUMENT)


def test_differences_name_each_key_with_both_values() -> None:
    found = differences(DOCUMENT, plan_document(metrics__primary__mde_abs=0.1, sample__min_days=None))
    assert [(one.path, one.old, one.new) for one in found] == [
        ("metrics.primary.mde_abs", 0.08, 0.1),
        ("sample.min_days", 14, None),
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_a_plan_goes_from_file_to_page_to_file_without_loss(path: Path) -> None:
    document = normalised(tomllib.loads(path.read_text("utf-8")))
    assert normalised(tomllib.loads(plan_text(document))) == document
    page = document
    for step in STEPS:
        page = written_into(page, fields_of(page), step)
    assert canonical(page) == canonical(document)


def fields_of(document: dict[str, Any]) -> dict[str, str]:
    """Every field that a page would send of this plan."""

    def leaves(value: Any, path: str) -> list[str]:
        if isinstance(value, dict):
            return [leaf for key, one in value.items() for leaf in leaves(one, f"{path}.{key}" if path else key)]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [leaf for index, one in enumerate(value) for leaf in leaves(one, f"{path}[{index}]")]
        return [path]

    return {path: shown(document, path) for path in leaves(document, "") if path not in {"schema", "slug", "product"}}


def test_a_form_writes_percents_as_shares_and_names_what_has_no_key() -> None:
    form = {
        "metrics.primary.name": "Démarche achevée",
        "metrics.primary.key": "",
        "metrics.primary.type": "binary",
        "metrics.primary.better": "higher",
        "metrics.primary.baseline": "14,5 %",
        "metrics.primary.mde_abs": "2",
        "metrics.guardrails[0].type": "binary",
        "metrics.guardrails[0].better": "higher",
    }
    step = next(one for one in STEPS if one.key == "indicateurs")
    made = written_into({}, form, step)["metrics"]
    assert made == {
        "primary": {
            "name": "Démarche achevée", "key": "demarche_achevee", "type": "binary", "better": "higher", "baseline": 0.145, "mde_abs": 0.02,
        }
    }  # fmt: skip


def test_two_arms_of_one_name_get_keys_of_their_own_and_an_emptied_name_takes_a_row_away() -> None:
    step = next(one for one in STEPS if one.key == "comparaison")
    form = {
        f"arms[{place}].{key}": text for place in range(2) for key, text in (("name", "Témoin"), ("key", ""), ("weight", "1"))
    }
    made = written_into({}, form, step)
    assert [one["key"] for one in made["arms"]] == ["temoin", "temoin_2"]
    emptied = {**form, "arms[0].key": "temoin", "arms[1].key": "temoin_2", "arms[1].name": ""}
    assert [one["key"] for one in written_into(made, emptied, step)["arms"]] == ["temoin"]


def test_a_number_that_cannot_be_read_stays_in_the_plan_and_is_told() -> None:
    step = next(one for one in STEPS if one.key == "taille")
    made = written_into(DOCUMENT, {"sample.n_per_arm": "six cents"}, step)
    assert made["sample"]["n_per_arm"] == "six cents"
    assert "sample.n_per_arm: a number was expected" in faults(made)


def test_a_faulty_plan_cannot_be_taken_for_a_sound_one() -> None:
    with pytest.raises(PlanFaulty) as caught:
        plan_from(plan_document(title=None, legal_basis=None))
    assert len(caught.value.faults) == 2
