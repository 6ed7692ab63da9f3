"""``init`` and ``db``."""

from __future__ import annotations

from pathlib import Path

import pytest

from myproject.cli import database
from myproject.testing import Run, invoke, write_ini
from tests.content.conftest import write_files


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """An ini file for a database that does not exist, in a folder that does not either."""
    return write_ini(tmp_path / "new.ini", f"sqlite:///{tmp_path}/var/site.sqlite")


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small stand-in for the demo."""
    files = {"_index.md": "---\ntitle: Welcome\n---\n", "a/b.md": ""}
    monkeypatch.setattr(database, "DEMO", write_files(tmp_path / "demo", files))
    return database.DEMO


def test_init_makes_a_database_and_again_does_no_harm(new: Path) -> None:
    for _ in range(2):
        result = invoke(new, "init")
        assert result.exit_code == 0
        assert result.stdout.startswith("The database is up to date: sqlite:///")
        assert invoke(new, "tree", "check").exit_code == 0


@pytest.mark.usefixtures("demo")
def test_the_demo_fills_an_empty_site_only(new: Path) -> None:
    assert "Loaded the demo: 3 pages." in invoke(new, "init", "--demo").stdout
    assert "has pages already" in invoke(new, "init", "--demo").stdout
    assert "'Welcome'" in invoke(new, "explain", "/").stdout


def test_upgrade_says_whether_it_had_to(new: Path) -> None:
    first = invoke(new, "db", "upgrade").stdout
    assert first.startswith("core0001: The tree")
    assert first.splitlines()[-1].startswith("The database is now up to date: core")
    assert invoke(new, "db", "upgrade").stdout.startswith("The database was up to date: core")


def test_current_compares_what_is_with_what_is_needed(new: Path, run: Run) -> None:
    current = run("db", "current")
    assert current.exit_code == 0
    present, needed = (line.split() for line in current.stdout.splitlines())
    assert (present[0], needed[0], present[1:]) == ("present:", "needed:", needed[1:])
    Path(new.parent / "var").mkdir()
    outdated = invoke(new, "db", "current")
    assert outdated.exit_code == 1
    assert "present: nothing" in outdated.stdout


def test_auto_migrate_makes_other_commands_do_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/site.sqlite"
    ini = write_ini(tmp_path / "site.ini", url, "myproject.auto_migrate = true")
    assert invoke(ini, "tree", "check").stdout == "The tree is sound.\n"
