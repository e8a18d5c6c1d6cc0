"""Periods are written and read back, follow one another, and days are Paris days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fabrique.clock import PER_YEAR, FixedClock, Granularity, Period, PeriodInvalid, SystemClock, parse_period, today

DAYS = st.dates(min_value=date(1000, 1, 6), max_value=date(2998, 12, 1))
LENGTHS = st.sampled_from(Granularity)
PERIODS = st.builds(Period.containing, DAYS, LENGTHS)


@given(PERIODS)
@example(Period(date(2026, 12, 28), Granularity.WEEK))
def test_a_period_reads_back_from_its_text(period: Period) -> None:
    assert parse_period(f" {period} ") == period


@given(PERIODS, PERIODS)
def test_two_periods_have_the_same_text_only_where_they_are_the_same(one: Period, other: Period) -> None:
    assert (str(one) == str(other)) == (one == other)


@given(DAYS, LENGTHS)
def test_a_day_lies_between_the_start_of_its_period_and_of_the_following(day: date, length: Granularity) -> None:
    period = Period.containing(day, length)
    assert period.start <= day < period.following.start
    assert Period.containing(period.following.start - timedelta(days=1), length) == period
    assert Period.containing(period.start, length) == period


@given(PERIODS)
def test_the_following_period_has_the_next_ordinal(period: Period) -> None:
    assert period.following.ordinal == period.ordinal + 1
    assert period.following > period


@given(DAYS, st.integers(0, 3000), LENGTHS)
def test_ordinals_grow_with_the_days(day: date, later: int, length: Granularity) -> None:
    one, other = Period.containing(day, length), Period.containing(day + timedelta(days=later), length)
    assert one.ordinal <= other.ordinal
    assert (one.ordinal == other.ordinal) == (one == other)


@pytest.mark.parametrize("length", Granularity)
def test_a_year_holds_about_as_many_periods_as_told(length: Granularity) -> None:
    first, last = (Period.containing(date(year, 1, 8), length) for year in (2026, 2027))
    assert last.ordinal - first.ordinal == PER_YEAR[length]


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("2026-03-14", date(2026, 3, 14), Granularity.DAY),
        ("2024-02-29", date(2024, 2, 29), Granularity.DAY),
        ("2026-W11", date(2026, 3, 9), Granularity.WEEK),
        ("2026-W01", date(2025, 12, 29), Granularity.WEEK),
        ("2026-W53", date(2026, 12, 28), Granularity.WEEK),
        ("2026-03", date(2026, 3, 1), Granularity.MONTH),
        ("2026-Q4", date(2026, 10, 1), Granularity.QUARTER),
        ("2026", date(2026, 1, 1), Granularity.YEAR),
    ],
)
def test_each_way_of_writing_a_period_is_read(text: str, start: date, length: Granularity) -> None:
    assert parse_period(text) == Period(start, length)
    assert str(parse_period(text)) == text


def test_the_days_around_the_new_year_belong_to_the_iso_year_of_their_week() -> None:
    assert str(Period.containing(date(2027, 1, 3), Granularity.WEEK)) == "2026-W53"
    assert str(Period.containing(date(2027, 1, 4), Granularity.WEEK)) == "2027-W01"
    assert str(Period.containing(date(2024, 12, 30), Granularity.WEEK)) == "2025-W01"


@pytest.mark.parametrize("text", ["2025-W53", "2026-W00", "2026-W54", "2026-13", "2026-00", "2025-02-29", "0000", "2026-04-31"])
def test_a_period_that_no_calendar_holds_is_refused(text: str) -> None:
    with pytest.raises(PeriodInvalid) as caught:
        parse_period(text)
    assert str(caught.value) == f"la période «\u00a0{text}\u00a0» n’existe pas"


@pytest.mark.parametrize(
    "text",
    ["", "2026-3", "26-03", "2026-Q5", "2026-Q0", "2026W11", "mars 2026", "2026-03-14T00:00", "2026/03", "٢٠٢٦", "x" * 500],
)
def test_what_is_not_a_period_is_refused_with_examples(text: str) -> None:
    with pytest.raises(PeriodInvalid) as caught:
        parse_period(text)
    assert "2026-W11" in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.text("0123456789-WQ٣", max_size=10) | st.text(max_size=12))
def test_any_text_is_refused_or_is_the_text_of_its_period(text: str) -> None:
    try:
        period = parse_period(text)
    except PeriodInvalid:
        return
    assert str(period) == text.strip()


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 1, 10, 22, 59, 59, tzinfo=UTC), date(2026, 1, 10)),
        (datetime(2026, 1, 10, 23, 0, tzinfo=UTC), date(2026, 1, 11)),
        (datetime(2026, 7, 10, 21, 59, 59, tzinfo=UTC), date(2026, 7, 10)),
        (datetime(2026, 7, 10, 22, 0, tzinfo=UTC), date(2026, 7, 11)),
        (datetime(2026, 7, 11, 0, 0, tzinfo=UTC), date(2026, 7, 11)),
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 10, 25, 22, 30, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 24, 22, 30, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_today_is_the_day_in_paris_in_winter_and_in_summer(moment: datetime, day: date) -> None:
    assert today(FixedClock(moment)) == day


def test_a_clock_that_stands_still_moves_only_when_told(clock: FixedClock) -> None:
    before = clock.now()
    assert clock.now() == before
    clock.advance(timedelta(hours=1))
    assert clock.now() - before == timedelta(hours=1)


def test_the_machines_clock_knows_its_time_zone() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)
