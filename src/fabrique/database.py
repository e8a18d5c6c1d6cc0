"""The engine, read-only and read-write sessions. Every difference between SQLite and PostgreSQL lives here.

A write is one transaction: `with database.write() as session:`. It takes SQLite's write lock at its first moment (a deferred BEGIN
loses updates, see STACK), and moves the site's version on at its end, so that cached pages know they are stale.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.compiler import compiles

from fabrique.language import Problem, n_
from fabrique.resources import resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "busy_timeout=10000",
    "cache_size=-16000",
)


POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": 10}
"""As many connections kept as threads ask at once: one beyond the kept ones is opened and closed for each request."""


class DatabaseUnavailable(Problem):
    """The database cannot be opened, read or written."""


class DatabaseOutdated(Problem):
    """The database's tables are older or newer than this program."""


class TextUnstorable(Problem):
    """A text holds what PostgreSQL cannot keep. (SQLite can, but nobody means it.)"""


class Table(orm.DeclarativeBase):
    """The base of every mapped table."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment with its time zone, kept in UTC. SQLite would drop the offset; a naive value is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To the database: UTC, naive on SQLite."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"{value!r} has no time zone"
            raise ValueError(msg)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """From the database: aware."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(sa.types.TypeDecorator[Any]):
    """A JSON document kept as text: the same bytes on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: sa.Dialect) -> str | None:
        """To the database: sorted keys, so that equal documents are equal texts."""
        del dialect
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """From the database."""
        del dialect
        return None if value is None else json.loads(value)


class SiteVersion(Table):
    """One row, moved on by every write that a page could show: the heart of ETags and page caches."""

    __tablename__ = "site_version"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    version: orm.Mapped[int] = orm.mapped_column(default=0)


class Database:
    """One engine with two kinds of sessions."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = make_engine(url)
        self.reader = self.engine.execution_options(readonly=True)
        self._read_sessions = orm.sessionmaker(self.reader, expire_on_commit=False, autoflush=False)
        self._write_sessions = orm.sessionmaker(self.engine, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[orm.Session]:
        """A session that sees one moment and changes nothing."""
        with explained(self.url), self._read_sessions() as session:
            yield session

    @contextmanager
    def write(self, *, visible: bool = True) -> Iterator[orm.Session]:
        """One transaction. `visible=False` for bookkeeping that no page shows (a lease, a session's last visit)."""
        with explained(self.url), self._write_sessions.begin() as session:
            yield session
            session.flush()
            if visible:
                # Last, so that on PostgreSQL writers wait for one another on this row for an instant only.
                session.execute(sa.update(SiteVersion).values(version=SiteVersion.version + 1))

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Tell a driver's failure as a sentence."""
    try:
        yield
    except (OperationalError, DBAPIError) as error:
        if isinstance(error, sa.exc.DataError) and "NUL" in str(error.orig):
            raise TextUnstorable(n_("A text holds a null character, which the database cannot keep.")) from error
        if isinstance(error, sa.exc.IntegrityError | sa.exc.ProgrammingError | sa.exc.DataError):
            raise
        raise DatabaseUnavailable(
            n_("The database %(url)s does not answer: %(why)s"),
            url=make_url(url).render_as_string(hide_password=True),
            why=str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__,
        ) from error


def make_engine(url: str) -> sa.Engine:
    """An engine with the settings that were tried (STACK). Raises DatabaseUnavailable."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, **POOL)
        if parsed.get_backend_name() != "sqlite":
            raise DatabaseUnavailable(
                n_("fabrique runs on SQLite and PostgreSQL; “%(name)s” is neither."), name=parsed.get_backend_name()
            )
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise DatabaseUnavailable(
            n_("FABRIQUE_DATABASE_URL is not a database address; write sqlite:///var/fabrique.sqlite3 for instance.")
        ) from error
    except ModuleNotFoundError as error:
        raise DatabaseUnavailable(n_("PostgreSQL needs the driver: install fabrique with its “postgres” extra.")) from error
    return make_sqlite_engine(parsed)


def make_sqlite_engine(url: sa.URL) -> sa.Engine:
    """SQLite with write-ahead logging and transactions that begin when they say so."""
    url = url.set(drivername="sqlite")
    if not url.database or url.database == ":memory:":
        raise DatabaseUnavailable(
            n_("A database in memory forgets everything; name a file, such as sqlite:///var/fabrique.sqlite3.")
        )
    folder = Path(url.database).absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            n_("The folder %(folder)s cannot be made: %(why)s."), folder=folder, why=error.strerror
        ) from error
    engine = sa.create_engine(url, connect_args={"timeout": 10}, **POOL)

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy emits BEGIN itself
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _(connection: sa.Connection) -> None:
        readonly = connection.get_execution_options().get("readonly")
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine


def insert_or_ignore(session: orm.Session, table: type[Table], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose keys are new."""
    if rows:
        session.execute(upsert(session, table).on_conflict_do_nothing(), rows)


def upsert(session: orm.Session, table: type[Table]) -> Any:
    """The dialect's INSERT, which knows ON CONFLICT. (SQLAlchemy has no common one; both spell it alike.)"""
    if session.get_bind().dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert  # noqa: PLC0415

        return insert(table)
    from sqlalchemy.dialects.postgresql import insert as pg_insert  # noqa: PLC0415

    return pg_insert(table)


class in_letter_order(sa.sql.functions.FunctionElement[str]):  # noqa: N801 - written like a function of the database
    """A text to sort by its letters' codes, on both databases alike: PostgreSQL's own order is its locale's."""

    inherit_cache = True
    type = sa.Text()


@compiles(in_letter_order)
def _(element: Any, compiler: Any, **how: Any) -> str:
    text: str = compiler.process(element.clauses, **how)
    return f'{text} COLLATE "C"' if compiler.dialect.name == "postgresql" else text


class days_later(sa.sql.functions.FunctionElement[date]):  # noqa: N801
    """The date so many days after a date: `days_later(column, number)`. A subquery as the date needs its own brackets."""

    inherit_cache = True
    type = sa.Date()


@compiles(days_later)
def _(element: Any, compiler: Any, **how: Any) -> str:
    day, number = (compiler.process(one, **how) for one in element.clauses)
    return f"({day} + {number})" if compiler.dialect.name == "postgresql" else f"date({day}, {number} || ' days')"


def refresh_statistics(database: Database) -> None:
    """Let the query planner know what an import brought."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA optimize")  # type: ignore[union-attr] # sqlite3's own
        else:
            connection.exec_driver_sql("ANALYZE")


def migrate(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision (up or down). Raises DatabaseOutdated for a database from a newer fabrique."""
    from alembic import command  # noqa: PLC0415 - Alembic is slow to import

    script, config = migrations()
    known = {step.revision for step in script.walk_revisions()}
    if (present := revision_of(database)) is not None and present not in known:
        raise DatabaseOutdated(n_("The database was made by a newer fabrique; install that one, or restore a backup."))
    with explained(database.url), unchained(database) as connection:
        config.attributes["connection"] = connection
        if revision == "head" or is_later(script, revision, present):
            command.upgrade(config, revision)
        else:
            command.downgrade(config, revision)


@contextmanager
def unchained(database: Database) -> Iterator[sa.Connection]:
    """A connection for migrations. SQLite changes a table by making it anew, which its foreign keys, when enforced, forbid.

    They are enforced again afterwards, and looked through: a migration that breaks one fails.
    """
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            yield connection
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA foreign_keys=OFF")  # has no effect inside a transaction, hence before
        try:
            yield connection
            if broken := driver.execute("PRAGMA foreign_key_check").fetchall():
                raise DatabaseUnavailable(
                    n_("The migration broke links of the table %(table)s; restore a backup."), table=broken[0][0]
                )
        finally:
            driver.execute("PRAGMA foreign_keys=ON")


def is_later(script: Any, revision: str, present: str | None) -> bool:
    """Whether a revision lies ahead of the present one."""
    if revision == "base":
        return False
    if present is None:
        return True
    return revision not in {step.revision for step in script.iterate_revisions(present, "base")}


def require_current(database: Database) -> None:
    """Raise DatabaseOutdated, saying what to run, unless the tables are this program's."""
    script, _config = migrations()
    present = revision_of(database)
    if present is None:
        raise DatabaseOutdated(n_("The database has no tables yet; run “fabrique migrate” first."))
    if present == script.get_current_head():
        return
    if present in {step.revision for step in script.walk_revisions()}:
        raise DatabaseOutdated(n_("The database is older than this fabrique; run “fabrique migrate” first."))
    raise DatabaseOutdated(n_("The database was made by a newer fabrique; install that one, or restore a backup."))


def revision_of(database: Database) -> str | None:
    """The migration the database stands at, None for an empty one."""
    with explained(database.url), database.reader.connect() as connection:
        try:
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        except (sa.exc.ProgrammingError, OperationalError) as error:
            if "alembic_version" in str(error):
                return None
            raise


def migrations() -> tuple[Any, Any]:
    """Alembic's script folder and configuration."""
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(resource("alembic")).replace("%", "%%"))
    return ScriptDirectory.from_config(config), config
