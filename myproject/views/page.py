"""The reading screen of pages and folders, and of the site's front page."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup
from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from sqlalchemy.orm import object_session

from myproject.content.references import resolve_references, resolve_unsaved
from myproject.content.types import Folder, Page
from myproject.security.permissions import Permission
from myproject.tree.listing import START, Key, load_neighbourhood
from myproject.tree.node import Node
from myproject.views import conditional
from myproject.views.bar import is_public
from myproject.views.navigation import entries, navigation
from myproject.views.rendering import TEMPLATES, node_layout
from myproject.views.source import markdown_response, prefers_markdown

_ = TranslationStringFactory("myproject")


class Heading(NamedTuple):
    """A line of the table of contents."""

    level: int
    id: str
    text: str


def page_view(context: Page | Folder, request: Any) -> Any:
    """Show a node with its body, its children and its surroundings; at most four statements."""
    if prefers_markdown(request):
        return markdown_response(context, request, vary="Accept")
    # Before the validators: a wrong parameter is wrong for a client with a copy, too.
    after = request.GET.get("after") if request.query_string else None
    start = START if after is None else Key.parse(after)
    if (unchanged := conditional.check(request, "html", vary="Accept")) is not None:
        return unchanged
    around = load_neighbourhood(
        request.dbsession,
        context,
        request.access.below(context),
        None if context.parent is None else request.access.below(context.parent),
        after=start,
        page=request.registry.settings["myproject.listing_size"],
    )
    url = request.canonical_base
    values = node_layout(request, context, "" if after is None else f"?after={start}")
    parent = values["crumbs"][-1] if values["crumbs"] else None
    nav, previous, following = navigation(request, context, around, parent)
    base = url.removesuffix("/")
    values.update(
        node=context,
        body=_body(request, context),
        toc=[Heading(*heading) for heading in getattr(context, "toc", ())],
        nav=nav,
        previous=previous,
        next=following,
        listing=entries(
            request,
            base,
            around.children,
            unavailable=request.signed_in is not None
            and bool(request.has_permission(Permission.EDIT, context)),
        ),
        listing_next=_next_url(url, around.children) if around.more_children else None,
        listing_first=None if after is None else url,
        modified=context.modified_at,
        restricted=is_restricted(request, context),
        source_url=f"{base}/@@source",
    )
    return values


def _body(request: Any, node: Node) -> Markup:
    session, html = request.dbsession, getattr(node, "body_html", "")
    visibility, url_of = request.visibility, request.path_url_of
    if object_session(node) is None:
        # It is shown and not stored, like an old version, and so are its references.
        return resolve_unsaved(session, html, visibility, url_of).html
    return resolve_references(session, node.id, html, visibility, url_of)


def is_restricted(request: Any, node: Node) -> bool:
    """Whether visitors who are not signed in would not see what whoever asks is looking at."""
    return request.signed_in is not None and not is_public(request, node)


def _next_url(url: str, rows: Any) -> str:
    return f"{url}?after={Key(rows[-1].position, rows[-1].id)}"


def includeme(config: Configurator) -> None:
    """Register the screen for each type that it shows."""
    for content_type in (Page, Folder):
        config.add_view(
            page_view,
            context=content_type,
            request_method="GET",
            permission=Permission.VIEW,
            renderer=f"{TEMPLATES}page.jinja2",
        )
