"""Drafts beside what readers see, on the screens: writing, publishing, looking, taking back."""

from __future__ import annotations

import datetime as dt
from itertools import count

import pytest
from sqlalchemy import func, select

from myproject.content.publishing import unpublish
from myproject.content.revisions import Revision
from myproject.db.base import utcnow
from myproject.security.models import User
from myproject.security.preferences import Preferences, store_preferences
from myproject.tree.node import Node

_numbers = count(1)


@pytest.fixture(scope="module")
def site(shared_site):
    return shared_site


@pytest.fixture(scope="module")
def pat(site):
    return site.sign_in("pat", "publisher")


@pytest.fixture(scope="module")
def ann(site):
    return site.sign_in("ann", "author")


@pytest.fixture
def path(site):
    """The path of a published page of the test's own."""
    path = f"/published-{next(_numbers)}"
    site.add(path, "What readers see.\n", title="A page")
    return path


def writing(client, path):
    page = client.get(f"{path}/@@edit")
    return next(form for form in page.forms.values() if "form-seal" in form.fields)


def save_draft(client, path, **values):
    form = writing(client, path)
    for name, value in values.items():
        form[name] = value
    return form.submit("form-do", value="save", status=303).follow()


def token(client):
    return client.get("/@@account").forms[0]["csrf_token"].value


def live_revisions(site, path):
    with site.database.read_session() as session:
        query = select(func.count()).where(
            Revision.name == path.removeprefix("/"), Revision.valid_from.is_not(None)
        )
        return session.scalar(query)


# -- writing --------------------------------------------------------------------------------------


def test_saving_a_published_page_makes_a_draft_that_readers_do_not_see(site, pat, ann, path):
    page = save_draft(ann, path, body="What comes next.", title="A new title")
    assert "Draft saved." in page
    assert "What readers see" in site.client.get(path)
    assert "What comes next" not in site.client.get(path)
    # Everybody goes on from the draft.
    form = writing(pat, path)
    assert (form["title"].value, form["body"].value.strip()) == ("A new title", "What comes next.")
    assert "This is a draft." in pat.get(f"{path}/@@edit")


def test_who_may_not_publish_is_not_offered_it_and_cannot(site, pat, ann, path):
    page = ann.get(f"{path}/@@edit")
    assert "Save draft" in page
    assert "Publish changes" not in page
    fields = {**dict(writing(ann, path).submit_fields()), "body": "x", "form-do": "publish"}
    ann.post(f"{path}/@@edit", fields, status=403)
    assert "What readers see" in site.client.get(path)
    assert "Publish changes" in pat.get(f"{path}/@@edit")


def test_what_is_published_at_once_is_one_revision(site, pat, path):
    before = live_revisions(site, path)
    form = writing(pat, path)
    form["body"] = "Now."
    page = form.submit("form-do", value="publish", status=303).follow()
    assert "Readers see your changes now." in page
    assert "Now." in site.client.get(path)
    assert live_revisions(site, path) == before + 1


def test_a_draft_is_published_from_the_form_although_nothing_more_has_changed(site, pat, ann, path):
    save_draft(ann, path, body="What comes next.")
    page = writing(pat, path).submit("form-do", value="publish", status=303).follow()
    assert "Readers see your changes now." in page
    assert "What comes next" in site.client.get(path)
    page = writing(pat, path).submit("form-do", value="publish", status=303).follow()
    assert "Nothing was changed" in page


def test_saving_over_somebodys_draft_is_merged_with_it(site, pat, ann, path):
    late = writing(pat, path)
    save_draft(ann, path, title="By Ann")
    late["title"] = "By Pat"
    page = late.submit("form-do", value="save", status=409)
    assert "changed by both of you" in page
    assert "Ann</mark>" in page


def test_the_button_that_publishes_publishes_the_draft(site, pat, ann, path):
    save_draft(ann, path, body="What comes next.")
    form = {"csrf_token": token(pat), "state": "published", "back": path}
    page = pat.post(f"{path}/@@state", form).follow()
    assert "Published the changes to “A page”." in page
    assert "What comes next" in site.client.get(path)


def test_taking_a_page_back_and_undoing_that_keeps_its_draft(site, pat, ann, path):
    save_draft(ann, path, body="What comes next.")
    with site.database.read_session() as session:
        node = session.scalars(select(Node).where(Node.name == path[1:])).one()
        node_id = node.id
    page = pat.post(
        f"{path}/@@state",
        {"csrf_token": token(pat), "state": "draft", "back": path, "ids": node_id},
    )
    form = next(f for f in page.forms.values() if "digest" in f.fields)
    page = form.submit().follow()
    site.client.get(path, status=404)
    undo = next(f for f in page.forms.values() if f.action.endswith("/undo"))
    undo.submit()
    assert "What readers see" in site.client.get(path)
    assert writing(ann, path)["body"].value.strip() == "What comes next."


# -- looking --------------------------------------------------------------------------------------


def change(site, path, **times):
    """Set columns of a page as time would have it."""
    with site.tree() as tree:
        node = site.node(tree, path)
        for name, value in times.items():
            setattr(node, name, value)


def test_people_who_may_see_drafts_switch_between_both(site, pat, ann, path):
    assert "?version=draft" not in ann.get(path)
    save_draft(ann, path, body="What comes next.", title="A new title")
    page = ann.get(path)
    assert "Changed since publication" in page
    assert "What readers see" in page
    tag = page.headers["ETag"]
    page = page.click(href="version=draft")
    assert "You see the draft." in page
    assert "What comes next" in page
    assert "A new title" in page
    assert "Publish changes" not in page
    assert (page.headers["X-Robots-Tag"], page.headers["ETag"] == tag) == ("noindex", False)
    ann.get(page.request.url, headers={"If-None-Match": page.headers["ETag"]}, status=304)
    assert "What changed" in page.click("Compare")
    assert "What readers see" in page.click("What readers see", href=path)
    page = pat.get(f"{path}?version=draft")
    publish = next(f for f in page.forms.values() if f.action.endswith("/@@state"))
    page = publish.submit("transition", value="publish").follow()
    assert "What comes next" in site.client.get(path)
    assert "?version=draft" not in page
    # Who has kept the address of the draft sees the page.
    assert ann.get(f"{path}?version=draft", status=303).location == f"http://localhost{path}"


def test_saving_and_viewing_leads_to_the_draft(ann, path):
    form = writing(ann, path)
    form["body"] = "What comes next."
    page = form.submit("form-do", value="view", status=303).follow()
    assert page.request.url.endswith("?version=draft")
    assert "What comes next" in page


def test_readers_do_not_see_drafts_whatever_the_address(site, ann, path):
    save_draft(ann, path, body="What comes next.")
    reader = site.sign_in("ray", "reader")
    for client in (site.client, reader):
        page = client.get(f"{path}?version=draft", status="*")
        assert page.status_int in (302, 303, 403)
        assert "What comes next" not in page
        page = client.get(path)
        assert "Changed since" not in page
        assert "draft" not in page.text.lower()
        for view in ("@@source", "@@json"):
            assert "What comes next" not in client.get(f"{path}/{view}")


def test_lists_and_the_tree_tell_that_a_page_has_changed(site, ann, path):
    save_draft(ann, path, body="What comes next.")
    page = ann.get("/@@contents?q=A+page")
    assert "Changed since publication" in page.html.select_one("table").text
    marks = page.html.select(".outline .dot.ahead")
    assert "Changed since publication" in {mark["title"] for mark in marks}


@pytest.mark.parametrize("view", ["", "/@@source", "/@@json"])
def test_a_draft_whose_time_has_come_is_seen_by_everybody(site, ann, path, view):
    save_draft(ann, path, body="What comes next.", title="A new title")
    old = site.client.get(path + view).headers["ETag"]
    with site.tree() as tree:
        node = site.node(tree, path)
        node.publish_at = utcnow() - dt.timedelta(seconds=5)
    page = site.client.get(path + view, headers={"If-None-Match": old})
    assert "What comes next" in page
    assert "What readers see" not in page
    assert "Changed since" not in ann.get(path)
    assert ann.get(f"{path}?version=draft", status=303)


def test_what_was_taken_back_shows_what_was_saved_last(site, pat, ann, path):
    save_draft(ann, path, body="What comes next.")
    with site.tree() as tree:
        tree.set_state(site.node(tree, path), "draft")
    site.client.get(path, status=404)
    page = ann.get(path)
    assert "What comes next" in page
    assert "You see the draft" not in page


# -- discarding -----------------------------------------------------------------------------------


def test_a_draft_is_discarded_after_looking_at_it(site, ann, path):
    save_draft(ann, path, body="What comes next.")
    page = ann.get(path).click("Discard the draft")
    assert "comes" in page.html.select_one("main").text
    form = next(form for form in page.forms.values() if "draft" in form.fields)
    save_draft(ann, path, body="Something else.")
    page = form.submit(status=409)
    assert "another draft meanwhile" in page
    form = next(form for form in page.forms.values() if "draft" in form.fields)
    page = form.submit(status=303).follow()
    assert "The draft is discarded." in page
    assert "?version=draft" not in page
    assert writing(ann, path)["body"].value.strip() == "What readers see."
    assert "There is no draft any more" in form.submit(status=303).follow()
    site.client.get(f"{path}/@@discard-draft", status=302)
    fields = {name: value for name, value in form.submit_fields() if name != "csrf_token"}
    ann.post(f"{path}/@@discard-draft", fields, status=400)


def test_pages_without_a_draft_take_no_more_statements(site, ann, path, count_statements):
    def cost(client, address):
        client.get(address)
        with count_statements(site.database) as seen:
            client.get(address)
        return len(seen)

    before = [cost(client, path) for client in (site.client, ann)]
    save_draft(ann, path, body="What comes next.")
    ann.get(path)
    assert [cost(client, path) for client in (site.client, ann)] == before
    assert cost(ann, f"{path}?version=draft") <= before[1] + 6


# -- times ----------------------------------------------------------------------------------------


def planning(page):
    return next(form for form in page.forms.values() if "seen" in form.fields)


def times_of(site, path):
    with site.database.read_session() as session:
        node = session.scalars(select(Node).where(Node.name == path[1:])).one()
        return node.publish_at, node.expire_at


def test_a_draft_is_scheduled_in_the_time_zone_of_a_person_and_that_is_cancelled(site, pat, path):
    save_draft(pat, path, body="What comes next.")
    with site.tree() as tree:
        user = tree.session.scalars(select(User).where(User.name == "pat")).one()
        store_preferences(tree.session, user.id, Preferences(time_zone="Europe/Berlin"))
    form = planning(pat.get(f"{path}/@@schedule"))
    form["publish_at"], form["expire_at"] = "2041-07-01T09:30", "2041-12-01T09:30"
    page = form.submit().follow()
    assert "Published on 2041-07-01 09:30, and hidden from 2041-12-01 09:30" in page
    assert times_of(site, path) == (
        dt.datetime(2041, 7, 1, 7, 30, tzinfo=dt.UTC),
        dt.datetime(2041, 12, 1, 8, 30, tzinfo=dt.UTC),
    )
    for address in (path, "/@@contents?q=A+page"):
        assert "Scheduled for 2041-07-01 09:30" in pat.get(address)
        assert "Expires 2041-12-01 09:30" in pat.get(address)
    assert "Scheduled" not in site.client.get(path)
    form = planning(pat.get(f"{path}/@@schedule"))
    assert form["publish_at"].value == "2041-07-01T09:30"
    assert "Nothing was changed." in form.submit().follow()
    page = form.submit("do", value="clear").follow()
    assert "Nothing is planned any more." in page
    assert times_of(site, path) == (None, None)


@pytest.mark.parametrize(
    ("publish_at", "expire_at", "says"),
    [
        ("2001-01-01T10:00", "", "This time has passed."),
        ("", "2001-01-01 10:00", "This time has passed."),
        ("2041-05-01T10:00", "2041-04-01T10:00", "The end must come after the beginning."),
        ("tomorrow", "", "Write a day and a time"),
        ("9999-99-99T10:00", "", "Write a day and a time"),
        ("", "9999-12-31T23:59", ""),
        ("9999-12-31T23:59-14:00", "", "Write a day and a time"),
        ("0001-01-01T00:00+14:00", "", "Write a day and a time"),
    ],
)
def test_times_that_make_no_sense_come_back_as_they_were_typed(
    site, pat, path, publish_at, expire_at, says
):
    save_draft(pat, path, body="What comes next.")
    form = planning(pat.get(f"{path}/@@schedule"))
    form["publish_at"], form["expire_at"] = publish_at, expire_at
    page = form.submit(status=422 if says else 303)
    if says:
        assert says in page
        form = planning(page)
        assert (form["publish_at"].value, form["expire_at"].value) == (publish_at, expire_at)
        assert times_of(site, path) == (None, None)


def test_a_form_without_a_time_leaves_it_as_it_is(site, pat, path):
    save_draft(pat, path, body="What comes next.")
    form = planning(pat.get(f"{path}/@@schedule"))
    form["publish_at"], form["expire_at"] = "2041-05-01T10:00", "2041-06-01T10:00"
    form.submit(status=303)
    planned = times_of(site, path)
    fields = dict(planning(pat.get(f"{path}/@@schedule")).submit_fields())
    del fields["publish_at"], fields["expire_at"]
    pat.post(f"{path}/@@schedule", fields, status=303)
    assert times_of(site, path) == planned


def test_what_readers_see_already_cannot_be_scheduled(site, pat, path):
    page = pat.get(f"{path}/@@schedule")
    assert "There is no draft" in page
    fields = {**dict(planning(page).submit_fields()), "publish_at": "2041-05-01T10:00"}
    page = pat.post(f"{path}/@@schedule", fields, status=422)
    assert "there is nothing to publish" in page
    page = pat.post(
        "/@@schedule", {**fields, "publish_at": "", "expire_at": "2041-05-01T10:00"}, status="*"
    )
    assert page.status_int in (409, 422)


def test_a_form_that_is_old_or_has_no_token_changes_nothing(site, pat, ann, path):
    form = planning(pat.get(f"{path}/@@schedule"))
    save_draft(ann, path, body="What comes next.")
    form["expire_at"] = "2041-05-01T10:00"
    page = form.submit(status=409)
    assert planning(page)["expire_at"].value == "2041-05-01T10:00"
    fields = dict(planning(page).submit_fields())
    pat.post(f"{path}/@@schedule", {**fields, "csrf_token": "x"}, status=400)
    ann.get(f"{path}/@@schedule", status=403)
    ann.post(f"{path}/@@schedule", {**fields, "csrf_token": token(ann)}, status=403)
    assert times_of(site, path) == (None, None)
    planning(page).submit(status=303)
    assert times_of(site, path)[1] is not None


def test_a_page_appears_and_disappears_on_time(site, pat):
    path = f"/published-{next(_numbers)}"
    site.add(path, "On time.", title="On time", state="draft")
    now = utcnow()
    site.client.get(path, status=404)
    change(site, path, publish_at=now - dt.timedelta(seconds=2))
    site.client.get(path, status=200)
    assert "On time" in site.client.get("/")
    assert "Unpublish" in pat.get(path)
    change(site, path, expire_at=now - dt.timedelta(seconds=1))
    site.client.get(path, status=404)
    assert "Draft" in pat.get(path).html.select_one(".bar-state").text


def test_a_draft_that_readers_see_by_now_is_not_discarded(site, ann, path):
    save_draft(ann, path, body="What comes next.")
    form = next(
        form for form in ann.get(f"{path}/@@discard-draft").forms.values() if "draft" in form.fields
    )
    change(site, path, publish_at=utcnow() - dt.timedelta(seconds=2))
    assert "What comes next" in site.client.get(path)
    assert "There is no draft any more" in form.submit(status=303).follow()
    assert "What comes next" in site.client.get(path)
    assert times_of(site, path) == (None, None)


def test_what_is_restored_follows_what_readers_see_by_now(site, pat, ann, path):
    save_draft(ann, path, body="What comes next.")
    with site.tree() as tree:
        unpublish(tree, site.node(tree, path))
    change(site, path, publish_at=utcnow() - dt.timedelta(seconds=2))
    assert "What comes next" in site.client.get(path)
    with site.database.read_session() as session:
        query = select(Revision.id).where(Revision.name == path[1:]).order_by(Revision.id)
        first, last = session.scalars(query).all()
    form = next(
        form
        for form in pat.get(f"{path}/@@restore?id={first}").forms.values()
        if "base" in form.fields
    )
    assert form["base"].value == str(last)
    form.submit("how", value="now", status=303).follow()
    assert "What readers see" in site.client.get(path, status=200)
    # What they saw meanwhile is in the history.
    assert live_revisions(site, path) == 3


# -- what was looked at ---------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?version=draft"])
def test_nobody_publishes_what_others_have_written_since_they_looked(site, pat, ann, path, query):
    save_draft(ann, path, body="What comes next.")
    page = pat.get(path + query)
    publish = [f for f in page.forms.values() if f.action.endswith("/@@state")]
    save_draft(ann, path, body="Something else.")
    answer = publish[-1].submit("transition", value="publish", status=422)
    assert "Something has changed in the meantime" in answer
    assert "What readers see" in site.client.get(path)
    form = next(f for f in answer.forms.values() if "digest" in f.fields)
    form.submit()
    assert "Something else." in site.client.get(path)


def test_what_is_planned_is_in_the_list_of_what_was_done_and_can_be_undone(site, pat, ann, path):
    form = next(f for f in pat.get(f"{path}/@@schedule").forms.values() if "expire_at" in f.fields)
    form["expire_at"] = "2091-05-01T09:30"
    page = form.submit().follow()
    assert "Readers will see it until 2091-05-01 09:30" in page
    assert "Expires 2091-05-01 09:30" in page
    assert "Pat planned when readers see “A page”" in (
        pat.get(f"{path}/@@operations").html.get_text()
    )
    assert "Pat planned when readers see “A page”" in pat.get("/@@activity").html.get_text()
    undo = next(f for f in page.forms.values() if f.action.endswith("/undo"))
    page = undo.submit().follow()
    assert "Took back what was planned for “A page”." in page
    assert "Expires" not in page.html.select_one(".bar").get_text()
    # Whoever may not publish undoes it neither.
    assert "/undo" not in str(ann.get(f"{path}/@@operations").html.select_one(".deeds"))


def test_an_end_of_a_draft_is_no_promise_to_show_it(site, pat):
    path = f"/published-{next(_numbers)}"
    site.add(path, "Text.", title="A draft", state="draft")
    form = next(f for f in pat.get(f"{path}/@@schedule").forms.values() if "expire_at" in f.fields)
    form["expire_at"] = "2091-05-01T09:30"
    page = form.submit().follow()
    assert "It will be hidden on 2091-05-01 09:30" in page
    assert "if it is published by then." in page
