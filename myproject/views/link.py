"""A Link leads on: to another node wherever that stands now, or to a URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound
from pyramid.renderers import render_to_response

from myproject.content.types import Link
from myproject.security.permissions import Permission
from myproject.tree.urls import paths_of
from myproject.views.rendering import TEMPLATES, node_layout

#: What a URL is made of (RFC 3986): the reserved characters, and ``%`` for what is encoded already.
_URL_SAFE = ":/?#[]@!$&'()*+,;=%-._~"


def link_view(context: Link, request: Any) -> Any:
    """Redirect to the target, or explain with a 404 that it has gone."""
    location = _location(context, request)
    if location is None:
        values = {**node_layout(request, context), "node": context}
        response = render_to_response(f"{TEMPLATES}link.jinja2", values, request)
        response.status_int = 404
        response.cache_control = "no-store"
        return response
    # Temporary: an editor may change the target, and browsers never forget a permanent one.
    return HTTPFound(location, headers={"Cache-Control": "no-cache"})


def _location(link: Link, request: Any) -> str | None:
    if link.target_id is not None:
        paths = paths_of(request.dbsession, [link.target_id], request.visibility)
        path = paths.get(link.target_id)
        url = None if path is None else request.path_url_of(path)
    else:
        # Encoded as far as it is not: a header takes ASCII only, and no line ends.
        url = quote(link.url, safe=_URL_SAFE)
        if url.startswith("/"):
            url = request.mount + url
    # A link to itself would be followed for ever.
    return None if url in ("", request.canonical_base) else _absolute(url, request)


def _absolute(url: str | None, request: Any) -> str | None:
    return request.host_url + url if url and url.startswith("/") else url


def includeme(config: Configurator) -> None:
    """Register the view."""
    config.add_view(link_view, context=Link, request_method="GET", permission=Permission.VIEW)
