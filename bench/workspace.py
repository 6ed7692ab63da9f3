"""What measurements share: a temporary directory, databases, configured applications, servers.

All of it goes away when the workspace is closed, whatever happened.
"""

from __future__ import annotations

import configparser
import secrets
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from servers import Server, free_port, serving
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from table import CannotMeasure

from myproject import configure
from myproject.db.engine import Database
from myproject.db.migrations import upgrade

ROOT = Path(__file__).parent.parent
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"

#: Signs the sessions of this run.
SECRET = secrets.token_urlsafe(32)


class Workspace:
    """A place to measure in; use it in a ``with`` statement.

    :param postgres: URL of a PostgreSQL server, any database of it; None if there is none.
    """

    def __init__(self, postgres: str | None) -> None:
        self._postgres = postgres
        self._stack = ExitStack()

    def __enter__(self) -> Workspace:
        self.folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="myproject-bench-"))
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    # -- databases --------------------------------------------------------------------------------

    def new_database(self, kind: str) -> URL:
        """Return the URL of a new, migrated database.

        :param kind: ``SQLite`` or ``PostgreSQL``.
        :raises CannotMeasure: when there is no such server.
        """
        name = f"myproject_bench_{uuid.uuid4().hex[:12]}"
        url = self._new_postgresql(name) if kind == POSTGRESQL else self._new_sqlite(name)
        database = Database(url)
        upgrade(database)
        database.dispose()
        return url

    def _new_sqlite(self, name: str) -> URL:
        return make_url(f"sqlite:///{self.folder / name}.sqlite")

    def _new_postgresql(self, name: str) -> URL:
        if self._postgres is None:
            raise CannotMeasure("no PostgreSQL named, see --postgres")
        server = make_url(self._postgres).set(drivername="postgresql+psycopg")
        self._on_server(server, f"CREATE DATABASE {name}")
        self._stack.callback(self._on_server, server, f"DROP DATABASE {name} WITH (FORCE)")
        return server.set(database=name)

    @staticmethod
    def _on_server(server: URL, statement: str) -> None:
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        except OperationalError as error:
            raise CannotMeasure(str(error.orig).strip().splitlines()[0]) from error
        finally:
            engine.dispose()

    # -- applications -----------------------------------------------------------------------------

    def application(self, url: URL) -> tuple[Any, Database]:
        """Return the whole WSGI application on a database, in this process, and its database."""
        settings = {"sqlalchemy.url": in_full(url), "myproject.session_secret": SECRET}
        config = configure({"__file__": "bench.ini"}, **settings)
        database: Database = config.registry.database  # type: ignore[attr-defined]
        self._stack.callback(database.dispose)
        return config.make_wsgi_app(), database

    def ini(self, url: URL) -> Path:
        """Write ``production.ini`` anew, for another database, and return the file."""
        ini = production()
        ini["app:main"]["sqlalchemy.url"] = in_full(url).replace("%", "%%")
        ini["app:main"]["myproject.session_secret"] = SECRET
        path = self.folder / f"{uuid.uuid4().hex}.ini"
        with path.open("w", encoding="utf-8") as file:
            ini.write(file)
        return path

    def command(self, url: URL, *arguments: str) -> None:
        """Run the ``myproject`` command on a database."""
        command = [installed("myproject"), "-c", str(self.ini(url)), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CannotMeasure(done.stderr.strip().splitlines()[0])

    @contextmanager
    def server(self, url: URL) -> Iterator[Server]:
        """Serve the site with ``pserve``, as ``production.ini`` says but for its address."""
        path, port = self.ini(url), free_port()
        ini = configparser.RawConfigParser()
        ini.read(path, encoding="utf-8")
        ini["server:main"]["listen"] = f"127.0.0.1:{port}"
        with path.open("w", encoding="utf-8") as file:
            ini.write(file)
        log = self.folder / "pserve.log"
        with serving([installed("pserve"), str(path)], port, log) as server:
            yield server


def installed(command: str) -> str:
    """Return the path of a command of this environment."""
    return str(Path(sys.executable).with_name(command))


def production() -> configparser.RawConfigParser:
    """Return ``production.ini``."""
    ini = configparser.RawConfigParser()
    ini.read(ROOT / "production.ini", encoding="utf-8")
    return ini


def waitress_threads() -> int:
    """Return the number of threads that ``production.ini`` gives to Waitress."""
    return production().getint("server:main", "threads", fallback=4)


def in_full(url: URL) -> str:
    """Return *url* as text, its password included."""
    return url.render_as_string(hide_password=False)
