"""The validators, without an application around them."""

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyramid.response import Response

from myproject.security.preferences import DEFAULTS, Preferences
from myproject.views import conditional

CHANGED = dt.datetime(2024, 5, 1, 10, 0, 0, tzinfo=dt.UTC)


def request(changed=CHANGED, signed_in=None, **environ):
    return SimpleNamespace(
        signed_in=signed_in,
        registry=SimpleNamespace(fingerprint="abc", session_cookie="session"),
        site_revision=7,
        site_due_at=None,
        shown_draft=None,
        site_changed_at=changed,
        environ=environ,
        response=Response(),
    )


def test_the_tag_is_weak_and_names_code_revision_and_variant():
    asked = request()
    assert conditional.check(asked, "html") is None
    assert asked.response.headers["ETag"] == 'W/"abc-7-html"'


def test_the_date_is_rounded_up_and_only_told_when_it_is_past():
    asked = request(CHANGED.replace(microsecond=1))
    conditional.check(asked, "html")
    assert asked.response.headers["Last-Modified"] == "Wed, 01 May 2024 10:00:01 GMT"
    asked = request(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30))
    conditional.check(asked, "html")
    assert "Last-Modified" not in asked.response.headers


@pytest.mark.parametrize(("vary", "sent"), [(None, "Cookie"), ("Accept", "Accept, Cookie")])
def test_pages_vary_by_who_asks_and_by_what_was_chosen(vary, sent):
    asked = request()
    conditional.check(asked, "html", vary=vary)
    assert asked.response.headers.get("Vary") == sent


def test_somebody_s_page_is_theirs_alone_and_has_no_date_to_go_by():
    asked = request(
        signed_in=SimpleNamespace(login_id=5, preferences=DEFAULTS),
        HTTP_IF_MODIFIED_SINCE="Fri, 01 Jan 2100 00:00:00 GMT",
    )
    assert conditional.check(asked, "html") is None
    own = asked.response.headers["ETag"]
    assert own == f'W/"abc-7-html-5-{DEFAULTS.tag}"'
    assert asked.response.headers["Cache-Control"] == "private, no-cache"
    assert "Last-Modified" not in asked.response.headers
    # What they choose for themselves changes what they see.
    asked.signed_in.preferences = Preferences(language="de")
    conditional.check(asked, "html")
    assert asked.response.headers["ETag"] != own


def test_a_confirmation_has_the_validators_and_nothing_else():
    response = conditional.check(request(HTTP_IF_NONE_MATCH="*"), "html", vary="Accept")
    assert response.status_int == 304
    assert set(response.headers) == {"ETag", "Last-Modified", "Cache-Control", "Vary"}


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_no_header_is_an_error(text):
    for header in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE"):
        conditional.check(request(**{header: text}), "html")


@given(
    st.from_regex(
        r"(Mon, )?-?\d{1,6} (Jan|Feb|Foo)[ -]-?\d{1,6} "
        r"-?\d{1,3}:\d{1,9}(:\d{1,3})? ([+-]\d{1,30}|GMT|EST)?"
    )
)
def test_nothing_that_looks_like_a_date_is_an_error(text):
    conditional.check(request(HTTP_IF_MODIFIED_SINCE=text), "html")
