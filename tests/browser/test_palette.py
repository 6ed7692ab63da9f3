"""The palette, the list of keys and the preferences in a browser: by keyboard, for everybody."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from myproject.testing import sign_in

pytestmark = pytest.mark.browser

PREFERENCES = "/@@account/preferences"


@pytest.fixture(scope="module")
def cookies(site):
    """Of somebody who may do everything, and of somebody who has switched single keys off."""
    quiet = sign_in(site, "quiet", "administrator")
    form = quiet.get(PREFERENCES).forms["site-preferences"]
    form["shortcuts"].checked = False
    form.submit()
    return {"ann": sign_in(site, "ann", "administrator").cookies, "quiet": quiet.cookies}


@pytest.fixture
def open_page(cookies, open_context, address):
    """``open_page("ann", 360, color_scheme="dark")``: a page of somebody."""

    def make(who="ann", width=1440, **options):
        context = open_context(width, **options)
        context.add_cookies(
            [{"name": name, "value": value, "url": address} for name, value in cookies[who].items()]
        )
        return context.new_page()

    return make


def check(page, where):
    results = Axe().run(page)
    assert results.violations_count == 0, f"{where}\n{results.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, where


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1440, "dark")])
def test_no_rule_is_broken_and_nothing_is_too_wide(open_page, width, scheme):
    page = open_page(width=width, color_scheme=scheme)
    page.goto("/guide/part-2")
    page.keyboard.press("Control+k")
    expect(page.locator(".palette [role=option]").first).to_be_visible()
    check(page, "the palette")
    page.keyboard.type("part")
    expect(page.locator(".palette [role=option]")).to_have_count(8)
    check(page, "pages")
    page.get_by_role("combobox").fill("zzzz")
    expect(page.locator(".palette-none")).to_be_visible()
    check(page, "nothing")
    page.keyboard.press("Escape")
    page.evaluate("document.dispatchEvent(new CustomEvent('site:shortcuts'))")
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page, "the keys")
    for path in ("/@@palette?at=/guide&q=part", "/@@palette?q=zzzz", PREFERENCES):
        page.goto(path)
        check(page, path)
    page.fill("[name=time_zone]", "Berln")
    page.click("text=Save")
    expect(page.locator(".invalid-feedback")).to_be_visible()
    check(page, "a zone that was refused")


def test_one_goes_anywhere_by_keyboard_alone(open_page):
    page = open_page()
    page.goto("/guide/part-2/a")
    page.locator(".brand").focus()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox")
    expect(field).to_be_focused()
    expect(page.locator(".palette [role=option]").first).to_have_attribute("aria-selected", "true")
    page.keyboard.type("part ")
    expect(page.locator(".palette [role=option]")).to_have_count(8)
    expect(page.get_by_role("status")).to_have_text("8 entries")
    options = page.locator(".palette [role=option]")
    for key, index in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("ArrowUp", 0)):
        page.keyboard.press(key)
        expect(options.nth(index)).to_have_attribute("aria-selected", "true")
        assert field.get_attribute("aria-activedescendant") == options.nth(index).get_attribute(
            "id"
        )
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    # The focus goes back to where it was.
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".brand")).to_be_focused()
    # Without waiting for the list: what was typed last counts.
    page.keyboard.press("Control+k")
    page.keyboard.type("Part 4")
    page.keyboard.press("Enter")
    page.wait_for_url("**/guide/part-4")
    # Whatever is done is offered for this page, and the same key closes it.
    page.keyboard.press("Control+k")
    page.keyboard.type("access")
    expect(page.get_by_role("option", name="Access")).to_have_attribute(
        "href", "/guide/part-4/@@sharing"
    )
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_it_opens_from_the_menu_and_by_pointer(open_page):
    page = open_page()
    page.goto("/guide")
    page.click(".account summary")
    page.click("[data-palette]")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("deep")
    page.get_by_role("option", name="Deep").click()
    page.wait_for_url("**/guide/part-2/a/deep")


def test_somebody_who_is_signed_out_meanwhile_is_told(open_page):
    page = open_page()
    page.goto("/guide")
    page.context.clear_cookies()
    page.keyboard.press("Control+k")
    expect(page.locator(".palette-none")).to_contain_text("signed out")
    page.locator(".palette-none a").click()
    page.wait_for_url(re.compile("@@sign-in"))


def test_keys_do_what_they_say_and_are_listed(open_page):
    page = open_page()
    page.goto("/guide/@@sharing")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    expect(dialog.locator("dl > div", has_text="View").locator("kbd")).to_have_text("v")
    expect(dialog.locator("dl > div", has_text="Go to a page").locator("kbd")).to_have_text(
        ["Ctrl", "K"]
    )
    # What is behind a dialog stays there.
    page.keyboard.press("v")
    expect(dialog).to_be_visible()
    page.keyboard.press("?")
    expect(dialog).to_have_count(0)
    # They are letters for somebody who types.
    field = page.locator("[name=q]").first
    field.focus()
    page.keyboard.type("v?")
    expect(field).to_have_value("v?")
    assert page.url.endswith("/guide/@@sharing")
    field.blur()
    page.keyboard.press("v")
    page.wait_for_url("**/guide")


def test_single_keys_do_nothing_for_who_switched_them_off(open_page):
    page = open_page("quiet")
    page.goto("/guide/@@sharing")
    page.keyboard.press("v")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith("/guide/@@sharing")
    assert page.locator("[data-shortcut=v]").get_attribute("aria-keyshortcuts") is None
    # What takes a second key goes on, and leads to the list.
    page.keyboard.press("Control+k")
    page.keyboard.type("keyboard")
    expect(page.locator(".palette [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("Single keys are switched off.")
    expect(dialog.locator("kbd")).to_have_text(["Ctrl", "K"])


def test_the_zone_of_the_device_is_offered(open_page):
    page = open_page(timezone_id="Asia/Tokyo")
    page.goto(PREFERENCES)
    page.click("text=Use Asia/Tokyo")
    expect(page.locator("[name=time_zone]")).to_have_value("Asia/Tokyo")
    expect(page.locator("[data-device-zone]")).to_be_hidden()
