"""What boundaries cost to keep, what two at once do to them, and mending what was broken."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import event, insert, select, text, update

from myproject.content.types import Folder
from myproject.db.engine import Database
from myproject.exceptions import NodeGone
from myproject.security.access import ANONYMOUS, load_policies
from myproject.security.models import Grant, User
from myproject.security.permissions import Roles
from myproject.security.sharing import (
    INHERITING_RESUMED,
    INHERITING_STOPPED,
    Sharing,
    granted,
    revoked,
)
from myproject.tree.actor import Actor
from myproject.tree.boundaries import Boundary, misplaced, repair
from myproject.tree.check import check_tree
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.operations import Tree
from tests.security.slow import Slow
from tests.tree.test_concurrency import is_retryable, is_sound, looking

SHAPE = {"a": {"b": {"c": {}, "d": {}}, "e": {}}, "z": {"y": {}}}


def sharing_in(session):
    return Sharing(session, Roles(), Actor(), None)


@contextmanager
def written(session):
    """Collect the ids of node rows that a block writes, as the database itself tells."""
    ids: list[int] = []
    session.flush()
    if session.connection().dialect.name == "postgresql":
        before = dict(session.execute(text("SELECT id, ctid::text FROM node")).all())
        yield ids
        session.flush()
        after = dict(session.execute(text("SELECT id, ctid::text FROM node")).all())
        ids += [node_id for node_id, place in after.items() if before.get(node_id) != place]
        return
    session.execute(text("CREATE TEMP TABLE written (id INTEGER)"))
    for verb in ("UPDATE", "INSERT"):
        session.execute(
            text(
                f"CREATE TEMP TRIGGER on_{verb} AFTER {verb} ON main.node "
                "BEGIN INSERT INTO written VALUES (new.id); END"
            )
        )
    yield ids
    session.flush()
    ids += session.scalars(text("SELECT id FROM written")).all()
    for verb in ("UPDATE", "INSERT"):
        session.execute(text(f"DROP TRIGGER temp.on_{verb}"))
    session.execute(text("DROP TABLE temp.written"))


def updates(seen):
    return [statement for statement in seen if "UPDATE node SET" in statement]


@pytest.fixture
def place(tree, root, plant, people):
    nodes = {"": root, **plant(tree, SHAPE)}
    return nodes, people(tree.session, staff=["ann", "bob"]), sharing_in(tree.session)


# -- what is written ------------------------------------------------------------------------------


def test_making_a_boundary_is_one_update_of_the_section_and_changing_it_writes_no_node(
    shared, place, count_statements
):
    nodes, ids, sharing = place
    with written(sharing.session) as rows, count_statements(shared) as seen:
        sharing.make(nodes["a"], granted(ids["ann"], "reader"))
    assert sorted(rows) == sorted(nodes[path].id for path in nodes if path.startswith("a"))
    assert len(updates(seen)) == 1
    for change in (
        granted(ids["bob"], "author"),
        granted(1, "reader"),
        INHERITING_STOPPED,
        revoked(ids["ann"], "reader"),
        INHERITING_RESUMED,
        revoked(ids["bob"], "author"),
    ):
        with written(sharing.session) as rows, count_statements(shared) as seen:
            assert sharing.make(nodes["a"], change)
        assert rows == []
        assert updates(seen) == []
    with written(sharing.session) as rows, count_statements(shared) as seen:
        sharing.make(nodes["a"], revoked(1, "reader"))
    assert len(rows) == 5
    assert len(updates(seen)) == 1
    assert list(check_tree(sharing.session)) == []


def test_a_boundary_below_another_takes_only_its_own(place):
    nodes, _, sharing = place
    sharing.make(nodes["a/b"], INHERITING_STOPPED)
    with written(sharing.session) as rows:
        sharing.make(nodes["a"], INHERITING_STOPPED)
    assert sorted(rows) == sorted([nodes["a"].id, nodes["a/e"].id])


def test_a_move_writes_one_row_within_a_boundary_and_the_section_once_across(
    shared, place, tree, count_statements
):
    nodes, _, sharing = place
    sharing.make(nodes["z"], INHERITING_STOPPED)
    sharing.session.flush()
    with written(sharing.session) as rows, count_statements(shared) as seen:
        tree.move(nodes["a/b"], nodes["a/e"])
    assert rows == [nodes["a/b"].id]
    assert len(updates(seen)) == 1
    with written(sharing.session) as rows, count_statements(shared) as seen:
        tree.move(nodes["a/b"], nodes["z"])
    assert sorted(set(rows)) == sorted(nodes[path].id for path in ("a/b", "a/b/c", "a/b/d"))
    assert len(updates(seen)) == 2
    # One that is a boundary itself takes nothing along that would have to be told.
    sharing.make(nodes["a/b"], INHERITING_STOPPED)
    with written(sharing.session) as rows:
        tree.move(nodes["a/b"], nodes["a"])
    assert set(rows) == {nodes["a/b"].id}
    assert list(check_tree(sharing.session)) == []


def test_what_moves_into_a_private_section_is_private_and_the_other_way_round(place, tree):
    nodes, _, sharing = place
    sharing.make(nodes["z"], INHERITING_STOPPED)
    tree.move(nodes["a/b"], nodes["z"])

    def sees(path):
        policies = load_policies(sharing.session, sharing.roles)
        return "view" in policies.access(ANONYMOUS).at(nodes[path].boundary_id)

    assert not sees("a/b/c")
    assert sees("a/e")
    tree.move(nodes["a/b"], nodes["a"])
    assert sees("a/b/c")
    assert not sees("z/y")


@pytest.mark.parametrize(("source", "target"), [("a", ""), ("a", "z"), ("a/b", "a"), ("a", "a/e")])
def test_a_copy_keeps_private_things_private(site, source, target):
    with site.tree() as tree:
        for path in ("a", "a/b", "a/e", "z"):
            above, _, name = path.rpartition("/")
            tree.add(site.node(tree, above), Folder(title=name), name)
        tree.add(site.node(tree, "a/b"), Folder(title="c"), "c")
        user = User(name="ann", title="Ann")
        tree.session.add(user)
        tree.session.flush()
        sharing = sharing_in(tree.session)
        sharing.make(site.node(tree, "a/b"), INHERITING_STOPPED)
        sharing.make(site.node(tree, "a/b/c"), granted(user.id, "author"))
    with site.tree() as tree:
        tree.copy(site.node(tree, source), site.node(tree, target), "copy")
        ann = user.id
    with site.tree() as tree:
        assert list(check_tree(tree.session)) == []
        slow = Slow.of(tree.session)
        private = f"{target}/copy/b" if source == "a" else f"{target}/copy"
        copied = site.node(tree, private)
        assert slow.permissions(copied.id, {1, 2, ann}) == set()
        assert slow.permissions(copied["c"].id, {1}) == set()
        assert "edit" in slow.permissions(copied["c"].id, {ann})
        policies = load_policies(tree.session, Roles())
        assert policies.access(ANONYMOUS).at(copied["c"].boundary_id) == set()


# -- statements do not grow with a section --------------------------------------------------------


@contextmanager
def parameters(database):
    """Collect the numbers of parameters of single executions."""
    sizes: list[int] = []

    def remember(connection, cursor, statement, given, context, executemany):
        # A list holds the parameters of many executions.
        sizes.extend(len(row) for row in (given if isinstance(given, list) else [given]))

    event.listen(database.writer, "before_cursor_execute", remember)
    try:
        yield sizes
    finally:
        event.remove(database.writer, "before_cursor_execute", remember)


def test_no_statement_grows_with_the_section(shared, tree, root, fill):
    session, sharing = tree.session, sharing_in(tree.session)
    largest = []
    for number, size in enumerate((1_200, 2_400)):
        section = tree.add(root, Folder(title="S"), f"s{number}")
        other = tree.add(root, Folder(title="O"), f"o{number}")
        sharing.make(other, INHERITING_STOPPED)
        ids = fill(session, section.id, size)
        # Every second one is a boundary with a grant.
        table = Node.__table__
        session.execute(insert(Boundary), [{"node_id": i, "inherits": True} for i in ids[::2]])
        session.execute(
            insert(Grant), [{"node_id": i, "principal_id": 2, "role": "author"} for i in ids[::2]]
        )
        chosen = select(Boundary.node_id)
        session.connection().execute(
            update(table)
            .where(table.c.parent_id == section.id, table.c.id.in_(chosen))
            .values(boundary_id=table.c.id)
        )
        assert misplaced(session) == []
        with parameters(shared) as sizes:
            sharing.preview(section, INHERITING_STOPPED)
            sharing.make(section, INHERITING_STOPPED)
            sharing.preview(section, INHERITING_RESUMED)
            tree.move(section, other)
            tree.copy(section, root, f"c{number}")
            sharing.make(section, INHERITING_RESUMED)
            tree.move(section, root)
            load_policies(session, Roles())
            tree.purge(section)
        largest.append(max(sizes))
    assert largest[1] == largest[0], largest


# -- two at once ----------------------------------------------------------------------------------


@pytest.fixture
def grown(database: Database, plant):
    with database.transaction() as session:
        nodes = plant(Tree(session), SHAPE)
        return {"": ROOT_ID} | {path: node.id for path, node in nodes.items()}


def share(node):
    return lambda tree: sharing_in(tree.session).make(node, INHERITING_STOPPED)


ADDING = {
    "add": lambda tree, a, b, c, z: tree.add(c, Folder(title="New"), "new"),
    "add-many": lambda tree, a, b, c, z: tree.add_many(
        c, [Folder(title="New", name="new"), Folder(title="Newer", name="newer")]
    ),
    "move-in": lambda tree, a, b, c, z: tree.move(z, b),
    "move-out": lambda tree, a, b, c, z: tree.move(b, z),
    "copy-in": lambda tree, a, b, c, z: tree.copy(z, c),
    "copy-out": lambda tree, a, b, c, z: tree.copy(b, z),
}
SHARING = {
    "stop-above": lambda tree, a, b, c, z: share(a)(tree),
    "stop-at": lambda tree, a, b, c, z: share(b)(tree),
    "stop-elsewhere": lambda tree, a, b, c, z: share(z)(tree),
    "grant-above": lambda tree, a, b, c, z: sharing_in(tree.session).make(a, granted(2, "reader")),
}
PATHS = ["a", "a/b", "a/b/c", "z"]


@pytest.mark.parametrize("sharing", SHARING)
@pytest.mark.parametrize("adding", ADDING)
@pytest.mark.parametrize("first", ["sharing", "adding"])
def test_two_at_once_leave_no_node_in_a_wrong_boundary(
    database,
    contend,
    grown,
    adding,
    sharing,
    first,
):
    pair = [SHARING[sharing], ADDING[adding]]
    outcome = contend(*(pair if first == "sharing" else pair[::-1]), [grown[p] for p in PATHS])
    assert outcome.exception() is None or is_retryable(outcome.exception())
    assert is_sound(database)


@pytest.mark.parametrize("second", SHARING)
@pytest.mark.parametrize("first", SHARING)
def test_two_who_share_at_once_leave_no_node_in_a_wrong_boundary(
    database,
    contend,
    grown,
    first,
    second,
):
    outcome = contend(SHARING[first], SHARING[second], [grown[path] for path in PATHS])
    assert outcome.exception() is None
    assert is_sound(database)
    with looking(database) as session:
        slow = Slow.of(session)
        assert slow.boundaries >= {ROOT_ID}


@pytest.mark.parametrize("first", ["b", "c"])
def test_a_draw_erases_with_a_stale_boundary_in_memory(database, contend, grown, first):
    """The second has loaded its node before the first made the place above it a boundary."""

    def stop(tree, a, b):
        sharing_in(tree.session).make(a, INHERITING_STOPPED)

    def stop_and_resume(tree, a, b):
        sharing = sharing_in(tree.session)
        sharing.make(b, INHERITING_STOPPED)
        sharing.make(b, INHERITING_RESUMED)

    outcome = contend(
        stop, stop_and_resume, [grown["a"], grown["a/b" if first == "b" else "a/b/c"]]
    )
    assert outcome.exception() is None
    assert is_sound(database)


def test_sharing_what_is_deleted_meanwhile_says_so(database, contend, grown):
    outcome = contend(
        lambda tree, a, b: tree.purge(a),
        lambda tree, a, b: sharing_in(tree.session).make(b, INHERITING_STOPPED),
        [grown["a"], grown["a/b"]],
    )
    assert isinstance(outcome.exception(), NodeGone) or is_retryable(outcome.exception())
    assert is_sound(database)


def test_deleting_what_was_shared_meanwhile_goes_well(database, contend, grown):
    outcome = contend(
        lambda tree, a, b: sharing_in(tree.session).make(b, granted(2, "reader")),
        lambda tree, a, b: tree.purge(a),
        [grown["a"], grown["a/b"]],
    )
    assert outcome.exception() is None
    assert is_sound(database)
    with looking(database) as session:
        assert session.scalars(select(Boundary.node_id)).all() == [ROOT_ID]


# -- mending --------------------------------------------------------------------------------------


def test_what_was_broken_by_hand_is_found_and_mended(place):
    nodes, _, sharing = place
    session = sharing.session
    sharing.make(nodes["a/b"], INHERITING_STOPPED)
    right = Slow.of(session).boundary
    assert repair(session) == 0
    table = Node.__table__
    broken = {"a/b/c": ROOT_ID, "a/e": nodes["a/b"].id, "z": 999_999}
    for path, boundary_id in broken.items():
        session.connection().execute(
            update(table).where(table.c.id == nodes[path].id).values(boundary_id=boundary_id)
        )
    assert len(list(check_tree(session))) == 3
    assert {row[0] for row in misplaced(session)} == {nodes[path].id for path in broken}
    assert repair(session) == 3
    assert list(check_tree(session)) == []
    assert Slow.of(session).boundary == right
    assert nodes["z"].boundary_id == ROOT_ID


def test_a_root_without_a_boundary_is_found_and_mended(place):
    session = place[2].session
    session.connection().execute(Boundary.__table__.delete())
    assert any("root is not a boundary" in sentence for sentence in check_tree(session))
    repair(session)
    assert list(check_tree(session)) == []
