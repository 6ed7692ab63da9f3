"""What a database says of its tables and what is in them, to compare before with after."""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect

from myproject.db.engine import Database


def schema_of(database: Database) -> dict[str, dict[str, Any]]:
    """Return everything that the database says of each of its tables."""
    inspector = inspect(database.reader)
    inspector.clear_cache()
    return {
        table: {
            "columns": [str(column) for column in inspector.get_columns(table)],
            "primary key": str(inspector.get_pk_constraint(table)),
            "foreign keys": sorted(map(str, inspector.get_foreign_keys(table))),
            "unique": sorted(map(str, inspector.get_unique_constraints(table))),
            "checks": sorted(map(str, inspector.get_check_constraints(table))),
            "indexes": sorted(str(_readable(index)) for index in inspector.get_indexes(table)),
        }
        for table in inspector.get_table_names()
    }


def _readable(index: Any) -> dict[str, Any]:
    """Return an index with its condition as a text: expressions are equal to nothing."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}


def rows_of(database: Database) -> dict[str, list[str]]:
    """Return every row of every table, as the driver has it, always in the same order."""
    tables = sorted(schema_of(database))
    with database.reader.connect() as connection:
        quote = connection.dialect.identifier_preparer.quote
        found = {}
        for name in tables:
            # As text: types that nothing here knows of are compared, too.
            rows = connection.exec_driver_sql(f"SELECT * FROM {quote(name)}")  # noqa: S608
            found[name] = sorted(repr(tuple(row)) for row in rows)
    return found
