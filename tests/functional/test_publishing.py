"""Drafts beside what readers see, on the screens: writing, publishing, looking, taking back."""

from __future__ import annotations

import datetime as dt
from itertools import count

import pytest
from sqlalchemy import func, select

from myproject.content.revisions import Revision
from myproject.db.base import utcnow
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
    page = publish.submit("state", value="published").follow()
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
