"""What ends a review without being a step of it: it is told, it can be undone, and nobody is left
waiting."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from myproject.content.operations import change_type, save
from myproject.content.operations_log import Operation
from myproject.content.publishing import publish_due, save_newest
from myproject.content.workflow import DEFAULT, authors_of_newest
from myproject.db.base import utcnow
from myproject.interfaces import IContentTypes
from myproject.security.models import User
from myproject.testing import links
from myproject.tree.node import DRAFT, PUBLISHED, Node
from tests.addons.review.conftest import act, author, publisher, review_form, state_of, submit
from tests.addons.review.test_review import node_id, rows, token, write
from tests.addons.review.test_ways_around import operations, schedule, undo_newest

ENDED = "No longer in review: “Live page”"


@pytest.fixture
def live(site, ann, outbox):
    """Where changes to a published page wait for a review."""
    submit_changes(ann, outbox)
    return "/live"


def submit_changes(client, outbox):
    write(client, "/live").follow()
    submit(client, "/live", "Please look.").follow()
    outbox.messages.clear()


def discard(client, path):
    page = client.get(f"{path}/@@discard-draft")
    form = next(f for f in page.forms.values() if f.action.endswith("/@@discard-draft"))
    return form.submit().follow()


def restore_first(client, path, comment="Back to the beginning."):
    """Restore the first version of a page for readers at once."""
    page = client.get(f"{path}/@@history")
    numbers = [int(href.rpartition("=")[2]) for href in links(page) if "@@revision?id=" in href]
    page = client.get(f"{path}/@@restore?id={min(numbers)}")
    form = next(f for f in page.forms.values() if f.action.endswith("/@@restore"))
    form["comment"] = comment
    return form.submit("how", value="now").follow()


def said(client, path):
    """What was said, as the screen of the review has it, the newest first."""
    return [
        item.get_text(" ", strip=True)
        for item in client.get(f"{path}/@@review").html.select(".review-said li")
    ]


def deeds(client, path):
    return operations(client, path).html.select_one("main").get_text(" ", strip=True)


def letters(outbox):
    """Recipient and subject of each mail, and forget them."""
    found = [(message["To"], message["Subject"]) for message in outbox.messages]
    text = "".join(message.get_content() for message in outbox.messages)
    outbox.messages.clear()
    return found, text


def waits(pat):
    return rows(pat.get("/@@review"), "waiting")


# -- discarding, and restoring at once -------------------------------------------------------------


def test_discarding_ends_a_review_and_says_so(site, live, ann, pat, outbox):
    page = discard(pat, live)
    assert "The draft is discarded." in page
    assert (state_of(site, live), waits(pat)) == ((PUBLISHED, ""), [])
    assert rows(ann.get("/@@review"), "submitted") == []
    assert said(ann, live)[0].startswith("Pat → Changes discarded")
    assert "Pat discarded the changes to “Live page”" in deeds(ann, live)
    found, text = letters(outbox)
    assert found == [("ann@example.org", ENDED)]
    assert "Pat has discarded the changes that were in review:" in text
    assert "http://localhost/live/@@review" in text


def test_restoring_at_once_ends_a_review_and_says_so(site, live, ann, pat, outbox):
    write(pat, live, "What is published in between.", do="publish")
    submit_changes(ann, outbox)
    restore_first(pat, live)
    assert "What readers see." in site.client.get(live)
    assert (state_of(site, live), waits(pat)) == ((PUBLISHED, ""), [])
    newest = said(ann, live)[0]
    assert newest.startswith("Pat → Older version restored")
    assert "Back to the beginning." in newest
    assert "Pat restored an older version of “Live page” in place of its" in deeds(ann, live)
    found, text = letters(outbox)
    assert found == [("ann@example.org", ENDED)]
    assert "Pat has restored an older version" in text
    assert "> Back to the beginning." in text


@pytest.mark.parametrize("end", [discard, restore_first])
def test_undoing_it_brings_the_review_back(site, live, ann, pat, outbox, end):
    write(pat, live, "Seen.", do="publish")
    submit_changes(ann, outbox)
    end(pat, live)
    seen = site.client.get(live).html.select_one("article").get_text()
    outbox.messages.clear()
    assert "Brought the changes to “Live page” back." in undo_newest(ann, live).follow()
    assert (state_of(site, live), waits(pat)) == ((PUBLISHED, "in-review"), ["Live page"])
    assert rows(ann.get("/@@review"), "submitted") == ["Live page"]
    assert "What comes next." in pat.get(f"{live}?version=draft")
    # Readers see what they saw, and nobody else is written to.
    assert site.client.get(live).html.select_one("article").get_text() == seen
    assert outbox.messages == []
    # What is brought back is what the form goes on from.
    form = next(f for f in ann.get(f"{live}/@@edit").forms.values() if "form-seal" in f.fields)
    assert form["body"].value == "What comes next."
    assert form.submit("form-do", value="save").status_int == 303
    undo_newest(pat, live)
    assert (state_of(site, live), waits(pat)) == ((PUBLISHED, ""), [])
    assert letters(outbox)[0] == [("ann@example.org", ENDED)]
    undo_newest(pat, live)
    act(pat, live, "approve")
    assert "What comes next." in site.client.get(live)


def test_who_has_discarded_it_is_not_told(site, live, ann, outbox):
    discard(ann, live)
    assert outbox.messages == []


def test_it_is_not_undone_where_something_was_saved_since(site, live, ann, pat):
    discard(pat, live)
    write(ann, live, "Something else.").follow()
    page = operations(pat, live)
    assert "has been saved since. What was discarded is in its history" in page
    assert not [f for f in page.forms.values() if f.action.endswith("/undo")]


def test_a_time_is_set_again_by_those_only_who_may(site, live, ann, pat):
    act(pat, live, "reject", "Not yet.").follow()
    schedule(pat, live).follow()
    discard(ann, live)
    assert "Undoing it takes a permission that you do not have there" in operations(ann, live)
    undo_newest(pat, live)
    with site.tree() as tree:
        node = site.node(tree, live)
        assert (node.draft_id is not None, node.publish_at is not None) == (True, True)


def test_what_is_brought_back_has_the_authors_that_it_had(site, live, ann, pat, outbox):
    write(publisher(site, "bob"), live, "Bob's.").follow()
    restore_first(pat, live)
    undo_newest(ann, live)
    with site.tree() as tree:
        authors = authors_of_newest(tree.session, site.node(tree, live))
        names = tree.session.scalars(select(User.name).where(User.id.in_(authors)))
        assert {*names} == {"ann", "bob"}


def test_what_was_sent_back_and_discarded_is_not_there_to_be_mended(site, live, ann, pat):
    act(pat, live, "reject", "No.")
    assert rows(ann.get("/@@review"), "back") == ["Live page"]
    discard(ann, live)
    write(pat, live, "Somebody else's.").follow()
    assert rows(ann.get("/@@review"), "back") == []
    assert "Sent back." not in ann.get(f"{live}?version=draft")


def test_what_was_never_in_review_is_discarded_without_a_word(site, ann, pat, outbox):
    write(ann, "/live").follow()
    discard(pat, "/live")
    assert outbox.messages == []
    assert "Pat discarded the changes to “Live page”" in deeds(ann, "/live")
    undo_newest(pat, "/live")
    assert "What comes next." in pat.get("/live?version=draft")


def test_the_changes_to_the_start_page_are_discarded_and_brought_back(site, ann):
    write(ann, "", "What comes next.").follow()
    discard(ann, "")
    assert state_of(site, "/") == (PUBLISHED, "")
    undo_newest(ann, "")
    assert "What comes next." in ann.get("/?version=draft")


# -- other ways -----------------------------------------------------------------------------------


def test_the_trash_ends_a_review(site, ann, pat, outbox):
    submit(ann, "/one")
    outbox.messages.clear()
    trash(pat, "/one")
    found, text = letters(outbox)
    assert found == [("ann@example.org", "No longer in review: “Page one”")]
    assert "Pat has moved this to the trash" in text
    assert "/one" not in text
    # It is in review again when it comes back, and who undoes it knows.
    undo_newest(pat, "")
    assert waits(pat) == ["Page one"]
    assert outbox.messages == []


def trash(client, path):
    review_form(client.get(f"{path}/@@delete")).submit()


def test_the_trash_ends_the_reviews_of_what_goes_with_a_section(site, ann, pat, outbox):
    site.add("/section", title="Section")
    for name in ("inner", "gone"):
        site.add(f"/section/{name}", "Text.", title=name.title(), state=DRAFT)
        submit(ann, f"/section/{name}")
    trash(pat, "/section/gone")
    outbox.messages.clear()
    trash(pat, "/section")
    assert letters(outbox)[0] == [("ann@example.org", "No longer in review: “Inner”")]
    assert waits(pat) == []
    undo_newest(pat, "")
    assert waits(pat) == ["Inner"]


def test_what_is_deleted_for_good_is_in_review_no_longer(site, ann, pat, outbox):
    submit(ann, "/one")
    with site.registry.scopes.writing() as scope:
        scope.journal.trash([site.node(scope.tree, "/one")])
    # Nobody in particular has done it.
    found, _text = letters(outbox)
    assert found[-1] == ("ann@example.org", "No longer in review: “Page one”")
    with site.registry.scopes.writing() as scope:
        query = select(Node).where(Node.title == "Page one")
        scope.journal.purge([scope.dbsession.scalars(query).one()])
    assert outbox.messages == []
    assert waits(pat) == []
    assert "has been deleted for good since" in operations(ann, "")


def test_a_time_that_comes_ends_a_review(site, ann, pat, outbox):
    schedule(pat, "/one")
    submit(ann, "/one")
    outbox.messages.clear()
    with site.tree() as tree:
        site.node(tree, "/one").publish_at = utcnow() - dt.timedelta(minutes=1)
    assert waits(pat) == []
    with site.registry.scopes.writing() as scope:
        publish_due(scope.tree, scope.renderer)
    assert state_of(site, "/one") == (PUBLISHED, "")
    found, text = letters(outbox)
    assert found == [("ann@example.org", "No longer in review: “Page one”")]
    assert "This was published at the time that was set:" in text
    assert "/one\n" in text
    assert "The command line published “Page one”" in deeds(pat, "/one")


def test_undoing_a_submission_is_told_to_whoever_has_made_it(site, ann, pat, outbox):
    submit(ann, "/one")
    outbox.messages.clear()
    undo_newest(pat, "/one")
    found, text = letters(outbox)
    assert found == [("ann@example.org", "No longer in review: “Page one”")]
    assert "Pat has undone something" in text


def test_withdrawing_is_told_to_whoever_has_submitted_it(site, ann, outbox):
    zoe = author(site, "zoe")
    submit(ann, "/one")
    act(zoe, "/one", "withdraw")
    assert letters(outbox)[0] == [("ann@example.org", "No longer in review: “Page one”")]


def test_taking_a_page_back_from_readers_ends_the_review_of_its_changes(
    site, live, ann, pat, outbox
):
    review_form(pat.get(f"{live}/@@state?transition=unpublish")).submit()
    assert (state_of(site, live), waits(pat)) == ((DRAFT, ""), [])
    found, text = letters(outbox)
    assert found == [("ann@example.org", ENDED)]
    assert "Pat has taken this back from readers" in text
    undo_newest(pat, live)
    assert (state_of(site, live), waits(pat)) == ((PUBLISHED, "in-review"), ["Live page"])


def test_what_is_published_by_an_import_is_in_review_no_longer(site, ann, pat):
    submit(ann, "/one")
    with site.registry.scopes.writing() as scope:
        save(scope.tree, site.node(scope.tree, "/one"), {"state": PUBLISHED}, site.renderer)
    assert state_of(site, "/one") == (PUBLISHED, "")
    write(ann, "/one", "Not submitted.").follow()
    assert waits(pat) == []


def test_a_type_with_another_workflow_knows_of_no_review(make_site, outbox):
    def include(config):
        config.add_workflow(DEFAULT, types=["folder"])

    site = make_site(include, addons="review")
    site.add("/one", "First.", title="Page one", state=DRAFT)
    ann, pat = site.sign_in("ann", "author"), site.sign_in("pat", "publisher")
    submit(ann, "/one")
    for name, stage in (("link", "in-review"), ("folder", "")):
        with site.registry.scopes.writing() as scope:
            node = site.node(scope.tree, "/one")
            types = site.registry.getUtility(IContentTypes)
            values = {"url": "https://example.org/"} if name == "link" else None
            change_type(scope.tree, node, name, types, values)
        assert state_of(site, "/one") == (DRAFT, stage)
    assert waits(pat) == []


def test_moving_and_merging_leave_a_page_in_review(site, ann, pat, outbox):
    submit(ann, "/one")
    outbox.messages.clear()
    with site.registry.scopes.writing() as scope:
        page, place = (site.node(scope.tree, path) for path in ("/one", "/live"))
        scope.journal.move([page], place)
        save_newest(scope.tree, page, {"body": "Merged."}, site.renderer)
    assert state_of(site, "/live/one") == (DRAFT, "in-review")
    assert waits(pat) == ["Page one"]
    assert outbox.messages == []


def test_an_approval_by_saving_is_told_once(site, ann, pat, outbox):
    submit(ann, "/one")
    outbox.messages.clear()
    write(pat, "/one", "Mended.", do="publish")
    assert letters(outbox)[0] == [("ann@example.org", "Approved: “Page one”")]
    with site.database.read_session() as session:
        newest = session.scalars(select(Operation).order_by(Operation.id.desc())).first()
    assert newest.transition == "approve"


def test_a_bulk_step_tells_each_once(site, ann, pat, outbox):
    ids = [node_id(site, path) for path in ("/one", "/two")]
    for path in ("/one", "/two"):
        submit(ann, path)
    outbox.messages.clear()
    form = {"csrf_token": token(pat), "ids": ids, "back": "/"}
    review_form(pat.post("/@@delete", form)).submit()
    assert letters(outbox)[0] == [("ann@example.org", "No longer in review: “Page one” (+ 1)")]
