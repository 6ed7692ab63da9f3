"""Any version of a page, shown as the page: through the same template, with a banner above it."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException, HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from pyramid.renderers import render_to_response
from pyramid.response import Response
from pyramid.view import render_view_to_response

from myproject.content.restoring import as_it_was
from myproject.content.revision_log import load_live, people_named
from myproject.content.revisions import Revision, load_revision
from myproject.exceptions import InvalidValue
from myproject.security.permissions import Permission
from myproject.tree.node import Node
from myproject.views.history import actor_of, is_live_now, number_in
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.versions import all_in_words

_ = TranslationStringFactory("myproject")

#: What makes a server answer that a copy is as good: nobody has a copy of an old version.
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")


class Shown(NamedTuple):
    """An old version, for the banner above it.

    :ivar type_then: what its content type is called, where it was another one.
    :ivar compare, restore: None for what the page says now.
    """

    at: dt.datetime
    actor: str
    label: str
    is_live: bool
    is_draft: bool
    type_then: str
    compare: str | None
    restore: str | None
    history: str


def revision(context: Node, request: Any) -> Response:
    """Show a version of a page as the page; what cannot be shown so as its values."""
    number = number_in(request.GET.get("id", ""))
    found = load_revision(request.dbsession, context.id, number)
    if found is None:
        raise HTTPNotFound(_("There is no such version of this page."))
    request.shown_revision = _shown(request, context, found)
    content_type = request.content_types.get(found.type)
    if content_type is None:
        reason = _("Its content type is not switched on, so it cannot be shown as a page.")
        response = _values(context, request, found, reason)
    else:
        response = _as_page(context, request, found, content_type.cls)
        if response is None:
            reason = _("It cannot be shown as a page. This is what it said.")
            response = _values(context, request, found, reason)
    # The validators are those of the page, and search engines have no business here.
    for name in ("ETag", "Last-Modified"):
        response.headers.pop(name, None)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _shown(request: Any, node: Node, found: Revision) -> Shown:
    session, base = request.dbsession, request.canonical_base.removesuffix("/")
    is_live = is_live_now(found)
    live = None if is_live else load_live(session, node.id)
    content_type = request.content_types.get(found.type)
    title = found.type if content_type is None else content_type.title
    return Shown(
        found.at,
        actor_of(request, found, people_named(session, {found.actor_id})),
        found.label,
        is_live,
        found.valid_from is None,
        "" if found.type == node.type else request.localizer.translate(title),
        None if live is None else f"{base}/@@history?from={found.id}&to={live.id}",
        None if is_live else f"{base}/@@restore?id={found.id}",
        f"{base}/@@history",
    )


def _as_page(node: Node, request: Any, found: Revision, cls: type[Node]) -> Response | None:
    """Return the page of a version, by the view that pages of its type have; None where that shows
    none, such as one that leads on."""
    for name in _CONDITIONS:
        request.environ.pop(name, None)
    request.environ["HTTP_ACCEPT"] = "text/html"
    try:
        shown = as_it_was(node, found, cls, request.renderer)
        # What panels say of the page, they say of this version.
        request.context = shown
        response = render_view_to_response(shown, request)
    except (InvalidValue, HTTPException):
        request.context = node
        return None
    if response is None or response.status_int != 200 or response.content_type != "text/html":
        return None
    return response


def _values(node: Node, request: Any, found: Revision, reason: Any) -> Response:
    values = {
        **page_screen(request, node, found.fields.get("title") or node.title, "history"),
        "revision": request.shown_revision,
        "why": request.localizer.translate(reason),
        "said": all_in_words(request, found),
    }
    return render_to_response(f"{TEMPLATES}revision.jinja2", values, request)


def includeme(config: Configurator) -> None:
    """Register the screen for every node."""
    config.add_view(
        revision,
        name="revision",
        context=Node,
        request_method="GET",
        permission=Permission.EDIT,
    )
