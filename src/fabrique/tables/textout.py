"""Tables out as CSV: UTF-8 with its mark (Excel guesses wrong without), commas, CRLF as RFC 4180 says, numbers and dates plain.

Written for programs and for spreadsheets alike. For people ODS is the better file: its cells keep their types, so that nothing need be
guessed, and no text need be defused.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from math import isfinite
from typing import TYPE_CHECKING

from fabrique.tables.cells import defused, local, printable

if TYPE_CHECKING:
    from fabrique.tables.cells import Cell, Table

MEDIA_TYPE = "text/csv"


def csv_bytes(table: Table) -> bytes:
    """The table as a CSV file, its header first."""
    return csv_text(table).encode("utf-8-sig")


def csv_text(table: Table) -> str:
    """The same as text, for whoever writes the file."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow([plain(label) for label in table.columns])
    out.writerows([plain(cell) for cell in row] for row in table.rows)
    return text.getvalue()


def plain(cell: Cell) -> str | int:  # noqa: PLR0911 - a case for each type
    """A cell as a CSV tells it: 2026-03-14, 2026-03-14T12:30:00 in Paris, true, 0.75; nothing for what is not known."""
    match cell:
        case str():
            return defused(printable(cell))
        case bool():
            return "true" if cell else "false"
        case float():
            return repr(float(cell)) if isfinite(cell) else ""
        case int():
            return cell
        case datetime():
            return local(cell).isoformat()
        case date():
            return cell.isoformat()
        case None:
            return ""
