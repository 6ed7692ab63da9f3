"""A site served by Waitress, and the system's Chromium to look at it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from webtest.http import StopableWSGIServer

from myproject.content import types
from myproject.testing import Site, SQLite
from myproject.tree.node import ROOT_ID, Node

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
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

LONG = "antidisestablishmentarianism" * 6
BODY = f"""
Text with `code`, [a link](https://example.org/), <kbd>Ctrl</kbd>, <mark>mark</mark>, a note[^1].

## Tables and {LONG}

| Left | Centre | Right | A wide column that fits on no phone | And another one | And one more |
|:-----|:------:|------:|-------------------------------------|-----------------|--------------|
| a    | b      | 1.00  | {LONG}                              | `{LONG}`        | c            |

<table><tr><th>Raw</th><td>{LONG}</td></tr></table>

### Tasks

- [x] done
- [ ] open

> [!NOTE]
> {LONG}

> [!TIP] A title
> Tip.

> [!IMPORTANT]
> Important.

> [!WARNING]
> Warning.

> [!CAUTION]
> Caution.

## Code

```python {{file="app/main.py"}}
def hello(name: str) -> str:
    return f"Hello {{name}}"  # {LONG}
```

```diff
- old
+ new
```

    indented {LONG}

### Definitions

Term
: {LONG}

<details><summary>More</summary>

Hidden.

</details>

{LONG} and a [broken link](node:999999999).

[^1]: The note.
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


def _fill(site: Site) -> None:
    with site.tree() as tree:
        root = tree.session.get_one(Node, ROOT_ID)
        root.title, root.summary = "A site to look at", "It shows everything that there is."
    site.add("/guide", "Welcome.", title="Guide", summary="How it is done.")
    for number in range(1, 6):
        site.add(f"/guide/part-{number}", title=f"Part {number}", summary="About it.")
    for name in "abc":
        site.add(f"/guide/part-2/{name}", title=f"Part 2{name}")
    site.add("/guide/part-2/a/deep", title="Deep")
    site.add("/guide/everything", BODY, title="Everything", summary="What Markdown can do.")
    site.add("/guide/everything/below", title=f"Below {LONG}")
    site.add("/folder", cls=types.Folder, title="Folder")
    for number in range(60):
        site.add(f"/folder/p{number}", title=f"Page {number}")
    site.add("/gone", cls=types.Link, title="Gone")


@pytest.fixture(scope="session")
def site(sqlite_backend: SQLite) -> Iterator[Site]:
    url = sqlite_backend.create()
    site = Site(url)
    _fill(site)
    yield site
    site.database.dispose()
    sqlite_backend.drop(url)


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


@pytest.fixture(scope="session")
def address(site: Site, serve: Callable[[Any], str]) -> str:
    """Where the site is served."""
    return serve(site.app)


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
