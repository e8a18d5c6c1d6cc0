"""`make bench`: each figure that the project promises, measured here and now, with its target beside it.

Medians of several runs; the machine's own noise is best judged by running twice. The server is held on one core, the client on another.
"""

from __future__ import annotations

import csv
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np

REAL = Path(__file__).parent.parent.parent / "shared" / "data" / "gds" / "services.csv"
SERVICES, QUARTERS, CONNECTIONS, SECONDS = 460, 21, 8, 4.0


@dataclass
class Line:
    """One line of the table."""

    what: str
    measured: float
    target: float
    unit: str

    @property
    def verdict(self) -> str:
        return "reached" if self.measured <= self.target else "missed"


def fabrique(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fabrique", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def table_to_import(folder: Path) -> tuple[Path, str]:
    """The real UK table where it lies beside the project, else one of the same size made up here."""
    if REAL.is_file():
        return REAL, "the real table"
    path = folder / "services.csv"
    random = np.random.default_rng(1)
    quarters = [f"{2012 + (i + 3) // 4}-Q{(i + 3) % 4 + 1}" for i in range(QUARTERS)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        kinds = ("Vol.", "Digital vol.", "CPT (£)")
        table.writerow(["Slug", "Name of service", "Department", *(f"{q} {kind}" for q in quarters for kind in kinds)])
        for number in range(SERVICES):
            volumes = random.integers(1_000, 1_000_000, QUARTERS)
            cells = [cell for v in volumes for cell in (f"{v:,}", f"{int(v * random.random()):,}", f"{random.random() * 9:.2f}")]
            table.writerow([f"service-{number}", f"Service {number}", "Department", *cells])
    return path, "a made-up table of the same size"


def seconds_of(command: list[str], environ: dict[str, str], runs: int) -> float:
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def start_up(environ: dict[str, str]) -> Line:
    ours = seconds_of([sys.executable, "-m", "fabrique", "--help"], environ, 9)
    bare = seconds_of([sys.executable, "-c", "pass"], environ, 9)
    return Line("fabrique --help, beyond python -c pass", ours - bare, 0.35, "s")


def analyses(environ: dict[str, str]) -> Line:
    """The slowest of the shipped examples, from the command line."""
    folders = sorted(path.parent for path in (Path(__file__).parent.parent / "experiments").glob("*/plan.toml"))
    taken = {one.name: seconds_of([sys.executable, "-m", "fabrique", "analyse", str(one)], environ, 3) for one in folders}
    slowest = max(taken, key=taken.__getitem__)
    return Line(f"fabrique analyse, the slowest of {len(taken)} shipped folders ({slowest})", taken[slowest], 2.0, "s")


def sixty_looks() -> Line:
    """The boundaries of sixty daily looks, as a page asks for them; a new plan each time, past the cache."""
    from fabrique.stats.group_sequential import spending_bounds  # noqa: PLC0415

    taken = []
    for attempt in range(9):
        begun = time.perf_counter()
        spending_bounds([day / (60 + attempt / 1000) for day in range(1, 61)])
        taken.append(1000 * (time.perf_counter() - begun))
    return Line("boundaries of sixty looks", statistics.median(taken), 50.0, "ms")


class Server:
    """`fabrique serve` held on one core, with a signed-in session."""

    def __init__(self, environ: dict[str, str]) -> None:
        link = fabrique(environ, "invite", "bench@example.org").stdout.strip()
        command = [sys.executable, "-m", "fabrique", "serve", "--port", "0", "--no-worker"]
        self.process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(self.process.pid, {0})
        found = re.search(r"http://([\d.]+):(\d+)", self.process.stdout.readline())
        self.host, self.port = found[1], int(found[2])
        connection = http.client.HTTPConnection(self.host, self.port)
        body = urlencode({"token": urlsplit(link).path.rsplit("/", 1)[1]})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        connection.request("POST", "/connexion/lien", body, headers)
        self.cookie = connection.getresponse().headers["set-cookie"].split(";")[0]
        connection.close()

    def median(self, address: str, *, connections: int, tag: str = "", fresh: bool = False) -> tuple[float, float]:
        """Median milliseconds of an answer, and answers a second, over some seconds of keep-alive connections."""
        taken: list[float] = []
        until = time.perf_counter() + SECONDS

        def ask(number: int) -> None:
            connection = http.client.HTTPConnection(self.host, self.port)
            headers = {"Cookie": self.cookie, "Accept-Language": "fr"} | ({"If-None-Match": tag} if tag else {})
            count = 0
            while time.perf_counter() < until:
                count += 1
                # An address that was never asked is made from the database, not from the cache of bodies.
                place = f"{address}{'&' if '?' in address else '?'}n={number}-{count}" if fresh else address
                begun = time.perf_counter()
                connection.request("GET", place, headers=headers)
                answer = connection.getresponse()
                answer.read()
                taken.append(time.perf_counter() - begun)
                assert answer.status == (304 if tag else 200), answer.status
            connection.close()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return 1000 * statistics.median(taken), len(taken) / SECONDS

    def tag_of(self, address: str) -> str:
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.request("GET", address, headers={"Cookie": self.cookie, "Accept-Language": "fr"})
        answer = connection.getresponse()
        answer.read()
        return answer.headers["etag"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def pages(environ: dict[str, str]) -> list[Line]:
    server = Server(environ)
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    lines = []
    everything = "/services?par_page=1000"
    for name, address in (("portfolio", "/tableau-de-bord"), ("list of all services", everything)):
        fresh, rate = server.median(address, connections=CONNECTIONS, fresh=True)
        target = 40.0 if name == "portfolio" else float("nan")
        lines.append(Line(f"{name}, 8 connections, made anew each time ({rate:.0f}/s): p50", fresh, target, "ms"))
        kept, rate = server.median(address, connections=CONNECTIONS)
        lines.append(Line(f"{name}, 8 connections, nothing changed ({rate:.0f}/s): p50", kept, 40.0, "ms"))
        tag = server.tag_of(address)
        alone, rate = server.median(address, connections=1, tag=tag)
        lines.append(Line(f"{name}, revalidated (304), 1 connection ({rate:.0f}/s): p50", alone, 3.0, "ms"))
        busy, rate = server.median(address, connections=CONNECTIONS, tag=tag)
        lines.append(Line(f"{name}, revalidated (304), 8 connections ({rate:.0f}/s): p50", busy, 3.0, "ms"))
    server.stop()
    return lines


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, which = table_to_import(folder)
        environ = {**os.environ, "FABRIQUE_DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}", "PYTHONUNBUFFERED": "1"}
        lines = [start_up(environ), analyses(environ), sixty_looks()]
        taken = []
        for run in range(3):
            one = {**environ, "FABRIQUE_DATABASE_URL": f"sqlite:///{folder / f'import{run}.sqlite3'}"}
            fabrique(one, "migrate")
            taken.append(seconds_of([sys.executable, "-m", "fabrique", "import", "gds", str(path)], one, 1))
        lines.append(Line(f"import of {SERVICES} services × {QUARTERS} quarters ({which})", statistics.median(taken), 5.0, "s"))
        fabrique(environ, "migrate")
        fabrique(environ, "import", "gds", str(path))
        begun = time.perf_counter()
        fabrique(environ, "check")
        lines.append(Line("first check of every series of it", time.perf_counter() - begun, float("nan"), "s"))
        lines += pages(environ)
    width = max(len(line.what) for line in lines)
    print(f"{'what':<{width}}  {'measured':>10}  {'target':>8}")
    for line in lines:
        target = "–" if np.isnan(line.target) else f"{line.target:g} {line.unit}"
        print(f"{line.what:<{width}}  {line.measured:>7.2f} {line.unit:<2}  {target:>8}  {'' if target == '–' else line.verdict}")


if __name__ == "__main__":
    main()
