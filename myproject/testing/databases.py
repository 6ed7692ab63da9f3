"""Databases for tests: migrated once, and copied for each test that asks for one."""

from __future__ import annotations

import os
import shutil
import uuid
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from myproject.db.engine import Database
from myproject.db.migrations import MigrationBranch, downgrade, upgrade
from myproject.testing.reuse import Template

#: The variable that names a PostgreSQL database by URL; its server makes those of the tests.
POSTGRES = "MYPROJECT_TEST_POSTGRES"

#: For tests of what no database has a say in.
sqlite_only = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def need(variable: str, what: str) -> str:
    """Return what an environment variable says; where it is not set the test is skipped.

    Where ``CI`` is set it fails instead: what was to be tested there must not go untested unseen.

    :param what: what the variable would name.
    """
    if variable not in os.environ:
        message = f"{variable} names no {what}"
        if os.environ.get("CI"):
            pytest.fail(f"{message}; in CI there has to be one")
        pytest.skip(message)
    return os.environ[variable]


def migrate(database: Database, branches: Sequence[MigrationBranch] = ()) -> None:
    """Bring a database's schema up to date: the core's, and those of add-ons.

    :param branches: ``registry.extensions.migrations()`` of the application.
    """
    upgrade(database, branches)


def unmigrate(database: Database, branches: Sequence[MigrationBranch], branch: str) -> None:
    """Take the tables of one add-on out of the database again."""
    with database.writer.begin() as connection:
        downgrade(connection, branches, f"{branch}@base")


class Backend:
    """Makes databases that are migrated already, by copying one that was.

    :param folder: for files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = self.new_url()
        database = Database(self.template)
        migrate(database)
        database.dispose()

    def new_url(self) -> URL:
        """Return the URL of an empty database."""
        raise NotImplementedError

    def create(self) -> URL:
        """Return the URL of a migrated database that holds nothing but the root."""
        raise NotImplementedError

    def drop(self, url: URL) -> None:
        """Remove a database that was made here."""
        raise NotImplementedError


class SQLite(Backend):
    """Databases that are files."""

    def new_url(self) -> URL:
        return make_url(f"sqlite:///{self.folder}/{uuid.uuid4().hex}.sqlite")

    def create(self) -> URL:
        url = self.new_url()
        shutil.copyfile(str(self.template.database), str(url.database))
        return url

    def drop(self, url: URL) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{url.database}{suffix}").unlink(missing_ok=True)


class PostgreSQL(Backend):
    """Databases on a PostgreSQL server.

    One that a test is done with is used again, under another name, if nobody could tell it from a
    new one (:mod:`myproject.testing.reuse`).

    :param server: the URL of any database on it, of somebody who may create others. They are used
        again if that is a superuser.
    :param ahead: how many are ready before they are asked for.
    """

    def __init__(self, folder: Path, server: str, ahead: int = 2) -> None:
        self.server = make_url(server).set(drivername="postgresql+psycopg")
        self.admin = create_engine(self.server, isolation_level="AUTOCOMMIT")
        super().__init__(folder)
        try:
            self._fresh: Template | None = Template(self.template)
        except psycopg.Error:
            self._fresh = None
        # The server mostly waits for its disk meanwhile, so databases are made ahead of their use.
        self._workers = ThreadPoolExecutor(ahead)
        self._ahead = ahead
        self._copies: set[str] = set()
        self._ready: deque[Future[URL]] = deque()
        self._make_ahead()

    def new_url(self) -> URL:
        name = _new_name()
        self.execute(f"CREATE DATABASE {name}")
        # What a test has written need not outlive the server.
        self.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        return self.server.set(database=name)

    def create(self) -> URL:
        self._make_ahead()
        url = self._ready.popleft().result()
        self._copies.add(str(url.database))
        return url

    def drop(self, url: URL) -> None:
        if url.database in self._copies and self._fresh is not None:
            self._copies.remove(url.database)
            self._ready.append(self._workers.submit(self._renew, url, self._fresh))
        else:
            self._workers.submit(self._drop, url)

    def finish(self) -> None:
        """Remove what was not used, and what everything was copied from."""
        for ready in self._ready:
            self._workers.submit(self._drop, ready.result())
        self._workers.shutdown()
        self._drop(self.template)
        self.admin.dispose()

    def execute(self, statement: str) -> None:
        """Execute a statement outside of transactions."""
        with self.admin.connect() as connection:
            connection.execute(text(statement))

    def _make_ahead(self) -> None:
        while len(self._ready) < self._ahead:
            self._ready.append(self._workers.submit(self._copy))

    def _copy(self) -> URL:
        name = _new_name()
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self.template.database}")
        self.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        return self.server.set(database=name)

    def _renew(self, url: URL, fresh: Template) -> URL:
        """Return the URL of a new database, which is the old one if that is as good as new."""
        if fresh.restore(url):
            # Whoever kept the old URL finds nothing, as if the database had been dropped.
            name = _new_name()
            try:
                self.execute(f"ALTER DATABASE {url.database} RENAME TO {name}")
                return url.set(database=name)
            except SQLAlchemyError:
                # Somebody has connected again.
                pass
        self._workers.submit(self._drop, url)
        return self._copy()

    def _drop(self, url: URL) -> None:
        self.execute(f"DROP DATABASE {url.database} WITH (FORCE)")


def _new_name() -> str:
    return f"myproject_test_{uuid.uuid4().hex}"
