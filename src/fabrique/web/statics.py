"""Static files, held in memory under an address that changes with their content, so that browsers may keep them for a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabrique.resources import STATIC

if TYPE_CHECKING:
    from pathlib import Path

WORTH_COMPRESSING = (".css", ".js", ".svg")
TYPES = {".woff2": "font/woff2", ".js": "text/javascript", ".css": "text/css"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, with its gzip twin where that is worth it."""

    path: Path
    media_type: str
    twin: bytes | None

    @property
    def content(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()


class Statics:
    """Every file of the static folder. The folder's digest is part of each address: relative links in style sheets keep it."""

    def __init__(self, folder: Path = STATIC) -> None:
        self.files: dict[str, StaticFile] = {}
        whole = hashlib.sha256()
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.suffix == ".gz":
                continue
            name = path.relative_to(folder).as_posix()
            whole.update(name.encode() + path.read_bytes())
            self.files[name] = StaticFile(path, media_type(path), twin(path))
        self.digest = whole.hexdigest()[:16]

    @property
    def has_design_system(self) -> bool:
        """Whether the build fetched the State's design system."""
        return "vendor/dsfr/dsfr.css" in self.files

    @property
    def has_htmx(self) -> bool:
        """Whether the build fetched htmx."""
        return "vendor/htmx.js" in self.files

    def address(self, name: str) -> str:
        """Where a file is served. Raises KeyError for a file that is not there: a template names it wrongly."""
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"


def media_type(path: Path) -> str:
    """The type a browser is told."""
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def twin(path: Path) -> bytes | None:
    """The gzip twin: the build's where it made one."""
    if path.suffix not in WORTH_COMPRESSING:
        return None
    beside = path.with_name(path.name + ".gz")
    return beside.read_bytes() if beside.is_file() else gzip.compress(path.read_bytes(), 9, mtime=0)
