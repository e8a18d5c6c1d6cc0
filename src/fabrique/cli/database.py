"""`fabrique migrate`."""

from __future__ import annotations

import click

from fabrique.cli.shared import print_json
from fabrique.clock import SystemClock
from fabrique.database import Database, migrate, revision_of
from fabrique.language import Problem, _, n_
from fabrique.quality.actions import install_catalogue
from fabrique.reviews.actions.criteria import install_criteria
from fabrique.settings import load


class RevisionUnknown(Problem):
    """A revision that this version does not know."""


def prepare(database: Database) -> None:
    """The newest tables, with the metrics and the gates' criteria that this version ships."""
    migrate(database)
    with database.write() as session:
        install_catalogue(session)
        install_criteria(session, SystemClock().now())


def go_to(database: Database, revision: str) -> None:
    """The tables of another revision. Raises RevisionUnknown."""
    from alembic.util import CommandError  # noqa: PLC0415 - Alembic is slow to import

    try:
        migrate(database, revision)
    except CommandError as error:
        raise RevisionUnknown(n_("No revision is called “%(revision)s”."), revision=revision) from error


@click.command("migrate", help=_("Bring the database's tables up to date."))
@click.option("--to", "revision", default="head", metavar="REVISION", help=_("Another revision than the newest."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def migrate_command(revision: str, *, as_json: bool) -> None:
    """Up, or down with --to."""
    settings = load()
    database = Database(settings.resolved_database_url)
    try:
        if revision == "head":
            prepare(database)
        else:
            go_to(database, revision)
        present = revision_of(database)
    finally:
        database.close()
    if as_json:
        print_json({"revision": present})
    else:
        click.echo(_("The database is at revision %(revision)s.", revision=present or "–"))


COMMANDS = {"migrate": migrate_command}
