"""A real Chromium on the real demonstration. Set FABRIQUE_CHROMIUM where it has another name."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conftest import missing_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    names = (os.environ.get("FABRIQUE_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole session."""
    path = chromium()
    if path is None:
        missing_tool("NO BROWSER TEST RAN: no Chromium was found (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        made.close()


@pytest.fixture(scope="session", params=["dsfr", "plain"])
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def demonstration(theme: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`fabrique demo` as a person starts it; its address is read from what it prints."""
    folder = tmp_path_factory.mktemp("demo")
    environ = {
        **os.environ,
        "FABRIQUE_DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "FABRIQUE_THEME": theme,
        "FABRIQUE_LANGUAGE": "fr",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "fabrique", "demo", "--port", "0"]
    server = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert server.stdout is not None
    printed = []
    for line in server.stdout:
        printed.append(line)
        if found := re.search(r"http://[\d.]+:\d+", line):
            yield found[0]
            break
    else:
        pytest.fail("the demonstration did not start: " + "".join(printed))
    server.terminate()
    server.communicate(timeout=20)
    # uvicorn finishes the requests in hand, then ends by the signal it was sent.
    assert server.returncode in {0, -signal.SIGTERM}


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    made = browser.new_context(locale="fr-FR", viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    yield made
    made.close()
