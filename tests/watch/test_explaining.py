"""A flag is told in one sentence, in good French and in good English."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from fabrique import language
from fabrique.quality.catalogue import BY_KEY, SHIPPED
from fabrique.watch.explain import evidence, movement, sentence, short_sentence
from fabrique.watch.queries import Flag
from fabrique.watch.rules import FlagState

FLAG = Flag(
    id=1,
    series_id=1,
    service_id=1,
    service_slug="aide",
    service_name="Demande d’aide",
    metric_key="completion",
    segment="",
    unit="",
    state=FlagState.RAISED,
    direction="regression",
    granularity="week",
    start=date(2026, 5, 4),
    earliest=date(2026, 4, 27),
    latest=date(2026, 6, 1),
    before=0.804,
    after=0.652,
    effect_low=-0.17,
    effect_high=-0.13,
    evidence=9.46,
    chance=0.0213,
    version="changes-1",
    raised_at=datetime(2026, 6, 2, tzinfo=UTC),
)
ALONE = {"earliest": FLAG.start, "latest": FLAG.start}
FRENCH_SPACES = re.compile(r" [;:!?»%]|« |\d \d{3}(?!\d)|\d [€%]|(?<![\u00a0\u202f ])[;!?»%]")


def told(metric: str = "completion", **changes: object) -> str:
    return movement(replace(FLAG, metric_key=metric, **changes), BY_KEY[metric])  # type: ignore[arg-type]


def test_the_sentence_names_the_metric_the_service_both_levels_the_date_and_its_interval() -> None:
    metric = BY_KEY["completion"]
    tail = "passe de 80\u202f% à 65\u202f% vers la semaine du 4 mai 2026 (entre le 27 avril 2026 et le 1er juin 2026)."
    assert sentence(FLAG, metric) == f"La part des démarches achevées de «\u00a0Demande d’aide\u00a0» {tail}"
    assert short_sentence(FLAG, metric) == f"La part des démarches achevées {tail}"
    with language.speaking("en"):
        tail = "went from 80% to 65% around the week of 4 May 2026 (between 27 April 2026 and 1 June 2026)."
        assert sentence(FLAG, metric) == f"The share of cases completed of “Demande d’aide” {tail}"
        assert short_sentence(FLAG, metric) == f"The share of cases completed {tail}"


def test_the_evidence_tells_the_interval_and_how_rarely_chance_would_do_as_much() -> None:
    metric = BY_KEY["completion"]
    assert evidence(FLAG, metric) == (
        "L’écart est compris entre −17 points et −13 points\u202f; sur cette série, le hasard en ferait autant moins d’une fois en 40 ans."
    )
    with language.speaking("en"):
        assert evidence(FLAG, metric) == (
            "The gap is between −17 points and −13 points; on this series, chance would do as much less than once in 40 years."
        )
    assert evidence(replace(FLAG, effect_low=0.17, effect_high=0.13), metric).startswith(
        "L’écart est compris entre +13 points et +17 points"
    )


@pytest.mark.parametrize(
    ("metric", "before", "after", "unit", "french", "english"),
    [
        ("satisfaction", 7.64, 6.0, "", "passe de 7,6 à 6,0 sur 10", "went from 7.6 to 6.0 out of 10"),
        ("csat", 4.2, 3.9, "", "passe de 4,2 à 3,9 sur 5", "went from 4.2 to 3.9 out of 5"),
        ("uptime", 0.9994, 0.98, "", "passe de 99,94\u202f% à 98,00\u202f%", "went from 99.94% to 98.00%"),
        ("page_time", 412, 1280, "", "passe de 412\u00a0ms à 1\u202f280\u00a0ms", "went from 412\u00a0ms to 1,280\u00a0ms"),
        ("cost_per_transaction", 3.1, 2.5, "", "passe de 3,10\u00a0€ à 2,50\u00a0€", "went from €3.10 to €2.50"),
        ("cost_per_transaction", 3.1, 2.5, "£", "passe de 3,10\u00a0£ à 2,50\u00a0£", "went from £3.10 to £2.50"),
        ("nps", 12, -4, "", "passe de 12 à −4", "went from 12 to −4"),
        ("dlnuf", 5, 1, "", "passe de 5 à 1", "went from 5 to 1"),
    ],
)
def test_levels_are_written_as_the_metric_and_the_language_do(
    metric: str, before: float, after: float, unit: str, french: str, english: str
) -> None:
    changes = {"before": before, "after": after, "unit": unit, **ALONE}
    assert told(metric, **changes) == f"{french} vers la semaine du 4 mai 2026"
    with language.speaking("en"):
        assert told(metric, **changes) == f"{english} around the week of 4 May 2026"


@pytest.mark.parametrize(
    ("granularity", "start", "latest", "french", "english"),
    [
        ("day", date(2026, 5, 1), None, "le 1er mai 2026", "on 1 May 2026"),
        ("week", date(2026, 5, 4), None, "vers la semaine du 4 mai 2026", "around the week of 4 May 2026"),
        ("month", date(2026, 4, 1), None, "vers avril 2026", "around April 2026"),
        ("quarter", date(2026, 4, 1), None, "vers le T2 2026", "around Q2 2026"),
        ("year", date(2026, 1, 1), None, "vers 2026", "around 2026"),
        (
            "day",
            date(2026, 5, 1),
            date(2026, 5, 3),
            "le 1er mai 2026 (entre le 1er mai 2026 et le 3 mai 2026)",
            "on 1 May 2026 (between 1 May 2026 and 3 May 2026)",
        ),
        (
            "month",
            date(2026, 4, 1),
            date(2026, 8, 1),
            "vers avril 2026 (entre avril 2026 et août 2026)",
            "around April 2026 (between April 2026 and August 2026)",
        ),
        (
            "quarter",
            date(2026, 4, 1),
            date(2026, 10, 1),
            "vers le T2 2026 (entre le T2 2026 et le T4 2026)",
            "around Q2 2026 (between Q2 2026 and Q4 2026)",
        ),
        (
            "year",
            date(2024, 1, 1),
            date(2026, 1, 1),
            "vers 2024 (entre 2024 et 2026)",
            "around 2024 (between 2024 and 2026)",
        ),
    ],
)
def test_dates_are_told_at_the_length_of_the_periods(
    granularity: str, start: date, latest: date | None, french: str, english: str
) -> None:
    changes = {"granularity": granularity, "start": start, "earliest": start, "latest": latest or start}
    assert told(**changes) == f"passe de 80\u202f% à 65\u202f% {french}"
    with language.speaking("en"):
        assert told(**changes) == f"went from 80% to 65% {english}"


@pytest.mark.parametrize(
    ("low", "high", "french", "english"),
    [
        (0.014, 0.02, "entre +1 point et +2 points\u202f;", "between +1 point and +2 points;"),
        (-0.011, 0.0, "entre −1 point et 0 point\u202f;", "between −1 point and 0 points;"),
    ],
)
def test_one_point_is_singular(low: float, high: float, french: str, english: str) -> None:
    flag = replace(FLAG, effect_low=low, effect_high=high)
    assert french in evidence(flag, BY_KEY["completion"])
    with language.speaking("en"):
        assert english in evidence(flag, BY_KEY["completion"])


@pytest.mark.parametrize("granularity", ["day", "week", "month", "quarter", "year"])
@pytest.mark.parametrize("metric", SHIPPED, ids=lambda metric: metric.key)
def test_every_french_sentence_has_its_narrow_spaces_its_commas_and_its_elisions(metric: object, granularity: str) -> None:
    flag = replace(FLAG, granularity=granularity, before=1234.5678, after=-0.25, effect_low=0.001, effect_high=2345.6)
    for text in (sentence(flag, metric), short_sentence(flag, metric), evidence(flag, metric)):  # type: ignore[arg-type]
        assert not FRENCH_SPACES.search(text), text
        assert not re.search(r"\d\.\d|'|--|  |-\d", text), text
        assert not re.search(r"\b(?:[Dd]e|[Ll]e|[Ll]a|[Qq]ue) (?!hasard)[aeiouéèêh]", text), text
        assert text.endswith(".")
        assert text[0].isupper()


def test_the_rule_for_french_spaces_would_find_a_fault() -> None:
    for wrong in ("80 %", "80%", "écart ; il", "« aide »", "1 280", "«\u00a0aide»"):
        assert FRENCH_SPACES.search(wrong), wrong
    assert not FRENCH_SPACES.search("80\u202f% de «\u00a0l’aide\u00a0»\u202f; 1\u202f280")
