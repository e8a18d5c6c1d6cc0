"""A sheet's fields in words, one item a line, in the language in force: for the differences that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fabrique.language import _, day_words, n_
from fabrique.portfolio.programme import ANSWER_LABELS, MISSIONS, QUALITIES, STAKES, Answer
from fabrique.portfolio.rules import EVENT_LABELS, STAGE_LABELS, Mark
from fabrique.portfolio.sheet import Difference, differences
from fabrique.web.formats import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from fabrique.portfolio.rules import Stay
    from fabrique.portfolio.sheet import Budget, Event, ProductSheet

PLANNED, SPENT = n_("%(amount)s planned"), n_("%(amount)s spent")


Names = Mapping[str, Mapping[str, str]]
"""The names of incubators, of sponsors and (under “stakes”) of metrics: field → key → name. One key may be several: dinum is."""


def differences_in_words(before: ProductSheet, after: ProductSheet, names: Names | None = None) -> tuple[Difference, ...]:
    """The fields that changed, in the sheet's order."""
    return tuple(
        Difference(one.field, words_of(before, one.field, names), words_of(after, one.field, names))
        for one in differences(before, after)
    )


def words_of(sheet: ProductSheet, name: str, names: Names | None = None) -> tuple[str, ...]:
    """A field's value in words. A key that no name is given for says itself."""
    value = getattr(sheet, name)
    if name in KEYS:
        keys = [value] if isinstance(value, str) else value
        known = (names or {}).get(name, {})
        return tuple(known.get(key) or key for key in keys if key)
    if name == "stakes":
        return tuple(stake_words(one, (names or {}).get(name, {})) for one in value)
    if name in ITEMS:
        return tuple(ITEMS[name](one) for one in value)
    if name == "mission" and value in MISSIONS:
        return (_(MISSIONS[value].label),)
    return ((value,) if value else ()) if isinstance(value, str) else tuple(value)


def stay_words(stay: Stay) -> str:
    """Investigation, du 6 janvier 2025 au 1er juillet 2025."""
    told = {"stage": _(STAGE_LABELS[stay.stage]), "start": day_words(stay.start)}
    if stay.end is None:
        text = _("%(stage)s, since %(start)s", **told)
    else:
        text = _("%(stage)s, from %(start)s to %(end)s", **told, end=day_words(stay.end))
    return _("%(phase)s (estimated date)", phase=text) if stay.mark is Mark.ESTIMATED else text


def event_words(event: Event) -> str:
    """4 mai 2026, comité : premier avis."""
    kind = _(EVENT_LABELS[event.kind]) if event.kind in EVENT_LABELS else event.kind
    text = _("%(event)s on %(day)s", event=kind, day=day_words(event.day))
    return " – ".join(part for part in (text, event.comment, event.link) if part)


def quality_words(told: tuple[str, str]) -> str:
    """Code source ouvert : oui."""
    key, answer = told
    label = _(QUALITIES[key].label) if key in QUALITIES else key
    said = Answer(answer) if answer in set(Answer) else Answer.UNKNOWN
    return _("%(quality)s: %(answer)s", quality=label, answer=_(ANSWER_LABELS[said]))


def stake_words(told: tuple[str, str], metrics: Mapping[str, str]) -> str:
    """Inclusion, with the metric that shows it."""
    key, metric = told
    label = _(STAKES[key].label) if key in STAKES else key
    return f"{label} ({metrics.get(metric, metric)})" if metric else label


def budget_words(line: Budget) -> str:
    """2026, DINUM : 100 000 € prévus, 80 000 € dépensés."""
    told = [
        _(text, amount=f"{number(amount)}\u00a0€")
        for text, amount in ((PLANNED, line.planned), (SPENT, line.spent))
        if amount is not None
    ]
    return f"{line.year}, {line.funder} – {', '.join(told)}"


KEYS = frozenset({"incubator", "sponsors"})
"""Fields that hold keys of incubators and organisations."""
ITEMS: dict[str, Callable[[Any], str]] = {
    "stays": stay_words,
    "events": event_words,
    "budget": budget_words,
    "qualities": quality_words,
}
"""Fields whose items are told in words of their own."""
