"""Dates as a calendar that people subscribe to (iCalendar, RFC 5545): whole days, the same bytes as long as nothing changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from litestar import Response

from fabrique.language import current
from fabrique.tables.cells import printable
from fabrique.web.exports import PRIVATE, attachment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from icalendar import Event

    from fabrique.web.visit import Visit

MEDIA_TYPE = "text/calendar; charset=utf-8"
ASK_AGAIN = timedelta(hours=6)
"""How often a subscriber is asked to look for changes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something due on a day.

    `uid` names it for ever: the same one with a later `changed_at` and a higher `sequence` moves the entry that a subscriber holds.
    """

    uid: str
    day: date
    summary: str
    changed_at: datetime
    description: str = ""
    address: str = ""
    """The page it is about, from the site's root."""
    sequence: int = 0
    remind_days: int | None = None
    """A reminder so many days before; none where none is told."""
    cancelled: bool = False


def calendar_answer(visit: Visit, entries: Iterable[Entry], name: str) -> Response[bytes]:
    """The entries as a calendar of that name."""
    made = calendar_bytes(entries, name, visit.site.settings.public_url)
    return Response(made, media_type=MEDIA_TYPE, headers={"Content-Disposition": attachment(name, "ics"), **PRIVATE})


def calendar_bytes(entries: Iterable[Entry], name: str, site: str) -> bytes:
    """The entries as an iCalendar file. `site` is where people reach fabrique: it makes identifiers unique in the world,
    and without it entries link nowhere.
    """
    from icalendar import Calendar, vText  # noqa: PLC0415 - 65 ms, for whoever asks for a calendar

    made = Calendar()
    made.add("prodid", f"-//fabrique//{current.get().upper()}")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    for key in ("name", "x-wr-calname"):  # RFC 7986, and what was used before it
        made.add(key, vText(clean(name)))
    made.add("refresh-interval", ASK_AGAIN, {"value": "DURATION"})
    made.add("x-published-ttl", "PT6H")
    for entry in sorted(entries, key=lambda one: (one.day, one.uid)):
        made.add_component(event(entry, site.rstrip("/")))
    content: bytes = made.to_ical(sorted=False)
    return content


def event(entry: Entry, site: str) -> Event:
    """One entry. A day long, and never “busy”: a due date takes nobody's time."""
    from icalendar import Alarm, Event  # noqa: PLC0415 - see above

    made = Event()
    made.add("uid", f"{entry.uid}@{urlsplit(site).hostname or 'fabrique'}")
    made.add("dtstamp", entry.changed_at.astimezone(UTC).replace(microsecond=0))
    made.add("sequence", entry.sequence)
    made.add("dtstart", entry.day)
    if entry.day < date.max:  # the last day that there is has no next; without an end, an entry lasts its day
        made.add("dtend", entry.day + timedelta(days=1))
    made.add("summary", clean(entry.summary))
    if entry.description:
        made.add("description", clean(entry.description))
    if entry.address and site:
        made.add("url", f"{site}{entry.address}")
    made.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    made.add("transp", "TRANSPARENT")
    if entry.remind_days is not None and not entry.cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", clean(entry.summary))
        alarm.add("trigger", timedelta(days=-entry.remind_days))
        made.add_component(alarm)
    return made


def clean(text: str) -> str:
    """A text that the format can carry: one kind of line ends, no control characters."""
    return printable(text.replace("\r\n", "\n").replace("\r", "\n"))
