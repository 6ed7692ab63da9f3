"""What the head of a page tells search engines and those who show previews of links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urljoin

from pyramid.config import Configurator

from myproject.addons.seo.store import Told
from myproject.tree.node import Node
from myproject.views.rendering import crumbs

#: A picture in a body as the sanitiser writes it.
_PICTURE = re.compile(r'<img((?:\s+[\w-]+(?:="[^"]*")?)*)')
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Preview:
    """How a page is shown where somebody links to it.

    :ivar url, image: absolute addresses; *image* is empty where there is none.
    :ivar alt: what the picture shows, in words.
    """

    title: str
    url: str
    description: str
    image: str
    alt: str


def head_panel(context: Node, request: Any) -> dict[str, Any] | None:
    """Return the values of the tags in the head of a page; one statement.

    Screens say nothing: that they are not to be found is told by a header.
    """
    if request.view_name:
        return None
    told, settings = Told(request.dbsession, request.lineage), request.registry.settings
    return {
        "noindex": told.hidden_by is not None or is_closed(request),
        "preview": preview_of(context, request, told.own),
        "site_title": settings["myproject.site_title"],
        # Of what is on the page, and not that of the person who looks at it.
        "locale": settings["myproject.locale"].replace("-", "_"),
        "is_site": context is request.virtual_root,
        "modified": context.modified_at,
        "breadcrumbs": breadcrumbs(context, request),
        "csp_nonce": request.csp_nonce,
    }


def is_closed(request: Any) -> bool:
    """Whether the whole site is closed to search engines."""
    return not request.registry.settings["myproject.seo.index"]


def preview_of(node: Node, request: Any, own: Mapping[str, str]) -> Preview:
    """Return how a page is previewed, given what is said of it."""
    url = request.canonical_host + request.canonical_base
    source, alt = _picture(getattr(node, "body_html", "") or "")
    if own["image"]:
        source, alt = own["image"], ""
    elif not source:
        source = request.registry.settings["myproject.seo.image"]
    return Preview(node.title, url, own["description"] or node.summary, _absolute(url, source), alt)


def _absolute(url: str, source: str) -> str:
    """Return the address of a picture; empty for one that is none, as an author may write it."""
    try:
        return urljoin(url, source) if source else ""
    except ValueError:
        return ""


def breadcrumbs(node: Node, request: Any) -> dict[str, Any] | None:
    """Return the way to a page as schema.org has it; None for the site's own page."""
    above, host = crumbs(request), request.canonical_host
    if not above:
        return None
    places = [(item.title, item.url) for item in above] + [(node.label, request.canonical_base)]
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": title, "item": host + url}
            for position, (title, url) in enumerate(places, 1)
        ],
    }


def _picture(html: str) -> tuple[str, str]:
    """Return address and description of the first picture that has an address of its own."""
    for match in _PICTURE.finditer(html):
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        source = unescape(attributes.get("src", ""))
        if source and not source.startswith(("node:", "lost:", "data:")):
            return source, unescape(attributes.get("alt", ""))
    return "", ""


def includeme(config: Configurator) -> None:
    """Register the panel."""
    template = "myproject.addons.seo:templates/head.jinja2"
    config.add_slot_panel(head_panel, "head", name="seo", renderer=template, context=Node)
