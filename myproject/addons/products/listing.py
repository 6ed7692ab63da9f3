"""The price list of a place and everything below it."""

from __future__ import annotations

from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.addons.products.models import Product
from myproject.addons.products.price import price_text
from myproject.tree.copying import descend
from myproject.tree.node import Node
from myproject.tree.urls import paths_of
from myproject.tree.visibility import visible
from myproject.views.rendering import layout

_ = TranslationStringFactory("myproject")

MOST = 100


def show_list(context: Node, request: Any) -> dict[str, Any]:
    """Show the products below a place, the cheapest first."""
    below = descend(context.id)
    query = (
        select(Product.id, Product.title, Product.price, Product.currency)
        .join(below, below.c.id == Product.id)
        .where(visible(Node.__table__.c, request.visibility.kind))
        .order_by(Product.price, Product.id)
        .limit(MOST)
    )
    rows = request.dbsession.execute(query, request.visibility.parameters()).all()
    paths = paths_of(request.dbsession, [row.id for row in rows], request.visibility)
    products = [
        {
            "title": row.title,
            "url": request.path_url_of(paths[row.id]),
            "price": price_text(request, row),
        }
        for row in rows
        if row.id in paths
    ]
    return {**layout(request, _("Price list")), "products": products}
