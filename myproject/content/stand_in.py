"""What is shown in place of a node: one that says something else and stands where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from myproject.tree.node import Node

#: What it has in common with the node, besides the place above.
_SHARED = (
    *("id", "parent_id", "name", "position", "boundary_id", "type", "state"),
    *("draft_id", "stage", "publish_at", "expire_at", "created_at", "modified_at"),
)


def stand_in(node: Node, cls: type[Node], values: Mapping[str, Any]) -> Any:
    """Return a node that belongs to no session, so that nothing of it is ever written.

    :param cls: its class, not always that of *node*.
    :param values: field -> value, of everything that it says.
    """
    shown = cls(**values)
    for name in _SHARED:
        setattr(shown, name, getattr(node, name))
    # Looked up, it would be asked of a session that there is none of.
    set_committed_value(shown, "parent", node.parent)
    return shown
