"""A page that is submitted, sent back and approved, tried in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from myproject.testing import Site, sign_in
from myproject.tree.node import DRAFT
from tests.browsing import look

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def reviewed(sqlite_backend):
    url = sqlite_backend.create()
    site = Site(url, addons="review search")
    yield site
    site.close()
    sqlite_backend.drop(url)


@pytest.fixture(scope="module")
def address(reviewed, serve):
    return serve(reviewed.app)


@pytest.fixture
def open_as(reviewed, address, open_context):
    def open_as(name, role, **options):
        ((key, value),) = sign_in(reviewed, name, role).cookies.items()
        context = open_context(**options)
        context.add_cookies([{"name": key, "value": value, "url": address}])
        return context.new_page()

    return open_as


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_a_page_goes_its_way(reviewed, open_as, width, scheme):
    path, title = f"/way-{width}", f"A page at {width}"
    reviewed.add(path, "First.\n", title=title, state=DRAFT)
    ann = open_as("ann", "author", width=width, color_scheme=scheme)
    pat = open_as("pat", "publisher", width=width, color_scheme=scheme)
    ann.goto(f"{path}/@@edit")
    ann.get_by_label("Description").fill("What it is about")
    ann.get_by_role("button", name="Submit for review").click()
    look(ann, "submitting")
    ann.get_by_label("Comment").fill("Please look.")
    ann.get_by_role("button", name="Submit for review").click()
    expect(ann.get_by_text("In review.")).to_be_visible()
    look(ann, "in review")
    pat.goto("/")
    pat.get_by_role("link", name="Review: 1 page waits for you").click()
    look(pat, "inbox")
    pat.get_by_role("link", name=title).click()
    look(pat, "review")
    pat.get_by_role("button", name="Send back").click()
    expect(pat.get_by_text("Say why, in a few words.")).to_be_visible()
    look(pat, "without a comment")
    pat.get_by_label("Comment").fill("A picture is missing.")
    pat.get_by_role("button", name="Send back").click()
    ann.goto("/@@review")
    expect(ann.get_by_text("A picture is missing.")).to_be_visible()
    look(ann, "sent back")
    ann.get_by_role("link", name=title).click()
    ann.get_by_role("button", name="Submit for review").click()
    pat.goto(f"{path}/@@review")
    pat.get_by_role("button", name="Approve and publish").click()
    expect(pat.get_by_text(f"Approved “{title}”.")).to_be_visible()
    assert "First." in reviewed.client.get(path)
