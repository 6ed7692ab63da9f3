"""The fixtures: a database of its own for each test, of each kind, and a site on it.

A project's top ``conftest.py`` has ``pytest_plugins = ["myproject.testing.plugin"]``.

``MYPROJECT_TEST_POSTGRES`` names a PostgreSQL database by URL; its server makes the databases that
the tests use. Without it those tests are skipped, except where ``CI`` is set: there they fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.engine import URL
from webtest import TestApp

from myproject import relieve_garbage_collector
from myproject.db.engine import Database
from myproject.testing.counting import statements
from myproject.testing.databases import POSTGRES, Backend, PostgreSQL, SQLite, need
from myproject.testing.outbox import Outbox
from myproject.testing.sites import Site, sites_on

# Their assertions tell as much as those of test modules.
pytest.register_assert_rewrite("myproject.testing.contracts", "myproject.testing.replacements")


def pytest_configure(config: pytest.Config) -> None:
    """Forget what the developer's shell says: the tests configure applications on purpose."""
    for name in [name for name in os.environ if name.startswith("MYPROJECT__")]:
        del os.environ[name]


def pytest_collection_finish() -> None:
    """Spare the garbage collector all that has been imported, as a server does when it starts."""
    relieve_garbage_collector()


def pytest_report_header() -> list[str]:
    """Say once what will be skipped, and why."""
    if POSTGRES in os.environ:
        return []
    return [f"skipped: tests that need a PostgreSQL database; {POSTGRES} would name it"]


@pytest.fixture(scope="session")
def sqlite_backend(tmp_path_factory: pytest.TempPathFactory) -> SQLite:
    """Makes SQLite databases."""
    return SQLite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    """Makes PostgreSQL databases."""
    server = need(POSTGRES, "PostgreSQL database")
    backend = PostgreSQL(tmp_path_factory.mktemp("postgresql"), server)
    yield backend
    backend.finish()


@pytest.fixture
def outbox() -> Outbox:
    """A mailer that keeps what it is given."""
    return Outbox()


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


@pytest.fixture
def make_site(database_url: URL) -> Iterator[Callable[..., Site]]:
    """A factory of sites on one fresh database: ``make_site(addons="gallery")``.

    ``make_site(include)`` adds an add-on that is given as its includeme.
    """
    with sites_on(database_url) as make:
        yield make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with default settings."""
    return make_site()


@pytest.fixture
def client(site: Site) -> TestApp:
    """Somebody who visits ``site`` and is not signed in."""
    return site.client


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def make_shared_site(request: pytest.FixtureRequest) -> Iterator[Callable[..., Site]]:
    """``make_site`` on one database for a whole module, of each kind: for tests that only read."""
    backend: Backend = request.getfixturevalue(f"{request.param}_backend")
    url = backend.create()
    with sites_on(url) as make:
        yield make
    backend.drop(url)


@pytest.fixture(scope="module")
def shared_site(make_shared_site: Callable[..., Site]) -> Site:
    """One site for all tests of a module that only read."""
    return make_shared_site()


@pytest.fixture
def count_statements() -> Callable[[Database], AbstractContextManager[list[str]]]:
    """``with count_statements(database) as seen: ...; assert len(seen) == 2``."""
    return statements
