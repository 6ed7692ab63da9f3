"""What is said when add-ons cannot be switched on: whose fault it is, file and line, what to do."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect

from myproject.extend.switching import Addon, available, describe, find, resolve
from myproject.testing import invoke, write_ini

#: ``write(name, source)``: make a module that can be imported, and return its file.
Write = Callable[..., Path]

SETTING = """
from myproject.declarations import Setting
def includeme(config):
    config.add_settings(Setting("myproject.kitchen.{key}", {type}, 3, "How many stars."))
"""

TYPE = """
from myproject.content.types import Page
class Meal(Page):
    __mapper_args__ = {{"polymorphic_identity": "{identity}"}}
def includeme(config):
    config.add_content_type(Meal, "Meal")
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)

    def make(name: str, source: str) -> Path:
        file = folder / f"{name.replace('.', '/')}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(source.lstrip("\n"))
        importlib.invalidate_caches()
        return file

    yield make
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """``refusal("addon", ...)``: what a command says when these are on."""

    def ask(*addons: str, **settings: str) -> str:
        lines = [f"myproject.{key} = {value}" for key, value in settings.items()]
        lines.append(f"myproject.addons = {' '.join(addons)}")
        ini = write_ini(tmp_path / "site.ini", f"sqlite:///{tmp_path}/site.sqlite", *lines)
        result = invoke(ini, "settings")
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr

    return ask


def directive(call: str) -> str:
    """The source of an add-on that calls a directive on its second line."""
    return f"def includeme(config):\n    config.{call}\n"


# -- importing and including ----------------------------------------------------------------------


def test_an_add_on_that_raises_is_told_with_the_line_of_its_own_that_did(write, refusal):
    file = write(
        "raising",
        """
import json
def helper(config):
    return json.loads("{")
def includeme(config):
    helper(config)
""",
    )
    told = refusal("raising")
    assert told.startswith("myproject.addons: raising cannot be included: JSONDecodeError: ")
    assert f"({file}, line 3). Mend it, or switch raising off.\n" in told


def test_every_add_on_that_raises_is_told_at_once(write, refusal):
    files = [write(name, directive("nothing()")) for name in ("first_bad", "second_bad")]
    told = refusal("first_bad", "search", "second_bad").splitlines()
    assert len(told) == 2
    for name, file, line in zip(("first_bad", "second_bad"), files, told, strict=True):
        assert line.startswith(f"myproject.addons: {name} cannot be included: AttributeError: ")
        assert f"({file}, line 2)" in line


@pytest.mark.parametrize(
    ("source", "reason", "line", "help_"),
    [
        ("\nraise ValueError('no luck')", "ValueError: no luck", 2, "Mend it"),
        (
            "import nothing_like_it",
            "ModuleNotFoundError: No module named 'nothing_like_it'",
            1,
            "Install what it needs",
        ),
        ("x = 1\ndef f(:\n    pass", "SyntaxError: invalid syntax", 2, "Mend it"),
    ],
)
def test_an_add_on_that_cannot_be_imported_is_told(write, refusal, source, reason, line, help_):
    # With a letter in front, or the empty first line would be taken away.
    file = write("broken_module", f"#{source}" if source.startswith("\n") else source)
    assert refusal("broken_module") == (
        f"myproject.addons: broken_module cannot be included: {reason} ({file}, line {line}). "
        f"{help_}, or switch broken_module off.\n"
    )


def test_an_add_on_that_does_not_exist_is_told_with_what_may_be_meant(refusal):
    told = refusal("serach", "nothing_of_the_kind", "no.such.package")
    none = "cannot be included: there is no add-on and no module of this name."
    first, second, third = told.splitlines()
    assert first == f"myproject.addons: serach {none} Did you mean search?"
    assert second.startswith(f"myproject.addons: nothing_of_the_kind {none} There are: ")
    assert ", search" in second
    assert third == f"myproject.addons: no.such.package {none} Install the package that has it."


@pytest.mark.parametrize("source", ["", "includeme = None"])
def test_an_add_on_without_includeme_is_told(write, refusal, source):
    file = write("without", source)
    assert refusal("without") == (
        f"myproject.addons: without cannot be included: {file} has no function "
        "includeme(config). Write one, or name the module that has it.\n"
    )


# -- requirements ---------------------------------------------------------------------------------


def test_missing_requirements_and_circles_are_told_together(write, refusal):
    body = "def includeme(config): pass\n"
    write("needing", f'requires = ("serach", "feeds", "no.such.thing")\n{body}')
    write("left_one", f'requires = ("right_one",)\n{body}')
    write("right_one", f'requires = ("left_one",)\n{body}')
    told = refusal("needing", "left_one", "right_one", "nothing_of_the_kind")
    for line in (
        "needing requires serach. Install it, and add it to myproject.addons. Did you mean search?",
        "needing requires feeds. Add it to myproject.addons.",
        "needing requires no.such.thing. Install it, and add it to myproject.addons.",
        "left_one requires right_one requires left_one. Add-ons cannot require each other.",
        "nothing_of_the_kind cannot be included: there is no add-on",
    ):
        assert f"myproject.addons: {line}" in told


@pytest.mark.parametrize("value", ['"search"', "(1,)", "None"])
def test_requirements_that_are_no_names_are_told(write, refusal, value):
    file = write("needing_oddly", f"requires = {value}\ndef includeme(config): pass\n")
    told = refusal("needing_oddly")
    assert f"myproject.addons: {file}: requires = " in told
    assert 'Write requires = ("other",).' in told


def test_what_is_required_comes_first_else_the_order_is_that_of_the_setting(write):
    for name, needed in (("ord_a", ("ord_c",)), ("ord_b", ()), ("ord_c", ())):
        write(name, f"requires = {needed!r}\ndef includeme(config): pass\n")
    assert [addon.name for addon in resolve(["ord_a", "ord_b", "ord_c"])] == [
        *("ord_b", "ord_c", "ord_a")
    ]


def test_a_bundled_add_on_can_be_named_by_its_module_and_is_on_once():
    assert find("myproject.addons.search", available()).name == "search"
    assert [addon.name for addon in resolve(["myproject.addons.search", "search"])] == ["search"]


# -- settings -------------------------------------------------------------------------------------


def test_a_setting_declared_twice_is_told_with_both_owners(write, refusal):
    source = SETTING.format(key="stars", type="int")
    write("first_setting", source)
    file = write("second_setting", source)
    assert refusal("first_setting", "second_setting") == (
        "myproject.addons: second_setting: myproject.kitchen.stars is declared twice, "
        f"by first_setting and by second_setting: rename one ({file}, line 3)\n"
    )


def test_wrong_values_of_add_ons_are_told_with_the_ini_file(write, refusal):
    write("counting", SETTING.format(key="stars", type="int"))
    told = refusal("counting", **{"kitchen.stars": "many"})
    assert "counting: myproject.kitchen.stars = 'many' (site.ini): must be a whole number" in told


def test_unknown_settings_are_told_with_what_may_be_meant(write, refusal):
    write("knowing", SETTING.format(key="stars", type="int"))
    told = refusal("knowing", **{"kitchen.strs": "1", "garden.trees": "1"})
    assert told == (
        "myproject.kitchen.strs (site.ini): there is no such setting; "
        "did you mean myproject.kitchen.stars?\n"
        "myproject.garden.trees (site.ini): there is no such setting\n"
    )


# -- content types --------------------------------------------------------------------------------


def test_a_type_of_two_add_ons_is_told_with_both_classes(write, refusal):
    write("meal_one", TYPE.format(identity="meal-of-two"))
    file = write("meal_two", TYPE.format(identity="meal-of-two"))
    assert refusal("meal_one", "meal_two") == (
        "myproject.addons: meal_two: The content type 'meal-of-two' has two classes, "
        "meal_one.Meal and meal_two.Meal. Give one of them another polymorphic identity. "
        f"({file}, line 2)\n"
    )


def test_a_type_of_the_core_cannot_be_taken(write, refusal):
    file = write("meal_core", TYPE.format(identity="folder"))
    told = refusal("meal_core")
    assert "meal_core: The content type 'folder' has two classes" in told
    assert "myproject.content.types.Folder and meal_core.Meal" in told
    assert f"({file}, line 2)" in told


# -- two that want the same -----------------------------------------------------------------------

SAME = {
    'add_view(print, context="myproject.content.types.Page", name="print")': "view 'print' of Page",
    'add_view(print, context="myproject.content.types.Page")': "view of Page",
    'add_route("kitchen", "/kitchen")': "route 'kitchen'",
    'add_permission("cook", "cook")': "permission 'cook'",
    'add_role("cook", "Cook", ["view"])': "role 'cook'",
    'add_slot_panel(print, "aside", name="menu")': "panel 'menu'",
    'add_tab("cook", "Cook", group="site", view="cook", permission="view")': "tab 'cook'",
    'add_toolbar_action("cook", "Cook", view="cook")': "toolbar action 'cook'",
    'add_bulk_action("cook", "Cook", view="cook")': "bulk action 'cook'",
    'add_template_override("myproject:templates/page.jinja2", "myproject:templates/page.jinja2")': (
        "template override 'myproject:templates/page.jinja2'"
    ),
    'add_static_bundle("kitchen", "myproject:static")': "static bundle 'kitchen'",
    'add_migrations("search")': "branch of migrations 'search'",
    "add_service(print, int)": "service 'int'",
    'add_health_check("oven", print)': "health check 'oven'",
    'add_job("clean", print, title="Clean")': "job 'clean'",
    'add_request_method(print, "cook")': "attribute of requests 'cook'",
    'add_markdown_plugin(print, name="salt")': "Markdown plugin 'salt'",
    'add_field_widget("salt", "myproject:templates/page.jinja2")': "field widget 'salt'",
}


@pytest.mark.parametrize(("call", "what"), SAME.items(), ids=SAME.values())
def test_two_that_want_the_same_are_told_with_file_and_line(write, refusal, call, what):
    files = [write(name, directive(call)) for name in ("same_one", "same_two")]
    assert refusal("same_one", "same_two") == (
        f"myproject.addons: 2 includes want the same {what}. "
        "Switch one of them off, or rename one:\n"
        f"  same_one: {files[0]}, line 2: config.{call}\n"
        f"  same_two: {files[1]}, line 2: config.{call}\n"
    )


def test_everything_that_two_want_is_told_at_once(write, refusal):
    source = "def includeme(config):\n" + "".join(f"    config.{call}\n" for call in SAME)
    write("same_one", source)
    write("same_two", source)
    told = refusal("same_one", "same_two")
    for what in SAME.values():
        assert f"2 includes want the same {what}." in told
    assert told.count("2 includes want") == len(SAME)


# -- what is not there ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            'add_template_override("myproject:templates/pag.jinja2", "x:y")',
            "There is no myproject:templates/pag.jinja2",
        ),
        (
            'add_template_override("myproject:templates/page.jinja2", "no.such:x.jinja2")',
            "There is no no.such:x.jinja2",
        ),
        ('add_static_bundle("kit", "myproject:statix")', "There is no myproject:statix/"),
        (
            'add_static_bundle("kit", "myproject:static", styles=["no.css"])',
            "There is no myproject:static/no.css",
        ),
        ('add_slot_panel(print, "asid")', "There is no slot 'asid'"),
        ('add_slot_panel(print, "aside", renderer="x.jinja2")', "There is no faulty:x.jinja2"),
        ('add_tab("x", "X", group="pages", view="x", permission="view")', "There are no tabs"),
        ('add_migrations("gallery")', "There is no folder "),
        ('add_view("no.such.view", name="x")', "ModuleNotFoundError: No module named 'no'"),
        ('add_view(print, name="x", route_name="nix")', "No route named nix found"),
        ('grant("nobody", "view")', "There is no role 'nobody'"),
    ],
)
def test_what_is_not_there_is_told_with_file_and_line(write, refusal, call, message):
    file = write("faulty", directive(call))
    told = refusal("faulty")
    assert told.startswith("myproject.addons: faulty")
    assert message in told
    assert told.count(f"{file}, line 2") == 1
    assert len(told.splitlines()) == 1


# -- migrations -----------------------------------------------------------------------------------

MIGRATION = """
revision, down_revision = {revision!r}, {down!r}
branch_labels, depends_on = {labels!r}, None
from alembic import op
import sqlalchemy as sa

def upgrade():
    op.create_table("test_{revision}", sa.Column("id", sa.Integer))
    {more}

def downgrade():
    op.drop_table("test_{revision}")
"""


def test_a_migration_that_fails_halfway_is_told_and_changes_nothing(write, database, tmp_path):
    package = write("halfway.__init__", directive('add_migrations("halfway", "halfway:steps")'))
    steps = package.parent / "steps"
    steps.mkdir()
    for revision, down, labels, more in (
        ("halfway0001", None, ("halfway",), ""),
        ("halfway0002", "halfway0001", None, 'raise ValueError("no luck")'),
    ):
        source = MIGRATION.format(revision=revision, down=down, labels=labels, more=more)
        (steps / f"{revision}.py").write_text(source.lstrip())
    before = set(inspect(database.reader).get_table_names())
    ini = write_ini(tmp_path / "site.ini", database.url, "myproject.addons = halfway")
    result = invoke(ini, "db", "upgrade")
    assert result.exit_code == 1
    assert result.stderr == (
        "The migration halfway0002 of the add-on 'halfway' failed, and nothing has changed.\n"
        f"{steps}/halfway0002.py, line 8: ValueError: no luck\n"
    )
    assert set(inspect(database.reader).get_table_names()) == before


# -- reading without importing --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "summary", "requires"),
    [
        ('"""Cooks.\nAnd bakes.\n\nMore."""', "Cooks. And bakes.", ()),
        ('"""Cooks."""\nrequires = ("search", "feeds")', "Cooks.", ("search", "feeds")),
        ('requires: tuple[str, ...] = ("search",)', "", ("search",)),
        ('requires = ["search"]\nraise SystemExit', "", ("search",)),
        ("requires = tuple(x for x in y)", "", ()),
        ('requires = "search"', "", ()),
    ],
)
def test_an_add_on_is_described_without_importing_it(write, source, summary, requires):
    write("described", source)
    description = describe(Addon("described", "described"))
    assert (description.summary, description.requires) == (summary, requires)
    assert description.problem == ""
    assert "described" not in sys.modules


def test_what_cannot_be_described_is_told(write):
    assert "no module no_such" in describe(Addon("no_such", "no_such")).problem
    file = write("undescribed", "def f(:")
    assert describe(Addon("undescribed", "undescribed")).problem == (
        f"invalid syntax ({file}, line 1)"
    )
    write("raising_package.__init__", "raise RuntimeError('no luck')")
    problem = describe(Addon("x", "raising_package.part")).problem
    assert problem == "RuntimeError: no luck"


def test_a_process_says_the_same_without_a_traceback(write, tmp_path):
    folder = write("raising_again", directive("nothing()")).parent
    url = f"sqlite:///{tmp_path}/site.sqlite"
    ini = write_ini(tmp_path / "site.ini", url, "myproject.addons = raising_again")
    done = subprocess.run(
        [Path(sys.executable).parent / "myproject", "-c", ini, "settings"],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("myproject.addons: raising_again cannot be included: ")
    assert "Traceback" not in done.stderr
