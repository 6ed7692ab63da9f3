"""One request, one transaction; and none for those that only read."""

import logging
from contextlib import contextmanager

import pytest
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.response import Response
from pyramid_retry import RetryableException
from pyramid_tm import is_tm_active
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from myproject.content.types import Link, Page
from myproject.tree.node import Node

SAFE = ["GET", "HEAD", "OPTIONS"]


@contextmanager
def commits(database):
    """Collect the commits of a block, whichever engine makes them."""
    seen = []

    def remember(connection):
        seen.append("commit")

    for engine in (database.reader, database.writer):
        event.listen(engine, "commit", remember)
    try:
        yield seen
    finally:
        for engine in (database.reader, database.writer):
            event.remove(engine, "commit", remember)


@pytest.fixture(scope="module")
def docs(shared_site):
    shared_site.add("/docs", "Text.")
    shared_site.add("/link", cls=Link, url="https://example.org/")
    return shared_site


def titles(site):
    with site.database.read_session() as session:
        return {node.name: node.title for node in session.query(Node)}


def posting(view, **options):
    """An includeme with a view for POST, called ``act``, on pages."""

    def include(config):
        options.setdefault("require_csrf", False)
        config.add_view(view, name="act", context=Page, request_method="POST", **options)
        config.add_view(view, name="get", context=Page, request_method="GET", **options)

    return include


def retitle(context, request):
    context.title = "Changed"
    return Response("done")


@pytest.mark.parametrize("method", SAFE)
@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/@@source", "/docs/@@children", "/link", "/nope", "/docs/", "/%00"]
)
def test_a_safe_request_never_commits(docs, fetch, method, path):
    with commits(docs.database) as seen:
        assert fetch(docs, path, method=method).status_int < 500
    assert seen == []


def test_a_safe_request_that_writes_fails_and_writes_nothing(make_site, fetch):
    def write(context, request):
        context.title = "Changed"
        request.dbsession.flush()

    site = make_site(posting(write))
    site.add("/docs", title="Docs")
    assert fetch(site, "/docs/@@get").status_int == 500
    assert titles(site)["docs"] == "Docs"


def test_a_post_is_committed(make_site, fetch):
    site = make_site(posting(retitle))
    site.add("/docs", title="Docs")
    etag = fetch(site, "/docs").headers["ETag"]
    with commits(site.database) as seen:
        assert fetch(site, "/docs/@@act", method="POST").text == "done"
    assert seen == ["commit"]
    assert titles(site)["docs"] == "Changed"
    assert fetch(site, "/docs").headers["ETag"] != etag


def test_a_post_that_changes_nothing_is_not_committed(make_site, fetch):
    site = make_site(posting(lambda context, request: Response("done")))
    site.add("/docs")
    with commits(site.database) as seen:
        assert fetch(site, "/docs/@@act", method="POST").status_int == 200
    assert seen == []


def test_an_operation_on_the_tree_is_committed(make_site, fetch):
    def add(context, request):
        request.tree.add(context, Page(title="New"), "new")
        return HTTPSeeOther(request.resource_url(context))

    site = make_site(posting(add))
    site.add("/docs")
    assert fetch(site, "/docs/@@act", method="POST").headers["Location"] == "http://localhost/docs"
    assert fetch(site, "/docs/new").status_int == 200


@pytest.mark.parametrize("error", [RuntimeError("no"), HTTPSeeOther("/")])
def test_what_is_raised_aborts(make_site, fetch, error):
    def fail(context, request):
        context.title = "Changed"
        request.dbsession.flush()
        raise error

    site = make_site(posting(fail))
    site.add("/docs", title="Docs")
    with commits(site.database) as seen:
        fetch(site, "/docs/@@act", method="POST")
    assert seen == []
    assert titles(site)["docs"] == "Docs"


def test_what_may_be_tried_again_is(make_site, fetch, caplog):
    attempts = []

    def stumble(context, request):
        attempts.append(request.id)
        context.title += "!"
        request.dbsession.flush()
        if len(attempts) < 3:
            raise RetryableException("busy")
        return Response("done")

    site = make_site(posting(stumble))
    site.add("/docs", title="Docs")
    with caplog.at_level(logging.INFO):
        response = fetch(site, "/docs/@@act", method="POST")
    assert response.text == "done"
    assert titles(site)["docs"] == "Docs!"
    assert set(attempts) == {response.headers["X-Request-ID"]}
    assert len([r for r in caplog.records if r.name == "myproject.access"]) == 1
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_what_never_succeeds_is_an_error_in_the_end(make_site, fetch, caplog):
    attempts = []

    def stumble(context, request):
        attempts.append(request.id)
        raise RetryableException("busy")

    site = make_site(posting(stumble), retry_attempts="2")
    site.add("/docs")
    response = fetch(site, "/docs/@@act", method="POST")
    assert response.status_int == 500
    assert len(attempts) == 2
    assert attempts[0] in response
    assert len([r for r in caplog.records if r.levelno >= logging.ERROR]) == 1


def test_constraint_errors_come_while_they_can_still_be_answered(make_site, fetch):
    """At commit the transaction is no longer active, and nothing could be tried again."""

    def clash(context, request):
        request.dbsession.add(Page(parent_id=1, name="docs", title="Twice"))
        return Response("done")

    def answer(error, request):
        return Response("in the view" if is_tm_active(request) else "too late", status=409)

    def include(config):
        posting(clash)(config)
        config.add_exception_view(answer, context=IntegrityError)

    site = make_site(include)
    site.add("/docs")
    response = fetch(site, "/docs/@@act", method="POST")
    assert (response.status_int, response.text) == (409, "in the view")
