"""Signing in as a browser does it: with its own idea of origins, cookies and focus."""

import datetime as dt
import uuid

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from myproject.security.accounts import Accounts
from myproject.security.logins import make_link
from myproject.tree.actor import COMMAND_LINE

pytestmark = pytest.mark.browser

PASSWORD = "seven purple turtles"


@pytest.fixture
def user(site):
    """Name of somebody new, and a one-time link for them."""
    name = f"ann-{uuid.uuid4().hex[:8]}"
    with site.database.transaction() as session:
        accounts = Accounts(session, site.registry.passwords, COMMAND_LINE, minimum=10)
        user = accounts.create_user(name, "Ann Example")
        token = make_link(session, user, COMMAND_LINE, dt.timedelta(hours=1))
    return name, f"/@@one-time?token={token}"


def choose_password(page, link):
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()


def test_from_a_one_time_link_to_signing_out_and_in_again(page, user):
    name, link = user
    choose_password(page, link)
    expect(page.get_by_role("status")).to_have_text("Your password is set, and you are signed in.")
    page.goto("/guide/part-1")
    page.get_by_text("Ann Example").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url("/guide/part-1")
    page.get_by_role("link", name="Sign in").click()
    # The first thing one has to type has the focus.
    expect(page.get_by_label("Name or mail address")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url("/guide/part-1")
    expect(page.get_by_text("Ann Example")).to_be_visible()


def test_after_signing_out_one_s_own_screens_are_closed(page, user):
    choose_password(page, user[1])
    page.goto("/guide/part-1")
    expect(page.get_by_text("Ann Example")).to_be_visible()
    page.get_by_text("Ann Example").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/@@account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_page_shows_who_is_signed_in_at_once(page, user):
    """The browser's copy from before must not be taken for the page of now."""
    page.goto("/guide/part-1")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    choose_password(page, user[1])
    page.goto("/guide/part-1")
    expect(page.get_by_text("Ann Example")).to_be_visible()
    # And once more, out of the cache, with scripts that still run under its policy.
    page.goto("/guide/part-2")
    page.goto("/guide/part-1")
    page.locator("summary[aria-label='Pages below: Part 2']").click()
    expect(page.locator("a[href='/guide/part-2/b']")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_of_accessibility_is_broken(open_context, user, scheme, width):
    page = open_context(width, color_scheme=scheme).new_page()

    def look():
        page.eval_on_selector_all("details", "all => all.forEach(item => item.open = true)")
        results = Axe().run(page)
        assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    for path in ("/@@sign-in", "/@@reset-password", "/@@one-time?token=x", user[1]):
        page.goto(path)
        look()
    page.get_by_label("New password").fill("x")
    page.get_by_role("button", name="Set the password").click()
    look()
    choose_password(page, user[1])
    look()
    page.goto("/guide/part-1")
    look()
