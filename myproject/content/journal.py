"""The journal: what people have done to the tree, kept so that it can be undone.

One operation may be about many nodes, and is made in one transaction. Each node has a step, which
says where the node stood before and after. Undoing takes the steps back in reverse, and is an
operation itself; so it can be undone, too. It is refused, with the reason, when what it would
take back is no longer so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.content.obstacles import Obstacles
from myproject.content.operations import create
from myproject.content.operations_log import (
    DISCARDING,
    Kind,
    Operation,
    Step,
    add_step,
    begin_operation,
)
from myproject.content.publishing import catch_up, discard_draft, publish, schedule, unpublish
from myproject.content.workflow import Comment, Transition
from myproject.db.base import utcnow
from myproject.exceptions import CannotUndo, InvalidValue, TreeError
from myproject.interfaces import IMarkdownRenderer
from myproject.security.permissions import Permission
from myproject.tree.history import moment_of
from myproject.tree.lineages import lock_nodes
from myproject.tree.node import DRAFT, PUBLISHED, TRASHED, Node
from myproject.tree.operations import Tree
from myproject.tree.placement import Placement, placement_of, standing_of

_ = TranslationStringFactory("myproject")

Names = Mapping[int, str]

#: When a node is published, and when readers see it no longer.
Times = tuple[dt.datetime | None, dt.datetime | None]

#: Node id -> where the node stood before; None for one that is new.
Before = Mapping[int, Placement | None]

#: Nodes, with where they stood before.
Changed = Sequence[tuple[Node, Placement | None]]

#: Kinds that leave nodes where they are in the tree.
_UNMOVED = (Kind.STATE, Kind.SCHEDULE, *DISCARDING)

#: Says more of an operation that was begun.
Describe = Callable[[Operation, Changed], None]


class Journal:
    """The tree's operations as people make them: each is kept, and can be undone.

    The errors are those of :class:`myproject.tree.operations.Tree`; whoever catches one has to take
    back the transaction, or a savepoint around the call, since some of the nodes may have been
    dealt with.

    :param tree: the operations, on behalf of its actor.
    :param renderer: makes pages of the drafts that are published.
    :param notify: called with each operation that is kept, the nodes that it was about, and where
        they stood before; what it raises vetoes the operation.
    """

    def __init__(
        self,
        tree: Tree,
        renderer: IMarkdownRenderer | None = None,
        notify: Callable[[Operation, Sequence[Node], Before], object] | None = None,
    ) -> None:
        self.tree = tree
        self.renderer = renderer
        self._notify = notify
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
        incomplete: bool = False,
    ) -> Operation:
        """Put a new node below *parent*, see :func:`myproject.content.operations.create`."""
        create(
            self.tree,
            parent,
            node,
            renderer,
            name,
            before=before,
            comment=comment,
            incomplete=incomplete,
        )
        return self._keep(Kind.ADD, [(node, None)], parent)

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
        as_drafts: bool = False,
    ) -> Operation | None:
        """Put copies of nodes, with what lies below them, below *parent*.

        :param as_drafts: whether readers are to see none of them until they are published; one that
            is a draft hides what lies below it.
        """
        new, copies = names or {}, []
        for node in self._tops(nodes):
            copy = self.tree.copy(node, parent, new.get(node.id), before=before)
            if as_drafts and copy.state == PUBLISHED:
                self.tree.set_state(copy, DRAFT)
            copies.append(copy)
        if not copies:
            return None
        return self._keep(Kind.COPY, [(copy, None) for copy in copies], parent)

    def reorder(self, node: Node, before: Node | None = None) -> Operation | None:
        """Put *node* before a sibling, or last."""
        return self._change(Kind.REORDER, [node], lambda each: self.tree.reorder(each, before))

    def take(
        self,
        transitions: Mapping[int, Transition],
        nodes: Iterable[Node],
        *,
        values: Mapping[str, Any] | None = None,
        comment: str = "",
        times: Times | None = None,
    ) -> Operation | None:
        """Take nodes through transitions of their workflows: publish them with their drafts, take
        them back from readers, or anything in between.

        Nobody is asked whether they may: that is what
        :class:`myproject.content.workflow.Transitions` is for.

        :param transitions: node id -> the transition of this node.
        :param values: field -> value, of what those that are published are to say besides.
        :param comment: why, for the operation and for revisions.
        :param times: for nodes that wait for a time to be published, when that is, and when
            readers see them no longer, see :meth:`schedule`.
        :returns: None where nothing is in another state now; what those that readers see already
            say now is no matter of the tree.
        :raises InvalidValue: for ``comment``, where one is missing.
        """
        if not comment.strip() and any(
            transition.comment is Comment.REQUIRED for transition in transitions.values()
        ):
            raise InvalidValue("comment", _("Say why, in a few words."))

        def change(node: Node) -> None:
            target = transitions[node.id].target
            if times is not None:
                schedule(self.tree, node, *times)
                self.tree.set_stage(node, "")
            elif target == PUBLISHED:
                self._publish(node, values, comment)
            else:
                if PUBLISHED in transitions[node.id].sources and node.seen_state == PUBLISHED:
                    unpublish(self.tree, node)
                elif target == DRAFT and node.stage:
                    # It is not to be published as it is, so not on time either.
                    node.publish_at = None
                self.tree.set_stage(node, "" if target == DRAFT else target)

        moved = list(nodes)
        # A time for a draft is no step of it, but one for what waits for somebody's word is.
        is_step = times is None or any(node.stage for node in moved)

        def describe(operation: Operation, changed: Changed) -> None:
            taken = [transitions[node.id] for node, _before in changed]
            names = {transition.name for transition in taken}
            # Through several at once: what they have in common is the state.
            operation.transition = names.pop() if len(names) == 1 else ""
            permissions = {str(transition.permission) for transition in taken}
            if times is not None:
                permissions.add(Permission.PUBLISH)
            operation.permissions, operation.comment = " ".join(sorted(permissions)), comment

        if is_step:
            return self._change(Kind.STATE, moved, change, describe=describe)
        return self._change(Kind.SCHEDULE, moved, change)

    def _publish(self, node: Node, values: Mapping[str, Any] | None, comment: str) -> None:
        if self.renderer is None:
            self.tree.set_state(node, PUBLISHED)
        else:
            publish(self.tree, node, self.renderer, values=values, comment=comment)

    def schedule(
        self, node: Node, publish_at: dt.datetime | None, expire_at: dt.datetime | None
    ) -> Operation | None:
        """Say when readers see a node, see :func:`myproject.content.publishing.schedule`.

        :returns: None where that was planned already.
        """
        return self._change(
            Kind.SCHEDULE, [node], lambda each: schedule(self.tree, each, publish_at, expire_at)
        )

    def discard(
        self, node: Node, *, kind: Kind = Kind.DISCARD, comment: str = ""
    ) -> Operation | None:
        """Take away what is ahead of what readers see, with all that was agreed to about it.

        Undoing brings it back, and changes nothing of what readers see.

        :param kind: :attr:`Kind.REVERT` where an older version takes its place.
        :param comment: why.
        :returns: None where there is no draft.
        """

        def describe(operation: Operation, changed: Changed) -> None:
            needed = [Permission.EDIT]
            if any(before is not None and before.publish_at for _node, before in changed):
                # What was planned is planned again by an undo.
                needed.append(Permission.PUBLISH)
            operation.permissions, operation.comment = " ".join(needed), comment[:500]
            # Not later than the version that takes its place: nobody has saved that since.
            operation.at = moment_of(self.session)

        return self._change(
            kind, [node], lambda each: discard_draft(self.tree, each), describe=describe
        )

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
        stood = {}
        for number, node in enumerate(tops):
            stood[node.id] = before = placement_of(self.session, node)
            self.session.add(
                Step(
                    operation_id=operation.id,
                    number=number,
                    node_id=node.id,
                    title=node.title,
                    before=before._asdict(),
                )
            )
            self.tree.purge(node)
        self.session.flush()
        self._tell(operation, [], stood)
        return operation

    # -- undoing ----------------------------------------------------------------------------------

    def undo(self, operation: Operation) -> Operation:
        """Take *operation* back, with all of its steps, and return the operation that did.

        :raises CannotUndo: with the reason; nothing has been written.
        """
        # Of two who do it at once, one finds that it has been done.
        self.session.refresh(operation, ["undone_by_id"], with_for_update=True)
        steps = self.steps(operation)
        nodes = {node.id: node for node in self._nodes(step.node_id for step in steps)}
        if operation.kind in _UNMOVED and operation.undone_by_id is None:
            # Nobody saves another version while it is made sure that nobody has.
            lock_nodes(self.session, nodes.values())
        reason = self.why_not(operation)
        if reason is not None:
            raise CannotUndo(reason)
        try:
            with self.session.begin_nested():
                undone = self._take_back(operation, steps, nodes)
        except (TreeError, InvalidValue) as error:
            raise CannotUndo(error.message) from error
        return undone

    def _take_back(
        self, operation: Operation, steps: Sequence[Step], nodes: Mapping[int, Node]
    ) -> Operation:
        first = nodes[operation.node_id] if operation.node_id in nodes else nodes[steps[0].node_id]
        stood: dict[int, Placement | None] = {}
        undone = self._begin(Kind(operation.kind), first, len(steps))
        undone.undoes_id, undone.title = operation.id, operation.title
        undone.transition, undone.permissions = operation.transition, operation.permissions
        for number, step in enumerate(reversed(steps)):
            node = nodes[step.node_id]
            before = stood[node.id] = self._place(node, operation.kind)
            if operation.kind in DISCARDING and step.came_from is not None:
                node.draft_id = step.came_from.draft_id
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
        self._tell(undone, [nodes[number] for number in stood], stood)
        return undone

    def _put_back(self, node: Node, before: Placement | None, after: Placement | None) -> None:
        """Undo one step."""
        if before is None or (before.state == TRASHED and node.state != TRASHED):
            self.tree.trash(node, before)
            return
        if node.state == TRASHED and before.state != TRASHED:
            self.tree.restore(node, self.session.get(Node, before.parent_id), before.name)
        elif after is not None and before.state != after.state:
            self.tree.set_state(node, before.state)
        if after is not None:
            self._plan_again(node, before, after)
        if after is None or before[:3] != after[:3]:
            # Otherwise it stands where it stood; by another number, if its siblings have new ones.
            self.tree.put_back(node, before)

    def _plan_again(self, node: Node, before: Placement, after: Placement) -> None:
        """Have a node stand in its workflow where it stood, with what was planned then.

        What was to happen at a time that has passed does not happen all of a sudden.
        """
        if before.stage != after.stage:
            self.tree.set_stage(node, before.stage)
        for name in ("publish_at", "expire_at"):
            planned = getattr(before, name)
            if planned != getattr(after, name):
                setattr(node, name, planned if planned and planned > utcnow() else None)
        self.session.flush()

    def why_not(self, operation: Operation) -> Any:
        """Return why *operation* cannot be undone, as a translation string; None if it can."""
        return Obstacles(self.session, [operation]).reason(operation)

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
        *,
        describe: Describe | None = None,
    ) -> Operation | None:
        """Change nodes one by one, and keep those that are not as they were."""
        changed: list[tuple[Node, Placement | None]] = []
        for node in self._tops(nodes):
            if self.renderer is not None:
                # Where it goes now, it went after what readers saw already.
                catch_up(self.tree, node, self.renderer)
            if node.is_root and kind not in _UNMOVED:
                # Refused with its reason.
                change(node)
            before = self._place(node, kind)
            change(node)
            if _differs(before, standing_of(node), kind):
                changed.append((node, before))
        return self._keep(kind, changed, target, describe) if changed else None

    def _keep(
        self,
        kind: Kind,
        changed: Changed,
        target: Node | None = None,
        describe: Describe | None = None,
    ) -> Operation:
        """Keep what was done.

        :param describe: says more of the operation, before anybody is told of it.
        """
        operation = self._begin(kind, changed[0][0], len(changed), target)
        if describe is not None:
            describe(operation, changed)
        for number, (node, before) in enumerate(changed):
            self._step(operation, number, node, before)
        self.session.flush()
        nodes = [node for node, _before in changed]
        self._tell(operation, nodes, {node.id: before for node, before in changed})
        return operation

    def _tell(self, operation: Operation, nodes: Sequence[Node], before: Before) -> None:
        if self._notify is not None:
            self._notify(operation, nodes, before)

    def _place(self, node: Node, kind: str) -> Placement:
        """Return where a node stands, with what is around it where that may change."""
        return standing_of(node) if kind in _UNMOVED else placement_of(self.session, node)

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
        return begin_operation(self.session, self.tree.actor, kind, node, count, target)

    def _step(
        self, operation: Operation, number: int, node: Node, before: Placement | None
    ) -> None:
        add_step(self.session, operation, number, node, before)


def _differs(before: Placement, after: Placement, kind: Kind) -> bool:
    """Whether an operation of this kind has changed anything."""
    if kind is Kind.SCHEDULE:
        return before.times != after.times
    if kind in DISCARDING:
        return before.draft_id != after.draft_id
    return before.standing != after.standing
