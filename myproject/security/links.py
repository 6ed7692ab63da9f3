"""The address of a one-time link, the same on screens, in mail and on the command line."""

from __future__ import annotations

from urllib.parse import quote

#: The path of the screen that one-time links lead to.
ONE_TIME_PATH = "/@@one-time"


def one_time_url(base: str, token: str) -> str:
    """Return the address of a one-time link.

    :param base: the site's, without a slash at the end.
    """
    return f"{base}{ONE_TIME_PATH}?token={quote(token, safe='')}"
