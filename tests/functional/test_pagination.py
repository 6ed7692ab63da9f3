"""Long lists come in pages that continue from a key."""

import re

import pytest

from myproject.content.types import Folder, Page


def add_children(site, path, count):
    with site.tree() as tree:
        pages = [Page(name=f"p{number:05}", title=f"Page {number}") for number in range(count)]
        tree.add_many(site.node(tree, path), pages)


def listed(response):
    """The addresses in the page's own listing, and that of its continuation."""
    listing = response.text.partition('aria-labelledby="site-listing"')[2]
    hrefs = re.findall(r'<li[^>]*><a href="([^"]+)"', listing.partition("</section>")[0])
    onward = re.search(r'class="more" rel="next" href="([^"]+)"', listing)
    return hrefs, onward and onward[1]


@pytest.fixture
def small_pages(make_site):
    site = make_site(listing_size="4")
    site.add("/big", cls=Folder)
    return site


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8, 13])
def test_following_the_pages_shows_each_child_once_and_in_order(small_pages, count):
    add_children(small_pages, "/big", count)
    seen, address = [], "/big"
    while address:
        page = small_pages.client.get(address)
        hrefs, address = listed(page)
        assert hrefs or not count
        seen += hrefs
    assert seen == [f"/big/p{number:05}" for number in range(count)]


def test_a_later_page_leads_back_to_the_start_and_is_its_own_canonical_address(small_pages, links):
    add_children(small_pages, "/big", 9)
    _, address = listed(small_pages.client.get("/big"))
    page = small_pages.client.get(address)
    assert f'rel="canonical" href="http://localhost{address}"' in page
    assert links(page)["/big"] == "Back to the start"


def test_what_navigation_leaves_out_can_be_reached(small_pages):
    add_children(small_pages, "/big", 9)
    fragment = small_pages.client.get("/big/@@children")
    assert fragment.text.count("<li>") == 5
    assert '<a class="rest" href="/big">' in fragment
    assert '<a class="rest" href="/big">' in small_pages.client.get("/big")
    assert '<a class="rest"' not in small_pages.client.get("/")


@pytest.mark.parametrize(
    "after", ["", "x", "1", "1.", ".1", "1.2.3", "1.x", "9" * 30 + ".1", "nan.1", "1.%00", "%27--"]
)
def test_a_place_that_is_none_is_a_bad_request(shared_site, after):
    response = shared_site.client.get(f"/?after={after}", status=400)
    assert "no-store" in response.headers["Cache-Control"]
    assert "ETag" not in response.headers


def test_a_query_that_is_not_utf8_is_a_bad_request(small_pages):
    assert "UTF-8" in small_pages.client.get("/big?after=%ff", status=400)


def test_a_place_behind_the_last_child_is_an_empty_page(small_pages):
    add_children(small_pages, "/big", 2)
    assert listed(small_pages.client.get("/big?after=999999999999.1")) == ([], None)


def test_ten_thousand_children_cost_no_more_than_a_few(site, count_statements):
    site.add("/few", cls=Folder)
    site.add("/many", cls=Folder)
    add_children(site, "/few", 120)
    add_children(site, "/many", 10_000)
    costs = {}
    for section in ("few", "many"):
        for screen in ("", "?after=3000000.1", "/@@children", "/@@source", "/p00060"):
            site.client.get("/")  # what grants give is in memory then
            with count_statements(site.database) as seen:
                page = site.client.get(f"/{section}{screen}")
            costs.setdefault(screen, []).append((len(seen), page.text.count("<a ")))
    for screen, (few, many) in costs.items():
        assert few[0] == many[0], f"{screen}: statements"
        assert abs(many[1] - few[1]) <= 1, f"{screen}: links"
