"""A calendar is read by other people's programs: the format's own rules decide."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from fabrique.web.calendar import Entry, calendar_bytes

SITE = "https://fabrique.test/"
ENTRY = Entry("review-7", date(2026, 12, 31), "Revue d’étape", datetime(2026, 11, 23, 9, 0, 0, 123, tzinfo=UTC))


def made(*entries: Entry, name: str = "Mes échéances") -> bytes:
    return calendar_bytes(entries, name, SITE)


def read(*entries: Entry, name: str = "Mes échéances") -> list:
    return Calendar.from_ical(made(*entries, name=name)).walk("VEVENT")


def unfolded(content: bytes) -> list[str]:
    """The lines of a file by hand, as RFC 5545 §3.1 says."""
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    return content.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]


def test_a_due_date_is_a_whole_day_that_takes_nobodys_time() -> None:
    lines = unfolded(made(ENTRY))
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-1] == "END:VCALENDAR"
    for line in (
        "VERSION:2.0", "METHOD:PUBLISH", "UID:review-7@fabrique.test", "DTSTART;VALUE=DATE:20261231", "DTEND;VALUE=DATE:20270101",
        "DTSTAMP:20261123T090000Z", "SEQUENCE:0", "TRANSP:TRANSPARENT", "STATUS:CONFIRMED", "SUMMARY:Revue d’étape",
        "NAME:Mes échéances", "X-WR-CALNAME:Mes échéances", "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
    ):  # fmt: skip
        assert lines.count(line) == 1, line
    assert not any(line.startswith(("DESCRIPTION", "URL", "BEGIN:VALARM")) for line in lines)


def test_what_is_told_of_an_entry_is_read_back() -> None:
    entry = replace(
        ENTRY,
        description="Avec :\n- Noor ; Anne, Camille\n- \\o/",
        address="/produits/venus/revues/7?a=b,c;d",
        sequence=3,
        remind_days=7,
    )
    (event,) = read(entry)
    assert event["SUMMARY"] == "Revue d’étape"
    assert event["DESCRIPTION"] == entry.description
    assert event["URL"] == "https://fabrique.test/produits/venus/revues/7?a=b,c;d"
    assert event["SEQUENCE"] == 3
    assert event.decoded("DTSTART") == date(2026, 12, 31)
    (alarm,) = event.walk("VALARM")
    assert alarm.decoded("TRIGGER") == timedelta(days=-7)
    assert alarm["ACTION"] == "DISPLAY"


def test_a_cancelled_entry_says_so_and_rings_no_bell() -> None:
    (event,) = read(replace(ENTRY, cancelled=True, remind_days=7))
    assert event["STATUS"] == "CANCELLED"
    assert not event.walk("VALARM")


@pytest.mark.parametrize(
    "text", ["é" * 200, "👩‍🚀" * 60, "a" * 74 + "é", "مرحبا " * 40, "a" * 10_000, "deux\nlignes", 'a\\nb;c,d:e"f', "BEGIN:VEVENT"]
)  # fmt: skip
def test_no_line_is_longer_than_75_octets_and_none_is_cut_inside_a_character(text: str) -> None:
    content = made(replace(ENTRY, summary=text, description=text), name=text)
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    assert event["SUMMARY"] == event["DESCRIPTION"] == text
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    lines = unfolded(content)
    assert f"SUMMARY:{escaped}" in lines
    assert f"X-WR-CALNAME:{escaped}" in lines


@given(st.text(max_size=300))
def test_any_text_stays_inside_its_line(text: str) -> None:
    lines = unfolded(made(replace(ENTRY, summary=text, description=text)))
    assert len(lines) == (20 if text else 19)
    assert "\x00" not in "".join(lines)


def test_control_characters_are_marked_and_every_line_end_is_one() -> None:
    (event,) = read(replace(ENTRY, summary="a\x00b\x07c\r\nd\re"))
    assert event["SUMMARY"] == "a�b�c\nd\ne"


def test_the_same_entries_are_the_same_bytes_in_any_order() -> None:
    other = replace(ENTRY, uid="review-3", day=date(2026, 12, 1))
    assert made(ENTRY, other) == made(other, ENTRY)
    paris = replace(ENTRY, changed_at=ENTRY.changed_at.astimezone(ZoneInfo("Europe/Paris")))
    assert made(paris) == made(ENTRY)
    assert [str(event["UID"]) for event in read(ENTRY, other)] == ["review-3@fabrique.test", "review-7@fabrique.test"]


def test_a_site_that_does_not_know_its_address_links_nowhere() -> None:
    (event,) = Calendar.from_ical(calendar_bytes([replace(ENTRY, address="/produits/venus")], "x", "")).walk("VEVENT")
    assert "URL" not in event
    assert event["UID"] == "review-7@fabrique"


def test_a_calendar_without_entries_is_one() -> None:
    assert read() == []
    assert unfolded(made())[0] == "BEGIN:VCALENDAR"


def test_the_library_is_imported_for_a_calendar_only() -> None:
    code = "import sys, fabrique.app; sys.exit('icalendar' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
