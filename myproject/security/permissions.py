"""What views and operations ask for, and the named sets of it that people are granted.

A permission is a short name. Those of the core are members of :class:`Permission`; add-ons add
theirs with ``config.add_permission``. A role is a named set of permissions;
``config.add_role``, ``config.grant`` and the setting ``myproject.roles`` add to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import ConfigurationProblem

_ = TranslationStringFactory("myproject")


class Permission(StrEnum):
    """What somebody may do at a node, or with the site as a whole (the last two)."""

    VIEW = "view"
    VIEW_DRAFTS = "view-drafts"
    ADD = "add"
    EDIT = "edit"
    MOVE = "move"
    DELETE = "delete"
    PUBLISH = "publish"
    SHARE = "share"
    MANAGE_USERS = "manage-users"
    MANAGE_SITE = "manage-site"


#: What everybody has who is signed in, and nobody else; no role gives it.
SIGNED_IN = "signed-in"

#: Permission -> what it lets one do, completing "may ...".
TITLES: Mapping[str, Any] = {
    Permission.VIEW: _("view"),
    Permission.VIEW_DRAFTS: _("view drafts"),
    Permission.ADD: _("add pages"),
    Permission.EDIT: _("edit"),
    Permission.MOVE: _("move"),
    Permission.DELETE: _("delete"),
    Permission.PUBLISH: _("publish"),
    Permission.SHARE: _("share"),
    Permission.MANAGE_USERS: _("manage users"),
    Permission.MANAGE_SITE: _("manage the site"),
}

#: The role that may do everything, whatever add-ons add, and that no place can shut out.
ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Role:
    """A named set of permissions.

    :ivar name: as it is stored with grants and written in settings.
    :ivar title: what a person calls it.
    :ivar permissions: what it lets one do.
    :ivar everywhere: whether a grant at the root holds even where inheriting is stopped, so that
        nobody can shut out those who answer for the site.
    """

    name: str
    title: Any
    permissions: frozenset[str]
    everywhere: bool = False


_READ = (Permission.VIEW,)
_WRITE = (*_READ, Permission.VIEW_DRAFTS, Permission.ADD, Permission.EDIT)
_ARRANGE = (*_WRITE, Permission.MOVE, Permission.DELETE)
_PUBLISH = (*_ARRANGE, Permission.PUBLISH)
_SHARE = (*_PUBLISH, Permission.SHARE)

#: From the weakest to the strongest; each may do what the one before it may.
CORE_ROLES = (
    Role("reader", _("Reader"), frozenset(_READ)),
    Role("author", _("Author"), frozenset(_WRITE)),
    Role("editor", _("Editor"), frozenset(_ARRANGE)),
    Role("publisher", _("Publisher"), frozenset(_PUBLISH)),
    Role("manager", _("Manager"), frozenset(_SHARE)),
    Role(ADMINISTRATOR, _("Administrator"), frozenset(Permission), everywhere=True),
)

_NAME = re.compile(r"[a-z][a-z0-9-]{0,49}")


class Roles(Mapping[str, Role]):
    """The roles and permissions of one application, by name and in order."""

    def __init__(self) -> None:
        self.permissions: dict[str, Any] = dict(TITLES)
        self._roles = {role.name: role for role in CORE_ROLES}

    def add_permission(self, name: str, title: Any) -> None:
        """Make a permission known; the administrator has it at once.

        :raises ConfigurationProblem: when the name is not one.
        """
        if not _NAME.fullmatch(name):
            raise ConfigurationProblem(_not_a_name("permission", name))
        self.permissions[name] = title
        self.grant(ADMINISTRATOR, [name])

    def add_role(self, name: str, title: Any, permissions: Iterable[str]) -> None:
        """Make a role known, before the administrator.

        :raises ConfigurationProblem: when the name is not one, or a permission is not known.
        """
        if not _NAME.fullmatch(name):
            raise ConfigurationProblem(_not_a_name("role", name))
        last = self._roles.pop(ADMINISTRATOR)
        self._roles[name] = Role(name, title, frozenset())
        self._roles[ADMINISTRATOR] = last
        self.grant(name, permissions)

    def grant(self, name: str, permissions: Iterable[str]) -> None:
        """Let a role do more.

        :raises ConfigurationProblem: when the role or a permission is not known.
        """
        if name not in self._roles:
            raise ConfigurationProblem(f"There is no role {name!r}. Known: {', '.join(self)}.")
        more = frozenset(map(str, permissions))
        if unknown := more - set(self.permissions):
            raise ConfigurationProblem(
                f"There is no permission {', '.join(sorted(unknown))}. "
                f"Known: {', '.join(self.permissions)}."
            )
        role = self._roles[name]
        self._roles[name] = replace(role, permissions=role.permissions | more)

    def title_of(self, permission: str) -> Any:
        """Return what a permission lets one do, in words."""
        return self.permissions.get(permission, permission)

    def extend(self, declared: Mapping[str, Iterable[str]]) -> None:
        """Add what the setting ``myproject.roles`` says: known roles get more, others are new.

        :raises ConfigurationProblem: naming the setting.
        """
        for name, permissions in declared.items():
            try:
                if name in self._roles:
                    self.grant(name, permissions)
                else:
                    self.add_role(name, name.replace("-", " ").capitalize(), permissions)
            except ConfigurationProblem as problem:
                raise ConfigurationProblem(f"myproject.roles: {problem}") from problem

    def __getitem__(self, name: str) -> Role:
        return self._roles[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)


def _not_a_name(kind: str, name: str) -> str:
    return f"{name!r} cannot be the name of a {kind}: use small letters, digits and hyphens."
