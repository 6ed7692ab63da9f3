"""Finding the templates of an add-on, and the names by which its code asks for templates."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment
from jinja2.meta import find_referenced_templates
from pyramid.config import Configurator

SUFFIX = ".jinja2"


def folder_of(module: str) -> Path | None:
    """Return the folder of a package; None for what is a single module."""
    spec = find_spec(module)
    places = None if spec is None else spec.submodule_search_locations
    return Path(next(iter(places))) if places else None


def templates_of(module: str) -> dict[str, Path]:
    """Return asset spec -> file of every template in a package."""
    folder = folder_of(module)
    paths = [] if folder is None else sorted(folder.rglob(f"*{SUFFIX}"))
    return {f"{module}:{path.relative_to(folder).as_posix()}": path for path in paths if folder}


def names_in_calls(module: str) -> Iterator[tuple[str, str]]:
    """Yield the templates that an add-on's code names in calls, each with file and line."""
    folder, spec = folder_of(module), find_spec(module)
    if folder is not None:
        files = sorted(folder.rglob("*.py"))
    else:
        files = [Path(spec.origin)] if spec is not None and spec.origin else []
    for file in files:
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                for value in (*call.args, *(keyword.value for keyword in call.keywords)):
                    name = value.value if isinstance(value, ast.Constant) else None
                    if isinstance(name, str) and name.endswith(SUFFIX) and name != SUFFIX:
                        yield name, f"{file}, line {value.lineno}"


def names_in_views(config: Configurator, module: str) -> Iterator[tuple[str, str]]:
    """Yield the templates of the views that an add-on has added, each with its package."""
    for entry in config.introspector.get_category("templates") or ():
        renderer = entry["introspectable"]["renderer"]
        package = getattr(renderer.package, "__name__", "")
        if f"{package}.".startswith(f"{module}.") and renderer.name.endswith(SUFFIX):
            yield renderer.name, f"a view of {package}"


def names_in_template(environment: Environment, path: Path) -> set[str]:
    """Return the templates that one extends, includes or imports, as far as it names them.

    :raises jinja2.TemplateSyntaxError:
    """
    parsed = environment.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return {name for name in find_referenced_templates(parsed) if name is not None}
