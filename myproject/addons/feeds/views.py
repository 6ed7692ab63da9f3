"""The feeds of a place, ``@@feed.atom`` and ``@@feed.json``, and the links that lead there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyramid.i18n import TranslationStringFactory
from pyramid.response import Response

from myproject.addons.feeds import atom, json_feed
from myproject.addons.feeds.entries import Feed, feed_of
from myproject.addons.feeds.newest import NOW, Moment, moment_of
from myproject.extend.configurator import SiteConfigurator
from myproject.security.permissions import Permission
from myproject.tree.node import Node
from myproject.views import conditional

_ = TranslationStringFactory("myproject")

ATOM, JSON = "feed.atom", "feed.json"
TEMPLATES = "myproject.addons.feeds:templates/"


def atom_view(context: Node, request: Any) -> Response:
    """Answer with the feed of a place as Atom."""
    return _answer(context, request, ATOM, atom.MEDIA_TYPE, atom.write_atom)


def json_view(context: Node, request: Any) -> Response:
    """Answer with the same as JSON Feed."""
    return _answer(context, request, JSON, json_feed.MEDIA_TYPE, json_feed.write_json_feed)


def _answer(
    context: Node, request: Any, name: str, media_type: str, write: Callable[[Feed], bytes]
) -> Response:
    # Before the validators: a wrong parameter is wrong for a client with a copy, too.
    after = _after(request)
    if (unchanged := conditional.check(request, name)) is not None:
        return unchanged
    response = request.response
    response.content_type = media_type
    response.charset = "utf-8"
    response.body = write(feed_of(context, request, name, after))
    return response


def _after(request: Any) -> Moment:
    after = request.GET.get("after") if request.query_string else None
    return NOW if after is None else moment_of(after)


def links(context: Node | None, request: Any) -> dict[str, Any] | None:
    """Panel: links to the feeds of the page at hand; nothing on screens that are about it."""
    if context is None or request.view_name:
        return None
    base = request.canonical_base.removesuffix("/")
    site = request.registry.settings["myproject.site_title"]
    return {
        "atom_url": f"{base}/@@{ATOM}",
        "json_url": f"{base}/@@{JSON}",
        "title": site if context is request.virtual_root else f"{context.title} – {site}",
    }


def includeme(config: SiteConfigurator) -> None:
    """Register views and panels."""
    for name, view in ((ATOM, atom_view), (JSON, json_view)):
        config.add_view(
            view, name=name, context=Node, request_method="GET", permission=Permission.VIEW
        )
    for slot, template in (("head", "head"), ("after-content", "links")):
        config.add_slot_panel(
            links,
            slot,
            name="feeds",
            renderer=f"{TEMPLATES}{template}.jinja2",
            context=Node,
            order=900,
        )
