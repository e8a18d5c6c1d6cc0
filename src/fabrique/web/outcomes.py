"""What became of the things of a file, in words, on the page of an import and on the command line.

By nouns: figures, services and organisations are feminine or masculine, one or many, and no adjective would suit them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabrique.language import _, ngettext
from fabrique.web.formats import number

if TYPE_CHECKING:
    from collections.abc import Mapping


def outcomes(counts: Mapping[str, int]) -> str:
    """1 création, 3 modifications, 362 sans changement."""
    created, changed, unchanged = (counts.get(name, 0) for name in ("created", "changed", "unchanged"))
    told = (
        ngettext("%(num)s created", "%(num)s created", created, num=number(created)),
        ngettext("%(num)s changed", "%(num)s changed", changed, num=number(changed)),
        ngettext("%(num)s unchanged", "%(num)s unchanged", unchanged, num=number(unchanged)),
    )
    return ", ".join(told)


def of_a_kind(kind: str, counts: Mapping[str, int]) -> str:
    """Produits : 377 dans le fichier, 12 créations, 3 modifications, 362 sans changement. `kind`: in the language in force."""
    return _(
        "%(kind)s: %(read)s in the file, %(outcomes)s", kind=kind, read=number(counts.get("read", 0)), outcomes=outcomes(counts)
    )


def refused(count: int) -> str:
    """2 refus."""
    return ngettext("%(num)s refused", "%(num)s refused", count, num=number(count))
