"""One line a request, whatever the client sends, with the number that the response carries."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from myproject.testing import DEFAULTS

LINE = re.compile(r"(\S+) (\S+) (\d{3}) (\d+\.\d) ms (\S+)")
PRODUCTION = Path(__file__).parents[2] / "production.ini"


@pytest.fixture(scope="module")
def docs(shared_site):
    shared_site.add("/docs")
    return shared_site


@pytest.fixture(scope="module")
def behind_proxy(make_shared_site):
    return make_shared_site(request_id_header="X-Request-Id", trusted_proxies="127.0.0.1")


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, logger="myproject.access")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "myproject.access"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/nope", 404), ("/%00", 400), ("/docs/", 301), ("/@@static/site.css", 200)],
)
def test_a_request_writes_one_line(docs, fetch, lines, path, status):
    response = fetch(docs, path)
    (line,) = lines()
    method, logged, code, _, number = LINE.fullmatch(line).groups()
    assert (method, logged, int(code)) == ("GET", path, status)
    assert number == response.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "path",
    [
        "/a\nGET /forged 200",
        "/a\r\nb",
        "/\x1b[2J",
        "/a b",
        "/\x85\u2028".encode().decode("latin-1"),
        "/\xff\x00",
        "/%0a%1b",
        "/" + "x" * 5000,
    ],
    ids=ascii,
)
def test_the_line_stays_one_line_of_printable_ascii(docs, fetch, lines, path):
    fetch(docs, "/", path_info=path)
    (line,) = lines()
    assert LINE.fullmatch(line)
    assert line.isascii()
    assert line.isprintable()


def test_the_method_cannot_forge_a_line_either(docs, fetch, lines):
    fetch(docs, "/", method="G\x1b\nET /x 200")
    (line,) = lines()
    assert LINE.fullmatch(line)
    assert line.isprintable()


def test_the_query_is_not_written(docs, fetch, lines):
    fetch(docs, "/?token=secret")
    assert "secret" not in lines()[0]


@pytest.mark.parametrize("sent", ["abc-123_4.5", "x" * 64])
def test_a_trusted_proxy_s_number_is_taken(behind_proxy, fetch, lines, sent):
    assert fetch(behind_proxy, "/", HTTP_X_REQUEST_ID=sent).headers["X-Request-ID"] == sent
    assert lines()[0].endswith(sent)


@pytest.mark.parametrize(
    "sent", ["", "a b", "a\nb", "a\n", "x" * 65, "\x1b[2J", "<b>", "é", "a,b", '"'], ids=ascii
)
def test_a_number_that_is_not_well_formed_is_not_taken(behind_proxy, fetch, lines, sent):
    assert fetch(behind_proxy, "/", HTTP_X_REQUEST_ID=sent).headers["X-Request-ID"] != sent
    assert LINE.fullmatch(lines()[0])


def test_without_the_setting_nobody_s_number_is_taken(make_site, fetch):
    site = make_site(trusted_proxies="127.0.0.1")
    assert fetch(site, "/", HTTP_X_REQUEST_ID="mine").headers["X-Request-ID"] != "mine"


SERVE = """
import json
import sys
from pyramid.paster import setup_logging
from webtest import TestApp
from myproject import configure
setup_logging(sys.argv[1])
client = TestApp(configure({}, **json.loads(sys.argv[2])).make_wsgi_app())
client.get("/")
client.get("/nope", status=404)
"""


def test_in_production_the_ini_file_s_logging_writes_these_lines_and_no_others(sqlite_backend):
    url = sqlite_backend.create()
    settings = {"sqlalchemy.url": url.render_as_string(hide_password=False), **DEFAULTS}
    command = [sys.executable, "-W", "ignore", "-c", SERVE, str(PRODUCTION), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [re.search(r"GET (\S+) (\d+)", line).groups() for line in lines] == [
        ("/", "200"),
        ("/nope", "404"),
    ]
    assert done.stderr == ""
    sqlite_backend.drop(url)
