"""What every command shares: the database it opens, how it prints JSON, and its progress bar."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from fabrique.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fabrique.database import Database
    from fabrique.settings import Settings


@contextmanager
def opened() -> Iterator[tuple[Database, Settings]]:
    """The database that the settings name, with the tables this program expects."""
    from fabrique.database import Database, require_current  # noqa: PLC0415 - commands without a database start faster
    from fabrique.settings import load  # noqa: PLC0415

    settings = load()
    database = Database(settings.resolved_database_url)
    try:
        require_current(database)
        yield database, settings
    finally:
        database.close()


def print_json(document: object) -> None:
    """One JSON document on standard output, as a script expects it."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None, allow_nan=False))


@contextmanager
def progress(label: str, length: int | None, *, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """A progress bar on the error stream, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done: None
        return
    with click.progressbar(length=length or 0, label=_(label), file=sys.stderr) as bar:
        yield bar.update
