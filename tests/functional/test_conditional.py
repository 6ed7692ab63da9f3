"""Validators, 304 and HEAD (RFC 9110, section 13)."""

import datetime as dt

import pytest
from sqlalchemy import update

from myproject.content.types import Folder, Link
from myproject.settings import Setting
from myproject.tree.site import Site as SiteRow

VALIDATORS = ("ETag", "Last-Modified", "Cache-Control", "Vary")


@pytest.fixture(scope="module")
def docs(shared_site):
    site = shared_site
    site.add("/docs", "Text.", title="Documentation")
    site.add("/docs/a", title="A")
    site.add("/folder", cls=Folder)
    site.add("/gone", cls=Link)
    last_changed(site, dt.datetime(2024, 2, 29, 12, 0, 0, 500_000, tzinfo=dt.UTC))
    return site


def last_changed(site, moment):
    with site.database.writer.begin() as connection:
        connection.execute(update(SiteRow).values(changed_at=moment))


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/folder", "/docs/@@source", "/docs/@@children", "/docs/@@json"]
)
def test_a_current_copy_is_confirmed_without_a_body(docs, fetch, path):
    whole = fetch(docs, path)
    response = fetch(docs, path, headers={"If-None-Match": whole.headers["ETag"]})
    assert (response.status_int, response.body) == (304, b"")
    assert {name: response.headers.get(name) for name in VALIDATORS} == {
        name: whole.headers.get(name) for name in VALIDATORS
    }
    assert "Content-Type" not in response.headers
    assert "Content-Length" not in response.headers
    assert response.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "template",
    ["{etag}", "W/{etag}", '"other", {etag}', '{etag},"x"', " {etag} ", "*", '"a",W/{etag}'],
)
def test_a_tag_is_found_in_every_form_of_the_header(docs, fetch, template):
    strong = fetch(docs, "/docs").headers["ETag"].removeprefix("W/")
    header = template.format(etag=strong)
    assert fetch(docs, "/docs", headers={"If-None-Match": header}).status_int == 304


@pytest.mark.parametrize("header", ['"other"', 'W/"other", "x"', "", "rubbish", ",,,", '"', "W/"])
def test_another_tag_gets_the_whole_page(docs, fetch, header):
    assert fetch(docs, "/docs", headers={"If-None-Match": header}).status_int == 200


def test_the_date_is_not_before_the_change(docs, fetch):
    assert fetch(docs, "/docs").headers["Last-Modified"] == "Thu, 29 Feb 2024 12:00:01 GMT"


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Thu, 29 Feb 2024 12:00:01 GMT", 304),
        ("Thu, 29 Feb 2024 13:00:01 +0100", 304),
        ("Fri, 01 Mar 2024 00:00:00 GMT", 304),
        ("Thursday, 29-Feb-24 12:00:01 GMT", 304),
        # Within the second of the change a copy may be older than it.
        ("Thu, 29 Feb 2024 12:00:00 GMT", 200),
        ("Wed, 28 Feb 2024 12:00:00 GMT", 200),
        ("", 200),
        ("yesterday", 200),
        ("Thu, 99 Feb 2024 12:00:00 GMT", 200),
        ("Thu, 29 Feb 99999 12:00:00 GMT", 200),
        ("Thu, 29 Feb 2024 12:00:01 +99999999999999999999", 200),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 200),
        ("1709208001", 200),
        (",,,,", 200),
        ("Thu, 29 Feb 2024", 200),
        ("é", 200),
    ],
)
def test_a_date_is_compared_and_one_that_is_none_ignored(docs, fetch, since, status):
    assert fetch(docs, "/docs", headers={"If-Modified-Since": since}).status_int == status


def test_a_tag_counts_more_than_a_date(docs, fetch):
    later = "Fri, 01 Mar 2024 00:00:00 GMT"
    headers = {"If-None-Match": '"other"', "If-Modified-Since": later}
    assert fetch(docs, "/docs", headers=headers).status_int == 200
    etag = fetch(docs, "/docs").headers["ETag"]
    headers = {"If-None-Match": etag, "If-Modified-Since": "Wed, 28 Feb 2024 12:00:00 GMT"}
    assert fetch(docs, "/docs", headers=headers).status_int == 304


def test_there_is_no_date_while_its_second_is_not_over(site, fetch):
    last_changed(site, dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1))
    response = fetch(site, "/")
    assert "Last-Modified" not in response.headers
    assert response.headers["ETag"]


def test_a_change_anywhere_changes_every_tag(site, fetch):
    def tags():
        return {fetch(site, path).headers["ETag"] for path in ("/", "/docs", "/docs/@@source")}

    site.add("/docs")
    before = tags()
    site.add("/elsewhere")
    after = tags()
    assert not before & after
    with site.tree() as tree:
        tree.rename(site.node(tree, "/elsewhere"), "anywhere")
    assert not after & tags()


def test_markdown_and_html_have_different_tags_and_say_what_they_vary_by(docs, fetch):
    html = fetch(docs, "/docs")
    markdown = fetch(docs, "/docs", headers={"Accept": "text/markdown"})
    assert html.headers["ETag"] != markdown.headers["ETag"]
    assert html.headers["Vary"] == markdown.headers["Vary"] == "Accept, Cookie"
    headers = {"Accept": "text/markdown", "If-None-Match": html.headers["ETag"]}
    assert fetch(docs, "/docs", headers=headers).status_int == 200


@pytest.mark.parametrize("path", ["/docs/@@source", "/docs/@@children", "/docs/@@json"])
def test_what_has_one_form_varies_by_who_asks_only(docs, fetch, path):
    assert fetch(docs, path).headers["Vary"] == "Cookie"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs",
        "/docs/@@source",
        "/docs/@@children",
        "/nope",
        "/%00",
        "/docs/",
        "/@@static/site.css",
    ],
)
def test_head_has_the_headers_of_get_and_no_body(docs, fetch, without_nonce, path):
    get, head = fetch(docs, path), fetch(docs, path, method="HEAD")
    assert head.body == b""
    assert head.status_int == get.status_int
    own = {"X-Request-ID"}
    assert {k: without_nonce(v) for k, v in head.headers.items() if k not in own} == {
        k: without_nonce(v) for k, v in get.headers.items() if k not in own
    }


def test_other_settings_make_other_tags(make_site, fetch):
    tags = [
        fetch(make_site(**settings), "/").headers["ETag"]
        for settings in ({}, {"site_title": "Other"}, {"listing_size": "3"}, {})
    ]
    assert tags[0] == tags[3]
    assert len(set(tags)) == 3


def test_settings_of_add_ons_make_other_tags(make_site, fetch):
    def include(config):
        config.add_settings(Setting("myproject.shop.size", int, 1, "How many."))

    one = fetch(make_site(include), "/").headers["ETag"]
    other = fetch(make_site(include, **{"shop.size": "2"}), "/").headers["ETag"]
    assert one != other


@pytest.mark.parametrize("path", ["/nope", "/%00", "/docs/@@nope", "/docs?after=x", "/gone"])
def test_errors_are_not_kept(docs, fetch, path):
    response = fetch(docs, path, headers={"If-None-Match": "*"})
    assert response.status_int in (400, 404)
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"ETag", "Last-Modified"} & set(response.headers)
