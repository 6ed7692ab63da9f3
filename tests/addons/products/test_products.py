"""Products: pages with a price, and price lists."""

from decimal import Decimal

import pytest
from webtest import TestApp

from myproject.addons.products.models import Product
from myproject.content.publishing import save_newest
from myproject.content.types import Folder, Page
from myproject.testing import Site, links
from myproject.testing.contracts import AddonContract
from myproject.tree.node import DRAFT


def fill(site: Site) -> None:
    site.add("/shop", cls=Folder, title="Shop")
    site.add("/shop/teas", cls=Folder, title="Teas")
    site.add(
        "/shop/teas/green", cls=Product, title="Green tea", price=Decimal("12.50"), summary="Mild."
    )
    site.add("/shop/pot", "Holds *two* cups.", cls=Product, title="Pot", price=Decimal(1250))
    site.add("/shop/cup", cls=Product, title="Cup", price=Decimal(8), currency="CHF")


@pytest.fixture
def shop(make_site) -> Site:
    site = make_site(addons="products")
    fill(site)
    return site


def listed(client: TestApp, url: str = "/shop/@@products") -> list[str]:
    main = client.get(url).html.select("ul.products li")
    return [item.a.text for item in main]


class TestContract(AddonContract):
    addon = "products"
    pages = {"/shop/pot": 3, "/shop/@@products": 4}

    def fill(self, site):
        fill(site)
        return ["/shop/pot", "/shop/cup", "/shop/teas/green"]


def test_a_product_is_a_page_with_a_price(shop):
    page = shop.client.get("/shop/pot")
    assert "<strong>1,250.00 EUR</strong>" in page
    assert "Holds <em>two</em> cups." in page


def test_a_product_may_have_a_currency_of_its_own(shop):
    assert "8.00 CHF" in shop.client.get("/shop/cup")


def test_a_draft_shows_the_price_that_comes_next(shop):
    with shop.tree() as tree:
        save_newest(tree, shop.node(tree, "/shop/pot"), {"price": Decimal(99)}, shop.renderer)
    client = shop.sign_in("ann", "author")
    assert "99.00 EUR" in client.get("/shop/pot?version=draft")
    assert "<strong>1,250.00 EUR</strong>" in client.get("/shop/pot")
    form = next(
        f for f in client.get("/shop/pot/@@preview-links").forms.values() if "days" in f.fields
    )
    address = form.submit().follow().html.select_one("#site-link")["value"]
    page = shop.client.get(address)
    assert "99" in page.html.select_one("dl").text
    assert "Holds <em>two</em> cups." in page


def test_the_currency_of_the_others_is_a_setting(shop, make_site):
    site = make_site(addons="products", **{"products.currency": "SEK"})
    assert "12.50 SEK" in site.client.get("/shop/teas/green")
    assert "8.00 CHF" in site.client.get("/shop/cup")


@pytest.mark.parametrize("price", ["", "price: -1", "price: '1.234'", "price: dear"])
def test_a_product_has_a_price_that_can_be_one(shop, tmp_path, price):
    text = f"---\ntitle: Kettle\ncontentType: product\n{price}\n---\n"
    (tmp_path / "kettle.md").write_text(text, encoding="utf-8")
    result = shop.run("import", str(tmp_path))
    assert result.exit_code == 1
    assert "price" in result.output


def test_the_list_has_everything_below_the_cheapest_first(shop):
    assert listed(shop.client) == ["Cup", "Green tea", "Pot"]
    assert listed(shop.client, "/shop/teas/@@products") == ["Green tea"]
    assert links(shop.client.get("/@@products"))["/shop/teas/green"] == "Green tea"


def test_a_place_without_products_says_so(shop):
    shop.add("/about", cls=Page)
    assert "Nothing is for sale here." in shop.client.get("/about/@@products")


def test_nobody_reads_of_what_they_may_not_see(shop):
    shop.add("/shop/draft", cls=Product, title="Draft", price=1, state=DRAFT)
    shop.add("/shop/hidden", cls=Folder, state=DRAFT)
    shop.add("/shop/hidden/new", cls=Product, title="New", price=1)
    shop.add("/shop/secret", cls=Product, title="Secret", price=1)
    shop.make_private("/shop/secret")
    assert listed(shop.client) == ["Cup", "Green tea", "Pot"]
    assert "Draft" in listed(shop.sign_in("edith", "editor"))
    assert set(listed(shop.sign_in("ada", "administrator"))) >= {"Draft", "New", "Secret"}


def test_products_come_from_files_and_go_into_files(shop, tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    text = '---\ntitle: Kettle\ncontentType: product\nprice: "39.90"\ncurrency: GBP\n---\n\nHot.\n'
    (source / "kettle.md").write_text(text, encoding="utf-8")
    assert shop.run("import", str(source), "--at", "/shop").exit_code == 0
    assert "39.90 GBP" in shop.client.get("/shop/kettle")
    assert shop.run("export", str(target)).exit_code == 0
    written = (target / "shop" / "kettle.md").read_text(encoding="utf-8")
    assert "contentType: product" in written
    assert "39.90" in written
