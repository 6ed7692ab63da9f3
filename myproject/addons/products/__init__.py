"""Products with a price, and a price list."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.addons.products.listing import show_list
from myproject.addons.products.models import Product
from myproject.addons.products.price import show_price
from myproject.declarations import Setting
from myproject.tree.node import Node

_ = TranslationStringFactory("myproject")


def includeme(config: Configurator) -> None:
    """Switch products on."""
    config.add_migrations("products")
    config.add_content_type(Product, _("Product"), description=_("A page that has a price."))
    config.add_settings(
        Setting(
            "myproject.products.currency", str, "EUR", "The currency of products that name none."
        )
    )
    config.add_slot_panel(
        show_price,
        "before-content",
        renderer="myproject.addons.products:templates/price.jinja2",
        context=Product,
    )
    config.add_view(
        show_list,
        name="products",
        context=Node,
        request_method="GET",
        permission="view",
        renderer="myproject.addons.products:templates/list.jinja2",
    )
    config.add_static_bundle(
        "products", "myproject.addons.products:static", styles=["products.css"]
    )
