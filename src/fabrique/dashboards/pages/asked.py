"""What an address may ask of a page: words of a length, members of a list, numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from fabrique.dashboards.queries.health import Health
from fabrique.dashboards.queries.listing import Asked, Order, View, no_such
from fabrique.language import Problem, n_
from fabrique.portfolio.programme import MISSIONS, STAKES
from fabrique.portfolio.queries.finding import Group
from fabrique.portfolio.rules import Stage
from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from collections.abc import Container
    from enum import StrEnum

Chosen = TypeVar("Chosen", bound="StrEnum")
LONGEST_SEARCH = 200
LONGEST_KEY = 200
MOST_DIGITS = 12
LARGEST_PAGE = 500


class AddressUnreadable(Problem):
    """An address asks for something that is no number."""


def one_of(kind: type[Chosen], text: str) -> Chosen | None:
    """The member of that value; None for no text. Raises NotThere for another."""
    if not text:
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise not_there(text) from error


def key_of(known: Container[str], text: str) -> str:
    """The key, or no text. Raises NotThere for one that is not known."""
    if text and text not in known:
        raise not_there(text)
    return text


def number(name: str, text: str) -> int | None:
    """The number that the address gives; None for no text. Raises AddressUnreadable."""
    if not text:
        return None
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise AddressUnreadable(n_("What the address says of %(names)s cannot be read."), names=name)
    return int(text[:MOST_DIGITS])


def person_number(text: str) -> int | None:
    """The number of a person; None for no text. Raises NotThere for what is none."""
    try:
        return number("coach", text)
    except AddressUnreadable as error:
        raise no_such("coach", text) from error


def products_asked(query: str) -> Asked:
    """What an address asks of the list of products. Raises NotThere for a stage, a mission… that does not exist, AddressUnreadable.

    Whether an incubator, a sponsor or a coach exists, the database says: listing.require_known.
    """
    told = {name: value.strip() for name, value in parse_qsl(query, keep_blank_values=True)}
    stage, health = told.get("phase", ""), told.get("sante", "")
    usual = Asked()
    return Asked(
        search=told.get("q", "")[:LONGEST_SEARCH].strip(),
        stage=Group(stage) if stage in set(Group) else one_of(Stage, stage),
        health=one_of(Health, health),
        incubator=told.get("incubateur", "")[:LONGEST_KEY],
        sponsor=told.get("sponsor", "")[:LONGEST_KEY],
        coach=person_number(told.get("coach", "")),
        mission=key_of(MISSIONS, told.get("mission", "")),
        stake=key_of(STAKES, told.get("enjeu", "")),
        sort=one_of(Order, told.get("tri", "")) or usual.sort,
        view=one_of(View, told.get("vue", "")) or usual.view,
        page=number("page", told.get("page", "")) or usual.page,
        size=min(max(number("par_page", told.get("par_page", "")) or usual.size, 1), LARGEST_PAGE),
    )
