"""Which add-ons there are, which are on, in which order; including them, and what is said if that
fails.

An add-on is a module with ``includeme(config)``. The first sentence of its docstring says what it
is, and ``requires = ("other",)`` which add-ons it needs. It is switched on by the name of a bundled
one, by that of an entry point of the group ``myproject.addons``, or by its dotted name.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from pyramid.config import Configurator
from pyramid.exceptions import ConfigurationConflictError, ConfigurationExecutionError

from myproject.exceptions import ConfigurationProblem
from myproject.extend.telling import KEY, conflicts, failure, refusal
from myproject.registry import registry_of

#: Looked into, not imported: the core knows no add-on. The setting, the group of entry points and
#: this package have one name.
BUNDLED = Path(__file__).resolve().parent.parent / "addons"


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


def find(name: str, known: Mapping[str, Addon] | None = None) -> Addon:
    """Return the add-on called *name*; what has no name of its own is a dotted name.

    :param known: what there is, where it has been looked up already.
    """
    known = available() if known is None else known
    by_module = (addon for addon in known.values() if addon.module == name)
    return known.get(name) or next(by_module, None) or Addon(name, name)


def describe(addon: Addon) -> Description:
    """Return what an add-on's source says of it."""
    try:
        spec = find_spec(addon.module)
        if spec is None or not spec.origin:
            return Description(problem=f"there is no module {addon.module}")
        source = ast.parse(Path(spec.origin).read_text(encoding="utf-8"), spec.origin)
    except SyntaxError as error:
        return Description(problem=f"{error.msg} ({error.filename}, line {error.lineno})")
    except Exception as error:
        # The packages that it is in are imported, so anything may be.
        return Description(problem=f"{type(error).__name__}: {error}")
    docstring = ast.get_docstring(source) or ""
    summary = " ".join(docstring.partition("\n\n")[0].split())
    for statement in source.body:
        match statement:
            case ast.Assign(targets=[ast.Name("requires")], value=value):
                return Description(summary, _names_in(value))
            case ast.AnnAssign(target=ast.Name("requires"), value=ast.expr() as value):
                return Description(summary, _names_in(value))
    return Description(summary)


def _names_in(value: ast.expr) -> tuple[str, ...]:
    try:
        names = ast.literal_eval(value)
    except (ValueError, TypeError):
        return ()
    return tuple(names) if isinstance(names, tuple | list) else ()


def settings_of_absent(addons: Iterable[Addon]) -> list[str]:
    """Return what the keys of settings begin with whose add-on is there and not among *addons*.

    They may stay in the ini file: one line switches an add-on off, and on again.
    """
    absent = {addon.module: name for name, addon in available().items()}
    for addon in addons:
        absent.pop(addon.module, None)
    return [f"{KEY.partition('.')[0]}.{name.replace('-', '_')}." for name in absent.values()]


# -- ordering -------------------------------------------------------------------------------------


def resolve(names: Iterable[str]) -> list[Addon]:
    """Import the add-ons, and return them in the order in which they are to be included.

    What others require comes first, else the order is that of *names*.

    :raises ConfigurationProblem: with everything that is wrong: unknown names, modules that cannot
        be imported, requirements that are not switched on, circles.
    """
    if not (names := list(names)):
        return []
    known, problems = available(), []
    wanted: dict[str, Addon] = {}
    requires: dict[str, tuple[str, ...]] = {}
    for addon in (find(name, known) for name in names):
        if addon.name in wanted:
            continue
        wanted[addon.name] = addon
        try:
            needed = _requires(_import(addon, known))
            requires[addon.name] = tuple(find(other, known).name for other in needed)
        except ConfigurationProblem as problem:
            problems.append(str(problem))
            requires[addon.name] = ()
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


def _import(addon: Addon, known: Mapping[str, Addon]) -> ModuleType:
    try:
        module = importlib.import_module(addon.module)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and _is_part_of(error.name, addon.module):
            reason = "there is no add-on and no module of this name."
            reason += _did_you_mean(addon.name, known) or _which_there_are(addon, known)
            told = f"{KEY}: {addon.name} cannot be included: {reason}"
        else:
            told = refusal(addon.name, addon.module, error)
        raise ConfigurationProblem(told) from error
    if not callable(getattr(module, "includeme", None)):
        raise ConfigurationProblem(
            f"{KEY}: {addon.name} cannot be included: {_file_of(module)} has no function "
            "includeme(config). Write one, or name the module that has it."
        )
    return module


def _requires(module: ModuleType) -> tuple[str, ...]:
    names = getattr(module, "requires", ())
    if not isinstance(names, tuple | list) or not all(isinstance(name, str) for name in names):
        raise ConfigurationProblem(
            f"{KEY}: {_file_of(module)}: requires = {names!r} is no tuple of names. "
            'Write requires = ("other",).'
        )
    return tuple(names)


def _file_of(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or module.__name__


def _is_part_of(missing: str | None, module: str) -> bool:
    return bool(missing) and f"{module}.".startswith(f"{missing}.")


def _did_you_mean(name: str, known: Mapping[str, Addon]) -> str:
    close = get_close_matches(name.replace("_", "-"), known, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _which_there_are(addon: Addon, known: Mapping[str, Addon]) -> str:
    if "." in addon.name:
        return " Install the package that has it."
    return f" There are: {', '.join(sorted(known))}." if known else ""


def _how_to_get(name: str, known: Mapping[str, Addon]) -> str:
    if name in known:
        return f"Add it to {KEY}."
    return f"Install it, and add it to {KEY}.{_did_you_mean(name, known)}"


# -- including ------------------------------------------------------------------------------------


def include_addons(config: Configurator, names: Iterable[str]) -> None:
    """Include the add-ons in order and settle their conflicts.

    :raises ConfigurationProblem: which says which add-on, which file and line, and what is wrong.
    """
    registry = registry_of(config)
    registry.addons = tuple(resolve(names))
    problems = []
    for addon in registry.addons:
        registry.including = addon.name
        try:
            config.include(addon.module)
        except (Exception, SystemExit) as error:
            problems.append((refusal(addon.name, addon.module, error), error))
        finally:
            registry.including = ""
    if problems:
        told = "\n".join(message for message, _ in problems)
        raise ConfigurationProblem(told) from problems[0][1]
    settle(config)


def settle(config: Configurator) -> None:
    """Carry out what was configured.

    :raises ConfigurationProblem: for what two includes claim, and for what cannot be done.
    """
    modules = {addon.name: addon.module for addon in registry_of(config).addons}
    actions = [dict(action) for action in config.action_state.actions]
    try:
        config.commit()
    except ConfigurationConflictError as error:
        raise ConfigurationProblem(conflicts(error, actions, modules)) from error
    except ConfigurationExecutionError as error:
        raise ConfigurationProblem(failure(error, modules)) from error
