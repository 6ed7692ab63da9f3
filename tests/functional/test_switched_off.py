"""Content of types that are not switched on: kept, not found, not listed."""

import pytest
from sqlalchemy import update

from myproject.content.types import Folder
from myproject.tree.node import Node


@pytest.fixture(scope="module")
def gallery(shared_site):
    """``/docs/one`` and ``/folder`` are of a type whose add-on is not there."""
    site = shared_site
    site.add("/docs", "Text.", title="Docs")
    site.add("/docs/zero", title="Zero")
    site.add("/docs/one", title="One")
    site.add("/docs/three", title="Three")
    site.add("/folder", cls=Folder, title="Pictures")
    site.add("/folder/page", "Text.", title="A page in it")
    site.add("/folder/other", title="Another")
    for path in ("/docs/one", "/folder"):
        change_type(site, path, "gallery")
    return site


def change_type(site, path, type_name):
    """Make a row say what it would say if an add-on had written it."""
    with site.tree() as tree:
        node_id = site.node(tree, path).id
        tree.session.execute(update(Node).where(Node.id == node_id).values(type=type_name))


@pytest.mark.parametrize("view", ["", "/", "/@@source", "/@@children", "/nope"])
@pytest.mark.parametrize("path", ["/docs/one", "/folder"])
def test_a_type_that_is_not_switched_on_is_not_found(gallery, fetch, path, view):
    response = fetch(gallery, path + view)
    assert response.status_int == 404
    for title in ("One", "Pictures"):
        assert f">{title}<" not in response


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/three", "/docs/@@children", "/docs/@@source", "/@@source"]
)
def test_a_type_that_is_not_switched_on_is_not_listed(gallery, fetch, path, links):
    page = fetch(gallery, path)
    assert page.status_int == 200
    assert not {"/docs/one", "/folder"} & set(links(page))
    assert "/docs/one)" not in page


def test_it_is_neither_next_nor_suggested(gallery):
    assert 'rel="next" href="/docs/three"' in gallery.client.get("/docs/zero")
    assert 'href="/docs/one"' not in gallery.client.get("/docs/on", status=404)


def test_a_page_below_it_is_there_and_its_breadcrumbs_pass_over_it(gallery, links):
    page = gallery.client.get("/folder/page")
    found = set(links(page))
    assert "/folder/other" in found
    assert "/folder" not in found
    assert 'class="up" href="/"' in page


def test_it_comes_back_with_its_add_on(site, fetch):
    site.add("/docs")
    change_type(site, "/docs", "gallery")
    assert fetch(site, "/docs").status_int == 404
    change_type(site, "/docs", "page")
    assert fetch(site, "/docs").status_int == 200
