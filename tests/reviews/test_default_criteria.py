"""What fabrique asks at each gate: stable keys, both languages, and the standards that a public service owes."""

from __future__ import annotations

import re

import pytest

from fabrique.portfolio.rules import ACTIVE, Stage
from fabrique.reviews.defaults import DEFAULT_CRITERIA, DRAW_LABELS, Draw, SeedCriterion

STANDARDS = {"accessibility", "security", "privacy", "open_source", "design_system"}
EVERY = [(stage, criterion) for stage, criteria in DEFAULT_CRITERIA.items() for criterion in criteria]


def named(value: object) -> str:
    return value.key if isinstance(value, SeedCriterion) else str(value)


def test_there_is_a_gate_out_of_each_active_stage_and_of_no_other() -> None:
    assert tuple(DEFAULT_CRITERIA) == ACTIVE


@pytest.mark.parametrize("stage", ACTIVE)
def test_a_gate_asks_six_to_eleven_questions_each_under_its_own_key(stage: Stage) -> None:
    keys = [criterion.key for criterion in DEFAULT_CRITERIA[stage]]
    assert 6 <= len(keys) <= 11
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch(r"[a-z][a-z_]{2,59}", key) for key in keys)


def test_the_keys_that_reviews_carry_have_not_changed() -> None:
    assert {stage: [criterion.key for criterion in criteria] for stage, criteria in DEFAULT_CRITERIA.items()} == {
        Stage.INVESTIGATION: [
            "problem_confirmed", "problem_size", "alternatives", "value_tried", "sponsor", "intrapreneur", "six_months",
            "obligations_foreseen",
        ],
        Stage.EXPERIMENTATION: [
            "real_use", "representative", "returning", "evidence", "satisfaction", "growth_plan", "accessibility", "security",
            "privacy", "open_source", "design_system",
        ],
        Stage.SCALE_UP: [
            "impact_growth", "acquisition_cost", "quality_holds", "trials", "reach", "operations", "accessibility", "security",
            "privacy", "open_source", "design_system",
        ],
        Stage.CONSOLIDATION: [
            "owner", "people", "funding", "impact_proven", "metrics_followed", "knowledge", "accessibility", "security",
            "privacy", "open_source", "design_system",
        ],
    }  # fmt: skip


@pytest.mark.parametrize("stage", [Stage.EXPERIMENTATION, Stage.SCALE_UP, Stage.CONSOLIDATION])
def test_every_gate_of_a_real_service_asks_for_the_standards(stage: Stage) -> None:
    assert {criterion.key for criterion in DEFAULT_CRITERIA[stage]} >= STANDARDS


def test_an_investigation_is_not_asked_for_an_audit_and_a_scale_up_is() -> None:
    def asks_for_an_audit(stage: Stage) -> bool:
        return any("audit RGAA" in criterion.label_fr for criterion in DEFAULT_CRITERIA[stage])

    assert not asks_for_an_audit(Stage.INVESTIGATION)
    assert asks_for_an_audit(Stage.SCALE_UP)


@pytest.mark.parametrize(("stage", "criterion"), EVERY, ids=named)
def test_a_criterion_is_a_question_with_help_in_both_languages(stage: Stage, criterion: SeedCriterion) -> None:
    assert criterion.label_fr.endswith("\u202f?"), stage
    assert criterion.label_en.endswith("?")
    for text in (criterion.help_fr, criterion.help_en):
        assert len(text) > 60
        assert text.endswith(".")
    assert ("règle pratique" in criterion.help_fr) == ("rule of thumb" in criterion.help_en)


@pytest.mark.parametrize(("stage", "criterion"), EVERY, ids=named)
def test_french_is_typed_as_french_is(stage: Stage, criterion: SeedCriterion) -> None:
    for text in (criterion.label_fr, criterion.help_fr):
        assert not re.search(r" [;!?:»%]|« |n° |\d (février|avril|juillet)|articles? \d", text), (
            f"{stage}: ordinary space in {text!r}"
        )
        assert "'" not in text
        assert not re.search(r"\S[;!?]", text.replace("\u202f", " ")), f"{stage}: no space in {text!r}"


@pytest.mark.parametrize(("stage", "criterion"), EVERY, ids=named)
def test_evidence_is_asked_for_once_and_has_a_name(stage: Stage, criterion: SeedCriterion) -> None:
    assert len(set(criterion.draws)) == len(criterion.draws), stage
    assert set(criterion.draws) <= DRAW_LABELS.keys()


def test_every_kind_of_evidence_serves_some_criterion() -> None:
    assert set(DRAW_LABELS) == set(Draw) == {draw for _stage, criterion in EVERY for draw in criterion.draws}
