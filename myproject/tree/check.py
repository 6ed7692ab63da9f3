"""Looking for what must not be: the invariants of the tree, verified in the database."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from myproject.tree.boundaries import Boundary, misplaced
from myproject.tree.copying import descend
from myproject.tree.history import unplaced
from myproject.tree.names import MAX_DEPTH, normalize, problem_with
from myproject.tree.node import ROOT_ID, TRASHED, Node
from myproject.tree.site import Site
from myproject.tree.trash import Trashed, hidden_name


def check_tree(session: Session) -> Iterator[str]:
    """Yield a sentence for each violated invariant.

    One root; every node reachable from it (so no cycle) within the depth an address may have;
    names that can be segments; every node in its boundary; nodes that the trash knows, and no
    others, in the trash; a history that ends with where each node stands; the row of the site.
    """
    node = Node.__table__
    if session.get(Node, ROOT_ID) is None:
        yield "There is no root. Run: myproject init"
        return
    roots = session.scalars(select(node.c.id).where(node.c.parent_id.is_(None))).all()
    if len(roots) != 1:
        yield f"There are {len(roots)} roots: {', '.join(map(str, roots))}."
    if session.scalar(select(func.count()).select_from(Site)) != 1:
        yield "The table site must have exactly one row."
    yield from _unreachable(session)
    yield from _lost_in_the_trash(session)
    for node_id, name in session.execute(
        select(node.c.id, node.c.name).where(node.c.id != ROOT_ID, node.c.state != TRASHED)
    ):
        reason = problem_with(name)
        if reason is None and normalize(name) != name:
            reason = "is not in Unicode's composed form (NFC)"
        if reason:
            yield f"Node {node_id}: the name {name!r} is impossible: it {reason}."
    for node_id in unplaced(session):
        yield (
            f"Node {node_id} stands where its history does not know it. "
            "Run: myproject tree check --repair"
        )
    if session.get(Boundary, ROOT_ID) is None:
        yield "The root is not a boundary of permissions, so nobody may do anything."
    for node_id, present, expected in misplaced(session):
        yield (
            f"Node {node_id} has the permissions of node {present} instead of node {expected}. "
            "Run: myproject tree check --repair"
        )


def _unreachable(session: Session) -> Iterator[str]:
    down, node = descend(ROOT_ID), Node.__table__
    depth = {row.id: row.depth for row in session.execute(select(down.c.id, down.c.depth))}
    for node_id in session.scalars(select(node.c.id).order_by(node.c.id)):
        if node_id not in depth:
            yield f"Node {node_id} cannot be reached from the root."
        elif depth[node_id] > MAX_DEPTH:
            yield f"Node {node_id} lies {depth[node_id]} levels deep; addresses end at {MAX_DEPTH}."


def _lost_in_the_trash(session: Session) -> Iterator[str]:
    node, trash = Node.__table__, Trashed.__table__
    query = (
        select(node.c.id, node.c.name, node.c.state, trash.c.node_id)
        .join_from(node, trash, trash.c.node_id == node.c.id, isouter=True)
        .where(or_(node.c.state == TRASHED, trash.c.node_id.is_not(None)))
        .order_by(node.c.id)
    )
    for row in session.execute(query):
        if row.node_id is None:
            yield f"Node {row.id} is hidden as if in the trash, but the trash does not know it."
        elif row.state != TRASHED or row.name != hidden_name(row.id):
            yield f"Node {row.id} lies in the trash, but its state or its name does not say so."
