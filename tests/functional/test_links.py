"""A Link in the tree leads on, or says that it cannot."""

from itertools import count

import pytest
from sqlalchemy import update

from myproject.content.types import Link

numbers = count()


@pytest.fixture(scope="module")
def site(shared_site):
    shared_site.add("/docs")
    return shared_site


def add_page(site):
    """Add a page with a name of its own; return its path and its id."""
    path = f"/page-{next(numbers)}"
    return path, site.add(path)


def add_link(site, url="", target=None):
    """Add a link, past the checks of saving (old data may never have had any); return its path."""
    path = f"/link-{next(numbers)}"
    node_id = site.add(path, cls=Link, target_id=target, title="The link")
    with site.tree() as tree:
        table = Link.__table__
        tree.session.execute(update(table).where(table.c.id == node_id).values(url=url))
    return path


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://example.org/", "https://example.org/"),
        ("https://example.org/a?b=c&d=%20#e", "https://example.org/a?b=c&d=%20#e"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("/docs?x=1#y", "http://localhost/docs?x=1#y"),
        ("https://example.org/ä →", "https://example.org/%C3%A4%20%E2%86%92"),
        ("https://example.org/\r\nSet-Cookie: a=b", "https://example.org/%0D%0ASet-Cookie:%20a=b"),
    ],
)
def test_it_leads_to_its_url(site, url, location):
    response = site.client.get(add_link(site, url), status=302)
    assert response.headers["Location"] == location
    assert response.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in response.headers


def test_it_leads_to_a_page_wherever_that_is(site):
    path, target = add_page(site)
    link = add_link(site, target=target)
    assert site.client.get(link).headers["Location"] == f"http://localhost{path}"
    with site.tree() as tree:
        tree.move(site.node(tree, path), site.node(tree, "/docs"), "ä")
    response = site.client.get(link)
    assert response.headers["Location"] == "http://localhost/docs/%C3%A4"
    assert response.follow().status_int == 200


def test_below_a_mount_point_it_leads_below_it(site, fetch):
    path, target = add_page(site)
    for link, leads_to in (
        (add_link(site, "/docs"), "/docs"),
        (add_link(site, target=target), path),
    ):
        response = fetch(site, f"/my%20cms{link}", script_name="/my cms")
        assert response.headers["Location"] == f"http://localhost/my%20cms{leads_to}"


def test_a_target_that_is_gone_is_explained(site):
    path, target = add_page(site)
    link = add_link(site, target=target)
    with site.tree() as tree:
        tree.purge(site.node(tree, path))
    page = site.client.get(link, status=404)
    assert "The link" in page
    assert "This link leads nowhere" in page
    assert page.headers["Cache-Control"] == "no-store"


def test_without_a_target_it_leads_nowhere(site):
    assert "leads nowhere" in site.client.get(add_link(site), status=404)


@pytest.mark.parametrize("script_name", ["", "/cms"])
def test_it_never_leads_to_itself(site, fetch, script_name):
    by_number = add_link(site)
    by_address = add_link(site, f"/link-{next(numbers) + 1}")
    with site.tree() as tree:
        node = site.node(tree, by_number)
        node.target_id = node.id
        assert site.node(tree, by_address).url == by_address
    for link in (by_number, by_address):
        assert fetch(site, script_name + link, script_name=script_name).status_int == 404


def test_a_link_can_have_pages_below_it(site):
    link = add_link(site, "/elsewhere")
    site.add(f"{link}/below", title="Below")
    assert "Below" in site.client.get(f"{link}/below")
