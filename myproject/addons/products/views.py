"""The price on a product's page, and the price list of a section."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pyramid.httpexceptions import HTTPBadRequest
from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select, tuple_

from myproject.addons.products.models import Product
from myproject.content.types import Folder
from myproject.exceptions import InvalidValue
from myproject.tree.copying import descend
from myproject.tree.listing import START, Key
from myproject.tree.node import Node
from myproject.tree.urls import paths_of
from myproject.tree.visibility import visible
from myproject.views import conditional
from myproject.views.rendering import Item, crumbs, layout

_ = TranslationStringFactory("myproject")


def price_panel(context: Product, request: Any) -> dict[str, Any]:
    """Show the price before the text of a product's page."""
    parent_url = request.canonical_base.rpartition("/")[0]
    return {"price": price_text(request, context), "list_url": f"{parent_url}/@@products"}


def list_panel(context: Folder, request: Any) -> dict[str, Any] | None:
    """Lead from a folder with products to their price list; one statement."""
    here = select(Product.id).where(Product.parent_id == context.id).limit(1)
    if request.dbsession.scalar(here) is None:
        return None
    return {"list_url": f"{request.canonical_base.removesuffix('/')}/@@products"}


def price_list(context: Node, request: Any) -> Any:
    """Show the products below a place, the cheapest first; two statements."""
    try:
        after = Key.parse(request.GET["after"]) if "after" in request.GET else START
    except InvalidValue as error:
        raise HTTPBadRequest(error.reason) from error
    if (unchanged := conditional.check(request, "products")) is not None:
        return unchanged
    size = request.registry.settings["myproject.listing_size"]
    rows = find_products(request, context, after, size + 1)
    # What lies below a page that one may not see has no path here.
    paths = paths_of(request.dbsession, [row.id for row in rows], request.visibility)
    urls = {row_id: request.path_url_of(path) for row_id, path in paths.items()}
    base = request.canonical_base
    url = f"{base.removesuffix('/')}/@@products"
    return {
        **layout(request, request.localizer.translate(_("Price list"))),
        "crumbs": [*crumbs(request), Item(context.label, base)],
        "place": Item(context.title, base),
        "products": [
            (Item(row.title, urls[row.id], row.summary), price_text(request, row))
            for row in rows[:size]
            if urls.get(row.id)
        ],
        "more_url": f"{url}?after={_key(rows[size - 1])}" if len(rows) > size else None,
    }


def find_products(request: Any, place: Node, after: Key, limit: int) -> Sequence[Any]:
    """Return rows of products below *place* that whoever asks may see, from a key on."""
    query = (
        select(Product.id, Product.title, Product.summary, Product.price, Product.currency)
        .where(tuple_(Product.price, Product.id) > (Decimal(after.position) / 100, after.id))
        .where(visible(Node.__table__.c, request.visibility.kind))
        .order_by(Product.price, Product.id)
        .limit(limit)
    )
    if not place.is_root:
        section = descend(place.id)
        query = query.join(section, section.c.id == Product.id)
    return request.dbsession.execute(query, request.visibility.parameters()).all()


def price_text(request: Any, product: Any) -> str:
    """Return what a product costs, for people."""
    currency = product.currency or request.registry.settings["myproject.products.currency"]
    return f"{product.price:,.2f} {currency}"


def _key(row: Any) -> Key:
    """Return the place of a product in the list: its price in cents takes that of a position."""
    return Key(int(row.price * 100), row.id)
