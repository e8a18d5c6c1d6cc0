"""The tables go up and down on both databases, and are what the models say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fabrique.database import Database, DatabaseOutdated, SiteVersion, Table, migrate, migrations, require_current, revision_of
from fabrique.watch.actions import tick
from factories import add_service, dropping, proportions, record

if TYPE_CHECKING:
    from pathlib import Path

    from fabrique.clock import FixedClock
    from fabrique.settings import Settings


def tables(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_migrations_go_down_to_nothing_and_up_again(database: Database) -> None:
    present = tables(database)
    migrate(database, "base")
    assert tables(database) == set()
    migrate(database)
    assert tables(database) == present
    require_current(database)


def test_every_single_step_goes_down_and_up(database: Database) -> None:
    script, _config = migrations()
    for step in script.walk_revisions():
        migrate(database, step.down_revision or "base")
        migrate(database, step.revision)
        assert revision_of(database) == step.revision


def test_every_step_keeps_what_an_inhabited_database_holds(database: Database, clock: FixedClock, settings: Settings) -> None:
    """SQLite makes a table anew to change it, which enforced foreign keys forbid: empty tables do not show it."""
    service = add_service(database, "aide")
    record(database, clock, proportions(service, dropping(weeks=40, at=25)))
    tick(database, clock, settings)

    def held() -> dict[str, int]:
        with database.read() as session:
            return {name: session.scalar(sa.text(f'SELECT count(*) FROM "{name}"')) or 0 for name in tables(database)}

    before = held()
    migrate(database, "0001")
    kept = tables(database)  # what later steps brought goes with them on the way down: the shipped criteria, for one
    migrate(database)
    assert {name: number for name, number in held().items() if name in kept} == {name: before[name] for name in kept}
    assert before["flag"] == 1
    with pytest.raises(sa.exc.IntegrityError), database.write() as session:
        session.execute(sa.text("DELETE FROM flag"))


def test_the_migrated_tables_are_those_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Table.metadata)
    assert differences == []


def test_a_database_from_a_newer_fabrique_is_refused(database: Database) -> None:
    with database.write() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseOutdated):
        require_current(database)
    with pytest.raises(DatabaseOutdated):
        migrate(database)


def test_an_empty_database_says_what_to_run(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    with pytest.raises(DatabaseOutdated, match="fabrique migrate"):
        require_current(database)
    database.close()


def test_a_write_moves_the_sites_version_on_and_bookkeeping_does_not(database: Database) -> None:
    def version() -> int:
        with database.read() as session:
            return session.scalars(sa.select(SiteVersion.version)).one()

    before = version()
    with database.write():
        pass
    assert version() == before + 1
    with database.write(visible=False):
        pass
    assert version() == before + 1
