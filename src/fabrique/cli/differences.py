"""What an import would change, or leaves as it is, as a person reads it on a terminal."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from fabrique.exchange.betagouv import FIELD_NAMES
from fabrique.language import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fabrique.exchange.report import Change, ImportReport

TOLD = 20
"""Products whose differences are printed; --json tells all."""
ITEMS = 6
"""Items of a list printed for one field."""
WIDTH = 100


def tell_differences(report: ImportReport, *, err: bool = False) -> None:
    """What is new, what changes field by field, and what stays because people decided otherwise here."""
    lines = [*new_lines(report), *changed_lines(report.changes)]
    if report.kept:
        lines += [
            _("Kept as people wrote or decided it here, although the file tells otherwise:"),
            *changed_lines(report.kept, kept_lines),
        ]
    for line in lines:
        click.echo(line, err=err)
    if lines:
        click.echo("", err=err)


def new_lines(report: ImportReport) -> list[str]:
    """What would be created, in a line."""
    if not report.created:
        return []
    names = [one_line(name or key) for _kind, key, name in report.created[:ITEMS]]
    told = ngettext("%(num)s new: %(names)s", "%(num)s new: %(names)s", len(report.created), names=", ".join(names))
    return [told + (" …" if len(report.created) > ITEMS else "")]


def changed_lines(changes: Sequence[Change], told: Callable[[Change], list[str]] | None = None) -> list[str]:
    """Field by field, thing by thing; `told`: how one field is."""
    whole = [(key, list(group)) for key, group in groupby(changes, key=lambda one: (one.kind, one.key, one.name))]
    lines = []
    for (_kind, key, name), fields in whole[:TOLD]:
        lines.append(click.style(f"{one_line(name)} ({key})", bold=True))
        for one in fields:
            lines += (told or field_lines)(one)
    if rest := len(whole) - TOLD:
        lines += [ngettext("and %(num)s more; --json tells all", "and %(num)s more; --json tells all", rest)] if rest > 0 else []
    return lines


def field_lines(one: Change) -> list[str]:
    """A field: before → after where each is a single text, else what goes and what comes."""
    label = _(FIELD_NAMES[one.field])
    if len(one.before) <= 1 and len(one.after) <= 1:
        before, after = (one_line(text[0]) if text else _("(nothing)") for text in (one.before, one.after))
        return ["  " + _("%(label)s: %(text)s", label=label, text=f"{before} → {after}")]
    gone = [text for text in one.before if text not in one.after]
    new = [text for text in one.after if text not in one.before]
    if not gone and not new:
        return ["  " + _("%(label)s: %(text)s", label=label, text=_("in another order"))]
    return [f"  {label}", *marked("−", gone), *marked("+", new)]


def kept_lines(one: Change) -> list[str]:
    """A field that stays: what stands here, and what the file says."""
    here, file = (", ".join(texts[:ITEMS]) or _("(nothing)") for texts in (one.before, one.after))
    return [
        f"  {_(FIELD_NAMES[one.field])}",
        *(
            f"    {_('%(label)s: %(text)s', label=label, text=one_line(text))}"
            for label, text in ((_("here"), here), (_("in the file"), file))
        ),
    ]


def marked(mark: str, texts: Sequence[str]) -> list[str]:
    """Some items, each with its mark."""
    lines = [f"    {mark} {one_line(text)}" for text in texts[:ITEMS]]
    if (rest := len(texts) - ITEMS) > 0:
        lines.append(f"    {mark} " + ngettext("and %(num)s more; --json tells all", "and %(num)s more; --json tells all", rest))
    return lines


def one_line(text: str) -> str:
    """A text on one line of a terminal, without what would move its cursor."""
    told = "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))
    return told if len(told) <= WIDTH else told[: WIDTH - 1] + "…"
