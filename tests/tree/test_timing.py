"""Pages that appear and disappear on time, whoever reads, even if nobody does anything."""

import datetime as dt

import pytest
from sqlalchemy import select

from myproject.db.base import utcnow
from myproject.tree.listing import load_children
from myproject.tree.node import DRAFT, PUBLISHED, Node
from myproject.tree.traversal import load_lineage
from myproject.tree.urls import paths_of
from myproject.tree.visibility import EVERYTHING, PUBLISHED_ONLY

PAST, FUTURE = -dt.timedelta(minutes=1), dt.timedelta(minutes=1)

#: State, when it is published, when it expires -> the state that readers see.
CASES = [
    (PUBLISHED, None, None, PUBLISHED),
    (DRAFT, None, None, DRAFT),
    (DRAFT, PAST, None, PUBLISHED),
    (DRAFT, FUTURE, None, DRAFT),
    (PUBLISHED, FUTURE, None, PUBLISHED),
    (PUBLISHED, None, PAST, DRAFT),
    (PUBLISHED, None, FUTURE, PUBLISHED),
    (DRAFT, PAST, FUTURE, PUBLISHED),
    (DRAFT, 2 * PAST, PAST, DRAFT),
]


@pytest.fixture(params=CASES)
def case(request, tree, plant):
    """A page with times, and the state that readers see."""
    state, publish, expire, seen = request.param
    page = plant(tree, {"page": {"below": {}}})["page"]
    page.state = state
    page.publish_at = publish and utcnow() + publish
    page.expire_at = expire and utcnow() + expire
    tree.session.flush()
    return page, seen


def test_lists_paths_and_entities_agree(tree, root, case):
    page, seen = case
    session, shown = tree.session, seen == PUBLISHED
    rows, _ = load_children(session, root.id, PUBLISHED_ONLY)
    assert bool(rows) is shown
    assert page.seen_state == seen
    below = page["below"].id
    assert set(paths_of(session, [page.id, below], PUBLISHED_ONLY)) == (
        {page.id, below} if shown else set()
    )
    assert len(load_children(session, root.id, EVERYTHING)[0]) == 1
    assert set(paths_of(session, [below], EVERYTHING)) == {below}


def test_the_trash_hides_what_is_due(tree, root, plant):
    page = plant(tree, {"page": {}})["page"]
    page.publish_at = utcnow() + PAST
    tree.trash(page)
    assert load_children(tree.session, root.id, EVERYTHING)[0] == []
    assert page.seen_state == "trashed"


def test_the_lineage_tells_when_something_was_due_last(tree, plant):
    assert load_lineage(tree.session, []).due_at is None
    nodes = plant(tree, {"a": {}, "b": {}, "c": {}})
    nodes["a"].publish_at = utcnow() + 2 * PAST
    nodes["b"].expire_at = utcnow() + PAST
    nodes["c"].publish_at = utcnow() + FUTURE
    tree.session.flush()
    assert load_lineage(tree.session, []).due_at == nodes["b"].expire_at


def test_a_copy_waits_for_nothing(tree, root, plant):
    page = plant(tree, {"page": {}})["page"]
    page.publish_at = page.expire_at = utcnow() + FUTURE
    page.draft_id = 1
    tree.session.flush()
    copied = tree.copy(page, root, "copy")
    assert (copied.publish_at, copied.expire_at, copied.draft_id) == (None, None, None)


def test_a_copy_of_what_is_over_is_over_too(tree, root, plant):
    nodes = plant(tree, {"page": {"old": {}, "new": {}}})
    nodes["page/old"].expire_at = utcnow() + PAST
    nodes["page/new"].expire_at = utcnow() + FUTURE
    tree.session.flush()
    tree.copy(nodes["page"], root, "copy")
    seen = {
        node.name: node.seen_state
        for node in tree.session.scalars(select(Node).where(Node.name.in_(["old", "new"])))
        if node is not nodes["page/old"] and node is not nodes["page/new"]
    }
    assert seen == {"old": "draft", "new": "published"}
