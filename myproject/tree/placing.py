"""Finding a place for a node: a name that may be used, a position, a depth that addresses allow;
and the locks that keep it a good place until the transaction ends.

The operations on the tree are made of this; nothing here is an operation itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import Select, bindparam, func, select, tuple_, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from myproject.db.base import Id
from myproject.exceptions import InTrash, NameTaken, NodeGone, NotASibling, TooDeep, TreeError
from myproject.tree.boundaries import boundary_of, share_boundaries
from myproject.tree.copying import descend
from myproject.tree.history import keep_places
from myproject.tree.names import MAX_DEPTH, check_name
from myproject.tree.node import ROOT_ID, TRASHED, Node
from myproject.tree.urls import climb

#: Distance between neighbours, so that a page put between two others writes only its own row.
POSITION_GAP = 1 << 16

#: From this depth on a section is measured before it is moved there. Measuring reads all of it,
#: and one that tall is only ever made on purpose; a check of the tree names what is too deep.
DEEP = MAX_DEPTH // 2


class Placing:
    """Finds places within one session's transaction.

    :param session: a writing session.
    :param reserved: names that routes have taken; refused for children of the root.
    """

    def __init__(self, session: Session, reserved: frozenset[str]) -> None:
        self.session = session
        self.reserved = reserved

    def _name(self, parent: Node, name: str) -> str:
        return check_name(name, self.reserved if parent.is_root else frozenset())

    def _parent(self, node: Node) -> Node:
        if node.parent is None:
            raise NodeGone(node.title)
        return node.parent

    def _inherited_boundary(self, parent_id: int) -> int:
        """Return the boundary of what is put below a node; it stays so until this commits."""
        share_boundaries(self.session)
        return boundary_of(self.session, parent_id)

    def _lock(self) -> None:
        """Let one structural move at a time go on; SQLite's write lock does so by itself."""
        self.session.execute(
            select(Node.__table__.c.id)
            .where(Node.__table__.c.id == ROOT_ID)
            # FOR NO KEY UPDATE: pages may still be added meanwhile.
            .with_for_update(key_share=True)
        )

    def _reload(self, node: Node, *columns: str, lock: bool = False) -> None:
        """Read *node* again: another transaction may have moved or deleted it meanwhile."""
        title = node.__dict__.get("title", "")
        try:
            self.session.refresh(node, columns or None, with_for_update=lock or None)
        except InvalidRequestError as error:
            raise NodeGone(title) from error

    @staticmethod
    def _check_kept(node: Node) -> None:
        if node.state == TRASHED:
            raise InTrash(node.title)

    def _check_depth(self, parent: Node, section: Node | None = None) -> list[int]:
        """Return the ids from the parent up to the root, read afresh.

        :param section: what is to stand below the parent, with everything below it; a node
            without children when left out.
        :raises TooDeep, InTrash:
        """
        up = way_up(self.session, parent.id)
        if TRASHED in up.values():
            raise InTrash(parent.title)
        ids = list(up)
        height = 0
        if section is not None and len(ids) > DEEP:
            height = height_of(self.session, section.id)
        if len(ids) + height > MAX_DEPTH:
            raise TooDeep(MAX_DEPTH)
        return ids

    @staticmethod
    def _check_sibling(parent_id: int, before: Node | None) -> None:
        if before is not None and before.parent_id != parent_id:
            raise NotASibling(before.title)

    def _position(self, parent_id: int, before: Node | None, moving: Node | None = None) -> int:
        """Return a free position at the end, or just before a sibling."""
        self._check_sibling(parent_id, before)
        node = Node.__table__
        siblings = node.c.parent_id == parent_id
        if moving is not None:
            siblings &= node.c.id != moving.id
        last = select(func.max(node.c.position)).where(siblings)
        if before is None:
            end = self.session.scalar(last)
            return 0 if end is None else end + POSITION_GAP
        in_front = last.where(
            tuple_(node.c.position, node.c.id) < tuple_(before.position, before.id)
        )
        previous = self.session.scalar(in_front)
        if previous is None:
            return before.position - POSITION_GAP
        if before.position - previous < 2:
            self._spread(parent_id)
            return self._position(parent_id, before, moving)
        return (previous + before.position) // 2

    def _positions(self, parent_id: int) -> Iterator[int]:
        """Yield positions at the end, one after the other."""
        return count(self._position(parent_id, None), POSITION_GAP)

    def _spread(self, parent_id: int) -> None:
        """Renumber the children of a node, when there is no room left between two of them."""
        node = Node.__table__
        rank = func.row_number().over(order_by=(node.c.position, node.c.id))
        ranked = (
            select(node.c.id, (rank * POSITION_GAP).label("position"))
            .where(node.c.parent_id == parent_id)
            .subquery()
        )
        self.session.connection().execute(
            update(node).where(node.c.id == ranked.c.id).values(position=ranked.c.position)
        )
        keep_places(self.session, node.c.parent_id == parent_id)
        _expire_positions(self.session, parent_id)

    def _unique_name(self, parent: Node, *names: str) -> _UniqueName:
        return _UniqueName(self.session, parent, names)


class _UniqueName:
    """A savepoint around a write whose name another transaction may have taken just now."""

    def __init__(self, session: Session, parent: Node, names: tuple[str, ...]) -> None:
        self.session = session
        # Read now: after a rollback to the savepoint the parent's attributes are expired.
        self.parent_id, self.parent_title = parent.id, parent.title
        self.names = names

    def __enter__(self) -> None:
        self.session.flush()
        self.savepoint = self.session.begin_nested()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            self.savepoint.commit()
            return
        self.savepoint.rollback()
        # The siblings may have been renumbered within the savepoint.
        _expire_positions(self.session, self.parent_id)
        if isinstance(error, StaleDataError):
            raise NodeGone(self.names[0]) from error
        if isinstance(error, IntegrityError) and (reason := self._explain()):
            raise reason from error

    def _explain(self) -> TreeError | None:
        node = Node.__table__
        taken = self.session.scalar(
            select(node.c.name).where(
                node.c.parent_id == self.parent_id, node.c.name.in_(self.names)
            )
        )
        if taken is not None:
            return NameTaken(taken, self.parent_title)
        if len(set(self.names)) < len(self.names):
            return NameTaken(
                next(name for name in self.names if self.names.count(name) > 1), self.parent_title
            )
        exists = self.session.scalar(select(node.c.id).where(node.c.id == self.parent_id))
        return NodeGone(self.parent_title) if exists is None else None


def _expire_positions(session: Session, parent_id: int) -> None:
    for item in session.identity_map.values():
        # Looked up without loading: what is expired already needs nothing, and may be gone.
        if isinstance(item, Node) and item.__dict__.get("parent_id") == parent_id:
            session.expire(item, ["position"])


def way_up(session: Session, node_id: int) -> dict[int, str]:
    """Return id -> state from *node_id* up to the root, itself included; one statement.

    A node that is not there has no state, but is named all the same.
    """
    rows = session.connection().execute(_way_up_query(), {"node": node_id})
    found, place = {node_id: ""}, node_id
    for parent_id, state in rows:
        found[place] = state
        if parent_id is not None:
            place = parent_id
            found[place] = ""
    return found


@cache
def _way_up_query() -> Select[*tuple[Any, ...]]:
    up = climb(select(Node.id).where(Node.id == bindparam("node", type_=Id)))
    return select(up.c.parent_id, up.c.state).order_by(up.c.height)


def height_of(session: Session, node_id: int) -> int:
    """Return how many levels lie below a node; one statement."""
    return session.connection().scalar(select(func.max(descend(node_id).c.depth))) or 0
