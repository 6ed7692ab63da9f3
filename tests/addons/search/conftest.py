"""Sites with the search on, and what a person reads on its screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from webtest import TestApp

from myproject.addons.search.finding import search_of
from myproject.scope import Scopes
from myproject.testing import Site

#: ``found(client, "words")``: the titles of the results, in order.
Found = Callable[..., list[str]]


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with the search on."""
    return make_site(addons="search")


@pytest.fixture(scope="module")
def shared_site(make_shared_site: Callable[..., Site]) -> Site:
    """The same for a whole module."""
    return make_shared_site(addons="search")


@pytest.fixture(scope="session")
def found() -> Found:
    """``found(client, "words", path="/docs/@@search")``: the titles of a page of results."""

    def look(client: TestApp, text: str, path: str = "/@@search", **query: str) -> list[str]:
        html = client.get(path, {"q": text, **query}).html
        return [link.get_text() for link in html.select(".search-results h2 a")]

    return look


@pytest.fixture(scope="session")
def find() -> Callable[..., list[int]]:
    """``find(site, "words")``: ids of what visitors find, asked without a screen."""

    def look(site: Site, text: str) -> list[int]:
        with Scopes(site.registry).reading() as scope:
            return [result.id for result in search_of(scope).find(text).results]

    return look
