"""What migrations that are taken back would lose, found out in a transaction that is rolled back,
and written to files before."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Select,
    and_,
    column,
    func,
    inspect,
    not_,
    select,
    table,
    text,
)

from myproject.exceptions import MyprojectError

#: Alembic's own, which the migrations are counted in.
_COUNTER = "alembic_version"


class LosesTooMuch(MyprojectError):
    """Taking the migrations back would delete rows of tables that stay."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A table that would go, or columns of one that stays.

    :ivar rows: how many rows it has; of columns, how many rows say something there.
    :ivar columns: those that would go; empty for a whole table.
    :ivar key: columns that tell the rows of a table that stays apart.
    """

    table: str
    rows: int
    columns: tuple[str, ...] = ()
    key: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = f"{self.rows} {'row' if self.rows == 1 else 'rows'}"
        if not self.columns:
            return f"the table {self.table} with {rows}"
        noun = "column" if len(self.columns) == 1 else "columns"
        return f"the {noun} {', '.join(self.columns)} of the table {self.table}, set in {rows}"

    def query(self) -> Select[Any]:
        """Return the statement that reads what would be lost."""
        if not self.columns:
            return select(text("*")).select_from(table(self.table))
        lost = [column(name) for name in self.columns]
        some = not_(and_(*(each.is_(None) for each in lost)))
        return select(*map(column, self.key), *lost).select_from(table(self.table)).where(some)


def losses(connection: Connection, take_back: Callable[[Connection], object]) -> list[Loss]:
    """Return what would be lost.

    :param connection: outside of a transaction; one is begun and rolled back.
    :param take_back: runs the migrations.
    :raises LosesTooMuch: when rows of other tables would be deleted with what they refer to.
    """
    with connection.begin() as transaction:
        before = _schema(connection)
        rows = {name: _count(connection, table(name)) for name in before}
        keys = {name: _key(connection, name) for name in before}
        take_back(connection)
        after = _schema(connection)
        for name in after.keys() & before.keys():
            left = _count(connection, table(name))
            if left < rows[name]:
                raise LosesTooMuch(
                    f"Of {rows[name]} rows of the table {name}, which stays, {rows[name] - left} "
                    "would be deleted. Nothing has been changed. Whatever else refers to the "
                    "tables of this add-on has to be removed before."
                )
        transaction.rollback()
    found = []
    with connection.begin() as transaction:
        for name, columns in before.items():
            gone = tuple(each for each in columns if each not in after.get(name, ()))
            if name not in after:
                found.append(Loss(name, rows[name]))
            elif gone:
                loss = Loss(name, 0, gone, keys[name])
                found.append(replace(loss, rows=_count(connection, loss.query().subquery())))
        transaction.rollback()
    return found


def write_loss(connection: Connection, loss: Loss, file: Path) -> None:
    """Write what would be lost as JSON Lines: an object for each row."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = connection.execution_options(yield_per=500).execute(loss.query())
    with file.open("x", encoding="utf-8", newline="\n") as out:
        for row in rows.mappings():
            out.write(json.dumps(dict(row), default=_plain, ensure_ascii=False) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _count(connection: Connection, rows: FromClause) -> int:
    return connection.scalar(select(func.count()).select_from(rows)) or 0


def _schema(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return table -> names of its columns."""
    inspector, internal = inspect(connection), _internal(connection)
    with warnings.catch_warnings():
        # Types that nobody here knows have columns with names, too.
        warnings.simplefilter("ignore")
        return {
            name: tuple(each["name"] for each in inspector.get_columns(name))
            for name in inspector.get_table_names()
            if name not in internal
        }


def _key(connection: Connection, name: str) -> tuple[str, ...]:
    return tuple(inspect(connection).get_pk_constraint(name)["constrained_columns"])


def _internal(connection: Connection) -> set[str]:
    """Return the tables that are nobody's own: Alembic's, and those within others of SQLite."""
    if connection.dialect.name != "sqlite":
        return {_COUNTER}
    shadows = text("SELECT name FROM pragma_table_list WHERE type = 'shadow'")
    return {_COUNTER, *connection.scalars(shadows)}
