"""The Markdown of a place: ``@@source``, or the same address asked for with
``Accept: text/markdown``."""

from __future__ import annotations

import re
from typing import Any

from pyramid.config import Configurator
from pyramid.response import Response
from sqlalchemy.orm import object_session

from myproject.content.references import paths_to, replace_in_source, target_paths
from myproject.content.transfer.document import body_of, front_matter_of
from myproject.content.transfer.frontmatter import dump
from myproject.content.transfer.own import own_of
from myproject.content.types import Folder, Page
from myproject.security.permissions import Permission
from myproject.tree.listing import load_children
from myproject.tree.urls import quote_segment
from myproject.views import conditional
from myproject.views.navigation import available

HTML, MARKDOWN = "text/html", "text/markdown"

#: What has a meaning within the text of a Markdown link.
_MARKUP = re.compile(r"[\\`*_\[\]<>&]")


def prefers_markdown(request: Any) -> bool:
    """Whether the client asks for Markdown rather than for HTML, which is the default."""
    # Parsing the header properly costs more than a statement; browsers never name this type.
    accept = request.environ.get("HTTP_ACCEPT", "").lower()
    if MARKDOWN not in accept:
        return False
    # Of two that are equally welcome, the one that was named first.
    html_first = 0 <= accept.find(HTML) < accept.find(MARKDOWN)
    offers = (HTML, MARKDOWN) if html_first else (MARKDOWN, HTML)
    acceptable = request.accept.acceptable_offers(offers)
    return bool(acceptable) and acceptable[0][0] == MARKDOWN


def source_view(context: Page | Folder, request: Any) -> Response:
    """Answer with the Markdown source, whatever the client accepts."""
    return markdown_response(context, request)


def markdown_response(context: Page | Folder, request: Any, vary: str | None = None) -> Response:
    """Return front matter and body, links as addresses; for a folder the list of its children."""
    if (unchanged := conditional.check(request, "markdown", vary=vary)) is not None:
        return unchanged
    is_stored = object_session(context) is not None
    if is_stored:
        # What readers of HTML never need, in one statement.
        deferred = ["created_at", "extra", *(["body"] if isinstance(context, Page) else [])]
        request.dbsession.refresh(context, deferred)
    body, own = body_of(context), own_of(context)
    if not is_stored:
        # Nor are its references, as those of a draft that is shown before it is published.
        paths = paths_to(request.dbsession, context.referenced_ids(), request.visibility)
    elif "node:" in body or any(own.references.values()):
        paths = target_paths(request.dbsession, context.id, request.visibility)
    else:
        paths = {}

    def address(node_id: int) -> str | None:
        path = paths.get(node_id)
        return None if path is None else request.path_url_of(path)

    body = replace_in_source(body, address)
    own.refer(address, context.extra)
    if isinstance(context, Folder):
        body = _children_as_list(context, request)
    response = request.response
    response.content_type = "text/markdown"
    response.charset = "UTF-8"
    response.text = dump(front_matter_of(context, own=own), body)
    return response


def _children_as_list(context: Folder, request: Any) -> str:
    limit = request.registry.settings["myproject.listing_size"]
    rows, more = load_children(
        request.dbsession, context.id, request.access.below(context), page=limit
    )
    base = request.canonical_base.removesuffix("/")
    lines = [
        f"- [{_MARKUP.sub(_escape, row.title)}](<{base}/{quote_segment(row.name)}>)\n"
        for row in available(request, rows)
    ]
    return "".join(lines) + ("- …\n" if more else "")


def _escape(match: re.Match[str]) -> str:
    return "\\" + match[0]


def includeme(config: Configurator) -> None:
    """Register ``@@source`` for the types that have a source."""
    for content_type in (Page, Folder):
        config.add_view(
            source_view,
            name="source",
            context=content_type,
            request_method="GET",
            permission=Permission.VIEW,
        )
