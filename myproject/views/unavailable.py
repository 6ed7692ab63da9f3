"""What editors see of content whose add-on is switched off: that it is kept, and whose it is.

For readers there is no such page.
"""

from __future__ import annotations

from typing import Any

from pyramid.renderers import render_to_response
from pyramid.response import Response

from myproject.security.permissions import Permission
from myproject.tree.known import known_types
from myproject.tree.listing import load_children
from myproject.views.navigation import entries
from myproject.views.rendering import TEMPLATES, node_layout


def is_unavailable(request: Any) -> bool:
    """Whether the address is that of a node whose type is switched off, and an editor asks."""
    if not request.lineage or request.view_name or request.method not in ("GET", "HEAD"):
        return False
    node = request.lineage[-1]
    if request.content_types.get(node.type) is not None or request.signed_in is None:
        return False
    return bool(request.has_permission(Permission.EDIT, node))


def unavailable(request: Any) -> Response:
    """Show what is known of the node, and the pages below it, which are there."""
    node = request.lineage[-1]
    known = known_types(request.dbsession).get(node.type)
    limit = request.registry.settings["myproject.listing_size"]
    rows, _ = load_children(request.dbsession, node.id, request.access.below(node), page=limit)
    base = request.canonical_base.removesuffix("/")
    values = {
        **node_layout(request, node),
        "node": node,
        "addon": known.addon if known else "",
        "type_title": known.title if known else node.type,
        "listing": entries(request, base, rows, unavailable=True),
    }
    response = render_to_response(f"{TEMPLATES}unavailable.jinja2", values, request)
    response.cache_control = "no-store"
    return response
