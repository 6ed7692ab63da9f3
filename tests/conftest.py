"""Fixtures: a database of its own for each test, on SQLite and on PostgreSQL, and a site on it.

``MYPROJECT_TEST_POSTGRES`` names a PostgreSQL database by URL; its server makes the databases that
the tests use. ``MYPROJECT_TEST_REDIS`` names a Redis database by URL. Without them those tests are
skipped, except where ``CI`` is set: there they fail.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.engine import URL
from webtest import TestApp

from myproject import configure
from myproject.content.operations import finish
from myproject.content.types import Page
from myproject.db.engine import Database
from myproject.db.migrations import upgrade
from myproject.interfaces import IMarkdownRenderer, IRoles
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.operations import Tree

POSTGRES = "MYPROJECT_TEST_POSTGRES"
REDIS = "MYPROJECT_TEST_REDIS"

# The suite configures applications on purpose; what the developer's shell says must not leak in.
for name in [name for name in os.environ if name.startswith("MYPROJECT__")]:
    del os.environ[name]


def pytest_report_header() -> list[str]:
    """Say once what will be skipped, and why."""
    names = {
        POSTGRES: "a PostgreSQL database",
        REDIS: "a Redis server",
        "MYPROJECT_TEST_CONTENT": "a directory of Markdown",
    }
    return [
        f"skipped: tests that need {what}; {name} would name it"
        for name, what in names.items()
        if name not in os.environ
    ]


#: Databases that are made ahead.
AHEAD = 3


class Backend:
    """Makes databases that are migrated already, by copying one that was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = self.new_url()
        database = Database(self.template)
        upgrade(database)
        database.dispose()

    def new_url(self) -> URL:
        raise NotImplementedError

    def create(self) -> URL:
        raise NotImplementedError

    def drop(self, url: URL) -> None:
        raise NotImplementedError


class SQLite(Backend):
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
    def __init__(self, folder: Path) -> None:
        self.server = make_url(os.environ[POSTGRES]).set(drivername="postgresql+psycopg")
        self.admin = create_engine(self.server, isolation_level="AUTOCOMMIT")
        super().__init__(folder)
        # The server mostly waits for its disk meanwhile, so databases are made ahead of their use.
        self._workers = ThreadPoolExecutor(AHEAD)
        self._ready = deque(self._workers.submit(self._create) for _ in range(AHEAD))

    def new_url(self) -> URL:
        name = f"myproject_test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        return self.server.set(database=name)

    def create(self) -> URL:
        self._ready.append(self._workers.submit(self._create))
        return self._ready.popleft().result()

    def _create(self) -> URL:
        name = f"myproject_test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self.template.database}")
        return self.server.set(database=name)

    def drop(self, url: URL) -> None:
        self._workers.submit(self._drop, url)

    def _drop(self, url: URL) -> None:
        self.execute(f"DROP DATABASE {url.database} WITH (FORCE)")

    def finish(self) -> None:
        """Remove what was made ahead and not used, and what everything was copied from."""
        for ready in self._ready:
            self.drop(ready.result())
        self._workers.shutdown()
        self._drop(self.template)
        self.admin.dispose()

    def execute(self, statement: str) -> None:
        with self.admin.connect() as connection:
            connection.execute(text(statement))


def _need(variable: str, what: str) -> None:
    if variable not in os.environ:
        message = f"{variable} names no {what}"
        if os.environ.get("CI"):
            pytest.fail(f"{message}; in CI there has to be one")
        pytest.skip(message)


@pytest.fixture(scope="session")
def sqlite_backend(tmp_path_factory: pytest.TempPathFactory) -> SQLite:
    return SQLite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    _need(POSTGRES, "PostgreSQL database")
    backend = PostgreSQL(tmp_path_factory.mktemp("postgresql"))
    yield backend
    backend.finish()


@pytest.fixture
def redis_url() -> str:
    """The URL of a Redis database that others use as well: keep to keys of your own."""
    _need(REDIS, "Redis server")
    return os.environ[REDIS]


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each kind of database in turn; a test that takes it runs once on each."""
    return request.getfixturevalue(f"{request.param}_backend")


@pytest.fixture
def database_url(backend: Backend) -> Iterator[URL]:
    """A fresh, migrated database that holds nothing but the root."""
    url = backend.create()
    yield url
    backend.drop(url)


@pytest.fixture
def database(database_url: URL) -> Iterator[Database]:
    """The engines on a fresh database, without an application."""
    database = Database(database_url)
    yield database
    database.dispose()


#: What every site of the tests says: no sample secret, and passwords that cost little to hash.
DEFAULTS = {
    "myproject.session_secret": "Yp3-9fJq_0vXbT7cLw2RzKd8sNhGm5Ua1QeVo",
    "myproject.https": "false",
    "myproject.argon2_time_cost": "1",
    "myproject.argon2_memory_cost": "64",
    "myproject.argon2_parallelism": "1",
}


class Site:
    """A whole application on a fresh database, and short ways to fill it."""

    def __init__(self, url: URL, **settings: str) -> None:
        ini = {"sqlalchemy.url": url.render_as_string(hide_password=False), **DEFAULTS}
        ini |= {f"myproject.{key}": value for key, value in settings.items()}
        self.config = configure({"__file__": "test.ini"}, **ini)
        self.registry = self.config.registry
        self.database: Database = self.registry.database
        self.app = self.config.make_wsgi_app()
        self.client = TestApp(self.app)
        self.renderer = self.registry.getUtility(IMarkdownRenderer)
        self.roles = self.registry.getUtility(IRoles)

    @contextmanager
    def tree(self) -> Iterator[Tree]:
        """The tree's operations in a transaction that is committed at the end."""
        with self.database.transaction() as session:
            yield Tree(session, notify=self.registry.notify, reserved=self.registry.reserved_names)

    def node(self, tree: Tree, path: str = "/") -> Node:
        """The node at a path of plain names."""
        node = tree.session.get_one(Node, ROOT_ID)
        for name in path.split("/"):
            if name:
                node = node[name]
        return node

    def add(self, path: str, body: str = "", cls: type[Node] = Page, **fields: Any) -> int:
        """Add a node at *path*, whose parent exists, and return its id."""
        above, _, name = path.rpartition("/")
        with self.tree() as tree:
            node = cls(title=fields.pop("title", name), **fields)
            if isinstance(node, Page):
                node.body = body
            tree.add(self.node(tree, above), node, name)
            finish(tree.session, node, self.renderer)
            return node.id


@pytest.fixture
def make_site(database_url: URL) -> Iterator[Callable[..., Site]]:
    """A factory of sites on one database: ``make_site(listing_size="3")``."""
    sites: list[Site] = []

    def make(**settings: str) -> Site:
        sites.append(Site(database_url, **settings))
        return sites[-1]

    yield make
    for site in sites:
        site.database.dispose()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with default settings."""
    return make_site()


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


@pytest.fixture
def count_statements() -> Callable[[Database], Any]:
    """``with count_statements(database) as seen: ...; assert len(seen) == 2``."""
    return statements
