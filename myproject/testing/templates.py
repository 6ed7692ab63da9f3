"""Finding the templates of an add-on, and the names by which its code asks for templates."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment
from jinja2.meta import find_referenced_templates

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


def names_in_code(module: str) -> Iterator[tuple[str, str]]:
    """Yield the templates that an add-on's code names, each with file and line."""
    folder, spec = folder_of(module), find_spec(module)
    if folder is not None:
        files = sorted(folder.rglob("*.py"))
    else:
        files = [Path(spec.origin)] if spec is not None and spec.origin else []
    for file in files:
        for item in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                name = item.value
                if name.endswith(SUFFIX) and name != SUFFIX and "\n" not in name:
                    yield name, f"{file}, line {item.lineno}"


def names_in_template(environment: Environment, path: Path) -> set[str]:
    """Return the templates that one extends, includes or imports, as far as it names them.

    :raises jinja2.TemplateSyntaxError:
    """
    parsed = environment.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return {name for name in find_referenced_templates(parsed) if name is not None}
