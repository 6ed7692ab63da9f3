"""The screens of seo and products: no rule of axe-core is broken, nothing sticks out."""

from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from myproject.addons.products.models import Product
from myproject.content.types import Folder
from myproject.testing import Site

pytestmark = pytest.mark.browser

LONG = "antidisestablishmentarianism" * 5


@pytest.fixture(scope="module")
def shop(sqlite_backend):
    url = sqlite_backend.create()
    site = Site(url, addons="seo products search")
    site.add("/shop", cls=Folder, title="Shop", summary=f"All kinds of {LONG}")
    for number in range(3):
        site.add(
            f"/shop/cup-{number}",
            "Text.",
            cls=Product,
            title=f"Cup {number} {LONG if number else ''}",
            price=Decimal(10_000_000),
            summary="Holds tea.",
        )
    yield site
    site.close()
    sqlite_backend.drop(url)


@pytest.fixture(scope="module")
def shop_address(shop, serve):
    return serve(shop.app)


def is_fine(page, width, what):
    results = Axe().run(page)
    assert results.violations_count == 0, f"{what}\n{results.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth") <= width, what


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_no_rule_is_broken_and_nothing_sticks_out(open_context, shop, shop_address, scheme, width):
    context = open_context(width, color_scheme=scheme, base_url=shop_address)
    page = context.new_page()
    for path in ("/shop", "/shop/cup-0", "/shop/cup-1", "/shop/@@products"):
        page.goto(path)
        is_fine(page, width, path)
    ((name, value),) = shop.sign_in("ada", "administrator").cookies.items()
    context.add_cookies([{"name": name, "value": value, "url": shop_address}])
    page.goto("/shop/cup-1/@@seo")
    is_fine(page, width, "form")
    page.get_by_label("Picture in previews").fill("nowhere")
    page.get_by_role("button", name="Save").click()
    page.locator("[aria-invalid]").wait_for()
    is_fine(page, width, "form with an error")


def test_what_is_wrong_is_said_where_it_is_typed(open_context, shop, shop_address):
    context = open_context(java_script_enabled=False, base_url=shop_address)
    ((name, value),) = shop.sign_in("ada", "administrator").cookies.items()
    context.add_cookies([{"name": name, "value": value, "url": shop_address}])
    page = context.new_page()
    page.goto("/shop/cup-0/@@seo")
    page.get_by_label("leave out this page", exact=True).check()
    page.get_by_label("Text in previews").fill("Come and have tea")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.get_by_text("It is not found.")).to_be_visible()
    assert page.locator(".seo-card").inner_text().endswith("Come and have tea")
