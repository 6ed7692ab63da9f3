"""What this suite needs besides the fixtures that authors of add-ons have, too.

``MYPROJECT_TEST_REDIS`` names a Redis database by URL, ``MYPROJECT_TEST_CONTENT`` a directory of
Markdown. Without them those tests are skipped, except where ``CI`` is set: there they fail.
"""

from __future__ import annotations

import os

import pytest

from myproject.testing import need

pytest_plugins = ["myproject.testing.plugin", "tests.browsing", "tests.trees", "pytester"]

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


@pytest.fixture
def redis_url() -> str:
    """The URL of a Redis database that others use as well: keep to keys of your own."""
    return need(REDIS, "Redis server")
