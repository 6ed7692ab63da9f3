"""The journal: what people have done to the tree, kept so that it can be undone.

One operation may be about many nodes, and is made in one transaction. Each node has a step, which
says where the node stood before and after. Undoing takes the steps back in reverse, and is an
operation itself; so it can be undone, too. It is refused, with the reason, when what it would
take back is no longer so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import ForeignKey, Index, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.content.operations import create
from myproject.db.base import Base, Id, TaggedJSON, UTCDateTime, utcnow
from myproject.exceptions import CannotUndo, InvalidValue, TreeError
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.node import ROOT_ID, TRASHED, Node
from myproject.tree.operations import Tree
from myproject.tree.placement import Placement, placement_of

_ = TranslationStringFactory("myproject")


class Kind(StrEnum):
    """What was done."""

    ADD = "add"
    RENAME = "rename"
    MOVE = "move"
    COPY = "copy"
    REORDER = "reorder"
    STATE = "state"
    TRASH = "trash"
    RESTORE = "restore"
    PURGE = "purge"


class Operation(Base):
    """Something that somebody has done to one or more nodes at once."""

    __tablename__ = "operation"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    actor_id: Mapped[int | None] = mapped_column(Id)
    actor: Mapped[str] = mapped_column(String(200), default="")
    #: The first of its nodes, and the title that it had.
    node_id: Mapped[int] = mapped_column(Id)
    title: Mapped[str] = mapped_column(String(500))
    #: How many nodes it was about, not counting what lies below them.
    count: Mapped[int] = mapped_column(Integer)
    #: The place where they went to, if they did.
    target_id: Mapped[int | None] = mapped_column(Id)
    target_title: Mapped[str] = mapped_column(String(500), default="")
    #: The operation that this one has undone.
    undoes_id: Mapped[int | None] = mapped_column(Id)
    undone_by_id: Mapped[int | None] = mapped_column(Id)

    __table_args__ = (Index(None, "actor_id", "id"), {"sqlite_autoincrement": True})


class Step(Base):
    """What an operation did to one node.

    ``before`` is null for a node that came into being, ``after`` for one that went for good.
    """

    __tablename__ = "operation_step"

    operation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("operation.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    node_id: Mapped[int] = mapped_column(Id)
    title: Mapped[str] = mapped_column(String(500))
    before: Mapped[dict[str, Any] | None] = mapped_column(TaggedJSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(TaggedJSON(none_as_null=True))

    __table_args__ = (Index(None, "node_id", "operation_id"),)

    @property
    def came_from(self) -> Placement | None:
        """Where the node stood before."""
        return None if self.before is None else Placement(**self.before)

    @property
    def went_to(self) -> Placement | None:
        """Where it stood after."""
        return None if self.after is None else Placement(**self.after)


Names = Mapping[int, str]


class Journal:
    """The tree's operations as people make them: each is kept, and can be undone.

    The errors are those of :class:`myproject.tree.operations.Tree`; whoever catches one has to take
    back the transaction, or a savepoint around the call, since some of the nodes may have been
    dealt with.

    :param tree: the operations, on behalf of its actor.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.session: Session = tree.session

    # -- doing ------------------------------------------------------------------------------------

    def add(
        self,
        parent: Node,
        node: Node,
        renderer: IMarkdownRenderer,
        name: str | None = None,
        *,
        before: Node | None = None,
        comment: str = "",
    ) -> Operation:
        """Put a new node below *parent*, see :func:`myproject.content.operations.create`."""
        create(self.tree, parent, node, renderer, name, before=before, comment=comment)
        operation = self._begin(Kind.ADD, node, 1, parent)
        self._step(operation, 0, node, None)
        return operation

    def rename(self, node: Node, name: str) -> Operation | None:
        """Give *node* another name; None if it has it already."""
        return self._change(Kind.RENAME, [node], lambda each: self.tree.rename(each, name))

    def move(
        self,
        nodes: Iterable[Node],
        parent: Node,
        *,
        before: Node | None = None,
        names: Names | None = None,
    ) -> Operation | None:
        """Put nodes, in this order, below *parent*.

        :param before: the child of *parent* to stand before; at the end when left out.
        :param names: node id -> another name, for those that get one.
        """
        new = names or {}
        return self._change(
            Kind.MOVE,
            nodes,
            lambda each: self.tree.move(each, parent, new.get(each.id), before=before),
            parent,
        )

    def copy(
        self,
        nodes: Iterable[Node],
        parent: Node,
        *,
        before: Node | None = None,
        names: Names | None = None,
    ) -> Operation | None:
        """Put copies of nodes, with what lies below them, below *parent*."""
        new, copies = names or {}, []
        for node in self._tops(nodes):
            copies.append(self.tree.copy(node, parent, new.get(node.id), before=before))
        if not copies:
            return None
        operation = self._begin(Kind.COPY, copies[0], len(copies), parent)
        for number, node in enumerate(copies):
            self._step(operation, number, node, None)
        return operation

    def reorder(self, node: Node, before: Node | None = None) -> Operation | None:
        """Put *node* before a sibling, or last."""
        return self._change(Kind.REORDER, [node], lambda each: self.tree.reorder(each, before))

    def set_state(self, nodes: Iterable[Node], state: str) -> Operation | None:
        """Publish nodes, or take them back from readers."""
        return self._change(Kind.STATE, nodes, lambda each: self.tree.set_state(each, state))

    def trash(self, nodes: Iterable[Node]) -> Operation | None:
        """Put nodes, with what lies below them, into the trash."""
        return self._change(Kind.TRASH, nodes, self.tree.trash)

    def restore(
        self, nodes: Iterable[Node], parent: Node | None = None, *, names: Names | None = None
    ) -> Operation | None:
        """Bring nodes back from the trash.

        :param parent: where to; where each of them was when left out.
        :param names: node id -> another name than the one from before.
        """
        new = names or {}
        return self._change(
            Kind.RESTORE,
            nodes,
            lambda each: self.tree.restore(each, parent, new.get(each.id)),
            parent,
        )

    def purge(self, nodes: Iterable[Node]) -> Operation | None:
        """Delete nodes, with what lies below them, for good. This cannot be undone."""
        tops = self._tops(nodes)
        if not tops:
            return None
        operation = self._begin(Kind.PURGE, tops[0], len(tops))
        for number, node in enumerate(tops):
            before = placement_of(self.session, node)._asdict()
            self.session.add(
                Step(
                    operation_id=operation.id,
                    number=number,
                    node_id=node.id,
                    title=node.title,
                    before=before,
                )
            )
            self.tree.purge(node)
        self.session.flush()
        return operation

    # -- undoing ----------------------------------------------------------------------------------

    def undo(self, operation: Operation) -> Operation:
        """Take *operation* back, with all of its steps, and return the operation that did.

        :raises CannotUndo: with the reason; nothing has been written.
        """
        reason = self.why_not(operation)
        if reason is not None:
            raise CannotUndo(reason)
        steps = self.steps(operation)
        nodes = {node.id: node for node in self._nodes(step.node_id for step in steps)}
        try:
            with self.session.begin_nested():
                undone = self._take_back(operation, steps, nodes)
        except (TreeError, InvalidValue) as error:
            raise CannotUndo(str(error)) from error
        return undone

    def _take_back(
        self, operation: Operation, steps: Sequence[Step], nodes: Mapping[int, Node]
    ) -> Operation:
        first = nodes[operation.node_id] if operation.node_id in nodes else nodes[steps[0].node_id]
        undone = self._begin(Kind(operation.kind), first, len(steps))
        undone.undoes_id, undone.title = operation.id, operation.title
        for number, step in enumerate(reversed(steps)):
            node = nodes[step.node_id]
            before = placement_of(self.session, node)
            self._put_back(node, step.came_from, step.went_to)
            self._step(undone, number, node, before)
        if operation.kind in (Kind.MOVE, Kind.RESTORE) and first.parent is not None:
            undone.target_id, undone.target_title = first.parent.id, first.parent.title
        operation.undone_by_id = undone.id
        if operation.undoes_id is not None:
            # What that had taken back holds again.
            first_of_all = self.session.get(Operation, operation.undoes_id)
            if first_of_all is not None:
                first_of_all.undone_by_id = None
        self.session.flush()
        return undone

    def _put_back(self, node: Node, before: Placement | None, after: Placement | None) -> None:
        """Undo one step."""
        if before is None or (before.state == TRASHED and node.state != TRASHED):
            self.tree.trash(node)
            return
        if node.state == TRASHED and before.state != TRASHED:
            self.tree.restore(node, self.session.get(Node, before.parent_id), before.name)
        elif after is not None and before.state != after.state:
            self.tree.set_state(node, before.state)
        self.tree.put_back(node, before)

    def why_not(self, operation: Operation) -> Any:
        """Return why *operation* cannot be undone, as a translation string; None if it can."""
        if operation.undone_by_id is not None:
            by = self.session.get(Operation, operation.undone_by_id)
            who = by.actor if by else ""
            return _("It has been undone already, by ${who}.", mapping={"who": who})
        if operation.kind == Kind.PURGE:
            return _("What was deleted for good cannot be brought back.")
        steps = self.steps(operation)
        nodes = {node.id: node for node in self._nodes(step.node_id for step in steps)}
        for step in steps:
            reason = self._why_not_step(step, nodes.get(step.node_id))
            if reason is not None:
                return reason
        return None

    def _why_not_step(self, step: Step, node: Node | None) -> Any:
        title = {"title": step.title}
        if node is None:
            return _("“${title}” has been deleted for good since.", mapping=title)
        later = self._later(step)
        if later is not None:
            mapping = {**title, "who": later.actor}
            return _(
                "“${title}” has been changed by ${who} since. Undo that first.", mapping=mapping
            )
        after = step.went_to
        there = (node.parent_id, node.name, node.state)
        if after is None or there != (after.parent_id, after.name, after.state):
            return _("“${title}” is no longer where this has put it.", mapping=title)
        before = step.came_from
        if before is None or (before.parent_id, before.name) == (after.parent_id, after.name):
            return None
        return self._why_not_place(step, before)

    def _why_not_place(self, step: Step, before: Placement) -> Any:
        """Return why a node cannot go back to where it was."""
        parent = self.session.get(Node, before.parent_id)
        if parent is None:
            return _(
                "The page that “${title}” was in has been deleted for good.",
                mapping={"title": step.title},
            )
        if parent.state == TRASHED:
            return _(
                "“${place}”, where “${title}” was, is in the trash. Restore it first.",
                mapping={"place": parent.title, "title": step.title},
            )
        if before.state == TRASHED:
            return None
        query = select(Node.title).where(
            Node.parent_id == before.parent_id,
            Node.name == before.name,
            Node.id != step.node_id,
        )
        other = self.session.scalar(query)
        if other is None:
            return None
        return _(
            "There is another page called ${name} at its old place now: “${other}”.",
            mapping={"name": before.name, "other": other},
        )

    def _later(self, step: Step) -> Operation | None:
        """Return the first operation after a step on the same node that still holds."""
        query = (
            select(Operation)
            .join(Step, Step.operation_id == Operation.id)
            .where(
                Step.node_id == step.node_id,
                Step.operation_id > step.operation_id,
                Operation.undone_by_id.is_(None),
                Operation.undoes_id.is_(None) | (Operation.undoes_id < step.operation_id),
            )
            .order_by(Operation.id)
            .limit(1)
        )
        return self.session.scalars(query).first()

    # -- reading ----------------------------------------------------------------------------------

    def steps(self, operation: Operation) -> Sequence[Step]:
        """Return what *operation* did, in its order."""
        query = select(Step).where(Step.operation_id == operation.id).order_by(Step.number)
        return self.session.scalars(query).all()

    # -- writing ----------------------------------------------------------------------------------

    def _change(
        self,
        kind: Kind,
        nodes: Iterable[Node],
        change: Callable[[Node], object],
        target: Node | None = None,
    ) -> Operation | None:
        """Change nodes one by one, and keep those that are not as they were."""
        changed: list[tuple[Node, Placement]] = []
        for node in self._tops(nodes):
            if node.is_root:
                # Refused with its reason.
                change(node)
            before = placement_of(self.session, node)
            change(node)
            if (node.parent_id, node.name, node.position, node.state) != before[:4]:
                changed.append((node, before))
        if not changed:
            return None
        operation = self._begin(kind, changed[0][0], len(changed), target)
        for number, (node, before) in enumerate(changed):
            self._step(operation, number, node, before)
        return operation

    def _tops(self, nodes: Iterable[Node]) -> list[Node]:
        """Return nodes without those that lie below another of them, each once."""
        wanted = {node.id: node for node in nodes}
        tops = []
        for node in wanted.values():
            place = node.parent
            while place is not None and place.id not in wanted:
                place = place.parent
            if place is None:
                tops.append(node)
        return tops

    def _nodes(self, ids: Iterable[int]) -> Sequence[Node]:
        return self.session.scalars(select(Node).where(Node.id.in_(list(ids)))).all()

    def _begin(self, kind: Kind, node: Node, count: int, target: Node | None = None) -> Operation:
        actor = self.tree.actor
        operation = Operation(
            kind=kind.value,
            actor_id=actor.id,
            actor=actor.name[:200],
            node_id=node.id,
            title=node.title,
            count=count,
            target_id=None if target is None else target.id,
            target_title="" if target is None else target.title,
        )
        self.session.add(operation)
        self.session.flush()
        return operation

    def _step(
        self, operation: Operation, number: int, node: Node, before: Placement | None
    ) -> None:
        after = Placement(node.parent_id or ROOT_ID, node.name, node.position, node.state)
        self.session.add(
            Step(
                operation_id=operation.id,
                number=number,
                node_id=node.id,
                title=node.title,
                before=None if before is None else before._asdict(),
                after=after._asdict(),
            )
        )
        self.session.flush()
