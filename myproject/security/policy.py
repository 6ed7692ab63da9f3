"""The security policy: one place that answers "may this request do that here?", with the reason."""

from __future__ import annotations

from typing import Any

from pyramid.interfaces import ISecurityPolicy
from pyramid.security import Allowed, Denied
from zope.interface import implementer

from myproject.security.permissions import Permission
from myproject.tree.node import PUBLISHED, Node


@implementer(ISecurityPolicy)
class SecurityPolicy:
    """Everyone may read what is published; nobody may do anything else over the web.

    A draft hides everything below it, because readers could not walk there. The lineage is loaded
    with the context, so a check asks the database nothing.
    """

    def identity(self, request: Any) -> None:
        """Return who is asking: there are no accounts."""

    def authenticated_userid(self, request: Any) -> None:
        """Return the id of who is asking: there are no accounts."""

    def permits(self, request: Any, context: Any, permission: str) -> Allowed | Denied:
        """Return an ``Allowed`` or ``Denied`` that says why."""
        if permission != Permission.VIEW:
            return Denied(f"nobody has the permission {permission!r}")
        place = context if isinstance(context, Node) else None
        while place is not None:
            if place.state != PUBLISHED:
                return Denied(f"{place.title!r} is a {place.state}")
            place = place.parent
        return Allowed("everyone may view what is published")

    def remember(self, request: Any, userid: str, **kw: Any) -> list[tuple[str, str]]:
        """Return no headers: there is nothing to remember."""
        return []

    def forget(self, request: Any, **kw: Any) -> list[tuple[str, str]]:
        """Return no headers: there is nothing to forget."""
        return []
