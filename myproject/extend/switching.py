"""Which add-ons there are, which are on, in which order; including them, and what is said if that
fails.

An add-on is a module with ``includeme(config)``. The first sentence of its docstring says what it
is, and ``requires = ("other",)`` which add-ons it needs. It is switched on by the name of a bundled
one, by that of an entry point of the group ``myproject.addons``, or by its dotted name.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationConflictError, ConfigurationExecutionError

from myproject.exceptions import ConfigurationProblem
from myproject.extend.registering import singular
from myproject.registry import registry_of

#: The setting, the group of entry points and the package of bundled add-ons have one name.
KEY = "myproject.addons"

#: Looked into, not imported: the core knows no add-on.
BUNDLED = Path(__file__).resolve().parent.parent / "addons"


#: The module whose ``include`` calls every ``includeme``.
_INCLUDE = inspect.getsourcefile(Configurator)


@dataclass(frozen=True, slots=True)
class Addon:
    """An add-on that can be switched on.

    :ivar name: as ``myproject.addons`` names it.
    :ivar module: the dotted name of its module.
    :ivar source: ``bundled``, the distribution that brings it, or empty for a dotted name.
    """

    name: str
    module: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """What an add-on's source says of it, read without importing it.

    :ivar problem: why it could not be read; empty if it could.
    """

    summary: str = ""
    requires: tuple[str, ...] = ()
    problem: str = ""


# -- finding --------------------------------------------------------------------------------------


def available() -> dict[str, Addon]:
    """Return the add-ons that have a name of their own: bundled ones, and entry points."""
    found = {
        name: Addon(name, f"{KEY}.{module.name}", "bundled")
        for module in pkgutil.iter_modules([str(BUNDLED)])
        for name in [module.name.replace("_", "-")]
    }
    for entry in entry_points(group=KEY):
        source = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
        found.setdefault(entry.name, Addon(entry.name, entry.value.partition(":")[0], source))
    return found


def find(name: str, known: Mapping[str, Addon]) -> Addon:
    """Return the add-on called *name*; what has no name of its own is a dotted name."""
    return known.get(name) or Addon(name, name)


def describe(addon: Addon) -> Description:
    """Return what an add-on's source says of it."""
    try:
        spec = find_spec(addon.module)
        if spec is None or not spec.origin:
            return Description(problem=f"there is no module {addon.module}")
        source = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        return Description(problem=f"{type(error).__name__}: {error}")
    docstring = ast.get_docstring(source) or ""
    summary = " ".join(docstring.partition("\n\n")[0].split())
    for statement in source.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "requires" for target in statement.targets
        ):
            return Description(summary, _names_in(statement.value))
    return Description(summary)


def _names_in(value: ast.expr) -> tuple[str, ...]:
    try:
        return tuple(ast.literal_eval(value))
    except ValueError:
        return ()


# -- ordering -------------------------------------------------------------------------------------


def resolve(names: Iterable[str]) -> list[Addon]:
    """Import the add-ons, and return them in the order in which they are to be included.

    What others require comes first, else the order is that of *names*.

    :raises ConfigurationProblem: with everything that is wrong: unknown names, modules that cannot
        be imported, requirements that are not switched on, circles.
    """
    known, problems = available(), []
    wanted: dict[str, Addon] = {}
    requires: dict[str, tuple[str, ...]] = {}
    for name in dict.fromkeys(names):
        addon = wanted[name] = find(name, known)
        try:
            requires[name] = tuple(getattr(_import(addon), "requires", ()))
        except ConfigurationProblem as problem:
            problems.append(f"{KEY}: {problem}{_did_you_mean(addon, known)}")
            requires[name] = ()
    for name, needed in requires.items():
        for other in needed:
            if other not in wanted:
                problems.append(f"{KEY}: {name} requires {other}. {_how_to_get(other, known)}")
    order = {name: number for number, name in enumerate(wanted)}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, needed in requires.items():
        sorter.add(name, *(other for other in needed if other in wanted))
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " requires ".join(reversed(error.args[1]))
        problems.append(f"{KEY}: {circle}. Add-ons cannot require each other.")
    if problems:
        raise ConfigurationProblem("\n".join(problems))
    return [wanted[name] for name in _in_order(sorter, order)]


def _in_order(sorter: TopologicalSorter[str], order: Mapping[str, int]) -> Iterator[str]:
    ready: list[str] = []
    while sorter.is_active() or ready:
        ready = sorted({*ready, *sorter.get_ready()}, key=order.__getitem__)
        name = ready.pop(0)
        yield name
        sorter.done(name)


def _import(addon: Addon) -> ModuleType:
    try:
        with warnings.catch_warnings():
            # The map of content types refuses it, in words.
            warnings.filterwarnings("ignore", "Reassigning polymorphic association")
            module = importlib.import_module(addon.module)
    except ModuleNotFoundError as error:
        if error.name and (addon.module + ".").startswith(error.name + "."):
            raise ConfigurationProblem(
                f"{addon.name} cannot be included: there is no add-on and no module of this name."
            ) from error
        raise ConfigurationProblem(
            f"{addon.name} cannot be included: {error} ({_place(error, addon.module)})."
        ) from error
    except Exception as error:
        raise ConfigurationProblem(
            f"{addon.name} cannot be included: {_kind(error)}{error} "
            f"({_place(error, addon.module)})."
        ) from error
    if not hasattr(module, "includeme"):
        raise ConfigurationProblem(
            f"{addon.name} cannot be included: {module.__name__} has no function includeme."
        )
    return module


def _did_you_mean(addon: Addon, known: Mapping[str, Addon]) -> str:
    if addon.name in known:
        return ""
    close = get_close_matches(addon.name.replace("_", "-"), known, n=1)
    if close:
        return f" Did you mean {close[0]}?"
    return f" There are: {', '.join(sorted(known))}." if "." not in addon.name else ""


def _how_to_get(name: str, known: Mapping[str, Addon]) -> str:
    return f"Add it to {KEY}." if name in known else f"Install it, and add it to {KEY}."


# -- including ------------------------------------------------------------------------------------


def include_addons(config: Configurator, names: Iterable[str]) -> None:
    """Include the add-ons in order and settle their conflicts.

    :raises ConfigurationProblem: which says which add-on, which file and line, and what is wrong.
    """
    registry = registry_of(config)
    registry.addons = tuple(resolve(names))
    for addon in registry.addons:
        registry.including = addon.name
        try:
            config.include(addon.module)
        except ConfigurationProblem as problem:
            place = _place(problem, addon.module)
            raise ConfigurationProblem(f"{KEY}: {addon.name}: {problem} ({place})") from problem
        except Exception as error:
            raise ConfigurationProblem(
                f"{KEY}: {addon.name} cannot be included: {_kind(error)}{error} "
                f"({_place(error, addon.module)})"
            ) from error
        finally:
            registry.including = ""
    settle(config)


def settle(config: Configurator) -> None:
    """Carry out what was configured.

    :raises ConfigurationProblem: for what two includes claim, and for what cannot be done.
    """
    try:
        config.commit()
    except ConfigurationConflictError as error:
        told = [_tell(key, infos) for key, infos in error._conflicts.items()]
        raise ConfigurationProblem("\n".join(told)) from error
    except ConfigurationExecutionError as error:
        where = f"({error.info.file}, line {error.info.line})"
        if isinstance(error.evalue, ConfigurationProblem):
            raise ConfigurationProblem(f"{KEY}: {error.evalue} {where}") from error
        kind = getattr(error.etype, "__name__", error.etype)
        raise ConfigurationProblem(
            f"{KEY}: {kind}: {error.evalue} {where}: {_source(error.info)}"
        ) from error


#: First element of Pyramid's own discriminators -> what they are about.
_PYRAMID = {
    "view": "the same view",
    "route": "the same route",
    "renderer": "the same renderer",
    "tween": "the same tween",
    "static": "the same static view",
    "request extensions": "the same attribute of requests",
}


def _tell(discriminator: Any, infos: Sequence[Any]) -> str:
    """Return in words which includes want the same thing, and where."""
    category, key = discriminator if len(discriminator) == 2 else (discriminator[0], "")
    if category in _PYRAMID or len(discriminator) != 2:
        claimed = _PYRAMID.get(category, f"the same {category}")
        detail = f" {key!r}" if isinstance(key, str) and key else ""
    else:
        shown = key[-1] if isinstance(key, tuple) else key
        claimed = f"the same {singular(category)}"
        detail = f" {getattr(shown, '__name__', shown)!r}" if shown else ""
    places = [f"  {info.file}, line {info.line}: {_source(info)}" for info in infos]
    return "\n".join(
        [
            f"{KEY}: {len(infos)} includes want {claimed}{detail}. Switch one of them off:",
            *places,
        ]
    )


def _source(info: Any) -> str:
    return " ".join(str(info.src or "").split())


def _place(error: BaseException, module: str) -> str:
    """Return file and line of the add-on's code that raised, or else of whatever did."""
    frames = traceback.extract_tb(error.__traceback__)
    # What comes after Pyramid has called an includeme, if it has come to that.
    calls = [i for i, f in enumerate(frames) if f.filename == _INCLUDE and f.name == "include"]
    frames = frames[calls[-1] + 1 :] if calls else frames
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        spec = None
    folder = str(Path(spec.origin).parent) if spec and spec.origin else None
    own = [frame for frame in frames if folder and frame.filename.startswith(folder)]
    frame = own[-1] if own else frames[0 if calls else -1]
    return f"{frame.filename}, line {frame.lineno}"


def _kind(error: BaseException) -> str:
    # Our own errors speak for themselves.
    return "" if isinstance(error, ConfigurationProblem) else f"{type(error).__name__}: "
