"""What every response tells browsers not to do, and what a page may load and run."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from pyramid.response import Response
from pyramid_retry import RetryableException

import myproject
from myproject.content.types import Folder, Link, Page

PAGES = ["/", "/docs", "/folder", "/nope", "/%00", "/docs/@@children", "/docs/@@fail"]
OTHERS = ["/docs/@@source", "/@@static/site.css", "/@@static/favicon.svg"]
REDIRECTS = ["/docs/", "/link"]
TEMPLATES = sorted(Path(myproject.__file__).parent.rglob("*.jinja2"))


def fail(context, request):
    raise RuntimeError


def own(context, request):
    headers = {
        "content-security-policy": "default-src 'self'",
        "referrer-policy": "no-referrer",
    }
    return Response("Text.", headers=headers)


def confirm(context, request):
    return Response(status=304, headers={"Content-Security-Policy": "default-src 'self'"})


def try_again(context, request):
    """Fail once, in a way that is tried again; tell the nonces of both attempts."""
    nonces = request.environ.setdefault("test.nonces", [])
    nonces.append(request.csp_nonce)
    if len(nonces) == 1:
        raise RetryableException
    return Response(" ".join(nonces))


def include(config):
    for view in (fail, own, confirm):
        config.add_view(view, name=view.__name__, context=Page)


@pytest.fixture(scope="module")
def docs(make_shared_site):
    site = make_shared_site(include, https="true")
    number = site.add("/docs", "Text.")
    site.add("/folder", cls=Folder)
    site.add("/link", cls=Link, target_id=number)
    return site


@pytest.fixture(scope="module")
def plain(make_shared_site):
    return make_shared_site(https="false")


def policy_of(response):
    """The directives of the only policy of a response."""
    (policy,) = response.headers.getall("Content-Security-Policy")
    directives = [directive.split() for directive in policy.split("; ")]
    assert len({name for name, *_ in directives}) == len(directives)
    return {name: sources for name, *sources in directives}


class Scripts(HTMLParser):
    """Collects the nonces of scripts and styles, and whatever else a policy would stop."""

    def __init__(self, html):
        super().__init__()
        self.nonces, self.stopped = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag in ("script", "style"):
            self.nonces.append(names.get("nonce"))
        self.stopped += [
            (tag, name)
            for name, value in attrs
            if name == "style"
            or re.match(r"on|hx-on|hx-vals|hx-vars", name)
            or (value or "").strip().lower().startswith("javascript:")
        ]


# -- every response -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", [*PAGES, *OTHERS, *REDIRECTS, "/@@static/nope"])
def test_every_response_has_them_once(docs, fetch, path, method):
    headers = fetch(docs, path, method=method).headers
    for name, value in {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Frame-Options": "SAMEORIGIN",
        "Strict-Transport-Security": "max-age=31536000",
    }.items():
        assert headers.getall(name) == [value]
    assert len(headers.getall("Permissions-Policy")) == 1
    assert len(headers.getall("Content-Security-Policy")) == 1


def test_an_answer_to_options_has_them_too(docs, fetch):
    response = fetch(docs, "/docs", method="OPTIONS")
    assert response.status_int == 204
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_last_resort_has_them_too(make_site, fetch):
    def broken(config):
        include(config)
        config.add_exception_view(lambda error, request: 1 / 0, context=RuntimeError)

    site = make_site(broken)
    site.add("/docs")
    response = fetch(site, "/docs/@@fail")
    assert (response.status_int, response.content_type) == (500, "text/plain")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert policy_of(response)["default-src"] == ["'none'"]


def test_a_view_s_own_headers_stay(docs, fetch):
    response = fetch(docs, "/docs/@@own")
    assert response.headers.getall("Content-Security-Policy") == ["default-src 'self'"]
    assert response.headers.getall("Referrer-Policy") == ["no-referrer"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"https": "true"}, "max-age=31536000"),
        ({"https": "true", "hsts": "1h"}, "max-age=3600"),
        ({"https": "true", "hsts": "0"}, None),
        ({"https": "false"}, None),
        ({"https": "false", "hsts": "1h"}, None),
    ],
    ids=str,
)
def test_https_is_asked_for_where_there_is_https(make_site, fetch, settings, sent):
    assert fetch(make_site(**settings), "/").headers.get("Strict-Transport-Security") == sent


# -- the policy of pages --------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_no_script_without_a_nonce(docs, fetch, path):
    policy = policy_of(fetch(docs, path))
    assert policy["default-src"] == policy["base-uri"] == ["'none'"]
    assert policy["frame-ancestors"] == policy["form-action"] == ["'self'"]
    (script,) = policy["script-src"]
    assert re.fullmatch(r"'nonce-[0-9a-f]{32}'", script)
    assert policy["style-src"] == ["'self'", script]
    assert "unsafe" not in str(policy)
    assert not {"*", "http:", "https:", "data:"} & set(policy["script-src"] + policy["style-src"])


@pytest.mark.parametrize("path", ["/", "/docs", "/folder", "/nope", "/%00"])
def test_the_nonce_is_that_of_the_page_s_scripts_and_each_time_another(docs, fetch, path):
    seen = set()
    for _ in range(3):
        response = fetch(docs, path)
        nonces = set(Scripts(response.text).nonces)
        assert policy_of(response)["script-src"] == [f"'nonce-{nonce}'" for nonce in nonces]
        seen |= nonces
    assert len(seen) == 3


@pytest.mark.parametrize("path", ["/docs/@@plain", "/docs/"])
def test_a_page_without_a_nonce_runs_nothing(make_site, fetch, path):
    def plain(context, request):
        return Response("<script>1</script>")

    site = make_site(lambda config: config.add_view(plain, name="plain", context=Page))
    site.add("/docs")
    policy = policy_of(fetch(site, path))
    assert (policy["script-src"], policy["style-src"]) == (["'none'"], ["'self'"])


def test_all_attempts_at_a_request_have_one_nonce(make_site, fetch):
    site = make_site(lambda config: config.add_view(try_again, name="again", context=Page))
    site.add("/docs")
    response = fetch(site, "/docs/@@again")
    first, second = response.text.split()
    assert first == second
    assert policy_of(response)["script-src"] == [f"'nonce-{first}'"]


def test_an_author_s_picture_is_shown_and_nothing_else_of_another_site_is_loaded(
    docs, plain, fetch
):
    assert policy_of(fetch(docs, "/"))["img-src"] == ["'self'", "data:", "https:"]
    policy = policy_of(fetch(plain, "/"))
    assert policy.pop("img-src") == ["'self'", "data:", "http:", "https:"]
    assert not re.search("https?:|data:", str(policy))


# -- what is no page ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", OTHERS)
def test_what_is_no_page_loads_nothing(docs, fetch, path):
    response = fetch(docs, path)
    assert response.status_int == 200
    assert policy_of(response) == {
        "default-src": ["'none'"],
        "form-action": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'self'"],
    }


# -- 304 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/@@source", "/@@static/site.css"])
def test_a_stored_page_keeps_the_policy_that_it_came_with(docs, fetch, path):
    stored = fetch(docs, path)
    headers = {"If-Modified-Since": "Fri, 31 Dec 2100 00:00:00 GMT"}
    if "ETag" in stored.headers:
        headers = {"If-None-Match": stored.headers["ETag"]}
    unchanged = fetch(docs, path, headers=headers)
    assert unchanged.status_int == 304
    assert "Content-Security-Policy" not in unchanged.headers
    assert unchanged.headers["X-Content-Type-Options"] == "nosniff"


def test_what_turns_into_a_304_on_its_way_out_is_one_as_well(make_site, fetch, caplog):
    def page(context, request):
        return Response(request.csp_nonce, etag="x", conditional_response=True)

    caplog.set_level("INFO", logger="myproject.access")
    site = make_site(lambda config: config.add_view(page, name="page", context=Page))
    site.add("/docs")
    stored = fetch(site, "/docs/@@page")
    assert policy_of(stored)["script-src"] == [f"'nonce-{stored.text}'"]
    unchanged = fetch(site, "/docs/@@page", headers={"If-None-Match": '"x"'})
    assert unchanged.status_int == 304
    assert "Content-Security-Policy" not in unchanged.headers
    assert " 304 " in caplog.messages[-1]


def test_not_even_a_view_changes_the_policy_of_what_is_stored(docs, fetch):
    unchanged = fetch(docs, "/docs/@@confirm")
    assert unchanged.status_int == 304
    assert "Content-Security-Policy" not in unchanged.headers


# -- templates ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_what_the_policy_stops(path):
    text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    found = Scripts(text)
    assert set(found.nonces) <= {"{{ csp_nonce }}"}
    assert found.stopped == []


@pytest.mark.parametrize(
    "text",
    [
        '<p style="x">',
        "<a ONCLICK='x'>",
        '<a hx-on:click="x">',
        '<a href="javascript:x">',
        "<form\nonsubmit=x>",
    ],
)
def test_the_scan_finds_what_it_looks_for(text):
    assert Scripts(text).stopped


def test_every_script_has_a_source_or_is_data(docs, fetch):
    for path in PAGES:
        assert not re.search(r"<script(?![^>]* src=)", fetch(docs, path).text)
