"""Workflows: machines that cannot be, ways through them, and what saving does to a state."""

from __future__ import annotations

from itertools import count

import pytest

from myproject.content.journal import Journal
from myproject.content.markup import MarkdownRenderer
from myproject.content.obstacles import Obstacles
from myproject.content.operations import create
from myproject.content.operations_log import load_taken
from myproject.content.publishing import (
    DraftSaved,
    discard_draft,
    publish_due,
    save_newest,
    schedule,
    unpublish,
)
from myproject.content.types import Folder, Page
from myproject.content.workflow import (
    DEFAULT,
    Comment,
    Refusal,
    Reopening,
    State,
    Transition,
    Transitions,
    Workflow,
    Workflows,
    authors_of_newest,
    checked_permissions,
)
from myproject.db.base import utcnow
from myproject.exceptions import CannotUndo, ConfigurationProblem, InvalidValue, StepRefused
from myproject.security.access import Access
from myproject.tree.actor import COMMAND_LINE, Actor
from myproject.tree.events import NodeStageChanged
from myproject.tree.history import set_moment
from myproject.tree.node import DRAFT, PUBLISHED, ROOT_ID, Node, stage_of
from myproject.tree.operations import Tree
from tests.trees import set_state

RENDERER = MarkdownRenderer()
ANN, BOB = Actor(7, "ann"), Actor(8, "bob")

_names = count(1)


def step(name, sources, target, permission="edit", **more):
    return Transition(name, name, frozenset(sources.split()), target, permission, **more)


STATES = (State(DRAFT, "Draft"), State("checked", "Checked", reopens=True), State("held", "Held"),
          State(PUBLISHED, "Published"))  # fmt: skip
STEPS = (
    step("check", DRAFT, "checked", "check", comment=Comment.REQUIRED, of_own=False),
    step("hold", f"{DRAFT} {PUBLISHED}", "held"),
    step("drop", "checked held", DRAFT),
    step("publish", "checked held", PUBLISHED, "publish"),
    step("unpublish", PUBLISHED, DRAFT, "publish"),
)
MACHINE = Workflow("machine", "Machine", STATES, STEPS)


@pytest.fixture
def workflows():
    found = Workflows()
    found.add(MACHINE)
    return found


@pytest.fixture
def make(tree, root):
    def make(state=DRAFT, actor=ANN, cls=Page, **fields):
        tree.actor = actor
        if cls is Page:
            fields.setdefault("body", "Live.")
        node = cls(title="Title", state=state, **fields)
        return create(tree, root, node, RENDERER, f"page-{next(_names)}")

    return make


@pytest.fixture
def journal(tree):
    return Journal(tree, RENDERER)


def transitions(tree, workflows, *permissions, actor=BOB):
    """What somebody with these permissions may do everywhere."""
    access = Access({ROOT_ID: frozenset(permissions)}, {})
    return Transitions(tree.session, workflows, access, actor)


def go(tree, journal, workflows, node, name, comment="Because."):
    way = Transitions(tree.session, workflows, None, COMMAND_LINE).find(node, name=name)
    assert isinstance(way, Transition), way
    return journal.take({node.id: way}, [node], comment=comment)


# -- machines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "steps", "problem"),
    [
        (STATES[1:], STEPS, "it has no state 'draft'"),
        (STATES[:-1], STEPS, "it has no state 'published'"),
        ((*STATES, STATES[1]), STEPS, "the state 'checked' twice"),
        ((*STATES, State("trashed", "T")), STEPS, "'trashed' is no state"),
        ((*STATES, State("Wrong name", "T")), STEPS, "'Wrong name' is no name of a state"),
        ((*STATES, State("x" * 51, "T")), STEPS, "no name of a state"),
        (STATES, (*STEPS, STEPS[0]), "the transition 'check' twice"),
        (STATES, (*STEPS, step("go", DRAFT, "nowhere")), "'go' names the state 'nowhere'"),
        (STATES, (*STEPS, step("go", "nowhere", DRAFT)), "'go' names the state 'nowhere'"),
        (STATES, (*STEPS, step("go", "held", "held")), "leads from 'held' to itself"),
        ((STATES[0], STATES[-1]), (step("publish", DRAFT, PUBLISHED),),
         "nothing leads from 'published' back to 'draft'"),
        ((*STATES, State("lost", "Lost")), (*STEPS, step("go", "lost", DRAFT)),
         "nothing leads from 'draft' to 'lost'"),
    ],
)  # fmt: skip
def test_a_machine_in_which_a_page_would_be_stuck_is_refused(states, steps, problem):
    with pytest.raises(
        ConfigurationProblem, match="The workflow 'machine' cannot be used"
    ) as error:
        Workflow("machine", "Machine", states, steps)
    assert problem in str(error.value)


def test_permissions_have_to_be_known():
    checked_permissions(MACHINE, ["edit", "publish", "check"])
    with pytest.raises(ConfigurationProblem, match="'check'"):
        checked_permissions(MACHINE, ["edit", "publish"])


def test_types_have_their_own_workflow_or_the_general_one(workflows):
    found = Workflows()
    assert found.of("page") is DEFAULT
    assert list(found) == [DEFAULT]
    assert found.stages == {}
    found = Workflows()
    found.add(MACHINE, "page")
    assert (found.of("page"), found.of("folder")) == (MACHINE, DEFAULT)
    assert list(found.stages) == ["checked", "held"]


# -- ways -----------------------------------------------------------------------------------------


def names(offered):
    return [each.name for each in offered]


def test_what_is_offered_takes_the_state_and_the_permission(
    tree, make, workflows, count_statements, shared
):
    page, everything = make(), ("check", "edit", "publish")
    mine = transitions(tree, workflows, *everything)
    with count_statements(shared) as seen:
        assert names(mine.offered(page)) == ["check", "hold"]
        assert names(transitions(tree, workflows, "publish").offered(page)) == []
    assert seen == []
    page.stage = "held"
    assert names(mine.offered(page)) == ["drop", "publish"]
    page.state, page.stage = PUBLISHED, ""
    assert names(mine.offered(page)) == ["hold", "unpublish"]
    # With a draft ahead it is in two states at once.
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    assert names(mine.offered(page)) == ["check", "hold", "unpublish"]
    page.stage = "checked"
    assert names(mine.offered(page)) == ["hold", "drop", "publish", "unpublish"]
    tree.trash(page)
    assert names(mine.offered(page)) == []


def test_the_root_is_never_taken_back(tree, root, workflows):
    mine = transitions(tree, workflows, "publish", "edit")
    assert names(mine.offered(root)) == []
    found = mine.find(root, name="unpublish")
    assert "root of the site" in found.reason


def test_why_there_is_no_way(tree, make, workflows):
    page = make(actor=BOB)
    mine = transitions(tree, workflows, "check", "publish")
    assert "no such step" in mine.find(page, name="nonsense").reason
    assert mine.find(page, name="hold") == Refusal("You may not do this here.", "edit")
    refusal = mine.find(page, target=PUBLISHED)
    assert refusal.permission == ""
    assert refusal.reason.interpolate() == (
        "This takes one of these states: Checked, Held. It is: Draft."
    )
    assert "written a part of this yourself" in mine.find(page, name="check").reason
    tree.trash(page)
    assert "in the trash" in mine.find(page, target=PUBLISHED).reason


def test_nothing_is_to_be_done_where_a_page_is_there(tree, make, workflows):
    page = make(state=PUBLISHED)
    mine = transitions(tree, workflows, "publish")
    assert mine.find(page, target=PUBLISHED) is None
    # Whoever may not do it is told that all the same.
    refusal = transitions(tree, workflows, "edit").find(page, target=PUBLISHED)
    assert refusal.permission == "publish"
    page.state, page.stage = DRAFT, "held"
    assert transitions(tree, workflows, "edit").find(page, name="hold") is None


def test_a_guard_is_asked_when_somebody_goes_and_not_when_it_is_offered(tree, make):
    asked = []

    def guard(session, node, actor):
        asked.append((node.title, actor.name))
        return "" if node.summary else "It needs a description."

    publish = step("publish", DRAFT, PUBLISHED, "publish", guard=guard)
    machine = Workflow("guarded", "Guarded", (STATES[0], STATES[-1]), (publish, STEPS[-1]))
    workflows = Workflows()
    workflows.add(machine)
    page, mine = make(), transitions(tree, workflows, "publish")
    assert mine.offered(page) == [publish]
    assert asked == []
    assert mine.find(page, target=PUBLISHED) == Refusal("It needs a description.")
    assert asked == [("Title", "bob")]
    # Of what is being written it is asked when that has been written.
    assert mine.find(page, target=PUBLISHED, writing=True) is publish
    with pytest.raises(StepRefused, match="description"):
        mine.check_written(page, publish)
    page.summary = "There."
    assert mine.find(page, target=PUBLISHED) is publish
    mine.check_written(page, publish)


def test_whoever_writes_needs_a_way_from_the_state_that_it_will_be_in(tree, make, workflows):
    mine = transitions(tree, workflows, "publish", "edit", "check")
    page = make()
    assert not mine.may_publish(page)
    page.stage = "held"
    assert mine.may_publish(page)
    # Saving would make a draft of it again.
    page.stage = "checked"
    assert isinstance(mine.find(page, target=PUBLISHED), Transition)
    assert mine.may_publish(page)
    assert Workflows().of("page") is DEFAULT
    default = transitions(tree, Workflows(), "publish")
    live = make(state=PUBLISHED)
    assert default.may_publish(live)
    assert not mine.may_publish(live)


def test_what_is_new_needs_a_way_from_a_draft(tree, workflows):
    mine = transitions(tree, workflows, "publish")
    assert "somebody else" in mine.find_for_new("page", ROOT_ID).reason
    default = transitions(tree, Workflows(), "publish")
    assert default.find_for_new("page", ROOT_ID).name == "publish"
    refusal = transitions(tree, Workflows(), "edit").find_for_new("page", ROOT_ID)
    assert refusal.permission == "publish"


# -- going ----------------------------------------------------------------------------------------


def test_a_step_leaves_what_readers_see_as_it_is(tree, make, journal, workflows):
    page = make(state=PUBLISHED)
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    operation = go(tree, journal, workflows, page, "check", "Well done.")
    assert (page.state, page.stage, page.body) == (PUBLISHED, "checked", "Live.")
    assert (operation.transition, operation.comment) == ("check", "Well done.")
    assert operation.permissions == "check"
    go(tree, journal, workflows, page, "publish")
    assert (page.state, page.stage, page.body, page.draft_id) == (PUBLISHED, "", "Next.", None)
    ((last, source, target, _is_discarded), (first, *_)) = load_taken(tree.session, page.id)
    assert (first.id, last.transition, source, target) == (
        operation.id, "publish", "checked", PUBLISHED
    )  # fmt: skip


def test_a_step_from_what_readers_see_takes_it_back(tree, make, journal, workflows):
    page = make(state=PUBLISHED)
    operation = go(tree, journal, workflows, page, "hold")
    assert (page.state, page.stage) == (DRAFT, "held")
    journal.undo(operation)
    assert (page.state, page.stage) == (PUBLISHED, "")


def test_a_missing_comment_is_asked_for(tree, make, journal, workflows):
    page = make()
    for comment in ("", "  "):
        with pytest.raises(InvalidValue, match="Say why"):
            go(tree, journal, workflows, page, "check", comment)
    assert page.stage == ""


def test_steps_are_told_and_undone_by_who_might_take_them(tree, make, workflows):
    page, seen = make(), []
    told = Journal(Tree(tree.session, notify=seen.append, actor=ANN), RENDERER)
    operation = go(told.tree, told, workflows, page, "hold")
    assert [(event.node_id, event.old_stage) for event in seen
            if isinstance(event, NodeStageChanged)] == [(page.id, "")]  # fmt: skip
    assert Obstacles(tree.session, [operation]).needed(operation) == {(ROOT_ID, "edit")}
    undone = told.undo(operation)
    assert page.stage == ""
    assert (undone.transition, undone.permissions) == ("hold", "edit")
    told.undo(undone)
    assert page.stage == "held"
    page.stage = "checked"
    tree.session.flush()
    with pytest.raises(CannotUndo, match="another state"):
        told.undo(told.undo(operation) if operation.undone_by_id else operation)


def test_what_readers_have_seen_cannot_be_taken_back_by_undoing_a_step(
    tree, make, journal, workflows
):
    page = make(state=PUBLISHED)
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    go(tree, journal, workflows, page, "check")
    operation = go(tree, journal, workflows, page, "publish")
    with pytest.raises(CannotUndo, match="Readers see the changes"):
        journal.undo(operation)
    assert (page.body, page.stage) == ("Next.", "")


def test_several_at_once_may_go_by_different_ways(tree, make, journal, workflows):
    pages = [make(), make()]
    pages[0].stage, pages[1].stage = "checked", "held"
    mine = transitions(tree, workflows, "publish")
    ways = {page.id: mine.find(page, target=PUBLISHED) for page in pages}
    operation = journal.take(ways, pages)
    assert [page.state for page in pages] == [PUBLISHED, PUBLISHED]
    assert (operation.count, operation.transition) == (2, "publish")


# -- saving, discarding, copying ------------------------------------------------------------------


@pytest.mark.parametrize("state", [DRAFT, PUBLISHED])
def test_saving_reopens_what_somebody_agreed_to(tree, make, workflows, state):
    page, told = make(state=state), []
    reopening = Reopening(workflows, told.append)

    def notify(event):
        if type(event).__name__ in ("ContentSaved", DraftSaved.__name__):
            reopening(event)

    mine = Tree(tree.session, notify=notify, actor=ANN)
    save_newest(mine, page, {"body": "Next."}, RENDERER)
    for stage, after in (("checked", ""), ("held", "held")):
        page.stage = stage
        if state == DRAFT or page.is_ahead:
            schedule(tree, page, utcnow().replace(year=2090), None)
        save_newest(mine, page, {"body": f"Other than {stage}."}, RENDERER)
        assert page.stage == after
        assert (page.publish_at is None) is (stage == "checked")
        assert (page.draft_id is not None) is (state == PUBLISHED)
    assert [event.old_stage for event in told] == ["checked"]


def test_a_time_holds_no_longer_where_others_save_who_may_not_publish(tree, make):
    page = make(state=PUBLISHED)
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    later = utcnow().replace(year=2090, microsecond=0)
    schedule(tree, page, later, later.replace(year=2091))
    save_newest(tree, page, {"body": "Next."}, RENDERER, may_publish=False)
    assert page.publish_at == later
    save_newest(tree, page, {"body": "Another."}, RENDERER)
    assert page.publish_at == later
    save_newest(tree, page, {"body": "Not seen."}, RENDERER, may_publish=False)
    assert (page.publish_at, page.expire_at) == (None, later.replace(year=2091))


def test_what_is_gone_is_nowhere_on_its_way(tree, make, journal, root):
    page = make(state=PUBLISHED)
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    page.stage = "held"
    copied = tree.copy(page, root, "copy")
    assert (copied.stage, copied.draft_id) == ("", None)
    discard_draft(tree, page)
    assert page.stage == ""
    # Taken back from readers, what is ahead of them stays where it was.
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    tree.set_stage(page, "held")
    unpublish(tree, page)
    assert stage_of(page) == "held"
    tree.restore(tree.trash(page))
    assert stage_of(page) == "held"


def test_what_is_published_on_time_has_arrived(tree, make):
    page = make()
    page.stage, page.publish_at = "held", utcnow().replace(year=2020)
    tree.session.flush()
    assert stage_of(page) == ""
    publish_due(tree, RENDERER)
    assert (page.state, page.stage) == (PUBLISHED, "")


def test_a_state_that_nobody_knows_is_a_draft(tree, make, workflows):
    page = make()
    page.stage = "of-an-add-on-that-is-off"
    assert workflows.of("page").newest(page).name == DRAFT
    assert names(transitions(tree, Workflows(), "publish").offered(page)) == ["publish"]


# -- authors --------------------------------------------------------------------------------------


def test_authors_are_those_of_what_readers_have_not_seen(tree, make, count_statements, shared):
    page = make(actor=ANN)
    assert authors_of_newest(tree.session, page) == {7}
    tree.actor = COMMAND_LINE
    page = tree.session.get(Node, page.id)
    set_state(Journal(tree, RENDERER), [page], PUBLISHED)
    tree.actor = BOB
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    with count_statements(shared) as seen:
        assert authors_of_newest(tree.session, page) == {8}
    assert len(seen) == 1
    set_state(Journal(tree, RENDERER), [page], PUBLISHED)
    assert authors_of_newest(tree.session, page) == set()
    # What one transaction does happens at one moment, and nobody would have seen it published.
    set_moment(tree.session, utcnow())
    set_state(Journal(tree, RENDERER), [page], DRAFT)
    assert authors_of_newest(tree.session, page) == set()
    tree.actor = ANN
    set_moment(tree.session, utcnow())
    save_newest(tree, page, {"body": "Once more."}, RENDERER)
    assert authors_of_newest(tree.session, page) == {7}


def test_types_without_text_go_the_same_way(tree, make, journal, workflows):
    folder = make(cls=Folder)
    go(tree, journal, workflows, folder, "hold")
    go(tree, journal, workflows, folder, "publish")
    assert (folder.state, folder.stage) == (PUBLISHED, "")
