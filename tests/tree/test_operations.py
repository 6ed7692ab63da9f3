"""What each operation writes, what it tells, and what it refuses."""

from __future__ import annotations

import pytest
import transaction
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from myproject.content.types import Folder, Page, UnavailableContent
from myproject.exceptions import (
    MoveIntoItself,
    NameTaken,
    NodeGone,
    NotAddable,
    NotASibling,
    TooDeep,
)
from myproject.tree import placing
from myproject.tree.events import (
    Committed,
    NodeAdded,
    NodeCopied,
    NodeDeleted,
    NodeMoved,
    NodeRenamed,
    NodeReordered,
)
from myproject.tree.listing import load_children
from myproject.tree.names import MAX_DEPTH
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.operations import Tree
from myproject.tree.traversal import load_lineage
from myproject.tree.visibility import PUBLISHED_ONLY


def changed_rows(before, after):
    assert before.keys() == after.keys()
    return {key for key, row in after.items() if before[key] != row}


def order(session, parent):
    columns = Node.__table__.c
    query = select(columns.name).where(columns.parent_id == parent.id)
    return list(session.scalars(query.order_by(columns.position, columns.id)))


@pytest.fixture
def section(tree, plant, fill):
    """Nodes by path: ``docs`` has 300 descendants, ``other`` none."""
    nodes = plant(tree, {"docs": {"a": {}, "b": {}, "c": {}}, "other": {}})
    for name in "abc":
        fill(tree.session, nodes[f"docs/{name}"].id, 99)
    return nodes


@pytest.mark.parametrize(
    "operation",
    [
        lambda tree, nodes: tree.rename(nodes["docs"], "manual"),
        lambda tree, nodes: tree.move(nodes["docs"], nodes["other"]),
        lambda tree, nodes: tree.move(nodes["docs"], nodes["other"], "manual"),
        lambda tree, nodes: tree.reorder(nodes["docs"]),
    ],
    ids=["rename", "move", "move_and_rename", "reorder"],
)
def test_an_operation_on_a_large_section_writes_one_row(
    tree, section, node_rows, shared, count_statements, operation
):
    before = node_rows(tree.session)
    with count_statements(shared) as statements:
        operation(tree, section)
    assert len([sql for sql in statements if sql.startswith("UPDATE node ")]) == 1
    # Nothing but the way from the old address to the new one.
    others = [sql.split()[:3] for sql in statements if sql.startswith(("INSERT", "DELETE"))]
    assert others in ([], [["INSERT", "INTO", "redirect"], ["DELETE", "FROM", "redirect"]])
    assert changed_rows(before, node_rows(tree.session)) == {section["docs"].id}


def test_deleting_a_large_section_takes_one_statement(tree, section, shared, count_statements):
    with count_statements(shared) as statements:
        tree.purge(section["docs"])
    assert len([sql for sql in statements if sql.startswith("DELETE")]) == 1
    assert tree.session.scalars(select(Node.name)).all() == ["", "other"]


def test_adding_many_looks_up_their_place_once(tree, root, shared, count_statements):
    def statements_for(count, parent):
        pages = [Page(title=f"P{n}", name=f"p{n}") for n in range(count)]
        with count_statements(shared) as statements:
            tree.add_many(parent, pages)
        assert order(tree.session, parent) == [page.name for page in pages]
        # SQLite, which is next door, is given rows one by one where their numbers are wanted.
        return [sql for sql in statements if not (shared.is_sqlite and sql.startswith("INSERT"))]

    first, second = (tree.add(root, Folder(title="F"), name) for name in "ab")
    assert len(statements_for(2, first)) == len(statements_for(100, second))


@pytest.mark.parametrize(
    ("before", "expected"), [("a", "bac"), ("b", "abc"), ("c", "abc"), (None, "acb")]
)
def test_reorder_puts_a_node_before_a_sibling_or_last(tree, section, before, expected):
    tree.reorder(section["docs/b"], section[f"docs/{before}"] if before else None)
    assert order(tree.session, section["docs"]) == list(expected)


def test_order_survives_that_the_room_between_two_siblings_is_used_up(
    tree, section, node_rows, monkeypatch
):
    monkeypatch.setattr(placing, "POSITION_GAP", 8)
    docs, names = section["docs"], ["a", "b", "c"]
    columns = Node.__table__.c
    closer = update(Node.__table__).values(position=columns.position / 8192)
    tree.session.execute(closer.where(columns.parent_id == docs.id))
    tree.session.expire_all()
    renumbered = 0
    for number in range(12):
        before = node_rows(tree.session)
        tree.add(docs, Folder(title="New"), f"n{number}", before=section["docs/c"])
        names.insert(-1, f"n{number}")
        after = node_rows(tree.session)
        assert order(tree.session, docs) == names
        renumbered += bool(changed_rows(before, {key: after[key] for key in before}))
        for node in section.values():
            assert node.position == after[node.id][2]
    assert 0 < renumbered < 12


def test_renumbering_does_not_trip_over_nodes_that_are_gone(tree, section, monkeypatch):
    monkeypatch.setattr(placing, "POSITION_GAP", 2)
    tree.add(section["docs"], Folder(title="D"), "d")
    held = tree.session.scalars(select(Node).where(Node.parent_id == section["docs/a"].id)).all()
    tree.purge(section["docs/a"])
    for number in range(3):
        tree.add(section["docs"], Folder(title="New"), f"n{number}", before=section["docs"]["d"])
    assert order(tree.session, section["docs"]) == ["b", "c", "n0", "n1", "n2", "d"]
    assert len(held) == 99


def test_a_refused_operation_takes_its_renumbering_back(tree, section, node_rows):
    tree.session.execute(update(Node.__table__).values(position=7))
    tree.session.expire_all()
    before = node_rows(tree.session)
    with pytest.raises(NameTaken):
        tree.add(section["docs"], Folder(title="A"), "a", before=section["docs/b"])
    assert node_rows(tree.session) == before
    assert section["docs/b"].position == 7


def test_siblings_at_one_position_can_still_be_told_apart(tree, section):
    columns = Node.__table__.c
    same = update(Node.__table__).where(columns.parent_id == section["docs"].id).values(position=7)
    tree.session.execute(same)
    tree.session.expire_all()
    tree.reorder(section["docs/c"], section["docs/b"])
    assert order(tree.session, section["docs"]) == ["a", "c", "b"]


def test_a_move_that_is_refused_its_name_does_not_reorder(tree, section, root):
    with pytest.raises(NameTaken):
        tree.move(section["docs"], root, "other")
    with pytest.raises(NotASibling):
        tree.move(section["docs"], root, "manual", before=section["docs/a"])
    assert order(tree.session, root) == ["docs", "other"]


def test_a_move_within_the_parent_renames_and_reorders(tree, section, root):
    tree.move(section["docs"], root, "manual")
    assert order(tree.session, root) == ["other", "manual"]


def test_a_node_that_was_refused_can_be_added_under_another_name(tree, section, root):
    page = Page(title="Docs", body="Text.")
    with pytest.raises(NameTaken, match="“Home” already has a page named “docs”"):
        tree.add(root, page)
    assert page not in tree.session
    tree.add(root, page, "documents")
    assert tree.session.get_one(Page, page.id).body == "Text."


def test_a_database_error_that_is_not_about_names_keeps_its_own_words(tree, root):
    with pytest.raises(IntegrityError, match="title"):
        tree.add(root, Folder(title=None), "t")
    assert tree.add(root, Folder(title="T"), "t").parent is root


def chain(tree, parent, levels):
    for _ in range(levels):
        parent = tree.add(parent, Folder(title="Level"), "x")
    return parent


def test_nothing_lies_deeper_than_an_address_may_be(tree, root, plant):
    deepest = chain(tree, root, MAX_DEPTH)
    with pytest.raises(TooDeep):
        tree.add(deepest, Folder(title="Too deep"))
    with pytest.raises(TooDeep):
        tree.add_many(deepest, [Folder(title="Too deep", name="y")])
    tall = plant(tree, {"tall": {"er": {}}})["tall"]
    for operation in (tree.move, tree.copy):
        with pytest.raises(TooDeep):
            operation(tall, deepest.parent)
    assert tree.move(tall, deepest.parent.parent).parent is deepest.parent.parent


def test_operations_on_what_this_transaction_deleted_say_that_it_is_gone(tree, section):
    gone = section["docs/a"]
    tree.purge(gone)
    with pytest.raises(NodeGone, match="“a” no longer exists"):
        tree.add(gone, Folder(title="New"))
    with pytest.raises(NodeGone):
        tree.purge(gone)


# Events


@pytest.fixture
def told(database):
    """The events that a block of operations on the committed database sends."""
    return []


def test_every_operation_tells_what_happened_and_again_after_the_commit(database, told):
    with database.transaction() as session:
        tree = Tree(session, notify=told.append)
        root = session.get_one(Node, ROOT_ID)
        a, b = (tree.add(root, Folder(title=name), name) for name in "ab")
        tree.add_many(b, [Folder(title="C", name="c")])
        tree.rename(a, "z")
        tree.move(a, b, "y")
        copied = tree.copy(b, root, "copy")
        tree.reorder(copied, b)
        tree.purge(copied)
        a_id, b_id, copy_id = a.id, b.id, copied.id
        events = list(told)
        assert [type(event) for event in events] == [
            NodeAdded, NodeAdded, NodeAdded, NodeRenamed, NodeMoved, NodeCopied, NodeReordered,
            NodeDeleted,
        ]  # fmt: skip
        _, _, _, renamed, moved, copy, _, deleted = events
        assert (renamed.node_id, renamed.old_name) == (a_id, "a")
        assert (moved.node_id, moved.old_parent_id, moved.old_name) == (a_id, ROOT_ID, "z")
        assert (copy.node_id, copy.source_id, len(copy.copies)) == (copy_id, b_id, 3)
        assert (deleted.node_id, deleted.node.title, deleted.node.name) == (copy_id, "b", "copy")
    assert told[len(events) :] == [Committed(event) for event in events]


def test_after_an_abort_nothing_is_told_to_have_been_committed(database, told):
    manager = transaction.TransactionManager(explicit=True)
    manager.begin()
    tree = Tree(database.write_session(manager), notify=told.append)
    tree.add(tree.session.get_one(Node, ROOT_ID), Folder(title="A"))
    manager.abort()
    assert [type(event) for event in told] == [NodeAdded]


def test_a_subscriber_that_raises_vetoes_the_operation(database, node_rows):
    def veto(event):
        raise PermissionError("not today")

    with pytest.raises(PermissionError), database.transaction() as session:
        Tree(session, notify=veto).add(session.get_one(Node, ROOT_ID), Folder(title="A"))
    with database.transaction() as session:
        assert len(node_rows(session)) == 1


# Copies


@pytest.fixture
def pages(tree, root):
    """A page with two children, the second of which has a child."""
    top = tree.add(root, Page(title="Top", body="# Top", extra={"tags": ["x"]}), "top")
    tree.add(top, Page(title="One", body="First.", toc=[[1, "one", "One"]]), "one")
    two = tree.add(top, Folder(title="Two"), "two")
    tree.add(two, Page(title="Three", body="Third."), "three")
    return top


def bodies(session, node):
    children = session.scalars(
        select(Node).where(Node.parent_id == node.id).order_by(Node.position, Node.id)
    )
    below = [bodies(session, child) for child in children]
    return (node.title, type(node), getattr(node, "body", None), getattr(node, "toc", None), below)


def test_a_copy_has_all_columns_of_all_tables_and_numbers_of_its_own(tree, root, pages, node_rows):
    before = node_rows(tree.session)
    copied = tree.copy(pages, root, "copy")
    after = node_rows(tree.session)
    assert bodies(tree.session, copied) == bodies(tree.session, pages)
    assert copied.extra == {"tags": ["x"]}
    assert {key: after[key] for key in before} == before
    assert len(after) == len(before) + 4


def test_a_section_can_be_copied_into_itself(tree, pages):
    two = pages["two"]
    expected = bodies(tree.session, pages)
    copied = tree.copy(pages, two, "again")
    assert copied.parent is two
    assert bodies(tree.session, copied) == expected
    assert "again" not in order(tree.session, copied["two"])


def test_a_section_larger_than_one_batch_is_copied_in_order(tree, root, plant, fill):
    top = plant(tree, {"top": {}})["top"]
    fill(tree.session, top.id, 1200)
    copied = tree.copy(top, root, "copy")
    assert order(tree.session, copied) == order(tree.session, top)


def test_a_section_cannot_be_moved_into_itself(tree, pages):
    for place in (pages, pages["two"], pages["two"]["three"]):
        with pytest.raises(MoveIntoItself, match="“Top” cannot be moved"):
            tree.move(pages, place)


# Content of a type whose add-on is not installed


@pytest.fixture
def orphaned(tree, section):
    """A section whose top has a type that nobody has registered."""
    columns = Node.__table__.c
    docs = section.pop("docs").id
    tree.session.execute(update(Node.__table__).where(columns.id == docs).values(type="gallery"))
    tree.session.expunge_all()
    return docs


def test_an_unknown_type_loads_as_unavailable_wherever_it_is_met(tree, orphaned):
    session = tree.session
    for load in (
        lambda: session.get_one(Node, orphaned),
        lambda: session.get_one(Node, ROOT_ID)["docs"],
        lambda: session.scalars(select(Node).where(Node.name == "docs")).one(),
        lambda: load_lineage(session, ["docs"]).nodes[-1],
        lambda: load_lineage(session, ["docs", "a"]).nodes[1],
        lambda: session.scalars(select(Node).where(Node.name == "a")).one().parent,
    ):
        session.expunge_all()
        node = load()
        assert (type(node), node.type, node.id) == (UnavailableContent, "gallery", orphaned)
    assert [row.type for row in load_children(session, ROOT_ID, PUBLISHED_ONLY)[0]] == [
        "gallery",
        "folder",
    ]


def test_unavailable_content_can_be_read_again(tree, orphaned):
    node = tree.session.get_one(Node, orphaned)
    tree.session.refresh(node)
    tree.session.expire(node)
    assert node.title == "docs"


def test_unavailable_content_keeps_its_type_through_operations(tree, orphaned, node_rows):
    session = tree.session
    node = session.get_one(Node, orphaned)
    other = session.scalars(select(Node).where(Node.name == "other")).one()
    with pytest.raises(NameTaken):
        tree.rename(node, "other")
    tree.rename(node, "manual")
    tree.move(node, other)
    tree.reorder(node)
    node.title = "Manual"
    session.flush()
    assert node_rows(session)[orphaned] == [other.id, "manual", node.position, "gallery"]
    tree.purge(node)
    assert node_rows(session).keys() == {ROOT_ID, other.id}


def test_a_section_with_unavailable_content_is_not_copied(tree, root, orphaned, node_rows):
    before = node_rows(tree.session)
    with pytest.raises(NotAddable, match="“gallery”, whose add-on is not installed"):
        tree.copy(tree.session.get_one(Node, orphaned), tree.session.get_one(Node, ROOT_ID), "copy")
    assert node_rows(tree.session) == before
