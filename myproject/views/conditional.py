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
from myproject.views.forms import has_notices


def check(request: Any, variant: str, *, vary: str | None = None) -> Response | None:
    """Set the validators on ``request.response``; return a 304 if the client's copy is current.

    :param variant: which representation of the address this is (``html``, ``markdown``).
    :param vary: the request header that decided which.
    """
    if has_notices(request):
        # A message is shown once, so this page is like no other, and nobody is to keep it.
        request.response.headers["Cache-Control"] = "no-store"
        return None
    identity = request.signed_in
    whose = "" if identity is None else f"-{identity.login_id}-{identity.preferences.tag}"
    changed, due = request.site_changed_at, request.site_due_at
    on_time = ""
    if due is not None:
        # Something appeared or disappeared by itself, which no revision counts.
        changed, on_time = max(changed, due), f".{due.timestamp():.6f}"
    revision = f"{request.site_revision}{on_time}"
    if request.shown_draft is not None:
        variant = f"{variant}-draft"
    etag = f'W/"{request.registry.fingerprint}-{revision}-{variant}{whose}"'
    headers = {"ETag": etag, "Vary": "Cookie" if vary is None else f"{vary}, Cookie"}
    # Everybody's copy may be kept by everybody, but asked for anew each time.
    headers["Cache-Control"] = "no-cache" if identity is None else "private, no-cache"
    # The second after the change: within its own second a copy may be older than the change.
    changed = changed.replace(microsecond=0) + dt.timedelta(seconds=1)
    if identity is None and changed <= utcnow():
        headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    request.response.headers.update(headers)
    if _is_current(request.environ, etag, None if identity else changed):
        return Response(status=304, headerlist=list(headers.items()))
    return None


def _is_current(environ: dict[str, Any], etag: str, changed: dt.datetime | None) -> bool:
    """Whether the client's copy has this *etag*, or without one is as new as *changed*; that of
    somebody who is signed in may be of the time before and has no time to go by."""
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match is not None:
        tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in tags or etag.removeprefix("W/") in tags
    if_modified_since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if not if_modified_since or changed is None:
        return False
    try:
        since = parsedate_to_datetime(if_modified_since)
    except (ValueError, OverflowError):
        return False
    if since.tzinfo is None:
        since = since.replace(tzinfo=dt.UTC)
    return changed <= since
