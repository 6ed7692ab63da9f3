"""The trash: one row is written, nothing is lost, and nobody sees what lies there."""

import pytest
from sqlalchemy import select

from myproject.content.types import Folder
from myproject.exceptions import (
    InTrash,
    MoveIntoItself,
    NameTaken,
    NodeGone,
    NotInTrash,
    RootIsFixed,
)
from myproject.tree.boundaries import draw
from myproject.tree.check import check_tree
from myproject.tree.events import NodeRestored, NodeTrashed
from myproject.tree.listing import load_children
from myproject.tree.node import DRAFT, PUBLISHED, TRASHED
from myproject.tree.operations import Tree
from myproject.tree.trash import Trashed
from myproject.tree.traversal import load_lineage
from myproject.tree.urls import paths_of
from myproject.tree.visibility import EVERYTHING, PUBLISHED_ONLY

SHAPE = {"docs": {"a": {"deep": {}}, "b": {}, "c": {}}, "news": {}}


@pytest.fixture
def section(tree, plant):
    return plant(tree, SHAPE)


def names(tree, node, visibility=EVERYTHING):
    rows, _ = load_children(tree.session, node.id, visibility)
    return [row.name for row in rows]


def test_one_row_of_the_tree_is_written(tree, section, node_rows):
    before = node_rows(tree.session)
    tree.trash(section["docs"])
    after = node_rows(tree.session)
    changed = {node_id for node_id in before if before[node_id] != after[node_id]}
    assert changed == {section["docs"].id}


def test_what_lies_in_the_trash_is_not_found(tree, section):
    docs = section["docs"]
    deep = section["docs/a/deep"]
    tree.trash(section["docs/a"])
    assert names(tree, docs) == names(tree, docs, PUBLISHED_ONLY) == ["b", "c"]
    assert len(load_lineage(tree.session, ["docs", "a", "deep"]).nodes) == 2
    assert len(load_lineage(tree.session, ["docs", section["docs/a"].name]).nodes) == 3
    for visibility in (EVERYTHING, PUBLISHED_ONLY):
        assert paths_of(tree.session, [docs.id, deep.id], visibility) == {docs.id: ("docs",)}


def test_it_comes_back_exactly_as_it_was(tree, section, node_rows):
    before = node_rows(tree.session)
    page = section["docs/b"]
    page.state = DRAFT
    tree.session.flush()
    tree.trash(page)
    assert page.state == TRASHED
    tree.restore(page)
    assert node_rows(tree.session) == before
    assert page.state == DRAFT
    assert tree.session.scalars(select(Trashed)).all() == []


def test_its_name_is_free_meanwhile(tree, section):
    page = section["docs/b"]
    tree.trash(page)
    tree.add(section["docs"], Folder(title="New"), "b")
    with pytest.raises(NameTaken):
        tree.restore(page)
    assert page.state == TRASHED
    tree.restore(page, name="b-2")
    assert (page.name, page.state) == ("b-2", PUBLISHED)


def test_it_moves_along_with_the_place_around_it(tree, section):
    page = section["docs/b"]
    tree.trash(page)
    tree.move(section["docs"], section["news"])
    tree.restore(page)
    assert [node.name for node in load_lineage(tree.session, ["news", "docs", "b"]).nodes] == [
        *("", "news", "docs", "b")
    ]


def test_it_can_come_back_elsewhere(tree, section):
    page = section["docs/a"]
    tree.trash(page)
    tree.restore(page, section["news"], "old")
    assert load_lineage(tree.session, ["news", "old", "deep"]).nodes[-1] is section["docs/a/deep"]


def test_it_takes_over_the_permissions_of_its_new_place(tree, section):
    draw(tree.session, section["news"])
    page = section["docs/a"]
    tree.trash(page)
    tree.restore(page, section["news"])
    assert section["docs/a/deep"].boundary_id == section["news"].id
    assert list(check_tree(tree.session)) == []


def test_permissions_that_change_around_it_hold_for_it(tree, section):
    tree.trash(section["docs/a"])
    draw(tree.session, section["docs"])
    tree.session.expire_all()
    assert section["docs/a/deep"].boundary_id == section["docs"].id


def test_it_cannot_come_back_into_itself_or_into_the_trash(tree, section):
    page = section["docs/a"]
    tree.trash(page)
    with pytest.raises((MoveIntoItself, InTrash)):
        tree.restore(page, section["docs/a/deep"])
    tree.trash(section["docs"])
    with pytest.raises(InTrash, match="docs"):
        tree.restore(page)
    tree.restore(page, section["news"])


@pytest.mark.parametrize(
    "operation",
    [
        lambda tree, node, other: tree.trash(node),
        lambda tree, node, other: tree.rename(node, "x"),
        lambda tree, node, other: tree.move(node, other),
        lambda tree, node, other: tree.copy(node, other),
        lambda tree, node, other: tree.reorder(node),
        lambda tree, node, other: tree.set_state(node, DRAFT),
        lambda tree, node, other: tree.move(other, node),
        lambda tree, node, other: tree.copy(other, node),
        lambda tree, node, other: tree.add(node, Folder(title="x")),
        lambda tree, node, other: tree.add_many(node, [Folder(title="x", name="x")]),
    ],
)
def test_nothing_else_is_done_with_it(tree, section, node_rows, operation):
    page = section["docs/a"]
    tree.trash(page)
    before = node_rows(tree.session)
    with pytest.raises(InTrash, match=r"is in the trash\. Restore it first"):
        operation(tree, page, section["news"])
    assert node_rows(tree.session) == before


def test_nothing_is_added_below_what_lies_in_the_trash(tree, section):
    tree.trash(section["docs"])
    with pytest.raises(InTrash):
        tree.add(section["docs/a/deep"], Folder(title="x"))


def test_a_copy_leaves_it_out(tree, section):
    tree.trash(section["docs/a"])
    tree.trash(section["docs/c"])
    copied = tree.copy(section["docs"], section["news"])
    assert names(tree, copied) == ["b"]
    assert list(check_tree(tree.session)) == []


def test_the_root_stays(tree, root):
    with pytest.raises(RootIsFixed):
        tree.trash(root)


def test_what_is_not_there_does_not_come_back(tree, section):
    with pytest.raises(NotInTrash):
        tree.restore(section["docs"])
    tree.trash(section["docs"])
    tree.purge(section["docs"])
    with pytest.raises(NodeGone):
        tree.restore(section["docs"])


def test_who_did_it_is_kept(tree, section):
    tree.actor = tree.actor._replace(id=7, name="ann")
    tree.trash(section["docs"])
    (row,) = tree.session.scalars(select(Trashed))
    assert (row.node_id, row.name, row.state) == (section["docs"].id, "docs", PUBLISHED)
    assert (row.actor_id, row.actor) == (7, "ann")


def test_purging_takes_what_the_trash_knows_of_it(tree, section):
    tree.trash(section["docs"])
    tree.purge(section["docs"])
    assert tree.session.scalars(select(Trashed)).all() == []


def test_events_say_what_it_was(tree, section):
    seen = []
    listening = Tree(tree.session, notify=seen.append)
    page = section["docs/b"]
    listening.trash(page)
    listening.restore(page, section["news"])
    assert seen == [
        NodeTrashed(page.id, page, "b", PUBLISHED),
        NodeRestored(page.id, page, section["docs"].id, "b"),
    ]


def test_the_check_finds_what_the_trash_does_not_know(tree, section):
    page = section["docs/b"]
    tree.trash(page)
    assert list(check_tree(tree.session)) == []
    page.name = "b"
    tree.session.flush()
    assert "does not say so" in "".join(check_tree(tree.session))
    tree.session.delete(tree.session.get_one(Trashed, page.id))
    tree.session.flush()
    assert "the trash does not know it" in "".join(check_tree(tree.session))
