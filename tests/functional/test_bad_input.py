"""What no page can answer is refused with a page, never with an error of ours."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

IMPOSSIBLE = [
    "/%00",
    "/docs/a%00b",
    "/docs/%0a",
    "/docs/%7f",
    "/docs/%e2%80%a8",
    "/%ff",
    "/%c3",
    "/%ed%a0%80",
    "/%c0%af",
    "/..",
    "/docs/../docs",
    "/docs/.",
    "/%2e%2e/etc/passwd",
    "/docs/%2e%2e%2f",
    "/" + "x" * 10_000,
    "/" + "%C3%9F" * 5_000,
    "/" + "y" * 241,
    "/d" * 500,
    "/docs/@@%00",
    "/docs/@@@@source",
    "/ docs",
    "/docs%20",
]
UNKNOWN = [
    "/nope",
    "/%",
    "/%zz",
    "/docs%",
    "/docs/%4",
    "/docs/@@nope",
    "/docs/@@source/more",
    "/docs/@@/more",
    "/docs/@@source/@@source",
    "/docs/source/more/and/more",
    "/DOCS",
    "/docs;x=1",
    "/docs\\page",
    "/docs/*",
    "/" + "/".join("d" * 20),
]


@pytest.fixture(scope="module")
def docs(shared_site):
    site = shared_site
    site.add("/docs", "Text.")
    return site


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("target", IMPOSSIBLE, ids=lambda target: target[:20])
def test_an_impossible_address_is_a_bad_request(docs, fetch, target, method):
    response = fetch(docs, target, method=method)
    assert response.status_int == 400
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"ETag", "Last-Modified"} & set(response.headers)


@pytest.mark.parametrize("target", UNKNOWN, ids=lambda target: target[:20])
def test_an_unknown_address_is_not_found(docs, fetch, target):
    response = fetch(docs, target)
    assert response.status_int == 404
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"ETag", "Last-Modified"} & set(response.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/markdown;q=x, ;;,"},
        {"Accept": "text/markdown/*;q=9"},
        {"Accept-Language": "\xff", "Accept-Encoding": ";;;"},
        {"If-None-Match": '"unfinished'},
        {"If-Modified-Since": "yesterday"},
        {"Cookie": "_LOCALE_=xx; =;\xff"},
        {"Range": "bytes=0-1"},
        {"Content-Type": "multipart/form-data"},
    ],
    ids=str,
)
def test_odd_headers_are_ignored(docs, fetch, headers):
    assert fetch(docs, "/docs", headers=headers).status_int == 200


@pytest.mark.parametrize("query", ["_LOCALE_=de", "__proto__=1", "x" * 9000, "%", "&&==", "after"])
def test_an_odd_query_is_a_page_or_refused(docs, fetch, query):
    assert fetch(docs, f"/docs?{query}").status_int in (200, 400)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
)
@given(
    st.lists(
        st.sampled_from(
            [*"/%.@;\\*'\" \t", "@@", "..", "%2F", "%00", "%ff", "docs", "source", "%C3%A9"]
        )
        | st.text(string.printable, max_size=3),
        max_size=12,
    ).map("".join)
)
def test_whatever_is_sent_is_answered_and_redirects_lead_to_a_page(docs, fetch, rest):
    target = "/" + rest.replace("?", "")
    response = fetch(docs, target)
    assert response.status_int in (200, 301, 400, 404)
    if response.status_int == 301:
        path = response.headers["Location"].removeprefix("http://localhost")
        assert path.startswith("/")
        assert fetch(docs, path).status_int == 200
