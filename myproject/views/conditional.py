"""Conditional requests (RFC 9110, section 13): answer 304 before anything is rendered.

What a page shows depends on its siblings, its children and the targets of its links, so the
validators are the site's revision and the time of its last change, not the page's own.
"""

from __future__ import annotations

import datetime as dt
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from pyramid.response import Response

from myproject.db.base import utcnow


def check(request: Any, variant: str, *, vary: str | None = None) -> Response | None:
    """Set the validators on ``request.response``; return a 304 if the client's copy is current.

    :param variant: which representation of the address this is (``html``, ``markdown``).
    :param vary: the request header that decided which.
    """
    etag = f'W/"{request.registry.fingerprint}-{request.site_revision}-{variant}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache"}
    if vary is not None:
        headers["Vary"] = vary
    # The second after the change: within its own second a copy may be older than the change.
    changed = request.site_changed_at.replace(microsecond=0) + dt.timedelta(seconds=1)
    if changed <= utcnow():
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    request.response.headers.update(headers)
    if _is_current(request.environ, etag, changed):
        return Response(status=304, headerlist=list(headers.items()))
    return None


def _is_current(environ: dict[str, Any], etag: str, changed: dt.datetime) -> bool:
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match is not None:
        tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in tags or etag.removeprefix("W/") in tags
    if_modified_since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if not if_modified_since:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except (ValueError, OverflowError):
        return False
    if since.tzinfo is None:
        since = since.replace(tzinfo=dt.UTC)
    return changed <= since
