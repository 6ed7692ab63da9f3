"""Reading with a mouse, with the keyboard, on a phone, without JavaScript, on paper."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PATHS = ["/", "/guide", "/guide/everything", "/folder", "/folder/p30", "/guide/par", "/%00"]
PART_2 = ".tree li:has(> a[href='/guide/part-2'])"


@pytest.mark.parametrize("width", [360, 768, 1024, 1440])
def test_no_page_scrolls_sideways(open_context, width):
    page = open_context(width).new_page()
    for path in PATHS:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_what_is_too_wide_scrolls_by_itself_and_can_be_reached_by_keyboard(open_context):
    page = open_context(360).new_page()
    page.goto("/guide/everything")
    table = page.locator(".table-wrap").first
    expect(table).to_have_attribute("tabindex", "0")
    table.focus()
    page.keyboard.press("ArrowRight")
    # Not wait_for_function, which evaluates strings: the site's policy forbids that.
    expect(table).not_to_have_js_property("scrollLeft", 0)
    diff = page.locator("pre", has_text="+ new")
    expect(diff).not_to_have_attribute("tabindex", re.compile(".*"))


def test_a_section_opens_by_mouse(page):
    page.goto("/guide/part-1")
    section = page.locator(PART_2)
    expect(section.locator("li")).to_have_count(0)
    section.locator("summary").click()
    expect(section.locator("a[href='/guide/part-2/b']")).to_be_visible()
    section.locator("summary").first.click()
    expect(section.locator("a[href='/guide/part-2/b']")).to_be_hidden()


def test_a_section_opens_by_keyboard_and_its_sections_do_too(page):
    page.goto("/guide/part-1")
    page.locator(f"{PART_2} > a").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(f"{PART_2} a[href='/guide/part-2/a']")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator(f"{PART_2} a[href='/guide/part-2/a/deep']")).to_be_visible()


def test_opening_a_section_asks_once(page):
    page.goto("/guide/part-1")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    summary = page.locator(f"{PART_2} > details > summary")
    for _ in range(3):
        summary.click()
    expect(page.locator(f"{PART_2} a[href='/guide/part-2/a']")).to_be_visible()
    assert len([url for url in asked if url.endswith("/@@children")]) == 1


def test_the_first_key_skips_to_the_content(page):
    page.goto("/guide/everything")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#site-main")).to_be_focused()


def test_the_table_of_contents_leads_to_its_headings_and_marks_where_one_is(page):
    page.goto("/guide/everything")
    link = page.locator(".toc a", has_text="Code")
    link.click()
    assert page.url.endswith("#code")
    expect(page.locator("#code")).to_be_in_viewport()
    expect(link).to_have_class("seen")
    top = page.locator("#code").bounding_box()["y"]
    assert top >= page.locator(".masthead").bounding_box()["height"]


def test_code_is_copied(open_context):
    context = open_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto("/guide/everything")
    block = page.locator(".copyable", has=page.locator("pre", has_text="+ new"))
    block.hover()
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "- old\n+ new\n"


@pytest.mark.parametrize("width", [360, 1440])
def test_everything_can_be_read_without_javascript(open_context, width):
    page = open_context(width, java_script_enabled=False).new_page()
    page.goto("/guide/everything")
    if width == 360:
        for menu in page.locator(".menu > summary").all():
            menu.click()
    for place in (
        ".tree a[href='/guide/part-2']",
        ".toc a[href='#code']",
        ".prose pre",
        ".pager a",
    ):
        expect(page.locator(place).first).to_be_visible()
    # What only a script could fill is not offered.
    expect(page.locator(f"{PART_2} summary")).to_be_hidden()
    page.locator(".prose summary").click()
    expect(page.get_by_text("Hidden.")).to_be_visible()
    page.goto("/folder")
    page.get_by_role("link", name="More pages").click()
    expect(page.get_by_role("main").get_by_role("link", name="Page 55")).to_be_visible()


def test_on_a_phone_navigation_is_a_menu(open_context):
    page = open_context(360).new_page()
    page.goto("/guide/everything")
    expect(page.locator(".tree")).to_be_hidden()
    page.locator(".shell > .menu > summary").click()
    expect(page.locator(".tree")).to_be_visible()


def test_on_paper_there_is_the_text_and_no_navigation(page):
    page.goto("/guide/everything")
    page.emulate_media(media="print")
    for place in (".tree", ".toc", ".menu", ".pager", ".skip", ".copy", ".doc-foot a"):
        for found in page.locator(place).all():
            expect(found).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_text("Hidden.")).to_be_visible()
