"""``user``, ``group``, and the first administrator."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from webtest import TestApp

from myproject import create_app
from myproject.cli import main
from myproject.testing import DEFAULTS, Run, Site, invoke, write_ini

PASSWORD = "correct horse battery"
PROGRAM = Path(sys.executable).parent / "myproject"
LINK = re.compile(r"^(http\S+)/@@one-time\?token=([\w-]+)$", re.MULTILINE)


def with_input(ini: Path, text: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["-c", str(ini), *arguments], input=text)


def listed(run: Run, *options: str) -> list[list[str]]:
    return [line.split("\t") for line in run("user", "list", *options).stdout.splitlines()]


def link_in(result: Result) -> str:
    """The path of the one link that was printed."""
    ((_base, token),) = LINK.findall(result.stdout)
    return f"/@@one-time?token={token}"


# -- users ----------------------------------------------------------------------------------------


def test_a_user_is_added_and_gets_a_link(run: Run, site: Site) -> None:
    run("group", "add", "editors", "--title", "Editors")
    result = run(
        *("user", "add", "Bob", "--title", "Bob B.", "--email", "B@example.org"),
        *("--group", "editors"),
    )
    assert result.exit_code == 0
    assert "Added the user bob." in result.stdout
    assert site.client.get(link_in(result)).status_int == 200
    assert listed(run) == [["bob", "Bob B.", "b@example.org", "Editors", "never"]]


def test_a_password_from_the_input_needs_no_link(ini: Path, site: Site) -> None:
    result = with_input(ini, f"{PASSWORD}\nmore\n", "user", "add", "bob", "--password-stdin")
    assert result.exit_code == 0
    assert "one-time" not in result.stdout
    sign_in(site, "bob", PASSWORD)


def sign_in(site: Site, name: str, password: str, status: int = 303) -> None:
    form = TestApp(site.app).get("/@@sign-in").form
    form["name"], form["password"] = name, password
    form.submit(status=status)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "bob"), "There is a user named “bob” already."),
        (("add", "BOB"), "There is a user named “bob” already."),
        (("add", "a b"), "Use letters"),
        (("add", "carol", "--email", "nonsense"), "not a mail address"),
        (("add", "carol", "--group", "nobody"), "There is no group 'nobody'."),
        (("password", "carol", "--link"), "There is no user 'carol'."),
        (("disable", "carol"), "There is no user 'carol'."),
        (("enable", "carol"), "There is no user 'carol'."),
        (("delete", "carol", "--yes"), "There is no user 'carol'."),
        (("logins", "carol"), "There is no user 'carol'."),
        (("logins", "carol", "--revoke"), "There is no user 'carol'."),
        (("delete", "bob"), "--yes"),
    ],
)
def test_what_is_refused_is_said_with_status_1(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    run("user", "add", "bob")
    result = run("user", *arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert [row[0] for row in listed(run)] == ["bob"]


def test_a_password_that_is_too_short_is_refused(ini: Path, run: Run) -> None:
    result = with_input(ini, "short\n", "user", "add", "bob", "--password-stdin")
    assert result.exit_code == 1
    assert "characters" in result.output
    assert listed(run) == []


@pytest.mark.parametrize("command", [["add", "bob", "--password-stdin"], ["delete", "ann"]])
def test_nothing_waits_for_an_answer_without_a_terminal(
    run: Run, ini: Path, command: list[str]
) -> None:
    run("user", "add", "ann")
    done = subprocess.run(
        [str(PROGRAM), "-c", str(ini), "user", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_a_password_can_be_set_and_links_be_made(ini: Path, run: Run, site: Site) -> None:
    first = link_in(run("user", "add", "bob"))
    second = link_in(run("user", "password", "bob"))
    site.client.get(first, status=410)
    assert site.client.get(second).status_int == 200
    assert with_input(ini, PASSWORD + "\n", "user", "password", "bob", "--stdin").exit_code == 0
    site.client.get(second, status=410)
    sign_in(site, "bob", PASSWORD)
    assert run("user", "password", "bob", "--stdin", "--link").exit_code == 2


def test_accounts_are_disabled_enabled_and_deleted(ini: Path, run: Run, site: Site) -> None:
    with_input(ini, PASSWORD + "\n", "user", "add", "bob", "--password-stdin")
    assert run("user", "disable", "bob").exit_code == 0
    assert listed(run) == []
    assert listed(run, "--all")[0][-1] == "disabled"
    assert "disabled" in run("user", "password", "bob").stderr
    run("user", "enable", "bob")
    sign_in(site, "bob", PASSWORD)
    assert len(run("user", "logins", "bob").stdout.splitlines()) == 1
    assert "Ended 1 login." in run("user", "logins", "bob", "--revoke").stdout
    assert run("user", "logins", "bob").stdout == ""
    assert run("user", "delete", "bob", "--yes").exit_code == 0
    assert listed(run, "--all") == []


def test_users_can_be_searched(run: Run) -> None:
    for name in ("ann", "bob", "bobby"):
        run("user", "add", name)
    assert [row[0] for row in listed(run, "--search", "BOB")] == ["bob", "bobby"]


def test_the_last_administrator_stays(run: Run) -> None:
    run("user", "add", "ann", "--admin")
    for arguments in (("disable", "ann"), ("delete", "ann", "--yes")):
        result = run("user", *arguments)
        assert result.exit_code == 1
        assert "Nobody would be left" in result.stderr
    run("user", "add", "bob", "--admin")
    assert run("user", "disable", "ann").exit_code == 0


# -- groups ---------------------------------------------------------------------------------------


def test_groups_are_made_joined_left_and_deleted(run: Run) -> None:
    for name in ("ann", "bob"):
        run("user", "add", name)
    assert run("group", "add", "Editors", "--title", "The editors").exit_code == 0
    assert run("group", "join", "editors", "ann", "BOB").exit_code == 0
    assert run("group", "list").stdout == "editors\tThe editors\t2 members\n"
    assert run("group", "leave", "editors", "ann").exit_code == 0
    assert run("group", "list", "--search", "edit").stdout.endswith("1 member\n")
    assert run("group", "delete", "editors").exit_code == 1
    assert run("group", "delete", "editors", "--yes").exit_code == 0
    assert run("group", "list").stdout == ""
    assert len(listed(run)) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "EDITORS"), "There is a group named “editors” already."),
        (("delete", "writers", "--yes"), "There is no group 'writers'."),
        (("join", "writers", "ann"), "There is no group 'writers'."),
        (("leave", "editors", "nobody"), "There is no user 'nobody'."),
        # All or nothing.
        (("join", "editors", "ann", "nobody"), "There is no user 'nobody'."),
    ],
)
def test_what_is_wrong_with_a_group_is_said_with_status_1(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    run("group", "add", "editors")
    run("user", "add", "ann")
    result = run("group", *arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "0 members" in run("group", "list").stdout


# -- where links lead -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "base"),
    [
        ((), "http://localhost:6543"),
        (("[server:main]", "listen = localhost:8080"), "http://localhost:8080"),
        (("[server:main]", "listen = *:8081 [::1]:8082"), "http://localhost:8081"),
        (("[server:main]", "port = 9000"), "http://localhost:9000"),
        (("[server:main]", "unix_socket = /run/x"), "http://localhost:6543"),
        (("myproject.canonical_host = https://example.org",), "https://example.org"),
    ],
)
def test_links_lead_to_the_site_as_far_as_it_is_known(
    database_url: object, tmp_path: Path, lines: tuple[str, ...], base: str
) -> None:
    ini = write_ini(tmp_path / "site.ini", database_url, *lines)  # type: ignore[arg-type]
    result = invoke(ini, "user", "add", "bob")
    assert LINK.findall(result.stdout)[0][0] == base


# -- the first administrator ----------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> object:
    """Whoever locks rows does so differently on each."""
    return request.getfixturevalue(f"{request.param}_backend")


def test_the_first_administrator_gets_a_link_until_it_was_used(run: Run, site: Site) -> None:
    first, second = run("init"), run("init")
    assert "'admin'" in first.stdout
    assert "works once, until 20" in first.stdout
    assert "myproject -c site.ini user password admin --link" in first.stdout
    site.client.get(link_in(first), status=410)
    form = site.client.get(link_in(second)).form
    form["password"] = form["repeated"] = PASSWORD
    client = form.submit()
    assert client.status_int == 303
    assert site.client.get("/@@users").status_int == 200
    again = run("init")
    assert again.exit_code == 0
    assert "one-time" not in again.stdout
    assert len(listed(run)) == 1


def test_where_somebody_administers_nobody_is_added(run: Run) -> None:
    run("user", "add", "ann", "--admin")
    assert "one-time" not in run("init").stdout
    assert [row[0] for row in listed(run)] == ["ann"]


def test_two_administrators_need_no_link(run: Run) -> None:
    run("init")
    run("user", "add", "ann", "--admin")
    assert "one-time" not in run("init").stdout


def test_somebody_named_admin_is_not_made_one(run: Run) -> None:
    run("user", "add", "admin")
    result = run("init")
    assert result.exit_code == 0
    assert "one-time" not in result.stdout
    assert "user add NAME --admin" in result.stderr


def test_a_new_database_has_an_administrator(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/site.sqlite"
    result = invoke(write_ini(tmp_path / "new.ini", url), "init")
    app = create_app({"__file__": "test.ini"}, **{"sqlalchemy.url": url, **DEFAULTS})
    assert TestApp(app).get(link_in(result)).status_int == 200
    app.registry.database.dispose()
