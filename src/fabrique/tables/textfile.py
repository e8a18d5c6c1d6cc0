"""Tables as text, whoever wrote them: UTF-8 or Windows-1252, BOM or not, comma, semicolon or tab. Detected, and said.

One pass reads the whole file in blocks (its digest, its encoding, whether it is text at all); the rows are then streamed.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.language import Problem, n_

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 1 << 20
LONGEST_LINE = 1_000_000
LARGEST_FILE = 2_000_000_000
SIGNATURES = {b"PK\x03\x04": "ZIP, XLSX, ODS", b"\xd0\xcf\x11\xe0": "XLS", b"%PDF": "PDF", b"\x1f\x8b": "GZIP"}
SEPARATORS = ",;\t"


class FileUnreadable(Problem):
    """A file cannot be read as a table at all: nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A file that was found to be a table."""

    path: Path
    encoding: str
    separator: str
    header: tuple[str, ...]
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The file's name, fit for a report and for a database."""
        return printable(self.path.name)

    @property
    def read_as(self) -> dict[str, str]:
        """How the file was understood."""
        return {"encoding": self.encoding, "separator": "tab" if self.separator == "\t" else self.separator}

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row after the header with the number of the line it starts on. Blank lines are passed over."""
        begun, last, line = 1, "", 1
        with self.path.open(encoding=self.encoding, newline="", errors="strict") as file:
            reader = csv.reader(file, delimiter=self.separator)
            try:
                next(reader, None)
                line = reader.line_num + 1
                for row in reader:
                    if row and any(cell.strip() for cell in row):
                        begun, last = line, row[-1]
                        yield line, row
                    line = reader.line_num + 1
            except csv.Error as error:
                raise unclosed(self.path, line) from error
        if "\n" in last and not ends_with_quote(self.path):
            # The last cell swallowed the rest of the file.
            raise unclosed(self.path, begun)


def open_table(path: Path) -> TextTable:
    """Find out how a table is written. Raises FileUnreadable in one sentence for whatever is not one."""
    refuse_if_absent(path)
    size = path.stat().st_size
    if size == 0:
        raise FileUnreadable(n_("%(file)s is empty."), file=path)
    if size > LARGEST_FILE:
        raise FileUnreadable(n_("%(file)s is larger than 2 GB; cut it into parts."), file=path)
    try:
        digest, encoding = scan(path)
    except OSError as error:
        raise FileUnreadable(n_("%(file)s cannot be read: %(why)s."), file=path, why=error.strerror) from error
    csv.field_size_limit(LONGEST_LINE)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline(LONGEST_LINE + 1)
    separator = max(SEPARATORS, key=first.count)
    header = next(csv.reader([first], delimiter=separator), [])
    return TextTable(path, encoding, separator, tuple(name.strip() for name in header), digest, size)


def printable(name: str) -> str:
    """A file's name with a question mark for each byte that is no character."""
    return name.encode(errors="replace").decode()


def is_folder(path: Path) -> bool:
    """Whether there is a folder; a name that cannot even be looked up is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def unclosed(path: Path, line: int) -> FileUnreadable:
    """The fault of a quotation mark without its pair."""
    return FileUnreadable(n_("%(file)s: a quotation mark opened on line %(line)s is never closed."), file=path, line=line)


def ends_with_quote(path: Path) -> bool:
    """Whether the last thing in a file, blanks aside, is a quotation mark."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - BLOCK))
        return file.read().rstrip().endswith(b'"')


def refuse_if_absent(path: Path) -> None:
    """Raise FileUnreadable for a file that is not there, or is a folder."""
    if is_folder(path):
        raise FileUnreadable(n_("%(file)s is a folder; name a file in it."), file=path)
    try:
        path.stat()
    except FileNotFoundError as error:
        raise FileUnreadable(n_("There is no file %(file)s."), file=path) from error
    except OSError as error:
        raise FileUnreadable(n_("%(file)s cannot be read: %(why)s."), file=path, why=error.strerror) from error
    if not path.is_file():
        raise FileUnreadable(n_("%(file)s is not a file."), file=path)


def scan(path: Path) -> tuple[str, str]:
    """The file's SHA-256 and its encoding. Raises FileUnreadable where it is binary or has a line without end."""
    digest = hashlib.sha256()
    utf8 = codecs.getincrementaldecoder("utf-8")()
    is_utf8, since_newline, begun = True, 0, False
    bom = False
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            if not begun:
                begun = True
                bom = block.startswith(codecs.BOM_UTF8)
                refuse_signature(path, block)
            if b"\x00" in block:
                raise FileUnreadable(n_("%(file)s is not text: it holds null bytes."), file=path)
            since_newline = longest_tail(path, block, since_newline)
            if is_utf8:
                try:
                    utf8.decode(block)
                except UnicodeDecodeError:
                    is_utf8 = False
    if is_utf8:
        try:
            utf8.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    if is_utf8:
        return digest.hexdigest(), "utf-8-sig" if bom else "utf-8"
    refuse_if_not_windows(path)
    return digest.hexdigest(), "cp1252"


def refuse_signature(path: Path, block: bytes) -> None:
    """Raise FileUnreadable for the formats that people most often rename to .csv."""
    for signature, name in SIGNATURES.items():
        if block.startswith(signature):
            raise FileUnreadable(
                n_("%(file)s is not a text table but a %(kind)s file; export it as CSV first."), file=path, kind=name
            )
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise FileUnreadable(n_("%(file)s is written in UTF-16; save it as UTF-8."), file=path)


def longest_tail(path: Path, block: bytes, since_newline: int) -> int:
    """How many bytes the line that the block ends in has so far. Raises FileUnreadable where a line is too long."""
    position = 0
    while True:
        found = block.find(b"\n", position)
        if found < 0:
            since_newline += len(block) - position
            break
        if since_newline + found - position > LONGEST_LINE:
            since_newline += found - position
            break
        since_newline, position = 0, found + 1
        # Only a line longer than the limit matters: jump to the last newline that a limit's stretch can hold.
        last = block.rfind(b"\n", position, position + LONGEST_LINE)
        if last > 0:
            position = last + 1
    if since_newline > LONGEST_LINE:
        raise FileUnreadable(n_("%(file)s has a line of more than a million characters; it is not a table."), file=path)
    return since_newline


def refuse_if_not_windows(path: Path) -> None:
    """Raise FileUnreadable where a byte exists in neither UTF-8 nor Windows-1252."""
    try:
        with path.open(encoding="cp1252", newline="") as file:
            while file.read(BLOCK):
                pass
    except UnicodeDecodeError as error:
        raise FileUnreadable(n_("%(file)s is neither UTF-8 nor Windows-1252 text."), file=path) from error
