"""Getting pages, and reading them as a person would: by the links on them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from webtest import TestApp, TestResponse


def client_of(app: Any) -> TestApp:
    """Return a client of a WSGI application that nobody is signed in with."""
    # Several times as fast as Python's own parser, on which tests would spend most of their time.
    return TestApp(app, parser_features="lxml")


class Links(HTMLParser):
    """Collects ``(text, href)`` of all links in a page."""

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


def links(response: TestResponse) -> dict[str, str]:
    """Return ``href -> text`` of every link on a page."""
    return {href: text for text, href in Links(response.text).found}
