"""What this suite needs besides the fixtures that authors of add-ons have, too.

``MYPROJECT_TEST_REDIS`` names a Redis database by URL, ``MYPROJECT_TEST_CONTENT`` a directory of
Markdown. Without them those tests are skipped, except where ``CI`` is set: there they fail.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.engine import URL

from myproject.testing import Backend, Site, need
from tests.applications import Applications, reused_sites_on

pytest_plugins = [
    "myproject.testing.plugin",
    "tests.browsing",
    "tests.ordering",
    "tests.trees",
    "pytester",
]

REDIS = "MYPROJECT_TEST_REDIS"
CONTENT = "MYPROJECT_TEST_CONTENT"


def pytest_report_header() -> list[str]:
    """Say once what will be skipped, and why."""
    names = {REDIS: "a Redis server", CONTENT: "a directory of Markdown"}
    return [
        f"skipped: tests that need {what}; {name} would name it"
        for name, what in names.items()
        if name not in os.environ
    ]


def pytest_collection_finish() -> None:
    """Keep no bytecode from now on: of a module that a test writes twice within a second, Python
    would take what it has of the first for the second."""
    sys.dont_write_bytecode = True


@pytest.fixture
def redis_url() -> str:
    """The URL of a Redis database that others use as well: keep to keys of your own."""
    return need(REDIS, "Redis server")


@pytest.fixture(scope="session")
def applications() -> Applications:
    """What tests configure, for the tests after them."""
    return Applications()


@pytest.fixture
def make_site(database_url: URL, applications: Applications) -> Iterator[Callable[..., Site]]:
    """A factory of sites on one fresh database, as authors of add-ons have it."""
    with reused_sites_on(database_url, applications) as make:
        yield make


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def make_shared_site(
    request: pytest.FixtureRequest, applications: Applications
) -> Iterator[Callable[..., Site]]:
    """``make_site`` on one database for a whole module, of each kind: for tests that only read."""
    backend: Backend = request.getfixturevalue(f"{request.param}_backend")
    url = backend.create()
    with reused_sites_on(url, applications) as make:
        yield make
    backend.drop(url)
