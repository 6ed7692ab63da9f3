"""Running commands against an ini file of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.engine import URL

from myproject.cli import main
from tests.conftest import DEFAULTS

Run = Callable[..., Result]


def write_ini(path: Path, url: str | URL, *lines: str) -> Path:
    """Write an ini file with a database URL and further lines of its application section."""
    shown = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    section = ["[app:main]", "use = egg:myproject", f"sqlalchemy.url = {shown}"]
    section += [f"{key} = {value}" for key, value in DEFAULTS.items()]
    section += lines
    path.write_text("\n".join(section) + "\n")
    return path


def invoke(ini: Path, *arguments: str) -> Result:
    """Run a command in this process."""
    result = CliRunner().invoke(main, ["-c", str(ini), *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


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
