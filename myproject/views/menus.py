"""Menus: links to the screens that whoever asks may open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from myproject.extend.points import MenuItem
from myproject.tree.node import ROOT_ID, Node


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
    return [_tab(request, item, request.mount, current) for item in items]


def page_tabs(request: Any, node: Node, current: str = "") -> list[Tab]:
    """Return the screens about *node*, as tabs; none where there is only one."""
    tabs = [
        _tab(request, item, request.canonical_base.removesuffix("/"), current)
        for item in _items(request, "page")
        if _fits(request, item, node)
    ]
    return tabs if len(tabs) > 1 else []


def actions(request: Any, node: Node) -> list[tuple[str, str]]:
    """Return title and URL of what whoever asks may do with *node*."""
    base = request.canonical_base.removesuffix("/")
    return [
        (_translated(request, item), f"{base}/@@{item.view}")
        for item in _items(request, "actions")
        if _fits(request, item, node)
    ]


def _items(request: Any, group: str) -> Iterator[MenuItem]:
    yield from request.registry.extensions.menus.get(group, ())


def _fits(request: Any, item: MenuItem, node: Node) -> bool:
    is_one = item.context is not None and isinstance(node, item.context)
    return is_one and bool(request.has_permission(item.permission, node))


def _tab(request: Any, item: MenuItem, base: str, current: str) -> Tab:
    return Tab(_translated(request, item), f"{base}/@@{item.view}", item.name == current)


def _translated(request: Any, item: MenuItem) -> str:
    return request.localizer.translate(item.title)
