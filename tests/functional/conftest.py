"""What functional tests share: requests spelled exactly, pages read by what is on them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from pyramid.config import Configurator
from pyramid.interfaces import ISessionFactory
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy.engine import URL
from webtest import TestApp, TestRequest, TestResponse

from myproject.interfaces import IRoles
from myproject.security.accounts import Accounts
from myproject.security.audit import COMMAND_LINE, Actor
from myproject.security.logins import find_user, start_login
from myproject.security.policy import LOGIN
from myproject.security.sharing import Sharing, granted
from tests.conftest import Site


class Links(HTMLParser):
    """Collects ``(text, href)`` of all links in a page, and the text of its headings."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._href: str | None = None
        self._text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._href, self._text = dict(attrs).get("href"), []

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href is not None:
            self.found.append(("".join(self._text).strip(), self._href))
            self._href = None


def nothing(config: Configurator) -> None:
    """An add-on that adds nothing."""


@contextmanager
def sites_on(url: URL) -> Iterator[Callable[..., Site]]:
    """A factory of sites on one database, with an add-on that is given as its includeme."""
    sites: list[Site] = []

    def make(include: Callable[[Configurator], Any] = nothing, **settings: str) -> Site:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.functional.addon.includeme", include, raising=False)
            sites.append(Site(url, addons="tests.functional.addon", **settings))
        return sites[-1]

    yield make
    for site in sites:
        site.database.dispose()


@pytest.fixture
def site_with(database_url: URL) -> Iterator[Callable[..., Site]]:
    """``site_with(include, listing_size="3")``: a site with an add-on, given as its includeme."""
    with sites_on(database_url) as make:
        yield make


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_site_with(request: pytest.FixtureRequest) -> Iterator[Callable[..., Site]]:
    """The same on one database for a whole module, of each kind: for tests that only read."""
    backend = request.getfixturevalue(f"{request.param}_backend")
    url = backend.create()
    with sites_on(url) as make:
        yield make
    backend.drop(url)


@pytest.fixture(scope="module")
def shared_site(shared_site_with: Callable[..., Site]) -> Site:
    """One site for all tests of a module that only read."""
    return shared_site_with()


def sign_in(site: Site, name: str, role: str | None = None, path: str = "/") -> TestApp:
    """A client that somebody is signed in with, who is made if there is nobody of this name.

    :param role: what they are given at the node of *path*.
    """
    with site.tree() as tree:
        session = tree.session
        accounts = Accounts(session, site.registry.passwords, COMMAND_LINE, minimum=8)
        user = find_user(session, name) or accounts.create_user(name, name.capitalize())
        if role is not None:
            roles = site.registry.getUtility(IRoles)
            sharing = Sharing(session, roles, COMMAND_LINE, None)
            sharing.make(site.node(tree, path), granted(user.id, role))
        actor = Actor(user.id, user.name, "192.0.2.1")
        token = start_login(session, user, actor, "A browser", dt.timedelta(days=1))
    request = Request.blank("/")
    request.registry = site.registry
    request.session = site.registry.getUtility(ISessionFactory)(request)
    request.session[LOGIN] = token
    response = Response()
    for callback in request.response_callbacks:
        callback(request, response)
    cookie, _, value = response.headers["Set-Cookie"].partition(";")[0].partition("=")
    client = TestApp(site.app)
    client.set_cookie(cookie, value)
    return client


@pytest.fixture(scope="session")
def links() -> Callable[[TestResponse], dict[str, str]]:
    """``links(response)``: href -> text, of every link on the page."""
    return lambda response: {href: text for text, href in Links(response.text).found}


@pytest.fixture(scope="session")
def without_nonce() -> Callable[[str], str]:
    """``without_nonce(text)``: a page or its policy, but for what is different in each response."""
    return lambda text: re.sub(r"""(nonce[-=]"?)[\w-]{22}(?=["'])""", r"\1", text)


@pytest.fixture(scope="session")
def fetch() -> Callable[..., TestResponse]:
    """``fetch(site, "/a%2Fb?x=1")``: a request whose target is spelled exactly like this.

    ``request_uri=False`` leaves out what only some servers tell; ``path_info`` and ``script_name``
    say what a server or a proxy made of the target; ``method``, ``headers`` as usual. The peer is
    ``REMOTE_ADDR="127.0.0.1"`` unless the test says otherwise.
    """

    def send(
        site: Site,
        target: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        request_uri: bool = True,
        script_name: str = "",
        path_info: str | None = None,
        **environ: str,
    ) -> TestResponse:
        path, _, query = target.partition("?")
        if path_info is None:
            raw = unquote_to_bytes(path.encode("latin-1"))
            path_info = raw.decode("latin-1").removeprefix(script_name)
        environ = {
            "REMOTE_ADDR": "127.0.0.1",
            **environ,
            "REQUEST_METHOD": method,
            "PATH_INFO": path_info,
            "SCRIPT_NAME": script_name,
            "QUERY_STRING": query,
        }
        if request_uri:
            environ["REQUEST_URI"] = target
        request = TestRequest.blank("/", environ=environ, headers=headers)
        # Without WebTest's checks of the environment: servers do send what these tests send.
        return TestApp(site.app, lint=False).do_request(request, status="*", expect_errors=True)

    return send
