"""Lists: every child once, whatever happens meanwhile, and at the cost of what is shown."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import String, cast, event, insert, literal, select, text, true

from myproject.content.types import Folder
from myproject.db.base import TaggedJSON, UTCDateTime, utcnow
from myproject.db.engine import Database
from myproject.exceptions import InvalidValue
from myproject.tree.listing import (
    START,
    Key,
    load_children,
    load_neighbourhood,
    load_similar,
)
from myproject.tree.node import DRAFT, PUBLISHED, ROOT_ID, Node
from myproject.tree.traversal import load_lineage
from myproject.tree.urls import paths_of
from myproject.tree.visibility import NONE, PUBLISHED_ONLY, BoundarySet, Visibility


def names(rows):
    return [row.name for row in rows]


@pytest.fixture
def parent(tree, plant):
    return plant(tree, {"parent": {}, "empty": {}})["parent"]


def key_of(row):
    return Key(row.position, row.id)


def walk(session, node_id, page, meanwhile=lambda: None):
    seen, after, more = [], START, True
    while more:
        rows, more = load_children(session, node_id, PUBLISHED_ONLY, after=after, page=page)
        assert len(rows) <= page
        seen += names(rows)
        assert len(seen) < 1000, "the walk does not end"
        after = key_of(rows[-1]) if rows else after
        meanwhile()
    return seen


@pytest.mark.parametrize("page", [1, 7, 24, 25, 26])
def test_pages_hold_every_child_once_and_in_order(tree, parent, fill, page):
    fill(tree.session, parent.id, 25)
    assert walk(tree.session, parent.id, page) == [f"n{number}" for number in range(25)]


def test_children_at_one_position_are_not_lost_between_pages(tree, parent, fill):
    fill(tree.session, parent.id, 10)
    tree.session.execute(text(f"UPDATE node SET position = 5 WHERE parent_id = {parent.id}"))
    assert walk(tree.session, parent.id, 3) == [f"n{number}" for number in range(10)]


def test_children_added_and_deleted_meanwhile_disturb_no_other(tree, parent, fill):
    fill(tree.session, parent.id, 20)
    numbers = iter(range(100))

    def meanwhile():
        number = next(numbers)
        first = tree.session.get_one(
            Node, load_children(tree.session, parent.id, PUBLISHED_ONLY)[0][0].id
        )
        tree.add(parent, Folder(title="New"), f"new{number}", before=first)
        if number == 2:
            tree.purge(first)

    seen = walk(tree.session, parent.id, 4, meanwhile)
    assert [name for name in seen if not name.startswith("new")] == [f"n{n}" for n in range(20)]
    assert len(seen) == len(set(seen))


def test_drafts_are_listed_nowhere(tree, parent, fill, plant):
    fill(tree.session, parent.id, 3, state=DRAFT)
    shown = tree.add(parent, Folder(title="Shown"), "shown")
    rows, more = load_children(tree.session, parent.id, PUBLISHED_ONLY)
    assert (names(rows), more) == (["shown"], False)
    assert names(load_neighbourhood(tree.session, shown, PUBLISHED_ONLY).siblings) == ["shown"]
    assert names(load_neighbourhood(tree.session, parent, PUBLISHED_ONLY).children) == ["shown"]
    assert load_similar(tree.session, parent.id, "n1", PUBLISHED_ONLY) == []


def test_a_row_knows_whether_it_has_children_to_show(tree, parent, plant, fill):
    nodes = plant(tree, {"a": {"x": {}}, "b": {"y": {}}, "c": {}}, parent)
    nodes["b/y"].state = DRAFT
    tree.session.flush()
    rows, _ = load_children(tree.session, parent.id, PUBLISHED_ONLY)
    assert {row.name: row.has_children for row in rows} == {"a": True, "b": False, "c": False}


@pytest.mark.parametrize(
    ("here", "window", "expected", "more_before", "more_after"),
    [
        (0, 3, [0, 1, 2], False, True),
        (2, 3, [0, 1, 2, 3, 4], False, True),
        (5, 3, [2, 3, 4, 5, 6, 7], True, True),
        (9, 3, [6, 7, 8, 9], True, False),
        (5, 30, list(range(10)), False, False),
        (5, 0, [], True, True),
    ],
)
def test_a_window_of_siblings_surrounds_a_node(
    tree, parent, fill, here, window, expected, more_before, more_after
):
    ids = fill(tree.session, parent.id, 10)
    node = tree.session.get_one(Node, ids[here])
    around = load_neighbourhood(tree.session, node, PUBLISHED_ONLY, window=window)
    assert names(around.siblings) == [f"n{number}" for number in expected]
    assert (around.more_before, around.more_after) == (more_before, more_after)


def test_the_root_has_children_and_no_siblings(tree, root, parent):
    around = load_neighbourhood(tree.session, root, PUBLISHED_ONLY)
    assert around.siblings == []
    assert names(around.children) == ["parent", "empty"]


def test_the_children_of_a_neighbourhood_continue_from_a_key(tree, parent, fill):
    fill(tree.session, parent.id, 10)
    first = load_neighbourhood(tree.session, parent, PUBLISHED_ONLY, page=6)
    assert (names(first.children), first.more_children) == ([f"n{n}" for n in range(6)], True)
    after = key_of(first.children[-1])
    rest = load_neighbourhood(tree.session, parent, PUBLISHED_ONLY, after=after, page=6)
    assert (names(rest.children), rest.more_children) == (["n6", "n7", "n8", "n9"], False)


def test_positions_beyond_32_bits_and_below_zero_are_found(tree, parent):
    places = [-(1 << 62), -1, 0, 1 << 40, 1 << 62]
    for place in places:
        tree.add(parent, Folder(title="T"), f"at{place}").position = place
    tree.session.flush()
    assert walk(tree.session, parent.id, 2) == [f"at{place}" for place in places]


@pytest.mark.parametrize("key", [Key(0, 1), Key(-(1 << 50), 7), Key(1 << 56, 1 << 50)])
def test_a_key_can_be_written_and_read(key):
    assert Key.parse(str(key)) == key


@pytest.mark.parametrize(
    "bad",
    [
        *("", ".", "1", "1.", ".1", "a.b", "1.2.3", "1,2", "1.-2", " 1.2", "1.2 ", "1.2\n"),
        *("1_0.2", "١.٢", "+1.2", "0x1.2", "1.2e3", "nan.1", "1\0.2"),
        *("9" * 19 + ".1", "1." + "9" * 5000),
    ],
)
def test_what_is_not_a_key_is_refused(bad):
    with pytest.raises(InvalidValue, match="There is no such place"):
        Key.parse(bad)


def test_similar_names_are_those_that_begin_alike_or_stand_elsewhere(tree, parent, plant):
    inside = plant(tree, {"install": {}, "Instance": {}, "other": {}}, parent)
    outside = plant(tree, {"inside": {"installation": {}}, "elsewhere": {"instal": {}}})
    found = load_similar(tree.session, parent.id, "instal", PUBLISHED_ONLY)
    assert set(found) == {
        inside["install"].id,
        inside["Instance"].id,
        outside["elsewhere/instal"].id,
    }
    assert len(load_similar(tree.session, parent.id, "instal", PUBLISHED_ONLY, limit=1)) == 2


# What it costs


CHILDREN = "ix_node_parent_id_position_id"


def add_children(connection, parents, count):
    """Give each node of the query *parents* so many children, within the database."""
    table = Node.__table__
    numbers = select(literal(0).label("number")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.number + 1).where(numbers.c.number < count - 1))
    above, number = parents.subquery(), numbers.c.number
    values = {
        table.c.parent_id: above.c.id,
        table.c.name: literal("n").concat(cast(number, String)),
        table.c.position: number * 65_536,
        table.c.type: literal("folder"),
        table.c.title: literal("Title"),
        table.c.nav_title: literal(""),
        table.c.summary: literal(""),
        table.c.state: literal(PUBLISHED),
        table.c.created_at: literal(utcnow(), UTCDateTime),
        table.c.modified_at: literal(utcnow(), UTCDateTime),
        table.c.extra: literal({}, TaggedJSON),
    }
    rows = select(*values.values()).join_from(above, numbers, true())
    connection.execute(insert(table).from_select(list(values), rows, include_defaults=False))


def _crowd(backend):
    """A database of 100,000 nodes, 10,000 of them below the root, that was never analysed."""
    database, node = Database(backend.create()), Node.__table__
    with database.writer.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("ALTER TABLE node SET (autovacuum_enabled = false)"))
        add_children(connection, select(node.c.id).where(node.c.id == ROOT_ID), 10_000)
        some = select(node.c.id).where(node.c.parent_id == ROOT_ID, node.c.position < 100 << 16)
        add_children(connection, some, 900)
    yield database
    database.dispose()
    backend.drop(database.url)


@pytest.fixture(scope="module")
def sqlite_crowd(sqlite_backend):
    yield from _crowd(sqlite_backend)


@pytest.fixture(scope="module")
def postgresql_crowd(postgresql_backend):
    yield from _crowd(postgresql_backend)


@pytest.fixture(params=["sqlite", "postgresql"])
def crowd(request):
    return request.getfixturevalue(f"{request.param}_crowd")


@pytest.fixture
def session(crowd):
    session = crowd.read_session()
    yield session
    session.close()


@pytest.fixture
def plans(crowd):
    """The query plan of each statement from now on."""
    found = []
    prefix = "EXPLAIN QUERY PLAN " if crowd.is_sqlite else "EXPLAIN "

    def explain(connection, cursor, statement, parameters, context, many):
        cursor.execute(prefix + statement, parameters)
        found.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

    event.listen(crowd.reader, "before_cursor_execute", explain)
    yield found
    event.remove(crowd.reader, "before_cursor_execute", explain)


@pytest.fixture
def analysed(crowd):
    with crowd.writer.begin() as connection:
        connection.execute(text("ANALYZE node"))


def assert_reads_by_index(plan, index):
    assert not re.search(r"Seq Scan on node|SCAN (node|child|above)\b", plan), plan
    assert index in plan, plan


def assert_a_deep_path_is_read_by_index(crowd, session, plans):
    assert len(load_lineage(session, ["n7", "n899", "missing"]).nodes) == 3
    unique = "sqlite_autoindex_node_1" if crowd.is_sqlite else "uq_node_parent_id_name"
    assert_reads_by_index(plans[0], unique)


# Keep this before the tests that have the database analysed.
def test_a_deep_path_is_read_by_index_in_a_database_never_analysed(crowd, session, plans):
    assert_a_deep_path_is_read_by_index(crowd, session, plans)


def test_a_deep_path_is_read_by_index(crowd, session, analysed, plans):
    assert_a_deep_path_is_read_by_index(crowd, session, plans)


@pytest.mark.parametrize(
    "seen",
    [
        PUBLISHED_ONLY,
        Visibility(BoundarySet(frozenset({ROOT_ID})), NONE),
        Visibility(BoundarySet(frozenset({ROOT_ID, 7})), BoundarySet(frozenset({ROOT_ID}))),
        Visibility(BoundarySet(frozenset(range(2, 2000)), are_members=False), NONE),
    ],
    ids=["published", "one boundary", "some", "all but some"],
)
def test_lists_of_many_children_are_read_by_index_and_not_sorted(session, analysed, plans, seen):
    root = session.get_one(Node, ROOT_ID)
    first, middle = root["n0"], root["n5000"]
    del plans[:]
    assert len(load_children(session, ROOT_ID, seen)[0]) == 50
    load_children(session, ROOT_ID, seen, after=key_of(middle))
    load_neighbourhood(session, first, seen)
    load_neighbourhood(session, middle, seen)
    assert len(plans) == 4
    for plan in plans:
        assert_reads_by_index(plan, CHILDREN)
        assert not re.search(r"Sort|TEMP B-TREE", plan), plan


def test_the_last_page_is_planned_like_the_first(session, analysed, plans):
    root = session.get_one(Node, ROOT_ID)
    places = [key_of(root["n0"]), key_of(root["n9940"])]
    del plans[:]
    for place in places:
        rows, more = load_children(session, ROOT_ID, PUBLISHED_ONLY, after=place)
        assert (len(rows), more) == (50, True)
    first, last = (re.sub(r"\(cost.*|'[^']*'", "", plan) for plan in plans)
    assert first == last


def test_the_paths_of_a_list_are_read_by_index(crowd, session, analysed, plans):
    rows, _ = load_children(session, ROOT_ID, PUBLISHED_ONLY, page=40)
    assert len(paths_of(session, [row.id for row in rows], PUBLISHED_ONLY)) == 40
    assert_reads_by_index(plans[-1], "PRIMARY KEY" if crowd.is_sqlite else "pk_node")
