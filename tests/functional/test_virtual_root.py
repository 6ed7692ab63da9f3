"""A part of the tree served as a site of its own, by the header of a trusted proxy."""

import pytest

from myproject.content.types import Link


@pytest.fixture(scope="module")
def shop(make_shared_site):
    site = make_shared_site(virtual_root_header="true", trusted_proxies="127.0.0.1")
    for path in ("/shop", "/shop/a", "/shop/a/b", "/shopping", "/other"):
        number = site.add(path, "Text.", title=path.strip("/"))
    site.add("/shop/text", f"[other](node:{number})")
    site.add("/shop/link", cls=Link, target_id=number)
    return site


@pytest.fixture(scope="module")
def visit(shop, fetch):
    return lambda path, root="/shop", **kw: fetch(shop, path, HTTP_X_VHM_ROOT=root, **kw)


def test_addresses_begin_at_the_virtual_root(visit, links):
    page = visit("/a")
    assert page.status_int == 200
    assert {"/", "/a", "/a/b"} <= set(links(page))
    assert not any(href.startswith("/shop") for href in links(page))
    assert 'rel="canonical" href="http://localhost/a"' in page


def test_other_spellings_redirect_below_it(visit):
    assert visit("/a/").headers["Location"] == "http://localhost/a"
    assert visit("//").headers["Location"] == "http://localhost/"
    assert visit("/").status_int == 200


def test_what_is_outside_is_not_found_nor_suggested(visit):
    page = visit("/other")
    assert page.status_int == 404
    assert 'href="/other"' not in page
    assert 'href="/shop' not in page


def test_links_that_lead_outside_lead_nowhere(visit):
    assert '<a class="broken-link">other</a>' in visit("/text")
    assert "/other" not in visit("/text/@@source")
    assert visit("/link").status_int == 404


def test_a_virtual_root_that_does_not_exist_is_not_found(visit):
    for root in ("/nope", "/shop/nope", "/shop/source", "/shop/@@source"):
        for path in ("/", "/a", "/@@source"):
            assert visit(path, root).status_int in (400, 404)


def test_without_the_setting_the_header_means_nothing(make_site, fetch):
    site = make_site(trusted_proxies="127.0.0.1")
    site.add("/shop")
    assert fetch(site, "/shop", HTTP_X_VHM_ROOT="/shop").status_int == 200
    assert fetch(site, "/", HTTP_X_VHM_ROOT="/nope").status_int == 200


def test_the_tree_of_editors_begins_there(shop, visit):
    client = shop.sign_in("ed", "editor")
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    answer = visit("/a/@@contents", headers={"Cookie": cookie})
    addresses = [link["href"] for link in answer.html.select("nav.outline .outline-tree a")]
    assert addresses[:3] == ["/@@contents", "/a/@@contents", "/a/b/@@contents"]
    assert not any("shop" in address or "other" in address for address in addresses)
