"""Addresses that a client names as the place to go on to."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

#: Control characters and spaces, which browsers drop from addresses, and backslashes, which they
#: take for slashes: ``/\\t/host`` and ``/\\host`` lead to another host.
_TREACHEROUS = re.compile(r"[\x00-\x20\x7f\\]")
_URL_SAFE = "/:?#[]@!$&'()*+,;=%-._~"

#: Screens that are no place to go on to.
_NOWHERE = ("/@@sign-in", "/@@sign-out", "/@@one-time", "/@@reset-password")


def here(request: Any) -> str:
    """Return the path and the query that *request* asked for, as it may be sent back."""
    query = request.environ.get("QUERY_STRING", "")
    path = quote(request.environ.get("PATH_INFO", "").encode("latin-1"), safe="/:@!$&'()*+,;=-._~")
    return request.mount + path + (f"?{query}" if query else "")


def safe_next(request: Any, wanted: str) -> str:
    """Return *wanted* if it is an address on this very host and site, else the start page's.

    Only a path counts, so whoever makes up a link cannot lead people away after they have
    trusted us with a password.
    """
    start = request.mount + "/"
    if not wanted.startswith("/") or wanted.startswith("//") or _TREACHEROUS.search(wanted):
        return start
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return start
    if parts.scheme or parts.netloc or not wanted.startswith(start):
        return start
    if parts.path.removeprefix(request.mount).startswith(_NOWHERE):
        return start
    return quote(wanted, safe=_URL_SAFE)


def sign_in_url(request: Any) -> str:
    """Return the path of the sign-in screen that leads back to where *request* is."""
    way = request.mount + "/@@sign-in"
    if request.method not in ("GET", "HEAD"):
        return way
    back = here(request)
    return way if back == request.mount + "/" else f"{way}?next={quote(back, safe='/@')}"
