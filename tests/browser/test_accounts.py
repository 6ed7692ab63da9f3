"""The screens of users, groups and the audit in a browser: no rule of axe-core is broken, nothing
is wider than a phone, and what scripts add works."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from myproject.security.accounts import Accounts
from myproject.testing import sign_in
from myproject.tree.actor import COMMAND_LINE

pytestmark = pytest.mark.browser

LONG = "antidisestablishmentarianism" * 6


@pytest.fixture(scope="module")
def people(site):
    """Who there is: name -> path of the screen, and the cookies of an administrator."""
    cookies = sign_in(site, "ann", "administrator").cookies
    sign_in(site, "bob", "editor", "/guide")
    with site.tree() as tree:
        accounts = Accounts(tree.session, site.registry.passwords, COMMAND_LINE, minimum=8)
        group = accounts.create_group("editors", f"Editors {LONG}", "They edit. " * 40)
        paths = {"editors": f"/@@groups/{group.id}"}
        for name, title in (("carol", LONG), ("dave", "Dave"), ("eve", "Eve")):
            user = accounts.create_user(name, title, f"{name}@example.org")
            accounts.join(user, group)
            paths[name] = f"/@@users/{user.id}"
        accounts.disable_user(user)
    return paths, cookies


@pytest.fixture
def open_page(people, open_context, address):
    """``open_page(360, color_scheme="dark")``: a page of the administrator."""

    def make(width=1440, **options):
        context = open_context(width, **options)
        context.add_cookies(
            [{"name": name, "value": value, "url": address} for name, value in people[1].items()]
        )
        return context.new_page()

    return make


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_is_broken_and_nothing_is_too_wide(open_page, people, width, scheme):
    page = open_page(width, color_scheme=scheme)
    paths, _cookies = people
    for path in (
        *("/@@users", "/@@users/new", "/@@groups", "/@@groups/new", "/@@audit"),
        *(paths[name] for name in ("carol", "eve", "editors")),
        paths["editors"] + "?q=bob",
    ):
        page.goto(path)
        assert page.locator(".screen").count() == 1
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        results = Axe().run(page)
        assert results.violations_count == 0, f"{path}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


def test_forms_that_were_refused_break_no_rule_either(open_page, people):
    page = open_page()
    page.goto("/@@users/new")
    page.fill("[name=name]", "ann")
    page.click("main button")
    expect(page.locator(".invalid-feedback")).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_the_list_follows_what_is_typed(open_page):
    page = open_page()
    page.goto("/@@users")
    expect(page.locator("tbody a", has_text="Dave")).to_be_visible()
    page.locator("[name=q]").press_sequentially("bo")
    expect(page.locator("tbody a")).to_have_text(["Bob"])
    assert "q=bo" in page.url
    page.locator("[name=q]").fill("")
    expect(page.locator("tbody a", has_text="Dave")).to_be_visible()
    page.select_option("[name=state]", "disabled")
    expect(page.locator("tbody a")).to_have_text(["Eve"])


def test_the_list_can_be_searched_without_scripts(open_page):
    page = open_page(java_script_enabled=False)
    page.goto("/@@users")
    page.fill("[name=q]", "bo")
    page.keyboard.press("Enter")
    expect(page.locator("tbody a")).to_have_text(["Bob"])


def test_a_new_link_can_be_copied(open_page, people):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(people[0]["dave"])
    page.click("text=Make a link")
    link = page.locator(".copy-value")
    expect(link).to_be_visible()
    page.click("text=Copy")
    expect(page.locator("text=Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == link.input_value()
    assert "/@@one-time?token=" in copied
