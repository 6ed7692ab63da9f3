"""Tests that take turns with an application notice nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from myproject.content.registry import ContentType
from myproject.content.types import Folder
from myproject.interfaces import IContentTypes, IMailer
from myproject.testing import Backend, Outbox, Site
from tests.applications import Applications, reused_sites_on

Using = Callable[..., Site]


@pytest.fixture
def applications() -> Applications:
    """Applications that nobody has changed yet."""
    return Applications()


@pytest.fixture
def turn(backend: Backend, applications: Applications) -> Iterator[Using]:
    """``turn(use, **settings)``: a site on a database of its own is used and closed."""
    urls = []

    def take(use: Callable[[Site], object] = lambda site: None, **settings: str) -> Site:
        urls.append(backend.create())
        with reused_sites_on(urls[-1], applications) as make:
            site = make(**settings)
            use(site)
        return site

    yield take
    for url in urls:
        backend.drop(url)


def test_the_next_one_has_the_application_and_another_database(turn: Using) -> None:
    def hide(site: Site) -> None:
        site.add("/docs", "Text.")
        site.make_private("/docs")
        assert site.client.get("/docs", expect_errors=True).status_int != 200
        site.sign_in("ada", "administrator").get("/docs", status=200)

    def show(site: Site) -> None:
        # The same nodes and people, by their ids, with none of the grants.
        site.client.get("/docs", status=404)
        site.add("/docs", "Text.")
        site.client.get("/docs", status=200)
        site.sign_in("ada").get("/@@users", status=403)
        # Commands go where the site is.
        assert "ada" in site.run("user", "list").output

    first, second = turn(hide), turn(show)
    assert first.app is second.app
    assert first.client is not second.client


def test_attempts_to_sign_in_are_not_counted_on(turn: Using) -> None:
    def try_once(site: Site) -> None:
        limits = site.registry.sign_in_limits
        assert limits.allow("ann", "192.0.2.1") == 0
        assert limits.allow("ann", "192.0.2.1") > 0

    settings = {"sign_in_limit_account": "1 per 15 minutes"}
    assert turn(try_once, **settings).app is turn(try_once, **settings).app


def _another_type(site: Site) -> None:
    types: Any = site.registry.getUtility(IContentTypes)
    types.add(ContentType("drawer", Folder, "Drawer"))


def _another_type_less(site: Site) -> None:
    types: Any = site.registry.getUtility(IContentTypes)
    del types._types["link"]


CHANGES: dict[str, Callable[[Site], object]] = {
    "an attribute": lambda site: setattr(site.registry, "reserved_names", frozenset()),
    "a setting": lambda site: site.registry.settings.update({"myproject.site_title": "Other"}),
    "a utility": lambda site: site.registry.registerUtility(Outbox(), IMailer),
    "a type": _another_type,
    "a type less": _another_type_less,
    "a role": lambda site: site.roles.add_role("helper", "Helper", ["view"]),
    "a view": lambda site: (site.config.add_view(lambda request: 1, "x"), site.config.commit()),
    "a job": lambda site: site.registry.extensions.jobs.clear(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_one_that_was_changed_is_not_used_again(turn: Using, what: str) -> None:
    assert turn(CHANGES[what]).app is not turn().app


def test_two_at_a_time_are_two(backend: Backend, applications: Applications) -> None:
    url = backend.create()
    with reused_sites_on(url, applications) as make:
        assert make().app is not make().app
    backend.drop(url)


def test_settings_and_add_ons_make_a_difference(turn: Using) -> None:
    plain = turn()
    assert turn(site_title="Other").app is not plain.app
    assert turn(addons="search").app is not plain.app
    assert turn(addons="search").app is turn(addons="search").app
    assert turn().app is plain.app
