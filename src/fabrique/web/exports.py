"""A list as a file: the same rows as on screen, as CSV or ODS, under a name that says what and when."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

from litestar import Response

from fabrique.tables import spreadsheet, textout
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from fabrique.tables.cells import Table
    from fabrique.web.visit import Visit

KINDS = {"csv": (textout.MEDIA_TYPE, textout.csv_bytes), "ods": (spreadsheet.MEDIA_TYPE, spreadsheet.ods_bytes)}
LONGEST_NAME = 80
PRIVATE = {"Cache-Control": "private, no-cache"}


def table_answer(visit: Visit, table: Table, kind: str) -> Response[bytes]:
    """The table as a file to keep. `kind` is csv or ods; raises NotThere for another."""
    if kind not in KINDS:
        raise not_there(f".{kind}")
    media_type, write = KINDS[kind]
    headers = {"Content-Disposition": attachment(f"{table.title} {visit.today}", kind), **PRIVATE}
    return Response(write(table), media_type=media_type, headers=headers)


def kind_of(visit: Visit) -> str:
    """What a page's address ends in: one handler answers /produits.csv and /produits.ods."""
    return visit.path.rpartition(".")[2]


def attachment(name: str, kind: str) -> str:
    """The header that names a file twice: in ASCII for every program, and as it is (RFC 5987) for those that read it."""
    words = re.sub(r"[^\w.’'-]+", "-", name.replace("_", "-"))[:LONGEST_NAME].strip("-.")
    plain = unicodedata.normalize("NFKD", words.replace("’", "-").replace("'", "-")).encode("ascii", "ignore").decode()
    plain = re.sub("-+", "-", plain).strip("-.") or "table"
    full = f"; filename*=UTF-8''{quote(f'{words}.{kind}', safe='')}" if words and words != plain else ""
    return f'attachment; filename="{plain}.{kind}"{full}'
