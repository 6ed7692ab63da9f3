"""Two connections at once: one wins, the other is told, and the tree stays a tree."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event
from typing import Any

import pytest
from pyramid_retry import IRetryableError
from sqlalchemy import select, text

from myproject.content.journal import Journal, Kind
from myproject.content.markup import MarkdownRenderer
from myproject.content.operations import create
from myproject.content.operations_log import Operation as Kept
from myproject.content.publishing import save_newest
from myproject.content.types import Folder, Page
from myproject.db.engine import Database
from myproject.exceptions import CannotUndo, MoveIntoItself, NameTaken, NodeGone, TreeError
from myproject.tree.actor import Actor
from myproject.tree.check import check_tree
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.operations import Tree
from myproject.tree.placing import way_up

Operation = Callable[..., Any]


def load(session: Any, ids: list[int]) -> list[Node]:
    nodes = [session.get(Node, node_id) for node_id in ids]
    if None in nodes:
        raise NodeGone
    return nodes


@pytest.fixture
def contend(database: Database) -> Callable[..., Future[Any]]:
    """``contend(first, second, ids)``: the second's outcome, which began before the first ended.

    Both get the tree and the nodes. On PostgreSQL the second has loaded its nodes before the first
    changes anything, and waits for a lock when the first commits; on SQLite it waits to begin.
    """

    def contend(first: Operation, second: Operation, ids: list[int]) -> Future[Any]:
        loaded, go = Event(), Event()

        def run_second() -> Any:
            with database.transaction() as session:
                nodes = [] if database.is_sqlite else load(session, ids)
                loaded.set()
                go.wait()
                second(Tree(session), *(nodes or load(session, ids)))

        with ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(run_second)
            loaded.wait()
            with database.transaction() as session:
                first(Tree(session), *load(session, ids))
                go.set()
                wait_until_blocked(database, outcome)
            outcome.exception()
        return outcome

    return contend


def wait_until_blocked(database: Database, outcome: Future[Any]) -> None:
    blocked = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    if database.is_sqlite:
        return
    with database.reader.connect() as connection:
        while not outcome.done() and not connection.scalar(blocked):
            time.sleep(0.005)


@pytest.fixture
def grown(database: Database, plant: Any) -> dict[str, int]:
    """Ids by path in a committed tree; ``""`` is the root."""
    with database.transaction() as session:
        nodes = plant(Tree(session), {"a": {"inner": {"leaf": {}}, "next": {}}, "b": {}})
        return {"": ROOT_ID} | {path: node.id for path, node in nodes.items()}


@contextmanager
def looking(database: Database) -> Iterator[Any]:
    session = database.read_session()
    yield session
    session.close()


def is_sound(database: Database) -> bool:
    with looking(database) as session:
        return list(check_tree(session)) == []


def test_two_moves_into_each_other_do_not_make_a_cycle(database, contend, grown):
    outcome = contend(
        lambda tree, a, b: tree.move(a, b),
        lambda tree, a, b: tree.move(b, a),
        [grown["a"], grown["b"]],
    )
    assert isinstance(outcome.exception(), MoveIntoItself)
    with looking(database) as session:
        assert list(way_up(session, grown["a"])) == [grown["a"], grown["b"], ROOT_ID]
    assert is_sound(database)


def test_a_move_sees_where_another_has_moved_the_node(database, contend, grown):
    seen = []
    outcome = contend(
        lambda tree, root, a, b, inner: tree.move(inner, b, "renamed"),
        lambda tree, root, a, b, inner: seen.append(tree.move(inner, a).name),
        [ROOT_ID, grown["a"], grown["b"], grown["a/inner"]],
    )
    assert outcome.exception() is None
    assert seen == ["renamed"]
    with looking(database) as session:
        assert session.get_one(Node, grown["a/inner"]).parent_id == grown["a"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            lambda tree, root, a, b: tree.add(root, Folder(title="New"), "new"),
            lambda tree, root, a, b: tree.add(root, Folder(title="New"), "new"),
        ),
        (
            lambda tree, root, a, b: tree.rename(a, "new"),
            lambda tree, root, a, b: tree.rename(b, "new"),
        ),
        (
            lambda tree, root, a, b: tree.move(a, b, "inner"),
            lambda tree, root, a, b: tree.add(b, Folder(title="Inner"), "inner"),
        ),
        (
            lambda tree, root, a, b: tree.copy(a, b, "new"),
            lambda tree, root, a, b: tree.copy(a, b, "new"),
        ),
    ],
    ids=["add", "rename", "move", "copy"],
)
def test_one_of_two_writers_gets_the_name(database, contend, grown, first, second):
    outcome = contend(first, second, [ROOT_ID, grown["a"], grown["b"]])
    assert isinstance(outcome.exception(), NameTaken)
    assert is_sound(database)


@pytest.mark.parametrize(
    "second",
    [
        lambda tree, a, b, inner: tree.add(a, Folder(title="New")),
        lambda tree, a, b, inner: tree.add(inner, Folder(title="New")),
        lambda tree, a, b, inner: tree.move(b, inner),
        lambda tree, a, b, inner: tree.move(inner, b),
        lambda tree, a, b, inner: tree.rename(inner, "new"),
        lambda tree, a, b, inner: tree.reorder(inner),
        lambda tree, a, b, inner: tree.copy(b, inner),
        lambda tree, a, b, inner: tree.purge(inner),
        lambda tree, a, b, inner: tree.purge(a),
    ],
    ids=[
        "add_below",
        "add_deeper",
        "move_into",
        "move_out",
        "rename",
        "reorder",
        "copy_into",
        "delete_below",
        "delete_twice",
    ],
)
def test_what_works_on_a_section_deleted_meanwhile_is_told(database, contend, grown, second):
    outcome = contend(
        lambda tree, a, b, inner: tree.purge(a),
        second,
        [grown["a"], grown["b"], grown["a/inner"]],
    )
    assert isinstance(outcome.exception(), NodeGone) or is_retryable(outcome.exception())
    with looking(database) as session:
        assert {node.id for node in session.query(Node)} == {ROOT_ID, grown["b"]}


def test_a_copy_out_of_a_section_deleted_meanwhile_is_whole_or_refused(database, contend, grown):
    outcome = contend(
        lambda tree, a, b, inner: tree.purge(a),
        lambda tree, a, b, inner: tree.copy(inner, b),
        [grown["a"], grown["b"], grown["a/inner"]],
    )
    assert is_sound(database)
    with looking(database) as session:
        copies = session.query(Node).where(Node.name.in_(["inner", "leaf"])).count()
    assert copies == (2 if outcome.exception() is None else 0)


def test_a_page_added_below_a_section_being_deleted_goes_with_it(database, contend, grown):
    outcome = contend(
        lambda tree, a: tree.add(a, Folder(title="New")),
        lambda tree, a: tree.purge(a),
        [grown["a"]],
    )
    assert outcome.exception() is None
    with looking(database) as session:
        assert {node.id for node in session.query(Node)} == {ROOT_ID, grown["b"]}


def is_retryable(error: BaseException | None) -> bool:
    """Whether the request that met *error* is run again: a busy SQLite, a deadlock."""
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return IRetryableError.providedBy(error) or sqlstate.startswith("40")


def test_a_crowd_of_moves_leaves_a_tree(database, plant):
    with database.transaction() as session:
        nodes = plant(Tree(session), {name: {"x": {}, "y": {}} for name in "abcd"})
        ids = [node.id for node in nodes.values()]
    start = Barrier(3)

    def move_about(seed: int) -> None:
        choose = random.Random(seed)
        start.wait()
        for _ in range(25):
            try:
                with database.transaction() as session:
                    node, parent = load(session, choose.sample(ids, 2))
                    Tree(session).move(node, parent, f"{node.id}")
            except TreeError:
                pass
            except Exception as error:
                if not is_retryable(error):
                    raise

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(move_about, seed) for seed in range(3)]:
            done.result()
    assert is_sound(database)
    with looking(database) as session:
        assert session.query(Node).count() == len(ids) + 1


@pytest.mark.parametrize("kind", [Kind.RENAME, Kind.MOVE, Kind.REORDER, Kind.DISCARD])
def test_of_two_who_undo_it_at_once_one_is_told_that_it_has_been_done(
    database: Database, contend: Any, kind: Kind
) -> None:
    renderer = MarkdownRenderer()
    with database.transaction() as session:
        tree = Tree(session, actor=Actor(7, "ann"))
        root = session.get_one(Node, ROOT_ID)
        first, second = (create(tree, root, Page(title=name), renderer) for name in ("a", "b"))
        save_newest(tree, first, {"body": "Next."}, renderer)
        journal = Journal(tree, renderer)
        operation = {
            Kind.RENAME: lambda: journal.rename(first, "new"),
            Kind.MOVE: lambda: journal.move([first], second),
            Kind.REORDER: lambda: journal.reorder(first),
            Kind.DISCARD: lambda: journal.discard(first),
        }[kind]()
        number, ids = operation.id, [first.id]

    def undo(tree: Tree, node: Node) -> None:
        tree.actor = Actor(7, "ann")
        Journal(tree, renderer).undo(tree.session.get_one(Kept, number))

    outcome = contend(undo, undo, ids)
    with pytest.raises(CannotUndo) as refused:
        outcome.result()
    assert refused.value.reason.interpolate() == "It has been undone already, by ann."
    with database.transaction() as session:
        assert len(session.scalars(select(Kept)).all()) == 2
