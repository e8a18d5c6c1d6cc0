"""Numbers as people write them."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal, localcontext

import pytest
from babel.numbers import format_decimal
from hypothesis import example, given
from hypothesis import strategies as st

from fabrique.tables.numbers import LARGEST, NumberUnreadable, parse


def formatted(number: float, locale: str) -> str:
    """The number with every digit, as people of that language write it."""
    with localcontext(prec=500):
        return format_decimal(Decimal(repr(number)), locale=locale, decimal_quantization=False)


finite = st.floats(min_value=-1e15, max_value=1e15, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("+12", 12),
        ("-0.5", -0.5),
        ("−0,5", -0.5),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("1.5E-3", 0.0015),
        ("1,5", 1.5),
        ("1234,5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u00a0234\u202f567,25", 1234567.25),
        ("1\u2009234", 1234),
        ("1'234.5", 1234.5),
        ("1’234,5", 1234.5),
        ("1.234,5", 1234.5),
        ("1.234.567,5", 1234567.5),
        ("1.234", 1.234),
        ("1,234", 1.234),
        ("007", 7),
        ("1e15", 1e15),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, number: float) -> None:
    assert parse(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,234", 1234), ("1,234,567.5", 1234567.5), ("-12,345", -12345), ("1.234,5", 1234.5), ("12.5", 12.5), ("1 234", 1234)],
)
def test_commas_group_thousands_where_the_table_is_known_to_be_english(text: str, number: float) -> None:
    assert parse(text, grouped=True) == number


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(
    "text",
    ["", " ", "-", "NaN", "nan", "inf", "-Infinity", "1e400", "-1e400", "1e101", "1e4000", "9" * 400, "douze", "1,2,3", "1.2.3",
     "12,34.5", "0x10", "1_000", "--1", "1e", "e5", ",", ".", "12 %", "£3", "1,234.567,8", "\x00", "½", "1/2"],
)  # fmt: skip
def test_what_is_not_a_finite_number_is_refused(text: str, grouped: bool) -> None:
    with pytest.raises(NumberUnreadable) as refused:
        parse(text, grouped=grouped)
    assert str(refused.value)


@pytest.mark.parametrize("text", ["1,2345", "12,34", "1,5", "1234,5"])
def test_a_comma_that_groups_no_thousands_is_not_guessed_at(text: str) -> None:
    with pytest.raises(NumberUnreadable):
        parse(text, grouped=True)


@pytest.mark.parametrize("text", ["1,234.5", "1,234,567"])
def test_english_groups_are_not_guessed_at_where_nothing_says_english(text: str) -> None:
    with pytest.raises(NumberUnreadable):
        parse(text)


@given(finite)
@example(5e-324)
@example(-1e15)
@example(0.1 + 0.2)
def test_a_number_written_in_french_reads_back_the_same(number: float) -> None:
    assert parse(formatted(number, "fr")) == number


@given(finite)
@example(1234.0)
@example(-1e15)
def test_a_number_written_in_english_reads_back_the_same(number: float) -> None:
    assert parse(formatted(number, "en"), grouped=True) == number


@given(finite)
def test_a_number_as_python_writes_it_reads_back_the_same(number: float) -> None:
    assert parse(repr(number)) == parse(repr(number), grouped=True) == number


@given(st.text(max_size=30))
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    with suppress(NumberUnreadable):
        assert abs(parse(text)) <= LARGEST
