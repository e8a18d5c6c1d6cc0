"""A database with more of everything: each row again as another's, and again beside itself. For tests of what must not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fabrique.database import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fabrique.database import Database

FURTHER = 1_000_000
"""How far the number of a copy lies above its original's."""
UNNAMED = {
    "product_id": "product",
    "review_id": "gate_review",
    "incubator_id": "incubator",
    "through_incubator": "incubator",
}
"""Columns that name a row of a table further down the road by its number alone, without a foreign key."""
LEFT = {"site_version", "auth_session", "sign_in_link"}
"""One row by nature, or somebody's secret."""
MOST_BESIDE = 300
"""Rows of a table that are copied beside themselves: a page shows no more."""
Row = dict[str, Any]


def double(database: Database) -> None:
    """Give each table more rows: the whole again as another programme, then more around each product, person and service."""
    tables = [table for table in Table.metadata.sorted_tables if table.name not in LEFT]
    with database.write() as session:
        connection = session.connection()
        read = {table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()] for table in tables}
        for table in tables:
            if copies := [elsewhere(table, row, highest(table, read[table.name])) for row in read[table.name] if numbers(table)]:
                connection.execute(sa.insert(table), copies)
        for table in tables:
            for row in read[table.name][:MOST_BESIDE]:
                for copy in beside(table, row, highest(table, read[table.name])):
                    insert_where_allowed(connection, table, copy)


def numbers(table: sa.Table) -> list[str]:
    """The columns of the key that move in a copy: the row's own number, or those of the rows that it ties together."""
    return [column.name for column in table.primary_key if column.name == "id" or named(column)]


def named(column: sa.Column[Any]) -> str:
    """The table whose row a column names by its number; empty for none."""
    for key in column.foreign_keys:
        if isinstance(key.column.type, sa.Integer):
            return key.column.table.name
    return UNNAMED.get(column.name, "")


def highest(table: sa.Table, rows: list[Row]) -> dict[str, int]:
    """The highest number in each column that counts something: versions stay without a gap."""
    counting = [column.name for column in table.columns if isinstance(column.type, sa.Integer) and not named(column)]
    return {name: max((row[name] or 0 for row in rows), default=0) for name in counting}


def elsewhere(table: sa.Table, row: Row, top: dict[str, int]) -> Row:
    """The row as another programme has it: its own number and those that it names are further on, what is unique is told apart."""
    moved = {
        column.name: row[column.name] + FURTHER
        for column in table.columns
        if row[column.name] is not None and (column.name in numbers(table) or named(column)) and column.name != "metric_key"
    }
    return told_apart(table, {**row, **moved}, set(moved), "bis", top)


def beside(table: sa.Table, row: Row, top: dict[str, int]) -> Iterator[Row]:
    """More rows around the same ones: the row again under another number, or its tie with a copy."""
    keys = numbers(table)
    if keys == ["id"]:
        yield told_apart(
            table, {**row, "id": row["id"] + 2 * FURTHER}, {"id"}, "ter", {name: 2 * number for name, number in top.items()}
        )
    elif len(keys) > 1:
        for key in keys:
            yield {**row, key: row[key] + FURTHER}


def told_apart(table: sa.Table, row: Row, moved: set[str], mark: str, further: dict[str, int]) -> Row:
    """The row with what is unique in it told apart, texts by a mark; what is unique together with something that moved is so already."""
    for unique in uniques(table):
        if moved.isdisjoint(unique):
            for name in unique:
                column = table.columns[name]
                if isinstance(row[name], str) and not column.foreign_keys and not is_a_list(column):
                    row[name] = f"{row[name]}-{mark}"[-(getattr(column.type, "length", None) or 10_000) :]
                elif isinstance(row[name], int) and not named(column):
                    row[name] += further[name]
    return row


def is_a_list(column: sa.Column[Any]) -> bool:
    """Whether a column holds one of a few words, which nothing may be added to: those that a version numbers."""
    return column.name in {"gate", "stage"}


def uniques(table: sa.Table) -> list[set[str]]:
    """The sets of columns that are unique in a table."""
    constraints = [{c.name for c in one.columns} for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
    return [*constraints, *({column.name} for column in table.columns if column.unique)]


def insert_where_allowed(connection: sa.Connection, table: sa.Table, row: Row) -> None:
    """Insert the row unless a rule of the database forbids it, as with a second open stay."""
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table), row)
    except IntegrityError:
        pass
