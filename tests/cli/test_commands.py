"""What every command has in common: help, configuration, errors as messages."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.engine import URL

from myproject.cli import main
from myproject.cli.context import counted
from myproject.testing import Run, Site, invoke, write_ini

USER_VERBS = ("add", "password", "disable", "enable", "delete", "list", "logins")
COMMANDS = [
    (),
    ("init",),
    ("db",),
    ("db", "upgrade"),
    ("db", "current"),
    ("user",),
    *(("user", verb) for verb in USER_VERBS),
    ("group",),
    *(("group", verb) for verb in ("add", "list", "delete", "join", "leave")),
    ("import",),
    ("export",),
    ("explain",),
    ("settings",),
    ("addons",),
    ("addon",),
    ("addon", "remove"),
    ("check",),
    ("tree",),
    ("tree", "check"),
]
PROGRAM = Path(sys.executable).parent / "myproject"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself_without_a_configuration(
    command: tuple[str, ...], option: str
) -> None:
    result = CliRunner().invoke(main, ["-c", "missing.ini", *command, option])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {' '.join(command)}".rstrip())
    assert "Options:" in result.output
    assert result.output.split("\n\n")[1].strip().endswith(".")


def test_the_version_is_told() -> None:
    assert "0.1.0" in CliRunner().invoke(main, ["--version"]).output


def test_the_ini_file_can_come_from_the_environment(
    ini: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYPROJECT_INI", str(ini))
    assert CliRunner().invoke(main, ["tree", "check"]).exit_code == 0


def test_a_missing_ini_file_is_said_with_the_option_that_names_one(tmp_path: Path) -> None:
    result = invoke(tmp_path / "no.ini", "settings")
    assert result.exit_code == 2
    assert "no.ini" in result.stderr
    assert "myproject -c FILE.ini" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "no section\n",
        "[app:other]\nuse = egg:myproject\n",
        "[app:main]\nuse = egg:myproject\nsqlalchemy.url = %(nonsense)s\n",
        "[app:main]\nuse = egg:myproject\n[loggers]\nkeys = root\n",
        "[app:main]\nuse = egg:nonsense\n",
        "[app:main]\nuse = egg:myproject\nsame = 1\nsame = 2\n",
    ],
)
def test_an_ini_file_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    ini = tmp_path / "broken.ini"
    ini.write_text(text)
    result = invoke(ini, "settings")
    assert result.exit_code == 2
    assert "broken.ini" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("settings",), ("init",), ("tree", "check"), ("explain", "/")])
def test_every_wrong_value_is_named_by_its_key(
    database_url: URL, tmp_path: Path, command: tuple[str, ...]
) -> None:
    lines = "myproject.listing_size = many", "myproject.sitetitle = x"
    result = invoke(write_ini(tmp_path / "wrong.ini", database_url, *lines), *command)
    assert result.exit_code == 2
    assert "myproject.listing_size = 'many' (wrong.ini): must be a whole number" in result.stderr
    assert result.stdout == ""


UNREACHABLE = "postgresql://someone:s3cret@127.0.0.1:1/nothing"


@pytest.mark.parametrize(
    "command",
    [
        ("init",),
        ("db", "upgrade"),
        ("db", "current"),
        ("tree", "check"),
        ("explain", "/"),
        ("import", "."),
        ("export", "out"),
    ],
)
@pytest.mark.parametrize("url", [UNREACHABLE, "sqlite:////dev/null/x/site.sqlite"])
def test_an_unreachable_database_is_named_by_its_key_and_without_its_password(
    tmp_path: Path, command: tuple[str, ...], url: str
) -> None:
    result = invoke(write_ini(tmp_path / "site.ini", url), *command)
    assert result.exit_code == 2
    assert "sqlalchemy.url = " in result.stderr
    assert "s3cret" not in result.output
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command", [("tree", "check"), ("explain", "/"), ("import", "."), ("export", "out")]
)
def test_a_new_database_needs_init(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = invoke(write_ini(tmp_path / "site.ini", f"sqlite:///{tmp_path}/new.sqlite"), *command)
    assert result.exit_code == 2
    assert "Run: myproject -c site.ini init" in result.stderr


def test_an_outdated_database_needs_an_upgrade(site: Site, run: Run) -> None:
    with site.database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'core0001'")
    result = run("tree", "check")
    assert result.exit_code == 2
    assert "Run: myproject -c site.ini db upgrade" in result.stderr


@pytest.mark.parametrize("command", [("init",), ("db", "upgrade")])
def test_a_database_of_a_newer_version_is_left_alone(
    site: Site, run: Run, command: tuple[str, ...]
) -> None:
    with site.database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'core9999'")
    result = run(*command)
    assert result.exit_code == 2
    assert "newer version" in result.stderr


def test_what_the_database_refuses_is_said_in_one_line(site: Site, run: Run) -> None:
    with site.database.writer.begin() as connection:
        connection.exec_driver_sql("DROP TABLE reference")
    result = run("tree", "check")
    assert result.exit_code == 1
    assert result.stderr == "The database refused: no such table: reference\n"


@pytest.mark.parametrize(("number", "text"), [(0, "0 pages"), (1, "1 page"), (2, "2 pages")])
def test_numbers_agree_with_their_nouns(number: int, text: str) -> None:
    assert counted(number, "page") == text


# -- as a process ----------------------------------------------------------------------------------


def run_process(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False)


@pytest.mark.parametrize(
    ("url", "lines", "command", "status", "message"),
    [
        (UNREACHABLE, (), ["tree", "check"], 2, "sqlalchemy.url = postgresql"),
        ("sqlite:///x", ("myproject.addons = 1x",), ["settings"], 2, "myproject.addons"),
        ("nonsense", (), ["init"], 2, "sqlalchemy.url"),
        ("sqlite:///x", (), ["nonsense"], 2, "No such command"),
        ("sqlite:///x", (), ["import"], 2, "Missing argument"),
    ],
)
def test_a_process_ends_with_a_status_and_without_a_traceback(
    tmp_path: Path, url: str, lines: tuple[str, ...], command: list[str], status: int, message: str
) -> None:
    done = run_process("-c", write_ini(tmp_path / "site.ini", url, *lines), *command)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


def test_a_terminal_shows_a_bar_and_everything_else_plain_lines(ini: Path, tmp_path: Path) -> None:
    directory = tmp_path / "content"
    directory.mkdir()
    (directory / "a.md").touch()
    plain = run_process("-c", ini, "import", directory, "--plan")
    assert plain.stderr == "Planning: 1 of 1\n"
    assert "\x1b" not in plain.stdout

    ours, theirs = pty.openpty()
    command = [str(PROGRAM), "-c", str(ini), "import", str(directory)]
    environ = {**os.environ, "PYTHONWARNINGS": "ignore", "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environ)
    os.close(theirs)
    shown = b""
    while chunk := _read(ours):
        shown += chunk
    os.close(ours)
    assert process.wait() == 0
    assert b"Importing" in shown
    assert b"100%" in shown
    assert b"1 of 1" not in shown


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1024)
    except OSError:  # how Linux says that the other end is closed
        return b""
