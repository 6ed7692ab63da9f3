"""Where the review of a page is found."""

from __future__ import annotations

from typing import Any

#: Of the inbox, and of the screen of a page.
NAME = "review"

#: Of the screen of the start page, where the other name is the inbox.
OF_START = "review-start"


def review_url(request: Any, path: str) -> str:
    """Return the path of the review of a page.

    :param path: of the page.
    """
    base = path.removesuffix("/")
    return f"{base}/@@{OF_START if base == request.mount else NAME}"
