"""The public API's startups.json (JSON:API): the products, and the incubators beside them. Every version's spelling is read."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from fabrique.exchange.betagouv.entry import EntryRefused, last_part, plain, squeezed
from fabrique.exchange.betagouv.found import Found, Source
from fabrique.language import _, n_
from fabrique.tables.textfile import FileUnreadable, printable, refuse_if_absent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_DOCUMENT = 50_000_000
NAMED_OTHERWISE = {"name": "title", "pitch": "mission", "technos": "techno"}
"""Attributes of the API that the sheets call otherwise."""
INCLUDED = {"organisation": "organisations", "incubator": "incubators"}


def open_document(file: Path) -> Source:
    """The entries of a document, in reading order. Raises FileUnreadable, in one sentence, where it is not one."""
    content = content_of(file)
    document = parsed(file, content)
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        raise FileUnreadable(
            n_("%(file)s is JSON, but not startups.json of beta.gouv.fr: no list “data” stands in it."), file=file
        )
    name = printable(file.name)
    included = document.get("included")
    beside = list(neighbours(name, included if isinstance(included, list) else []))
    products = [
        Found("products", place_of(name, "data", number, one), key_of(one), partial(product_keys, one))
        for number, one in enumerate(document["data"])
    ]
    entries = [*sorted(beside, key=lambda one: list(INCLUDED.values()).index(one.kind)), *products]
    return Source(name, hashlib.sha256(content).hexdigest(), entries, partial=True)


def content_of(file: Path) -> bytes:
    """The file's bytes. Raises FileUnreadable for what is absent, empty or too large."""
    refuse_if_absent(file)
    try:
        size = file.stat().st_size
        if size > LARGEST_DOCUMENT:
            raise FileUnreadable(n_("%(file)s is larger than 50 MB: that is not a list of products."), file=file)
        if size == 0:
            raise FileUnreadable(n_("%(file)s is empty."), file=file)
        return file.read_bytes()
    except OSError as error:
        raise FileUnreadable(n_("%(file)s cannot be read: %(why)s."), file=file, why=error.strerror) from error


def parsed(file: Path, content: bytes) -> Any:
    """The JSON in it. Raises FileUnreadable."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(n_("%(file)s is not UTF-8 text."), file=file) from error
    if text.startswith("---"):
        raise FileUnreadable(n_("%(file)s is one sheet; name the folder that holds _startups."), file=file)
    if text.lstrip()[:1] == "<":
        raise FileUnreadable(n_("%(file)s is a web page, not JSON: the address it was fetched from may have moved."), file=file)
    try:
        # Not strict: the API writes its texts as they are, line ends and tabs included.
        return json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        raise FileUnreadable(
            n_("%(file)s is not JSON: it cannot be read from line %(line)s, column %(column)s on."),
            file=file, line=error.lineno, column=error.colno,
        ) from error  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise FileUnreadable(
            n_("%(file)s is not JSON that anybody would write: too deep, or with endless numbers."), file=file
        ) from error


def neighbours(name: str, included: list[Any]) -> Iterator[Found]:
    """The incubators and organisations that stand beside the products; other things are none of ours."""
    for number, one in enumerate(included):
        if isinstance(one, dict) and (kind := INCLUDED.get(plain(one.get("type", "")))):
            yield Found(kind, place_of(name, "included", number, one), key_of(one), partial(attributes, one))


def place_of(name: str, part: str, number: int, entry: object) -> str:
    """Where an entry stands: startups.json data[12] aides."""
    return " ".join(word for word in (name, f"{part}[{number}]", key_of(entry)[:80]) if word)


def key_of(entry: object) -> str:
    """The entry's key, empty where there is none."""
    found = entry.get("id") if isinstance(entry, dict) else None
    return last_part(squeezed(str(found))) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def attributes(entry: object) -> dict[str, Any]:
    """What an entry says of itself. Raises EntryRefused."""
    if not isinstance(entry, dict):
        raise EntryRefused("", entry, _("an entry with id, type and attributes was expected"))
    found = entry.get("attributes")
    if not isinstance(found, dict):
        raise EntryRefused("attributes", "" if found is None else found, _("an entry with id, type and attributes was expected"))
    return found


def product_keys(entry: object) -> dict[str, Any]:
    """A product's keys, under the names that they have in sheets. Raises EntryRefused."""
    told = attributes(entry)
    assert isinstance(entry, dict), "an entry with attributes is one"
    if entry.get("type", "startup") != "startup":
        raise EntryRefused("type", entry.get("type"), _("this is not a product"))
    keys = {NAMED_OTHERWISE.get(name, name): value for name, value in told.items()}
    relations = entry.get("relationships")
    for name in ("incubator", "incubators", "sponsors"):
        if isinstance(relations, dict) and name in relations:
            keys[name] = ids_of(name, relations[name])
    if isinstance(home := keys.get("incubator"), list):
        keys["incubator"] = home[0] if home else ""
    return keys


def ids_of(name: str, relation: object) -> list[str]:
    """The keys that a relationship names. Raises EntryRefused where it cannot be read."""
    data = relation.get("data") if isinstance(relation, dict) else None
    named = data if isinstance(data, list) else [] if data is None else [data]
    if not isinstance(relation, dict) or not all(isinstance(one, dict) for one in named):
        raise EntryRefused(f"relationships.{name}", relation, _("a list of entries was expected"))
    return [key for one in named if (key := key_of(one))]
