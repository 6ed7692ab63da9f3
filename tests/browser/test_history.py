"""The history of a page in a browser: two versions chosen and compared, one brought back; what
happened and what is planned; no rule of axe-core is broken."""

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from myproject.content.operations import save
from myproject.content.publishing import schedule
from myproject.testing import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def cookie(site, address):
    """Somebody who may publish, and a page that was saved three times."""
    site.add("/history", "One.\n\nTwo.\n", title="History of it")
    for values in ({"title": "Second title"}, {"body": "One.\n\nTwo and a half.\n"}):
        with site.tree() as tree:
            save(tree, site.node(tree, "/history"), values, site.renderer, comment="Why")
    with site.tree() as tree:
        schedule(tree, site.node(tree, "/history"), None, dt.datetime(2091, 5, 1, tzinfo=dt.UTC))
    ((name, value),) = sign_in(site, "pia", "publisher").cookies.items()
    return {"name": name, "value": value, "url": address}


def check(page):
    # Whatever can be opened is looked at, too; open menus would be in the way afterwards.
    toggle = "(all, open) => all.forEach(details => details.open = open)"
    page.eval_on_selector_all("details:not([hx-get])", toggle, True)
    results = Axe().run(page)
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"
    page.eval_on_selector_all("details:not([hx-get])", toggle, False)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 360)])
def test_versions_are_compared_and_brought_back(open_context, cookie, scheme, width):
    context = open_context(width, color_scheme=scheme)
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto("/history")
    page.keyboard.press("h")
    page.wait_for_url("**/@@history")
    check(page)
    page.goto("/history/@@history")
    page.locator('.history > li:last-child input[name="from"]').check()
    page.get_by_role("button", name="Compare the two").click()
    expect(page.locator(".compare ins").nth(1)).to_be_visible()
    sides = page.locator(".compare-row.changed .compare-cell").all()[:2]
    left, right = (side.bounding_box() for side in sides)
    beside = left["y"] == right["y"]
    assert beside is (width > 768)
    # Not by colour alone.
    line = "element => getComputedStyle(element).textDecorationLine"
    assert page.locator(".compare ins").first.evaluate(line) == "underline"
    check(page)
    page.get_by_role("link", name="In one text").click()
    check(page)
    page.get_by_role("link", name="Look at it").first.click()
    assert page.locator("h1").inner_text() == "History of it"
    check(page)
    page.get_by_role("link", name="Restore…").click()
    check(page)
    page.get_by_role("button", name="Restore now").click()
    page.wait_for_url("**/history")
    page.goto("/history/@@changes")
    assert "Restored from the version of" in page.locator(".events").inner_text()
    check(page)
    page.goto("/@@activity")
    check(page)
    page.get_by_role("link", name="Planned").click()
    assert "is taken back from readers" in page.locator(".events").inner_text()
    check(page)
    with_another = page.context.request
    assert with_another.get("/@@activity.atom").ok
    # For the other size there has to be something to bring back once more.
    page.goto("/history/@@history")
    page.locator(".history a", has_text="Restore…").first.click()
    page.get_by_role("button", name="Restore now").click()
