"""`fabrique invite`, `fabrique coach` and `fabrique token`."""

from __future__ import annotations

import click

from fabrique.accounts.actions import LINK_HOURS, PersonInvalid, invite, make_token, revoke_token
from fabrique.accounts.rules import Role, TokenScope
from fabrique.cli.shared import opened
from fabrique.clock import SystemClock
from fabrique.language import _, n_, ngettext
from fabrique.portfolio.actions.coaching import coach_incubator, leave_incubator
from fabrique.portfolio.queries import product_id_of


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


@click.command("coach", help=_("Make somebody the coach of an incubator: of its products, and of those that will come."))
@click.argument("email")
@click.argument("incubator")
@click.option("--end", is_flag=True, help=_("End it, for every product coached through the incubator."))
def coach_command(email: str, incubator: str, *, end: bool) -> None:
    """The incubator is named by its key. Again changes nothing."""
    with opened() as (database, _settings), database.write() as session:
        change = leave_incubator if end else coach_incubator
        done = change(session, email, incubator, SystemClock().now())
    if end:
        text = _("%(name)s no longer coaches “%(incubator)s”.", name=done.name, incubator=done.incubator)
    else:
        text = ngettext(
            "%(name)s coaches “%(incubator)s”: %(num)s product.",
            "%(name)s coaches “%(incubator)s”: %(num)s products.",
            done.products,
            name=done.name,
            incubator=done.incubator,
        )
    click.echo(text)
    if not done.is_new:
        click.echo(_("Nothing changed."), err=True)


@click.group("token", help=_("Give a program a token for one product, or take it back."))
def token_group() -> None:
    """Tokens of programs."""


@token_group.command("make")
@click.argument("email")
@click.argument("product")
@click.option(
    "--scope", "scopes", multiple=True, default=(TokenScope.READ.value,), type=click.Choice([one.value for one in TokenScope])
)
@click.option("--name", default="", help=_("What it is for."))
@click.option("--days", default=365, type=click.IntRange(1, 3650), help=_("How long it lasts."))
def make_command(email: str, product: str, scopes: tuple[str, ...], name: str, days: int) -> None:
    """The token is printed once and kept nowhere; only its hash is."""
    with opened() as (database, _settings), database.write(visible=False) as session:
        product_id = product_id_of(session, product)
        if product_id is None:
            raise PersonInvalid(n_("There is no product “%(slug)s”."), slug=product)
        token = make_token(session, email, product_id, scopes, name, days, SystemClock().now())
    click.echo(token)
    click.echo(_("It is shown once; keep it where programs keep secrets."), err=True)


@token_group.command("revoke")
@click.argument("token_id", type=int)
def revoke_command(token_id: int) -> None:
    """End a token now."""
    with opened() as (database, _settings), database.write(visible=False) as session:
        if not revoke_token(session, token_id, SystemClock().now()):
            raise PersonInvalid(n_("There is no live token %(id)s."), id=token_id)
    click.echo(_("The token %(id)s is revoked.", id=token_id))


COMMANDS = {"invite": invite_command, "coach": coach_command, "token": token_group}
