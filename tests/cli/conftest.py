"""Running commands against an ini file of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from myproject.testing import Run, invoke, write_ini


@pytest.fixture
def backend(sqlite_backend: object) -> object:
    """Commands ask for nothing that a database could answer differently."""
    return sqlite_backend


@pytest.fixture
def ini(database_url: URL, tmp_path: Path) -> Path:
    """An ini file for a migrated, empty database."""
    return write_ini(tmp_path / "site.ini", database_url)


@pytest.fixture
def run(ini: Path) -> Run:
    """``run("tree", "check")`` on a migrated, empty database."""
    return lambda *arguments: invoke(ini, *arguments)
