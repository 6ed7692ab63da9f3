"""Submitting, approving, sending back, and the inbox, by HTTP."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from myproject.addons.review.inbox import count_to_review, load_to_review
from myproject.addons.review.steps import IN_REVIEW
from myproject.content.operations_log import Operation
from myproject.testing import links
from myproject.tree.node import DRAFT, PUBLISHED, Node
from myproject.tree.visibility import ALL
from tests.addons.review.conftest import act, forced, review_form, state_of, submit


def writing(client, path):
    page = client.get(f"{path}/@@edit")
    return next(form for form in page.forms.values() if "form-seal" in form.fields)


def write(client, path, body="What comes next.", do="save"):
    form = writing(client, path)
    form["body"] = body
    if not any(field.value_if_submitted() == do for field in form.fields["form-do"]):
        return forced(client, form, "form-do", do)
    return form.submit("form-do", value=do)


def token(client):
    return client.get("/@@account").forms[0]["csrf_token"].value


def rows(page, section):
    """Titles in a list of the inbox."""
    found = page.html.select_one(f"#site-{section}").parent
    return [item.a.get_text() for item in found.select("li")]


# -- the way of a new page ------------------------------------------------------------------------


def test_a_page_is_submitted_and_approved(site, ann, pat):
    page = submit(ann, "/one", "Please look.").follow()
    assert "Submitted “Page one” for review." in page
    assert state_of(site, "/one") == (DRAFT, "in-review")
    site.client.get("/one", status=404)
    assert rows(pat.get("/@@review"), "waiting") == ["Page one"]
    page = pat.get("/@@review").click("Page one")
    assert "Please look." in page
    page = act(pat, "/one", "approve", "Good.").follow()
    assert "Approved “Page one”." in page
    assert state_of(site, "/one") == (PUBLISHED, "")
    assert "First." in site.client.get("/one")
    assert rows(pat.get("/@@review"), "waiting") == []
    said = pat.get("/one/@@review").html.select_one(".review-said").get_text(" ", strip=True)
    assert said.index("Good.") < said.index("Please look.")
    assert "There is nothing to review." in pat.get("/one/@@review")


def test_a_page_is_sent_back_and_submitted_again(site, ann, pat):
    submit(ann, "/one")
    answer = act(pat, "/one", "reject", status=422)
    assert "Say why, in a few words." in answer
    assert state_of(site, "/one") == (DRAFT, "in-review")
    form = review_form(answer)
    form["comment"] = "A picture is missing."
    page = form.submit().follow()
    assert "Sent “Page one” back." in page
    assert state_of(site, "/one") == (DRAFT, "")
    inbox = ann.get("/@@review")
    assert rows(inbox, "back") == ["Page one"]
    assert "A picture is missing." in inbox
    assert "A picture is missing." in ann.get("/one")
    write(ann, "/one", do="to:submit").follow()
    submit(ann, "/one")
    inbox = ann.get("/@@review")
    assert (rows(inbox, "back"), rows(inbox, "submitted")) == ([], ["Page one"])
    assert "A picture is missing." not in ann.get("/one")


def test_whoever_submitted_may_withdraw(site, ann):
    submit(ann, "/one")
    assert rows(ann.get("/@@review"), "submitted") == ["Page one"]
    act(ann, "/one", "withdraw")
    assert state_of(site, "/one") == (DRAFT, "")
    assert rows(ann.get("/@@review"), "submitted") == []


def test_an_author_publishes_by_no_door(site, ann):
    csrf = {"csrf_token": token(ann)}
    submit(ann, "/one")
    for path, form in (
        ("/one/@@state", {"state": "published"}),
        ("/one/@@state", {"transition": "approve"}),
        ("/two/@@state", {"transition": "publish"}),
    ):
        answer = ann.post(path, {**csrf, **form}, status=403)
        assert "It takes a permission that you do not have here" in answer
    page = ann.get("/one/@@review")
    form = review_form(page)
    assert "approve" not in [field.value_if_submitted() for field in form.fields["transition"]]
    answer = forced(ann, form, "transition", "approve")
    assert "You may not do this here." in answer
    assert write(ann, "/two", do="publish").status_int == 403
    bulk = {**csrf, "ids": [node_id(site, "/one")], "state": "published", "back": "/"}
    assert "You may not do this here." in ann.post("/@@state", bulk)
    ann.get("/one/@@schedule", status=403)
    assert state_of(site, "/one") == (DRAFT, "in-review")


def node_id(site, path):
    with site.tree() as tree:
        return site.node(tree, path).id


# -- changes to a page that readers see -----------------------------------------------------------


def test_changes_are_reviewed_while_readers_see_the_page(site, ann, pat):
    page = write(ann, "/live", do="to:submit").follow()
    assert "Submit for review: “Live page”?" in page
    form = review_form(page)
    form["comment"] = "Shorter."
    page = form.submit().follow()
    assert "What readers see." in page
    assert "Changes: In review" in page
    assert state_of(site, "/live") == (PUBLISHED, "in-review")
    assert "What readers see." in site.client.get("/live")
    assert "In review." not in site.client.get("/live")
    page = pat.get("/live/@@review")
    assert "What comes next." in page.click("Look at it")
    assert "What changed" in page.click("What has changed")
    act(pat, "/live", "approve")
    assert "What comes next." in site.client.get("/live")
    # Nothing of what readers have seen is taken back by an undo.
    page = pat.get("/live/@@operations")
    assert "Readers see the changes to “Live page” already." in page
    assert "Pat approved “Live page”" in page.html.get_text()


def test_publishers_publish_what_is_in_review_when_they_edit_it(site, ann, pat):
    submit(ann, "/one")
    write(pat, "/one", "Mended.", do="publish")
    assert state_of(site, "/one") == (PUBLISHED, "")
    assert "Mended." in site.client.get("/one")
    with site.database.read_session() as session:
        operations = session.scalars(select(Operation).order_by(Operation.id.desc())).all()
        assert operations[0].transition == "approve"


def test_who_approves_has_seen_what_they_approve(site, ann, pat):
    submit(ann, "/one")
    form = review_form(pat.get("/one/@@review"))
    write(ann, "/one", "Something else.")
    answer = form.submit("transition", value="approve", status=422)
    assert "Something has changed in the meantime" in answer
    assert state_of(site, "/one") == (DRAFT, "in-review")
    assert review_form(answer)["transition"].value == "approve"
    review_form(answer).submit().follow()
    assert "Something else." in site.client.get("/one")


def test_a_time_is_an_approval_for_later(site, ann, pat, outbox):
    submit(ann, "/one")
    form = next(f for f in pat.get("/one/@@schedule").forms.values() if "publish_at" in f.fields)
    form["publish_at"] = "2091-05-01T09:30"
    form.submit()
    assert state_of(site, "/one") == (DRAFT, "")
    assert rows(pat.get("/@@review"), "waiting") == []
    assert outbox.subjects[-1] == "Approved: “Page one”"
    assert "Readers will see it on 2091-05-01 09:30 UTC." in outbox.messages[-1].get_content()
    # What an author writes then is not what was agreed to.
    page = write(ann, "/one", "Another text.").follow()
    assert "It will not be published on the time that was set" in page
    assert "Scheduled" not in pat.get("/one")


# -- undo, the trash, and other ways --------------------------------------------------------------


def undo(page):
    return next(f for f in page.forms.values() if f.action.endswith("/undo")).submit()


def test_each_step_can_be_undone(site, ann, pat):
    page = submit(ann, "/one").follow()
    undo(page)
    assert state_of(site, "/one") == (DRAFT, "")
    assert rows(ann.get("/@@review"), "submitted") == []
    undo(ann.get("/one/@@operations"))
    assert state_of(site, "/one") == (DRAFT, "in-review")
    page = act(pat, "/one", "approve").follow()
    undo(page)
    assert state_of(site, "/one") == (DRAFT, "in-review")
    site.client.get("/one", status=404)
    page = act(pat, "/one", "reject", "No.").follow()
    undo(page)
    assert state_of(site, "/one") == (DRAFT, "in-review")
    # An author cannot undo what a reviewer has decided.
    act(pat, "/one", "reject", "No.")
    answer = ann.get("/one/@@operations")
    assert "approve pages, or send them back" in answer


def test_what_is_in_the_trash_waits_for_nobody(site, ann, pat):
    submit(ann, "/one")
    with site.tree() as tree:
        tree.trash(site.node(tree, "/one"))
    assert rows(pat.get("/@@review"), "waiting") == []
    with site.tree() as tree:
        node = tree.session.scalars(select(Node).where(Node.title == "Page one")).one()
        tree.restore(node)
    assert rows(pat.get("/@@review"), "waiting") == ["Page one"]


def test_what_is_in_the_trash_with_its_section_waits_for_nobody(site, ann, pat):
    site.add("/section", title="Section")
    site.add("/section/inner", "Text.", title="Inner", state=DRAFT)
    submit(ann, "/section/inner")
    assert "review-count" in pat.get("/")
    with site.tree() as tree:
        tree.trash(site.node(tree, "/section"))
    assert rows(pat.get("/@@review"), "waiting") == []
    assert "review-count" not in pat.get("/")


def test_many_are_submitted_and_approved_at_once(site, ann, pat, outbox):
    ids = [node_id(site, path) for path in ("/one", "/two", "/live")]
    page = ann.get("/@@contents")
    assert page.html.select_one('button[value="submit"]') is not None
    answer = ann.post(
        "/@@state", {"csrf_token": token(ann), "ids": ids, "transition": "submit", "back": "/"}
    )
    # Of the page whose changes there are none of it says why.
    assert "This takes one of these states: Draft. It is: Published." in answer
    rest = next(f for f in answer.forms.values() if f.action.endswith("/@@state"))
    page = review_form(rest.submit()).submit().follow()
    assert "Submitted 2 pages for review." in page
    assert outbox.subjects == ["For review: “Page one” (+ 1)"]
    found = pat.get("/@@contents?state=in-review")
    assert "Page one" in found
    assert "Live page" not in found.html.select_one("main").get_text()
    assert "Page one" not in pat.get("/@@contents?state=draft").html.select_one("main").get_text()
    answer = pat.post(
        "/@@state", {"csrf_token": token(pat), "ids": ids[:2], "state": "published", "back": "/"}
    )
    assert "Publish 2 pages?" in answer
    review_form(answer).submit()
    assert [state_of(site, path)[0] for path in ("/one", "/two")] == [PUBLISHED, PUBLISHED]


def test_the_inbox_keeps_to_what_one_may_see(site, ann, pat):
    submit(ann, "/one")
    site.make_private("/one")
    assert rows(pat.get("/@@review"), "waiting") == []
    ada = site.sign_in("ada", "administrator")
    assert rows(ada.get("/@@review"), "waiting") == ["Page one"]
    assert rows(ann.get("/@@review"), "submitted") == []


@pytest.mark.parametrize("who", [None, "reader"])
def test_it_is_none_of_the_business_of_readers(site, ann, who):
    submit(ann, "/one")
    client = site.client if who is None else site.sign_in("rita", who)
    assert "review" not in client.get("/live").text.lower()
    if who is None:
        assert client.get("/@@review", status=302).location.startswith("http://localhost/@@sign-in")
    else:
        assert "Page one" not in client.get("/@@review")
        client.get("/live/@@review", status=403)
        client.get("/one/@@review", status=404)


def test_reviewers_are_told_in_the_masthead(site, ann, pat):
    assert "/@@review" in links(pat.get("/"))
    assert "review-count" not in pat.get("/")
    submit(ann, "/one")
    with site.statements() as seen:
        page = pat.get("/live")
    assert page.html.select_one(".review-count").get("aria-label") == (
        "Review: 1 page waits for you"
    )
    assert sum("in-review" in text or "stage =" in text for text in seen) == 1
    assert "review-count" not in ann.get("/live")


def test_what_a_draft_hides_from_a_reviewer_is_not_counted(site, ann, pat):
    site.add("/section", title="Section", state=DRAFT)
    site.add("/section/inner", "Text.", title="Inner", state=DRAFT)
    submit(ann, "/section/inner")
    site.make_private("/section")
    site.grant("pat", "publisher", "/section/inner")
    assert rows(pat.get("/@@review"), "waiting") == []
    assert "review-count" not in pat.get("/")


def test_pages_in_review_are_found_by_their_index(site):
    with site.statements() as seen, site.database.read_session() as session:
        count_to_review(session, ALL, ALL)
        load_to_review(session, ALL, ALL)
    if not site.database.is_sqlite:
        # Whether it is worth it depends on how much there is.
        return
    with site.database.reader.connect() as connection:
        for statement in seen:
            values = (IN_REVIEW,) + ("",) * (statement.count("?") - 1)
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [row[-1] for row in plan]
            assert any("ix_node_stage" in step for step in steps)
            assert "SCAN node" not in steps


def test_the_inbox_takes_few_statements(site, ann, pat):
    for number in range(5):
        site.add(f"/more-{number}", "Text.", title=f"More {number}", state=DRAFT)
        submit(ann, f"/more-{number}")
    counts = []
    for client in (pat, ann):
        client.get("/@@review")
        with site.statements() as seen:
            client.get("/@@review")
        counts.append(len(seen))
    # Who asks, grants, the lists, the places, the people; the count in the masthead.
    assert max(counts) <= 9


def test_switched_off_pages_in_review_are_drafts(site, make_site, ann):
    submit(ann, "/one")
    off = make_site()
    pat = off.sign_in("pat", "publisher")
    assert "Draft" in pat.get("/one").html.select_one(".bar-state").get_text()
    assert "Page one" in pat.get("/@@contents?state=draft").html.select_one("main").get_text()
    assert "New state of" not in pat.get("/one/@@operations")
    assert "took “Page one” to the state “Draft”" in pat.get("/one/@@operations").html.get_text()
    pat.post("/one/@@state", {"csrf_token": token(pat), "transition": "publish", "back": "/one"})
    assert state_of(off, "/one") == (PUBLISHED, "")


@pytest.mark.parametrize("transition", ["submit", "reject", "approve"])
def test_switched_off_its_steps_are_undone_by_those_who_may_publish(
    site, make_site, ann, pat, transition
):
    submit(ann, "/one")
    if transition != "submit":
        act(pat, "/one", transition, "Because.")
    after = state_of(site, "/one")
    off = make_site()
    ed, pat = off.sign_in("ed", "editor"), off.sign_in("pat", "publisher")
    page = ed.get("/one/@@operations")
    assert "Undoing it takes a permission that you do not have there: publish" in page
    undo(pat.get("/one/@@operations"))
    before = (DRAFT, "" if transition == "submit" else "in-review")
    assert state_of(off, "/one") == before
    undo(pat.get("/one/@@operations"))
    assert state_of(off, "/one") == after


# -- four eyes ------------------------------------------------------------------------------------


def test_nobody_publishes_what_they_have_written(strict):
    site = strict
    pat, bob = site.sign_in("pat", "publisher"), site.sign_in("bob", "publisher")
    page = pat.get("/@@add?type=page")
    assert page.html.select_one('button[value="publish"]') is None
    form = next(f for f in page.forms.values() if "form-seal" in f.fields)
    form["title"], form["body"] = "Mine", "Text."
    answer = forced(pat, form, "form-do", "publish")
    assert answer.status_int == 422
    assert "seen by somebody else first" in answer
    form = next(f for f in answer.forms.values() if "form-seal" in f.fields)
    assert form["title"].value == "Mine"
    form.submit("form-do", value="to:submit").follow()
    submit(pat, "/mine")
    assert "written a part of this yourself" in pat.get("/mine/@@review")
    answer = act(pat, "/mine", "approve")
    assert answer.status_int == 422
    assert "written a part of this yourself" in answer
    answer = write(pat, "/mine", "Mended.", do="publish")
    assert "written a part of this yourself" in answer
    assert "Mended." in answer
    form = next(f for f in pat.get("/mine/@@schedule").forms.values() if "publish_at" in f.fields)
    form["publish_at"] = "2091-05-01T09:30"
    assert "written a part of this yourself" in form.submit(status=422)
    write(pat, "/live")
    csrf = {"csrf_token": token(pat)}
    assert "written a part" in pat.post("/live/@@state", {**csrf, "transition": "publish"})
    with site.database.read_session() as session:
        live = session.scalars(select(Node).where(Node.name == "live")).one()
        first = live.id
    history = pat.get("/live/@@history")
    assert history.status_int == 200
    assert "What readers see." in site.client.get("/live")
    # Somebody else may, and what the command line has written is nobody's.
    act(bob, "/mine", "approve")
    assert "Text." in site.client.get("/mine")
    bob.post("/live/@@state", {"csrf_token": token(bob), "ids": first, "transition": "publish"})
    assert "What comes next." in site.client.get("/live")
