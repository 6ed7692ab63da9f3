"""Directives about who may do what: permissions, roles, grants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyramid.config import PHASE1_CONFIG, PHASE2_CONFIG, Configurator

from myproject.extend.registering import register
from myproject.interfaces import IRoles
from myproject.registry import registry_of


def add_permission(config: Configurator, name: str, title: Any) -> None:
    """Make a permission known. The administrator has it; other roles get it with ``grant``.

    Example::

        config.add_permission("moderate", "moderate comments")
        config.grant("editor", "moderate")

    :param name: small letters, digits and hyphens.
    :param title: what it lets one do, completing "may ..."; a translation string where it is
        translated.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when the name cannot be one.
    """
    register(
        config,
        "added permissions",
        name,
        title,
        lambda: _roles(config).add_permission(name, title),
        order=PHASE1_CONFIG,
    )


def add_role(config: Configurator, name: str, title: Any, permissions: Iterable[str]) -> None:
    """Make a role known, for people to be granted.

    Example::

        config.add_role("moderator", "Moderator", ["view", "moderate"])

    :param name: as it is stored with grants: small letters, digits and hyphens.
    :param title: what a person calls it.
    :param permissions: what it lets one do.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when a name is not one, or not known.
    """
    given = tuple(permissions)
    register(
        config,
        "added roles",
        name,
        (title, given),
        lambda: _roles(config).add_role(name, title, given),
        order=PHASE2_CONFIG,
    )


def grant(config: Configurator, role: str, *permissions: str) -> None:
    """Let a role do more than it could.

    Example::

        config.grant("editor", "moderate")

    :param role: name of a role of the core or of an add-on.
    :param permissions: of the core or of an add-on.
    :raises myproject.exceptions.ConfigurationProblem: when a name is not known.
    """
    register(
        config,
        "grants to roles",
        (role, *permissions),
        permissions,
        lambda: _roles(config).grant(role, permissions),
        title=role,
        order=PHASE2_CONFIG + 1,
        unique=False,
    )


def _roles(config: Configurator) -> Any:
    return registry_of(config).getUtility(IRoles)
