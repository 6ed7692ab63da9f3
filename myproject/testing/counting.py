"""Counting the statements that the database is asked, the measure of what a page costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from myproject.db.engine import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect the statements that a block executes, whichever engine it uses."""
    seen: list[str] = []

    def remember(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    for engine in (database.reader, database.writer):
        event.listen(engine, "before_cursor_execute", remember)
    try:
        yield seen
    finally:
        for engine in (database.reader, database.writer):
            event.remove(engine, "before_cursor_execute", remember)
