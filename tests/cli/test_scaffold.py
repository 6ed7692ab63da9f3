"""``addon new``: what it makes can be installed, passes its own tests, and works beside another."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import myproject
from myproject.cli import main
from myproject.testing import need, write_ini
from myproject.testing.databases import POSTGRES

SETTINGS = Path(myproject.__file__).parents[1] / "pyproject.toml"
TITLE = "Bücher & the guests' comments"

#: A name with a hyphen, one as short as can be, one as long as can be.
NAMES = ("gallery-plus", "q", "book-of-our-guest-xy")
INSTALLED = NAMES[:2]

COMMAND = ("-c", "from myproject.cli import main; main()")


def new(*arguments: str) -> Result:
    """Make an add-on; nothing here has an ini file."""
    return CliRunner().invoke(main, ["-c", "none.ini", "addon", "new", *arguments])


def run(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python as somebody would who has nothing to do with this test run."""
    shell = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(
        # -P: only what is installed can be imported.
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env={**shell, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a generated package for each of the names."""
    folder = tmp_path_factory.mktemp("made")
    for name in NAMES:
        result = new(name, "--folder", str(folder / name), "--title", TITLE)
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def installed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that two of them are installed into by pip, as wheels, without network."""
    target = tmp_path_factory.mktemp("installed")
    copies = tmp_path_factory.mktemp("sources")
    for name in INSTALLED:
        shutil.copytree(made / name, copies / name)
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    sources = [str(copies / name) for name in INSTALLED]
    done = run(copies, "-m", "pip", "install", "-q", *offline, "--target", str(target), *sources)
    assert done.returncode == 0, done.stderr
    return target


# -- what is said ---------------------------------------------------------------------------------


def test_it_says_what_it_made_and_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = new("gallery_plus")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "The add-on gallery-plus is in gallery-plus:"
    package = Path("gallery-plus")
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert {line.strip() for line in lines[1 : len(files) + 1]} == files
    assert {"pyproject.toml", ".gitignore", "gallery_plus/migrations/gallery_plus0001.py"} <= files
    assert lines[len(files) + 1 :] == [
        "Next:",
        "  cd gallery-plus",
        '  pip install -e ".[testing]"',
        "  pytest",
        "README.md says how to switch it on: myproject.addons = gallery-plus",
    ]
    assert "Gallery plus: pages" in (package / "gallery_plus" / "__init__.py").read_text()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Gallery", "cannot be the name of an add-on and of its Python package"),
        ("2nd", "cannot be the name"),
        ("gallery--plus", "cannot be the name"),
        ("gallery-", "cannot be the name"),
        ("../gallery", "cannot be the name"),
        ("gallery2", "cannot be the name"),
        ("a-name-of-21-characters-x", "at most 20 characters"),
        ("class", "no word of the Python language"),
        ("search", "There is an add-on 'search' already: it comes with myproject."),
        ("json", "There is a Python package 'json' already"),
        ("sqlalchemy", "There is a Python package 'sqlalchemy' already"),
        ("myproject", "There is a Python package 'myproject' already"),
        ("tests", "'tests' means something else already."),
        ("core", "'core' means something else already."),
    ],
)  # fmt: skip
def test_names_that_cannot_be_used_are_refused(
    name: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = new(name)
    assert result.exit_code == 2
    assert reason in result.output
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("title", ['A "title"', "back\\slash", "two\nlines", "x" * 41, " "])
def test_titles_that_would_break_the_sources_are_refused(title: str, tmp_path: Path) -> None:
    result = new("gallery", "--folder", str(tmp_path / "x"), "--title", title)
    assert result.exit_code == 2
    assert "on one line" in result.output
    assert not list(tmp_path.iterdir())


def test_nothing_that_exists_is_written_into(tmp_path: Path) -> None:
    result = new("gallery", "--folder", str(tmp_path))
    assert result.exit_code == 2
    assert f"{tmp_path} exists already. Name another directory with --folder." in result.output
    (tmp_path / "file").touch()
    result = new("gallery", "--folder", str(tmp_path / "file" / "gallery"))
    assert result.exit_code == 1
    assert "cannot be written: Not a directory." in result.output


# -- what is made ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_is_made_has_the_house_style(made: Path, name: str) -> None:
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed; requirements/lint.txt has it")
    style = ("--no-cache", "--config", str(SETTINGS), "--config", f"src = ['{made / name}']")
    for command in (("check", "--output-format=concise"), ("format", "--check", "--diff")):
        done = run(made / name, "-m", "ruff", *command, *style, ".")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_the_tests_that_are_made_pass(made: Path, installed: Path, backend: str) -> None:
    if backend == "postgresql":
        need(POSTGRES, "PostgreSQL database")
    # What no database has a say in is not done twice.
    asked = "tables or migrations or survives or stars or list or nobody"
    chosen = f"postgresql and ({asked})" if backend == "postgresql" else "not postgresql"
    # Hypothesis is not what the kit needs, and takes longer to import than a test does to run.
    without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    done = run(
        made / NAMES[0], "-m", "pytest", "-q", *without, "-k", chosen, PYTHONPATH=str(installed)
    )
    assert done.returncode == 0, done.stdout
    # None is skipped, nothing warns.
    summary = re.fullmatch(r"(\d+) passed, \d+ deselected in .*", done.stdout.splitlines()[-1])
    assert summary, done.stdout
    assert int(summary[1]) >= (8 if backend == "postgresql" else 15)


def test_two_of_them_work_beside_each_other(installed: Path, tmp_path: Path) -> None:
    on = f"myproject.addons = {' '.join(INSTALLED)}"
    ini = write_ini(tmp_path / "site.ini", f"sqlite:///{tmp_path}/new.sqlite", on)

    def command(*arguments: str) -> str:
        done = run(tmp_path, *COMMAND, "-c", ini.name, *arguments, PYTHONPATH=str(installed))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    upgraded = command("db", "upgrade")
    assert f"gallery_plus0001: {TITLE}: the stars of pages. (gallery-plus)" in upgraded
    assert f"q0001: {TITLE}: the stars of pages. (q)" in upgraded
    listed = command("addons")
    for name in INSTALLED:
        assert re.search(rf"^{name} +on +{name} 0\.1\.0$", listed, re.M)
    assert f"{TITLE}: pages that have stars, and a list of them." in listed
    assert command("check", "--strict").endswith("Nothing is wrong.\n")
