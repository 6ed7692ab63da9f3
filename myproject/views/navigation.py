"""What surrounds a page, as templates want it: the tree of its section, neighbours, children."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from myproject.tree.listing import Neighbourhood, Row
from myproject.tree.node import Node
from myproject.tree.urls import quote_segment
from myproject.views.rendering import Item

#: Types that are the ordinary case, and so are not named in lists.
PLAIN_TYPES = frozenset({"page", "folder"})


class TreeItem(NamedTuple):
    """A place in the navigation tree; a tuple, which templates take apart quickly.

    :ivar children: those of the current page; None where they are loaded on demand.
    :ivar rest: whether there are more children than these.
    """

    title: str
    url: str
    current: bool
    has_children: bool
    children: list[TreeItem] | None = None
    rest: bool = False


@dataclass(slots=True)
class Navigation:
    """The navigation tree of a section.

    :ivar parent: the section; None at the root.
    :ivar items: the section's pages, or a window of them around the current one.
    :ivar before, after: whether the window leaves pages out on that side.
    """

    parent: Item | None
    items: list[TreeItem] = field(default_factory=list)
    before: bool = False
    after: bool = False


@dataclass(slots=True)
class Entry:
    """A child in the listing of a page."""

    title: str
    url: str
    summary: str
    type_title: str
    has_children: bool
    unavailable: bool = False


def available(request: Any, rows: Iterable[Row]) -> list[Row]:
    """Return the rows whose type is switched on: the others have no page that could be shown."""
    types = request.content_types
    return [row for row in rows if types.get(row.type) is not None]


def tree_items(base: str, rows: Iterable[Row], current_id: int | None = None) -> list[TreeItem]:
    """Return items for the children of the place whose URL path is *base*."""
    return [
        TreeItem(
            row.nav_title or row.title,
            f"{base}/{quote_segment(row.name)}",
            row.id == current_id,
            row.has_children,
        )
        for row in rows
    ]


def entries(
    request: Any, base: str, rows: Iterable[Row], *, unavailable: bool = False
) -> list[Entry]:
    """Return the listing of children of the place whose URL path is *base*.

    :param unavailable: whether to list those as well whose type is switched off, for editors.
    """
    shown = []
    for row in rows:
        content_type = request.content_types.get(row.type)
        if content_type is None and not unavailable:
            continue
        title = "" if content_type is None or row.type in PLAIN_TYPES else content_type.title
        shown.append(
            Entry(
                row.title,
                f"{base}/{quote_segment(row.name)}",
                row.summary,
                request.localizer.translate(title) if title else "",
                row.has_children,
                content_type is None,
            )
        )
    return shown


def navigation(
    request: Any, node: Node, around: Neighbourhood, parent: Item | None
) -> tuple[Navigation, Item | None, Item | None]:
    """Return the tree of *node*'s section, and the previous and the next page in it.

    :param parent: the section, or the nearest one above it that can be shown; None where the node
        is the (virtual) root.
    """
    if parent is None:
        return Navigation(None), None, None
    base = request.canonical_base.rpartition("/")[0]
    items = tree_items(base, available(request, around.siblings), node.id)
    previous = following = None
    for index, item in enumerate(items):
        if item.current:
            below = tree_items(item.url, available(request, around.children))
            items[index] = item._replace(children=below, rest=around.more_children)
            previous = items[index - 1] if index else None
            following = items[index + 1] if index + 1 < len(items) else None
            break
    tree = Navigation(parent, items, around.more_before, around.more_after)
    return tree, _link(previous), _link(following)


def _link(item: TreeItem | None) -> Item | None:
    return None if item is None else Item(item.title, item.url)
