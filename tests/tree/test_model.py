"""Every operation, in every order hypothesis thinks of, against a model of three dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from pyramid.location import lineage
from pyramid.traversal import find_resource, resource_path
from sqlalchemy import inspect

from myproject.content.types import Folder
from myproject.db.engine import Database
from myproject.exceptions import (
    InvalidName,
    MoveIntoItself,
    NameTaken,
    NotASibling,
    RootIsFixed,
    TreeError,
)
from myproject.tree import placing
from myproject.tree.check import check_tree
from myproject.tree.events import NodeCopied
from myproject.tree.names import normalize, problem_with
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.operations import Tree

RESERVED = frozenset({"static"})

IMPOSSIBLE = ["", ".", "@@edit", "a/b", "x" * 241]

#: A node, by its rank among the ids that there are; 0 is the root.
a_node = st.sampled_from(range(12))
a_name = st.sampled_from([*"abcdefghijklmnop", "a b", "e\u0301", "é", "static", *IMPOSSIBLE])
#: A sibling to stand before, by its rank; -1 is a node from elsewhere.
perhaps = st.sampled_from([None, None, 0, 1, 2, 3, 0, 1, -1])
Problem = type[TreeError] | None


class Model:
    """The tree as it has to be."""

    def __init__(self) -> None:
        self.parent: dict[int, int | None] = {ROOT_ID: None}
        self.name = {ROOT_ID: ""}
        self.children: dict[int, list[int]] = {ROOT_ID: []}

    def section(self, node_id: int) -> Iterator[int]:
        yield node_id
        for child in self.children[node_id]:
            yield from self.section(child)

    def place(self, node_id: int, parent: int, name: str, before: int | None) -> None:
        siblings = self.children[parent]
        siblings.insert(len(siblings) if before is None else siblings.index(before), node_id)
        self.parent[node_id], self.name[node_id] = parent, normalize(name)
        self.children.setdefault(node_id, [])

    def unplace(self, node_id: int) -> None:
        self.children[self.parent[node_id]].remove(node_id)

    def forget(self, node_id: int) -> None:
        self.unplace(node_id)
        for gone in list(self.section(node_id)):
            del self.parent[gone], self.name[gone], self.children[gone]

    def problem_of_name(self, parent: int, name: str, but: int | None = None) -> Problem:
        name = normalize(name)
        if problem_with(name) or (parent == ROOT_ID and name in RESERVED):
            return InvalidName
        others = [child for child in self.children[parent] if child != but]
        return NameTaken if name in [self.name[child] for child in others] else None

    def problem_of_place(self, parent: int, before: int | None) -> Problem:
        return None if before in [None, *self.children[parent]] else NotASibling


class TreeMachine(RuleBasedStateMachine):
    """The tree in one transaction that is rolled back at the end."""

    def __init__(self, database: Database, rows: Callable[..., Any]) -> None:
        super().__init__()
        self.manager = transaction.TransactionManager(explicit=True)
        self.manager.begin()
        self.session = database.write_session(self.manager)
        self.events: list[Any] = []
        self.tree = Tree(self.session, notify=self.events.append, reserved=RESERVED)
        self.model = Model()
        self.rows = rows

    def teardown(self) -> None:
        self.manager.abort()

    def pick(self, rank: int) -> int:
        ids = sorted(self.model.parent)
        return ids[rank % len(ids)]

    def pick_child(self, parent: int | None, rank: int | None) -> int | None:
        children = self.model.children.get(parent) or [ROOT_ID]
        if rank == -1:
            return max(self.model.parent)
        return None if rank is None else children[rank % len(children)]

    def node(self, node_id: int | None) -> Any:
        return None if node_id is None else self.session.get_one(Node, node_id)

    def attempt(self, operation: Callable[[], Any], *problems: Problem) -> Any:
        """Return what the operation returns; None if it was refused, as it had to be."""
        expected = tuple(problem for problem in problems if problem)
        before = self.rows(self.session)
        try:
            result = operation()
        except expected:
            assert self.rows(self.session) == before
            return None
        assert not expected, f"should have been refused with {expected}"
        return result

    @initialize()
    def plant(self) -> None:
        for name in "stuv":
            node = self.tree.add(self.node(max(self.model.parent)), Folder(title=name), name)
            self.model.place(node.id, node.parent_id, name, None)

    def has_room(self) -> bool:
        return len(self.model.parent) < 12

    @precondition(has_room)
    @rule(at=a_node, name=a_name, before=perhaps)
    def add(self, at: int, name: str, before: int | None) -> None:
        parent = self.pick(at)
        sibling = self.pick_child(parent, before)
        node = self.attempt(
            lambda: self.tree.add(
                self.node(parent), Folder(title="T"), name, before=self.node(sibling)
            ),
            self.model.problem_of_name(parent, name),
            self.model.problem_of_place(parent, sibling),
        )
        if node:
            self.model.place(node.id, parent, name, sibling)

    @precondition(has_room)
    @rule(at=a_node, names=st.lists(a_name, max_size=3))
    def add_many(self, at: int, names: list[str]) -> None:
        parent = self.pick(at)
        nodes = [Folder(title="T", name=name) for name in names]
        twice = len(set(map(normalize, names))) < len(names)
        self.attempt(
            lambda: self.tree.add_many(self.node(parent), nodes),
            *(self.model.problem_of_name(parent, name) for name in names),
            NameTaken if twice else None,
        )
        for node in nodes:
            if node in self.session:
                self.model.place(node.id, parent, node.name, None)

    @rule(at=a_node, name=a_name)
    def rename(self, at: int, name: str) -> None:
        node_id = self.pick(at)
        parent = self.model.parent[node_id]
        problem = (
            RootIsFixed if parent is None else self.model.problem_of_name(parent, name, node_id)
        )
        if self.attempt(lambda: self.tree.rename(self.node(node_id), name), problem):
            self.model.name[node_id] = normalize(name)

    @rule(at=a_node, to=a_node, name=st.none() | a_name, before=perhaps)
    def move(self, at: int, to: int, name: str | None, before: int | None) -> None:
        node_id, parent = self.pick(at), self.pick(to)
        sibling = self.pick_child(parent, before)
        stays = parent == self.model.parent[node_id]
        new_name = self.model.name[node_id] if name is None else name
        node = self.attempt(
            lambda: self.tree.move(
                self.node(node_id), self.node(parent), name, before=self.node(sibling)
            ),
            RootIsFixed if node_id == ROOT_ID else None,
            MoveIntoItself if parent in self.model.section(node_id) else None,
            self.model.problem_of_name(parent, new_name, node_id if stays else None),
            self.model.problem_of_place(parent, sibling),
        )
        if node and sibling == node_id:
            self.model.name[node_id] = normalize(new_name)
        elif node:
            self.model.unplace(node_id)
            self.model.place(node_id, parent, new_name, sibling)

    @precondition(has_room)
    @rule(at=a_node, to=a_node, name=st.none() | a_name, before=perhaps)
    def copy(self, at: int, to: int, name: str | None, before: int | None) -> None:
        node_id, parent = self.pick(at), self.pick(to)
        sibling = self.pick_child(parent, before)
        new_name = self.model.name[node_id] if name is None else name
        copied = self.attempt(
            lambda: self.tree.copy(
                self.node(node_id), self.node(parent), name, before=self.node(sibling)
            ),
            RootIsFixed if node_id == ROOT_ID else None,
            self.model.problem_of_name(parent, new_name),
            self.model.problem_of_place(parent, sibling),
        )
        if copied:
            event = self.events[-1]
            assert isinstance(event, NodeCopied)
            section = list(self.model.section(node_id))
            assert set(event.copies) == set(section)
            names = {event.copies[original]: self.model.name[original] for original in section}
            children = {original: list(self.model.children[original]) for original in section}
            self.model.place(copied.id, parent, new_name, sibling)
            for original in section:
                for child in children[original]:
                    copy = event.copies[child]
                    self.model.place(copy, event.copies[original], names[copy], None)

    @rule(at=a_node, before=perhaps)
    def reorder(self, at: int, before: int | None) -> None:
        node_id = self.pick(at)
        parent = self.model.parent[node_id]
        sibling = self.pick_child(parent, before)
        problem = RootIsFixed if parent is None else self.model.problem_of_place(parent, sibling)
        node = self.attempt(
            lambda: self.tree.reorder(self.node(node_id), self.node(sibling)), problem
        )
        if node and sibling != node_id:
            self.model.unplace(node_id)
            self.model.place(node_id, parent, self.model.name[node_id], sibling)

    @rule(at=a_node)
    def delete(self, at: int) -> None:
        node_id = self.pick(at)
        self.attempt(
            lambda: self.tree.purge(self.node(node_id)),
            RootIsFixed if node_id == ROOT_ID else None,
        )
        if node_id != ROOT_ID:
            self.model.forget(node_id)

    @invariant()
    def database_is_as_the_model(self) -> None:
        rows = self.rows(self.session)
        assert {node_id: (parent, name) for node_id, (parent, name, *_) in rows.items()} == {
            node_id: (parent, self.model.name[node_id])
            for node_id, parent in self.model.parent.items()
        }
        children: dict[int, list[int]] = {node_id: [] for node_id in rows}
        for node_id, (parent, _, _, _) in sorted(rows.items(), key=lambda row: (row[1][2], row[0])):
            if parent is not None:
                children[parent].append(node_id)
        assert children == self.model.children
        assert set(self.model.section(ROOT_ID)) == set(rows)

    @invariant()
    def check_finds_nothing(self) -> None:
        assert list(check_tree(self.session)) == []

    @invariant()
    def loaded_nodes_are_not_stale(self) -> None:
        rows = self.rows(self.session)
        for node in self.session.identity_map.values():
            if isinstance(node, Node) and "position" in node.__dict__:
                assert [node.parent_id, node.name, node.position, node.type] == rows[node.id]
                assert not inspect(node).modified

    @invariant()
    def every_node_is_found_by_its_path(self) -> None:
        root = self.node(ROOT_ID)
        leaves = [node_id for node_id, below in self.model.children.items() if not below]
        for node in map(self.node, leaves):
            found = find_resource(root, resource_path(node))
            for place, expected in zip(lineage(found), lineage(node), strict=True):
                assert place is expected
                assert place is self.node(place.id)


def test_operations_keep_the_tree_as_a_simple_model_says(
    shared: Database, traversing: Any, node_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small gaps, so that they are used up soon.
    monkeypatch.setattr(placing, "POSITION_GAP", 2)
    run_state_machine_as_test(
        lambda: TreeMachine(shared, node_rows),
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        ),
    )
