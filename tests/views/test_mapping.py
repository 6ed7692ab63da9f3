"""Views are called as Pyramid calls them, whatever they are."""

from __future__ import annotations

from typing import Any

import pytest
from pyramid.interfaces import IViewMapperFactory
from pyramid.viewderivers import DefaultViewMapper

from myproject.testing import Site, sqlite_only
from myproject.views.mapping import ViewMapper


def of_the_request(request: Any) -> Any:
    return ("request", request)


def of_both(context: Any, request: Any) -> Any:
    return (context, request)


def named_otherwise(req: Any) -> Any:
    return ("req", req)


def with_an_option(request: Any, option: str = "default") -> Any:
    return (request, option)


def of_anything(*args: Any) -> Any:
    return args


class Screen:
    def __init__(self, context: Any, request: Any) -> None:
        self.asked = (context, request)

    def __call__(self) -> Any:
        return self.asked

    def other(self) -> Any:
        return ("other", *self.asked)


class OfTheRequest:
    def __init__(self, request: Any) -> None:
        self.request = request

    def __call__(self) -> Any:
        return self.request

    def method(self, request: Any) -> Any:
        return ("method", request)


class Request:
    """What Pyramid puts the view on."""


VIEWS = [
    (of_the_request, None),
    (of_both, None),
    (named_otherwise, None),
    (with_an_option, None),
    (of_anything, None),
    (lambda request: ("lambda", request), None),
    (Screen, None),
    (Screen, "other"),
    (OfTheRequest, None),
    (OfTheRequest(None).method, None),
]


@pytest.mark.parametrize(("view", "attr"), VIEWS)
def test_a_view_gets_what_it_takes(view: Any, attr: str | None) -> None:
    request = Request()
    expected = DefaultViewMapper(attr=attr)(view)
    told, expected_answer = expected.__text__, expected("context", request)
    mapped = ViewMapper(attr=attr)(view)
    assert mapped("context", request) == expected_answer
    assert mapped.__text__ == told


@sqlite_only
def test_views_of_add_ons_are_called_like_this_too(site: Site) -> None:
    assert site.registry.getUtility(IViewMapperFactory) is ViewMapper
