"""Content as data: what a place says as JSON, and which types there are."""

import pytest

from myproject.content.types import Folder, Link


@pytest.fixture(scope="module")
def site(shared_site):
    target = shared_site.add("/data", title="Data")
    shared_site.add("/data/page", f"A [link](node:{target}).", title="Page", summary="Short.")
    shared_site.add("/data/link", cls=Link, title="Link", target_id=target)
    shared_site.add("/data/folder", cls=Folder, title="Folder")
    shared_site.add("/data/draft", "Not yet.", title="Draft", state="draft")
    return shared_site


def test_a_place_says_what_it_is(site):
    answer = site.client.get("/data/page/@@json")
    assert answer.content_type == "application/json"
    data = answer.json
    assert (data["type"], data["path"], data["state"]) == ("page", "/data/page", "published")
    target = site.client.get("/data/@@json").json["id"]
    assert data["fields"] == {
        "title": "Page",
        "summary": "Short.",
        "body": f"A [link](node:{target}).",
        "nav_title": "",
    }
    assert data["modified_at"].endswith("Z")
    assert site.client.get("/data/link/@@json").json["fields"]["target_id"] == target
    assert "body" not in site.client.get("/data/folder/@@json").json["fields"]
    assert site.client.get("/@@json").json["path"] == "/"


def test_it_takes_few_statements(site, count_statements):
    with count_statements(site.database) as seen:
        site.client.get("/data/page/@@json")
    assert len(seen) <= 3


def test_what_may_not_be_seen_is_not_said(site):
    site.client.get("/data/draft/@@json", status=404)
    editor = site.sign_in("eva", "editor", "/data")
    assert editor.get("/data/draft/@@json").json["state"] == "draft"


def test_the_types_of_the_site_with_their_schemas(site):
    assert "/@@sign-in" in site.client.get("/@@types", status=302).location
    types = site.sign_in("rob", "reader").get("/@@types").json["types"]
    assert list(types) == ["page", "folder", "link"]
    assert (types["page"]["title"], types["page"]["incomplete_drafts"]) == ("Page", True)
    assert types["page"]["description"] == "Text, with pages below it."
    assert types["page"]["addable_in"] is None
    assert list(types["link"]["schema"]["properties"]) == [
        *("title", "summary", "target_id", "url", "nav_title"),
    ]
