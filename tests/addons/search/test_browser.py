"""The search in a browser: no rule of axe-core is broken, it fits, and it needs no mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect

from myproject.content import types
from myproject.testing import Site, SQLite

pytestmark = pytest.mark.browser

LONG = "antidisestablishmentarianism" * 6

Open = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def address(sqlite_backend: SQLite, serve: Callable[..., str]) -> Iterator[str]:
    """Where a site with long words in it is served."""
    url = sqlite_backend.create()
    site = Site(url, addons="search")
    site.add("/guide", "Welcome to the guide of salt.", title="Guide")
    for number in range(30):
        site.add(f"/guide/part-{number}", f"Salt {LONG}", title=f"Part {number} {LONG}")
    site.add("/folder", cls=types.Folder, title="Folder of parts", summary="Salt")
    yield serve(site.app)
    site.close()
    sqlite_backend.drop(url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_is_broken_and_nothing_sticks_out(
    open_context: Open,
    width: int,
    scheme: str,
) -> None:
    page = open_context(width, color_scheme=scheme).new_page()

    def look(what: str) -> None:
        results = Axe().run(page)
        assert results.violations_count == 0, f"{what}\n{results.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what

    for path in (
        "/@@search",
        "/@@search?q=salt",
        "/guide/@@search?q=salt&page=2",
        f"/@@search?q=salt+{LONG[:150]}x",
        "/@@search?q=part+nothing",
        "/guide",
    ):
        page.goto(path)
        look(path)
    page.goto("/@@search")
    page.get_by_role("searchbox").press_sequentially("par")
    page.locator(".search-suggested a").first.wait_for()
    look("suggestions")


def test_titles_are_suggested_and_chosen_with_the_keyboard(open_context: Open) -> None:
    page = open_context().new_page()
    page.goto("/guide")
    box = page.get_by_role("searchbox")
    box.press_sequentially("fol")
    first = page.locator(".search-suggested a").first
    first.wait_for()
    assert "1 suggestion" in page.locator("#site-search-told").inner_text()
    page.keyboard.press("Escape")
    assert not first.is_visible()
    assert box.input_value() == "fol"
    box.press_sequentially("d")
    first.wait_for()
    page.keyboard.press("ArrowDown")
    assert first.evaluate("link => link === document.activeElement")
    page.keyboard.press("ArrowUp")
    assert box.evaluate("input => input === document.activeElement")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/folder")


def test_what_is_suggested_goes_away_with_the_focus(open_context: Open) -> None:
    page = open_context().new_page()
    page.goto("/guide")
    box = page.get_by_role("searchbox")
    box.press_sequentially("folder")
    first = page.locator(".search-suggested a").first
    first.wait_for()
    page.get_by_role("heading", level=1).click()
    assert not first.is_visible()
    box.focus()
    assert first.is_visible()
    box.fill("zzz")
    first.wait_for(state="hidden")


def test_without_a_script_it_is_a_plain_form(open_context: Open) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/guide")
    page.get_by_role("searchbox").fill("folder")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Folder of parts").click()
    page.wait_for_url("**/folder")


def test_on_a_phone_a_link_leads_to_the_screen(open_context: Open) -> None:
    page = open_context(360).new_page()
    page.goto("/guide")
    assert page.get_by_role("searchbox").count() == 0
    page.get_by_role("link", name="Search").click()
    page.get_by_role("searchbox").fill("folder")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Folder of parts")).to_be_visible()
