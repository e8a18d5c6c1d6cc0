"""One series in any CSV: what `fabrique detect` reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from fabrique import language
from fabrique.exchange.series import read_series
from fabrique.tables.textfile import FileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.exchange.series import SeriesFile


def read(tmp_path: Path, content: str) -> SeriesFile:
    path = tmp_path / "serie.csv"
    path.write_text(content)
    return read_series(path)


def rows(header: str, *lines: str) -> str:
    return "\n".join((header, *lines)) + "\n"


@pytest.mark.parametrize(
    ("content", "form", "levels", "weights"),
    [
        (rows("period,numerator,denominator", "2026-01,30,40", "2026-02,10,40"), "proportion", [0.75, 0.25], [40, 40]),
        (rows("period,value", "2026-01,12.5", "2026-02,-3"), "value", [12.5, -3], [math.nan, math.nan]),
        (rows("period;value", "2026-01;1 212,5", "2026-02;-3"), "value", [1212.5, -3], [math.nan, math.nan]),
        (rows("period,n,sum,sum_sq", "2026-01,4,10,30", "2026-02,2,3,5"), "mean", [2.5, 1.5], [4, 2]),
        (rows("period,level_1,level_2,level_3", "2026-01,1,0,1", "2026-02,0,0,5"), "score", [5, 10], [2, 5]),
        (rows("period,level_1,level_3,level_2", "2026-01,1,0,1", "2026-02,0,5,0"), "score", [2.5, 10], [2, 5]),
        (rows("note,sum_sq,value,period,sum,n", "x,30,,2026-01,10,4", "y,5,,2026-02,3,2"), "mean", [2.5, 1.5], [4, 2]),
    ],
)
def test_each_form_is_known_by_its_columns(
    tmp_path: Path, content: str, form: str, levels: list[float], weights: list[float]
) -> None:
    found = read(tmp_path, content)
    assert found.measurements.form == form
    assert found.periods == ("2026-01", "2026-02")
    assert found.measurements.level.tolist() == levels
    assert found.measurements.weight.tolist() == pytest.approx(weights, nan_ok=True)


@pytest.mark.parametrize(
    ("header", "missing"), [("level_1,level_3", "level_2"), ("level_2,level_3", "level_1"), ("level_1", "level_2")]
)
def test_answer_levels_are_all_there(tmp_path: Path, header: str, missing: str) -> None:
    with pytest.raises(FileUnreadable, match=missing):
        read(tmp_path, rows(f"period,{header}", "1" + ",1" * len(header.split(","))))


@pytest.mark.parametrize(
    ("written", "ordered", "places"),
    [
        (["3", "10", "-1"], ("-1", "3", "10"), [2, 0, 1]),
        (["007", "9", "+8"], ("7", "8", "9"), [0, 2, 1]),
        (["2022", "1999", "2020"], ("1999", "2020", "2022"), [1, 2, 0]),
        (["2022", "20200", "1999"], ("1999", "2022", "20200"), [2, 0, 1]),
        (["2026-W02", "2025-W52", "2026-W01"], ("2025-W52", "2026-W01", "2026-W02"), [1, 2, 0]),
        (["2026-Q1", "2025-Q4", "2026-Q2"], ("2025-Q4", "2026-Q1", "2026-Q2"), [1, 0, 2]),
        (["2026-03-01", "2026-02-28", " 2024-02-29 "], ("2024-02-29", "2026-02-28", "2026-03-01"), [2, 1, 0]),
    ],
)
def test_rows_in_any_order_are_put_in_the_order_of_their_periods(
    tmp_path: Path, written: list[str], ordered: tuple[str, ...], places: list[int]
) -> None:
    found = read(tmp_path, rows("period,value", *(f"{period},{place}" for place, period in enumerate(written))))
    assert found.periods == ordered
    assert found.measurements.level.tolist() == places


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("period,value", "2,"),
        ("period,numerator,denominator", "2,,40"),
        ("period,numerator,denominator", "2,0,0"),
        ("period,n,sum,sum_sq", "2,4,, "),
        ("period,level_1,level_2", "2,1,"),
    ],
)
def test_an_empty_cell_makes_its_period_missing_and_no_other(tmp_path: Path, header: str, cells: str) -> None:
    whole = {2: "{},4", 3: "{},4,8", 4: "{},4,10,30"}[header.count(",") + 1]
    found = read(tmp_path, rows(header, whole.format(1), cells, whole.format(3)))
    assert found.measurements.present.tolist() == [True, False, True]
    assert found.periods == ("1", "2", "3")
    without = read(tmp_path, rows(header, whole.format(1), whole.format(3)))
    assert found.measurements.spread == pytest.approx(without.measurements.spread, nan_ok=True)


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (rows("period,value", "2026-01,1", "2026-02,2", "", "2026-01,3"), 5, "the same period as line 2"),
        (rows("period,value", "7,1", "8,1", "+7,3"), 4, "the same period as line 2"),
        (rows("period,value", "2026-01,1", "2026-W07,2"), 3, "cannot be mixed"),
        (rows("period,value", "2025,1", "2026,2", "2026-01,3"), 4, "cannot be mixed"),
        (rows("period,value", "2026-01,1", "3,2"), 3, "is not a period"),
        (rows("period,value", "2026-02-30,1"), 2, "does not exist"),
        (rows("period,value", ",1"), 2, "is not a period"),
        (rows("period,value", "1,douze"), 2, "value “douze”: this is not a number"),
        (rows("period,value", "1,2", "2,NaN"), 3, "not a number"),
        (rows("period,value", "1,1e400"), 2, "too large"),
        (rows("period,value", "1,1e308"), 2, "too large"),
        (rows("period,value", "1,2", "2;3"), 3, "1 cells instead of 2"),
        (rows("period,value,note", "1,2,ok", '2,3,"oops', "3,4,x"), 3, "never closed"),
        (rows("period,numerator,denominator", "2,1,1", "1,5,4"), 3, "numerator is above the denominator (5)"),
        (rows("period,numerator,denominator", "1,1,1", "", "2,-1,1"), 4, "numerator is negative (-1)"),
        (rows("period,numerator,denominator", "1,1,-1"), 2, "denominator is negative"),
        (rows("period,n,sum,sum_sq", "1,4,10,30", "2,4,10,24"), 3, "sum of squares is too small"),
        (rows("period,n,sum,sum_sq", "1,-4,10,30"), 2, "n is negative"),
        (rows("period,level_1,level_2", "3,1,1", "2,1,-1", "1,1,1"), 3, "a count is negative (-1)"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_line(tmp_path: Path, content: str, line: int, said: str) -> None:
    with language.speaking("en"):
        with pytest.raises(FileUnreadable) as refused:
            read(tmp_path, content)
        sentence = str(refused.value)
    assert f"line {line}" in sentence
    assert said in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (rows("period,value"), "holds no rows"),
        (rows("date,value", "1,2"), "lacks period"),
        (rows("period,valeur", "1,2"), "holds no figures"),
        (rows("period,numerator", "1,2"), "holds no figures"),
    ],
)
def test_a_file_that_is_no_series_says_what_it_lacks(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        read(tmp_path, content)
    with language.speaking("en"):
        assert said in str(refused.value)


def test_an_impossible_figure_is_told_in_french_too(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"ligne 2.*numérateur dépasse"):
        read(tmp_path, rows("period,numerator,denominator", "1,5,4"))
