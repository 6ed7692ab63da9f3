"""Drafts and what is below them are invisible everywhere."""

import pytest

from myproject.content.types import Link
from myproject.tree.node import DRAFT, PUBLISHED


@pytest.fixture(scope="module")
def docs(shared_site):
    site = shared_site
    site.add("/docs", "Text.", title="Docs")
    site.add("/docs/one", title="One")
    secret = site.add("/docs/secret", "Hush.", title="Hush", state=DRAFT)
    below = site.add("/docs/secret/below", title="Hush too")
    site.add("/docs/three", f"[a](node:{secret}) [b](node:{below})", title="Three")
    site.add("/docs/to-secret", cls=Link, target_id=secret)
    site.add("/docs/to-below", cls=Link, target_id=below)
    return site


HIDDEN = ["/docs/secret", "/docs/secret/below"]
AROUND = ["/", "/docs", "/docs/one", "/docs/three", "/docs/@@children", "/docs/@@source"]


@pytest.mark.parametrize("path", HIDDEN)
@pytest.mark.parametrize(
    "view", ["", "/", "/@@source", "/source", "/@@children", "/@@nope", "/nope", "?after=x"]
)
def test_a_draft_and_what_is_below_are_not_found(docs, fetch, path, view):
    response = fetch(docs, path + view)
    assert response.status_int == 404
    assert "Hush" not in response


def test_negotiation_does_not_show_a_draft(docs, fetch):
    for path in HIDDEN:
        assert fetch(docs, path, headers={"Accept": "text/markdown"}).status_int == 404


@pytest.mark.parametrize("path", AROUND)
def test_nothing_around_a_draft_mentions_it(docs, fetch, path):
    page = fetch(docs, path)
    assert page.status_int == 200
    assert "Hush" not in page
    assert 'href="/docs/secret' not in page


def test_previous_and_next_pass_over_a_draft(docs):
    assert 'rel="next" href="/docs/three"' in docs.client.get("/docs/one")


def test_links_to_a_draft_lead_nowhere(docs):
    page = docs.client.get("/docs/three")
    assert page.text.count('<a class="broken-link">') == 2
    for path in ("/docs/to-secret", "/docs/to-below"):
        assert "Hush" not in docs.client.get(path, status=404)


@pytest.mark.parametrize(
    "path", ["/docs/secrets", "/docs/secret2", "/secret", "/docs/below", "/below"]
)
def test_a_draft_is_never_suggested(docs, path):
    page = docs.client.get(path, status=404)
    assert "Hush" not in page
    assert 'href="/docs/secret' not in page


@pytest.mark.parametrize("rest", ["", "/below", "/nope", "/@@source", "/below/@@nope"])
def test_a_draft_cannot_be_told_from_nothing(docs, fetch, without_nonce, rest):
    """``secret`` and ``sekret`` are as like to their neighbours, but the second does not exist."""
    hidden = without_nonce(fetch(docs, f"/docs/secret{rest}").text)
    absent = without_nonce(fetch(docs, f"/docs/sekret{rest}").text)
    assert hidden.replace("secret", "sekret") == absent


def test_a_published_draft_appears(site, fetch):
    site.add("/draft", title="Hush", state=DRAFT)
    with site.tree() as tree:
        site.node(tree, "/draft").state = PUBLISHED
    assert fetch(site, "/draft").status_int == 200
    assert "Hush" in fetch(site, "/")
