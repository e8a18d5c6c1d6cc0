"""Tables out: what a spreadsheet reads is what was written, whatever people type."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from datetime import UTC, date, datetime
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from fabrique.language import speaking
from fabrique.tables.cells import FORMULA_STARTS, Table, defused
from fabrique.tables.spreadsheet import MEDIA_TYPE, ods_bytes, sheet_name
from fabrique.tables.textout import csv_bytes

DAY, MOMENT = date(2026, 3, 14), datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
ODD = [
    "L’été, ça « compte »", 'des "guillemets", <b>du HTML</b> & une esperluette', "😀 👩\N{ZERO WIDTH JOINER}🚀", "10 000 " * 1500,
    "شكرا لكم \N{RIGHT-TO-LEFT MARK}abc \N{RIGHT-TO-LEFT OVERRIDE}def", "deux\nlignes", "  des   espaces  ", "]]>", "a" * 10_000,
]  # fmt: skip
"""Texts that come back as they were, from both files."""


def table(*rows: tuple[object, ...], columns: tuple[str, ...] = ("a",), title: str = "Titre") -> Table:
    return Table(title, columns, rows)  # type: ignore[arg-type]


def read_ods(made: bytes) -> list[list[object]]:
    """Read by a program that shares no line with ours (Rust's calamine)."""
    (sheet,) = [CalamineWorkbook.from_filelike(io.BytesIO(made)).get_sheet_by_index(0)]
    return sheet.to_python()


def read_csv(made: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline="")))


def test_each_type_keeps_its_meaning_in_a_spreadsheet() -> None:
    whole = table(("texte", 12, 0.25, DAY, MOMENT, True, None, -7, False), columns=tuple("abcdefghi"))
    (header, row) = read_ods(ods_bytes(whole))
    assert header == list("abcdefghi")
    assert row == ["texte", 12, 0.25, DAY, datetime(2026, 7, 2, 0, 30), True, "", -7, False]  # noqa: DTZ001 - as in Paris
    assert type(row[3]) is date
    assert isinstance(row[5], bool)


def test_each_type_is_written_plainly_in_a_csv() -> None:
    whole = table(("texte", 12, 0.25, DAY, MOMENT, True, None), columns=tuple("abcdefg"))
    made = csv_bytes(whole)
    assert made.startswith(b"\xef\xbb\xbfa,b,c,d,e,f,g\r\n")
    assert made.endswith(b"texte,12,0.25,2026-03-14,2026-07-02T00:30:00,true,\r\n")


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:12])
def test_whatever_people_write_comes_back_as_it_was(text: str) -> None:
    assert read_csv(csv_bytes(table((text, "x"), columns=("a", "b"))))[1] == [text, "x"]
    found = read_ods(ods_bytes(table((text, "x"), columns=("a", "b"))))[1]
    assert found == [text, "x"]


def test_a_tab_is_a_tab_in_both() -> None:
    assert read_csv(csv_bytes(table(("un\tdeux",))))[1] == ["un\tdeux"]
    # As an element: XML readers take a bare tab for a space (and calamine knows none at all).
    assert b"<text:p>un<text:tab/>deux</text:p>" in zipfile.ZipFile(io.BytesIO(ods_bytes(table(("un\tdeux",))))).read(
        "content.xml"
    )


@pytest.mark.parametrize("broken", ["\x00", "\x0b", "\x1f", "\x07", "\ud800", "\ufffe"])
def test_what_no_file_can_carry_is_marked_and_breaks_nothing(broken: str) -> None:
    whole = table((f"avant{broken}après",), columns=(f"en{broken}tête",), title=f"Ti{broken}tre")
    assert read_ods(ods_bytes(whole)) == [["en�tête"], ["avant�après"]]
    assert read_csv(csv_bytes(whole)) == [["en�tête"], ["avant�après"]]


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_text_that_a_spreadsheet_would_calculate_is_shown_instead(start: str) -> None:
    payload = f"{start}HYPERLINK(“http://mechant”)"
    whole = table((payload,), columns=(payload,))
    assert all(cell.startswith("'") for (cell,) in read_csv(csv_bytes(whole)))


def test_a_formula_hidden_behind_another_countrys_separator_is_defused_too() -> None:
    assert defused("bonjour;=1+1") == "bonjour;'=1+1"
    assert defused("bonjour\n@SUM(1)") == "bonjour\n'@SUM(1)"
    for harmless in ("a-b", "10 - 5", "x@y.fr", "1+1=2", "fin ; suite", "–5"):
        assert defused(harmless) == harmless


def test_numbers_are_never_defused() -> None:
    assert read_csv(csv_bytes(table((-5, -0.5), columns=("a", "b"))))[1] == ["-5", "-0.5"]


def test_a_spreadsheets_text_cell_is_no_formula_and_carries_no_apostrophe() -> None:
    made = ods_bytes(table(("=1+1",)))
    assert read_ods(made)[1] == ["=1+1"]
    assert b"formula" not in zipfile.ZipFile(io.BytesIO(made)).read("content.xml")


def test_numbers_that_are_none_are_empty_cells() -> None:
    row = (float("nan"), float("inf"), np.float64(0.5))
    assert read_ods(ods_bytes(table(row, columns=("a", "b", "c"))))[1] == ["", "", 0.5]
    assert read_csv(csv_bytes(table(row, columns=("a", "b", "c"))))[1] == ["", "", "0.5"]


def test_the_package_says_first_what_it_is_and_every_part_is_xml() -> None:
    made = ods_bytes(table(("x",)))
    assert made[30:38] == b"mimetype"
    assert made[38 : 38 + len(MEDIA_TYPE)] == MEDIA_TYPE.encode()
    package = zipfile.ZipFile(io.BytesIO(made))
    listed = ET.fromstring(package.read("META-INF/manifest.xml"))
    named = {entry.get("{urn:oasis:names:tc:opendocument:xmlns:manifest:1.0}full-path") for entry in listed}
    assert named == {"/"} | {name for name in package.namelist() if name not in {"mimetype", "META-INF/manifest.xml"}}
    for name in package.namelist()[1:]:
        ET.fromstring(package.read(name))


def test_the_header_is_bold_and_stays_in_view_on_the_sheet_of_that_name() -> None:
    package = zipfile.ZipFile(io.BytesIO(ods_bytes(table(("x",), title="L’état : 2026/11"))))
    content, settings = package.read("content.xml").decode(), package.read("settings.xml").decode()
    assert '<table:table table:name="L’état   2026 11">' in content
    assert 'config:name="L’état   2026 11"' in settings
    assert '<table:table-header-rows><table:table-row><table:table-cell table:style-name="head"' in content


@pytest.mark.parametrize(("title", "name"), [("", "1"), ("'[]'", "1"), ("a" * 50, "a" * 31), ("Produits", "Produits")])
def test_a_sheet_has_a_name_that_every_spreadsheet_accepts(title: str, name: str) -> None:
    assert sheet_name(title) == name


def test_dates_are_shown_as_the_reader_writes_them() -> None:
    with speaking("fr"):
        french = ods_bytes(table((DAY,)))
    with speaking("en"):
        english = ods_bytes(table((DAY,)))
    assert french != english
    assert read_ods(french) == read_ods(english) == [["a"], [DAY]]


def test_a_table_without_rows_is_its_header() -> None:
    assert read_ods(ods_bytes(table(columns=("a", "b")))) == [["a", "b"]]
    assert read_csv(csv_bytes(table(columns=("a", "b")))) == [["a", "b"]]


def test_equal_tables_are_equal_bytes() -> None:
    assert ods_bytes(table(("x", DAY), columns=("a", "b"))) == ods_bytes(table(("x", DAY), columns=("a", "b")))


def test_five_thousand_products_take_less_than_half_a_second() -> None:
    row = ("Produit é", "incubateur", 7, 1.5, DAY, MOMENT, True, None, "texte " * 3, "https://exemple.fr", 3.25, "a")
    whole = Table("Produits", [f"c{place}" for place in range(12)], [row] * 5000)
    begun = time.perf_counter()
    assert len(ods_bytes(whole)) > 1000
    assert time.perf_counter() - begun < 0.5
    begun = time.perf_counter()
    assert len(csv_bytes(whole)) > 1000
    assert time.perf_counter() - begun < 0.5


CELLS = st.one_of(
    st.text(max_size=40), st.integers(-(2**52), 2**52), st.floats(allow_nan=False, allow_infinity=False), st.dates(date(1900, 3, 1)),
    st.booleans(), st.none(),
)  # fmt: skip


@given(st.lists(st.tuples(CELLS, CELLS, st.just("fin")), max_size=5))
def test_any_table_is_read_back_by_both_readers_row_for_row(rows: list[tuple[object, ...]]) -> None:
    whole = Table("t", ("a", "b", "c"), rows)  # type: ignore[arg-type]
    assert len(read_csv(csv_bytes(whole))) == len(rows) + 1
    found = read_ods(ods_bytes(whole))
    assert len(found) == len(rows) + 1
    for (*cells, _end), row in zip(rows, found[1:], strict=True):
        for cell, back in zip(cells, row, strict=False):
            if isinstance(cell, int | float | date):
                assert back == cell
                assert isinstance(back, bool) == isinstance(cell, bool)
