"""``check``: everything that is wrong, at once, and nothing written."""

from __future__ import annotations

import importlib
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import insert, update
from sqlalchemy.engine import URL

from myproject.cli import compiling
from myproject.testing import Site, invoke, write_ini
from myproject.tree.known import KnownType
from myproject.tree.node import Node

Check = Callable[..., Result]


@pytest.fixture
def check(database_url: URL, tmp_path: Path) -> Check:
    """``check("search", "x = 1", strict=True)``: the report with these add-ons and lines."""

    def run(
        addons: str = "", *lines: str, url: object = database_url, strict: bool = False
    ) -> Result:
        lines = (f"myproject.addons = {addons}", *lines)
        ini = write_ini(tmp_path / "site.ini", url, *lines)  # type: ignore[arg-type]
        return invoke(ini, "check", *(["--strict"] if strict else []))

    return run


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an add-on ``checked_one``, a package that can be imported."""
    folder = tmp_path / "modules" / "checked_one"
    (folder / "templates").mkdir(parents=True)
    (folder / "__init__.py").write_text('"""Is checked."""\ndef includeme(config): pass\n')
    monkeypatch.syspath_prepend(folder.parent)
    importlib.invalidate_caches()
    yield folder
    for name in [name for name in sys.modules if name.startswith("checked_one")]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def core_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the core's own templates to the test that is about them."""
    monkeypatch.setattr(compiling, "_CORE_FOLDERS", ())


def sections(result: Result) -> dict[str, str]:
    """Title -> text of each section; the last line is called ``result``."""
    parts = result.stdout.rstrip("\n").split("\n\n")
    found = {part.partition("\n")[0]: part.partition("\n")[2] for part in parts[:-1]}
    return found | {"result": parts[-1]}


def test_nothing_is_wrong_with_a_new_site(check: Check) -> None:
    result = check(strict=True)
    assert result.exit_code == 0
    found = sections(result)
    assert list(found) == [
        *("Configuration", "Database", "Content", "Templates", "Add-ons and permissions"),
        "result",
    ]
    assert found["result"] == "Nothing is wrong."
    assert "up to date" in found["Database"]


def test_all_templates_of_the_core_and_of_bundled_add_ons_compile(
    make_site: Callable[..., Site], check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    make_site(addons="search feeds")
    result = check("search feeds")
    assert result.exit_code == 0, result.stdout
    assert "all of them compile" in sections(result)["Templates"]


# -- configuration --------------------------------------------------------------------------------


def test_a_configuration_that_fails_is_told_and_the_core_is_checked(
    check: Check, package: Path
) -> None:
    call = "    config.add_route('same', '/same')\n"
    (package / "__init__.py").write_text(f"def includeme(config):\n{call}")
    (package.parent / "checked_one_too.py").write_text(f"def includeme(config):\n{call}")
    result = check("checked_one checked_one_too")
    assert result.exit_code == 1
    found = sections(result)
    told = found["Configuration"]
    assert told.count("problem: ") == 1
    assert "2 includes want the same route 'same'" in told
    assert f"checked_one: {package}/__init__.py, line 2" in told
    assert f"checked_one_too: {package.parent}/checked_one_too.py, line 2" in told
    assert "What follows is of the core alone" in told
    assert "up to date" in found["Database"]
    assert "Content" not in found
    assert found["result"] == "1 problem."


def test_every_problem_is_counted(check: Check) -> None:
    lines = "myproject.nonsense = 1", "myproject.kitchen.stars = 1"
    found = sections(check("", *lines))
    assert found["Configuration"].count("problem: ") == 2
    assert (
        "problem: myproject.nonsense (site.ini): there is no such setting"
        in (found["Configuration"])
    )
    assert found["result"] == "2 problems."


def test_wrong_values_leave_the_database_to_be_checked(check: Check) -> None:
    found = sections(check("search", "myproject.listing_size = many"))
    assert "problem: myproject.listing_size = 'many' (site.ini)" in found["Configuration"]
    assert "up to date" in found["Database"]
    assert "Templates" not in found


def test_a_database_url_that_is_none_is_told(check: Check) -> None:
    result = check(url="nonsense")
    assert result.exit_code == 1
    assert "no database was looked at" in sections(result)["Database"]


def test_unknown_variables_are_told(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYPROJECT__NONSENSE", "1")
    found = sections(check())
    assert "MYPROJECT__NONSENSE (environment): there is no such setting" in found["Configuration"]
    assert found["result"] == "1 problem."


# -- database -------------------------------------------------------------------------------------


def test_a_database_that_does_not_exist_is_told_and_not_made(check: Check, tmp_path: Path) -> None:
    result = check(url=f"sqlite:///{tmp_path}/var/site.sqlite")
    assert result.exit_code == 1
    told = sections(result)["Database"]
    assert "the database does not exist yet. Run: myproject -c" in told
    assert told.endswith("site.ini init")
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("make", ["empty", "foreign", "elsewhere", "no database"])
def test_other_files_are_told_and_left_as_they_are(check: Check, tmp_path: Path, make: str) -> None:
    file = tmp_path / "site.sqlite"
    file.touch()
    if make in ("foreign", "elsewhere"):
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE x (id INTEGER)")
            if make == "elsewhere":
                connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
                connection.execute("INSERT INTO alembic_version VALUES ('x0001')")
        connection.close()
    if make == "no database":
        file.write_bytes(b"nonsense" * 1000)
    before, others = file.read_bytes(), set(tmp_path.iterdir()) | {tmp_path / "site.ini"}
    result = check(url=f"sqlite:///{file}")
    assert result.exit_code == 1
    told = sections(result)["Database"]
    expected = {
        "empty": "the database is empty. Run: ",
        "foreign": "the database is empty. Run: ",
        "elsewhere": "holds something else (x0001)",
        "no database": "cannot be asked: file is not a database",
    }
    assert expected[make] in told
    assert file.read_bytes() == before
    assert set(tmp_path.iterdir()) == others


def test_a_site_s_database_is_left_as_it_is(database_url: URL, check: Check) -> None:
    file = Path(str(database_url.database))
    before = file.read_bytes()
    check("search")
    assert file.read_bytes() == before
    assert not list(file.parent.glob(f"{file.name}-*"))


def test_an_unreachable_database_is_told_without_its_password(check: Check) -> None:
    result = check(url="postgresql://someone:s3cret@127.0.0.1:1/nothing")
    assert result.exit_code == 1
    assert "problem: sqlalchemy.url = postgresql" in sections(result)["Database"]
    assert "s3cret" not in result.output


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_that_are_missing_are_told_with_their_sql(
    request: pytest.FixtureRequest, check: Check, kind: str
) -> None:
    backend = request.getfixturevalue(f"{kind}_backend")
    url = backend.create()
    result = check("search", url=url)
    backend.drop(url)
    assert result.exit_code == 1
    told = sections(result)["Database"] + result.stdout
    assert "1 migration to run. Run: myproject -c" in told
    assert "search0001 of the add-on search: What is searched" in told
    assert "      CREATE TABLE search_document (" in result.stdout


def test_what_the_site_will_do_by_itself_is_a_note(check: Check) -> None:
    automatic = "myproject.auto_migrate = true"
    assert check("search", automatic).exit_code == 0
    assert "note: sqlalchemy.url" in sections(check("search", automatic))["Database"]
    assert check("search", automatic, strict=True).exit_code == 1


def test_a_database_of_a_newer_version_is_told(site: Site, check: Check) -> None:
    with site.database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'core9999'")
    result = check()
    assert result.exit_code == 1
    assert "problem: The database was made by a newer version" in sections(result)["Database"]


# -- content --------------------------------------------------------------------------------------


def test_content_of_types_that_are_off_is_a_note(site: Site, check: Check) -> None:
    for name in ("a", "b", "c"):
        site.add(f"/{name}")
    with site.tree() as tree:
        values = {"name": "wall", "addon": "gallery", "title": "W", "tables": [], "fields": []}
        tree.session.execute(insert(KnownType).values(values))
        tree.session.execute(update(Node).where(Node.name.in_(["a", "b"])).values(type="wall"))
        tree.session.execute(update(Node).where(Node.name == "c").values(type="nobodys"))
    result = check()
    assert result.exit_code == 0
    told = sections(result)["Content"].splitlines()
    assert told[0].startswith(
        "  note: 1 page of the type 'nobodys' is kept and not shown: no add-on that is on has"
    )
    assert "2 pages of the type 'wall' are kept and not shown: the add-on gallery is off" in told[1]
    assert told[1].endswith("site.ini addon remove gallery")
    assert sections(result)["result"] == "2 notes."
    assert check(strict=True).exit_code == 1


# -- templates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("\n{% if %}", "Expected an expression", 2),
        ("{% endfor %}", "Encountered unknown tag 'endfor'", 1),
        ("\n\n{{ x|nothing }}", "No filter named 'nothing'", 3),
        (
            '\n{% extends "myproject:templates/no.jinja2" %}',
            "no template myproject:templates/no",
            2,
        ),
        ('{% include "no.jinja2" %}', "there is no template no.jinja2", 1),
    ],
)
def test_templates_that_do_not_compile_are_told_with_file_and_line(
    check: Check, package: Path, source: str, message: str, line: int
) -> None:
    file = package / "templates" / "x.jinja2"
    file.write_text(source)
    result = check("checked_one")
    assert result.exit_code == 1
    told = sections(result)["Templates"]
    assert f"problem: {file}, line {line}: " in told
    assert message in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    "source",
    [
        '{% include "no.jinja2" ignore missing %}',
        "{% include some_name %}",
        '{% extends "original:myproject:templates/page.jinja2" %}',
        '{% extends "y.jinja2" %}',
        "{{ _('translated') }}",
    ],
)
def test_templates_that_work_are_not_complained_of(
    check: Check, package: Path, source: str
) -> None:
    (package / "templates" / "x.jinja2").write_text(source)
    (package / "templates" / "y.jinja2").write_text("")
    (package / "__init__.py").write_text(
        '"""Is checked."""\n'
        "def includeme(config):\n"
        "    config.add_template_override(\n"
        '        "myproject:templates/page.jinja2", "checked_one:templates/x.jinja2"\n'
        "    )\n"
    )
    result = check("checked_one")
    assert result.exit_code == 0, result.stdout


# -- what is forgotten ----------------------------------------------------------------------------


def omissions(check: Check, package: Path, *lines: str, more: str = "") -> list[str]:
    """Write the body of an ``includeme`` and return what is said of it."""
    head = "from myproject.declarations import Setting\n"
    body = "".join(f"    {line}\n" for line in lines)
    (package / "__init__.py").write_text(f"{more}{head}def includeme(config):\n{body}")
    result = check("checked_one")
    assert result.exit_code == 0
    told = sections(result)["Add-ons and permissions"]
    return [line.removeprefix("  note: ") for line in told.splitlines()]


def test_permissions_that_nobody_has_are_notes(check: Check, package: Path) -> None:
    told = omissions(
        *(check, package),
        'config.add_permission("cook", "cook")',
        'config.add_permission("bake", "bake")',
        'config.add_permission("burn", "burn")',
        'config.grant("editor", "bake")',
        'config.grant("administrator", "burn")',
        more='"""Cooks."""\n',
    )
    assert told == [
        "The permission 'cook' of the add-on checked_one is given to no role but the "
        "administrator. Give it to one in myproject.roles."
    ]


def test_what_an_add_on_does_not_say_is_a_note(check: Check, package: Path) -> None:
    told = omissions(
        *(check, package),
        'config.add_settings(Setting("myproject.kitchen.stars", int, 3, " "))',
    )
    assert told == [
        "The add-on checked_one does not say what it is: it has no docstring.",
        "The setting myproject.kitchen.stars of the add-on checked_one does not say what it is "
        "for.",
    ]
