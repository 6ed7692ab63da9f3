"""Who may import whom. Read from the source with ``ast``, imports inside functions included."""

import ast
import re
from pathlib import Path

import pytest

import myproject
from myproject.content import LAYOUT_IDS

PACKAGE = Path(myproject.__file__).parent

#: From the ground floor up; a room may import from its own floor and from those below.
FLOORS = (
    (
        "interfaces",
        "translation",
        "exceptions",
        "declarations",
        "setting_types",
        "core_settings",
        "settings",
        "registry",
        "zones",
    ),
    ("db",),
    ("mail",),
    ("tree",),
    ("security",),
    ("content",),
    ("extend", "scope", "jobs", "health"),
    ("views", "cli", "boot"),
    ("addons", "testing"),
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}

#: The command line operates the whole application, and so do tests, so they make it.
WHOLE_APPLICATION = {"cli", "testing"}

#: Rooms that know no HTTP, and the modules in them where Pyramid's contracts hand in a request.
WITHOUT_HTTP = ("tree", "content")
HTTP = ("webob", "pyramid.request", "pyramid.response", "pyramid.httpexceptions", "webtest")

MODULES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "__init__.py" and "static" not in path.parts
)


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> list[str]:
    """Dotted names of everything that a module imports, wherever in it."""
    found = []
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            found += [alias.name for alias in item.names]
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 0, f"{path}: relative import"
            found += [f"{item.module}.{alias.name}" for alias in item.names]
    return found


def identify(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_every_room_has_a_floor():
    rooms = {room_of(path) for path in MODULES}
    assert rooms <= set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_imports_point_downwards(path):
    room = room_of(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "myproject":
            continue
        if len(parts) == 1 or parts[1] not in LEVEL:
            assert room in WHOLE_APPLICATION, f"{room} imports the whole application ({name})"
        else:
            assert LEVEL[parts[1]] <= LEVEL[room], f"{room} imports {name}"
            same_floor = LEVEL[parts[1]] == LEVEL[room] and parts[1] != room
            assert not (same_floor and {room, parts[1]} == {"views", "cli"}), f"{room}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_tree_and_content_know_no_http(path):
    if room_of(path) in WITHOUT_HTTP:
        names = [name for name in imports(path) if name.startswith(HTTP)]
        assert not names


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_no_import_hides_inside_a_function(path):
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            hidden = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
            assert not hidden, f"{function.name} imports when it is called"


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_every_module_says_what_lives_there(path):
    assert ast.get_docstring(ast.parse(path.read_text())), "a module docstring is missing"


def test_the_migrations_folder_does_not_hide_the_alembic_package():
    assert not (PACKAGE.parent / "alembic" / "__init__.py").exists()


def test_layout_ids_are_kept_from_headings():
    """Ids of the frame around the content must not be given to an author's heading."""
    templates = [path.read_text() for path in (PACKAGE / "templates").glob("*.jinja2")]
    # Screens that work with the site show nobody's headings.
    around = [text for text in templates if "templates/screen.jinja2" not in text]
    used = {found for text in around for found in re.findall(r'\bid="([^"{]+)"', text)}
    assert used == set(LAYOUT_IDS)
