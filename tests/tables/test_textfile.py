"""Tables as people really save them, and everything that is not a table refused in one sentence."""

from __future__ import annotations

import io
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from fabrique import language
from fabrique.tables.textfile import BLOCK, LONGEST_LINE, FileUnreadable, open_table

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.tables.textfile import TextTable

ROWS = [(2, ["été", "12 €"]), (3, ["œuvre", "3"])]


def written(tmp_path: Path, content: bytes | str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


def table(tmp_path: Path, content: bytes | str, encoding: str = "utf-8") -> TextTable:
    return open_table(written(tmp_path, content, encoding))


def zipped() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return whole.getvalue()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("separator", "called"), [(",", ","), (";", ";"), ("\t", "tab")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_encoding_and_separator_are_found_out_and_said(
    tmp_path: Path, encoding: str, separator: str, called: str, end: str
) -> None:
    lines = (separator.join(cells) for cells in (["nom", "coût"], *(row for _line, row in ROWS)))
    found = table(tmp_path, end.join(lines) + end, encoding)
    assert found.read_as == {"encoding": encoding, "separator": called}
    assert found.header == ("nom", "coût")
    assert list(found.rows()) == ROWS


def test_a_character_cut_by_a_block_is_still_utf_8(tmp_path: Path) -> None:
    head = "a,b\n"
    filler = "x\n" * ((BLOCK - len(head)) // 2)
    content = (head + filler).encode()[: BLOCK - 1] + "é,1\n".encode()
    assert content[BLOCK - 1 : BLOCK + 1] == "é".encode()
    assert table(tmp_path, content).encoding == "utf-8"


def test_a_file_that_begins_like_utf_8_may_turn_out_to_be_windows_1252(tmp_path: Path) -> None:
    content = b"a,b\n" + b"plain,1\n" * 200_000 + "été,2\n".encode("cp1252")
    found = table(tmp_path, content)
    assert found.encoding == "cp1252"
    assert list(found.rows())[-1] == (200_002, ["été", "2"])


def test_blank_lines_are_passed_over_and_rows_keep_the_number_of_the_line_they_begin_on(tmp_path: Path) -> None:
    content = 'a,b\n\n1,"two\nlines"\n , \n,\n3,"""so"" he said"\n\n4,last'
    assert list(table(tmp_path, content).rows()) == [(3, ["1", "two\nlines"]), (7, ["3", '"so" he said']), (9, ["4", "last"])]


def test_the_digest_tells_two_files_apart_and_the_same_file_again(tmp_path: Path) -> None:
    first, again, other = (table(tmp_path, content).sha256 for content in ("a,b\n1,2\n", "a,b\n1,2\n", "a,b\n1,3\n"))
    assert first == again != other


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (zipped(), "ZIP, XLSX, ODS file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "XLS file"),
        (b"%PDF-1.7\n", "PDF file"),
        (b"\x1f\x8b\x08\x00abc", "GZIP file"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + "a,b\n".encode("utf-16-be"), "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "null bytes"),
        (b"a,b\n1,\x002\n", "null bytes"),
        (b"a,b\n" + b"1,2\n" * 300_000 + b"\x00", "null bytes"),
        (bytes(range(1, 256)) * 20, "neither UTF-8 nor Windows-1252"),
        (b"a,b\n1,\x81\n", "neither UTF-8 nor Windows-1252"),
        (b"a" * 2_000_000, "more than a million characters"),
    ],
)
def test_what_is_not_a_text_table_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    assert_refused(written(tmp_path, content), said)


@pytest.mark.parametrize("before", [0, 5, 400_000, BLOCK - 600_000, BLOCK - 1, 3 * BLOCK - 7])
@pytest.mark.parametrize("after", [b"", b"\n1,2\n", b"\n" + b"1,2\n" * 500_000])
def test_a_line_over_the_limit_is_refused_wherever_it_stands(tmp_path: Path, before: int, after: bytes) -> None:
    short = (b"1,2\n" * (before // 4 + 1))[-before:] if before else b""
    assert_refused(written(tmp_path, short + b"a" * (LONGEST_LINE + 1) + after), "more than a million characters")


def test_a_line_of_just_the_limit_is_read(tmp_path: Path) -> None:
    content = b"a,b\n" + b"1,2\n" * 200_000 + b"x" * (LONGEST_LINE - 2) + b",3\n" + b"1,2\n" * 300_000
    assert sum(1 for _row in table(tmp_path, content).rows()) == 500_001


@pytest.mark.slow
def test_a_single_line_of_a_hundred_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"a" * 1_000_000)
    assert_refused(path, "more than a million characters")


@pytest.mark.parametrize("swallowed", ["1,2\n" * 3, "1,2\n" * 400_000, "1,2\n" * 3 + "4,5"])
def test_a_quotation_mark_that_is_never_closed_swallows_nothing_in_silence(tmp_path: Path, swallowed: str) -> None:
    found = table(tmp_path, f'a,b\n0,0\n0,"oops\n{swallowed}')
    with pytest.raises(FileUnreadable) as refused:
        list(found.rows())
    assert refused.value.values["line"] == 3


def test_a_closed_cell_of_several_lines_may_end_the_file(tmp_path: Path) -> None:
    assert list(table(tmp_path, 'a,b\n0,"two\nlines"\n\n').rows()) == [(2, ["0", "two\nlines"])]


def test_a_folder_instead_of_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    assert_refused(tmp_path, "is a folder")


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere/at/all.csv"])
def test_a_missing_file_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    assert_refused(tmp_path / name, "There is no file")


def test_a_name_that_no_file_can_have_is_refused_in_one_line(tmp_path: Path) -> None:
    assert_refused(tmp_path / ("a" * 300), "cannot be read")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert_refused(tmp_path / "pipe", "is not a file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_read_permission_is_refused_in_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n")
    path.chmod(0)
    assert_refused(path, "cannot be read")


@pytest.mark.skipif(os.geteuid() == 0, reason="root enters everywhere")
def test_a_file_in_a_closed_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert_refused(closed / "table.csv", "cannot be read")


def test_a_file_too_large_to_be_a_table_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(2_000_000_001)
    assert_refused(path, "larger than 2 GB")


def test_a_file_name_in_an_old_encoding_is_fit_for_a_report(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"ann\xe9e.csv")
    path.write_text("a,b\n1,2\n")
    assert open_table(path).name == "ann?e.csv"


def assert_refused(path: Path, said: str) -> None:
    with language.speaking("en"), pytest.raises(FileUnreadable) as refused:
        open_table(path)
    with language.speaking("en"):
        sentence = str(refused.value)
    assert said in sentence
    assert "\n" not in sentence
    assert path.name in sentence
