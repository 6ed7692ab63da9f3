"""What to say when add-ons cannot be switched on: whose fault it is, file and line, what to do."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from inspect import getsourcefile
from itertools import groupby
from pathlib import Path
from typing import Any

from pyramid.config import Configurator
from pyramid.config.actions import resolveConflicts
from pyramid.exceptions import ConfigurationConflictError, ConfigurationExecutionError

from myproject.exceptions import ConfigurationProblem
from myproject.extend.registering import singular

#: The setting that switches add-ons on.
KEY = "myproject.addons"

#: The module whose ``include`` calls every ``includeme``.
_INCLUDE = getsourcefile(Configurator)

#: First element of Pyramid's own discriminators -> what they are about.
_PYRAMID = {
    "route": "the same route",
    "renderer": "the same renderer",
    "tween": "the same tween",
    "static": "the same static view",
    "request extensions": "the same attribute of requests",
}


def refusal(name: str, module: str, error: BaseException) -> str:
    """Return why an add-on cannot be included: what it raised, where, and what to do.

    :param name: as ``myproject.addons`` names it.
    :param module: the dotted name of its module.
    """
    place = place_of(error, module)
    if isinstance(error, ConfigurationProblem):
        # Our own errors speak for themselves.
        told = (line if place in line else f"{line} ({place})" for line in str(error).splitlines())
        return "\n".join(f"{KEY}: {name}: {line}" for line in told)
    # Python puts the place behind that of a syntax error, by the file's name only.
    reason = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    help_ = "Install what it needs" if isinstance(error, ModuleNotFoundError) else "Mend it"
    return (
        f"{KEY}: {name} cannot be included: {type(error).__name__}: {reason} ({place}). "
        f"{help_}, or switch {name} off."
    )


def failure(error: ConfigurationExecutionError, modules: Mapping[str, str]) -> str:
    """Return what to say of a directive that failed when it was carried out.

    :param modules: name -> module of the add-ons that are on.
    """
    info, reason = error.info, error.evalue
    whose = _whose(info, modules)
    where = f"({info.file}, line {info.line})"
    if isinstance(reason, ConfigurationProblem):
        return f"{KEY}: {whose}{reason} {where}"
    kind = getattr(error.etype, "__name__", error.etype)
    return f"{KEY}: {whose}{kind}: {reason} {where}: {_source(info)}"


def conflicts(
    error: ConfigurationConflictError,
    actions: Iterable[Mapping[str, Any]],
    modules: Mapping[str, str],
) -> str:
    """Return in words who wants the same things, all of them.

    :param error: what Pyramid raised, of the first kind of action in which there are any.
    :param actions: everything that was configured.
    :param modules: name -> module of the add-ons that are on.
    """
    found = dict(error._conflicts)
    ordered = sorted(actions, key=_order)
    for _, group in groupby(ordered, key=_order):
        try:
            list(resolveConflicts(list(group)))
        except ConfigurationConflictError as more:
            found |= more._conflicts
    return "\n".join(
        _conflict(key, infos, modules) for key, infos in found.items() if not _follows(key)
    )


def _follows(discriminator: Any) -> bool:
    """Whether a conflict follows from one that is told in better words."""
    category, *rest = discriminator if isinstance(discriminator, tuple) else (discriminator,)
    named = (part for part in rest if isinstance(part, str))
    return category == "route-connect" or any(n.startswith("__@@static-") for n in named)


def _order(action: Mapping[str, Any]) -> int:
    return action["order"] or 0


def _conflict(discriminator: Any, infos: Sequence[Any], modules: Mapping[str, str]) -> str:
    lines = [
        f"  {_whose(info, modules)}{info.file}, line {info.line}: {_source(info)}" for info in infos
    ]
    wanted = _wanted(discriminator)
    head = f"{KEY}: {len(infos)} includes want {wanted}. Switch one of them off, or rename one:"
    return "\n".join([head, *lines])


def _wanted(discriminator: Any) -> str:
    category, *rest = discriminator if isinstance(discriminator, tuple) else (discriminator,)
    if category == "view":
        return f"the same view{_view(*rest)}"
    if category in _PYRAMID or len(rest) != 1:
        claimed = _PYRAMID.get(category, f"the same {getattr(category, '__name__', category)}")
        return claimed + "".join(f" {part!r}" for part in rest[:1] if isinstance(part, str))
    shown = next(_parts(rest[0]), "")
    return f"the same {singular(category)}" + (f" {shown!r}" if shown else "")


def _parts(key: Any) -> Iterator[str]:
    """Yield what a key says, the most telling last part first."""
    for part in reversed(key if isinstance(key, tuple) else (key,)):
        if name := getattr(part, "__name__", part):
            yield str(name)


def _view(context: Any = None, name: str = "", route: str | None = None, *_: Any) -> str:
    told = f" {name!r}" if name else ""
    if route:
        told += f" of the route {route!r}"
    if kind := getattr(context, "__name__", ""):
        told += f" of {kind}"
    return told


def _whose(info: Any, modules: Mapping[str, str]) -> str:
    """Return the name of the add-on that a line of code belongs to, for what follows it."""
    for name, module in modules.items():
        if _is_in(info.file or "", module):
            return f"{name}: "
    return ""


def _source(info: Any) -> str:
    return " ".join(str(info.src or "").split())


def _is_in(file: str, module: str) -> bool:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return False
    if spec is None or not spec.origin:
        return False
    if not spec.submodule_search_locations:
        return file == spec.origin
    return Path(file).is_relative_to(Path(spec.origin).parent)


def place_of(error: BaseException, module: str) -> str:
    """Return file and line of the add-on's code that raised, or else of whatever did."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    # What comes after Pyramid has called an includeme, if it has come to that.
    calls = [i for i, f in enumerate(frames) if f.filename == _INCLUDE and f.name == "include"]
    frames = frames[calls[-1] + 1 :] if calls else frames
    own = [frame for frame in frames if _is_in(frame.filename, module)]
    # Something that was never called is blamed on whoever was to call it.
    frame = own[-1] if own else frames[0] if calls and frames else list(frames)[-1]
    return f"{frame.filename}, line {frame.lineno}"
