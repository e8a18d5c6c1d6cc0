"""Where the files that are not code lie: templates, migrations, catalogues, static files."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent
REPOSITORY = PACKAGE.parent.parent
STATIC = PACKAGE / "static"


def resource(name: str) -> Path:
    """The folder `name` at the repository's top, or the package's copy of it when fabrique was installed from a wheel."""
    own = REPOSITORY / name
    return own if own.is_dir() and (REPOSITORY / "pyproject.toml").is_file() else PACKAGE / "_resources" / name
