"""The children of a place as an HTML fragment, for navigation that opens level by level."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator

from myproject.security.permissions import Permission
from myproject.tree.listing import load_children
from myproject.tree.node import Node
from myproject.views import conditional
from myproject.views.navigation import available, tree_items
from myproject.views.rendering import TEMPLATES, layout


def children_view(context: Node, request: Any) -> Any:
    """List the first children of *context* as items of the navigation tree."""
    if (unchanged := conditional.check(request, "children")) is not None:
        return unchanged
    limit = request.registry.settings["myproject.listing_size"]
    rows, more = load_children(
        request.dbsession, context.id, request.access.below(context), page=limit
    )
    url = request.canonical_base
    items = tree_items(url.removesuffix("/"), available(request, rows))
    return {**layout(request, context.title), "items": items, "rest_url": url if more else None}


def includeme(config: Configurator) -> None:
    """Register the fragment for every node."""
    config.add_view(
        children_view,
        name="children",
        context=Node,
        request_method="GET",
        permission=Permission.VIEW,
        renderer=f"{TEMPLATES}nav_children.jinja2",
    )
