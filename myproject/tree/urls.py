"""Addresses of nodes: from the loaded lineage for one, in one query for a list.

A canonical address has no trailing slash (but for the root's own), no empty segments, names in
NFC, and nothing percent-encoded that does not have to be (RFC 3986, section 6.2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from pyramid.exceptions import URLDecodeError
from pyramid.interfaces import VH_ROOT_KEY, IResourceURL
from pyramid.traversal import decode_path_info, split_path_info
from sqlalchemy import CTE, ColumnElement, Select, and_, literal, or_, select
from sqlalchemy.orm import Session
from zope.interface import implementer

from myproject.tree.node import PUBLISHED, TRASHED, Node
from myproject.tree.timing import seen_state
from myproject.tree.visibility import BoundarySet, Visibility, is_member

#: Characters that RFC 3986 allows in a segment besides letters and digits.
SEGMENT_SAFE = "-._~!$&'()*+,;=:@"


def quote_segment(name: str) -> str:
    """Return *name* percent-encoded as one URL segment."""
    return name if name.isalnum() and name.isascii() else quote(name, safe=SEGMENT_SAFE)


def join_path(names: Iterable[str]) -> str:
    """Return the encoded absolute path of decoded *names*; ``/`` for none."""
    return "/" + "/".join([quote_segment(name) for name in names])


def names_of(node: Node) -> tuple[str, ...]:
    """Return the names from the root (left out) down to *node*, over its loaded lineage."""
    names: list[str] = []
    place: Node | None = node
    while place is not None and place.parent_id is not None:
        names.append(place.name)
        place = place.parent
    names.reverse()
    return tuple(names)


def path_of(node: Node) -> str:
    """Return *node*'s encoded path from the root of the tree."""
    return join_path(names_of(node))


def trim_virtual_root(names: tuple[str, ...], vroot: tuple[str, ...]) -> tuple[str, ...]:
    """Return *names* as seen below the virtual root; unchanged when they are outside of it."""
    return names[len(vroot) :] if vroot and names[: len(vroot)] == vroot else names


@implementer(IResourceURL)
class NodeURL:
    """Pyramid's URL adapter for nodes: ``request.resource_url(node)``.

    Virtual roots are compared by decoded segments, so ``/cms`` does not claim ``/cmsx`` and one
    with non-ASCII letters works.
    """

    def __init__(self, node: Node, request: Any) -> None:
        names = names_of(node)
        virtual = trim_virtual_root(names, virtual_root_of(request))
        self.physical_path = join_path(names)
        self.virtual_path = join_path(virtual)
        self.physical_path_tuple = ("", *names)
        self.virtual_path_tuple = ("", *virtual)


def virtual_root_of(request: Any) -> tuple[str, ...]:
    """Return the decoded segments of the virtual root that *request* is served under."""
    vroot = getattr(request, "virtual_root_path", None)
    return virtual_root_in(request.environ) if vroot is None else tuple(vroot)


def virtual_root_in(environ: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the decoded segments of the virtual root that a WSGI environment names.

    :raises pyramid.exceptions.URLDecodeError: when it is not UTF-8.
    """
    try:
        return split_path_info(decode_path_info(environ.get(VH_ROOT_KEY) or ""))
    except UnicodeDecodeError as error:
        raise URLDecodeError(
            error.encoding, error.object, error.start, error.end, error.reason
        ) from error


def climb(origins: Select[Any] | CTE) -> CTE:
    """Return a recursive query with every node on the way from *origins* up to the root.

    :param origins: a selectable of one column of node ids.
    :returns: columns ``origin``, ``parent_id``, ``name``, ``boundary_id``, ``state`` (the
        one that holds for readers) and
        ``height``, which is 0 at the origin.
    """
    start = origins.subquery() if isinstance(origins, Select) else origins
    node = Node.__table__
    up = (
        select(
            node.c.id.label("origin"),
            node.c.parent_id,
            node.c.name,
            node.c.boundary_id,
            seen_state(node.c).label("state"),
            literal(0).label("height"),
        )
        .where(node.c.id.in_(select(start.c[0])))
        .cte("up", recursive=True)
    )
    above = node.alias("above")
    return up.union_all(
        select(
            up.c.origin,
            above.c.parent_id,
            above.c.name,
            above.c.boundary_id,
            seen_state(above.c),
            up.c.height + 1,
        ).join_from(up, above, above.c.id == up.c.parent_id)
    )


def out_of_reach(nodes: Select[Any], drafts: BoundarySet, parameter: str) -> Select[Any]:
    """Return the ids of those of *nodes* that cannot be seen for a place above them.

    That is one in the trash, or a draft that somebody may not see.

    :param nodes: a selectable of one column of node ids.
    :param drafts: the boundaries within which they may see drafts.
    :param parameter: the name under which ``drafts.parameter`` goes with the statement.
    """
    up = climb(nodes)
    may = is_member(up.c.boundary_id, drafts.kind, parameter)
    leads = or_(up.c.state == PUBLISHED, and_(up.c.state != TRASHED, may))
    return select(up.c.origin).where(up.c.height > 0, ~leads)


def climb_query(origins: Select[Any]) -> Select[*tuple[Any, ...]]:
    """Return the statement whose rows :func:`paths_from_rows` understands."""
    up = climb(origins)
    return select(*path_columns(up)).order_by(up.c.origin, up.c.height.desc())


def path_columns(up: CTE) -> tuple[ColumnElement[Any], ...]:
    """Return the columns of :func:`climb` that :func:`paths_from_rows` understands."""
    return (up.c.origin, up.c.parent_id, up.c.name, up.c.boundary_id, up.c.state, up.c.height)


def paths_from_rows(rows: Iterable[Any], visibility: Visibility) -> dict[int, tuple[str, ...]]:
    """Return node id -> names from the root, out of the rows of :func:`climb_query`.

    Nodes that may not be seen are left out.
    """
    paths: dict[int, tuple[str, ...]] = {}
    hidden: set[int] = set()
    for origin, parent_id, name, boundary_id, state, height in rows:
        paths[origin] = (*paths.get(origin, ()), name) if parent_id is not None else ()
        seen = visibility.leads_through if height else visibility.shows
        if not seen(boundary_id, state):
            hidden.add(origin)
    return {origin: path for origin, path in paths.items() if origin not in hidden}


def paths_of(
    session: Session, ids: Iterable[int], visibility: Visibility
) -> dict[int, tuple[str, ...]]:
    """Return node id -> names from the root for those of many nodes that may be seen.

    One statement.
    """
    wanted = select(Node.id).where(Node.id.in_(list(ids)))
    rows = session.connection().execute(climb_query(wanted)).all()
    return paths_from_rows(rows, visibility)
