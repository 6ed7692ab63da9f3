"""Drafts beside what readers see, on the screens: writing, publishing, looking, taking back."""

from __future__ import annotations

from itertools import count

import pytest
from sqlalchemy import func, select

from myproject.content.revisions import Revision
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
