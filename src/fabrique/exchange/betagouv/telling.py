"""What an entry tells, as the portfolio knows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fabrique.exchange.betagouv.days import NoDay, told_day
from fabrique.exchange.betagouv.entry import Entry, EntryRefused, last_part, plain, scalar, squeezed
from fabrique.language import _, folded
from fabrique.portfolio.checking import LONGEST_TEXT
from fabrique.portfolio.programme import ACCESSIBILITY_TEXTS, QUALITIES, Accessibility, accessibility_of
from fabrique.portfolio.queries import Event, Incubator, Organisation, ProductSheet
from fabrique.portfolio.rules import Mark, Phase, Stage, stays_from
from fabrique.portfolio.sheet import Telling

if TYPE_CHECKING:
    from collections.abc import Callable

    from fabrique.portfolio.rules import Stay

STAGES = {
    "investigation": Stage.INVESTIGATION,
    "construction": Stage.EXPERIMENTATION,
    "acceleration": Stage.SCALE_UP,
    "consolidation": Stage.CONSOLIDATION,
    "opere": Stage.OPERATED,
    "transfere": Stage.TRANSFERRED,
    "abandon-investigation": Stage.INCONCLUSIVE,
    "abandon": Stage.STOPPED,
}
SAID_BY = {
    "pitch": ("mission",),
    "incubator": ("incubator", "incubators"),
    "sponsors": ("sponsors",),
    "website": ("link",),
    "repository": ("repository",),
    "statistics_url": ("stats_url", "stats"),
    "impact_url": ("impact_url",),
    "budget_url": ("budget_url",),
    "dashlord_url": ("dashlord_url",),
    "risk_analysis_url": ("analyse_risques_url",),
    "accessibility": ("accessibility_status",),
    "audiences": ("usertypes",),
    "themes": ("thematiques",),
    "technologies": ("techno",),
    "stays": ("phases",),
    "events": ("events",),
}
"""A sheet's fields, each with the keys that tell it."""
ANSWERED_BY = {
    "public_statistics": "stats",
    "risk_analysis": "analyse_risques",
    "mon_service_securise": "mon_service_securise",
}
LEFT_OUT = frozenset(
    {"contact", "mailing_list", "content_url_encoded_markdown", "robots", "redirect_from", "fast", "rgpd", "title", "name"}
)
READ = LEFT_OUT | {key for keys in SAID_BY.values() for key in keys} | set(ANSWERED_BY.values())
NEVER_TOLD = frozenset({"mission", "partners", "stakes", "budget"}) | {
    f"qualities/{key}" for key in QUALITIES if key not in ANSWERED_BY
}
"""What no source of beta.gouv.fr says anything about."""
LONGEST_KIND = 30
Told = Organisation | Incubator | Telling


def organisation(entry: Entry) -> Organisation:
    """An organisation."""
    return Organisation(entry.slug, entry.required("name", "title"), entry.text("acronym"), entry.text("type"))


def incubator(entry: Entry) -> Incubator:
    """An incubator."""
    return Incubator(entry.slug, entry.required("title", "name"), last_part(entry.text("owner")), entry.link("website"))


def product(entry: Entry) -> Telling:
    """A product's sheet."""
    sheet = ProductSheet(
        slug=entry.slug,
        name=entry.required("title", "name"),
        pitch=entry.long_text("mission"),
        incubator=home(entry),
        sponsors=entry.keys_of("sponsors"),
        website=entry.link("link"),
        repository=entry.link("repository"),
        statistics_url=statistics_page(entry),
        impact_url=entry.link("impact_url"),
        budget_url=entry.link("budget_url"),
        dashlord_url=entry.link("dashlord_url"),
        risk_analysis_url=entry.link("analyse_risques_url"),
        accessibility=accessibility(entry),
        audiences=entry.words("usertypes"),
        themes=entry.words("thematiques"),
        technologies=entry.words("techno"),
        qualities=tuple((key, answer) for key, name in ANSWERED_BY.items() if (answer := entry.answer(name))),
        stays=tuple(stays(entry)),
        events=tuple(events(entry)),
    )
    for key in entry.keys:
        if key not in READ:
            entry.repair(plain(key), entry.keys[key], _("nobody knows this key: it is not read"))
    return Telling(sheet, NEVER_TOLD | (unsaid(entry) if entry.partial else frozenset()))


def unsaid(entry: Entry) -> frozenset[str]:
    """What an entry does not mention."""
    fields = {name for name, keys in SAID_BY.items() if not any(key in entry.keys for key in keys)}
    return frozenset(fields | {f"qualities/{key}" for key, name in ANSWERED_BY.items() if name not in entry.keys})


TELLERS: dict[str, Callable[[Entry], Told]] = {
    "organisations": organisation,
    "incubators": incubator,
    "products": product,
}


def home(entry: Entry) -> str:
    """The incubator's key. A product has one, whatever its sheet lists."""
    listed = entry.keys_of("incubators")
    found = last_part(entry.text("incubator")) or (listed[0] if listed else "")
    if listed and set(listed) != {found}:
        entry.repair("incubators", ", ".join(listed), _("a product has one incubator"), found)
    return found


def statistics_page(entry: Entry) -> str:
    """Where its statistics are; `stats: true` alone means the page /stats of its site."""
    if found := entry.link("stats_url"):
        return re.sub(r"(?<!:)//stats$", "/stats", found)
    site = scalar(entry.keys.get("link")) or ""
    if entry.keys.get("stats") is not True or not site.startswith(("https://", "http://")):
        return ""
    page = f"{site.rstrip('/')}/stats"
    entry.repair("stats", "true", _("statistics without an address are on the page /stats of the site"), page)
    return page


def accessibility(entry: Entry) -> str:
    """What is declared, as the law words it; anything else as it is written."""
    text = entry.text("accessibility_status")
    declared = accessibility_of(text)
    if not text or text == ACCESSIBILITY_TEXTS[declared]:
        return text
    if declared is Accessibility.UNKNOWN:
        entry.repair("accessibility_status", text, _("the law knows no such status: it is kept as it is written"), text)
        return text
    entry.repair("accessibility_status", text, _("written as the law words it"), ACCESSIBILITY_TEXTS[declared])
    return ACCESSIBILITY_TEXTS[declared]


def stays(entry: Entry) -> list[Stay]:
    """The phases as stays that follow each other. Raises EntryRefused for a phase that nobody knows or that began on no day."""
    found = []
    for place, told in entry.mappings("phases"):
        stage = STAGES.get(folded(plain(told.get("name", "")).strip()))
        if stage is None:
            raise EntryRefused(f"phases[{place}].name", told.get("name", ""), _("no phase is called this"))
        found.append(phase(entry, stage, told.get("start"), told.get("end"), f"phases[{place}]"))
    made, repairs = stays_from(found)
    for one in repairs:
        entry.repair("phases", one.value, _(one.reason), one.kept)
    return made


def phase(entry: Entry, stage: Stage, start: object, end: object, column: str) -> Phase:
    """A phase as told. Its first day must be there; an end that cannot be read is left out, for the next phase ends it."""
    try:
        first = told_day(start)
    except NoDay as error:
        raise EntryRefused(f"{column}.start", start, str(error)) from error
    if first is None:
        raise EntryRefused(f"{column}.start", "", _("a phase needs its first day"))
    if not first.exact:
        entry.repair(f"{column}.start", start, _("not told to the day: the first one is taken"), first.day)
    mark = Mark.KNOWN if first.exact else Mark.ESTIMATED
    try:
        last = told_day(end)
    except NoDay as error:
        entry.repair(f"{column}.end", end, _("%(why)s: the next phase ends this one", why=str(error)))
        return Phase(stage, first.day, None, mark)
    if last is not None and not last.exact:
        entry.repair(f"{column}.end", end, _("not told to the day: the next phase ends this one"))
        last = None
    if last is not None and last.day < first.day:
        entry.repair(f"{column}.end", last.day, _("the end is before the start: it is left out"))
        last = None
    return Phase(stage, first.day, last.day if last else None, mark)


def events(entry: Entry) -> list[Event]:
    """The events. One without a day is left out, and that is said."""
    found = []
    for place, told in entry.mappings("events"):
        column = f"events[{place}]"
        try:
            when = told_day(told.get("date"))
        except NoDay as error:
            entry.repair(f"{column}.date", told.get("date"), _("%(why)s: the event is left out", why=str(error)))
            continue
        if when is None:
            entry.repair(f"{column}.date", "", _("an event without a date is left out"))
            continue
        if not when.exact:
            entry.repair(f"{column}.date", told["date"], _("not told to the day: the first one is taken"), when.day)
        kind = entry.cut(f"{column}.name", squeezed(plain(told.get("name", "") or "other")), LONGEST_KIND)
        comment = comment_of(entry, told.get("comment"), f"{column}.comment")
        event = Event(kind or "other", when.day, comment)
        if event in found:
            entry.repair(column, f"{event.kind} {event.day}", _("what is told twice is kept once"), f"{event.kind} {event.day}")
        else:
            found.append(event)
    return found


def comment_of(entry: Entry, value: object, column: str) -> str:
    """What is said of an event, on one line."""
    text = scalar(value)
    if text is None and value is not None:
        entry.repair(column, value, _("a text was expected: it is left out"))
    return entry.cut(column, text or "", LONGEST_TEXT)
