"""A folder of sheets, with YAML at their head."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml

from fabrique.exchange.betagouv.entry import EntryRefused
from fabrique.exchange.betagouv.found import Found, Source
from fabrique.language import _, n_
from fabrique.tables.textfile import FileUnreadable, printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FOLDERS = {"_organisations": "organisations", "_incubators": "incubators", "_startups": "products"}
"""Folders in the order in which they are read, with what they hold."""
LARGEST_SHEET = 1_000_000
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def open_folder(folder: Path) -> Source:
    """The sheets of a folder, in reading order. Raises FileUnreadable where it is not one."""
    try:
        if not folder.exists():
            raise FileUnreadable(n_("There is no file or folder %(file)s."), file=folder)
        if not (folder / "_startups").is_dir():
            raise FileUnreadable(n_("%(file)s holds no folder _startups; this is not a set of product sheets."), file=folder)
        files = [file for name in FOLDERS for file in sorted((folder / name).glob("*.md"))]
    except OSError as error:
        raise FileUnreadable(n_("%(file)s cannot be read: %(why)s."), file=folder, why=error.strerror) from error
    entries = [
        Found(FOLDERS[file.parent.name], printable(file.relative_to(folder).as_posix()), file.stem, partial(front_matter, file))
        for file in files
    ]
    return Source(printable(folder.resolve().name), fingerprint(files), entries, partial=False)


def fingerprint(files: Sequence[Path]) -> str:
    """A digest of the folder's content. What cannot be read is left to be refused."""
    whole = hashlib.sha256()
    for file in files:
        with suppress(OSError):
            if file.is_file() and file.stat().st_size <= LARGEST_SHEET:
                whole.update(f"{file.parent.name}/{file.name}".encode(errors="surrogateescape"))
                whole.update(file.read_bytes())
    return whole.hexdigest()


def front_matter(file: Path) -> dict[str, Any]:
    """The YAML between the first two lines of three hyphens. Raises EntryRefused."""
    try:
        if file.stat().st_size > LARGEST_SHEET:
            raise EntryRefused("", "", _("the file is larger than 1 MB"))
        if file.is_dir():
            raise EntryRefused("", "", _("this is a folder, not a file"))
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise EntryRefused("", "", _("the file is not UTF-8 text")) from error
    except OSError as error:
        raise EntryRefused("", "", _("the file cannot be read")) from error
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        raise EntryRefused("", lines[0][:60] if lines else "", _("the file does not begin with “---”"), 1)
    try:
        end = next(place for place, line in enumerate(lines[1:], start=1) if line.strip() == "---")
    except StopIteration:
        raise EntryRefused("", "", _("the front matter has no closing “---”")) from None
    return yaml_mapping("\n".join(lines[1:end]))


def yaml_mapping(text: str) -> dict[str, Any]:
    """A YAML mapping. Raises EntryRefused with the line at fault."""
    try:
        keys = yaml.load(text, Loader=Loader)  # noqa: S506 - the safe loader, in C where there is one
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else None
        raise EntryRefused("", "", _("the YAML is broken: %(why)s", why=error.problem or ""), line) from error
    except ValueError as error:
        # What YAML takes for a date or a number, and Python for none: 2025-02-30.
        why = _("a date that does not exist, or a number that nobody would write")
        raise EntryRefused("", "", _("the YAML is broken: %(why)s", why=why)) from error
    except (yaml.YAMLError, OverflowError, RecursionError) as error:
        raise EntryRefused("", "", _("the YAML is broken: %(why)s", why=(str(error).splitlines() or [""])[0])) from error
    if not isinstance(keys, dict):
        raise EntryRefused("", "", _("the front matter holds no keys"))
    return keys
