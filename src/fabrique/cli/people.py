"""`fabrique invite`."""

from __future__ import annotations

import click

from fabrique.accounts.actions import LINK_HOURS, invite
from fabrique.accounts.rules import Role
from fabrique.cli.shared import opened
from fabrique.clock import SystemClock
from fabrique.language import _


@click.command("invite", help=_("Add a person and print their one-time sign-in link."))
@click.argument("email")
@click.option("--name", default="", help=_("The name that pages show."))
@click.option("--role", default=Role.INTRAPRENEUR.value, show_default=True, type=click.Choice([role.value for role in Role]))
def invite_command(email: str, name: str, role: str) -> None:
    """The link is printed once and kept nowhere."""
    with opened() as (database, settings):
        with database.write(visible=False) as session:
            token = invite(session, email, name, role, SystemClock().now())
        address = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    click.echo(f"{address}/connexion/lien/{token}")
    click.echo(_("The link works once, for %(hours)s hours.", hours=LINK_HOURS), err=True)


COMMANDS = {"invite": invite_command}
