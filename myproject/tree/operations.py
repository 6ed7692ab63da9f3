"""The operations: the only code that writes structure.

They take explicit arguments and no request. Each validates, writes as few rows as can be (one for
a rename, a move, a reorder or a way to the trash, whatever hangs below; one more where there is an
old address that has to lead to the new one, and where a move changes who may do what, one more
UPDATE), and then tells what happened. The database's constraints decide about names; moves hold a
lock on the root row, so that two at once can never make a cycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import delete
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from myproject.db.transaction import manager_of, mark_changed
from myproject.exceptions import (
    MoveIntoItself,
    NodeGone,
    NotInTrash,
    RootIsFixed,
)
from myproject.tree.actor import COMMAND_LINE, Actor
from myproject.tree.boundaries import boundary_of, carry, copy_boundaries
from myproject.tree.copying import copy_section
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
    NodeStageChanged,
    NodeStateChanged,
    NodeTrashed,
)
from myproject.tree.history import (
    begin_places,
    keep_place,
    keep_places_of,
)
from myproject.tree.names import name_from_title
from myproject.tree.node import ROOT_ID, TRASHED, Node
from myproject.tree.placement import Placement
from myproject.tree.placing import Placing, way_up
from myproject.tree.redirects import arrive, hand_up, leave
from myproject.tree.trash import Trashed, hidden_name

_ = TranslationStringFactory("myproject")

Notify = Callable[[object], object]


class Tree(Placing):
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
        super().__init__(session, reserved)
        self._listener = notify
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
        for node, position in zip(added, self._positions(parent.id), strict=False):
            node.parent_id = parent.id
            node.boundary_id = boundary_id
            node.name = self._name(parent, node.name)
            node.position = position
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
            raise RootIsFixed(_("The root of the site cannot be renamed."))
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
            raise RootIsFixed(_("The root of the site cannot be moved."))
        self._lock()
        self._reload(node, "parent_id", "name", "position", "boundary_id", "state")
        self._check_kept(node)
        if node.id in self._check_depth(parent, node):
            raise MoveIntoItself(node.title)
        if parent.id == node.parent_id:
            self._check_sibling(parent.id, before)
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
            raise RootIsFixed(_("The root of the site cannot be copied."))
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
            raise RootIsFixed(_("The root of the site cannot be reordered."))
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
        if node.is_root:
            # It has no other place.
            return node
        parent = self.session.get(Node, place.parent_id)
        if parent is None:
            raise NodeGone
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

    def set_stage(self, node: Node, stage: str) -> Node:
        """Say where what readers do not see of *node* stands in its workflow.

        :param stage: a state of the workflow; empty for a draft like any other.
        :raises NodeGone, InTrash:
        """
        old_stage = node.stage
        if stage != old_stage:
            self._check_kept(node)
            node.stage = stage
            self.session.flush()
            self.tell(NodeStageChanged(node.id, node, old_stage))
        return node

    def trash(self, node: Node, place: Placement | None = None) -> Node:
        """Put *node*, with everything below, into the trash; one row of it is written.

        :param place: where in the trash it was, for a node whose way back is taken back: it comes
            back to where it would have come back then. It cannot if that place is gone, or lies
            within the node by now.
        :raises RootIsFixed, NodeGone, InTrash:
        """
        if node.is_root:
            raise RootIsFixed(_("The root of the site cannot be deleted."))
        if place is not None:
            self._lock()
        self._reload(node, "parent_id", "name", "state", lock=True)
        self._check_kept(node)
        old_name, old_state = node.name, node.state
        actor = self.actor
        trashed = Trashed(node_id=node.id, name=old_name, state=old_state)
        trashed.actor_id, trashed.actor = actor.id, actor.name[:200]
        self.session.add(trashed)
        node.name, node.state = hidden_name(node.id), TRASHED
        if place is not None:
            self._lie_again(node, trashed, place)
        self.session.flush()
        keep_place(self.session, node)
        self.tell(NodeTrashed(node.id, node, old_name, old_state))
        return node

    def _lie_again(self, node: Node, trashed: Trashed, place: Placement) -> None:
        parent = self.session.get(Node, place.parent_id)
        if parent is None or node.id in way_up(self.session, parent.id):
            return
        trashed.name = place.kept_name or trashed.name
        if node.parent_id != parent.id:
            old_boundary = boundary_of(self.session, node.parent_id)
            node.parent_id, node.position = parent.id, place.position
            self.session.flush()
            carry(self.session, node.id, old_boundary, boundary_of(self.session, parent.id))
            set_committed_value(node, "parent", parent)

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
            raise RootIsFixed(_("The root of the site cannot be deleted."))
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


def _tell_committed(success: bool, listener: Notify, event: NodeEvent) -> None:
    if success:
        listener(Committed(event))
