"""The journal: every operation is kept, can be undone, or says why it no longer can."""

import datetime as dt

import pytest
from sqlalchemy import select

from myproject.content.journal import Journal, Kind, Operation, Step
from myproject.content.markup import MarkdownRenderer
from myproject.content.obstacles import Obstacles
from myproject.content.types import Folder, Page
from myproject.exceptions import CannotUndo, NameTaken, RootIsFixed
from myproject.security.permissions import Permission
from myproject.tree.actor import Actor
from myproject.tree.boundaries import draw
from myproject.tree.check import check_tree
from myproject.tree.node import DRAFT, PUBLISHED, ROOT_ID, Node
from myproject.tree.placing import POSITION_GAP
from myproject.tree.trash import Trashed
from tests.trees import set_state

SHAPE = {"docs": {"a": {"deep": {}}, "b": {}, "c": {}}, "news": {}}


@pytest.fixture
def journal(tree):
    tree.actor = Actor(7, "ann")
    return Journal(tree)


@pytest.fixture
def section(tree, plant):
    return plant(tree, SHAPE)


def rows(journal):
    """All that structure is: id -> parent, name, position, state, boundary."""
    columns = Node.__table__.c
    query = select(
        *(columns.id, columns.parent_id, columns.name, columns.position),
        *(columns.state, columns.boundary_id),
    )
    return {row.id: tuple(row)[1:] for row in journal.session.connection().execute(query)}


OPERATIONS = {
    Kind.RENAME: lambda j, s: j.rename(s["docs/b"], "new"),
    Kind.MOVE: lambda j, s: j.move([s["docs/a"], s["docs/c"]], s["news"]),
    Kind.REORDER: lambda j, s: j.reorder(s["docs/c"], s["docs/a"]),
    Kind.STATE: lambda j, s: set_state(j, [s["docs/a"], s["docs/b"]], DRAFT),
    Kind.TRASH: lambda j, s: j.trash([s["docs/a"], s["news"]]),
}


@pytest.mark.parametrize("kind", OPERATIONS)
def test_undo_restores_exactly_what_was_and_can_be_undone(journal, section, kind):
    before = rows(journal)
    operation = OPERATIONS[kind](journal, section)
    after = rows(journal)
    assert after != before
    assert (operation.kind, operation.actor_id, operation.actor) == (kind, 7, "ann")
    assert journal.why_not(operation) is None
    undone = journal.undo(operation)
    assert rows(journal) == before
    assert (undone.undoes_id, operation.undone_by_id) == (operation.id, undone.id)
    again = journal.undo(undone)
    assert rows(journal) == after
    assert operation.undone_by_id is None
    journal.undo(again)
    assert rows(journal) == before


def test_what_was_added_goes_to_the_trash(journal, section):
    page = Page(title="New", body="Text")
    operation = journal.add(section["docs"], page, MarkdownRenderer())
    node = journal.session.get_one(Node, operation.node_id)
    assert (operation.kind, operation.title, operation.target_id) == (
        *(Kind.ADD, "New"),
        section["docs"].id,
    )
    undone = journal.undo(operation)
    assert node.state == "trashed"
    journal.undo(undone)
    assert (node.name, node.state) == ("new", PUBLISHED)


def test_copies_go_to_the_trash_together(journal, section):
    operation = journal.copy([section["docs/a"], section["docs/b"]], section["news"])
    assert operation.count == 2
    ids = [step.node_id for step in journal.steps(operation)]
    journal.undo(operation)
    assert {journal.session.get_one(Node, node_id).state for node_id in ids} == {"trashed"}


def test_restoring_is_undone_too(journal, section):
    journal.trash([section["docs/a"]])
    before = rows(journal)
    operation = journal.restore([section["docs/a"]], section["news"], names={})
    journal.undo(operation)
    assert rows(journal) == before


def test_in_the_trash_again_a_page_lies_where_it_lay(journal, section):
    node, before = section["docs/b"], rows(journal)
    trashing = journal.trash([node])
    in_trash = rows(journal)
    draw(journal.session, section["news"])
    restoring = journal.restore([node], section["news"], names={node.id: "other"})
    journal.undo(restoring)
    assert rows(journal)[node.id] == in_trash[node.id]
    assert journal.session.get_one(Trashed, node.id).name == "b"
    assert journal.why_not(trashing) is None
    journal.undo(trashing)
    assert rows(journal)[node.id] == before[node.id]


def test_where_its_name_was_not_remembered_a_page_keeps_the_one_that_it_has(journal, section):
    node = section["docs/a"]
    journal.trash([node])
    restored = journal.restore([node], section["news"], names={node.id: "new"})
    (step,) = journal.steps(restored)
    step.before = {key: value for key, value in step.before.items() if key != "kept_name"}
    journal.undo(restored)
    assert journal.session.get_one(Trashed, node.id).name == "new"
    journal.restore([node])
    assert (node.parent_id, node.name) == (section["docs"].id, "new")


def test_in_the_trash_again_a_page_stays_where_its_old_place_is_none(journal, section):
    node, docs, news = section["docs/b"], section["docs"], section["news"]
    journal.trash([node])
    restoring = journal.restore([node], news, names={node.id: "other"})
    journal.move([docs], node)
    journal.undo(restoring)
    assert (node.parent_id, node.state) == (news.id, "trashed")
    assert journal.session.get_one(Trashed, node.id).name == "other"
    assert list(check_tree(journal.session)) == []


def test_nodes_below_others_are_dealt_with_once(journal, section):
    chosen = [section["docs/a/deep"], section["docs"], section["docs/a"], section["docs"]]
    operation = journal.trash(chosen)
    assert operation.count == 1
    assert section["docs/a"].state == PUBLISHED


def test_nothing_is_kept_where_nothing_changed(journal, section):
    assert journal.rename(section["docs"], "docs") is None
    assert set_state(journal, [section["docs"]], PUBLISHED) is None
    assert journal.move([], section["docs"]) is None
    assert journal.session.scalars(select(Operation)).all() == []


def test_a_new_place_between_siblings_is_found_again_when_they_were_numbered_anew(journal, section):
    a, b, c = (section[f"docs/{name}"] for name in "abc")
    operation = journal.move([b], section["news"])
    # As if there had been no room left.
    for number, node in enumerate((a, c)):
        node.position = (number + 10) * POSITION_GAP
    journal.session.flush()
    journal.undo(operation)
    order = journal.session.scalars(
        select(Node.name).where(Node.parent_id == section["docs"].id).order_by(Node.position)
    )
    assert list(order) == ["a", "b", "c"]


def test_what_has_not_moved_is_put_nowhere_by_an_undo(journal, section):
    a, b, c = (section[f"docs/{name}"] for name in "abc")
    operation = set_state(journal, [b], DRAFT)
    for number, node in enumerate((a, b, c)):
        node.position = (number + 10) * POSITION_GAP
    journal.session.flush()
    position = b.position
    journal.undo(operation)
    assert (b.state, b.position) == (PUBLISHED, position)


def test_subscribers_hear_of_each_operation_with_what_was_before(journal, section):
    told = []
    telling = Journal(journal.tree, notify=lambda *event: told.append(event))
    node = section["docs/a"]
    operation = telling.rename(node, "z")
    undone = telling.undo(operation)
    trashed = telling.trash([node])
    purged = telling.purge([node])
    assert [each for each, *_ in told] == [operation, undone, trashed, purged]
    assert [nodes for _operation, nodes, _before in told] == [[node], [node], [node], []]
    assert [before[node.id].name for *_, before in told][:3] == ["a", "z", "a"]
    with pytest.raises(NameTaken):
        Journal(journal.tree, notify=veto).rename(section["docs/b"], "y")


def veto(operation, nodes, before):
    raise NameTaken("y", "Docs")


def test_a_refusal_half_way_is_no_operation(journal, section):
    journal.tree.add(section["news"], Folder(title="b"), "b")
    before = rows(journal)
    with pytest.raises(NameTaken), journal.session.begin_nested():
        journal.move([section["docs/a"], section["docs/b"]], section["news"])
    journal.session.expire_all()
    assert rows(journal) == before
    assert journal.session.scalars(select(Operation)).all() == []


def test_the_root_is_refused(journal, section):
    root = journal.session.get_one(Node, ROOT_ID)
    with pytest.raises(RootIsFixed):
        journal.move([root], section["docs"])


# -- why not --------------------------------------------------------------------------------------


def refusal(journal, operation):
    """Why an operation cannot be undone; that undoing it says the same and writes nothing."""
    reason = journal.why_not(operation)
    assert reason is not None
    before = rows(journal)
    with pytest.raises(CannotUndo) as caught:
        journal.undo(operation)
    assert rows(journal) == before
    assert caught.value.reason == reason
    return str(reason.interpolate())


def test_what_was_undone_is_not_undone_twice(journal, section):
    operation = journal.rename(section["docs"], "new")
    journal.undo(operation)
    assert refusal(journal, operation) == "It has been undone already, by ann."


def test_what_is_gone_does_not_come_back(journal, section):
    purged = journal.purge([section["docs/a"]])
    assert "cannot be brought back" in refusal(journal, purged)
    moved = journal.move([section["docs/b"]], section["news"])
    journal.tree.purge(section["docs/b"])
    assert refusal(journal, moved) == "“b” has been deleted for good since."


def test_what_somebody_has_changed_since_is_named(journal, section):
    first = journal.rename(section["docs/b"], "first")
    journal.tree.actor = Actor(8, "bea")
    second = journal.rename(section["docs/b"], "second")
    assert refusal(journal, first) == "“b” has been changed by bea since. Undo that first."
    journal.undo(second)
    journal.undo(first)
    assert section["docs/b"].name == "b"


def test_what_was_changed_outside_of_the_journal_is_noticed(journal, section):
    operation = journal.rename(section["docs/b"], "first")
    journal.tree.rename(section["docs/b"], "second")
    assert refusal(journal, operation) == "“b” is no longer where this has put it."


def test_an_old_place_that_is_taken_is_named(journal, section):
    operation = journal.rename(section["docs/b"], "first")
    journal.tree.add(section["docs"], Folder(title="The new one"), "b")
    assert "“The new one”" in refusal(journal, operation)


def test_an_old_place_that_is_gone_is_named(journal, section):
    operation = journal.move([section["docs/a/deep"]], section["news"])
    trashed = journal.trash([section["docs/a"]])
    assert "is in the trash. Restore it first." in refusal(journal, operation)
    journal.undo(trashed)
    journal.tree.purge(section["docs/a"])
    assert "has been deleted for good" in refusal(journal, operation)


def test_steps_go_with_their_operation(journal, section):
    operation = journal.trash([section["docs/a"]])
    assert [step.title for step in journal.steps(operation)] == ["a"]
    journal.session.delete(operation)
    journal.session.flush()
    assert journal.session.scalars(select(Step)).all() == []


# -- what is planned ------------------------------------------------------------------------------

LATER = dt.datetime(2091, 5, 1, 9, 30, tzinfo=dt.UTC)


def test_what_is_a_draft_already_keeps_what_is_planned_when_others_become_drafts(journal, section):
    planned, node = section["docs/a"], section["docs/b"]
    set_state(journal, [planned], DRAFT)
    journal.schedule(planned, LATER, None)
    operation = set_state(journal, [planned, node], DRAFT)
    assert [step.node_id for step in journal.steps(operation)] == [node.id]
    assert planned.publish_at == LATER


def test_what_is_planned_can_be_undone(journal, section):
    page = section["docs/a"]
    operation = journal.schedule(page, None, LATER)
    assert (operation.kind, page.expire_at) == (Kind.SCHEDULE, LATER)
    assert journal.schedule(page, None, LATER) is None
    undone = journal.undo(operation)
    assert page.expire_at is None
    journal.undo(undone)
    assert page.expire_at == LATER
    page.expire_at = LATER.replace(year=2092)
    journal.session.flush()
    again = journal.undo
    with pytest.raises(CannotUndo, match="Something else is planned"):
        again(operation)


def test_undoing_brings_back_what_was_planned_but_nothing_that_has_passed(journal, section):
    page = section["docs/a"]
    journal.schedule(page, None, LATER)
    operation = set_state(journal, [page], DRAFT)
    assert page.expire_at is None
    journal.undo(operation)
    assert (page.state, page.expire_at) == (PUBLISHED, LATER)
    operation = set_state(journal, [page], DRAFT)
    step = journal.steps(operation)[0]
    step.before = {**step.before, "expire_at": LATER.replace(year=2001)}
    journal.session.flush()
    journal.undo(operation)
    assert (page.state, page.expire_at) == (PUBLISHED, None)


def test_undoing_what_is_planned_takes_who_may_publish(journal, section):
    operation = journal.schedule(section["docs/a"], None, LATER)
    needed = Obstacles(journal.session, [operation]).needed(operation)
    assert {permission for _place, permission in needed} == {Permission.PUBLISH}
