"""Figures: each bad cell is told with its line, its column and why; the good order of rows and forms does not matter."""

from __future__ import annotations

from typing import Any

import pytest

from experiments.sample import DOCUMENT, counts, data_of, plan_document, rows
from fabrique.experiments.data.folder import DataFaulty, open_folder
from fabrique.experiments.data.reading import counts_from, data_from, series_from, table_from_text, units_from
from fabrique.experiments.data.writing import counts_text, plan_text
from fabrique.experiments.plan.reading import plan_from
from fabrique.language import speaking

ORDINAL = plan_document(
    metrics__primary={"key": "avis", "type": "ordinal", "better": "higher", "levels": ["mal", "moyen", "bien"], "marks": [0, 5, 10],
                      "baseline": 6, "mde_abs": 0.5}
)  # fmt: skip
MEAN = plan_document(metrics__primary={"key": "delai", "type": "mean", "better": "lower", "baseline": 12, "mde_abs": 1, "sd": 4})
RATE = plan_document(metrics__primary={"key": "appels", "type": "rate", "better": "lower", "baseline": 0.2, "mde_abs": 0.05})
ITS = plan_document(design__kind="its", arms=[])


def told(text: str, document: dict[str, Any] = DOCUMENT) -> list[str]:
    with speaking("en"):
        return [str(one) for one in counts_from([table_from_text("counts.csv", text)], plan_from(document))[1]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2026-09-08,temoin,venus,10,12", "x “12”: more successes than units (n = 10)"),
        ("2026-09-08,sans,venus,10,6", "arm “sans”: the plan knows no such arm (temoin, sms)"),
        ("2026-09-08,sms,autre,10,6", "metric “autre”: the plan knows no such metric"),
        ("2026-09-06,sms,venus,10,6", "before the start (2026-09-07)"),
        ("2026-11-02,sms,venus,10,6", "after the collection closed (2026-11-01)"),
        ("2026-09-08,sms,venus,-1,0", "cannot be negative"),
        ("2026-09-08,sms,venus,10.5,6", "whole number"),
        ("2026-09-08,sms,venus,10,", "x “”: empty"),
        ("2026-09-08,sms,venus,dix,6", "not a number"),
        ("08/13/2026,sms,venus,10,6", "a date was expected"),
        ("2026-09-08,sms,venus,10", "4 cells instead of 5"),
        ("2026-09-07,temoin,venus,10,6", "the same date, arm and metric as counts.csv, line 2"),
    ],
)
def test_a_bad_row_of_counts_is_told_with_its_line(line: str, words: str) -> None:
    (fault,) = told(rows("2026-09-07,temoin,venus,10,6", line))
    assert fault.startswith("counts.csv, line 3")
    assert words in fault


@pytest.mark.parametrize(
    ("document", "header", "line", "words"),
    [
        (ORDINAL, "date,arm,metric,level_1,level_2", "2026-09-08,sms,avis,1,2", "2 levels are filled; the plan has 3"),
        (ORDINAL, "date,arm,metric,level_1,level_2,level_3,level_4", "2026-09-08,sms,avis,1,2,3,4", "4 levels are filled"),
        (ORDINAL, "date,arm,metric,n,level_1,level_2,level_3", "2026-09-08,sms,avis,9,1,2,3", "the levels make 6 together"),
        (ORDINAL, "date,arm,metric,level_1,level_2,level_3", "2026-09-08,sms,avis,1,-2,3", "cannot be negative"),
        (MEAN, "date,arm,metric,n,sum,sum_sq", "2026-09-08,sms,delai,10,100,900", "too small for this sum"),
        (MEAN, "date,arm,metric,n,sum,sum_sq", "2026-09-08,sms,delai,0,5,25", "a sum without any unit"),
        (MEAN, "date,arm,metric,n,sum,sum_sq", "2026-09-08,sms,delai,10,100,", "sum_sq “”: empty"),
        (RATE, "date,arm,metric,n,x", "2026-09-08,sms,appels,0,3", "events without any exposure"),
        (DOCUMENT, "date,arm,metric,n,x,canal", "2026-09-08,sms,venus,10,3,web", "unknown columns: canal"),
        (DOCUMENT, "date,arm,n,x", "2026-09-08,sms,10,3", "the header lacks metric"),
        (DOCUMENT, "date,arm,metric,n,x,n", "2026-09-08,sms,venus,10,3,10", "the header has n twice"),
    ],
)
def test_each_form_of_counts_refuses_what_no_sample_has(document: dict[str, Any], header: str, line: str, words: str) -> None:
    found = told(rows(line, header=header), document)
    assert any(words in one for one in found), found


def test_counts_cannot_stand_for_clusters() -> None:
    document = plan_document(design__kind="ab_cluster", design__cluster="agence")
    (fault,) = told(rows("2026-09-08,sms,venus,10,6"), document)
    assert "units.csv" in fault


def test_a_table_full_of_faults_does_not_fill_the_screen() -> None:
    found = told(rows(*["2026-09-08,sans,venus,10,6"] * 5000))
    assert len(found) == 101
    assert "too many faults" in found[-1]


def test_two_files_for_one_date_are_told_by_name(tmp_path: Any) -> None:
    folder = tmp_path / "rappel"
    folder.mkdir()
    (folder / "plan.toml").write_text(plan_text(DOCUMENT), "utf-8")
    (folder / "counts.csv").write_text(rows("2026-09-08,sms,venus,10,6"), "utf-8")
    (folder / "counts-septembre.csv").write_text(rows("2026-09-08,sms,venus,11,6"), "utf-8")
    with speaking("en"), pytest.raises(DataFaulty, match=r"the same date, arm and metric as counts-septembre\.csv, line 2"):
        open_folder(folder).sound()


def test_a_date_as_a_french_spreadsheet_writes_it_is_read() -> None:
    assert data_of(rows("08/09/2026,sms,venus,10,6")).counts[0].day.isoformat() == "2026-09-08"


def test_a_subgroup_that_a_spreadsheet_would_take_for_a_formula_is_refused() -> None:
    document = plan_document(analysis__subgroups=["canal"])
    header = "date,arm,metric,n,x,canal"
    found = told(rows("2026-09-08,sms,venus,10,6,=cmd|' /C calc'!A0", header=header), document)
    assert any("formula" in one for one in found)


def test_windows_text_with_semicolons_and_a_decimal_comma_is_read() -> None:
    text = "date;arm;metric;n;sum;sum_sq\r\n2026-09-08;sms;delai;10;100,5;1100,25\r\n"
    data = data_of(text, MEAN)
    assert (data.counts[0].total, data.counts[0].total_of_squares) == (100.5, 1100.25)


def test_the_digest_does_not_depend_on_order_or_spelling() -> None:
    one = data_of(rows("2026-09-08,sms,venus,10,6", "2026-09-09,sms,venus,12,6"))
    two = data_of(
        rows("2026-09-09,sms,venus,12.0,6", "2026-09-08,sms,venus,10,6,", header="date,arm,metric,n,x").replace("6,\n", "6\n")
    )
    assert one.digest() == two.digest()
    assert one.digest() != data_of(rows("2026-09-08,sms,venus,10,7", "2026-09-09,sms,venus,12,6")).digest()


def test_counts_written_back_read_the_same() -> None:
    document = plan_document(analysis__subgroups=["canal"])
    text = rows("2026-09-08,sms,venus,10,6,web", "2026-09-08,sms,venus,5,2,", header="date,arm,metric,n,x,canal")
    data = data_of(text, document)
    assert sorted(data_of(counts_text(data.counts), document).counts, key=lambda one: one.key) == sorted(
        data.counts, key=lambda one: one.key
    )
    assert data_of(counts_text(data_of(counts()).counts)).digest() == data_of(counts()).digest()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unit,arm,y\nu1,sms,2", "0 or 1"),
        ("unit,arm,y\nu1,sms,1\nu1,sms,0", "the same unit as line 2"),
        ("unit,arm,y\n,sms,1", "empty"),
        ("unit,arm\nu1,sms", "lacks y"),
        ("unit,arm,y\nu1,autre,1", "no such arm"),
    ],
)
def test_a_bad_unit_is_told(text: str, words: str) -> None:
    with speaking("en"):
        found = [str(one) for one in units_from(table_from_text("units.csv", text), plan_from(DOCUMENT))[1]]
    assert any(words in one for one in found), found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("period,value,treated\n2026-01,1,0\n2026-01,2,1", "twice"),
        ("period,value,treated\n2026-01,1,1\n2026-02,2,0", "no longer"),
        ("period,value,treated\n2026-13,1,0", "does not exist"),
        ("period,value,treated\n2026-01,1,peut-être", "0 or 1"),
        ("period,value\n2026-01,1", "lacks treated"),
    ],
)
def test_a_bad_series_is_told(text: str, words: str) -> None:
    with speaking("en"):
        found = [str(one) for one in series_from(table_from_text("series.csv", text), plan_from(ITS))[1]]
    assert any(words in one for one in found), found


def test_an_empty_table_is_no_data_and_no_fault() -> None:
    data, faults = data_from({"counts": [table_from_text("counts.csv", "date,arm,metric,n,x\n")]}, plan_from(DOCUMENT))
    assert not data
    assert not faults
