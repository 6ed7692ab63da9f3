"""Leading on from an address that a page has no more, or that somebody made up for it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pyramid.httpexceptions import HTTPMovedPermanently
from pyramid.response import Response
from pyramid.traversal import split_path_info

from myproject.security.permissions import Permission
from myproject.tree.node import ROOT_ID
from myproject.tree.redirects import follow
from myproject.tree.traversal import names_in
from myproject.tree.urls import quote_segment
from myproject.views.derivers import redirect

#: What a URL is made of (RFC 3986): the reserved characters, and ``%`` for what is encoded already.
_URL_SAFE = ":/?#[]@!$&'()*+,;=%-._~"


def moved_to(request: Any, seen: int) -> Response | None:
    """Return the redirect from the address that *request* asked for, if there is one.

    Permanent, but asked for anew each time: a page may come to stand there. Only to what whoever
    asks may see, so that nobody learns from it what there is. One statement where there is none.

    :param seen: how many names of the address lead to pages that whoever asks may see.
    """
    if request.method not in ("GET", "HEAD") or request.matched_route or not request.lineage:
        return None
    segments = (*request.virtual_root_path, *split_path_info(request.path_info or "/"))
    names = names_in(segments)
    if seen >= len(names):
        return None
    view = segments[len(names) :]
    found = follow(
        request.dbsession,
        [node.id for node in request.lineage],
        names,
        request.visibility,
        types=request.content_types,
        taken=seen,
        to_url=not view,
    )
    if found is None:
        return None
    if found.names is None:
        response: Response | None = _to_url(request, found.url)
    else:
        path = request.path_url_of(found.names)
        # What is outside of the virtual root has no address here.
        response = None if path is None else redirect(request, _with_view(path, view))
    if response is not None:
        request.registry.redirect_hits.count(found.steps)
    return response


def _with_view(path: str, view: tuple[str, ...]) -> str:
    return "/".join([path.removesuffix("/"), *map(quote_segment, view)]) if view else path


def _to_url(request: Any, url: str) -> Response:
    # Encoded as far as it is not: a header takes ASCII only, and no line ends.
    location = quote(url, safe=_URL_SAFE)
    if location.startswith("/"):
        location = request.host_url + request.mount + location
    return HTTPMovedPermanently(location, headers={"Cache-Control": "no-cache"})


def new_redirect_url(request: Any) -> str | None:
    """Return where somebody who may do so has the address of *request* lead elsewhere."""
    if request.matched_route or request.signed_in is None or "@@" in request.path_info:
        return None
    if Permission.MOVE not in request.access.at(ROOT_ID):
        return None
    return f"{request.mount}/@@redirects/new?address={quote(request.path_info, safe='/')}"
