"""The `fabrique` command: thin; each command calls one action or query. Commands are imported when they are called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from fabrique import language
from fabrique.language import Problem, _, n_

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "migrate": ("fabrique.cli.database", n_("Bring the database's tables up to date.")),
    "import": ("fabrique.cli.imports", n_("Bring figures or product sheets in from files.")),
    "check": ("fabrique.cli.watch", n_("Run the checks that are due, now.")),
    "status": ("fabrique.cli.watch", n_("Say in numbers what the installation holds.")),
    "detect": ("fabrique.cli.detect", n_("Say what moved in any CSV file, without a database.")),
    "analyse": ("fabrique.cli.experiments", n_("Say what an experiment's folder shows, without a database.")),
    "experiments": ("fabrique.cli.experiments", n_("Check, register, look at, analyse and report experiments.")),
    "reviews": ("fabrique.cli.reviews", n_("Check that signed gate reviews are still what was signed.")),
    "serve": ("fabrique.cli.serve", n_("Serve the site, with the worker inside.")),
    "worker": ("fabrique.cli.serve", n_("Run the worker alone.")),
    "demo": ("fabrique.cli.serve", n_("Load the demonstration and serve it.")),
    "token": ("fabrique.cli.people", n_("Give a program a token for one product, or take it back.")),
    "coach": (
        "fabrique.cli.people",
        n_("Make somebody the coach of an incubator: of its products, and of those that will come."),
    ),
    "invite": ("fabrique.cli.people", n_("Add a person and print their one-time sign-in link.")),
}
BAD_INPUT = 2
"""Exit code where the command or its input was wrong; 1 means that it worked but not everything was well."""


class LazyGroup(click.Group):
    """Knows its commands' names and one line about each; imports one only when it is called, so that --help costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order in which one meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(COMMANDS[cmd_name][0])
        command: click.Command = module.COMMANDS[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command, without importing any."""
        del ctx
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, _(line)) for name, (_module, line) in COMMANDS.items()])


def group_help() -> str:
    """What --help opens with."""
    return _("Follows digital public services from investigation to scale-up, and says what moved.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; tell any fault a person can mend in one line, and exit with 2."""
    language.current.set(language.of_environment())
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot write an accent shows a question mark rather than a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    from fabrique import __version__  # noqa: PLC0415

    group = LazyGroup(name="fabrique", help=group_help(), context_settings={"help_option_names": ["-h", "--help"]})
    group = click.version_option(__version__, prog_name="fabrique")(group)
    code: object = 0
    try:
        code = group.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(BAD_INPUT)
    except click.ClickException as error:
        fail(told(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo(_("Stopped."), err=True)
        sys.exit(130)
    except Problem as problem:
        fail(str(problem))
    except BrokenPipeError:
        sys.exit(141)
    except OSError as error:
        # What is left to print would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        fail(_("The work could not be finished: %(why)s.", why=error.strerror or str(error)))
    sys.exit(code if isinstance(code, int) else 0)


def told(error: click.ClickException) -> str:
    """What click found wrong, in the language in force."""
    match error:
        case click.NoSuchOption():
            return _("There is no option %(name)s; --help lists them.", name=error.option_name)
        case click.MissingParameter():
            name = error.param.human_readable_name if error.param else error.param_hint
            return _("%(name)s is missing; --help says what to write.", name=name)
        case click.BadParameter():
            name = error.param.get_error_hint(error.ctx) if error.param and error.ctx else error.param_hint
            return _("%(name)s cannot be used; --help says what to write.", name=name)
        case click.UsageError() if error.ctx is not None and isinstance(error.ctx.command, click.Group):
            return _("There is no such command; --help lists them.")
        case _:
            return error.format_message()


def fail(message: str) -> None:
    """One line on the error stream."""
    click.echo(f"fabrique: {' '.join(message.split())}", err=True)
    sys.exit(BAD_INPUT)
