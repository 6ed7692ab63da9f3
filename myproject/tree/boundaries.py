"""Permission boundaries: where in the tree what somebody may do can change.

A boundary is a node that has grants of its own or stops inheriting those from above. Each node
carries the id of its nearest boundary (itself included), so that a whole list is filtered in SQL
by one column. What is granted to whom is not known here; see ``security``.

Everything here is set-based: however large a section is, it takes one UPDATE.
"""

from __future__ import annotations

from sqlalchemy import (
    CTE,
    ForeignKey,
    Select,
    bindparam,
    case,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, Id
from myproject.db.transaction import mark_changed
from myproject.tree.copying import descend
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.site import count_access_revision


class Boundary(Base):
    """A row for each node that is a boundary; the root always is one."""

    __tablename__ = "boundary"

    node_id: Mapped[int] = mapped_column(
        Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: Whether grants from above hold here, too.
    inherits: Mapped[bool] = mapped_column(default=True)


def lock_boundaries(session: Session) -> None:
    """Wait for everybody who adds or moves nodes, and have them wait until this commits.

    Somebody who adds a page takes over its parent's boundary. Were that drawn anew at the same
    time, neither would see the other's row. SQLite's write lock does so by itself.
    """
    session.execute(_root().with_for_update())


def share_boundaries(session: Session) -> None:
    """Keep boundaries as they are until this commits; many may do so at once."""
    session.execute(_root().with_for_update(read=True, key_share=True))


def _root() -> Select[int]:
    table = Node.__table__
    return select(table.c.id).where(table.c.id == ROOT_ID)


def boundary_of(session: Session, node_id: int | None) -> int:
    """Return the boundary that holds at a node, read afresh; at no node, the root's."""
    table = Node.__table__
    query = select(table.c.boundary_id).where(table.c.id == node_id)
    return session.connection().scalar(query) or ROOT_ID


def within(node_id: int, boundary_id: int) -> CTE:
    """Return a recursive query, column ``id``: a node and what lies below in the same boundary."""
    node = Node.__table__
    inside = (
        select(node.c.id)
        .where(node.c.id == node_id, node.c.boundary_id == boundary_id)
        .cte("inside", recursive=True)
    )
    return inside.union_all(
        select(node.c.id).join_from(
            inside, node, (node.c.parent_id == inside.c.id) & (node.c.boundary_id == boundary_id)
        )
    )


def draw(session: Session, node: Node) -> None:
    """Make *node* a boundary; one UPDATE, none if it is one already."""
    lock_boundaries(session)
    old = boundary_of(session, node.id)
    if old == node.id:
        return
    session.execute(insert(Boundary).values(node_id=node.id, inherits=True))
    _give(session, node.id, old, node.id)
    count_access_revision(session)


def erase(session: Session, node: Node) -> None:
    """Have *node* be a boundary no longer; one UPDATE. The root stays one."""
    if node.is_root:
        return
    lock_boundaries(session)
    session.execute(delete(Boundary).where(Boundary.node_id == node.id))
    _give(session, node.id, node.id, boundary_of(session, node.parent_id))
    count_access_revision(session)


def carry(session: Session, node_id: int, old: int, new: int) -> None:
    """Let a section that was moved from within boundary *old* belong to *new*."""
    if old == new:
        if _is_near_a_boundary(session, node_id):
            # Which boundaries there are around a place is kept in memory, too.
            count_access_revision(session)
        return
    lock_boundaries(session)
    # A boundary keeps its own number, but what it inherits is another now.
    _give(session, node_id, old, new)
    count_access_revision(session)


def _is_near_a_boundary(session: Session, node_id: int) -> bool:
    """Whether a node or a child of it is a boundary."""
    node = Node.__table__
    near = (node.c.id == node_id) | (node.c.parent_id == node_id)
    query = select(Boundary.node_id).join(node, node.c.id == Boundary.node_id).where(near)
    return session.connection().scalar(query.limit(1)) is not None


def _give(session: Session, node_id: int, old: int, new: int) -> None:
    """Give *new* to the nodes from *node_id* down that belong to *old*."""
    table = Node.__table__
    # Nothing that waits to be written may overwrite this later.
    session.flush()
    inside = within(node_id, old)
    session.connection().execute(
        update(table).where(table.c.id.in_(select(inside.c.id))).values(boundary_id=new)
    )
    mark_changed(session)
    for item in session.identity_map.values():
        # Looked up without loading: what is expired already needs nothing, and may be gone.
        if isinstance(item, Node) and item.__dict__.get("boundary_id") == old:
            session.expire(item, ["boundary_id"])


def copy_boundaries(session: Session, source_id: int, copies: dict[int, int]) -> None:
    """Have copies of a section be boundaries where their originals are; their nodes say so already.

    :param source_id: the top of the original section.
    :param copies: id of each original -> id of its copy.
    """
    section = descend(source_id)
    rows = session.execute(
        select(Boundary.node_id, Boundary.inherits).join_from(
            section, Boundary, Boundary.node_id == section.c.id
        )
    )
    # The copy may lie inside its original, whose section is then larger than what was copied.
    values = [
        {"node_id": copies[node_id], "inherits": inherits}
        for node_id, inherits in rows
        if node_id in copies
    ]
    if values:
        session.execute(insert(Boundary), values)
        count_access_revision(session)


def _expected() -> CTE:
    """Return a recursive query: ``id``, and ``expected``, the boundary that should hold there."""
    node, boundary = Node.__table__, Boundary.__table__
    walk = (
        select(node.c.id, literal(ROOT_ID, Id).label("expected"))
        .where(node.c.id == ROOT_ID)
        .cte("walk", recursive=True)
    )
    own = case((boundary.c.node_id.is_not(None), node.c.id), else_=walk.c.expected)
    return walk.union_all(
        select(node.c.id, own)
        .join_from(walk, node, node.c.parent_id == walk.c.id)
        .outerjoin(boundary, boundary.c.node_id == node.c.id)
    )


def misplaced(session: Session) -> list[tuple[int, int, int]]:
    """Return ``(id, boundary, boundary that it should have)`` of every node that is wrong."""
    walk, node = _expected(), Node.__table__
    query = (
        select(node.c.id, node.c.boundary_id, walk.c.expected)
        .join_from(walk, node, node.c.id == walk.c.id)
        .where(node.c.boundary_id != walk.c.expected)
        .order_by(node.c.id)
    )
    return [(row[0], row[1], row[2]) for row in session.connection().execute(query)]


def repair(session: Session) -> int:
    """Put every node into its boundary; return how many were in a wrong one."""
    lock_boundaries(session)
    if session.get(Boundary, ROOT_ID) is None:
        session.execute(insert(Boundary).values(node_id=ROOT_ID, inherits=True))
    wrong = misplaced(session)
    if wrong:
        table = Node.__table__
        session.connection().execute(
            update(table)
            .where(table.c.id == bindparam("node"))
            .values(boundary_id=bindparam("expected")),
            [{"node": node_id, "expected": expected} for node_id, _, expected in wrong],
        )
        session.expire_all()
        count_access_revision(session)
        mark_changed(session)
    return len(wrong)
