"""Mail that a request sends: after its transaction, and once however often it was tried."""

import pytest
from pyramid.response import Response
from pyramid_retry import RetryableException

from myproject.content.types import Page
from myproject.interfaces import IMailer
from myproject.mail import compose, send_after_commit


@pytest.fixture
def post(make_site, outbox):
    """``post(errors)``: a view writes and mails, and raises the errors in turn, one each try."""

    def post(errors, **options):
        tries = []

        def act(context, request):
            tries.append(1)
            context.title = f"Try {len(tries)}"
            mailer = request.registry.getUtility(IMailer)
            message = compose("a@example.org", "b@example.org", context.title, "Text.")
            send_after_commit(request.dbsession, mailer, message)
            request.dbsession.flush()
            if error := next(errors, None):
                raise error
            assert outbox.subjects == []
            return Response("done")

        def include(config):
            config.registry.registerUtility(outbox, IMailer)
            config.add_view(
                act, name="act", context=Page, request_method="POST", require_csrf=False
            )

        site = make_site(include)
        site.add("/docs")
        return site.client.post("/docs/@@act", **options)

    return post


def test_a_request_that_succeeds_sends(post, outbox):
    post(iter([]))
    assert outbox.subjects == ["Try 1"]


def test_a_request_that_is_tried_again_sends_once(post, outbox):
    post(iter([RetryableException(), RetryableException()]))
    assert outbox.subjects == ["Try 3"]


def test_a_request_that_fails_sends_nothing(post, outbox):
    post(iter([ZeroDivisionError()]), status=500)
    assert outbox.subjects == []
