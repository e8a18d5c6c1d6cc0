"""Experiments from files: check, register, look, analyse, report; and to and from the database."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabrique.cli.shared import opened, print_json
from fabrique.clock import SystemClock, today
from fabrique.language import Problem, _, n_, slug_from

if TYPE_CHECKING:
    from fabrique.experiments.data.folder import Folder

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
FAULTY, REFUSED = 1, 2


def day_of(text: str | None) -> date:
    """The day named, or today in Paris. Raises Problem."""
    if text is None:
        return today(SystemClock())
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Problem(n_("“%(text)s” is not a date; write 2026-11-24 for instance."), text=text[:40]) from error


def tell_faults(faults: list[Any]) -> None:
    """Every fault on a line of its own."""
    for fault in faults:
        click.echo(f"fabrique: {fault}", err=True)


def sound(folder: Path) -> Folder:
    """The folder, or its faults told one by one and the command ended."""
    from fabrique.experiments.data.folder import open_folder  # noqa: PLC0415

    found = open_folder(folder)
    faults = [*found.plan_faults, *found.data_faults]
    if faults:
        tell_faults(faults)
        sys.exit(REFUSED)
    return found


def sheet_of(path: Path, as_of: str | None, *, closed: bool) -> dict[str, Any]:
    """The calculation sheet of a folder, or of a sheet that is run again."""
    from fabrique.experiments.actions.looking import changed_looks, was_final  # noqa: PLC0415
    from fabrique.experiments.analysis.running import Context  # noqa: PLC0415
    from fabrique.experiments.sheet import run_again, sheet  # noqa: PLC0415

    if path.suffix == ".json" and path.is_file():
        try:
            kept = json.loads(path.read_text("utf-8"))
        except (ValueError, RecursionError) as error:
            raise Problem(n_("%(file)s is not JSON."), file=path) from error
        again = run_again(kept)
        if {key: one for key, one in kept.items() if key != "day"} != again:
            click.echo(
                _("The sheet tells something else than its own inputs give; what follows is computed from the inputs."), err=True
            )
        return again
    found = sound(path)
    context = Context(
        as_of=day_of(as_of),
        plan_hash=found.plan_hash,
        closed=closed,
        registration=found.registration,
        deviations=tuple(plain(one) for one in found.deviations),
        looks=tuple(date.fromisoformat(str(one["day"])) for one in found.looks if "day" in one),
        final_look=bool(found.looks) and was_final(found.looks[-1]),
        corrected=changed_looks(found.looks, found.data),
    )
    return sheet(found.document, found.data, context)


def plain(deviation: dict[str, Any]) -> dict[str, Any]:
    """A deviation's file as JSON can hold it."""
    from fabrique.experiments.plan.canonical import normalised  # noqa: PLC0415

    kept: dict[str, Any] = normalised(deviation)
    return kept


@click.command("analyse", help=_("Analyse an experiment's folder, or run a calculation sheet again; no database is needed."))
@FOLDER
@click.option("--json", "as_json", is_flag=True, help=_("Print the whole calculation sheet."))
@click.option("--as-of", "as_of", metavar="DATE", help=_("Analyse as on that day; today unless told."))
@click.option("--closed", is_flag=True, help=_("The collection is closed, whatever the plan's end."))
def analyse_command(folder: Path, as_of: str | None, *, as_json: bool, closed: bool) -> None:
    """Analyse an experiment's folder, or run a calculation sheet again; no database is needed."""
    found = sheet_of(folder, as_of, closed=closed)
    if as_json:
        print_json(found)
        return
    from fabrique.experiments.printed import text_report  # noqa: PLC0415

    click.echo(text_report(found))


@click.group(
    "experiments",
    help=_("Plans and results of experiments, as files and in the database."),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def experiments_command() -> None:
    """Plans and results of experiments, as files and in the database."""


@experiments_command.command("check", help=_("Tell every fault of plans and of their data, and what their size can show."))
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
def check_command(folders: tuple[Path, ...], *, as_json: bool) -> int:
    """Tell every fault of plans and of their data, and what their size can show."""
    from fabrique.experiments.advising import advice_lines, as_advice  # noqa: PLC0415
    from fabrique.experiments.analysis.sizing import advise  # noqa: PLC0415
    from fabrique.experiments.data.folder import open_folder  # noqa: PLC0415

    faulty = False
    told = []
    for folder in folders:
        found = open_folder(folder)
        faults = [*found.plan_faults, *found.data_faults]
        faulty = faulty or bool(faults)
        advice = None if found.plan_faults else advise(found.plan)
        if as_json:
            told.append(
                {
                    "folder": str(folder),
                    "slug": found.plan.slug,
                    "plan_hash": found.plan_hash,
                    "faults": [{"path": getattr(one, "path", getattr(one, "file", "")), "message": str(one)} for one in faults],
                    "advice": as_advice(advice) if advice else None,
                }
            )
            continue
        for fault in faults:
            click.echo(f"{folder}: {fault}")
        if found.plan.slug and found.plan.slug != folder.resolve().name:
            click.echo(
                _("%(folder)s: the slug is “%(slug)s”; a folder is best named as its plan.", folder=folder, slug=found.plan.slug)
            )
        if not faults:
            click.echo(_("%(folder)s: the plan is sound (hash %(hash)s)", folder=folder, hash=found.plan_hash[:12]))
        if advice is not None:
            for line in advice_lines(found.plan, advice):
                click.echo(f"  {line}")
    if as_json:
        print_json(told[0] if len(told) == 1 else told)
    return FAULTY if faulty else 0


@experiments_command.command("register", help=_("Lock a folder's plan under its hash (registration.toml)."))
@FOLDER
@click.option("--by", "who", required=True, help=_("Who registers: a coach, never the author."))
def register_command(folder: Path, who: str) -> None:
    """Lock a folder's plan under its hash (registration.toml)."""
    from fabrique.experiments.data.folder import read_toml  # noqa: PLC0415
    from fabrique.experiments.data.writing import toml_text, write_files  # noqa: PLC0415
    from fabrique.experiments.plan.locking import registration_of  # noqa: PLC0415

    found = sound(folder)
    if found.registration is not None:
        known = read_toml(found.path / "registration.toml")
        raise Problem(
            n_("The plan is registered already, by %(who)s on %(day)s; file a deviation to change it."),
            who=known.get("registered_by", "?"), day=str(known.get("registered_at", "?"))[:10],
        )  # fmt: skip
    if not who.strip():
        raise Problem(n_("Say who registers the plan."))
    if slug_from(who) == slug_from(found.plan.owner):
        raise Problem(n_("%(who)s wrote this plan: somebody else registers it."), who=who.strip())
    if found.plan.coach and slug_from(who) != slug_from(found.plan.coach):
        raise Problem(n_("The plan names %(coach)s as its coach, who registers it."), coach=found.plan.coach)
    made = registration_of(found.document, who.strip(), moment(), after_collection=bool(found.data))
    write_files(found.path, {"registration.toml": toml_text(made)}, replace=True)
    click.echo(_("Registered by %(who)s under the hash %(hash)s", who=who.strip(), hash=made["plan_hash"]))
    if found.data:
        click.echo(_("Figures were there already: the registration says “after collection”."))


def moment() -> str:
    """Now, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@experiments_command.command("deviate", help=_("File a deviation for each key that differs from the registered plan."))
@FOLDER
@click.option("--who", required=True, help=_("Who changes the plan."))
@click.option("--why", required=True, help=_("Why it is changed."))
@click.option("--results-known/--results-unknown", "results_known", default=None, help=_("Whether results were known already."))
def deviate_command(folder: Path, who: str, why: str, *, results_known: bool | None) -> None:
    """File a deviation for each key that differs from the registered plan."""
    from fabrique.experiments.data.writing import deviation_files, write_files  # noqa: PLC0415
    from fabrique.experiments.plan.locking import registered_document, unfiled  # noqa: PLC0415

    found = sound(folder)
    if found.registration is None:
        raise Problem(n_("The plan is not registered: change it freely."))
    if results_known is None:
        raise Problem(n_("Say whether results were known: --results-known or --results-unknown."))
    if not why.strip():
        raise Problem(n_("Say why: a deviation without its reason cannot be judged."))
    missing = unfiled(registered_document(found.registration), found.document, [plain(one) for one in found.deviations])
    if (found.looks or list((found.path / "result").glob("*.json"))) and not results_known:
        raise Problem(n_("Results are in result/ already: they were known. Say --results-known."))
    if not missing:
        raise Problem(n_("Nothing differs from the plan as it stands: there is no deviation to file."))
    filed = [
        {
            "what": one.path, "old": one.old, "new": one.new, "why": why.strip(), "who": who.strip(), "at": moment(),
            "results_known": results_known,
        }
        for one in missing
    ]  # fmt: skip
    kept = deviation_files([*found.deviations, *filed])
    fresh = dict(list(kept.items())[len(found.deviations) :])
    for path in write_files(found.path, fresh, replace=True):
        click.echo(_("Filed: %(file)s", file=path))


@experiments_command.command("look", help=_("Take a look that the plan allows, and keep it in result/."))
@FOLDER
@click.option("--on", "on", metavar="DATE", help=_("Look at the figures up to that day; all of them unless told."))
def look_command(folder: Path, on: str | None) -> None:
    """Take a look that the plan allows, and keep it in result/."""
    from fabrique.experiments.actions.looking import look_at, was_final  # noqa: PLC0415
    from fabrique.experiments.data.writing import json_text, write_files  # noqa: PLC0415
    from fabrique.experiments.printed import text_report  # noqa: PLC0415

    found = sound(folder)
    taken = tuple(date.fromisoformat(str(one["day"])) for one in found.looks if "day" in one)
    deviations = tuple(plain(one) for one in found.deviations)
    day = day_of(on) if on else None
    ended = bool(found.looks) and was_final(found.looks[-1])
    made = look_at(
        found.document,
        found.data,
        found.registration,
        deviations,
        taken,
        day=day,
        as_of=min(day_of(on), day_of(None)),
        final_taken=ended,
    )
    name = f"result/look-{len(taken) + 1:03}.json"
    write_files(found.path, {name: json_text(made)}, replace=True)
    click.echo(text_report(made))
    click.echo(_("Kept in %(file)s", file=found.path / name))


@experiments_command.command("analyse", help=_("Analyse a folder, and keep the calculation sheet in result/."))
@FOLDER
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON."))
@click.option("--as-of", "as_of", metavar="DATE", help=_("Analyse as on that day; today unless told."))
@click.option("--closed", is_flag=True, help=_("The collection is closed, whatever the plan's end."))
def analyse_and_keep(folder: Path, as_of: str | None, *, as_json: bool, closed: bool) -> None:
    """Analyse a folder, and keep the calculation sheet in result/."""
    from fabrique.experiments.data.writing import json_text, write_files  # noqa: PLC0415
    from fabrique.experiments.printed import text_report  # noqa: PLC0415

    made = sheet_of(folder, as_of, closed=closed)
    path = free_name(folder / "result", f"analysis-{made['as_of']}", json_text(made))
    write_files(folder, {f"result/{path.name}": json_text(made)}, replace=True)
    if as_json:
        print_json(made)
        return
    click.echo(text_report(made))
    click.echo(_("Kept in %(file)s", file=path))


def free_name(folder: Path, stem: str, text: str) -> Path:
    """A name that no other result has: what was written is never written over."""
    for place in range(1, 1000):
        path = folder / (f"{stem}.json" if place == 1 else f"{stem}-{place}.json")
        if not path.exists() or path.read_text("utf-8") == text:
            return path
    raise Problem(n_("There are a thousand results of that day in %(folder)s already."), folder=folder)


@experiments_command.command("report", help=_("Write the report as text, a page, a table or JSON."))
@FOLDER
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "csv", "json"]), default="text", help=_("The form of the report.")
)
@click.option("--output", type=click.Path(path_type=Path), help=_("The file to write."))
@click.option("--as-of", "as_of", metavar="DATE", help=_("Analyse as on that day; today unless told."))
@click.option("--closed", is_flag=True, help=_("The collection is closed, whatever the plan's end."))
def report_command(folder: Path, form: str, output: Path | None, as_of: str | None, *, closed: bool) -> None:
    """Write the report as text, a page, a table or JSON."""
    from fabrique.experiments.data.writing import json_text  # noqa: PLC0415
    from fabrique.experiments.printed import (  # noqa: PLC0415
        csv_report,
        html_report,
        text_report,
    )

    made = sheet_of(folder, as_of, closed=closed)
    writers = {"text": text_report, "html": html_report, "csv": csv_report, "json": json_text}
    text = writers[form](made)
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    try:
        # A table has its own line ends, which no platform doubles.
        output.write_text(text, "utf-8-sig" if form == "csv" else "utf-8", newline="")
    except OSError as error:
        raise Problem(n_("%(file)s cannot be written: %(why)s."), file=output, why=error.strerror) from error
    click.echo(_("Kept in %(file)s", file=output))


@experiments_command.command("import", help=_("Bring experiments from folders into the database."))
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--product", help=_("The product's slug, where it is not the plan's own."))
def import_command(folders: tuple[Path, ...], product: str | None) -> None:
    """Bring experiments from folders into the database."""
    from fabrique.experiments.actions.folders import bring_in  # noqa: PLC0415

    with opened() as (database, _settings):
        for folder in folders:
            found = sound(folder)
            with database.write() as session:
                outcome = bring_in(session, found, datetime.now(UTC), product=product)
            click.echo(f"{found.plan.slug}: {_(outcome)}")


@experiments_command.command("export", help=_("Write an experiment from the database into a folder."))
@click.argument("slug")
@FOLDER
@click.option("--replace", is_flag=True, help=_("Write over what is in the folder."))
def export_command(slug: str, folder: Path, *, replace: bool) -> None:
    """Write an experiment from the database into a folder."""
    from fabrique.experiments.actions.folders import files_of  # noqa: PLC0415
    from fabrique.experiments.data.writing import write_files  # noqa: PLC0415

    with opened() as (database, _settings), database.read() as session:
        files = files_of(session, slug)
    for path in write_files(folder, files, replace=replace):
        click.echo(str(path))


COMMANDS = {"experiments": experiments_command, "analyse": analyse_command}
