"""Lists as files: named so that one finds them again, with the filters that were chosen."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from fabrique.settings import Settings
from fabrique.tables.cells import Table
from fabrique.web.errors import NotThere
from fabrique.web.exports import attachment, kind_of, table_answer
from fabrique.web.rendering import environment
from fabrique.web.statics import Statics
from fabrique.web.visit import Site, Visit

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database

TABLE = Table("Produits d’État", ("nom",), [("Vénus",)])


@pytest.fixture
def visit(sqlite: Database, clock: FixedClock) -> Visit:
    site = Site(Settings(), sqlite, clock, Statics())
    query = "phase=scale_up&page=3&q=%C3%A9t%C3%A9+%26+co&par_page=20&sponsor=a&sponsor=b&vide="
    return Visit(site, "/produits.ods", query, language="fr", scheme="system", today=date(2026, 11, 23), is_fragment=False)


@pytest.mark.parametrize(("kind", "media_type", "start"), [
    ("csv", "text/csv", b"\xef\xbb\xbfnom\r\nV\xc3\xa9nus\r\n"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet", b"PK\x03\x04"),
])  # fmt: skip
def test_a_table_is_answered_as_a_file_that_names_itself_and_its_day(
    visit: Visit, kind: str, media_type: str, start: bytes
) -> None:
    answer = table_answer(visit, TABLE, kind)
    assert answer.media_type == media_type
    assert answer.content.startswith(start)
    assert answer.headers["Content-Disposition"] == (
        f"attachment; filename=\"Produits-d-Etat-2026-11-23.{kind}\"; filename*=UTF-8''Produits-d%E2%80%99%C3%89tat-2026-11-23.{kind}"
    )
    assert "private" in answer.headers["Cache-Control"]


def test_a_kind_that_nobody_writes_is_not_there(visit: Visit) -> None:
    with pytest.raises(NotThere):
        table_answer(visit, TABLE, "xls")


def test_the_kind_is_what_the_address_ends_in(visit: Visit) -> None:
    assert kind_of(visit) == "ods"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("aide completion", 'attachment; filename="aide-completion.csv"'),
        ('a"b\r\nSet-Cookie: x=1', 'attachment; filename="a-b-Set-Cookie-x-1.csv"'),
        ("../../etc/passwd", 'attachment; filename="etc-passwd.csv"'),
        ("", 'attachment; filename="table.csv"'),
        ("مرحبا", "attachment; filename=\"table.csv\"; filename*=UTF-8''%D9%85%D8%B1%D8%AD%D8%A8%D8%A7.csv"),
        ("a" * 500, f'attachment; filename="{"a" * 80}.csv"'),
    ],
)
def test_a_file_name_holds_nothing_that_a_header_or_a_folder_would_stumble_over(name: str, header: str) -> None:
    assert attachment(name, "csv") == header


def test_the_links_keep_the_filters_and_leave_the_page_number(visit: Visit) -> None:
    template = environment().from_string(
        '{% import "parts/downloads.html" as downloads %}{{ downloads.links("/produits", visit.filters) }}'
    )
    text = " ".join(template.render(visit=visit).split())
    kept = "phase=scale_up&amp;q=%C3%A9t%C3%A9+%26+co&amp;sponsor=a&amp;sponsor=b"
    assert (
        f'<a class="fr-link" href="/produits.csv?{kept}" download>CSV</a>, <a class="fr-link" href="/produits.ods?{kept}"' in text
    )


def test_links_without_filters_have_no_question_mark() -> None:
    text = environment().from_string('{% import "parts/downloads.html" as d %}{{ d.links("/produits") }}').render()
    assert 'href="/produits.csv" download' in text
