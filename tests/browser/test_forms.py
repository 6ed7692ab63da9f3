"""Forms in a browser: choosing a page, getting to what is wrong, nothing that axe-core finds."""

import sys

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from myproject.testing import Site
from tests.views.parcels import includeme, make_package

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def parcels(sqlite_backend, tmp_path_factory):
    """A site with the form of parcels at ``/@@parcel`` and pages to choose from."""
    folder = tmp_path_factory.mktemp("package")
    make_package(folder)
    sys.path.insert(0, str(folder))
    url = sqlite_backend.create()
    site = Site(url, includeme)
    for path, title in {
        "/docs": "Documentation",
        "/docs/install": "Install",
        "/docs/install/linux": "Installing on <b>Linux</b>",
        "/docs/install/windows": "Installing on Windows",
    }.items():
        site.add(path, title=title)
    site.add("/docs/draft", title="Install a draft", state="draft")
    yield site
    site.close()
    sqlite_backend.drop(url)
    sys.path.remove(str(folder))
    sys.modules.pop("parcels", None)


@pytest.fixture(scope="module")
def address(parcels, serve):
    return serve(parcels.app)


@pytest.fixture
def open_form(open_context, parcels, address):
    """``open_form(width, query)``: the form, opened by an administrator."""
    ((name, value),) = parcels.sign_in("ada", "administrator").cookies.items()

    def make(width=1440, query="", **options):
        context = open_context(width, **options)
        context.add_cookies([{"name": name, "value": value, "url": address}])
        page = context.new_page()
        page.goto(f"/@@parcel{query}")
        return page

    return make


def is_fine(page, width, what):
    results = Axe().run(page)
    assert results.violations_count == 0, f"{what}\n{results.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth") <= width, what


def test_a_page_is_found_by_its_title_with_the_keyboard(open_form):
    page = open_form()
    box = page.get_by_role("combobox", name="Page about it")
    expect(page.locator("#site-target_id-place")).to_contain_text("Type a few letters")
    box.press_sequentially("inst")
    options = page.locator(".picker").get_by_role("option")
    expect(options).to_have_count(4)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator(".picker [role=status]")).to_have_text("Pages found: 4")
    expect(options.nth(3)).to_contain_text("Installing on <b>Linux</b>")
    expect(options.filter(has_text="draft").locator(".picker-draft")).to_have_text("Draft")
    page.keyboard.press("ArrowUp")
    last = options.nth(3)
    expect(last).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", last.get_attribute("id"))
    is_fine(page, 1440, "open list")
    page.keyboard.press("Escape")
    expect(options.first).to_be_hidden()
    expect(box).to_have_value("inst")
    page.keyboard.press("ArrowDown")
    expect(options).to_have_count(4)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("/docs/install")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#site-target_id-place a")).to_have_attribute("href", "/docs/install")
    # Moving on sends no form and chooses nothing.
    box.fill("windows")
    expect(options).to_have_count(1)
    options.first.click()
    expect(box).to_have_value("/docs/install/windows")
    expect(box).to_be_focused()
    box.fill("nothing like it")
    expect(page.locator(".picker-note")).to_have_text("No page was found.")
    page.route("**/@@pages*", lambda route: route.abort())
    box.fill("install")
    expect(page.locator(".picker-note")).to_contain_text("cannot be looked up")
    page.keyboard.press("Tab")
    expect(page.locator(".picker-note")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 360)])
def test_what_is_wrong_is_a_keypress_away(open_form, scheme, width):
    page = open_form(width, color_scheme=scheme)
    is_fine(page, width, "form")
    page.locator("#f").evaluate("form => { form.noValidate = true }")
    page.get_by_label("Label").fill(" ")
    page.get_by_label("Page about it").fill("/docs/instal")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Remark").evaluate("input => { input.value = 'x'.repeat(101) }")
    page.get_by_role("button", name="Save").click()
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    is_fine(page, width, "form with errors")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Label")).to_be_focused()
    page.locator("details.field-group").evaluate("group => { group.open = false }")
    summary.get_by_role("link", name="Remark").click()
    expect(page.get_by_label("Remark")).to_be_focused()
    expect(page.locator("#site-target_id-text")).to_contain_text("Did you mean /docs/install?")


def test_without_javascript_a_path_will_do(open_form):
    page = open_form(query="?target=2", java_script_enabled=False)
    box = page.get_by_label("Page about it")
    expect(box).to_have_value("/docs")
    box.fill("/docs/install")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("body")).to_contain_text("('target_id', 3)")
