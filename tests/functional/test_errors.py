"""When something fails: a page that says so, without asking the database, and a number to quote."""

import logging
import re

import pytest
from pyramid.httpexceptions import HTTPBadRequest
from sqlalchemy import text

from myproject.content.types import Page
from myproject.exceptions import InvalidValue
from myproject.tree.node import DRAFT


def raising(error):
    """An includeme with a view, called ``fail``, that raises."""

    def fail(context, request):
        raise error

    def include(config):
        config.add_view(fail, name="fail", context=Page, require_csrf=False)

    return include


@pytest.fixture(scope="module")
def broken(make_shared_site):
    site = make_shared_site(raising(RuntimeError("the secret reason")))
    site.add("/docs")
    return site


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_error_is_a_page_with_its_number_and_in_the_log(broken, fetch, caplog, method):
    response = fetch(broken, "/docs/@@fail", method=method)
    number = response.headers["X-Request-ID"]
    assert response.status_int == 500
    assert f"<code>{number}</code>" in response
    assert "secret reason" not in response
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert number in record.getMessage()
    assert "secret reason" in str(record.exc_info)


def test_the_error_page_takes_no_statement(broken, fetch, count_statements):
    with count_statements(broken.database) as page:
        fetch(broken, "/docs/@@nope")
    with count_statements(broken.database) as error:
        fetch(broken, "/docs/@@fail")
    assert len(error) == 2 < len(page)


def test_the_error_page_is_not_kept(broken, fetch):
    response = fetch(broken, "/docs/@@fail", headers={"If-None-Match": "*"})
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"ETag", "Last-Modified"} & set(response.headers)


def test_a_database_that_fails_is_an_error_page(site, fetch):
    with site.database.writer.begin() as connection:
        connection.execute(text("DROP TABLE site"))
    response = fetch(site, "/")
    assert response.status_int == 500
    assert response.headers["X-Request-ID"] in response
    assert fetch(site, "/@@static/site.css").status_int == 200


def test_an_error_in_an_error_page_is_still_answered(make_site, fetch):
    def include(config):
        raising(ValueError("first"))(config)
        config.add_exception_view(lambda error, request: 1 / 0, context=ValueError)

    site = make_site(include)
    site.add("/docs")
    response = fetch(site, "/docs/@@fail")
    assert (response.status_int, response.content_type) == (500, "text/plain")
    assert response.headers["X-Request-ID"] in response


def test_text_that_a_view_cannot_decode_is_our_error_and_not_the_client_s(make_site, fetch):
    site = make_site(raising(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")))
    site.add("/docs")
    assert fetch(site, "/docs/@@fail").status_int == 500


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (HTTPBadRequest("Say <please>."), "Say &lt;please&gt;."),
        (InvalidValue("title", "Give the page a title."), "Give the page a title."),
    ],
)
def test_a_bad_request_says_what_is_wrong(make_site, fetch, error, message):
    site = make_site(raising(error))
    site.add("/docs")
    response = fetch(site, "/docs/@@fail")
    assert response.status_int == 400
    assert message in response


def test_what_may_not_be_done_is_refused_and_what_may_not_be_seen_is_not_there(make_site, fetch):
    def include(config):
        config.add_view(lambda context, request: 1, name="edit", context=Page, permission="edit")

    site = make_site(include)
    site.add("/docs")
    site.add("/draft", state=DRAFT)
    way_in = fetch(site, "/docs/@@edit")
    assert (way_in.status_int, way_in.location) == (
        302,
        "http://localhost/@@sign-in?next=/docs/@@edit",
    )
    refused = fetch(site, "/docs/@@edit", method="POST")
    assert refused.status_int == 403
    assert "You do not have access" in refused
    assert fetch(site, "/draft/@@edit").status_int == 404


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/@@source", "/nope", "/%00", "/docs/", "/@@static/x"]
)
def test_every_response_has_a_number_of_its_own(broken, fetch, path):
    numbers = {fetch(broken, path).headers["X-Request-ID"] for _ in range(3)}
    assert len(numbers) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", number) for number in numbers)
