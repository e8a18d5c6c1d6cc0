"""Numbers, dates and gaps are written as each language writes them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fabrique.language import speaking
from fabrique.quality.catalogue import OUT_OF_TEN, PERCENT
from fabrique.web import formats
from fabrique.web.formats import Unit

EURO, POUND, MS = Unit("€", 2), Unit("£", 2), Unit("ms", 0)
DAY = date(2026, 5, 4)
LANGUAGES = st.sampled_from(["fr", "en"])
NUMBERS = st.floats(-1e15, 1e15)


def both(name: str, *given_: object) -> tuple[str, str]:
    """What is written in French and in English."""
    write = getattr(formats, name)
    with speaking("en"):
        english = write(*given_)
    return write(*given_), english


@pytest.mark.parametrize(
    ("value", "decimals", "french", "english"),
    [
        (1234.5, 1, "1\u202f234,5", "1,234.5"),
        (1234567, 0, "1\u202f234\u202f567", "1,234,567"),
        (999, 0, "999", "999"),
        (-7.25, 1, "−7,2", "−7.2"),
        (3.1, 2, "3,10", "3.10"),
        (0, 2, "0,00", "0.00"),
        (-0.04, 1, "0,0", "0.0"),
        (-0.05, 1, "0,0", "0.0"),
        (-0.4, 0, "0", "0"),
        (1e15, 0, "1\u202f000\u202f000\u202f000\u202f000\u202f000", "1,000,000,000,000,000"),
        (1e300, 2, "1,0E300", "1.0E300"),
        (-1.25e30, 0, "−1,25E30", "−1.25E30"),
    ],
)
def test_numbers_have_their_languages_commas_and_spaces(value: float, decimals: int, french: str, english: str) -> None:
    assert both("number", value, decimals) == (french, english)


@given(NUMBERS, st.integers(0, 4), LANGUAGES)
@example(-0.05, 1, "fr")
@example(-0.005, 2, "en")
def test_a_number_reads_back_to_what_was_rounded(value: float, decimals: int, spoken: str) -> None:
    with speaking(spoken):
        text = formats.number(value, decimals)
    assert re.fullmatch(r"−?\d[\d\u202f]*(,\d+)?" if spoken == "fr" else r"−?\d[\d,]*(\.\d+)?", text)
    plain = text.replace("−", "-").replace("\u202f", "")
    read = float(plain.replace(",", "." if spoken == "fr" else ""))
    assert abs(read - value) <= 0.5 * 10**-decimals * (1 + 1e-9) + abs(value) * 1e-15
    assert text.startswith("−") == (read < 0)


@pytest.mark.parametrize(
    ("value", "unit", "french", "english"),
    [
        (None, PERCENT, "–", "–"),
        (0.784, PERCENT, "78\u202f%", "78%"),
        (0.9994, Unit("%", 2, 100.0), "99,94\u202f%", "99.94%"),
        (7.64, OUT_OF_TEN, "7,6", "7.6"),
        (3.1, EURO, "3,10\u00a0€", "€3.10"),
        (1234.5, POUND, "1\u202f234,50\u00a0£", "£1,234.50"),
        (-1.5, POUND, "−1,50\u00a0£", "−£1.50"),
        (-0.001, EURO, "0,00\u00a0€", "€0.00"),
        (1280, MS, "1\u202f280\u00a0ms", "1,280\u00a0ms"),
        (12.0, Unit("", 0), "12", "12"),
    ],
)
def test_figures_keep_their_unit_beside_them(value: float | None, unit: Unit, french: str, english: str) -> None:
    assert both("figure", value, unit) == (french, english)


@pytest.mark.parametrize(
    ("value", "unit", "french", "english"),
    [
        (7.64, OUT_OF_TEN, "7,6 sur 10", "7.6 out of 10"),
        (0.784, PERCENT, "78\u202f%", "78%"),
        (None, OUT_OF_TEN, "–", "–"),
    ],
)
def test_a_mark_inside_a_sentence_tells_its_scale(value: float | None, unit: Unit, french: str, english: str) -> None:
    assert both("scaled", value, unit) == (french, english)


@pytest.mark.parametrize(
    ("value", "unit", "french", "english"),
    [
        (0.4, OUT_OF_TEN, "+0,4", "+0.4"),
        (-0.4, OUT_OF_TEN, "−0,4", "−0.4"),
        (0.04, OUT_OF_TEN, "0,0", "0.0"),
        (-0.07, PERCENT, "−7 points", "−7 points"),
        (0.01, PERCENT, "+1 point", "+1 point"),
        (-0.011, PERCENT, "−1 point", "−1 point"),
        (0.02, PERCENT, "+2 points", "+2 points"),
        (0.001, PERCENT, "0 point", "0 points"),
        (0.015, Unit("%", 1, 100.0), "+1,5 point", "+1.5 points"),
        (0.025, Unit("%", 1, 100.0), "+2,5 points", "+2.5 points"),
        (12.0, PERCENT, "+1\u202f200 points", "+1,200 points"),
        (-0.5, EURO, "−0,50\u00a0€", "−€0.50"),
        (120, MS, "+120\u00a0ms", "+120\u00a0ms"),
    ],
)
def test_gaps_have_their_sign_and_a_share_moves_by_points(value: float, unit: Unit, french: str, english: str) -> None:
    assert both("difference", value, unit) == (french, english)


@given(NUMBERS, st.sampled_from([PERCENT, OUT_OF_TEN, EURO, POUND, MS]), LANGUAGES)
def test_a_gap_and_its_opposite_differ_by_their_sign_alone(value: float, unit: Unit, spoken: str) -> None:
    with speaking(spoken):
        gap, opposite = formats.difference(value, unit), formats.difference(-value, unit)
    assert gap.lstrip("+−") == opposite.lstrip("+−")
    assert {gap[0], opposite[0]} == {"+", "−"} or gap == opposite


@pytest.mark.parametrize(
    ("value", "french", "english"),
    [
        (DAY, "4 mai 2026", "4 May 2026"),
        (date(2026, 5, 1), "1er mai 2026", "1 May 2026"),
        (date(2026, 8, 11), "11 août 2026", "11 August 2026"),
        (date(2026, 2, 21), "21 février 2026", "21 February 2026"),
    ],
)
def test_days_are_told_with_the_first_of_the_month_as_french_says_it(value: date, french: str, english: str) -> None:
    assert both("day", value) == (french, english)
    assert both("short_day", value) == (french.removesuffix(" 2026"), english.removesuffix(" 2026"))


@pytest.mark.parametrize(
    ("granularity", "whole", "short"),
    [
        ("day", ("1er avril 2026", "1 April 2026"), ("avr. 2026", "Apr 2026")),
        ("week", ("semaine du 1er avril 2026", "week of 1 April 2026"), ("avr. 2026", "Apr 2026")),
        ("month", ("avril 2026", "April 2026"), ("avr. 2026", "Apr 2026")),
        ("quarter", ("T2 2026", "Q2 2026"), ("T2 2026", "Q2 2026")),
        ("year", ("2026", "2026"), ("2026", "2026")),
    ],
)
def test_a_period_is_told_whole_and_for_an_axis(granularity: str, whole: tuple[str, str], short: tuple[str, str]) -> None:
    start = date(2026, 4, 1)
    assert both("period", start, granularity) == whole
    assert both("short_period", start, granularity) == short


def test_one_date_has_no_span() -> None:
    assert both("between_periods", DAY, DAY, "week") == ("", "")
    assert both("between_periods", DAY, DAY + timedelta(weeks=1), "week") == (
        "entre le 4 mai 2026 et le 11 mai 2026",
        "between 4 May 2026 and 11 May 2026",
    )


@pytest.mark.parametrize(
    ("moment", "french", "english"),
    [
        (datetime(2026, 5, 4, 2, 12, tzinfo=UTC), "4 mai 2026 à 04:12", "4 May 2026 at 04:12"),
        (datetime(2026, 12, 31, 23, 5, tzinfo=UTC), "1er janvier 2027 à 00:05", "1 January 2027 at 00:05"),
    ],
)
def test_a_moment_is_told_at_paris_time(moment: datetime, french: str, english: str) -> None:
    assert both("moment", moment) == (french, english)


@pytest.mark.parametrize(
    ("days", "french", "english"),
    [
        (-3, "aujourd’hui", "today"),
        (0, "aujourd’hui", "today"),
        (1, "il y a 1 jour", "1 day ago"),
        (13, "il y a 13 jours", "13 days ago"),
        (14, "il y a 2 semaines", "2 weeks ago"),
        (69, "il y a 9 semaines", "9 weeks ago"),
        (70, "il y a 2 mois", "2 months ago"),
        (729, "il y a 23 mois", "23 months ago"),
        (730, "il y a 23 mois", "23 months ago"),
        (731, "il y a 2 ans", "2 years ago"),
        (3653, "il y a 10 ans", "10 years ago"),
    ],
)
def test_how_long_ago_is_told_roughly(days: int, french: str, english: str) -> None:
    assert both("ago", DAY - timedelta(days=days), DAY) == (french, english)


LENGTHS = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}


@given(st.integers(0, 5000))
@example(730)
def test_more_days_ago_never_sound_much_fewer(days: int) -> None:
    def said(number: int) -> float:
        with speaking("en"):
            text = formats.ago(DAY - timedelta(days=number), DAY)
        if text == "today":
            return 0
        amount, unit, _ago = text.split()
        return int(amount) * LENGTHS[unit.removesuffix("s")]

    assert said(days) <= days
    assert said(days) >= days * 0.6
