"""Undoing: what stands in its way is said at once for many operations, and in a few statements."""

import pytest
from sqlalchemy import select

from myproject.content.journal import Journal
from myproject.content.obstacles import Obstacles
from myproject.content.operations_log import (
    ALL_KINDS,
    UNDO,
    Audience,
    Filters,
    Kind,
    Operation,
    load_operation,
    load_operations,
    load_operations_within,
    recent_targets,
)
from myproject.content.types import Page
from myproject.exceptions import CannotUndo
from myproject.security.permissions import Permission
from myproject.testing.counting import statements
from myproject.tree.actor import Actor
from myproject.tree.node import DRAFT, ROOT_ID, Node
from myproject.tree.operations import Tree
from myproject.tree.visibility import ALL, NONE, BoundarySet
from tests.trees import set_state

ANN, BOB = Actor(7, "ann"), Actor(8, "bob")
EVERYBODY = Audience(None, ALL)


@pytest.fixture
def session(database):
    with database.transaction() as session:
        yield session


@pytest.fixture
def ann(session):
    return Journal(Tree(session, actor=ANN))


@pytest.fixture
def bob(session):
    return Journal(Tree(session, actor=BOB))


@pytest.fixture
def pages(ann, session):
    """``a/one``, ``a/two``, ``b`` and ``c``, by title."""
    root = session.get_one(Node, ROOT_ID)
    made = {}
    for title, above in (("a", None), ("b", None), ("c", None), ("one", "a"), ("two", "a")):
        made[title] = ann.tree.add(made.get(above, root), Page(title=title), title)
    return made


def why_not(session, operation):
    return Obstacles(session, [operation]).reason(operation)


def says(reason):
    return reason.interpolate() if reason is not None else None


def test_nothing_is_in_the_way_of_what_was_done_last(ann, pages, session):
    for operation in (
        ann.move([pages["one"], pages["two"]], pages["b"]),
        ann.rename(pages["a"], "x"),
        ann.trash([pages["c"]]),
    ):
        assert why_not(session, operation) is None


def test_a_later_change_of_one_of_its_pages_is_named_with_who_made_it(ann, bob, pages, session):
    moved = ann.move([pages["one"], pages["two"]], pages["b"])
    bob.rename(pages["two"], "zwei")
    assert says(why_not(session, moved)) == "“two” has been changed by bob since. Undo that first."
    with pytest.raises(CannotUndo):
        ann.undo(moved)


def test_what_was_taken_back_is_no_later_change(ann, bob, pages, session):
    moved = ann.move([pages["one"]], pages["b"])
    bob.undo(bob.rename(pages["one"], "eins"))
    assert why_not(session, moved) is None
    undone = ann.undo(moved)
    assert says(why_not(session, moved)) == "It has been undone already, by ann."
    # Undoing what has undone it does it once more, and that can be undone again.
    ann.undo(undone)
    assert pages["one"].parent_id == pages["b"].id
    assert why_not(session, moved) is None


def test_a_place_in_the_trash_or_gone_or_within_or_taken(ann, pages, session):
    moved = ann.move([pages["one"]], pages["b"])
    trashed = ann.trash([pages["a"]])
    assert "is in the trash" in says(why_not(session, moved))
    ann.undo(trashed)
    away = ann.move([pages["a"]], pages["c"])
    trashed = ann.trash([pages["c"]])
    # Not the place itself, but what it lies in.
    assert "“a”, where “one” was, is in the trash" in says(why_not(session, moved))
    ann.undo(trashed)
    ann.undo(away)
    within = ann.move([pages["a"]], pages["one"])
    assert "lies within it now" in says(why_not(session, moved))
    ann.undo(within)
    other = ann.tree.add(pages["a"], Page(title="Other"), "one")
    assert says(why_not(session, moved)) == (
        "There is another page called one at its old place now: “Other”."
    )
    ann.tree.purge(other)
    session.refresh(pages["a"])
    ann.tree.purge(pages["a"])
    assert "deleted for good" in says(why_not(session, moved))


def test_purging_and_what_was_purged(ann, pages, session):
    moved = ann.move([pages["one"]], pages["b"])
    purged = ann.purge([pages["one"]])
    assert says(why_not(session, purged)) == "What was deleted for good cannot be brought back."
    assert says(why_not(session, moved)) == "“one” has been deleted for good since."


def test_a_list_of_them_takes_as_many_statements_as_one(ann, bob, pages, database, session):
    def looked_at(operations):
        with statements(database) as seen:
            obstacles = Obstacles(session, operations)
            for operation in operations:
                obstacles.reason(operation)
                obstacles.needed(operation)
        return len(seen)

    first = ann.move([pages["one"]], pages["b"])
    session.flush()
    few = looked_at([first])
    many = [first]
    for number in range(10):
        many.append(bob.move([pages["one"], pages["two"]], pages["bc"[number % 2]]))
        many.append(set_state(bob, [pages["two"]], DRAFT if number % 2 else "published"))
    many = [operation for operation in many if operation]
    bob.undo(many[-1])
    assert looked_at(many) <= max(few, 6) + 1


def test_what_undoing_takes(ann, pages, session):
    boundaries = {ROOT_ID}

    def needed(operation):
        needs = Obstacles(session, [operation]).needed(operation)
        assert {boundary for boundary, _ in needs} <= boundaries
        return {permission for _, permission in needs}

    move, add, delete = Permission.MOVE, Permission.ADD, Permission.DELETE
    assert needed(ann.move([pages["one"]], pages["b"])) == {move, add}
    assert needed(ann.rename(pages["one"], "x")) == {move}
    assert needed(ann.reorder(pages["a"])) == {move}
    assert needed(ann.copy([pages["two"]], pages["b"])) == {delete}
    assert needed(set_state(ann, [pages["two"]], DRAFT)) == {Permission.PUBLISH}
    trashed = ann.trash([pages["two"]])
    assert needed(trashed) == {delete}
    assert needed(ann.undo(trashed)) == {delete}


def test_who_is_shown_what(ann, bob, pages, session):
    one, two = ann.rename(pages["a"], "x"), bob.rename(pages["b"], "y")
    purged = bob.purge([pages["c"]])

    def shown(audience, filters=ALL_KINDS):
        return [operation.id for operation in load_operations(session, audience, filters)[0]]

    assert shown(EVERYBODY) == [two.id, one.id]
    assert shown(Audience(None, ALL, gone=True)) == [purged.id, two.id, one.id]
    assert shown(Audience(ANN.id, NONE)) == [one.id]
    assert shown(Audience(BOB.id, NONE)) == [purged.id, two.id]
    assert shown(Audience(ANN.id, BoundarySet(frozenset({ROOT_ID})))) == [two.id, one.id]
    assert shown(EVERYBODY, Filters(person="OB")) == [two.id]
    assert shown(EVERYBODY, Filters(user_id=ANN.id)) == [one.id]
    assert shown(EVERYBODY, Filters(kind=Kind.MOVE)) == []
    undone = ann.undo(two)
    assert shown(EVERYBODY, Filters(kind=UNDO)) == [undone.id]
    assert shown(EVERYBODY, Filters(kind=Kind.RENAME)) == [two.id, one.id]
    assert load_operation(session, purged.id, EVERYBODY) is None
    assert load_operation(session, one.id, EVERYBODY) is one


def test_pages_of_a_list_follow_one_another(ann, pages, session):
    made = [ann.rename(pages["a"], f"n{number}").id for number in range(5)]
    found, before = [], None
    while True:
        page = load_operations(session, EVERYBODY, before=before, limit=2)
        found += [operation.id for operation in page.operations]
        before = page.following
        if before is None:
            break
    assert found == made[::-1]


def test_what_was_done_within_a_section(ann, pages, session):
    inside = ann.rename(pages["one"], "x")
    out = ann.move([pages["two"]], pages["b"])
    ann.rename(pages["c"], "y")
    own = ann.move([pages["c"], pages["a"]], pages["b"])

    def within(title, **limits):
        page = load_operations_within(session, pages[title].id, EVERYBODY, **limits)
        return [operation.id for operation in page.operations], page.following

    # What has left the section is not in it any more; that it itself was one of several counts.
    assert within("a") == ([own.id, inside.id], None)
    assert within("b")[0][:2] == [own.id, own.id - 1]
    assert out.id in within("b")[0]
    assert within("a", limit=1) == ([own.id], own.id)
    assert within("a", limit=1, before=own.id) == ([inside.id], None)


def test_recent_places(ann, bob, pages, session):
    ann.move([pages["one"]], pages["b"])
    ann.move([pages["one"]], pages["c"])
    bob.move([pages["two"]], pages["c"])
    ann.move([pages["one"]], pages["b"])
    assert recent_targets(session, ANN.id) == [pages["b"].id, pages["c"].id]
    assert recent_targets(session, BOB.id) == [pages["c"].id]
    assert len(session.scalars(select(Operation)).all()) == 4
