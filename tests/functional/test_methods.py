"""Which methods an address takes, and how the others are refused."""

import pytest

from myproject.content.types import Page
from myproject.tree.node import DRAFT


@pytest.fixture(scope="module")
def docs(shared_site):
    site = shared_site
    site.add("/docs", "Text.")
    site.add("/secret", state=DRAFT)
    return site


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "FOO", "F\x1bOO"])
@pytest.mark.parametrize("path", ["/", "/docs", "/docs/@@source", "/docs/@@children"])
def test_other_methods_are_refused_with_those_that_are_taken(docs, fetch, method, path):
    response = fetch(docs, path, method=method)
    assert response.status_int == 405
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert "405" in response
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/@@source"])
def test_options_tells_the_methods(docs, fetch, path):
    response = fetch(docs, path, method="OPTIONS")
    assert (response.status_int, response.body) == (204, b"")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "DELETE"])
@pytest.mark.parametrize(
    "path", ["/nope", "/secret", "/secret/nope", "/docs/@@nope", "/secret/@@source"]
)
def test_what_is_not_there_takes_no_method(docs, fetch, method, path):
    response = fetch(docs, path, method=method)
    assert response.status_int == 404
    assert "Allow" not in response.headers


def test_methods_that_an_add_on_takes_are_told(make_site, fetch):
    def include(config):
        config.add_view(
            lambda context, request: request.response,
            name="note",
            context=Page,
            request_method=("POST", "PUT"),
            require_csrf=False,
        )
        config.add_route("only-get", "/only-get")
        config.add_view(
            lambda request: request.response, route_name="only-get", request_method="GET"
        )

    site = make_site(include)
    site.add("/docs")
    assert fetch(site, "/docs/@@note").headers["Allow"] == "POST, PUT, OPTIONS"
    assert fetch(site, "/docs/@@note", method="POST").status_int == 200
    refused = fetch(site, "/only-get", method="POST")
    assert (refused.status_int, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
