"""The sitemap over HTTP, and how it is streamed."""

from xml.etree import ElementTree

import pytest
from sqlalchemy import text

from myproject.addons.sitemap import pages
from myproject.content.types import Folder, Link
from myproject.interfaces import ISitemap, ISitemapFilter
from myproject.security.models import EVERYONE_ID
from myproject.security.sharing import Sharing, revoked
from myproject.tree.actor import COMMAND_LINE

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def locations(response, kind="urlset"):
    """Return URL -> date of a document, checked against the protocol."""
    assert response.content_type == "application/xml"
    root = ElementTree.fromstring(response.body)
    assert root.tag == SITEMAP + kind
    found = {}
    for item in root:
        assert item.tag == SITEMAP + {"urlset": "url", "sitemapindex": "sitemap"}[kind]
        assert [child.tag for child in item] == [f"{SITEMAP}loc", f"{SITEMAP}lastmod"]
        found[item.findtext(f"{SITEMAP}loc")] = item.findtext(f"{SITEMAP}lastmod")
    return found


def listed(client, **environ):
    """Return the URLs of all parts that the index names."""
    index = locations(client.get("/sitemap.xml", extra_environ=environ), "sitemapindex")
    found = []
    for url in index:
        path = "/" + url.rpartition("/")[2]
        found += locations(client.get(path, extra_environ=environ))
    assert len(found) == len(set(found))
    return {url.removeprefix("http://localhost") for url in found}


@pytest.fixture
def site(make_site):
    return make_site(addons="sitemap")


def test_every_page_is_listed_with_the_time_of_its_last_change(site):
    site.add("/docs", cls=Folder)
    site.add("/docs/ä & b")
    (index,) = locations(site.client.get("/sitemap.xml"), "sitemapindex")
    assert index == "http://localhost/sitemap-1.xml"
    assert listed(site.client) == {"/", "/docs", "/docs/%C3%A4%20&%20b"}
    with site.tree() as tree:
        modified_at = site.node(tree, "/docs").modified_at
    times = locations(site.client.get("/sitemap-1.xml"))
    assert times["http://localhost/docs"] == modified_at.isoformat(timespec="seconds")


def test_only_what_visitors_may_see_is_listed_whoever_asks(site):
    site.add("/public")
    site.add("/draft", state="draft")
    site.add("/draft/below")
    site.add("/private")
    site.add("/private/open")
    site.add("/private/closed")
    site.make_private("/private")
    site.grant("everyone", "reader", "/private/open")
    site.add("/link", cls=Link, url="https://example.org/")
    site.add("/link/below")
    site.add("/gone")
    with site.database.writer.begin() as connection:
        connection.execute(text("UPDATE node SET type = 'gone' WHERE name = 'gone'"))
    expected = {"/", "/public", "/private/open", "/link/below"}
    for client in (
        site.client,
        site.sign_in("edith", "editor"),
        site.sign_in("ada", "administrator"),
    ):
        assert listed(client) == expected
    # Each can be reached.
    for url in expected:
        assert site.client.get(url).status_int == 200


def test_public_pages_of_a_private_site_are_listed(site):
    site.add("/open")
    with site.tree() as tree:
        sharing = Sharing(tree.session, site.roles, COMMAND_LINE, None)
        sharing.make(site.node(tree, "/"), revoked(EVERYONE_ID, "reader"))
    site.grant("everyone", "reader", "/open")
    assert listed(site.client) == {"/open"}


def test_a_large_site_has_several_parts(site, monkeypatch):
    monkeypatch.setattr(pages, "PART", 4)
    monkeypatch.setattr(pages, "BATCH", 2)
    monkeypatch.setattr(pages, "REMEMBERED", 1)
    expected = {"/"}
    for number in range(9):
        above = f"/p{number - 1}" if number % 2 else ""
        site.add(f"{above}/p{number}")
        expected.add(f"{above}/p{number}")
    with site.tree() as tree:
        for name in ("/p2", "/p4", "/p6"):
            tree.purge(site.node(tree, name))
    gone = {"/p2", "/p4", "/p6", "/p2/p3", "/p4/p5", "/p6/p7"}
    index = locations(site.client.get("/sitemap.xml"), "sitemapindex")
    # The ids of the second part have all been deleted.
    assert [url.rpartition("/")[2] for url in index] == ["sitemap-1.xml", "sitemap-3.xml"]
    assert listed(site.client) == expected - gone
    for number in (2, 4, 99, 9_999_999_999_999):
        site.client.get(f"/sitemap-{number}.xml", status=404)
    for wrong in ("0", "01", "x", "-1", "1" * 20):
        site.client.get(f"/sitemap-{wrong}.xml", status=404)


def test_urls_that_are_too_long_are_left_out(site):
    path = ""
    for _ in range(10):
        path += "/" + "é" * 60
        site.add(path)
    assert max(map(len, listed(site.client))) <= 2047 - len("http://localhost")
    assert len(listed(site.client)) == 6


def test_below_a_virtual_root_and_a_mount_point(make_site):
    site = make_site(addons="sitemap", virtual_root_header="true", trusted_proxies="127.0.0.1")
    for path in ("/shop", "/shop/a", "/shop/a/b", "/shopping", "/hidden", "/hidden/x"):
        site.add(path)
    with site.tree() as tree:
        site.node(tree, "/hidden").state = "draft"
    vhm = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_VHM_ROOT": "/shop"}
    assert listed(site.client, **vhm) == {"/", "/a", "/a/b"}
    assert listed(site.client, SCRIPT_NAME="/m") == {
        *("/m/", "/m/shop", "/m/shop/a", "/m/shop/a/b", "/m/shopping"),
    }
    for root in ("/nope", "/hidden", "/hidden/x"):
        for name in ("sitemap", "sitemap-1"):
            vhm["HTTP_X_VHM_ROOT"] = root
            site.client.get(f"/{name}.xml", extra_environ=vhm, status=404)


def test_the_canonical_host_is_named(make_site):
    site = make_site(addons="sitemap", canonical_host="https://example.org")
    index = locations(site.client.get("/sitemap.xml"), "sitemapindex")
    assert list(index) == ["https://example.org/sitemap-1.xml"]
    assert "https://example.org/" in locations(site.client.get("/sitemap-1.xml"))


def test_other_addons_keep_pages_out(make_site):
    class OnlyEven:
        def condition(self, node_id):
            return node_id % 2 == 0

    class Anything:
        def condition(self, node_id):
            return None

    def include(config):
        config.add_service(lambda scope: OnlyEven(), ISitemapFilter, name="even")
        config.add_service(lambda scope: Anything(), ISitemapFilter, name="any")

    site = make_site(include, addons="sitemap")
    ids = {f"/p{number}": site.add(f"/p{number}") for number in range(4)}
    assert listed(site.client) == {path for path, number in ids.items() if number % 2 == 0}


def test_others_can_ask_where_it_is(make_site):
    def include(config):
        config.add_view(
            lambda request: {"url": request.service(ISitemap).url()},
            name="where",
            renderer="json",
            permission="view",
        )

    site = make_site(include, addons="sitemap")
    assert site.client.get("/@@where").json == {"url": "http://localhost/sitemap.xml"}


def test_a_copy_that_is_current_is_not_sent_again(site):
    for path in ("/sitemap.xml", "/sitemap-1.xml"):
        answer = site.client.get(path)
        again = {"If-None-Match": answer.headers["ETag"]}
        assert site.client.get(path, headers=again).status_int == 304
        site.add(f"/after-{path[1:-4]}")
        assert site.client.get(path, headers=again).status_int == 200
        head = site.client.head(path)
        assert (head.status_int, head.body) == (200, b"")
        site.client.post(path, status=405)


def test_its_name_is_reserved(site):
    assert "sitemap.xml" in site.registry.reserved_names


def test_nothing_of_it_remains_when_it_is_switched_off(make_site):
    make_site(addons="sitemap").add("/a")
    off = make_site()
    for path in ("/sitemap.xml", "/sitemap-1.xml"):
        off.client.get(path, status=404)


# -- streaming ------------------------------------------------------------------------------------


def begin(site, method="GET"):
    """Ask for a part as a server does, and return what it would iterate."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": "/sitemap-1.xml",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
    }
    return site.app(environ, lambda status, headers, error=None: None)


def in_use(site):
    return site.database.reader.pool.checkedout()


def test_the_database_is_let_go_of_at_the_end(site):
    assert in_use(site) == 0
    body = begin(site)
    assert b"<urlset" in next(iter(body))
    assert b"<loc>http://localhost/</loc>" in next(iter(body))
    assert in_use(site) == 1
    assert list(body)[-1] == b"</urlset>\n"
    assert in_use(site) == 0


def test_the_database_is_let_go_of_when_the_client_goes_away(site):
    body = begin(site)
    next(iter(body))
    next(iter(body))
    assert in_use(site) == 1
    body.close()
    assert in_use(site) == 0


def test_nothing_is_read_for_a_client_that_never_listens(site):
    for method in ("GET", "HEAD"):
        body = begin(site, method)
        assert in_use(site) == 0
        if hasattr(body, "close"):
            body.close()
        assert in_use(site) == 0


def test_pages_are_read_while_they_are_sent(site, monkeypatch):
    monkeypatch.setattr(pages, "BATCH", 1)
    for number in range(5):
        site.add(f"/p{number}")
    body = iter(begin(site))
    with site.statements() as seen:
        next(body)
        assert not seen
        next(body)
        first = len(seen)
        assert 0 < first <= 2
        next(body)
        assert len(seen) > first
    body.close()
