"""Every place has one address; all other spellings of it redirect there, once."""

from urllib.parse import urlsplit

import pytest

# What a client may send, and the only address of what it means.
SPELLINGS = [
    ("//", "/"),
    ("//docs", "/docs"),
    ("///docs//page", "/docs/page"),
    ("/docs/", "/docs"),
    ("/docs/page//", "/docs/page"),
    ("/%64ocs", "/docs"),
    ("/docs%2Fpage", "/docs/page"),
    ("/docs/%2f/page", "/docs/page"),
    ("/d%6Fcs/page%2Fsource", "/docs/page/@@source"),
    ("/docs/@@", "/docs"),
    ("/@@", "/"),
    ("/docs/source", "/docs/@@source"),
    ("/docs/%40%40source/", "/docs/@@source"),
    ("/docs/children", "/docs/@@children"),
    ("/stra\u00dfe", "/stra%C3%9Fe"),
    ("/cafe%CC%81", "/caf%C3%A9"),
    ("/a%7Eb", "/a~b"),
]


@pytest.fixture(scope="module")
def docs(shared_site):
    site = shared_site
    for path in ("/docs", "/docs/page", "/straße", "/café", "/a~b", "/a b", "/100%", "/it's;x=1"):
        site.add(path, "Text.")
    return site


def path_of(response):
    location = urlsplit(response.headers["Location"])
    assert (location.scheme, location.netloc) == ("http", "localhost")
    return location.path


def as_sent(target):
    """A target as it comes over WSGI: bytes in the clothes of Latin-1."""
    return target.encode().decode("latin-1")


@pytest.mark.parametrize(("sent", "canonical"), SPELLINGS)
def test_another_spelling_redirects_once(docs, fetch, sent, canonical):
    response = fetch(docs, as_sent(sent))
    assert response.status_int == 301
    assert path_of(response) == canonical
    assert fetch(docs, canonical).status_int == 200


@pytest.mark.parametrize("request_uri", [True, False])
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs",
        "/docs/page",
        "/docs/@@source",
        "/stra%C3%9Fe",
        "/a%20b",
        "/100%25",
        "/it's;x=1",
    ],
)
def test_the_canonical_address_is_answered_at_once(docs, fetch, path, request_uri):
    assert fetch(docs, path, request_uri=request_uri).status_int == 200


@pytest.mark.parametrize(
    ("sent", "canonical"), [("/docs/", "/docs"), ("/docs/source", "/docs/@@source")]
)
def test_servers_that_do_not_tell_the_request_line_redirect_too(docs, fetch, sent, canonical):
    response = fetch(docs, sent, request_uri=False)
    assert (response.status_int, path_of(response)) == (301, canonical)


@pytest.mark.parametrize("path", ["/it%27s;x%3D1", "/stra%c3%9fe", "/it%27s%3bx=1"])
def test_escapes_that_proxies_may_add_are_left_alone(docs, fetch, path):
    assert fetch(docs, path).status_int == 200


def test_head_redirects_like_get_and_other_methods_do_not(docs, fetch):
    head = fetch(docs, "/docs/", method="HEAD")
    assert (head.status_int, path_of(head), head.body) == (301, "/docs", b"")
    assert fetch(docs, "/docs/", method="POST").status_int == 405


def test_the_query_survives(docs, fetch):
    response = fetch(docs, "/docs/?after=1.2&x=%C3%A9&y=//evil")
    assert response.headers["Location"] == "http://localhost/docs?after=1.2&x=%C3%A9&y=//evil"


@pytest.mark.parametrize("query", ["x=\r\nSet-Cookie: a=b", "x=\xe9", "x=\x00\x7f", "\n"])
def test_a_query_cannot_break_the_header(docs, fetch, query):
    response = fetch(docs, f"/docs/?{query}")
    assert response.status_int == 301
    assert "Set-Cookie" not in response.headers
    assert response.headers["Location"].isprintable()


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "//evil.example/",
        "///evil.example/..",
        "/\\evil.example",
        "/%5Cevil.example/",
        "//docs",
        "//evil.example/docs",
        "/%2F%2Fevil.example",
        "/@@//evil.example",
        "/docs//@@source",
        "//%65vil.example//",
        "http://evil.example/docs/",
        "https://evil.example//docs",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_request_is_sent_to_another_host(docs, fetch, target, method):
    path_info = "/" + target.partition("://")[2].partition("/")[2] if "://" in target else None
    response = fetch(docs, target, method=method, path_info=path_info)
    assert response.status_int in (301, 400, 404)
    if response.status_int == 301:
        assert fetch(docs, path_of(response)).status_int == 200


def test_the_absolute_form_of_a_target_is_understood(docs, fetch):
    assert fetch(docs, "http://localhost/docs", path_info="/docs").status_int == 200
    assert fetch(docs, "http://localhost", path_info="/").status_int == 200
    response = fetch(docs, "http://localhost/docs/", path_info="/docs/")
    assert (response.status_int, path_of(response)) == (301, "/docs")


@pytest.mark.parametrize("host", ["[", "a b", "x:y:z", "]", "[::1", "\xe9", "a\x01", ""])
def test_an_odd_host_header_is_no_error_of_ours(docs, fetch, host):
    for path in ("/docs", "/docs/", "/nope"):
        assert fetch(docs, path, HTTP_HOST=host).status_int < 500


@pytest.mark.parametrize("script_name", ["/cms", "/my site", "/straße/x"])
def test_a_mounted_site_redirects_below_its_mount_point(docs, fetch, script_name):
    mount = as_sent(script_name)
    encoded = {"/cms": "/cms", "/my site": "/my%20site", "/straße/x": "/stra%C3%9Fe/x"}[script_name]
    for sent, canonical in (("", "/"), ("/docs/", "/docs"), ("//docs", "/docs")):
        response = fetch(docs, encoded + sent, script_name=mount)
        assert (response.status_int, path_of(response)) == (301, encoded + canonical)
        assert fetch(docs, encoded + canonical, script_name=mount).status_int == 200


def test_a_proxy_that_takes_the_mount_point_off_makes_no_loop(docs, fetch):
    response = fetch(docs, "/docs", path_info="/docs", script_name="/cms")
    assert response.status_int == 200
    response = fetch(docs, "/docs/", path_info="/docs/", script_name="/cms")
    assert path_of(response) == "/cms/docs"


def test_a_server_that_rewrites_the_path_makes_no_loop(docs, fetch):
    assert fetch(docs, "/old/name", path_info="/docs").status_int == 200
