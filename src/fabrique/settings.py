"""Every option of fabrique, its default and its unit; read from the environment and an optional fabrique.toml."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from fabrique.language import Problem, n_

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingInvalid(Problem):
    """An option has a value that fabrique cannot use."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The options in force. Each is set by FABRIQUE_<NAME> or by <name> in fabrique.toml; the environment wins."""

    database_url: str = ""
    """SQLAlchemy address; empty: SQLite under the platform's data folder."""
    theme: str = "dsfr"
    """dsfr (reserved for State sites by its terms) or plain."""
    host: str = "127.0.0.1"
    port: int = 8000
    """TCP port; 0 lets the system choose."""
    public_url: str = ""
    """Address that people type, such as https://fabrique.example.fr; switches Secure cookies and HSTS on when https."""
    session_hours: int = 12
    """Hours after which a session ends, whatever is done with it."""
    session_idle_minutes: int = 120
    """Minutes without a request after which a session ends."""
    check_hour: int = 4
    """Hour of the day, Paris time, from which the night's checks are due. Never 2 or 3: those hours double or vanish."""
    lease_seconds: int = 60
    """Seconds a worker may hold a check before another may take it over."""
    tick_seconds: int = 30
    """Seconds between two looks at the ledger."""
    max_attempts: int = 3
    """Times a check that fails is tried before it is left as failed."""

    @property
    def resolved_database_url(self) -> str:
        """The database's address, with the default filled in."""
        return self.database_url or default_database_url()

    @property
    def secure(self) -> bool:
        """Whether people reach the site by HTTPS."""
        return self.public_url.startswith("https://")


def default_database_url() -> str:
    """SQLite under the platform's data folder."""
    from platformdirs import user_data_path  # noqa: PLC0415 - only the commands that open a database need it

    return f"sqlite:///{user_data_path('fabrique', appauthor=False) / 'fabrique.sqlite3'}"


def load(environ: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Settings from fabrique.toml in the working folder (or the file that FABRIQUE_CONFIG names) and the environment.

    Raises SettingInvalid naming the option, its value and what is expected.
    """
    environ = os.environ if environ is None else environ
    file = file or Path(environ.get("FABRIQUE_CONFIG", "fabrique.toml"))
    given: dict[str, object] = {}
    if "FABRIQUE_CONFIG" in environ and not file.is_file():
        raise SettingInvalid(n_("FABRIQUE_CONFIG names %(file)s; there is no such file."), file=file)
    if file.is_file():
        try:
            given = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingInvalid(n_("%(file)s is not valid TOML: %(why)s"), file=file, why=error) from error
    known = {field.name: field for field in fields(Settings)}
    if unknown := sorted(given.keys() - known.keys()):
        raise SettingInvalid(n_("%(file)s: unknown option “%(option)s”."), file=file, option=unknown[0])
    for name in known:
        if (value := environ.get(f"FABRIQUE_{name.upper()}")) is not None:
            given[name] = value
    return checked(Settings(**{name: typed(name, known[name].type, value) for name, value in given.items()}))  # type: ignore[arg-type] # typed() returns the field's own type


def typed(name: str, kind: object, value: object) -> object:
    """One option's value in its own type."""
    if kind != "int":
        if isinstance(value, str):
            return value
        raise SettingInvalid(
            n_("FABRIQUE_%(option)s: “%(value)s” is not text; write it between quotes."), option=name.upper(), value=value
        )
    try:
        return int(str(value))
    except ValueError as error:
        raise SettingInvalid(
            n_("FABRIQUE_%(option)s: “%(value)s” is not a whole number."), option=name.upper(), value=value
        ) from error


def checked(settings: Settings) -> Settings:
    """The same settings, or SettingInvalid."""
    if settings.theme not in {"dsfr", "plain"}:
        raise SettingInvalid(n_("FABRIQUE_THEME: “%(value)s” is neither dsfr nor plain."), value=settings.theme)
    bounds = {
        "port": (0, 65535),
        "check_hour": (0, 23),
        "lease_seconds": (1, 3600),
        "tick_seconds": (1, 3600),
        "max_attempts": (1, 20),
        "session_hours": (1, 24 * 30),
        "session_idle_minutes": (1, 60 * 24 * 30),
    }
    for name, (low, high) in bounds.items():
        if not low <= getattr(settings, name) <= high:
            raise SettingInvalid(
                n_("FABRIQUE_%(option)s: %(value)s is not between %(low)s and %(high)s."),
                option=name.upper(),
                # As texts: an option is written back as it was, without spaces between thousands.
                value=str(getattr(settings, name)),
                low=str(low),
                high=str(high),
            )
    if settings.check_hour in {2, 3}:
        raise SettingInvalid(
            n_("FABRIQUE_CHECK_HOUR: hours 2 and 3 happen twice or not at all when clocks change; choose another.")
        )
    return settings
