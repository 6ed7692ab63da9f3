"""A 404 that helps: the nearest place that exists, and pages with a name like the one asked for."""

import pytest


@pytest.fixture(scope="module")
def docs(shared_site):
    site = shared_site
    site.add("/functions", title="Functions")
    site.add("/functions/strings", title="String functions", summary="About strings.")
    for name in ("Contains", "ContainsAny", "Count", "Trim"):
        site.add(f"/functions/strings/{name}", title=f"strings.{name}", summary=f"{name}!")
    site.add("/moved", title="Moved")
    site.add("/moved/tutorial", title="Tutorial")
    site.add("/größe", title="Größe")
    return site


@pytest.mark.parametrize(
    ("path", "suggested"),
    [
        ("/functions/strings/contains", "/functions/strings/Contains"),
        ("/functions/strings/Contain", "/functions/strings/Contains"),
        ("/functions/string", "/functions/strings"),
        ("/functions/string/Contains", "/functions/strings"),
        ("/tutorial", "/moved/tutorial"),
        ("/functions/tutorial", "/moved/tutorial"),
        ("/gr%C3%B6%C3%9Fen", "/gr%C3%B6%C3%9Fe"),
    ],
)
def test_the_page_that_was_meant_is_suggested_first(docs, fetch, links, path, suggested):
    page = fetch(docs, path)
    assert page.status_int == 404
    listing = page.text.partition('id="site-suggestions"')[2]
    assert listing.index(f'href="{suggested}"') == listing.index('href="')


def test_suggestions_are_few_and_nothing_unlike(docs, fetch, links):
    found = links(fetch(docs, "/functions/strings/contains"))
    assert "/functions/strings/Trim" not in found
    assert len([href for href in found if href.startswith("/functions/strings/")]) <= 5


def test_the_nearest_place_is_offered(docs, fetch, links):
    found = links(fetch(docs, "/functions/strings/xyz/abc"))
    assert "String functions" in found["/functions/strings"]


def test_the_address_that_was_asked_for_is_shown_readably_and_escaped(docs, fetch):
    assert ">/grüße<" in fetch(docs, "/gr%C3%BC%C3%9Fe")
    page = fetch(docs, "/%3Cscript%3Ealert(1)")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_suggestions_lead_below_the_mount_point(docs, fetch, links):
    found = links(fetch(docs, "/cms/functions/strings/contains", script_name="/cms"))
    assert "/cms/functions/strings/Contains" in found
