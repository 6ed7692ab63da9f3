"""One database, two engines: one that can only read, one that writes.

A safe request uses a connection on which the database itself refuses to write and which needs no
BEGIN or ROLLBACK around its few statements; everything else runs in a transaction that the
request's transaction manager commits. On SQLite a writing transaction takes the write lock when
it begins, because a transaction that reads first and writes later fails as soon as there are two.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transaction
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from zope.interface import implementer

from myproject.db.transaction import TRANSACTION_MANAGER, TransactionEvents, mark_busy_retryable
from myproject.exceptions import DatabaseUnavailable, ReadOnlySession
from myproject.interfaces import IDatabase

#: Seconds that a connection waits for SQLite's write lock before the request is tried again.
SQLITE_BUSY_SECONDS = 5


@implementer(IDatabase)
class Database:
    """The engines and session factories of one application.

    :param url: a SQLAlchemy URL of SQLite (a file) or PostgreSQL (psycopg 3).
    :param echo: log every statement.
    :param pool: ``pool_size``, ``max_overflow`` and ``pool_timeout`` (seconds) of each engine.
    """

    def __init__(self, url: str | URL, *, echo: bool = False, **pool: int) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"echo": echo, **pool}
        if not self.is_sqlite:
            options["pool_pre_ping"] = True
        self.writer = create_engine(
            self.url, **options, **({} if self.is_sqlite else _postgresql(self.url))
        )
        self.reader = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            **options,
            **({} if self.is_sqlite else _postgresql(self.url, _READ_ONLY)),
        )
        if self.is_sqlite:
            _prepare_sqlite(self.writer, read_only=False)
            _prepare_sqlite(self.reader, read_only=True)
        event.listen(self.reader, "checkin", _leave_no_transaction)
        self.readers = sessionmaker(self.reader, autoflush=False, expire_on_commit=False)
        self.writers = sessionmaker(self.writer, expire_on_commit=False)
        event.listen(self.readers, "before_flush", _refuse_flush)
        TransactionEvents().listen(self.writers)

    def read_session(self) -> Session:
        """Return a session for reading; close it when done. Flushing raises ``ReadOnlySession``."""
        return self.readers()

    def write_session(self, manager: transaction.TransactionManager) -> Session:
        """Return a session that joins *manager*'s transaction and ends with it."""
        return self.writers(info={TRANSACTION_MANAGER: manager})

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Run a block in a transaction of its own: committed at the end, aborted on an error."""
        manager = transaction.TransactionManager(explicit=True)
        with manager:
            yield self.write_session(manager)

    @property
    def shown_url(self) -> str:
        """The URL as messages may show it: without a password, wherever in it one stands."""
        return self.url.difference_update_query(["password"]).render_as_string()

    @property
    def file_is_missing(self) -> bool:
        """Whether this is a SQLite database whose file is not there."""
        return self.is_sqlite and not Path(self.url.database or "").exists()

    def create_folder(self) -> None:
        """Make the folder that a SQLite file is to lie in."""
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)

    def check_reachable(self) -> None:
        """Raise ``DatabaseUnavailable`` if no connection can be made."""
        try:
            self.writer.connect().close()
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise DatabaseUnavailable(
                f"sqlalchemy.url = {self.shown_url}: the database cannot be reached: {reason}"
            ) from error

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.reader.dispose()
        self.writer.dispose()


_READ_ONLY = "-c default_transaction_read_only=on"


def _postgresql(url: URL, *more: str) -> dict[str, Any]:
    # PostgreSQL expects so much of recursive queries that it would translate them into machine
    # code, which takes ten times as long as they do. The URL's own options (a search path, for
    # example) come later, so that they count.
    options = ["-c jit=off", *url.normalized_query.get("options", ()), *more]
    return {"connect_args": {"options": " ".join(options)}}


def _prepare_sqlite(engine: Engine, *, read_only: bool) -> None:
    pragmas = [
        f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1000}",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA foreign_keys = ON",
    ]
    if read_only:
        pragmas.append("PRAGMA query_only = ON")

    @event.listens_for(engine, "connect")
    def on_connect(dbapi_connection: Any, record: Any) -> None:
        # The driver must not begin transactions by itself, on no version of Python.
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    if not read_only:

        @event.listens_for(engine, "begin")
        def on_begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        mark_busy_retryable(engine)


def _leave_no_transaction(dbapi_connection: Any, record: Any) -> None:
    """End what a savepoint, or somebody's own BEGIN, has left open on a connection that reads.

    Connections of the reading pool are handed on without a ROLLBACK, which would be a round trip;
    one that kept a transaction would go on reading what was true when that began.
    """
    if dbapi_connection is None:
        return
    status = getattr(getattr(dbapi_connection, "info", None), "transaction_status", None)
    if status or getattr(dbapi_connection, "in_transaction", False):
        dbapi_connection.rollback()


def _refuse_flush(session: Session, context: Any, instances: Any) -> None:
    changed = [*session.new, *session.deleted, *filter(session.is_modified, session.dirty)]
    if changed:
        raise ReadOnlySession(
            f"A safe request must not write, but {type(changed[0]).__name__} was changed. "
            "Do it in a POST, or in a transaction of its own."
        )
