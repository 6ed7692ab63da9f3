"""Nodes by their numbers, with all that lies above them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from myproject.tree.node import Node
from myproject.tree.urls import climb

#: What says which version of a node there is, and what may be done with it.
_STANDING = (
    "state",
    "stage",
    "draft_id",
    "publish_at",
    "expire_at",
    "modified_at",
    "boundary_id",
)


def load_with_lineage(session: Session, ids: Iterable[int]) -> dict[int, Node]:
    """Return id -> node of those that are there, in the order of *ids*; one statement.

    All places above them are loaded, too, so that permissions and addresses take no further
    statement. What they may be shown to is not asked here.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    up = climb(select(Node.id).where(Node.id.in_(wanted)))
    query = select(Node).where(or_(Node.id.in_(wanted), Node.id.in_(select(up.c.parent_id))))
    found = {node.id: node for node in session.scalars(query)}
    for node in found.values():
        parent = None if node.parent_id is None else found.get(node.parent_id)
        set_committed_value(node, "parent", parent)
    return {number: found[number] for number in wanted if number in found}


def lock_nodes(session: Session, nodes: Iterable[Node]) -> list[Node]:
    """Have nobody else change nodes until this commits, and see where they stand by now.

    One statement. Those that are gone meanwhile are left out.
    """
    known = {node.id: node for node in nodes}
    table = Node.__table__
    query = (
        select(table.c.id, *(table.c[name] for name in _STANDING))
        .where(table.c.id.in_(list(known)))
        # In one order, so that two never wait for each other.
        .order_by(table.c.id)
        # FOR NO KEY UPDATE: pages may still be added below them.
        .with_for_update(key_share=True)
    )
    there = {row.id: row for row in session.execute(query)}
    for node_id, row in there.items():
        for name in _STANDING:
            set_committed_value(known[node_id], name, row._mapping[name])
    return [node for node_id, node in known.items() if node_id in there]


def ids_above(node: Node) -> list[int]:
    """Return the ids of the places above *node*, whose lineage is loaded, the nearest first."""
    ids = []
    place = node.parent
    while place is not None:
        ids.append(place.id)
        place = place.parent
    return ids
