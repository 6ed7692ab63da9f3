"""A draft beside the page, tried in a browser: written, looked at, and published."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from myproject.testing import sign_in
from tests.browsing import look

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cookie(site, address):
    ((key, value),) = sign_in(site, "petra", "publisher").cookies.items()
    return {"name": key, "value": value, "url": address}


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_a_draft_is_written_looked_at_and_published(site, open_context, cookie, width, scheme):
    path = f"/ahead-{width}"
    site.add(path, "What readers see.\n", title="A page")
    context = open_context(width, color_scheme=scheme)
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(f"{path}/@@edit")
    expect(page.get_by_role("button", name="Publish changes")).to_be_visible()
    page.get_by_label("Title", exact=True).fill("A better title")
    page.get_by_role("button", name="Save draft and view").click()
    expect(page.get_by_role("heading", name="A better title")).to_be_visible()
    look(page, "draft")
    page.get_by_role("link", name="Discard…").click()
    look(page, "discard")
    page.get_by_role("link", name="Keep it").click()
    page.goto(f"{path}/@@schedule")
    look(page, "schedule")
    page.get_by_label("Hide from readers on").fill("2041-05-01T09:30")
    page.get_by_label("Publish the draft on").fill("2001-05-01T09:30")
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_text("This time has passed.")).to_be_visible()
    look(page, "schedule with an error")
    page.get_by_label("Publish the draft on").fill("2041-04-01T09:30")
    page.get_by_role("button", name="Plan it").click()
    page.wait_for_url(f"**{path}")
    look(page, "scheduled")
    page.goto(f"{path}/@@preview-links")
    page.get_by_label("For whom").fill("For Zoe, who has no account")
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Copy it now").input_value()
    look(page, "preview links")
    box = page.get_by_role("button", name="Revoke").bounding_box()
    assert box["x"] + box["width"] <= width, "a link can be revoked on a phone"
    other = open_context(width, color_scheme=scheme).new_page()
    other.goto(link)
    expect(other.get_by_role("heading", name="A better title")).to_be_visible()
    look(other, "shared draft")
    page.goto("/@@contents")
    look(page, "contents")
    page.goto(f"{path}?version=draft")
    page.get_by_label("Version").get_by_role("button", name="Publish").click()
    page.wait_for_url(f"**{path}")
    expect(page.get_by_role("heading", name="A better title")).to_be_visible()
