"""The config directives: the contract between the core and its add-ons.

``config.include("myproject.extend")`` makes them available; the application has done so before an
add-on's ``includeme`` runs. Directives are deferred, conflict-aware and introspectable, but for
settings, whose values an ``includeme`` needs at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyramid.config import PHASE1_CONFIG, PHASE2_CONFIG, Configurator

from myproject.content.registry import ContentType, ContentTypes
from myproject.declarations import Setting
from myproject.interfaces import IContentTypes, IRoles
from myproject.registry import registry_of
from myproject.tree.node import Node

#: Category under which content types are found in Pyramid's introspector.
CONTENT_TYPES = "content types"
#: The same for permissions and roles that add-ons add.
PERMISSIONS = "permissions of add-ons"
ROLES = "roles of add-ons"


def add_content_type(
    config: Configurator,
    cls: type[Node],
    title: str,
    *,
    description: str = "",
    addable_in: Iterable[str] | None = None,
    permission: str = "add",
) -> None:
    """Register a content type.

    Example::

        config.add_content_type(Product, "Product", addable_in=["folder"])

    :param cls: a mapped class below :class:`myproject.content.types.Content`; its polymorphic
        identity is the type's name.
    :param title: what a person calls it; a translation string where it is translated.
    :param description: one sentence for somebody who chooses among types.
    :param addable_in: names of the types it may be added to; everywhere when left out.
    :param permission: what adding one takes.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    """
    content_type = ContentType(
        name=str(cls.__mapper__.polymorphic_identity),
        cls=cls,
        title=title,
        description=description,
        addable_in=None if addable_in is None else frozenset(addable_in),
        permission=permission,
    )

    def register() -> None:
        registry_of(config).getUtility(IContentTypes).add(content_type)

    introspectable = config.introspectable(
        CONTENT_TYPES, content_type.name, content_type.name, "content type"
    )
    introspectable["content_type"] = content_type
    config.action(
        ("myproject content type", content_type.name), register, introspectables=(introspectable,)
    )


def declare_permission(config: Configurator, name: str, title: str) -> None:
    """Make a permission known. The administrator has it; other roles get it with ``grant``.

    Example::

        config.declare_permission("moderate", "moderate comments")
        config.grant("editor", "moderate")

    :param name: small letters, digits and hyphens.
    :param title: what it lets one do, completing "may ..."; a translation string where it is
        translated.
    :raises pyramid.exceptions.ConfigurationConflictError: when two includes claim one name.
    :raises myproject.exceptions.ConfigurationProblem: when the name cannot be one.
    """
    introspectable = config.introspectable(PERMISSIONS, name, name, "permission")
    introspectable["title"] = title
    config.action(
        ("myproject permission", name),
        lambda: _roles(config).add_permission(name, title),
        introspectables=(introspectable,),
        order=PHASE1_CONFIG,
    )


def add_role(config: Configurator, name: str, title: str, permissions: Iterable[str]) -> None:
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
    introspectable = config.introspectable(ROLES, name, name, "role")
    introspectable["title"], introspectable["permissions"] = title, given
    config.action(
        ("myproject role", name),
        lambda: _roles(config).add_role(name, title, given),
        introspectables=(introspectable,),
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
    config.action(None, lambda: _roles(config).grant(role, permissions), order=PHASE2_CONFIG + 1)


def _roles(config: Configurator) -> Any:
    return registry_of(config).getUtility(IRoles)


def declare_setting(config: Configurator, setting: Setting) -> Any:
    """Declare a setting of an add-on and return its value at once.

    Example::

        size = config.declare_setting(
            Setting("myproject.gallery.size", int, 12, "How many pictures a page shows.")
        )

    :raises myproject.settings.SettingsError: when the value is wrong or the key is taken.
    """
    owner = getattr(config.package, "__name__", "an add-on")
    value = registry_of(config).declared_settings.declare(setting, owner)
    config.add_settings({setting.key: value})
    return value


def includeme(config: Configurator) -> None:
    """Make the directives available."""
    registry_of(config).registerUtility(ContentTypes(), IContentTypes)
    config.add_directive("add_content_type", add_content_type)
    config.add_directive("declare_permission", declare_permission)
    config.add_directive("add_role", add_role)
    config.add_directive("grant", grant)
    config.add_directive("declare_setting", declare_setting)
