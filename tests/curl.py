"""Runs the curl lines of the documentation in process, so that what it promises is what happens."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx import Response
    from litestar.testing import TestClient


def run(made: TestClient, line: str, variables: Mapping[str, str]) -> Response:
    """The answer to a curl line. Options that are not known here are a fault of the line."""
    for name, value in variables.items():
        line = line.replace(f"${name}", value)
    words = iter(shlex.split(line.replace("\\\n", " ")))
    assert next(words) == "curl", line
    method, headers, data, addresses = "", {}, None, []
    for word in words:
        match word:
            case "-H":
                name, _colon, value = next(words).partition(":")
                headers[name.strip()] = value.strip()
            case "-X":
                method = next(words)
            case "-d":
                data = next(words)
            case "-i":
                pass
            case _:
                assert not word.startswith("-"), f"{word} is not an option known here"
                addresses.append(word)
    (address,) = addresses
    parts = urlsplit(address)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return made.request(method or ("POST" if data else "GET"), path, headers=headers, content=data.encode() if data else None)
