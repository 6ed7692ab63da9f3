"""Menus: links to the screens that whoever asks may open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.i18n import TranslationStringFactory
from pyramid.interfaces import IRequest, IView, IViewClassifier
from zope.interface import implementedBy

from myproject.extend.points import BulkAction, MenuItem
from myproject.registry import SiteRegistry
from myproject.security.permissions import Permission
from myproject.tree.node import ROOT_ID, Node

_ = TranslationStringFactory("myproject")

#: The core's screens of what happens to pages: name, title, and what one may do where they matter.
RECORDS = (
    ("activity", _("Activity"), Permission.EDIT),
    ("planned", _("Planned"), Permission.EDIT),
    ("operations", _("What was done"), Permission.EDIT),
    ("trash", _("Trash"), Permission.DELETE),
)


class Tab(NamedTuple):
    """A part of a screen in several parts."""

    title: str
    url: str
    current: bool


def site_tabs(request: Any, current: str = "") -> list[Tab]:
    """Return the screens about the whole site, as tabs.

    :param current: name of the one that is shown.
    """
    mine = request.access.at(ROOT_ID)
    items = (item for item in _items(request, "site") if item.permission in mine)
    return [
        Tab(translated(request, item), f"{request.mount}/@@{item.view}", item.name == current)
        for item in items
    ]


def record_tabs(request: Any, current: str = "") -> list[Tab]:
    """Return the screens about what happens to pages as tabs, of those that matter to whoever asks
    in some place.

    :param current: name of the one that is shown.
    """
    anywhere = request.access.anywhere
    items = (item for item in _items(request, "records") if item.permission in anywhere)
    return [
        Tab(translated(request, item), f"{request.mount}/@@{item.view}", item.name == current)
        for item in items
    ]


def actions(request: Any, cls: type[Node], may: Callable[[str], bool]) -> list[MenuItem]:
    """Return what somebody may do with a node, in order; no statement.

    Left out is what no view is registered for: a screen of an add-on that is switched off, say.

    :param cls: the node's class.
    :param may: whether somebody has a permission there.
    """
    found: dict[str, MenuItem] = {}
    for item in (*_items(request, "actions"), *_items(request, "page")):
        fits = item.context is not None and issubclass(cls, item.context)
        if (
            fits
            and item.view not in found
            and may(item.permission)
            and has_view(request.registry, cls, item.view)
        ):
            found[item.view] = item
    return sorted(found.values(), key=lambda item: item.order)


def has_view(registry: SiteRegistry, cls: type[Node], name: str) -> bool:
    """Whether nodes of a class have a view called *name*."""
    wanted = (IViewClassifier, IRequest, implementedBy(cls))
    adapters: Any = registry.adapters
    return adapters.lookup(wanted, IView, name=name) is not None


def translated(request: Any, item: MenuItem | BulkAction) -> str:
    """Return what a link says, in the language of the request."""
    return request.localizer.translate(item.title)


def _items(request: Any, group: str) -> Iterator[MenuItem]:
    yield from request.registry.extensions.menus.get(group, ())


def includeme(config: Configurator) -> None:
    """Register the core's screens of what happens to pages."""
    for order, (name, title, permission) in enumerate(RECORDS, 1):
        config.add_tab(
            name, title, group="records", view=name, permission=permission, order=order * 100
        )
