"""The kit as an add-on's author uses it: a project of its own, whose tests run in a new process."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

import pytest

import myproject

EXAMPLE = Path(__file__).parent / "example"
ROOT = Path(myproject.__file__).parents[1]
GUIDE = ROOT / "docs" / "testing.md"

#: How many tests the example has.
TESTS_IN_ALL = 34

INI = """
[pytest]
filterwarnings =
    error
    ignore:'cgi' is deprecated:DeprecationWarning
    ignore:pkg_resources is deprecated
    ignore:Deprecated call to `pkg_resources
"""

CODE = "gallery/__init__.py"
MIGRATION = "gallery/migrations/gallery0001_walls.py"
FOOT = "gallery/templates/foot.jinja2"
WALL = "gallery/templates/wall.jinja2"
TESTS = "test_gallery.py"
LAST = 'config.add_view(show, context=Wall, renderer="gallery:templates/wall.jinja2")'

#: What is wrong -> file, what is replaced by what, the test that finds it, and what it says.
BROKEN = {
    "no description": (CODE, '"""Pictures', 'NOTE = """Pictures', "says_what_it_is", "docstring"),
    "no boot": (CODE, LAST, "config.fly()", "works_alone", "AttributeError: fly"),
    "no syntax": (FOOT, "The gallery", "{% if %}", "templates_compile", "foot.jinja2, line 1"),
    "no include": (WALL, "templates/foot", "templates/feet", "templates_compile", "feet.jinja2"),
    "relative include": (WALL, "gallery:", "", "templates_compile", "without its package"),
    "relative renderer": (CODE, "gallery:templates", "templates", "named_with", "without its"),
    "relative constant": (
        CODE,
        'Wall, renderer="gallery:templates/wall.jinja2"',
        'Wall, renderer="/".join(["templates", "wall.jinja2"])',
        "named_with",
        "without its",
    ),
    "no help": (CODE, '"Pictures on a wall."', '""', "settings_are_explained", "has no help"),
    "no grant": (CODE, '"editor", "hang"', '"editor", "edit"', "given_to_a_role", "hang"),
    "empty downgrade": (MIGRATION, 'op.drop_table("gallery_wall")', "pass", "up_and_down", ""),
    "no downgrade": (MIGRATION, "def downgrade", "def down", "up_and_down", "downgrade"),
    "other columns": (
        MIGRATION,
        "sa.Integer(), nullable=False),\n        sa.Foreign",
        "sa.Integer()),\n        sa.Foreign",
        "tables_are_those",
        "modify_nullable",
    ),
    "statements": (
        CODE,
        "    return {",
        "    for _ in range(9):\n        request.dbsession.execute(select(1))\n    return {",
        "few_statements",
        "/rooms/north takes",
    ),
    "error for editors": (
        CODE,
        "    return {",
        "    assert not request.has_permission('edit', context)\n    return {",
        "for_whoever_asks",
        "/rooms/north for editor",
    ),
    "panel": (
        CODE,
        LAST,
        f"config.add_slot_panel(lambda context, request: 1 / 0, 'footer', name='x')\n    {LAST}",
        "for_whoever_asks",
        "for anonymous",
    ),
    "rows changed": (
        CODE,
        LAST,
        f"""{LAST}
    with config.registry.database.writer.begin() as connection:
        connection.exec_driver_sql("UPDATE node SET summary = title || summary")""",
        "survives_being_switched_off",
        "North",
    ),
    "shown when off": (
        TESTS,
        'return ["/rooms/north"]',
        'return ["/rooms"]',
        "survives_being_switched_off",
        "AssertionError: /rooms",
    ),
}


@pytest.fixture
def project(pytester, monkeypatch):
    """A copy of the example's project."""
    shutil.copytree(EXAMPLE, pytester.path, dirs_exist_ok=True)
    pytester.makeini(INI)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return pytester


def run(project, *arguments):
    # Hypothesis is not what the kit needs, and takes longer to import than a test does to run.
    without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    return project.runpytest_subprocess("-q", *without, *arguments)


def test_a_sound_add_on_passes(project, postgresql_backend):
    run(project).assert_outcomes(passed=TESTS_IN_ALL)


@pytest.mark.parametrize("what", BROKEN)
def test_the_contract_finds(project, what):
    file, old, new, test, message = BROKEN[what]
    path = project.path / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    result = run(project, "-k", f"TestGallery and {test} and not postgresql")
    result.assert_outcomes(failed=1, deselected=TESTS_IN_ALL - 1)
    assert message in result.stdout.str()


def test_without_a_server_the_tests_that_need_one_are_skipped_or_fail(project, monkeypatch):
    for name in ("MYPROJECT_TEST_POSTGRES", "CI"):
        monkeypatch.delenv(name, raising=False)
    chosen = ("-k", "how_many_pictures", "-rs")
    result = run(project, *chosen)
    result.assert_outcomes(passed=1, skipped=1, deselected=TESTS_IN_ALL - 2)
    assert "MYPROJECT_TEST_POSTGRES names no PostgreSQL database" in result.stdout.str()
    monkeypatch.setenv("CI", "1")
    run(project, *chosen).assert_outcomes(passed=1, errors=1, deselected=TESTS_IN_ALL - 2)


def test_the_shell_s_settings_do_not_leak_in(project, monkeypatch):
    monkeypatch.setenv("MYPROJECT__SITE_TITLE", "The developer's")
    monkeypatch.setenv("MYPROJECT__NONSENSE", "1")
    chosen = "how_many_pictures and not postgresql"
    run(project, "-k", chosen).assert_outcomes(passed=1, deselected=TESTS_IN_ALL - 1)


def test_every_example_of_the_guide_is_run():
    sources = "\n".join(path.read_text() for path in EXAMPLE.rglob("*.py"))
    blocks = GUIDE.read_text().split("```python\n")[1:]
    assert len(blocks) > 3
    for block in blocks:
        code = block.partition("```")[0]
        for part in code.strip().split("\n\n\n"):
            shown = part.strip()
            assert shown in sources or textwrap.indent(shown, "    ") in sources, shown
