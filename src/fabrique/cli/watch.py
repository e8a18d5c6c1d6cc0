"""`fabrique check` and `fabrique status`."""

from __future__ import annotations

import time

import click

from fabrique.cli.shared import opened, print_json, progress
from fabrique.clock import SystemClock, today
from fabrique.dashboards.queries import status
from fabrique.language import _, n_, ngettext
from fabrique.watch.actions import Report, plan, tick
from fabrique.watch.queries import pending

FAILED = 1


@click.command("check", help=_("Run the checks that are due, now."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def check_command(*, as_json: bool) -> int:
    """Until every check of the night is done or failed; those that another worker holds are waited for, one lease at most."""
    clock = SystemClock()
    with opened() as (database, settings):
        night = plan(database, clock.now(), settings)
        with database.read() as session:
            waiting = pending(session, night)
        total = Report()
        until = time.monotonic() + settings.lease_seconds + 5
        with progress(n_("Checking"), waiting, quiet=as_json) as moved:
            while True:
                add(total, tick(database, clock, settings, moved))
                with database.read() as session:
                    left = pending(session, night)
                if not left or time.monotonic() > until:
                    break
                time.sleep(0.5)
    if as_json:
        print_json({"night": night.isoformat(), "left": left, **total.as_json()})
    else:
        tell(total, left)
    return FAILED if total.failed or left else 0


def add(total: Report, more: Report) -> None:
    """Sum two reports."""
    for name in ("done", "failed", "fenced", "raised", "updated", "withdrawn"):
        setattr(total, name, getattr(total, name) + getattr(more, name))
    total.errors += more.errors


def tell(report: Report, left: int) -> None:
    """The report for a person."""
    click.echo(ngettext("%(num)s check done", "%(num)s checks done", report.done))
    click.echo(
        _(
            "flags: %(raised)s raised, %(updated)s updated, %(withdrawn)s withdrawn",
            raised=report.raised,
            updated=report.updated,
            withdrawn=report.withdrawn,
        )
    )
    for error in report.errors:
        click.echo(error, err=True)
    if left:
        click.echo(ngettext("%(num)s check is held by another worker", "%(num)s checks are held by other workers", left))


@click.command("status", help=_("Say in numbers what the installation holds."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def status_command(*, as_json: bool) -> None:
    """Products by stage, services, series, observations, checks by status, flags by state and direction."""
    clock = SystemClock()
    with opened() as (database, _settings), database.read() as session:
        found = status(session, today(clock), clock.now())
    if as_json:
        print_json(found)
        return
    for name, value in flat(found):
        click.echo(f"{name:<32} {value}")


def flat(document: object, prefix: str = "") -> list[tuple[str, object]]:
    """A nested document as lines."""
    if not isinstance(document, dict):
        return [(prefix, document)]
    return [line for key, value in document.items() for line in flat(value, f"{prefix}.{key}".lstrip("."))]


COMMANDS = {"check": check_command, "status": status_command}
