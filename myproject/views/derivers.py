"""What holds for every view of a node: one canonical address, no stray segments, only types that
are switched on, and all writes flushed before the transaction ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import quote, unquote_to_bytes

from pyramid.config import Configurator
from pyramid.exceptions import BadCSRFOrigin
from pyramid.httpexceptions import HTTPMovedPermanently, HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from pyramid.interfaces import IViewDeriverInfo
from pyramid.response import Response

from myproject.db.transaction import SAFE_METHODS
from myproject.tree.node import Node
from myproject.tree.urls import SEGMENT_SAFE, quote_segment

_ = TranslationStringFactory("myproject")

View = Callable[[Any, Any], Response]

_PATH_SAFE = SEGMENT_SAFE + "/"
#: What stands for itself in a query: everything that is printed.
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
_ABSOLUTE_FORM = re.compile(r"(?i)[a-z][a-z0-9+.-]*://[^/]*")
#: Percent-encoded letters, digits, ``-._~`` and slashes: never needed in a path, or misleading.
_NEEDLESS_ESCAPE = re.compile(r"(?i)%(?:2[DEF]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])")


def place_deriver(view: View, info: IViewDeriverInfo) -> View:
    """Wrap views of nodes; others, and exception views, pass untouched."""
    if info.exception_only:
        return view
    takes_subpath = cast(Any, info).options.get("takes_subpath", False)

    def at_its_place(context: Any, request: Any) -> Response:
        if not isinstance(context, Node):
            return view(context, request)
        if request.content_types.get(context.type) is None:
            raise HTTPNotFound(f"The content type {context.type!r} is not switched on.")
        # The address of a route is its own affair, whatever node it works on.
        if request.matched_route is None:
            if request.subpath and not takes_subpath:
                raise HTTPNotFound("There is nothing below a view.")
            if request.method in ("GET", "HEAD"):
                canonical = canonical_path(request)
                if not is_canonical(sent_path(request.environ), canonical):
                    return redirect(request, canonical)
        response = view(context, request)
        if request.method not in SAFE_METHODS and "dbsession" in request.__dict__:
            # Constraint errors belong to the view that caused them: at COMMIT they come too late
            # to be tried again.
            request.dbsession.flush()
        return response

    return at_its_place


place_deriver.options = ("takes_subpath",)  # type: ignore[attr-defined]


def origin_deriver(view: View, info: IViewDeriverInfo) -> View:
    """Wrap views that demand a CSRF token: what another site sends is refused in any case.

    Pyramid compares origins over HTTPS only. Browsers name the origin of every unsafe request.
    """
    if info.exception_only or cast(Any, info).options.get("require_csrf") is False:
        return view

    def from_this_site(context: Any, request: Any) -> Response:
        if request.method not in SAFE_METHODS and is_from_elsewhere(request):
            raise BadCSRFOrigin(_("The request comes from another site."))
        return view(context, request)

    return from_this_site


def is_from_elsewhere(request: Any) -> bool:
    """Whether a browser says that another site has sent *request*."""
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is not None and origin.lower() != request.host_url.lower():
        return True
    return request.environ.get("HTTP_SEC_FETCH_SITE") == "cross-site"


def redirect(request: Any, path: str) -> Response:
    """Redirect to *path* on this host, with the query that was sent.

    Permanent for those who index; browsers ask again, because a page may come to stand where a
    view's name was short for its address.
    """
    query = quote(request.environ.get("QUERY_STRING", "").encode("latin-1"), safe=_PRINTABLE)
    # Absolute, or WebOb would parse the Host header and fail on some that clients may send.
    location = request.host_url + path + (f"?{query}" if query else "")
    return HTTPMovedPermanently(location, headers={"Cache-Control": "no-cache"})


def canonical_path(request: Any) -> str:
    """Return the one path of the view that was found."""
    path = request.canonical_base
    if not request.view_name and not request.subpath:
        return path
    rest = [f"@@{quote_segment(request.view_name)}", *map(quote_segment, request.subpath)]
    return path.removesuffix("/") + "/" + "/".join(rest)


def sent_path(environ: dict[str, Any]) -> str:
    """Return the path as the client spelled it, as far as the server tells.

    ``REQUEST_URI`` is the request line's own, if something in front has not rewritten the path.
    Otherwise the decoded path is encoded again, which loses the difference between ``%41`` and
    ``A`` but not the structure.
    """
    decoded = (environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")).encode("latin-1")
    target = environ.get("REQUEST_URI", "").partition("?")[0]
    if absolute := _ABSOLUTE_FORM.match(target):
        target = target[absolute.end() :] or "/"
    # Servers differ in what they make of slashes at the beginning.
    if target and unquote_to_bytes(target.encode("latin-1", "replace")).lstrip(
        b"/"
    ) == decoded.lstrip(b"/"):
        return target
    return quote(decoded, safe=_PATH_SAFE)


def is_canonical(sent: str, canonical: str) -> bool:
    """Whether *sent* is the *canonical* path or an equivalent that proxies are free to make.

    Needless escapes are not; escapes of punctuation are, because proxies may add them on their
    own, and redirecting those would never end.
    """
    if sent == canonical:
        return True
    if _NEEDLESS_ESCAPE.search(sent) or not sent.isascii():
        return False
    return quote(unquote_to_bytes(sent), safe=_PATH_SAFE) == canonical


def includeme(config: Configurator) -> None:
    """Register the derivers inside of permission checks: a redirect tells that something exists."""
    config.add_view_deriver(place_deriver, "place", under="secured_view", over="csrf_view")
    config.add_view_deriver(origin_deriver, "origin", under="place", over="csrf_view")
