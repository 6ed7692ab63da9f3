"""What add-ons forget and nothing else would tell: permissions of nobody, words, migrations."""

from __future__ import annotations

from collections.abc import Iterator

from myproject.cli.looking import declared
from myproject.content.columns import own_tables
from myproject.extend.configurator import SiteConfigurator
from myproject.extend.switching import describe
from myproject.interfaces import IContentTypes, IRoles
from myproject.registry import SiteRegistry, registry_of
from myproject.security.permissions import ADMINISTRATOR, CORE_ROLES
from myproject.tree.known import CORE


def omissions(configurator: SiteConfigurator) -> Iterator[str]:
    """Yield a sentence for each thing that is forgotten."""
    registry = registry_of(configurator)
    yield from _permissions_of_nobody(configurator, registry)
    yield from _undescribed(configurator, registry)
    yield from _types_without_tables(registry)


def _permissions_of_nobody(configurator: SiteConfigurator, registry: SiteRegistry) -> Iterator[str]:
    roles = registry.getUtility(IRoles)
    # Of those of the core two are the administrator's on purpose.
    had = {permission for role in CORE_ROLES for permission in role.permissions}
    had |= {p for name, role in roles.items() if name != ADMINISTRATOR for p in role.permissions}
    # An add-on that says so means it.
    for (name, *_), permissions, _addon in declared(configurator, "grants to roles"):
        had |= set(map(str, permissions)) if name == ADMINISTRATOR else set()
    whose = {key: addon for key, _, addon in declared(configurator, "added permissions")}
    for permission in roles.permissions:
        if permission not in had:
            of = f" of the add-on {whose[permission]}" if whose.get(permission) else ""
            yield (
                f"The permission {permission!r}{of} is given to no role but the administrator. "
                "Give it to one in myproject.roles."
            )


def _undescribed(configurator: SiteConfigurator, registry: SiteRegistry) -> Iterator[str]:
    for addon in registry.addons:
        description = describe(addon)
        if not (description.summary or description.problem):
            yield f"The add-on {addon.name} does not say what it is: it has no docstring."
    for key, setting, addon in declared(configurator, "settings"):
        if not setting.help.strip():
            yield f"The setting {key} of the add-on {addon} does not say what it is for."
        if not key.startswith("myproject."):
            yield f"The setting {key} of the add-on {addon} does not begin with myproject."


def _types_without_tables(registry: SiteRegistry) -> Iterator[str]:
    migrated = {branch.addon for branch in registry.extensions.branches.values()}
    for content_type in registry.getUtility(IContentTypes):
        own = [table.name for table in own_tables(content_type.cls) if CORE not in table.info]
        if own and content_type.addon and content_type.addon not in migrated:
            yield (
                f"The add-on {content_type.addon} has the table {', '.join(own)} and no "
                "migrations that make it: config.add_migrations is missing."
            )
