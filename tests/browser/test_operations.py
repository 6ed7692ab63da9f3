"""Moving by keyboard, undoing from the message, and the way back from the trash."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.functional.arranging import journal_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cookie(site, address):
    """Of somebody who may publish, on a site where things have been done and deleted."""
    for path in ("/arranged", "/arranged/here", "/arranged/here/page", "/arranged/there"):
        site.add(path, title=path.rpartition("/")[2].capitalize())
    for name in ("gone", "lost"):
        site.add(f"/arranged/{name}", title=f"{name.capitalize()} {'antidisestablishment' * 4}")
    client = site.sign_in("mo", "publisher")
    with journal_of(site, "mo") as (journal, node):
        journal.rename(node("/arranged/gone"), "away")
        journal.trash([node("/arranged/away")])
        journal.trash([node("/arranged/lost")])
    ((name, value),) = client.cookies.items()
    return {"name": name, "value": value, "url": address}


@pytest.fixture
def open_page(open_context, cookie):
    def make(*arguments, **options):
        context = open_context(*arguments, **options)
        context.add_cookies([cookie])
        return context.new_page()

    return make


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_is_broken_and_nothing_sticks_out(open_page, width, scheme):
    page = open_page(width, color_scheme=scheme)

    def look(what):
        results = Axe().run(page)
        assert results.violations_count == 0, f"{what}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what

    for path in (
        "/@@operations",
        "/arranged/@@operations",
        "/@@trash",
        "/arranged/here/page/@@move?at=1",
        "/arranged/here/page/@@move?find=1&q=part",
        "/arranged/here/@@move?target=1",
        "/arranged/@@move?at=1&target=999999",
        "/arranged/here/page/@@delete",
    ):
        page.goto(path)
        look(path)
    page.goto("/@@trash")
    page.get_by_role("checkbox").first.check()
    look("something is ticked")
    page.locator("a.title").first.click()
    look("something in the trash")
    page.get_by_role("link", name="Delete for good").click()
    look("deleting for good")
    page.goto("/arranged/here/page/@@state")
    page.get_by_role("button", name="Unpublish").last.click()
    page.locator(".notification").wait_for()
    look("a message")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Redo").wait_for()


def test_a_page_is_moved_by_keyboard_undone_deleted_and_restored(open_page, address):
    page = open_page()
    page.goto("/arranged/here/page/@@move")
    # Found while it is being typed; the next stops are the button, what it opens, and choosing it.
    page.get_by_label("Find a place by its title or name").focus()
    page.keyboard.type("ther")
    page.get_by_role("button", name="Move here: There").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Open: There"
    page.keyboard.press("Enter")
    # What was opened is where one goes on.
    page.locator("#site-here:focus").wait_for()
    page.get_by_role("button", name="Move here: There").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Move “Page” to “There”?").wait_for()
    page.get_by_role("button", name="Move", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/arranged/there/page")
    status = page.get_by_role("status")
    assert "Moved “Page” to There." in status.inner_text()
    # It waits for whoever needs longer, and is closed by keyboard.
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/arranged/here/page")
    assert "Moved “Page” back to Here." in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="Close this message").press("Enter")
    expect(page.get_by_role("status")).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "site-main"

    page.goto("/arranged/here/page/@@delete")
    page.get_by_role("button", name="Move to the trash").click()
    page.wait_for_url("**/arranged/here")
    assert page.goto("/arranged/here/page").status == 404
    page.goto("/@@trash?q=page")
    page.get_by_role("link", name="Restore: Page").click()
    page.get_by_role("button", name="Restore", exact=True).click()
    assert "Restored “Page”." in page.get_by_role("status").inner_text()
    assert page.goto("/arranged/here/page").status == 200


def test_the_same_without_a_script(open_page):
    page = open_page(java_script_enabled=False)
    page.goto("/arranged/there/@@copy?at=1")
    page.get_by_label("Find a place by its title or name").fill("here")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("button", name=re.compile("Copy here: Here")).click()
    page.get_by_role("button", name="Copy", exact=True).click()
    assert "Copied “There” to Here." in page.get_by_role("status").inner_text()
    page.get_by_role("link", name="Close this message").click()
    expect(page.get_by_role("status")).to_have_count(0)
    page.goto("/@@operations?who=me")
    page.get_by_role("button", name=re.compile("^Undo: Mo copied")).click()
    assert "to the trash" in page.get_by_role("status").inner_text()
    assert page.goto("/arranged/here/there").status == 404
