"""What an address may ask of a page: words of a length, members of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from fabrique.web.errors import not_there

if TYPE_CHECKING:
    from enum import StrEnum

Chosen = TypeVar("Chosen", bound="StrEnum")
LONGEST_SEARCH = 200


def one_of(kind: type[Chosen], text: str) -> Chosen | None:
    """The member of that value; None for no text. Raises NotThere for another."""
    if not text:
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise not_there(text) from error
