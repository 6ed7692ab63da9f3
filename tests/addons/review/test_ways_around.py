"""Nothing gets to readers past a review: by undoing, by the clock, or by being quicker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from myproject.content.journal import Journal
from myproject.content.publishing import save_newest
from myproject.testing import links
from myproject.tree.node import DRAFT, PUBLISHED
from tests.addons.review.conftest import act, publisher, review_form, state_of, submit
from tests.addons.review.test_review import rows, token, undo, write
from tests.tree.test_concurrency import wait_until_blocked

TIME = "2091-05-01T09:30"


def operations(client, path):
    return client.get(f"{path}/@@operations")


def undo_newest(client, path):
    return undo(operations(client, path))


def schedule_form(client, path):
    page = client.get(f"{path}/@@schedule")
    return next(form for form in page.forms.values() if "publish_at" in form.fields)


def schedule(client, path):
    form = schedule_form(client, path)
    form["publish_at"] = TIME
    return form.submit()


def planned(site, path):
    with site.tree() as tree:
        node = site.node(tree, path)
        return node.stage, node.publish_at


# -- undoing --------------------------------------------------------------------------------------

SAVED_SINCE = "has been saved since. Publish what it says now instead."


def test_undoing_shows_nothing_that_was_saved_since(strict):
    pat = publisher(strict, "pat")
    review_form(pat.get("/live/@@state?transition=unpublish")).submit()
    write(pat, "/live", "Nobody else has seen this.")
    page = operations(pat, "/live")
    assert SAVED_SINCE in page
    assert not [form for form in page.forms.values() if form.action.endswith("/undo")]
    assert state_of(strict, "/live") == (DRAFT, "")


def test_an_approval_that_was_taken_back_is_not_redone_for_another_text(site, ann, pat):
    submit(ann, "/one")
    act(pat, "/one", "approve")
    undo_newest(pat, "/one")
    redo = next(f for f in operations(pat, "/one").forms.values() if f.action.endswith("/undo"))
    write(ann, "/one", "Something else.")
    assert SAVED_SINCE in redo.submit().follow()
    assert state_of(site, "/one") == (DRAFT, "in-review")


def test_an_approval_that_was_taken_back_is_redone_for_the_same_text(site, ann, pat):
    submit(ann, "/one")
    act(pat, "/one", "approve")
    undo_newest(pat, "/one")
    undo_newest(pat, "/one")
    assert state_of(site, "/one") == (PUBLISHED, "")


def test_a_time_that_was_taken_back_is_not_set_again_for_another_text(strict):
    pat = publisher(strict, "pat")
    schedule(pat, "/one")
    undo_newest(pat, "/one")
    assert planned(strict, "/one") == ("", None)
    write(pat, "/one", "Nobody else has seen this.")
    assert SAVED_SINCE in operations(pat, "/one")


def test_a_copy_has_the_authors_of_what_was_copied(strict):
    strict.add("/section", title="Section")
    strict.add("/section/inner", "Text.", title="Inner", state=DRAFT)
    pat, bob = publisher(strict, "pat"), publisher(strict, "bob")
    write(pat, "/section/inner", "Nobody else has seen this.")
    page = bob.get("/section/@@copy?target=1")
    review_form(page).submit().follow()
    for client, state in ((pat, DRAFT), (bob, PUBLISHED)):
        form = {"csrf_token": token(client), "transition": "publish"}
        client.post("/section-2/inner/@@state", form)
        assert state_of(strict, "/section-2/inner")[0] == state


def test_who_takes_a_page_back_does_not_publish_their_own_draft_of_it(strict):
    pat, bob = publisher(strict, "pat"), publisher(strict, "bob")
    write(pat, "/live", "Nobody else has seen this.")
    review_form(pat.get("/live/@@state?transition=unpublish")).submit()
    page = pat.get("/live/@@state?transition=publish")
    assert "You have written a part of this yourself" in page
    write(bob, "/live", "Nobody else has seen this. But for a word.")
    assert "You have written a part of this yourself" in pat.get(page.request.url)
    carl = publisher(strict, "carl")
    review_form(carl.get("/live/@@state?transition=publish")).submit()
    assert "But for a word." in strict.client.get("/live")


def test_what_readers_saw_is_shown_again_by_whoever_has_written_it(strict):
    pat = publisher(strict, "pat")
    for transition in ("unpublish", "publish"):
        review_form(pat.get(f"/live/@@state?transition={transition}")).submit()
    assert "What readers see." in strict.client.get("/live")


# -- times ----------------------------------------------------------------------------------------


def test_a_time_is_set_for_what_was_looked_at(site, ann, pat):
    form = schedule_form(pat, "/one")
    form["publish_at"] = TIME
    write(ann, "/one", "Something else.")
    assert "Somebody has changed this page meanwhile." in form.submit(status=409)
    assert planned(site, "/one") == ("", None)


def test_an_approval_for_later_is_one_step(site, ann, pat):
    submit(ann, "/one")
    page = schedule(pat, "/one").follow()
    assert "It will be published on 2091-05-01 09:30" in page
    assert "Pat approved “Page one”" in operations(pat, "/one").html.get_text()
    undo(page)
    assert planned(site, "/one") == ("in-review", None)
    undo_newest(pat, "/one")
    stage, moment = planned(site, "/one")
    assert (stage, moment is not None) == ("", True)


def test_what_is_sent_back_is_not_published_on_time(site, ann, pat):
    schedule(pat, "/one")
    submit(ann, "/one")
    act(pat, "/one", "reject", "Not yet.")
    assert planned(site, "/one") == ("", None)
    undo_newest(pat, "/one")
    stage, moment = planned(site, "/one")
    assert (stage, moment is not None) == ("in-review", True)


# -- two at once ----------------------------------------------------------------------------------


#: On SQLite one writes at a time.
postgresql_only = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


def meanwhile(site, form, transition, deed):
    """Return the answer to a form that is sent while somebody does something to page one."""
    with ThreadPoolExecutor(1) as pool:
        with site.registry.scopes.writing() as scope:
            deed(scope, site.node(scope.tree, "/one"))
            answer = pool.submit(form.submit, "transition", value=transition, expect_errors=True)
            wait_until_blocked(site.database, answer)
        return answer.result()


@postgresql_only
def test_what_is_saved_at_this_moment_is_not_approved(site, ann, pat):
    submit(ann, "/one")
    form = review_form(pat.get("/one/@@review"))

    def save(scope, node):
        save_newest(scope.tree, node, {"body": "Nobody has seen this."}, site.renderer)

    answer = meanwhile(site, form, "approve", save)
    assert "Something has changed in the meantime" in answer
    assert state_of(site, "/one") == (DRAFT, "in-review")


@postgresql_only
def test_what_is_approved_at_this_moment_is_not_sent_back(site, ann, pat, outbox):
    submit(ann, "/one")
    form = review_form(pat.get("/one/@@review"))
    form["comment"] = "No."

    def approve(scope, node):
        way = site.registry.workflows.of("page").get("approve")
        Journal(scope.tree, site.renderer).take({node.id: way}, [node])

    answer = meanwhile(site, form, "reject", approve)
    assert answer.status_int == 422
    assert state_of(site, "/one") == (PUBLISHED, "")
    assert outbox.subjects == ["For review: “Page one”"]


# -- the start page -------------------------------------------------------------------------------


def test_changes_to_the_start_page_are_reviewed(site, ann, pat, outbox):
    write(ann, "", "What comes next.", do="to:submit").follow()
    page = submit_start(ann)
    assert "Submitted “" in page
    assert state_of(site, "/") == (PUBLISHED, "in-review")
    assert len(outbox.subjects) == 1
    undo(page)
    assert state_of(site, "/") == (PUBLISHED, "")
    submit_start(ann)
    inbox = pat.get("/@@review")
    assert len(rows(inbox, "waiting")) == 1
    page = inbox.click(href="/@@review-start", index=0)
    assert "/@@review-start" in links(pat.get("/"))
    assert "/@@review-start" in outbox.messages[-1].get_content()
    review_form(page).submit("transition", value="approve")
    assert "What comes next." in site.client.get("/")


def submit_start(client):
    return review_form(client.get("/@@state?transition=submit")).submit().follow()
