"""What a product costs, in words and on its page."""

from __future__ import annotations

from typing import Any

from myproject.addons.products.models import Product


def price_text(request: Any, product: Any) -> str:
    """Return what a product costs, for people."""
    currency = product.currency or request.registry.settings["myproject.products.currency"]
    return f"{product.price:,.2f} {currency}"


def show_price(context: Product, request: Any) -> dict[str, Any]:
    """Show the price on the page of a product, which is the context."""
    return {"price": price_text(request, context)}
