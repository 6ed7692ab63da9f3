"""The screens of redirects and of links in a browser: no rule of axe-core is broken, nothing is
wider than a phone, and lists follow what is typed."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from myproject.testing import sign_in
from myproject.tree.node import ROOT_ID
from myproject.tree.redirects import add, address_of

pytestmark = pytest.mark.browser

LONG = "antidisestablishmentarianism" * 6


@pytest.fixture(scope="module")
def linked(site):
    """Redirects and links of each kind; paths of screens, and the cookies of an administrator."""
    cookies = sign_in(site, "rita", "administrator").cookies
    target = site.add("/moved-away", title=f"Moved {LONG}")
    gone = site.add("/soon-gone", title="Soon gone")
    body = f"[a](node:{target}) [b](node:{gone}) [c](lost:1) [d](node:999999)"
    site.add("/linking", body, title=f"Linking {LONG}")
    with site.tree() as tree:
        tree.rename(site.node(tree, "/moved-away"), "moved-here")
        tree.trash(site.node(tree, "/soon-gone"))
        old = address_of(tree.session, ("old", LONG, "page.html"))
        number = add(tree.session, old, target_id=ROOT_ID, actor="rita")
        for name, to in (
            ("shop", {"url": f"https://example.org/{LONG}"}),
            ("gone", {"target_id": gone}),
        ):
            add(tree.session, address_of(tree.session, (f"to-{name}",)), actor="rita", **to)
    paths = [
        *("/@@redirects", "/@@redirects/new", f"/@@redirects/{number}", "/@@broken-links"),
        *("/moved-here/@@backlinks", "/linking/@@backlinks"),
    ]
    return paths, cookies


@pytest.fixture
def open_page(linked, open_context, address):
    """``open_page(360, color_scheme="dark")``: a page of the administrator."""

    def make(width=1440, **options):
        context = open_context(width, **options)
        context.add_cookies(
            [{"name": name, "value": value, "url": address} for name, value in linked[1].items()]
        )
        return context.new_page()

    return make


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1440, "light")])
def test_no_rule_is_broken_and_nothing_is_too_wide(open_page, linked, width, scheme):
    page = open_page(width, color_scheme=scheme)
    for path in linked[0]:
        page.goto(path)
        assert page.locator(".screen").count() == 1
        results = Axe().run(page)
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    page.goto("/@@redirects/new")
    page.fill("[name=address]", "/@@no")
    page.fill("[name=target]", "/")
    page.click("main button")
    expect(page.locator(".invalid-feedback")).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_lists_follow_what_is_typed_and_chosen(open_page):
    page = open_page()
    page.goto("/@@redirects")
    page.locator("[name=q]").press_sequentially("shop")
    expect(page.locator("tbody th code")).to_have_text(["/to-shop"])
    page.locator("[name=q]").fill("")
    page.select_option("[name=origin]", "moved")
    # Other tests have moved pages of this site, too.
    expect(page.get_by_text("/to-shop", exact=True)).to_have_count(0)
    expect(page.locator("tbody th code").get_by_text("/moved-away", exact=True)).to_be_visible()
    page.goto("/@@broken-links")
    page.select_option("[name=kind]", "trashed")
    expect(page.locator("tbody td").first).to_have_text("Soon gone")


def test_the_editor_says_how_many_pages_link_to_a_page(open_page):
    page = open_page()
    page.goto("/moved-here/@@edit")
    expect(page.get_by_role("link", name="1 page links here")).to_be_visible()
