"""Texts of pages as they can be read elsewhere: every address in them complete."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from urllib.parse import urljoin

from myproject.content.references import reference_id

# Sanitised HTML has double quotes around values and none within, and no "<" but of tags.
_TAG = re.compile(r'<[a-z][^\s>"]*(?:\s[^<>"]*(?:"[^"]*"[^<>"]*)*)>')
_ADDRESS = re.compile(r' (href|src|cite)="([^"]*)"')


def with_complete_addresses(html: str, base: str, address: Callable[[int], str | None]) -> str:
    """Return stored *html* with absolute URLs.

    A reference to a page that is gone, or that this reader may not see, loses its ``href``.

    :param base: the page's own URL.
    :param address: the URL of the node with an id, None where there is none for this reader.
    """

    def completed(match: re.Match[str]) -> str:
        name, value = match[1], unescape(match[2])
        if value.startswith("node:"):
            node_id = reference_id(value)
            found = None if node_id is None else address(node_id)
            if found is None:
                return ""
            value = found + value.removeprefix("node:").lstrip("0123456789")
        return f' {name}="{escape(_absolute(base, value))}"'

    return _TAG.sub(lambda tag: _ADDRESS.sub(completed, tag[0]), html)


def _absolute(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        # Not an address at all, such as one with half of the brackets of IPv6.
        return address
