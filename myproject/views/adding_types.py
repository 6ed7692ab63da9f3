"""Which types of content somebody may add at a place."""

from __future__ import annotations

from typing import Any

from myproject.content.registry import ContentType
from myproject.tree.node import Node


def addable_types(request: Any, node: Node) -> list[ContentType]:
    """Return the types that whoever asks may add below *node*, in the order of registration.

    A type says itself what it may be added to and what permission that takes. No statement.
    """
    allowed: dict[str, bool] = {}
    found = []
    for content_type in request.content_types:
        if content_type.addable_in is not None and node.type not in content_type.addable_in:
            continue
        permission = content_type.permission
        if permission not in allowed:
            allowed[permission] = bool(request.has_permission(permission, node))
        if allowed[permission]:
            found.append(content_type)
    return found
