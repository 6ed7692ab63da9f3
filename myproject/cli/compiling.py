"""Compiling templates ahead of the requests that would: what is wrong with them, file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, nodes

from myproject.extend.points import ORIGINAL, Extensions

SUFFIX = ".jinja2"

#: Where the templates of the core are: package and folder in it.
_CORE_FOLDERS = (("myproject", "templates"),)

#: What names another template.
_NAMING = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)


def template_specs(extensions: Extensions, modules: Iterable[str]) -> list[str]:
    """Return the asset specs of all templates of the core and of add-ons.

    :param extensions: what is registered may lie anywhere.
    :param modules: dotted names of the add-ons that are on.
    """
    folders = [*_CORE_FOLDERS, *((name, "") for name in modules)]
    specs = [spec for package, part in folders for spec in _in_folder(package, part)]
    for override in extensions.overrides.values():
        specs += [override.by, ORIGINAL + override.template]
    specs += [widget.template for widget in extensions.widgets.values()]
    specs += [p.renderer for panels in extensions.panels.values() for p in panels if p.renderer]
    return list(dict.fromkeys(specs))


def _in_folder(package: str, part: str) -> Iterator[str]:
    spec = find_spec(package)
    for place in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(place, part).rglob(f"*{SUFFIX}")):
            yield f"{package}:{path.relative_to(place).as_posix()}"


def compile_templates(environment: Environment, specs: Iterable[str]) -> list[str]:
    """Compile templates as the site does, and return what is wrong, each thing once.

    :param environment: the site's, with its overrides, filters and globals.
    """
    return list(dict.fromkeys(told for spec in specs for told in _problems(environment, spec)))


def _problems(environment: Environment, spec: str) -> Iterator[str]:
    assert environment.loader is not None
    file: str | None = spec
    try:
        source, file, _ = environment.loader.get_source(environment, spec)
        tree = environment.parse(source, spec, file)
        environment.compile(source, spec, file)
    except TemplateSyntaxError as error:
        yield f"{error.filename or file}, line {error.lineno}: {error.message}"
        return
    except TemplateNotFound:
        yield f"{spec}: there is no such template"
        return
    except (OSError, UnicodeDecodeError) as error:
        yield f"{file}: cannot be read: {error}"
        return
    for naming in tree.find_all(_NAMING):
        for name in _names(naming):
            try:
                environment.loader.get_source(environment, environment.join_path(name, spec))
            except TemplateNotFound:
                yield f"{file}, line {naming.lineno}: there is no template {name}"


def _names(naming: Any) -> Iterator[str]:
    """Yield what a tag names for sure: not what it computes, nor what may be missing."""
    if getattr(naming, "ignore_missing", False) or not isinstance(naming.template, nodes.Const):
        return
    if isinstance(naming.template.value, str):
        yield naming.template.value
