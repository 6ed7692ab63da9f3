"""Drafts beside what readers see, publishing, and what happens on time."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select, update

from myproject.content.journal import Journal
from myproject.content.markup import MarkdownRenderer
from myproject.content.operations import create, save
from myproject.content.operations_log import Operation
from myproject.content.publishing import (
    DoneOnTime,
    DraftSaved,
    Due,
    catch_up,
    discard_draft,
    draft_of,
    newest_fields,
    publish,
    publish_due,
    save_newest,
    schedule,
    shadow,
    unpublish,
)
from myproject.content.revisions import Revision, latest_revision_id
from myproject.content.types import Folder, Link, Page
from myproject.db.base import utcnow
from myproject.exceptions import InTrash, InvalidValue, NotAddable, NotComplete
from myproject.tree.actor import COMMAND_LINE, Actor
from myproject.tree.history import Place, load_past_lineage
from myproject.tree.node import DRAFT, PUBLISHED, ROOT_ID, Node
from myproject.tree.operations import Tree

RENDERER = MarkdownRenderer()
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def page(tree, root):
    return create(tree, root, Page(title="Title", body="Live."), RENDERER, "page")


def test_a_draft_of_a_type_that_is_not_switched_on_waits(tree, page):
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    node_id, draft_id = page.id, page.draft_id
    tree.session.execute(update(Node).where(Node.id == node_id).values(type="gone"))
    tree.session.expunge_all()
    node = tree.session.get(Node, node_id)
    with pytest.raises(NotAddable, match="not switched on, so its draft has to wait"):
        publish(tree, node, RENDERER)
    assert node.draft_id == draft_id


def test_readers_go_on_to_see_what_is_published(tree, page):
    assert save_newest(tree, page, {"body": "Next.", "title": "New"}, RENDERER) == {"body", "title"}
    tree.session.expire_all()
    assert (page.title, page.body, page.body_html) == ("Title", "Live.", "<p>Live.</p>\n")
    assert newest_fields(tree.session, page)["body"] == "Next."
    assert draft_of(tree.session, page).valid_from is None
    assert page.draft_id == latest_revision_id(tree.session, page.id)


def test_a_draft_goes_on_from_the_draft(tree, page):
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    save_newest(tree, page, {"title": "New"}, RENDERER)
    assert save_newest(tree, page, {"title": "New", "body": "Next."}, RENDERER) == set()
    newest = newest_fields(tree.session, page)
    assert (newest["title"], newest["body"]) == ("New", "Next.")


def test_publishing_makes_the_page_say_what_the_draft_says(tree, page):
    save_newest(tree, page, {"body": "Next.", "title": "New"}, RENDERER, comment="Better")
    assert publish(tree, page, RENDERER)
    assert (page.title, page.body_html, page.draft_id) == ("New", "<p>Next.</p>\n", None)
    newest = tree.session.get_one(Revision, latest_revision_id(tree.session, page.id))
    assert (newest.comment, newest.fields["body"]) == ("Better", "Next.")
    assert newest.valid_from is not None
    assert newest.valid_to is None
    live = select(func.count()).where(
        Revision.node_id == page.id, Revision.valid_from.is_not(None), Revision.valid_to.is_(None)
    )
    assert tree.session.scalar(live) == 1
    assert not publish(tree, page, RENDERER)


def test_a_page_that_nobody_sees_is_its_own_draft(tree, root):
    page = create(tree, root, Page(title="Title", body="First.", state=DRAFT), RENDERER)
    save_newest(tree, page, {"body": "Second."}, RENDERER)
    assert (page.body, page.draft_id) == ("Second.", None)
    assert publish(tree, page, RENDERER)
    assert page.state == PUBLISHED


def test_a_draft_of_a_page_that_was_taken_back_becomes_the_page(tree, page):
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    unpublish(tree, page)
    assert newest_fields(tree.session, page)["body"] == "Next."
    assert save_newest(tree, page, {"title": "New"}, RENDERER) == {"title"}
    assert (page.title, page.body, page.draft_id) == ("New", "Next.", None)


def test_a_draft_is_discarded_and_stays_in_the_history(tree, page):
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    revision_id = page.draft_id
    assert discard_draft(tree, page)
    assert not discard_draft(tree, page)
    assert newest_fields(tree.session, page)["body"] == "Live."
    assert tree.session.get_one(Revision, revision_id).fields["body"] == "Next."


def test_a_draft_is_told_and_is_no_save_of_the_page(tree, page):
    seen: list[Any] = []
    save_newest(Tree(tree.session, notify=seen.append), page, {"body": "Next."}, RENDERER)
    assert seen == [DraftSaved(page.id, page, frozenset({"body"}))]


def test_what_cannot_be_stored_is_refused_and_nothing_has_changed(tree, page):
    for values in ({"title": " "}, {"title": "x" * 501}, {"color": "red"}, {"parent_id": 3}):
        with pytest.raises(InvalidValue):
            save_newest(tree, page, values, RENDERER)
    assert (page.draft_id, page.title) == (None, "Title")
    assert not tree.session.dirty


def test_a_shadow_is_shown_and_belongs_to_no_session(tree, page):
    copy = shadow(page, {"title": " New ", "body": "*Next.*", "unknown": 1}, RENDERER)
    assert (copy.title, copy.body_html) == ("New", "<p><em>Next.</em></p>\n")
    assert (copy.id, copy.parent, copy.name) == (page.id, page.parent, "page")
    assert copy not in tree.session
    tree.session.flush()
    assert page.title == "Title"


def test_the_trash_publishes_nothing(tree, page):
    tree.trash(page)
    with pytest.raises(InTrash):
        publish(tree, page, RENDERER)


# -- times ----------------------------------------------------------------------------------------


def test_a_page_appears_and_disappears_and_the_state_follows(tree, page):
    now = utcnow()
    unpublish(tree, page)
    schedule(tree, page, now + MINUTE, now + 2 * MINUTE)
    assert publish_due(tree, RENDERER).problems == ()
    assert (page.state, page.publish_at) == (DRAFT, now + MINUTE)
    page.publish_at = now - MINUTE
    tree.session.flush()
    assert page.seen_state == PUBLISHED
    assert publish_due(tree, RENDERER).problems == ()
    assert (page.state, page.publish_at, page.expire_at) == (PUBLISHED, None, now + 2 * MINUTE)
    page.expire_at = now - MINUTE
    tree.session.flush()
    assert page.seen_state == DRAFT
    assert len(publish_due(tree, RENDERER).done) == 1
    assert publish_due(tree, RENDERER) == Due((), (), None)
    assert (page.state, page.expire_at) == (DRAFT, None)


def test_the_past_shows_what_readers_saw_and_not_when_it_was_noted(tree, page):
    unpublish(tree, page)
    hour = 60 * MINUTE
    for place in tree.session.scalars(select(Place)):
        place.valid_from -= 5 * hour
    page.publish_at, page.expire_at = utcnow() - 3 * hour, utcnow() - hour
    tree.session.flush()
    publish_due(tree, RENDERER)
    states = [
        load_past_lineage(tree.session, ["page"], utcnow() - hours * hour)[-1].state
        for hours in (4, 2, 0)
    ]
    assert states == [DRAFT, PUBLISHED, DRAFT]


def test_a_draft_is_published_on_time(tree, page):
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    schedule(tree, page, utcnow() + MINUTE, None)
    assert not page.has_due_draft
    page.publish_at = utcnow() - MINUTE
    tree.session.flush()
    assert page.has_due_draft
    publish_due(tree, RENDERER)
    assert (page.body, page.draft_id, page.has_due_draft) == ("Next.", None, False)


def test_beginning_and_end_that_both_have_passed_leave_a_draft(tree, page):
    unpublish(tree, page)
    page.publish_at, page.expire_at = utcnow() - 2 * MINUTE, utcnow() - MINUTE
    tree.session.flush()
    publish_due(tree, RENDERER)
    assert (page.state, page.publish_at, page.expire_at) == (DRAFT, None, None)


def test_what_is_due_is_done_before_more_is_written(tree, page):
    unpublish(tree, page)
    page.publish_at = utcnow() - MINUTE
    tree.session.flush()
    save_newest(tree, page, {"body": "Not for readers yet."}, RENDERER)
    assert (page.state, page.body, page.publish_at) == (PUBLISHED, "Live.", None)
    assert not page.has_due_draft
    assert newest_fields(tree.session, page)["body"] == "Not for readers yet."


def test_what_was_due_is_no_deed_of_whoever_comes_next(tree, page):
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    page.publish_at = utcnow() - MINUTE
    tree.session.flush()
    ann = Tree(tree.session, actor=Actor(7, "ann"))
    save_newest(ann, page, {"body": "By Ann."}, RENDERER)
    query = select(Revision.actor, Revision.fields).where(Revision.node_id == page.id)
    *_others, published, draft = tree.session.execute(query.order_by(Revision.id)).all()
    assert (published.actor, published.fields["body"]) == (COMMAND_LINE.name, "Next.")
    assert (draft.actor, draft.fields["body"]) == ("ann", "By Ann.")


def test_what_readers_saw_is_kept_of_what_goes_to_the_trash_or_elsewhere(tree, root):
    pages = [Page(title=name, state=DRAFT) for name in ("moved", "trashed")]
    moved, trashed = (create(tree, root, page, RENDERER, page.title) for page in pages)
    place = create(tree, root, Page(title="Place"), RENDERER, "place")
    tree.session.execute(update(Place).values(valid_from=utcnow() - 3 * MINUTE))
    at = moved.publish_at = trashed.publish_at = utcnow() - 2 * MINUTE
    tree.session.flush()
    journal = Journal(tree, RENDERER)
    journal.move([moved], place)
    operation = journal.trash([trashed])
    for name in ("moved", "trashed"):
        states = [
            load_past_lineage(tree.session, [name], at + when)[-1].state
            for when in (-MINUTE / 2, MINUTE)
        ]
        assert states == [DRAFT, PUBLISHED]
    assert moved.state == PUBLISHED
    journal.undo(operation)
    assert trashed.state == PUBLISHED


def test_what_is_due_and_cannot_be_done_is_in_nobodys_way(tree, root, page):
    target = create(tree, root, Page(title="Target"), RENDERER, "target")
    link = create(tree, root, Link(title="Link", target_id=target.id), RENDERER, "link")
    gone = create(tree, root, Page(title="Gone"), RENDERER, "gone")
    save_newest(tree, link, {"target_id": gone.id}, RENDERER)
    tree.purge(gone)
    link.publish_at = utcnow() - MINUTE
    tree.session.flush()
    assert len(publish_due(tree, RENDERER).problems) == 1
    save_newest(tree, link, {"target_id": page.id}, RENDERER)
    assert (link.target_id, link.publish_at, link.state) == (target.id, None, PUBLISHED)
    assert publish(tree, link, RENDERER)
    assert link.target_id == page.id
    # One that ends as well ends all the same.
    save_newest(tree, link, {"url": "https://example.org/", "target_id": None}, RENDERER)
    draft_of(tree.session, link).fields = {"title": "", "target_id": None, "url": ""}
    link.publish_at, link.expire_at = utcnow() - 2 * MINUTE, utcnow() - MINUTE
    tree.session.flush()
    assert catch_up(tree, link, RENDERER)
    assert (link.state, link.publish_at, link.expire_at) == (DRAFT, None, None)


def test_publishing_by_hand_ends_what_was_planned(tree, page):
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    schedule(tree, page, utcnow() + MINUTE, None)
    publish(tree, page, RENDERER)
    assert page.publish_at is None


@pytest.mark.parametrize(
    ("publish_in", "expire_in", "field", "says"),
    [
        (-MINUTE, None, "publish_at", "has passed"),
        (None, -MINUTE, "expire_at", "has passed"),
        (2 * MINUTE, MINUTE, "expire_at", "must come after"),
    ],
)
def test_times_that_make_no_sense_are_refused(tree, page, publish_in, expire_in, field, says):
    unpublish(tree, page)
    times = [each and utcnow() + each for each in (publish_in, expire_in)]
    with pytest.raises(InvalidValue, match=says) as caught:
        schedule(tree, page, *times)
    assert caught.value.field == field
    assert (page.publish_at, page.expire_at) == (None, None)


def test_what_readers_see_already_cannot_be_published_later(tree, page):
    with pytest.raises(InvalidValue, match="nothing to publish"):
        schedule(tree, page, utcnow() + MINUTE, None)
    schedule(tree, page, None, utcnow() + MINUTE)


def test_what_cannot_be_published_is_told_and_keeps_nobody_waiting(tree, root, page, monkeypatch):
    other = create(tree, root, Page(title="Other", body="x", state=DRAFT), RENDERER)
    unpublish(tree, page)
    page.publish_at = other.publish_at = utcnow() - MINUTE
    tree.session.flush()

    def refuse(event):
        if event.node is page:
            raise NotComplete(page.title, ("Body",))

    (problem,) = publish_due(Tree(tree.session, notify=refuse), RENDERER).problems
    assert (problem.node_id, problem.title) == (page.id, "Title")
    assert (page.state, other.state) == (DRAFT, PUBLISHED)


def test_two_at_once_do_everything_once(database):
    with database.transaction() as session:
        tree = Tree(session)
        past = utcnow() - MINUTE
        pages = [
            Folder(title="x", name=f"n{n}", state=DRAFT, publish_at=past, expire_at=None)
            for n in range(20)
        ]
        tree.add_many(session.get_one(Node, ROOT_ID), pages)
    told: list[int] = []
    ready = threading.Barrier(2)

    def notify(event: object) -> None:
        if isinstance(event, DoneOnTime):
            told.append(event.node_id)

    def work() -> list[int]:
        ready.wait()
        with database.transaction() as session:
            due = publish_due(Tree(session, notify=notify), RENDERER)
            return [each.node_id for each in due.done]

    with ThreadPoolExecutor() as pool:
        first, second = (future.result() for future in [pool.submit(work), pool.submit(work)])
    assert len(first) + len(second) == len({*first, *second}) == 20
    assert sorted(told) == sorted([*first, *second])
    with database.transaction() as session:
        assert publish_due(Tree(session), RENDERER) == Due((), (), None)


# -- all or nothing -------------------------------------------------------------------------------

SECTION = 1000

KILLED = """
import sys, time
from sqlalchemy import select
from myproject.content import publishing
from myproject.content.journal import Journal
from myproject.content.markup import MarkdownRenderer
from myproject.content.types import Folder
from myproject.db.engine import Database
from myproject.tree.node import Node
from myproject.tree.operations import Tree

with Database(sys.argv[1]).transaction() as session:
    nodes = session.scalars(select(Folder).order_by(Folder.id)).all()

    def tell(event, told=[]):
        told.append(event)
        if len(told) == len(nodes) // 2:
            print("half", flush=True)
            time.sleep(60)

    publishing.publish_many(Tree(session, notify=tell), nodes, MarkdownRenderer())
"""


def test_a_process_that_is_killed_while_it_publishes_has_published_nothing(database):
    with database.transaction() as session:
        tree = Tree(session)
        pages = [Folder(title="x", name=f"n{n}", state=DRAFT) for n in range(SECTION)]
        tree.add_many(session.get_one(Node, ROOT_ID), pages)
    url = database.url.render_as_string(hide_password=False)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, url], env=environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with database.transaction() as session:
        published = select(func.count()).where(Node.state == PUBLISHED, Node.id != ROOT_ID)
        assert session.scalar(published) == 0
        nodes = session.scalars(select(Folder)).all()
        for node in nodes[:2]:
            publish(Tree(session), node, RENDERER)
        assert session.scalar(published) == 2


def test_saving_the_page_itself_leaves_its_draft_alone(tree, page):
    save_newest(tree, page, {"body": "Next."}, RENDERER)
    save(tree, page, {"summary": "By an import."}, RENDERER)
    assert newest_fields(tree.session, page)["body"] == "Next."
    assert page.body == "Live."


def test_what_happens_on_time_is_in_the_journal(tree, root):
    page = create(tree, root, Page(title="Title", body="Soon.", state=DRAFT), RENDERER, "soon")
    tree.actor = Actor(7, "ann")
    page.publish_at, page.expire_at = utcnow() - 2 * MINUTE, utcnow() - MINUTE
    tree.session.flush()
    published, expired = page.publish_at, page.expire_at
    catch_up(tree, page, RENDERER)
    query = select(Operation).where(Operation.node_id == page.id).order_by(Operation.id)
    operations = tree.session.scalars(query).all()
    # As of when readers saw it, and nobody's deed.
    assert [(each.kind, each.actor_id) for each in operations] == [("state", None)] * 2
    assert operations[0].at >= published
    assert operations[1].at >= expired
    steps = [Journal(tree, RENDERER).steps(each)[0].went_to.state for each in operations]
    assert steps == [PUBLISHED, DRAFT]
