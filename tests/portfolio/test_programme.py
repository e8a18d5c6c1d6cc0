"""The programme's reference data: keys that stay, both languages, and declarations read as people spell them."""

from __future__ import annotations

import re

import pytest

from fabrique.language import _, speaking
from fabrique.portfolio.programme import (
    ACCESSIBILITY,
    ACCESSIBILITY_TEXTS,
    ANSWER_LABELS,
    MISSIONS,
    QUALITIES,
    STAKES,
    Accessibility,
    Answer,
    accessibility_of,
)
from fabrique.quality.catalogue import BY_KEY

TEXTS = [
    *(text for mission in MISSIONS.values() for text in (mission.label, mission.aim)),
    *(text for stake in STAKES.values() for text in (stake.label, stake.aim)),
    *(text for quality in QUALITIES.values() for text in (quality.label, quality.help)),
    *ANSWER_LABELS.values(),
    *ACCESSIBILITY.values(),
]
SAME_IN_BOTH = {"ProConnect", "MonServiceSécurisé", "FranceConnect", "Simplification", "Inclusion", "Alliances"}


def test_the_keys_that_products_and_addresses_carry_have_not_changed() -> None:
    assert list(MISSIONS) == ["label", "idnum", "data", "infra", "pilot", "talents", "fabrique", "transfo"]
    assert list(STAKES) == ["simplification", "inclusion", "attractivite", "maitrise", "economies", "alliances"]
    assert list(QUALITIES) == [
        "open_source", "design_system", "proconnect", "franceconnect", "security_approval", "risk_analysis", "mon_service_securise",
        "privacy", "public_statistics",
    ]  # fmt: skip
    for members in (MISSIONS, STAKES, QUALITIES):
        assert all(key == member.key for key, member in members.items())
    assert all(mission.code == key.upper() for key, mission in MISSIONS.items())


@pytest.mark.parametrize("text", dict.fromkeys(TEXTS))
def test_every_text_is_said_in_french(text: str) -> None:
    with speaking("fr"):
        french = _(text)
    assert french != text or text in SAME_IN_BOTH
    assert not re.search(r" [;!?:»]|« ", french)


def test_the_metrics_of_a_stake_are_in_the_catalogue() -> None:
    for stake in STAKES.values():
        assert set(stake.metrics) <= BY_KEY.keys(), stake.key
        assert len(set(stake.metrics)) == len(stake.metrics)


def test_only_alliances_are_shown_by_nothing_that_is_counted() -> None:
    assert [stake.key for stake in STAKES.values() if not stake.metrics] == ["alliances"]


def test_every_answer_and_every_declaration_has_a_label() -> None:
    assert set(ANSWER_LABELS) == set(Answer)
    assert set(ACCESSIBILITY) == set(ACCESSIBILITY_TEXTS) == set(Accessibility)


@pytest.mark.parametrize("key", list(Accessibility))
def test_what_is_written_for_a_declaration_is_read_as_the_same(key: Accessibility) -> None:
    assert accessibility_of(ACCESSIBILITY_TEXTS[key]) is key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The three spellings of all 143 declarations in beta.gouv.fr's product sheets (August 2026).
        ("non conforme", Accessibility.NONE),
        ("partiellement conforme", Accessibility.PARTIAL),
        ("totalement conforme", Accessibility.FULL),
        ("Non-conforme ", Accessibility.NONE),
        ("Accessibilité : non conforme", Accessibility.NONE),
        ("partiellement  conformes", Accessibility.PARTIAL),
        ("Conforme", Accessibility.FULL),
        ("non concernée", Accessibility.NOT_CONCERNED),
        ("Non applicable", Accessibility.NOT_CONCERNED),
        ("conforme à 75 %", Accessibility.UNKNOWN),
        ("en cours", Accessibility.UNKNOWN),
        ("🙂", Accessibility.UNKNOWN),
    ],
)
def test_a_declaration_is_read_as_people_spell_it(text: str, expected: Accessibility) -> None:
    assert accessibility_of(text) is expected
