"""How many statements each kind of request takes, on a session that has nothing loaded."""

import pytest
from pyramid.interfaces import IContextFound
from sqlalchemy import select

from myproject.content.types import Folder, Link
from myproject.security.accounts import Accounts
from myproject.security.models import User
from myproject.security.permissions import Permission
from myproject.testing import sign_in
from myproject.tree.actor import COMMAND_LINE


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


@pytest.fixture(scope="module")
def reader(full):
    """Somebody who is signed in, belongs to groups and has roles here and there."""
    client = sign_in(full, "ann", "editor", "/a/b/c")
    with full.database.transaction() as session:
        accounts = Accounts(session, full.registry.passwords, COMMAND_LINE, minimum=8)
        user = session.scalars(select(User)).one()
        for number in range(20):
            accounts.join(user, accounts.create_group(f"group-{number}"))
    client.get("/")
    return client


@pytest.mark.parametrize(
    "path",
    ["/", "/a/b/c/d", "/a/b/c/d/page", "/a/b/c/d/page/@@children", "/a/b/c/d/page/@@source"],
)
def test_a_person_s_page_takes_at_most_two_more(full, reader, fetch, count_statements, path):
    with count_statements(full.database) as anonymous:
        fetch(full, path)
    with count_statements(full.database) as seen:
        reader.get(path)
    assert len(seen) <= len(anonymous) + 2, "\n\n".join(seen)
    # One finds the login, the person and the groups; what they may do is in memory.
    assert len(seen) == len(anonymous) + 1


def test_permissions_are_checked_without_a_statement(full, reader, count_statements):
    asked = []

    def remember(event):
        asked.append(event.request)

    full.registry.registerHandler(remember, (IContextFound,))
    reader.get("/a/b/c/d/page")
    request = asked[-1]
    with count_statements(full.database) as seen:
        allowed = {
            (node.name, permission)
            for node in request.lineage
            for permission in Permission
            if request.has_permission(permission, node)
        }
    assert seen == []
    assert {name for name, permission in allowed if permission == "edit"} == {"c", "d", "page"}
    assert ("page", Permission.PUBLISH) not in allowed


@pytest.mark.parametrize("path", ["/@@static/site.css", "/@@static/nope.css", "/%00", "/%ff"])
def test_nobody_is_looked_up_for_what_is_the_same_for_all(
    full, reader, fetch, count_statements, path
):
    cookie = f"session={reader.cookies['session']}"
    with count_statements(full.database) as seen:
        fetch(full, path, headers={"Cookie": cookie})
    assert seen == []
