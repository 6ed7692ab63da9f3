"""The names that a site answers to: another one is refused before anything is looked up."""

import pytest

NAMES = "example.org .example.net localhost:8080 [2001:db8::1] 192.0.2.1"

OURS = [
    "example.org",
    "EXAMPLE.org",
    "example.org.",
    "example.org:8443",
    "example.org.:8443",
    "example.net",
    "www.example.net",
    "a.b.Example.Net:80",
    "_my_host.example.net",
    "localhost:8080",
    "localhost:08080",
    "[2001:db8::1]",
    "[2001:DB8::1]:6543",
    "192.0.2.1",
]
OTHERS = [
    "evil.example",
    "www.example.org",
    "example.org.evil.example",
    "evilexample.org",
    "evilexample.net",
    "localhost",
    "localhost:8081",
    "localhost.",
    "192.0.2.2",
    "[2001:db8::2]",
    "2001:db8::1",
]
GARBAGE = [
    "",
    " ",
    ".",
    ".example.net",
    "example.org..",
    "www..example.net",
    "-.example.net",
    "example.org:80:80",
    "example.org:",
    "example.org:0",
    "example.org:65536",
    "example.org:8a",
    "example.org:\xb2",
    "example.org:-1",
    "example.org, evil.example",
    "example.org evil.example",
    "user@example.org",
    "evil.example@example.org",
    "user:password@example.org:80",
    "example.org/path",
    "example.org?x",
    "example.org#x",
    "example.org\\@evil.example",
    "example.org\r\nX: y",
    "example.org\n",
    "example.org\x00",
    "example%2eorg",
    "<script>",
    "\xe9.example.net",
    "[2001:db8::1",
    "[2001:db8::1].",
    "[evil]",
    "x" * 300 + ".example.net",
    "a." * 200 + "example.net",
]


@pytest.fixture(scope="module")
def open_site(make_shared_site):
    site = make_shared_site()
    site.add("/docs", "Text.")
    return site


@pytest.fixture(scope="module")
def named(open_site, make_shared_site):
    return make_shared_site(hosts=NAMES)


@pytest.mark.parametrize("host", OURS)
def test_a_name_of_ours_is_answered(named, fetch, host):
    assert fetch(named, "/docs", HTTP_HOST=host).status_int == 200


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/nope", "/@@static/site.css"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("host", ["evil.example", "user@example.org"])
def test_whatever_is_asked_for_another_name_it_is_refused(named, fetch, host, method, path):
    response = fetch(named, path, method=method, HTTP_HOST=host)
    assert response.status_int == 400
    assert "Location" not in response.headers


@pytest.mark.parametrize("host", [*OTHERS, *GARBAGE], ids=ascii)
def test_another_name_is_a_bad_request_without_a_statement(named, fetch, count_statements, host):
    with count_statements(named.database) as seen:
        response = fetch(named, "/docs", HTTP_HOST=host)
    assert response.status_int == 400
    assert response.content_type == "text/html"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Request-ID"]
    assert "canonical" not in response
    assert "evil" not in response
    assert not seen


def test_a_refused_request_is_in_the_log(named, fetch, caplog):
    caplog.set_level("INFO", logger="myproject.access")
    response = fetch(named, "/docs", HTTP_HOST="evil.example")
    (line,) = [r.getMessage() for r in caplog.records if r.name == "myproject.access"]
    assert line.startswith("GET /docs 400 ")
    assert line.endswith(response.headers["X-Request-ID"])


@pytest.mark.parametrize("host", GARBAGE, ids=ascii)
def test_what_is_no_name_is_refused_by_every_site(open_site, fetch, host):
    assert fetch(open_site, "/docs", HTTP_HOST=host).status_int == 400


@pytest.mark.parametrize("host", [*OURS, *OTHERS[:-1]])
def test_without_the_setting_every_name_is_answered(open_site, fetch, host):
    assert fetch(open_site, "/docs", HTTP_HOST=host).status_int == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://example.org/docs", 200),
        ("http://www.example.net:80/docs", 200),
        ("http://evil.example/docs", 400),
        ("HTTPS://evil.example/docs", 400),
        ("http://example.org@evil.example/docs", 400),
        ("http://user@example.org/docs", 400),
        ("http:///docs", 400),
        ("x://evil.example/docs", 400),
    ],
)
def test_a_target_in_absolute_form_names_a_host_too(named, fetch, target, status):
    response = fetch(named, target, path_info="/docs", HTTP_HOST="example.org")
    assert response.status_int == status
    refused = fetch(named, target, path_info="/docs", HTTP_HOST="evil.example")
    assert refused.status_int == 400


def test_a_request_without_a_name_is_refused_where_names_matter(named, open_site, site_of):
    assert site_of(named) == 400
    assert site_of(open_site) == 200


@pytest.fixture
def site_of():
    """The status that HTTP/1.0 without a ``Host`` header gets."""

    def ask(site):
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/docs",
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": "example.org",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.0",
            "wsgi.url_scheme": "http",
        }
        told = []
        site.app(environ, lambda status, headers, *rest: told.append(int(status[:3])))
        return told[0]

    return ask


def test_a_port_may_be_left_out_where_the_scheme_says_it(make_site, fetch):
    site = make_site(hosts="example.org:443")
    https = {"wsgi.url_scheme": "https"}
    assert fetch(site, "/", HTTP_HOST="example.org", **https).status_int == 200
    assert fetch(site, "/", HTTP_HOST="example.org:443", **https).status_int == 200
    assert fetch(site, "/", HTTP_HOST="example.org").status_int == 400


def test_what_a_proxy_says_the_client_asked_for_is_what_counts(make_site, fetch):
    site = make_site(hosts="example.org", trusted_proxies="127.0.0.1")
    inside = {"HTTP_HOST": "app:6543"}
    asked = {**inside, "HTTP_X_FORWARDED_HOST": "example.org"}
    assert fetch(site, "/", **asked).status_int == 200
    assert fetch(site, "/", **inside).status_int == 400
    assert fetch(site, "/", REMOTE_ADDR="192.0.2.1", **asked).status_int == 400
    spoofed = {"HTTP_HOST": "example.org", "HTTP_X_FORWARDED_HOST": "evil.example"}
    assert fetch(site, "/", **spoofed).status_int == 400
    assert fetch(site, "/", REMOTE_ADDR="192.0.2.1", **spoofed).status_int == 200


def test_canonical_links_name_ours(named, fetch):
    for host in OURS:
        shown = host.removesuffix(":80")
        page = fetch(named, "/docs", HTTP_HOST=host)
        assert f'rel="canonical" href="http://{shown}/docs"' in page
