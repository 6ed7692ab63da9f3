"""The system's Chromium, and servers for it to look at: the fixtures of all browser tests.

A module or a folder that uses ``open_context`` or ``page`` has a fixture ``address`` of its own.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from webtest.http import StopableWSGIServer

#: The one without a user interface of its own has less to do; others show the same.
CHROMIUM = (
    shutil.which("chromium-headless-shell") or shutil.which("chromium") or "/usr/bin/chromium"
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The console tells of most violations by itself; the event tells of all.
TELL = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`Content Security Policy: ${event.effectiveDirective} ${event.blockedURI}`);
});
"""


def _chromium() -> str:
    if not os.access(CHROMIUM, os.X_OK):
        message = f"{CHROMIUM} is not there"
        if os.environ.get("CI"):
            pytest.fail(f"{message}; in CI there has to be one")
        pytest.skip(message)
    return CHROMIUM


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = _chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Any], str]]:
    """``serve(app)``: serve a WSGI application on a free port and return its address."""
    servers = []

    def start(app: Any) -> str:
        server = StopableWSGIServer.create(app, host="127.0.0.1")
        servers.append(server)
        return server.application_url.rstrip("/")

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture
def violations() -> Iterator[list[str]]:
    """What pages did that their policy forbids; a test fails that leaves anything in there."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def open_context(
    browser: Browser, address: str, violations: list[str]
) -> Iterator[Callable[..., BrowserContext]]:
    """``open_context(color_scheme="dark")``: a visitor with these properties."""
    contexts = []

    def listen(message: ConsoleMessage) -> None:
        if re.search(r"(?i)security.policy|permissions.policy|opener.policy", message.text):
            violations.append(message.text)

    def make(width: int = 1440, **options: Any) -> BrowserContext:
        options.setdefault("base_url", address)
        # What fades in is looked at when it is there.
        options.setdefault("reduced_motion", "reduce")
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        context.on("console", listen)
        context.add_init_script(TELL)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_context: Callable[..., BrowserContext]) -> Page:
    """A visitor on a wide screen, with JavaScript."""
    return open_context().new_page()


def look(page: Page, what: str) -> None:
    """Look at what a page shows: no rule of axe-core is broken, and nothing sticks out.

    :param what: what it shows, for the message.
    """
    results = Axe().run(page)
    assert results.violations_count == 0, f"{what}\n{results.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what
