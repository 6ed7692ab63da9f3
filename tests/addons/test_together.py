"""The bundled add-ons with one another, and beside an application that has none of them."""

import pytest
from sqlalchemy import inspect, text

from myproject.content.types import Folder, Link
from myproject.extend.switching import available
from myproject.testing import Site

ALL = " ".join(sorted(available()))

#: How many statements more than without add-ons a page may take.
MORE = 3


def fill(site):
    """Make one page of each kind, with everything that a page can have."""
    target = site.add("/target", title="Target")
    site.add("/docs", f"## Heading\n\n[one](node:{target})", title="Docs")
    for name in "abc":
        site.add(f"/docs/{name}", f"[one](node:{target})")
    site.add("/folder", cls=Folder)
    site.add("/folder/page")
    site.add("/link", cls=Link, target_id=target)


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/b", "/folder", "/folder/page"])
def test_a_page_takes_at_most_three_statements_more_with_all_of_them(backend, path):
    counts = []
    for addons in ("", ALL):
        url = backend.create()
        site = Site(url, addons=addons)
        fill(site)
        for client in (site.client, site.sign_in("ann", "editor")):
            client.get(path)
            with site.statements() as seen:
                assert client.get(path).status_int == 200
            counts.append(len(seen))
        site.close()
        backend.drop(url)
    anonymous, editor, anonymous_all, editor_all = counts
    assert anonymous_all <= anonymous + MORE
    assert editor_all <= editor + MORE


def test_two_applications_with_different_add_ons_run_in_one_process(backend):
    """The classes of an add-on are there for the whole process, its tables are not."""
    urls = [backend.create(), backend.create()]
    full, bare = Site(urls[0], addons=ALL), Site(urls[1])
    for site in (full, bare):
        fill(site)
    assert "products_product" in inspect(full.database.reader).get_table_names()
    assert "products_product" not in inspect(bare.database.reader).get_table_names()
    for path in ("/", "/docs", "/folder/page", "/link"):
        assert bare.client.get(path).status_int == full.client.get(path).status_int
    for path in ("/robots.txt", "/sitemap.xml", "/@@search"):
        assert full.client.get(path).status_int == 200
        assert bare.client.get(path, status=404)
    for site in (full, bare):
        with site.tree() as tree:
            tree.copy(site.node(tree, "/docs"), site.node(tree), "again")
        assert site.client.get("/again/a").status_int == 200
        assert site.run("tree", "check").exit_code == 0
        site.close()
    for url in urls:
        backend.drop(url)


def test_what_is_switched_off_leaves_no_trace_on_a_page(backend):
    url = backend.create()
    plain = Site(url)
    fill(plain)
    before = plain.client.get("/docs").html.select("link, script, body")
    full = Site(url, addons=ALL)
    assert full.client.get("/docs").html.select("link, script, body") != before
    full.close()
    again = Site(url)
    after = again.client.get("/docs").html.select("link, script, body")
    strip = [str(tag).split(' nonce="')[0] for tag in after]
    assert strip == [str(tag).split(' nonce="')[0] for tag in before]
    for site in (plain, again):
        site.close()
    backend.drop(url)


def test_rows_of_a_type_are_not_asked_for_where_it_is_not_registered(backend):
    """Another application in the process has its class; this one's database lacks its table."""
    urls = [backend.create(), backend.create()]
    full, bare = Site(urls[0], addons=ALL), Site(urls[1])
    bare.add("/page")
    with bare.database.writer.begin() as connection:
        connection.execute(text("UPDATE node SET type = 'product' WHERE name = 'page'"))
    assert bare.client.get("/page", status=404)
    assert bare.sign_in("ann", "editor").get("/page").status_int == 200
    for site, url in zip((full, bare), urls, strict=True):
        site.close()
        backend.drop(url)
