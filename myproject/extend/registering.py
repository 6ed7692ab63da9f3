"""What the directives share: who calls them, and one action with its introspectable."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pyramid.asset import resolve_asset_spec
from pyramid.config import Configurator
from pyramid.path import AssetResolver

from myproject.exceptions import ConfigurationProblem
from myproject.extend.points import Extensions, Origin
from myproject.registry import registry_of

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,49}")


def extensions_of(config: Configurator) -> Extensions:
    """Return what has been registered with the application."""
    return registry_of(config).extensions


def origin_of(config: Configurator) -> Origin:
    """Return who calls the directive that is being carried out."""
    info = config.action_info
    return Origin(registry_of(config).including, info.file or "", info.line or 0)


def register(
    config: Configurator,
    category: str,
    key: Any,
    value: Any,
    put: Callable[[], object],
    *,
    title: str | None = None,
    order: int = 0,
    unique: bool = True,
) -> None:
    """Have *put* called when the configuration is committed.

    :param category: of Pyramid's introspector; a plural, whose singular conflicts are told with.
    :param key: what two includes may not both claim.
    :param value: what the introspector shows.
    :param unique: whether two with the same key conflict.
    """
    shown = title or str(key)
    introspectable = config.introspectable(category, key, shown, singular(category))
    introspectable["value"] = value
    introspectable["origin"] = origin_of(config)
    discriminator = (category, key) if unique else None
    config.action(discriminator, put, introspectables=(introspectable,), order=order)


def singular(category: str) -> str:
    """Return what one of a category is called."""
    if category.startswith("branches"):
        return category.replace("branches", "branch", 1)
    return category.removeprefix("added ").removesuffix("s")


def checked_name(config: Configurator, what: str, name: str) -> str:
    """Return *name*, which is going to be part of addresses and outputs.

    :raises ConfigurationProblem: when it is not made of small letters, digits and hyphens.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationProblem(
            f"{name!r} cannot be the name of a {what}: small letters, digits and hyphens, at most "
            f"50: {origin_of(config)}."
        )
    return name


def absolute_spec(config: Configurator, spec: str) -> str:
    """Return an asset spec with its package, where it was given relative to the caller's."""
    package, path = resolve_asset_spec(spec, config.package_name)
    return path if package is None else f"{package}:{path}"


def existing_asset(config: Configurator, spec: str) -> str:
    """Return the same, for something that has to be there.

    :raises ConfigurationProblem: when there is no such file or folder.
    """
    found = absolute_spec(config, spec)
    try:
        exists = AssetResolver().resolve(found).exists()
    except ImportError:
        exists = False
    if not exists:
        raise ConfigurationProblem(f"There is no {found}: {origin_of(config)} asks for it.")
    return found
