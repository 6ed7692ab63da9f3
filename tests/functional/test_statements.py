"""How many statements each kind of request takes, on a session that has nothing loaded."""

import pytest

from myproject.content.types import Folder, Link


@pytest.fixture(scope="module")
def full(shared_site):
    """A deep page with everything: body, links, children, siblings."""
    site = shared_site
    for path in ("/a", "/a/b", "/a/b/c", "/a/b/c/d"):
        site.add(path, cls=Folder)
    target = site.add("/target")
    links = f"[one](node:{target}) [two](node:{target}#x)"
    site.add("/a/b/c/d/page", f"## Heading\n\n{links}", title="Page")
    for name in "xyz":
        site.add(f"/a/b/c/d/{name}", links)
        site.add(f"/a/b/c/d/page/{name}")
    site.add("/a/link", cls=Link, target_id=target)
    site.add("/a/url", cls=Link, url="https://example.org/")
    # What grants give is in memory from the first request on.
    site.client.get("/")
    return site


@pytest.mark.parametrize(
    ("path", "status", "most"),
    [
        ("/", 200, 3),
        ("/a/b/c/d", 200, 2),
        ("/a/b/c/d/page", 200, 4),
        ("/a/b/c/d/page/x", 200, 3),
        ("/a/b/c/d/page?after=0.1", 200, 4),
        ("/a/b/c/d/page/@@children", 200, 3),
        ("/a/b/c/d/page/@@source", 200, 4),
        ("/a/b/c/d/@@source", 200, 4),
        ("/a/link", 302, 3),
        ("/a/url", 302, 2),
        ("/a/b/c/d/nope", 404, 4),
        ("/a/b/c/d/page/@@nope", 404, 5),
        ("/a/b/c/d/page/@@source/more", 404, 5),
        ("/a//b/c/d/page", 301, 2),
        ("/a/b/c/d/page?after=x", 400, 2),
    ],
)
def test_a_request_takes_at_most(full, fetch, count_statements, path, status, most):
    with count_statements(full.database) as seen:
        response = fetch(full, path)
    assert response.status_int == status
    assert len(seen) <= most, "\n\n".join(seen)


def test_the_same_page_unchanged_takes_fewer_than_the_whole(full, fetch, count_statements):
    etag = fetch(full, "/a/b/c/d/page").headers["ETag"]
    with count_statements(full.database) as seen:
        response = fetch(full, "/a/b/c/d/page", headers={"If-None-Match": etag})
    assert response.status_int == 304
    assert len(seen) <= 2


@pytest.mark.parametrize(
    "path",
    [
        "/@@static/site.css",
        "/@@static/nope.css",
        "/@@static/../site.css",
        "/@@static/%00",
        "/a%00b",
        "/%ff",
        "/a/../b",
        "/a/./b",
        "/" + "x" * 10_000,
        "/" + "x" * 250,
        "/x" * 500,
        "/@@%00",
        "/a/@@source%0a",
    ],
)
def test_the_impossible_and_the_static_take_none(full, fetch, count_statements, path):
    with count_statements(full.database) as seen:
        response = fetch(full, path)
    assert response.status_int in (200, 400, 404)
    assert seen == []
