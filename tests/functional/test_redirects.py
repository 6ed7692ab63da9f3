"""Old addresses of pages lead to where these are now."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from myproject.content.types import Folder, Link
from myproject.testing import Site
from myproject.tree.node import DRAFT, ROOT_ID, Node
from myproject.tree.redirects import Redirect, add, address_of
from myproject.tree.site import Site as SiteRow


def put(site: Site, path: str, **target: object) -> int:
    names = tuple(name for name in path.split("/") if name)
    with site.tree() as tree:
        return add(tree.session, address_of(tree.session, names), **target)


@pytest.fixture(scope="module")
def moved(shared_site: Site) -> Site:
    """Pages that have been moved, some to where few may look."""
    site = shared_site
    for path in ("/docs", "/docs/install", "/docs/install/linux", "/blog", "/secret", "/secret/x"):
        site.add(path, title=path[1:].title())
    site.add("/docs/é b", title="Accent")
    site.add("/plan", cls=Folder, title="Plan")
    site.add("/away", cls=Link, url="https://example.org/")
    with site.tree() as tree:
        tree.rename(site.node(tree, "/docs"), "manual")
        tree.rename(site.node(tree, "/manual/install"), "setup")
        tree.move(site.node(tree, "/plan"), site.node(tree, "/blog"), "plans")
        tree.set_state(site.node(tree, "/blog/plans"), DRAFT)
        tree.move(site.node(tree, "/secret"), site.node(tree, "/blog"), "hidden")
    site.make_private("/blog/hidden")
    put(site, "/old/page.html", target_id=ROOT_ID)
    put(site, "/out", url="https://example.org/ä?x=1")
    put(site, "/inside", url="/manual/nowhere#there")
    # What is in memory from the first request on.
    site.client.get("/")
    return site


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/docs", "/manual"),
        ("/docs/", "/manual"),
        ("/docs?a=1&b=%C3%A9", "/manual?a=1&b=%C3%A9"),
        ("/docs/install/linux", "/manual/setup/linux"),
        ("/docs/install/linux/@@source?x", "/manual/setup/linux/@@source?x"),
        ("/docs//install", "/manual/setup"),
        ("/docs/e%CC%81%20b", "/manual/%C3%A9%20b"),
        ("/manual/install/@@history/7", "/manual/setup/@@history/7"),
        ("/old/page.html", "/"),
        ("/old/page.html/blog", "/blog"),
        ("/old/page.html/@@source", "/@@source"),
        ("/inside", "/manual/nowhere#there"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_old_addresses_lead_on(moved, fetch, old, new, method):
    response = fetch(moved, old, method=method)
    assert response.status_int == 301
    assert response.location == f"http://localhost{new}"
    assert response.headers["Cache-Control"] == "no-cache"


def test_an_address_may_lead_off_the_site(moved, fetch):
    response = fetch(moved, "/out?y=2")
    assert response.status_int == 301
    assert response.location == "https://example.org/%C3%A4?x=1"
    assert fetch(moved, "/out/@@source").status_int == 404
    assert fetch(moved, "/out/x").status_int == 404


@pytest.mark.parametrize(
    "path", ["/docs/nope", "/docs/install/nope", "/old", "/old/page", "/manual/@@nope", "/@@nope"]
)
def test_what_never_was_is_not_found(moved, fetch, path):
    assert fetch(moved, path).status_int == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading_is_led_on(moved, fetch, method):
    assert fetch(moved, "/docs", method=method).status_int == 404


def test_nobody_learns_of_what_they_may_not_see(moved, fetch, without_nonce):
    def answer(path: str) -> str:
        response = fetch(moved, path)
        assert response.status_int == 404
        return without_nonce(response.text.replace(path, "PATH"))

    assert answer("/plan") == answer("/plam") == answer("/qlan")
    assert answer("/secret").replace("secret", "") == answer("/secrez").replace("secrez", "")
    editor = moved.sign_in("ann", "editor")
    assert editor.get("/plan").location == "http://localhost/blog/plans"
    admin = moved.sign_in("root", "administrator")
    assert admin.get("/secret/x").location == "http://localhost/blog/hidden/x"


def test_under_a_virtual_root_only_what_is_below_it(make_shared_site, moved, fetch):
    site = make_shared_site(trusted_proxies="127.0.0.1", virtual_root_header="true")
    headers = {"X-Vhm-Root": "/manual"}
    response = fetch(site, "/install/linux", headers=headers)
    assert response.location == "http://localhost/setup/linux"
    assert fetch(site, "/install", headers={"X-Vhm-Root": "/blog"}).status_int == 404
    # The virtual root itself has moved.
    response = fetch(site, "/install", headers={"X-Vhm-Root": "/docs"})
    assert response.status_int == 404


def test_a_mounted_site_leads_below_its_mount(moved, fetch):
    response = fetch(moved, "/cms/docs/install", script_name="/cms")
    assert response.location == "http://localhost/cms/manual/setup"
    response = fetch(moved, "/cms/inside", script_name="/cms")
    assert response.location == "http://localhost/cms/manual/nowhere#there"


@pytest.mark.parametrize(
    ("path", "most"), [("/docs", 4), ("/docs/install/linux", 7), ("/nothing/here", 5)]
)
def test_it_takes_few_statements(moved, fetch, path, most):
    with moved.statements() as seen:
        fetch(moved, path)
    assert len(seen) <= most, "\n\n".join(seen)


def test_a_draft_in_the_old_place_is_nobody_s_business(moved, fetch):
    moved.add("/docs", title="New", state=DRAFT)
    try:
        assert fetch(moved, "/docs").location == "http://localhost/manual"
        assert fetch(moved, "/docs/install").location == "http://localhost/manual/setup"
        assert moved.sign_in("ann").get("/docs").status_int == 200
        assert moved.sign_in("ann").get("/docs/install").status_int == 301
    finally:
        with moved.tree() as tree:
            tree.purge(moved.node(tree, "/docs"))


def hits(site: Site, name: str) -> tuple[int, bool]:
    with site.database.read_session() as session:
        row = session.scalars(select(Redirect).where(Redirect.name == name)).one()
        return row.hits, row.last_hit_at is not None


def revision(site: Site) -> int:
    with site.database.read_session() as session:
        return session.scalars(select(SiteRow.revision)).one()


def test_hits_are_counted_and_written_later(site, make_site, fetch):
    other = make_site()
    site.add("/a")
    with site.tree() as tree:
        tree.rename(site.node(tree, "/a"), "b")
    before = revision(site)
    for _ in range(3):
        fetch(site, "/a")
    fetch(other, "/a", method="HEAD")
    assert hits(site, "a") == (0, False)
    # Each application counts for itself.
    other.registry.redirect_hits.flush()
    assert hits(site, "a") == (1, True)
    site.registry.redirect_hits.flush()
    assert hits(site, "a") == (4, True)
    assert revision(site) == before
    # What leads elsewhere from now on is counted anew.
    with site.tree() as tree:
        tree.add(tree.session.get_one(Node, ROOT_ID), Folder(title="A"), "a")
        tree.rename(site.node(tree, "/a"), "c")
    assert hits(site, "a") == (0, False)


def test_hits_are_written_by_themselves(site, fetch):
    put(site, "/out", url="https://example.org/")
    site.registry.redirect_hits._every = 0.05
    fetch(site, "/out")
    for _ in range(100):
        if hits(site, "out") == (1, True):
            break
        time.sleep(0.05)
    assert hits(site, "out") == (1, True)


def test_hits_that_cannot_be_written_wait(site, fetch, caplog, monkeypatch):
    put(site, "/out", url="https://example.org/")
    fetch(site, "/out")
    counter = site.registry.redirect_hits
    with monkeypatch.context() as patch:
        patch.setattr(site.database, "transaction", lambda: 1 / 0)
        counter.flush()
    assert "wait to be written" in caplog.text
    assert hits(site, "out") == (0, False)
    fetch(site, "/out")
    counter.flush()
    assert hits(site, "out") == (2, True)
