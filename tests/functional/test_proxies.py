"""Headers of proxies are believed when they come from a trusted one, and from nobody else."""

import configparser
import http.client
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyramid.response import Response
from webtest.http import StopableWSGIServer

from myproject.content.types import Page

INI_FILES = [Path(__file__).parents[2] / name for name in ("production.ini", "development.ini")]

SPOOFED = {
    "HTTP_X_FORWARDED_FOR": "192.0.2.7",
    "HTTP_X_FORWARDED_HOST": "evil.example",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_PORT": "8443",
    "HTTP_X_FORWARDED_BY": "192.0.2.8",
    "HTTP_FORWARDED": "for=192.0.2.9;host=evil.example;proto=https",
    "HTTP_X_VHM_ROOT": "/docs",
    "HTTP_X_REQUEST_ID": "spoofed",
}


def tell(context, request):
    """Tell what the application takes for true."""
    environ = request.environ
    return Response(
        json={
            "client": request.remote_addr,
            "also": request.client_addr,
            "port": environ.get("REMOTE_PORT"),
            "url": request.host_url,
            "left": sorted(set(SPOOFED) & set(environ)),
        }
    )


def include(config):
    config.add_view(tell, name="tell", context=Page)


@pytest.fixture(scope="module")
def make(make_shared_site):
    def site(**settings):
        settings = {"virtual_root_header": "true", "request_id_header": "X-Request-Id"} | settings
        return make_shared_site(include, **settings)

    return site


@pytest.fixture(scope="module")
def alone(make):
    """A site that trusts no proxy."""
    site = make()
    site.add("/docs")
    site.add("/docs/page")
    return site


@pytest.fixture(scope="module")
def behind(alone, make):
    """The same behind proxies."""
    return make(trusted_proxies="127.0.0.1 10.1.0.0/16 2001:db8::/32 localhost")


@pytest.fixture(scope="module")
def told(fetch):
    return lambda site, peer="127.0.0.1", **environ: (
        fetch(site, "/docs/@@tell", REMOTE_ADDR=peer, **environ).json
    )


# -- everybody else -------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.0.2.1", "::1", "localhost", ""])
def test_nobody_is_believed_by_default(alone, fetch, told, peer):
    assert told(alone, peer, **SPOOFED) == {
        "client": peer,
        "also": peer,
        "port": None,
        "url": "http://localhost",
        "left": [],
    }
    response = fetch(alone, "/docs/page/", REMOTE_ADDR=peer, **SPOOFED)
    assert response.headers["Location"] == "http://localhost/docs/page"
    assert response.headers["X-Request-ID"] != "spoofed"


@pytest.mark.parametrize(
    "peer",
    [
        "127.0.0.2",
        "10.2.0.1",
        "192.0.2.1",
        "::1",
        "2001:db9::1",
        "::ffff:10.2.0.1",
        "LOCALHOST",
        "localhost.evil.example",
        "10.1.0.1, 127.0.0.1",
        "",
        "unknown",
    ],
)
def test_a_stranger_is_not_believed(behind, fetch, told, peer):
    found = told(behind, peer, **SPOOFED)
    assert (found["client"], found["url"], found["left"]) == (peer, "http://localhost", [])
    response = fetch(behind, "/docs/page", REMOTE_ADDR=peer, **SPOOFED)
    assert response.status_int == 200
    assert "evil.example" not in response
    assert response.headers["X-Request-ID"] != "spoofed"


def test_a_stranger_s_garbage_is_not_even_read(behind, fetch):
    garbage = {"HTTP_FORWARDED": "\xff;;=", "HTTP_X_FORWARDED_PROTO": "gopher"}
    assert fetch(behind, "/docs", REMOTE_ADDR="192.0.2.1", **garbage).status_int == 200


def test_a_server_that_does_not_tell_the_peer_is_asked_by_a_stranger(behind):
    response = behind.client.get("/docs/page", headers={"X-Vhm-Root": "/docs"})
    assert response.status_int == 200


# -- trusted proxies ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "10.1.255.255", "::ffff:10.1.2.3", "2001:db8::5", "localhost"]
)
def test_a_trusted_proxy_is_believed(behind, fetch, told, peer):
    headers = {
        "HTTP_X_FORWARDED_FOR": "192.0.2.7",
        "HTTP_X_FORWARDED_HOST": "www.example.org",
        "HTTP_X_FORWARDED_PROTO": "https",
    }
    assert told(behind, peer, REMOTE_PORT="4711", **headers) == {
        "client": "192.0.2.7",
        "also": "192.0.2.7",
        "port": None,
        "url": "https://www.example.org",
        "left": [],
    }
    page = fetch(behind, "/page", REMOTE_ADDR=peer, HTTP_X_VHM_ROOT="/docs", **headers)
    assert 'rel="canonical" href="https://www.example.org/page"' in page
    sent = {"HTTP_X_REQUEST_ID": "from-proxy", **headers}
    assert fetch(behind, "/", REMOTE_ADDR=peer, **sent).headers["X-Request-ID"] == "from-proxy"


def test_a_proxy_that_says_nothing_is_the_client(behind, told):
    found = told(behind, "10.1.0.1", REMOTE_PORT="4711", REMOTE_HOST="10.1.0.1")
    assert (found["client"], found["port"], found["url"]) == (
        "10.1.0.1",
        "4711",
        "http://localhost",
    )
    assert told(behind, "localhost")["client"] == "localhost"


@pytest.mark.parametrize(
    ("sent", "client", "port"),
    [
        ("192.0.2.7", "192.0.2.7", None),
        ("192.0.2.7:4711", "192.0.2.7", "4711"),
        ("2001:DB8:0::7", "2001:db8::7", None),
        ("[2001:db8::7]", "2001:db8::7", None),
        ("[2001:db8::7]:4711", "2001:db8::7", "4711"),
        ("::ffff:192.0.2.7", "192.0.2.7", None),
        ("[::ffff:192.0.2.7]", "192.0.2.7", None),
        ("[::ffff:192.0.2.7]:4711", "192.0.2.7", "4711"),
        ("evil, 10.9.9.9, 192.0.2.7", "192.0.2.7", None),
        ('"192.0.2.7"', "192.0.2.7", None),
    ],
)
def test_the_client_is_whom_the_proxy_itself_saw(behind, told, sent, client, port):
    found = told(behind, HTTP_X_FORWARDED_FOR=sent)
    assert (found["client"], found["also"], found["port"]) == (client, client, port)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_X_FORWARDED_FOR", "unknown"),
        ("HTTP_X_FORWARDED_FOR", "<script>"),
        ("HTTP_X_FORWARDED_FOR", "1.2.3"),
        ("HTTP_X_FORWARDED_FOR", "192.0.2.7:http"),
        ("HTTP_X_FORWARDED_FOR", "192.0.2.7:1.2"),
        ("HTTP_X_FORWARDED_FOR", "192.0.2.7:\xb2"),
        ("HTTP_X_FORWARDED_FOR", ":80"),
        ("HTTP_X_FORWARDED_FOR", '"'),
        ("HTTP_X_FORWARDED_FOR", "[::1"),
        ("HTTP_X_FORWARDED_FOR", "[::1]:x"),
        ("HTTP_X_FORWARDED_FOR", "[::1]:4711]"),
        ("HTTP_X_FORWARDED_HOST", "a b"),
        ("HTTP_X_FORWARDED_HOST", "evil/path"),
        ("HTTP_X_FORWARDED_HOST", ":80"),
        ("HTTP_X_FORWARDED_HOST", '"x'),
        ("HTTP_X_FORWARDED_HOST", "x:http"),
        ("HTTP_X_FORWARDED_PROTO", "gopher"),
        ("HTTP_X_FORWARDED_PROTO", "https, http"),
        ("HTTP_X_FORWARDED_PROTO", "\xff"),
    ],
    ids=ascii,
)
def test_a_trusted_proxy_s_garbage_is_a_bad_request(behind, fetch, count_statements, name, value):
    with count_statements(behind.database) as seen:
        response = fetch(behind, "/docs", **{name: value})
    assert response.status_int == 400
    assert response.content_type == "text/html"
    assert response.headers["X-Request-ID"]
    assert response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert not seen


# -- which headers --------------------------------------------------------------------------------


def test_only_the_headers_that_are_named_are_believed(make, alone, told):
    site = make(trusted_proxies="127.0.0.1", forwarded_headers="X-Forwarded-For")
    forwarded = {key: value for key, value in SPOOFED.items() if "FORWARDED" in key}
    found = told(site, **forwarded)
    assert (found["client"], found["url"]) == ("192.0.2.7", "http://localhost")
    assert found["left"] == []
    site = make(trusted_proxies="127.0.0.1", forwarded_headers="")
    assert told(site, **forwarded)["client"] == "127.0.0.1"


def test_the_port_is_believed_where_it_is_named(make, alone, told):
    site = make(
        trusted_proxies="127.0.0.1",
        forwarded_headers="x-forwarded-host x-forwarded-port x-forwarded-proto",
    )
    headers = {"HTTP_X_FORWARDED_HOST": "example.org", "HTTP_X_FORWARDED_PROTO": "https"}
    assert told(site, HTTP_X_FORWARDED_PORT="8443", **headers)["url"] == "https://example.org:8443"


@pytest.mark.parametrize("port", ["x", "80,80", "\xb2", "-1"], ids=ascii)
def test_a_port_that_is_none_is_a_bad_request(make, alone, fetch, port):
    site = make(trusted_proxies="127.0.0.1", forwarded_headers="x-forwarded-port")
    assert fetch(site, "/docs", HTTP_X_FORWARDED_PORT=port).status_int == 400


@pytest.fixture(scope="module")
def standard(make, alone):
    return make(trusted_proxies="127.0.0.1", forwarded_headers="forwarded")


def test_the_standard_s_header_is_believed_where_it_is_named(standard, told):
    others = "for=198.51.100.1;host=evil.example"
    own = 'for="[2001:db8::7]:4711";host=example.org;proto=https'
    found = told(standard, HTTP_FORWARDED=f"{others}, {own}")
    assert found["client"] == "2001:db8::7"
    assert (found["port"], found["url"]) == ("4711", "https://example.org")
    others = {key: value for key, value in SPOOFED.items() if "X_FORWARDED" in key}
    assert told(standard, **others)["client"] == "127.0.0.1"


@pytest.mark.parametrize(
    "sent",
    ["for", "for=_hidden", 'for=":80"', "proto=gopher", "for= 192.0.2.7", 'host="a b"'],
)
def test_garbage_in_the_standard_s_header_is_a_bad_request(standard, fetch, sent):
    assert fetch(standard, "/docs", HTTP_FORWARDED=sent).status_int == 400


def test_what_is_wrong_with_a_proxy_s_headers_is_in_the_log_on_one_line(behind, fetch, caplog):
    fetch(behind, "/docs", HTTP_X_FORWARDED_FOR='"\x1b[2J\nx')
    (record,) = [r for r in caplog.records if r.name == "myproject.views.proxies"]
    assert "X-Forwarded-For" in record.getMessage()
    assert record.getMessage().isprintable()


# -- Waitress -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", INI_FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("trusted", [True, False])
def test_with_our_ini_files_waitress_leaves_it_to_us(make, alone, path, trusted):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path)
    options = {k: v for k, v in parser["server:main"].items() if k not in ("use", "listen")}
    site = make(trusted_proxies="127.0.0.1" if trusted else "")
    server = StopableWSGIServer.create(site.app, host="127.0.0.1", **options)
    try:
        connection = http.client.HTTPConnection(urlsplit(server.application_url).netloc)
        headers = {
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Host": "example.org",
            "X-Forwarded-Proto": "https",
        }
        connection.request("GET", "/docs/@@tell", headers=headers)
        answer = connection.getresponse().read().decode()
        connection.close()
    finally:
        server.shutdown()
    assert ('"https://example.org"' in answer) is trusted
    assert ('"192.0.2.7"' in answer) is trusted
