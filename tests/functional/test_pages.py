"""Reading screens: what is on a page, and where its links lead."""

import re

import pytest

from myproject.content.types import Folder, Link


@pytest.fixture(scope="module")
def docs(shared_site):
    """``/docs`` with three pages, of which the second has two below it."""
    site = shared_site
    site.add("/docs", "Welcome to **the docs**.", title="Documentation", nav_title="Docs")
    site.add("/docs/one", "## First\n\n### Second", title="One", summary="All about one.")
    site.add("/docs/two", "Text.", title="Two")
    site.add("/docs/two/a", title="A")
    site.add("/docs/two/b", title="B")
    site.add("/docs/three", title="Three")
    site.add("/empty", cls=Folder)
    site.add("/folder", cls=Folder, title="A folder")
    site.add("/folder/x", title="X", summary="About x.")
    site.add("/folder/y", cls=Link, title="Y", url="https://example.org/")
    return site


def test_a_page_shows_its_title_its_summary_and_its_body(docs):
    page = docs.client.get("/docs/one")
    assert "<h1>One</h1>" in page
    assert "All about one." in page
    assert re.search(r"<h2[^>]*>First", page.text)


def test_a_page_tells_machines_its_title_its_description_and_its_address(docs):
    page = docs.client.get("/docs/one")
    assert "<title>One – My site</title>" in page
    assert '<meta name="description" content="All about one.">' in page
    assert '<link rel="canonical" href="http://localhost/docs/one">' in page


def test_the_canonical_link_names_the_host_that_search_engines_shall_know(make_site):
    site = make_site(canonical_host="https://example.org")
    site.add("/docs")
    assert 'rel="canonical" href="https://example.org/docs"' in site.client.get("/docs")


def test_breadcrumbs_lead_up_to_the_front_page(docs, links):
    found = links(docs.client.get("/docs/two/a"))
    assert found["/"] == "My site"
    assert found["/docs"] == "Docs"


def test_navigation_shows_siblings_children_and_who_is_current(docs, links):
    page = docs.client.get("/docs/two")
    assert {"/docs/one", "/docs/two", "/docs/three", "/docs/two/a", "/docs/two/b"} <= set(
        links(page)
    )
    assert re.findall(r'<a href="([^"]+)" aria-current="page">', page.text) == ["/docs/two"]


def test_previous_and_next_are_the_neighbours_in_the_section(docs):
    page = docs.client.get("/docs/two").text
    assert re.search(r'rel="prev" href="/docs/one"', page)
    assert re.search(r'rel="next" href="/docs/three"', page)
    assert 'rel="prev"' not in docs.client.get("/docs/one")
    assert 'rel="next"' not in docs.client.get("/docs/three")


def test_the_table_of_contents_leads_to_the_headings(docs, links):
    page = docs.client.get("/docs/one")
    found = links(page)
    assert {"#first", "#second"} <= set(found)
    assert 'id="first"' in page
    assert 'id="second"' in page


def test_closed_places_offer_their_children_as_a_fragment(docs, links):
    assert 'hx-get="/docs/two/@@children"' in docs.client.get("/docs/one")
    fragment = docs.client.get("/docs/two/@@children")
    assert links(fragment) == {"/docs/two/a": "A", "/docs/two/b": "B"}
    assert "<html" not in fragment


def test_a_folder_lists_its_children_with_their_summaries(docs, links):
    page = docs.client.get("/folder")
    assert {"/folder/x", "/folder/y"} <= set(links(page))
    assert "About x." in page
    assert "<small>Link</small>" in page


def test_an_empty_folder_says_so(docs):
    assert "There is nothing here yet." in docs.client.get("/empty")


def test_the_front_page_lists_the_sections(docs, links):
    assert links(docs.client.get("/"))["/docs"] == "Documentation"


def test_names_and_texts_are_escaped(site):
    site.add("/a", "x", title="<script>alert(1)</script>", summary='"><b>')
    for path in ("/", "/a"):
        page = site.client.get(path)
        assert "<script>alert" not in page
        assert '"><b>' not in page


def test_links_between_pages_follow_a_move(site):
    site.add("/docs")
    target = site.add("/moving")
    site.add("/linking", f"[there](node:{target}#part)")
    assert 'href="/moving#part"' in site.client.get("/linking")
    with site.tree() as tree:
        tree.move(site.node(tree, "/moving"), site.node(tree, "/docs"), "moved")
    assert 'href="/docs/moved#part"' in site.client.get("/linking")


def test_a_link_whose_target_is_gone_leads_nowhere(site):
    target = site.add("/leaving")
    site.add("/linking", f"[there](node:{target})")
    with site.tree() as tree:
        tree.purge(site.node(tree, "/leaving"))
    assert '<a class="broken-link">there</a>' in site.client.get("/linking")


def test_a_child_named_like_a_view_is_the_child_and_the_view_keeps_its_address(site):
    site.add("/source", title="A page about sources")
    assert "<h1>A page about sources</h1>" in site.client.get("/source")
    assert site.client.get("/@@source").content_type == "text/markdown"


def test_a_site_under_a_path_links_below_it(docs, fetch, links):
    page = fetch(docs, "/my%20site/docs/two", script_name="/my site")
    assert page.status_int == 200
    hrefs = [href for href in links(page) if not href.startswith("#")]
    assert all(href.startswith("/my%20site/") for href in hrefs)
    assert 'hx-get="/my%20site/' in fetch(docs, "/my%20site/docs/one", script_name="/my site")
    assert 'src="/my%20site/%40%40static/' in page
