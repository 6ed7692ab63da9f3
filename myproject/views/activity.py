"""The screen of what happened on the whole site, with the address of its feed."""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory

from myproject.security.permissions import SIGNED_IN
from myproject.tree.node import ROOT_ID
from myproject.tree.traversal import no_root
from myproject.views.activity_feed import feed_address
from myproject.views.menus import record_tabs
from myproject.views.rendering import TEMPLATES, layout
from myproject.views.timeline import listed

_ = TranslationStringFactory("myproject")


def activity(request: Any) -> dict[str, Any]:
    """Show what happened, as far as whoever asks may edit; at most thirty statements."""
    request.response.cache_control = "no-store"
    return {
        **layout(request, _("Activity")),
        "tabs": record_tabs(request, "activity"),
        **listed(request, ROOT_ID, "/@@activity"),
        "feed": feed_address(request),
    }


def includeme(config: Configurator) -> None:
    """Register the screen."""
    config.add_route("activity", "/@@activity", factory=no_root)
    config.add_view(
        activity,
        route_name="activity",
        request_method="GET",
        permission=SIGNED_IN,
        renderer=f"{TEMPLATES}timeline.jinja2",
    )
