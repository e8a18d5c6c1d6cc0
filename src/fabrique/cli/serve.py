"""`fabrique serve`, `fabrique worker`, `fabrique demo`."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import click

from fabrique.cli.database import prepare
from fabrique.cli.shared import opened, print_json, progress
from fabrique.clock import SystemClock
from fabrique.database import Database
from fabrique.language import Problem, _, n_
from fabrique.settings import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from litestar import Litestar

    from fabrique.settings import Settings
    from fabrique.web.visit import Site

    Application = Callable[[Any, Any, Any], Awaitable[None]]


class PortUnavailable(Problem):
    """The address cannot be listened on."""


def listen(host: str, port: int) -> socket.socket:
    """The socket to serve on. Raises PortUnavailable with what to do about it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the socket says that it is TCP; without it each page waits 40 ms for an ACK.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        # Listening at once: whoever follows the printed address waits for the site instead of being refused.
        made.listen(128)
    except OSError as error:
        made.close()
        raise PortUnavailable(
            n_("%(host)s:%(port)s cannot be listened on (%(why)s); choose another port with --port."),
            host=host,
            port=str(port),  # a name rather than a number: 12345, not 12 345
            why=error.strerror or error,
        ) from error
    return made


def run_site(settings: Settings, sock: socket.socket, *, worker: bool, demonstration: bool) -> None:
    """Serve until told to stop; requests in hand are finished."""
    import uvicorn  # noqa: PLC0415 - slow to import

    from fabrique.app import create_app  # noqa: PLC0415
    from fabrique.watch.ticker import ticking  # noqa: PLC0415

    def beside(site: Site) -> AbstractContextManager[None]:
        return ticking(site.database, site.clock, site.settings)

    app = create_app(settings, demonstration=demonstration, on_start=beside if worker else None)
    config = uvicorn.Config(
        head_as_get(app), log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=5, lifespan="on"
    )
    uvicorn.Server(config).run(sockets=[sock])


def head_as_get(app: Litestar) -> Application:
    """The same site, which answers HEAD as GET; uvicorn leaves the body out. Monitors and link checkers ask so."""

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await app(scope, receive, send)

    return answering


def configure_logging() -> None:
    """One line an event, on the error stream."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("apscheduler", "alembic", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


@click.command("serve", help=_("Serve the site, with the worker inside."))
@click.option("--host", help=_("Address to listen on."))
@click.option("--port", type=click.IntRange(0, 65535), help=_("Port to listen on."))
@click.option("--no-worker", is_flag=True, help=_("Leave the checks to `fabrique worker`."))
def serve_command(host: str | None, port: int | None, *, no_worker: bool) -> None:
    """In the foreground, until stopped."""
    configure_logging()
    with opened() as (_database, settings):
        pass
    sock = listen(host or settings.host, settings.port if port is None else port)
    announce(sock)
    run_site(settings, sock, worker=not no_worker, demonstration=False)


def announce(sock: socket.socket) -> None:
    """Say where the site is."""
    host, port = sock.getsockname()[:2]
    click.echo(_("fabrique is at %(address)s (Ctrl+C stops it)", address=f"http://{host}:{port}/"))


@click.command("worker", help=_("Run the worker alone."))
def worker_command() -> None:
    """In the foreground, until stopped."""
    from fabrique.watch.ticker import ticking  # noqa: PLC0415

    configure_logging()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with opened() as (database, settings), ticking(database, SystemClock(), settings):
        click.echo(_("The worker looks at the ledger every %(seconds)s seconds.", seconds=settings.tick_seconds))
        stop.wait()


@click.command("demo", help=_("Load the demonstration and serve it."))
@click.option("--host", help=_("Address to listen on."))
@click.option("--port", type=click.IntRange(0, 65535), help=_("Port to listen on."))
@click.option("--load-only", is_flag=True, help=_("Load the demonstration and run its checks; do not serve."))
@click.option("--json", "as_json", is_flag=True, help=_("Print JSON (with --load-only)."))
def demo_command(host: str | None, port: int | None, *, load_only: bool, as_json: bool) -> None:
    """Tables, demonstration, checks, then the site with its three personas."""
    from fabrique.demonstration import load_demonstration  # noqa: PLC0415
    from fabrique.watch.actions import tick  # noqa: PLC0415

    configure_logging()
    settings, clock = load(), SystemClock()
    sock = None if load_only else listen(host or settings.host, settings.port if port is None else port)
    database = Database(settings.resolved_database_url)
    try:
        prepare(database)
        with progress(n_("Loading the demonstration"), 100, quiet=as_json) as moved:
            counts = load_demonstration(database, clock, moved)
        report = tick(database, clock, settings)
    finally:
        database.close()
    if as_json:
        print_json({**counts, **report.as_json()})
    else:
        click.echo(_("The demonstration is loaded: invented products and services, and real UK figures (OGL v3)."))
    if sock is not None:
        announce(sock)
        click.echo(_("Sign in with one click as an intrapreneur, a coach or leadership: choose a person on the page."))
        run_site(settings, sock, worker=True, demonstration=True)


COMMANDS = {"serve": serve_command, "worker": worker_command, "demo": demo_command}
