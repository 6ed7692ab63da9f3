"""Private sections: whoever may not view them meets no trace of them anywhere."""

import pytest
from sqlalchemy import select

from myproject.content.types import Folder, Link
from myproject.interfaces import IRoles
from myproject.security.models import Group, Membership, User
from myproject.security.sharing import INHERITING_STOPPED, Sharing, granted
from myproject.testing import sign_in
from myproject.tree.actor import COMMAND_LINE

#: What only those who may view it may read.
SECRET = "Hush"


@pytest.fixture(scope="module")
def private(shared_site):
    """``/docs/secret`` is private; gia may read it by a group, deep has one page deep inside."""
    site = shared_site
    site.add("/docs", "Text.", title="Docs")
    site.add("/docs/one", title="One")
    secret = site.add("/docs/secret", "Hush body.", title="Hush", summary="Hush summary")
    inner = site.add("/docs/secret/inner", f"[up](node:{secret})", title="Hush inner")
    deep = site.add("/docs/secret/inner/deep", "Deep.", title="Deepest")
    site.add("/docs/secret/other", title="Hush other")
    site.add("/docs/three", f"[a](node:{secret}) [b](node:{inner}) [c](node:{deep})", title="Three")
    site.add("/docs/to-secret", cls=Link, target_id=secret, title="A link")
    site.add("/only", cls=Folder, title="Only")
    site.add("/only/secret", title="Hush alone")
    for name in ("gia", "ned", "eve"):
        sign_in(site, name)
    with site.tree() as tree:
        session = tree.session
        users = {user.name: user.id for user in session.scalars(select(User))}
        group = Group(name="few", title="Few")
        session.add(group)
        session.flush()
        session.add(Membership(user_id=users["gia"], group_id=group.id))
        sharing = Sharing(session, site.registry.getUtility(IRoles), COMMAND_LINE, None)
        for path in ("/docs/secret", "/only/secret"):
            node = site.node(tree, path)
            sharing.make(node, INHERITING_STOPPED)
            sharing.make(node, granted(group.id, "reader"))
        sharing.make(site.node(tree, "/docs/secret/inner/deep"), granted(users["eve"], "reader"))
    return site


@pytest.fixture(scope="module", params=["visitor", "ned"])
def outsider(private, request):
    return private.client if request.param == "visitor" else sign_in(private, request.param)


@pytest.fixture(scope="module")
def insider(private):
    return sign_in(private, "gia")


@pytest.fixture(scope="module")
def eve(private):
    """Somebody who was granted a page deep inside."""
    return sign_in(private, "eve")


INSIDE = ["/docs/secret", "/docs/secret/inner", "/docs/secret/inner/deep", "/only/secret"]
VIEWS = ["", "/", "/@@source", "/@@children", "/@@sharing", "/@@principals?q=a", "/@@nope", "/nope"]
AROUND = [
    "/",
    "/docs",
    "/docs/one",
    "/docs/three",
    "/docs/@@children",
    "/docs/@@source",
    "/docs/three/@@source",
    "/only",
    "/only/@@source",
    "/only/@@children",
    "/@@children",
]


@pytest.mark.parametrize("path", INSIDE)
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_inside_is_shown(private, outsider, path, view):
    for accept in ("text/html", "text/markdown"):
        answer = outsider.get(path + view, headers={"Accept": accept}, status="*")
        assert answer.status_int in (302, 303, 401, 403, 404)
        assert SECRET not in answer.text
        assert "Deepest" not in answer.text
        assert "Few" not in answer.text


@pytest.mark.parametrize("path", AROUND)
def test_nothing_around_mentions_it(outsider, path):
    for accept in ("text/html", "text/markdown"):
        page = outsider.get(path, headers={"Accept": accept}, status=200)
        assert SECRET not in page
        assert "Deepest" not in page
        assert "/docs/secret" not in page
        assert "/only/secret" not in page


def test_a_place_whose_only_page_is_private_has_none(outsider, insider):
    assert 'hx-get="/only/@@children"' not in outsider.get("/docs")
    assert 'class="branch"><a href="/only"' not in outsider.get("/")
    assert 'hx-get="/only/@@children"' in insider.get("/docs")
    assert 'class="branch"><a href="/only"' in insider.get("/")
    assert "<li>" not in outsider.get("/only/@@children")


def test_previous_and_next_pass_over_it(outsider, insider):
    assert 'rel="next" href="/docs/three"' in outsider.get("/docs/one")
    assert 'rel="prev" href="/docs/one"' in outsider.get("/docs/three")
    assert 'rel="next" href="/docs/secret"' in insider.get("/docs/one")


def test_links_to_it_are_broken(outsider, insider):
    assert outsider.get("/docs/three").text.count('class="broken-link"') == 3
    assert "broken-link" not in insider.get("/docs/three")
    assert SECRET not in outsider.get("/docs/to-secret", status=404)
    assert insider.get("/docs/to-secret", status=302).headers["Location"].endswith("/docs/secret")


@pytest.mark.parametrize("path", ["/docs/secrets", "/secret", "/docs/inner", "/docs/deep", "/deep"])
def test_it_is_never_suggested(outsider, insider, path):
    page = outsider.get(path, status=404)
    assert SECRET not in page
    assert 'href="/docs/secret' not in page
    assert 'href="/docs/secret' in insider.get(path, status=404)


@pytest.mark.parametrize("path", INSIDE)
def test_who_was_granted_it_sees_it_everywhere(insider, path):
    page = insider.get(path, status=200)
    assert f'<link rel="canonical" href="http://localhost{path}">' in page
    assert insider.get(path, headers={"Accept": "text/markdown"}).content_type == "text/markdown"


def test_listings_and_crumbs_of_who_was_granted_it(insider):
    assert "Hush summary" in insider.get("/docs")
    assert "Hush inner" in insider.get("/docs/secret/@@children")
    page = insider.get("/docs/secret/inner/deep")
    assert '<a href="/docs/secret">Hush</a>' in page
    assert "- [Hush alone]" in insider.get("/only/@@source")


def test_a_page_granted_deep_inside_is_seen_and_not_what_is_above(eve):
    page = eve.get("/docs/secret/inner/deep", status=200)
    assert "Deepest" in page
    assert SECRET not in page
    # The way up leads to the nearest place that may be viewed.
    assert '<a href="/docs">Docs</a>' in page
    assert 'href="/docs/secret"' not in page
    assert 'href="/docs/secret/inner"' not in page
    for path in ("/docs/secret", "/docs/secret/inner", "/docs/secret/other"):
        answer = eve.get(path, status="*")
        assert answer.status_int in (403, 404)
        assert SECRET not in answer
    assert SECRET not in eve.get("/docs")


def test_links_to_a_page_granted_deep_inside_work(eve):
    page = eve.get("/docs/three")
    assert page.text.count('class="broken-link"') == 2
    assert 'href="/docs/secret/inner/deep"' in page


def test_what_becomes_private_goes_and_what_becomes_public_comes_back(site):
    site.add("/page", "Hush.", title="Hush")
    etag = site.client.get("/").headers["ETag"]
    with site.tree() as tree:
        sharing = Sharing(tree.session, site.registry.getUtility(IRoles), COMMAND_LINE, None)
        sharing.make(site.node(tree, "/page"), INHERITING_STOPPED)
    # A copy from before is not good any more.
    page = site.client.get("/", headers={"If-None-Match": etag}, status=200)
    assert SECRET not in page
    assert SECRET not in site.client.get("/page", status="*")
