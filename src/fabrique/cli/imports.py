"""`fabrique import betagouv | gds | observations`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabrique.cli.differences import tell_differences
from fabrique.cli.shared import opened, print_json, progress
from fabrique.clock import SystemClock
from fabrique.database import refresh_statistics
from fabrique.exchange.betagouv import import_betagouv
from fabrique.exchange.gds import import_gds
from fabrique.exchange.observations import import_observations
from fabrique.language import _, folded, n_, ngettext
from fabrique.web.outcomes import of_a_kind, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from fabrique.exchange.report import ImportReport

TOLD = 20
"""Refused rows printed on a terminal; --json tells them all."""
NOT_EVERYTHING = 1
YES = frozenset({"o", "oui", "y", "yes"})
"""In either language, whichever is spoken."""
IMPORTERS: dict[str, tuple[Callable[..., ImportReport], str, str]] = {
    "gds": (import_gds, n_("The UK government services table, one row a service."), "FILE"),
    "observations": (import_observations, n_("A long table of figures: service, metric, period and the counts."), "FILE"),
}  # fmt: skip


@click.group("import", help=_("Bring figures or product sheets in from files."))
def import_group() -> None:
    """One importer a kind of file."""


def command_for(kind: str) -> click.Command:
    """The command of one importer of figures."""
    run, line, metavar = IMPORTERS[kind]

    @click.command(kind, help=_(line))
    @click.argument("path", type=click.Path(path_type=Path), metavar=metavar)
    @click.option("--dry-run", is_flag=True, help=_("Say what would happen; write nothing."))
    @click.option("--strict", is_flag=True, help=_("Take nothing at all if any row is refused."))
    @click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
    def command(path: Path, *, dry_run: bool, strict: bool, as_json: bool) -> int:
        return finish(bring(run, path, dry_run=dry_run, strict=strict, quiet=as_json), as_json=as_json)

    return command


@click.command(
    "betagouv",
    help=_(
        "Product sheets of beta.gouv.fr: a folder (_startups, _incubators, _organisations) or the public API’s startups.json. "
        "On a terminal, what would change of products that are known already is shown first, and asked; elsewhere nothing is asked."
    ),
)
@click.argument("path", type=click.Path(path_type=Path), metavar="FOLDER|FILE")
@click.option("--dry-run", is_flag=True, help=_("Show what would change, field by field; write nothing."))
@click.option("--yes", is_flag=True, help=_("Apply without asking."))
@click.option("--strict", is_flag=True, help=_("Take nothing at all if any row is refused."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def betagouv(path: Path, *, dry_run: bool, yes: bool, strict: bool, as_json: bool) -> int:
    """Product sheets: shown before they are applied."""
    asked = not (dry_run or yes) and sys.stdin.isatty() and sys.stdout.isatty()
    if asked and not agreed(path, strict=strict, on_errors=as_json):
        click.echo(_("Nothing was written."), err=as_json)
        return NOT_EVERYTHING
    report = bring(import_betagouv, path, dry_run=dry_run, strict=strict, quiet=as_json)
    if dry_run and not as_json:
        tell_differences(report)
    return finish(report, as_json=as_json)


def agreed(path: Path, *, strict: bool, on_errors: bool) -> bool:
    """Whether what would change of things that are known is what is wanted. Not asked where nothing of theirs would."""
    rehearsal = bring(import_betagouv, path, dry_run=True, strict=strict, quiet=on_errors)
    if not rehearsal.changes:
        return True
    tell_differences(rehearsal, err=on_errors)
    number = len({(one.kind, one.key) for one in rehearsal.changes})
    question = ngettext("Change this one as shown?", "Change these %(num)s as shown?", number)
    try:
        asked = " ".join((question, _("[y/N]")))
        answer = click.prompt(asked, default="", show_default=False, prompt_suffix=" ", err=on_errors)
    except click.Abort:
        return False
    return folded(answer.strip()) in YES


def bring(run: Callable[..., ImportReport], path: Path, *, dry_run: bool, strict: bool, quiet: bool) -> ImportReport:
    """Run an importer, with its progress on the error stream."""
    with opened() as (database, _settings), progress(n_("Importing"), lines_of(path), quiet=quiet) as moved:
        report = run(database, SystemClock(), path, dry_run=dry_run, strict=strict, progress=moved)
        if not dry_run and report.batch is not None:
            refresh_statistics(database)
    return report


def finish(report: ImportReport, *, as_json: bool) -> int:
    """Tell what was done; the exit code says whether all of it was taken."""
    if as_json:
        print_json(report.as_json())
    else:
        tell(report)
    return NOT_EVERYTHING if report.refused_count else 0


def lines_of(path: Path) -> int | None:
    """Roughly how much there is to read, for the progress bar."""
    try:
        if path.is_dir():
            return sum(1 for _file in path.rglob("*.md"))
        if not path.is_file() or path.suffix == ".json":
            return None
        with path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        # The importer says what is wrong.
        return None


def tell(report: ImportReport) -> None:
    """The report for a person."""
    if report.dry_run:
        click.echo(_("Nothing was written: this was a dry run."))
    if report.read_as:
        click.echo(_("Read as %(encoding)s, columns separated by “%(separator)s”.", **report.read_as))
    for kind, counts in report.kinds.items():
        click.echo(of_a_kind(_(KIND_LABELS[kind]), counts))
    if report.kept:
        number = len(report.kept)
        click.echo(ngettext("%(num)s field kept as it is here", "%(num)s fields kept as they are here", number))
    if report.repaired:
        number = len(report.repaired)
        click.echo(ngettext("%(num)s repair (see --json)", "%(num)s repairs (see --json)", number))
    if report.batch is not None and "products" in report.kinds:
        click.echo(_("On record: /imports/%(number)s", number=report.batch))
    for one in report.refused[:TOLD]:
        place = f"{one.file}:{one.line}" if one.line else one.file
        value = _("“%(text)s”", text=" ".join(one.value.split())) if one.value else ""
        told = " ".join(part for part in (one.column, value) if part)
        click.echo(": ".join(part for part in (place, told, one.reason) if part), err=True)
    if report.refused_count:
        click.echo(refused(report.refused_count), err=True)


KIND_LABELS = {
    "observations": n_("Figures"),
    "services": n_("Services"),
    "products": n_("Products"),
    "incubators": n_("Incubators"),
    "organisations": n_("Organisations"),
}

import_group.add_command(betagouv)
for _kind in IMPORTERS:
    import_group.add_command(command_for(_kind))
COMMANDS = {"import": import_group}
