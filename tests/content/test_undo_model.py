"""Any sequence of operations and undos keeps the tree's invariants, and undoing the latest
operations one after the other restores exactly what was before each of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from myproject.content.journal import Journal, Operation
from myproject.content.markup import MarkdownRenderer
from myproject.content.publishing import save_newest
from myproject.content.types import Folder
from myproject.content.workflow import Transition, Transitions, Workflows
from myproject.db.base import utcnow
from myproject.db.engine import Database
from myproject.exceptions import CannotUndo, InvalidValue, TreeError
from myproject.tree import placing
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.boundaries import draw
from myproject.tree.check import check_tree
from myproject.tree.history import set_moment
from myproject.tree.node import DRAFT, PUBLISHED, ROOT_ID, TRASHED, Node
from myproject.tree.operations import Tree
from tests.content.test_workflow import MACHINE
from tests.trees import set_state

a_node = st.sampled_from(range(12))
some_nodes = st.lists(a_node, min_size=1, max_size=3, unique=True)
a_name = st.sampled_from("abcdef")
a_time = st.sampled_from([None, *(dt.datetime(year, 5, 1, tzinfo=dt.UTC) for year in (2091, 2092))])
perhaps = st.sampled_from([None, 0, 1, 2])


class JournalMachine(RuleBasedStateMachine):
    """The journal in one transaction that is rolled back at the end."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.manager = transaction.TransactionManager(explicit=True)
        self.manager.begin()
        self.session = database.write_session(self.manager)
        self.tree = Tree(self.session)
        self.journal = Journal(self.tree)
        workflows = Workflows()
        workflows.add(MACHINE)
        self.transitions = Transitions(self.session, workflows, None, COMMAND_LINE)
        self.renderer = MarkdownRenderer()
        #: Operations with what was before each of them.
        self.done: list[tuple[Operation, Any]] = []

    def teardown(self) -> None:
        self.manager.abort()

    # -- looking ----------------------------------------------------------------------------------

    def rows(self) -> dict[int, Any]:
        columns = Node.__table__.c
        query = select(
            *(columns.id, columns.parent_id, columns.name, columns.position),
            *(columns.state, columns.boundary_id),
            *(columns.draft_id, columns.stage, columns.publish_at, columns.expire_at),
        )
        return {row.id: row for row in self.session.connection().execute(query)}

    def outline(self) -> dict[int, Any]:
        """What people see: id -> name, state, boundary, draft, what is planned, the children in
        order."""
        rows = self.rows()
        seen: dict[int, Any] = {}
        for row in sorted(rows.values(), key=lambda row: (row.position, row.id)):
            place, kept = row, True
            while place is not None and kept:
                kept = place.state != TRASHED
                place = rows.get(place.parent_id)
            if kept:
                seen[row.id] = row
        return {
            node_id: (
                *(row.name, row.state, row.boundary_id),
                *(row.draft_id, row.stage, row.publish_at, row.expire_at),
                [child.id for child in seen.values() if child.parent_id == node_id],
            )
            for node_id, row in seen.items()
        }

    def trashed(self) -> list[Node]:
        query = select(Node).where(Node.state == TRASHED).order_by(Node.id)
        return list(self.session.scalars(query))

    def pick(self, rank: int, *, root: bool = False) -> Node:
        """Return a node that is within reach; of the trash, nothing is."""
        nodes = sorted(self.outline().keys() - {ROOT_ID})
        if root or not nodes:
            nodes = [ROOT_ID, *nodes]
        return self.session.get_one(Node, nodes[rank % len(nodes)])

    def attempt(self, operate: Any) -> None:
        before, rows = self.outline(), self.rows()
        try:
            with self.session.begin_nested():
                operation = operate()
        except (TreeError, InvalidValue):
            self.session.expire_all()
            assert self.rows() == rows
            return
        if operation is not None:
            self.done.append((operation, before))

    # -- doing ------------------------------------------------------------------------------------

    @initialize()
    def plant(self) -> None:
        root = self.session.get_one(Node, ROOT_ID)
        for name in "abc":
            top = self.tree.add(root, Folder(title=name), name)
            self.tree.add(top, Folder(title=name), name)

    def has_room(self) -> bool:
        return len(self.rows()) < 14

    @precondition(has_room)
    @rule(at=a_node, name=a_name)
    def add(self, at: int, name: str) -> None:
        parent = self.pick(at, root=True)
        node = Folder(title=name)
        self.attempt(lambda: self.journal.add(parent, node, self.renderer, name))

    @rule(at=a_node, name=a_name)
    def rename(self, at: int, name: str) -> None:
        self.attempt(lambda: self.journal.rename(self.pick(at), name))

    @rule(at=some_nodes, to=a_node)
    def move(self, at: list[int], to: int) -> None:
        nodes, parent = [self.pick(rank) for rank in at], self.pick(to, root=True)
        self.attempt(lambda: self.journal.move(nodes, parent))

    @precondition(has_room)
    @rule(at=a_node, to=a_node)
    def copy(self, at: int, to: int) -> None:
        self.attempt(lambda: self.journal.copy([self.pick(at)], self.pick(to, root=True)))

    @rule(at=a_node, rank=perhaps)
    def reorder(self, at: int, rank: int | None) -> None:
        node = self.pick(at)
        query = select(Node).where(Node.parent_id == node.parent_id, Node.id != node.id)
        siblings = self.session.scalars(query.order_by(Node.id)).all()
        before = None if rank is None or not siblings else siblings[rank % len(siblings)]
        self.attempt(lambda: self.journal.reorder(node, before))

    @rule(at=some_nodes, state=st.sampled_from([PUBLISHED, DRAFT]))
    def set_state(self, at: list[int], state: str) -> None:
        self.attempt(lambda: set_state(self.journal, [self.pick(rank) for rank in at], state))

    @rule(at=some_nodes, name=st.sampled_from([step.name for step in MACHINE.transitions]))
    def take(self, at: list[int], name: str) -> None:
        nodes = {node.id: node for node in map(self.pick, at)}
        ways = {number: self.transitions.find(node, name=name) for number, node in nodes.items()}
        taken = {number: way for number, way in ways.items() if isinstance(way, Transition)}
        chosen = [nodes[number] for number in taken]
        self.attempt(lambda: self.journal.take(taken, chosen, comment="Because."))

    @rule(at=a_node, begin=a_time, end=a_time)
    def schedule(self, at: int, begin: dt.datetime | None, end: dt.datetime | None) -> None:
        self.attempt(lambda: self.journal.schedule(self.pick(at), begin, end))

    @rule(at=a_node, title=a_name)
    def write_next(self, at: int, title: str) -> None:
        # As in a transaction of its own, which begins after all that was done before.
        set_moment(self.session, utcnow())
        if save_newest(self.tree, self.pick(at), {"title": title}, self.renderer):
            # Readers are not shown by an undo what nobody has agreed to.
            self.done.clear()

    @rule(at=a_node)
    def discard(self, at: int) -> None:
        self.attempt(lambda: self.journal.discard(self.pick(at)))

    @rule(at=some_nodes)
    def trash(self, at: list[int]) -> None:
        self.attempt(lambda: self.journal.trash([self.pick(rank) for rank in at]))

    @rule(at=a_node, to=st.none() | a_node)
    def restore(self, at: int, to: int | None) -> None:
        trashed = self.trashed()
        if trashed:
            parent = None if to is None else self.pick(to, root=True)
            self.attempt(lambda: self.journal.restore([trashed[at % len(trashed)]], parent))

    @rule(at=a_node)
    def purge(self, at: int) -> None:
        trashed = self.trashed()
        if trashed:
            operation = self.journal.purge([trashed[at % len(trashed)]])
            assert operation is not None
            assert self.journal.why_not(operation) is not None
            # What it took with it cannot be promised to come back.
            self.done.clear()

    @rule(at=a_node)
    def draw_boundary(self, at: int) -> None:
        draw(self.session, self.pick(at))
        self.done.clear()

    # -- undoing ----------------------------------------------------------------------------------

    @precondition(lambda self: self.done)
    @rule(count=st.sampled_from([1, 1, 2, 3, 5]))
    def undo_the_latest(self, count: int) -> None:
        for operation, before in reversed(self.done[-count:]):
            now = self.outline()
            assert self.journal.why_not(operation) is None
            undone = self.journal.undo(operation)
            assert self.outline() == before
            self.done.append((undone, now))

    @rule(rank=st.integers(0, 30))
    def undo_any(self, rank: int) -> None:
        log = self.session.scalars(select(Operation).order_by(Operation.id)).all()
        if not log:
            return
        operation, before, rows = log[rank % len(log)], self.outline(), self.rows()
        possible = self.journal.why_not(operation) is None
        try:
            undone = self.journal.undo(operation)
        except CannotUndo:
            self.session.expire_all()
            assert self.rows() == rows
            return
        assert possible
        self.done.append((undone, before))

    @invariant()
    def check_finds_nothing(self) -> None:
        assert list(check_tree(self.session)) == []


def test_undo_restores_what_was(shared: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small gaps, so that siblings are numbered anew now and then.
    monkeypatch.setattr(placing, "POSITION_GAP", 4)
    run_state_machine_as_test(
        lambda: JournalMachine(shared),
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
