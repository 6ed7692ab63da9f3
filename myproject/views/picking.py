"""Choosing a page: what was typed for one becomes its number, and a number what people read.

A form takes a path such as ``/docs/install``, the whole address of a page of this site, or its
number as ``node:12``. Whoever asks learns nothing about pages that they may not see: those answer
like pages that do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import select

from myproject.exceptions import InvalidValue
from myproject.tree.names import MAX_DEPTH, normalize, problem_with
from myproject.tree.node import Node
from myproject.tree.traversal import load_lineage
from myproject.tree.urls import climb, path_columns, paths_from_rows, virtual_root_of
from myproject.views.suggestions import similar

_ = TranslationStringFactory("myproject")

_NUMBER = re.compile(r"(?:node:|#)?([0-9]{1,18})")


class Place(NamedTuple):
    """A page as people choose it.

    :ivar path: readable, below the virtual root; what a form takes for it.
    :ivar type: name of its content type.
    """

    id: int
    path: str
    url: str
    title: str
    type: str
    state: str


def load_places(request: Any, ids: Iterable[int]) -> dict[int, Place]:
    """Return id -> place for those of many nodes that whoever asks may see here.

    One statement, none for no ids.
    """
    wanted = list(ids)
    if not wanted:
        return {}
    up = climb(select(Node.id).where(Node.id.in_(wanted)))
    query = (
        select(*path_columns(up), Node.title, Node.type)
        .join_from(up, Node, Node.id == up.c.origin)
        .order_by(up.c.origin, up.c.height.desc())
    )
    rows = request.dbsession.connection().execute(query).all()
    paths = paths_from_rows((row[:6] for row in rows), request.visibility)
    places = {}
    for row in rows:
        # The last row of each is the node itself.
        path = None if row.height else readable_path(request, paths.get(row.origin))
        if path is not None:
            url = request.path_url_of(paths[row.origin])
            places[row.origin] = Place(row.origin, path, url, row.title, row.type, row.state)
    return places


def readable_path(request: Any, names: tuple[str, ...] | None) -> str | None:
    """Return the path of a node as people read it, decoded; None outside of the virtual root."""
    top = virtual_root_of(request)
    if names is None or names[: len(top)] != top:
        return None
    return "/" + "/".join(names[len(top) :])


def chosen_id(request: Any, field: str, typed: str, current: int | None = None) -> int | None:
    """Return the id of the page that was typed; None for nothing.

    :param field: to blame.
    :param current: the page that is chosen already, which may be one that cannot be seen. Beside
        the text a form sends what it was shown for, under the field's name and ``.shown``: a path
        that nobody has touched means that page still, wherever it stands by now.
    :raises InvalidValue: when there is no such page, or none that whoever asks may see.
    """
    text = typed.strip()
    if not text:
        return None
    number = _NUMBER.fullmatch(text)
    if number is None:
        shown, _space, path = str(request.POST.get(f"{field}.shown", "")).partition(" ")
        if path != text or _NUMBER.fullmatch(shown) is None:
            return _id_at(request, field, text)
        number = _NUMBER.fullmatch(shown)
    node_id = int(number[1]) if number else 0
    if node_id == current or node_id in load_places(request, [node_id]):
        return node_id
    raise InvalidValue(field, _("There is no such page, or you may not see it."))


def _id_at(request: Any, field: str, text: str) -> int:
    """Return the id of the page at a path."""
    path = _path_in(request, text)
    if path is None:
        raise InvalidValue(field, _("That is no address of this site."))
    lineage: list[Node] = []
    asked: tuple[str, ...] = ()
    # A name may have a percent sign in it; mostly it is an address that was copied.
    for spelled in dict.fromkeys((path, unquote(path))):
        asked = (*virtual_root_of(request), *map(normalize, filter(None, spelled.split("/"))))
        if len(asked) > MAX_DEPTH or any(problem_with(name) for name in asked):
            continue
        lineage = _seen(request, asked)
        if len(lineage) == len(asked) + 1:
            return lineage[-1].id
    raise InvalidValue(field, _missing(request, lineage, asked, text))


def _path_in(request: Any, text: str) -> str | None:
    """Return the path in what was typed, the whole of an address of this site too."""
    if not re.match(r"(?i)https?://", text):
        return text
    for host in (request.host_url, request.canonical_host):
        base = host + request.mount
        if text == base or text.startswith(f"{base}/"):
            try:
                return urlsplit(text[len(base) :] or "/").path
            except ValueError:
                return None
    return None


def _seen(request: Any, names: tuple[str, ...]) -> list[Node]:
    """Return the nodes along *names*, as far as whoever asks may know of them."""
    nodes = load_lineage(request.dbsession, names, types=request.content_types).nodes
    visibility = request.visibility
    seen: list[Node] = []
    for node in nodes:
        may = visibility.shows if node is nodes[-1] else visibility.leads_through
        if not may(node.boundary_id, node.state):
            break
        seen.append(node)
    return seen


def _missing(request: Any, lineage: list[Node], asked: tuple[str, ...], text: str) -> str:
    found = similar(request, lineage, asked) if 0 < len(lineage) <= len(asked) else []
    paths = [path for names, _item in found[:3] if (path := readable_path(request, names))]
    said = {"path": text[:200], "paths": ", ".join(paths)}
    if paths:
        message = _("There is no page ${path}. Did you mean ${paths}?", mapping=said)
    else:
        message = _("There is no page ${path} that you may see.", mapping=said)
    return message
