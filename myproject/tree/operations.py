"""The operations: the only code that writes structure.

They take explicit arguments and no request. Each validates, writes as few rows as can be (one for
a rename, a move, a reorder or a way to the trash, whatever hangs below; one more where there is an
old address that has to lead to the new one, and where a move changes who may do what, one more
UPDATE), and then tells what happened. The database's constraints decide about names; moves hold a
lock on the root row, so that two at once can never make a cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from myproject.db.transaction import manager_of, mark_changed
from myproject.exceptions import (
    InTrash,
    MoveIntoItself,
    NameTaken,
    NodeGone,
    NotASibling,
    NotInTrash,
    RootIsFixed,
    TooDeep,
    TreeError,
)
from myproject.tree.actor import COMMAND_LINE, Actor
from myproject.tree.boundaries import boundary_of, carry, copy_boundaries, share_boundaries
from myproject.tree.copying import copy_section, descend
from myproject.tree.events import (
    Committed,
    NodeAdded,
    NodeCopied,
    NodeDeleted,
    NodeEvent,
    NodeMoved,
    NodeRenamed,
    NodeReordered,
    NodeRestored,
    NodeStateChanged,
    NodeTrashed,
)
from myproject.tree.history import (
    begin_places,
    keep_place,
    keep_places,
    keep_places_of,
)
from myproject.tree.names import MAX_DEPTH, check_name, name_from_title
from myproject.tree.node import ROOT_ID, TRASHED, Node
from myproject.tree.placement import Placement
from myproject.tree.redirects import arrive, hand_up, leave
from myproject.tree.trash import Trashed, hidden_name
from myproject.tree.urls import climb

#: Distance between neighbours, so that a page put between two others writes only its own row.
POSITION_GAP = 1 << 16

#: From this depth on a section is measured before it is moved there. Measuring reads all of it,
#: and one that tall is only ever made on purpose; a check of the tree names what is too deep.
DEEP = MAX_DEPTH // 2

Notify = Callable[[object], object]


class Tree:
    """Writes structure within one session's transaction.

    :param session: a writing session.
    :param notify: called with each event, in the transaction and, wrapped in ``Committed``, after
        the commit; what it raises in the transaction vetoes the operation.
    :param reserved: names that routes have taken; refused for children of the root.
    :param actor: on whose behalf, for what is kept of it.
    """

    def __init__(
        self,
        session: Session,
        *,
        notify: Notify | None = None,
        reserved: frozenset[str] = frozenset(),
        actor: Actor = COMMAND_LINE,
    ) -> None:
        self.session = session
        self._listener = notify
        self.reserved = reserved
        self.actor = actor

    def add(
        self,
        parent: Node,
        node: Node,
        name: str | None = None,
        *,
        before: Node | None = None,
    ) -> Node:
        """Put a new *node* below *parent*.

        :param name: made from the title when left out.
        :param before: the sibling to stand before; at the end when left out.
        :raises InvalidName, NameTaken, TooDeep, NodeGone, InTrash: and nothing has been added.
        """
        self._check_depth(parent)
        node.parent_id = parent.id
        node.boundary_id = self._inherited_boundary(parent.id)
        node.name = self._name(parent, name_from_title(node.title) if name is None else name)
        with self._unique_name(parent, node.name):
            node.position = self._position(parent.id, before)
            self.session.add(node)
            self.session.flush()
        set_committed_value(node, "parent", parent)
        begin_places(self.session, [node])
        self.tell(NodeAdded(node.id, node))
        return node

    def add_many(self, parent: Node, nodes: Iterable[Node]) -> None:
        """Put named new *nodes* below *parent*, in order, after the children that are there.

        The same as :meth:`add` one by one, but their place is looked up once for all.
        """
        added = list(nodes)
        if not added:
            return
        self._check_depth(parent)
        boundary_id = self._inherited_boundary(parent.id)
        position = self._position(parent.id, None)
        for node in added:
            node.parent_id = parent.id
            node.boundary_id = boundary_id
            node.name = self._name(parent, node.name)
            node.position = position
            position += POSITION_GAP
        with self._unique_name(parent, *(node.name for node in added)):
            self.session.add_all(added)
            self.session.flush()
        begin_places(self.session, added)
        for node in added:
            set_committed_value(node, "parent", parent)
            self.tell(NodeAdded(node.id, node))

    def rename(self, node: Node, name: str) -> Node:
        """Give *node* another name; everything below follows.

        :raises InvalidName, NameTaken, RootIsFixed, NodeGone, InTrash:
        """
        if node.is_root:
            raise RootIsFixed("renamed")
        self._check_kept(node)
        parent = self._parent(node)
        old_name, name = node.name, self._name(parent, name)
        if name == old_name:
            return node
        with self._unique_name(parent, name):
            self._leave(parent.id, old_name, node)
            node.name = name
            self.session.flush()
        arrive(self.session, parent.id, name, node.id)
        keep_place(self.session, node)
        self.tell(NodeRenamed(node.id, node, old_name))
        return node

    def move(
        self,
        node: Node,
        parent: Node,
        name: str | None = None,
        *,
        before: Node | None = None,
    ) -> Node:
        """Put *node*, with everything below, under another *parent*.

        :param name: a new name; the present one when left out.
        :param before: the new sibling to stand before; at the end when left out.
        :raises MoveIntoItself, NameTaken, InvalidName, RootIsFixed, TooDeep, NodeGone, InTrash:
        """
        if node.is_root:
            raise RootIsFixed("moved")
        self._lock()
        self._reload(node, "parent_id", "name", "position", "boundary_id", "state")
        self._check_kept(node)
        if node.id in self._check_depth(parent, node):
            raise MoveIntoItself(node.title)
        if parent.id == node.parent_id:
            self._check_sibling(parent.id, before, node)
            if name is not None:
                self.rename(node, name)
            return self.reorder(node, before)
        old_parent_id, old_name = node.parent_id or ROOT_ID, node.name
        self._put_below(node, parent, node.name if name is None else name, before)
        keep_place(self.session, node)
        self.tell(NodeMoved(node.id, node, old_parent_id, old_name))
        return node

    def _put_below(self, node: Node, parent: Node, name: str, before: Node | None) -> None:
        """Give *node* another parent, and with everything below the permissions that hold there."""
        old_boundary = boundary_of(self.session, node.parent_id)
        name = self._name(parent, name)
        with self._unique_name(parent, name):
            if node.state != TRASHED:
                self._leave(node.parent_id or ROOT_ID, node.name, node)
            node.position = self._position(parent.id, before, node)
            node.parent_id = parent.id
            node.name = name
            self.session.flush()
        arrive(self.session, parent.id, name, node.id)
        carry(self.session, node.id, old_boundary, boundary_of(self.session, parent.id))
        set_committed_value(node, "parent", parent)

    def copy(
        self,
        node: Node,
        parent: Node,
        name: str | None = None,
        *,
        before: Node | None = None,
    ) -> Node:
        """Copy *node*, with everything below, under *parent*, and return the copy.

        What lies in the trash is not copied.

        :param name: the copy's name; the original's when left out.
        :raises NameTaken, InvalidName, RootIsFixed, TooDeep, NodeGone, InTrash, NotAddable: the
            last when something below belongs to a type whose add-on is not installed.
        """
        if node.is_root:
            raise RootIsFixed("copied")
        self._lock()
        self._reload(node, "name", "state")
        self._check_kept(node)
        self._check_depth(parent, node)
        name = self._name(parent, node.name if name is None else name)
        with self._unique_name(parent, name):
            position = self._position(parent.id, before)
            placed = {"parent_id": parent.id, "name": name, "position": position}
            placed["boundary_id"] = self._inherited_boundary(parent.id)
            copies = copy_section(self.session, node.id, placed)
            copy_boundaries(self.session, node.id, copies)
        keep_places_of(self.session, copies.values())
        copied = self.session.get_one(Node, copies[node.id])
        set_committed_value(copied, "parent", parent)
        self.tell(NodeCopied(copied.id, copied, node.id, copies))
        return copied

    def reorder(self, node: Node, before: Node | None = None) -> Node:
        """Put *node* before a sibling, or last when *before* is left out. Writes one row.

        :raises NotASibling, RootIsFixed, NodeGone, InTrash:
        """
        if node.is_root:
            raise RootIsFixed("reordered")
        self._reload(node, "parent_id", "state")
        self._check_kept(node)
        if before is node:
            return node
        parent = self._parent(node)
        with self._unique_name(parent, node.name):
            node.position = self._position(parent.id, before, node)
            self.session.flush()
        keep_place(self.session, node)
        self.tell(NodeReordered(node.id, node))
        return node

    def put_back(self, node: Node, place: Placement) -> Node:
        """Put *node* back where it was, its place among its siblings included.

        :param place: where it was. If siblings were renumbered or have gone since, it stands
            between those that it stood between, as far as they are there.
        :raises: what :meth:`move` raises.
        """
        parent = self.session.get(Node, place.parent_id)
        if parent is None:
            raise NodeGone("The page that it was in")
        if place.parent_id != node.parent_id:
            self.move(node, parent, place.name)
        elif place.name != node.name:
            self.rename(node, place.name)
        if node.position == place.position:
            return node
        if place.is_free(self.session):
            node.position = place.position
            self.session.flush()
            keep_place(self.session, node)
            self.tell(NodeReordered(node.id, node))
            return node
        found, before = place.neighbour(self.session)
        return self.reorder(node, before) if found else node

    def set_state(self, node: Node, state: str) -> Node:
        """Publish *node* or take it back from readers.

        :param state: :data:`~myproject.tree.node.PUBLISHED`, ``DRAFT``, or one of an add-on.
        :raises NodeGone, InTrash:
        """
        self._reload(node, "state")
        self._check_kept(node)
        old_state = node.state
        if state != old_state:
            node.state = state
            self.session.flush()
            keep_place(self.session, node)
            self.tell(NodeStateChanged(node.id, node, old_state))
        return node

    def trash(self, node: Node) -> Node:
        """Put *node*, with everything below, into the trash; one row of it is written.

        :raises RootIsFixed, NodeGone, InTrash:
        """
        if node.is_root:
            raise RootIsFixed("deleted")
        self._reload(node, "parent_id", "name", "state", lock=True)
        self._check_kept(node)
        old_name, old_state = node.name, node.state
        actor = self.actor
        trashed = Trashed(node_id=node.id, name=old_name, state=old_state)
        trashed.actor_id, trashed.actor = actor.id, actor.name[:200]
        self.session.add(trashed)
        node.name, node.state = hidden_name(node.id), TRASHED
        self.session.flush()
        keep_place(self.session, node)
        self.tell(NodeTrashed(node.id, node, old_name, old_state))
        return node

    def restore(
        self,
        node: Node,
        parent: Node | None = None,
        name: str | None = None,
        *,
        before: Node | None = None,
    ) -> Node:
        """Bring *node*, with everything below, back from the trash.

        :param parent: where to; the place where it was when left out.
        :param name: the one that it had when left out.
        :param before: the sibling to stand before, at another place; at the end when left out.
        :raises NotInTrash, InTrash, NameTaken, InvalidName, MoveIntoItself, TooDeep, NodeGone:
            ``InTrash`` when the place itself is in the trash.
        """
        self._lock()
        self._reload(node, "parent_id", "name", "state", "position", lock=True)
        trashed = self.session.get(Trashed, node.id, populate_existing=True)
        if trashed is None or node.state != TRASHED:
            raise NotInTrash(node.title)
        old_parent_id, old_name = node.parent_id or ROOT_ID, trashed.name
        parent = self._parent(node) if parent is None else parent
        if node.id in self._check_depth(parent, node):
            raise MoveIntoItself(node.title)
        name = self._name(parent, old_name if name is None else name)
        if parent.id != old_parent_id:
            self._put_below(node, parent, name, before)
        with self._unique_name(parent, name):
            node.name, node.state = name, trashed.state
            self.session.delete(trashed)
            if (parent.id, name) != (old_parent_id, old_name):
                self._leave(old_parent_id, old_name, node)
            self.session.flush()
        arrive(self.session, parent.id, name, node.id)
        keep_place(self.session, node)
        self.tell(NodeRestored(node.id, node, old_parent_id, old_name))
        return node

    def purge(self, node: Node) -> None:
        """Delete *node* and everything below for good, in one statement.

        :raises RootIsFixed, NodeGone:
        """
        if node.is_root:
            raise RootIsFixed("deleted")
        # Whatever subscribers want to know of the node must be read while it is there.
        self._reload(node)
        hand_up(self.session, node)
        table = Node.__table__
        result = self.session.connection().execute(delete(table).where(table.c.id == node.id))
        if not result.rowcount:
            raise NodeGone(node.title)
        self.session.expunge(node)
        self.session.expire_all()
        mark_changed(self.session)
        self.tell(NodeDeleted(node.id, node))

    def tell(self, event: NodeEvent) -> None:
        """Send *event* now, and wrapped in ``Committed`` once the transaction has been committed.

        For what writes more of a node than its structure, such as its content.
        """
        if self._listener is not None:
            self._listener(event)
            manager_of(self.session).get().addAfterCommitHook(
                _tell_committed, (self._listener, event)
            )

    def _leave(self, parent_id: int, name: str, node: Node) -> None:
        """Have the place where *node* stood lead to it, before it goes: whoever deletes the place
        at the same time then waits, or is waited for, and neither waits for the other."""
        leave(self.session, parent_id, name, node.id, self.actor.name)

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
        title = node.__dict__.get("title", "The page")
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
    def _check_sibling(parent_id: int, before: Node | None, moving: Node | None) -> None:
        if before is not None and before.parent_id != parent_id:
            raise NotASibling(moving.title if moving else "The page", before.title)

    def _position(self, parent_id: int, before: Node | None, moving: Node | None = None) -> int:
        """Return a free position at the end, or just before a sibling."""
        self._check_sibling(parent_id, before, moving)
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
    up = climb(select(Node.id).where(Node.id == node_id))
    rows = session.connection().execute(select(up.c.parent_id, up.c.state).order_by(up.c.height))
    found, place = {node_id: ""}, node_id
    for parent_id, state in rows:
        found[place] = state
        if parent_id is not None:
            place = parent_id
            found[place] = ""
    return found


def height_of(session: Session, node_id: int) -> int:
    """Return how many levels lie below a node; one statement."""
    return session.connection().scalar(select(func.max(descend(node_id).c.depth))) or 0


def _tell_committed(success: bool, listener: Notify, event: NodeEvent) -> None:
    if success:
        listener(Committed(event))
