"""Nodes by their numbers, with all that lies above them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from myproject.tree.node import Node
from myproject.tree.urls import climb


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


def ids_above(node: Node) -> list[int]:
    """Return the ids of the places above *node*, whose lineage is loaded, the nearest first."""
    ids = []
    place = node.parent
    while place is not None:
        ids.append(place.id)
        place = place.parent
    return ids
