"""Products with a price, and price lists of a section."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.addons.products.models import CURRENCIES, Product
from myproject.addons.products.views import list_panel, price_list, price_panel
from myproject.content.types import Folder
from myproject.declarations import Setting
from myproject.security.permissions import Permission
from myproject.tree.node import Node

_ = TranslationStringFactory("myproject")

TEMPLATES = "myproject.addons.products:templates/"


def includeme(config: Configurator) -> None:
    """Switch products on."""
    config.add_settings(
        Setting(
            "myproject.products.currency",
            CURRENCIES,
            "EUR",
            "The currency of products that name none.",
        )
    )
    config.add_migrations("products")
    config.add_content_type(
        Product, _("Product"), description=_("A page about something that has a price.")
    )
    config.add_slot_panel(
        price_panel, "before-content", renderer=f"{TEMPLATES}price.jinja2", context=Product
    )
    config.add_slot_panel(
        list_panel, "after-content", renderer=f"{TEMPLATES}link.jinja2", context=Folder
    )
    config.add_view(
        price_list,
        name="products",
        context=Node,
        request_method="GET",
        permission=Permission.VIEW,
        renderer=f"{TEMPLATES}products.jinja2",
    )
    config.add_static_bundle(
        "products", "myproject.addons.products:static/", styles=["products.css"]
    )
