"""What somebody probably meant who asked for a page that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import select

from myproject.tree.listing import load_similar
from myproject.tree.node import Node
from myproject.tree.urls import climb, path_columns, paths_from_rows
from myproject.views.rendering import Item

AT_MOST = 5
#: From 0 (nothing in common) to 1 (the same name); a little more for a neighbour.
ALIKE = 0.4
NEIGHBOUR = 0.1


def item_of(request: Any, lineage: Sequence[Node]) -> Item | None:
    """Return a link to the last node of *lineage*, None if it is outside of the virtual root."""
    url = request.path_url_of(tuple(node.name for node in lineage[1:]))
    return None if url is None else Item(lineage[-1].title, url, lineage[-1].summary)


def suggestions(request: Any, lineage: Sequence[Node]) -> list[Item]:
    """Return links to pages with a name like the one that was asked for, the likeliest first.

    :param lineage: the nodes that exist on the way, as far as readers may know of them.
    """
    asked = (*request.traversed, request.view_name, *request.subpath)
    return [item for _, item in similar(request, lineage, asked)]


def similar(
    request: Any, lineage: Sequence[Node], asked: Sequence[str]
) -> list[tuple[tuple[str, ...], Item]]:
    """Return names from the root and a link for each page that has a name like the one that was
    asked for, the likeliest first.

    :param lineage: the nodes that exist on the way, as far as whoever asks may know of them.
    :param asked: names from the root on; what is there beyond *lineage* is looked for.
    """
    above = tuple(asked[: len(lineage) - 1])
    wanted = asked[len(lineage) - 1] or lineage[-1].name
    ids = load_similar(request.dbsession, lineage[-1].id, wanted, request.visibility)
    found: list[tuple[float, tuple[str, ...], Item]] = []
    for path, item in _items(request, ids):
        alike = SequenceMatcher(None, wanted.lower(), path[-1].lower()).ratio()
        likeness = alike + (path[:-1] == above) * NEIGHBOUR
        if likeness > ALIKE:
            found.append((likeness, path, item))
    found.sort(key=lambda each: each[0], reverse=True)
    return [(path, item) for _, path, item in found[:AT_MOST]]


def _items(request: Any, ids: Sequence[int]) -> list[tuple[tuple[str, ...], Item]]:
    """Return the path and a link for each node that has a page here; one statement."""
    if not ids:
        return []
    up = climb(select(Node.id).where(Node.id.in_(ids)))
    query = (
        select(*path_columns(up), Node.title, Node.summary, Node.type)
        .join_from(up, Node, Node.id == up.c.origin)
        .order_by(up.c.origin, up.c.height.desc())
    )
    rows = request.dbsession.connection().execute(query).all()
    paths = paths_from_rows((row[:6] for row in rows), request.visibility)
    items = {}
    for row in rows:
        path = paths.get(row.origin)
        url = request.path_url_of(path) if path else None
        if path and url and request.content_types.get(row.type) is not None:
            items[row.origin] = (path, Item(row.title, url, row.summary))
    return list(items.values())
