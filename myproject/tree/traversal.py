"""One-query traversal: from a URL to its whole lineage, whatever the depth.

The statement is a recursive query guided by the URL's own segments: the row at depth *n* is joined
to the child whose name is segment *n*, so it touches exactly the rows on the way and none of their
siblings. The number of bound parameters is constant, so the compiled statement is found in the
cache for every depth.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Container, Mapping, Sequence
from functools import cache
from itertools import takewhile
from typing import Any, NamedTuple

from pyramid.exceptions import URLDecodeError
from pyramid.interfaces import ITraverser
from pyramid.traversal import split_path_info
from sqlalchemy import ColumnElement, Select, String, bindparam, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import ColumnProperty, Session, class_mapper, object_session
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.sql.functions import FunctionElement
from zope.interface import implementer

from myproject.exceptions import TreeError
from myproject.tree.known import own_tables
from myproject.tree.names import MAX_DEPTH, MAX_PATH_BYTES, normalize, problem_with
from myproject.tree.node import ALL_TYPES, ROOT_ID, UNAVAILABLE, Node
from myproject.tree.site import SITE_ID, Site
from myproject.tree.timing import latest_due
from myproject.tree.urls import virtual_root_in

VIEW_SELECTOR = "@@"


class ImpossiblePath(TreeError):
    """No node can have this address, so the database is not asked."""


class NoTree(TreeError):
    """The node to start from is not in the database."""


class segment_at(FunctionElement[str]):
    """The element of a JSON array of strings at an index; NULL beyond its end."""

    type = String()
    inherit_cache = True


@compiles(segment_at)
def _segment_at(element: Any, compiler: Any, **kw: Any) -> str:
    array, index = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"json_extract({array}, '$[' || {index} || ']')"


@compiles(segment_at, "postgresql")
def _segment_at_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    array, index = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(CAST({array} AS json) ->> {index})"


def _base_columns() -> dict[str, Any]:
    """Return attribute name -> column of what every node has and is always loaded."""
    attributes = class_mapper(Node).column_attrs
    return {item.key: item.columns[0] for item in attributes if not item.deferred}


_COLUMNS = _base_columns()
_CLASSES = class_mapper(Node).polymorphic_map


def _lineage_query() -> Select[*tuple[Any, ...]]:
    names: ColumnElement[str] = bindparam("names", type_=String)
    node, child = Node.__table__, Node.__table__.alias("child")
    # The walk carries the columns itself. A join of its ids to the table afterwards would be one
    # over a number of rows that PostgreSQL can only guess, and it may then read the whole table.
    walk = (
        select(*(node.c[column.name] for column in _COLUMNS.values()), literal(0).label("depth"))
        .where(node.c.id == bindparam("start", type_=node.c.id.type))
        .cte("walk", recursive=True)
    )
    walk = walk.union_all(
        select(*(child.c[column.name] for column in _COLUMNS.values()), walk.c.depth + 1).join_from(
            walk,
            child,
            (child.c.parent_id == walk.c.id) & (child.c.name == segment_at(names, walk.c.depth)),
        )
    )
    # The site's one row rides along with the first: no page can be answered without it.
    site = Site.__table__
    return (
        select(*(walk.c[column.name] for column in _COLUMNS.values()))
        .add_columns(site.c.revision, site.c.changed_at, site.c.access_revision)
        .add_columns(latest_due("publish_at"), latest_due("expire_at"))
        .join_from(walk, site, (walk.c.depth == 0) & (site.c.id == SITE_ID), isouter=True)
        .order_by(walk.c.depth)
    )


_LINEAGE = _lineage_query()


class Lineage(NamedTuple):
    """The way to a node.

    :ivar nodes: from the start down, each with its parent set; the last one has the columns of
        its own type, except deferred ones.
    :ivar revision: the site's revision, see :mod:`myproject.tree.site`.
    :ivar changed_at: when the site changed last.
    :ivar access_revision: counts the changes of who may do what.
    :ivar due_at: when a page appeared or disappeared last by itself; None if none has.
    """

    nodes: list[Node]
    revision: int
    changed_at: dt.datetime
    access_revision: int
    due_at: dt.datetime | None


def load_lineage(
    session: Session,
    segments: Sequence[str],
    start: int = ROOT_ID,
    types: Container[str] = ALL_TYPES,
) -> Lineage:
    """Return the nodes from *start* down along *segments*, as far as they exist.

    One statement, and a second one for the last node if its type has tables of its own.

    :param segments: decoded names in NFC.
    :param types: those that are switched on; nodes of others are of the class that stands in for
        them, although another application in this process may have brought their own.
    :raises NoTree: if the start does not exist.
    """
    parameters = {"start": start, "names": json.dumps(segments)}
    rows = session.connection().execute(_LINEAGE, parameters).all()
    if not rows:
        if start != ROOT_ID:
            raise NoTree(f"Node {start}, where traversal was to start, no longer exists.")
        raise NoTree("The database has no tree yet. Run: myproject init")
    nodes: list[Node] = []
    for row in rows:
        # The site's columns stand behind those of the node.
        values = dict(zip(_COLUMNS, row, strict=False))
        if nodes or start == ROOT_ID:
            values["parent"] = nodes[-1] if nodes else None
        nodes.append(_persistent(session, values, types))
    load_own_columns(session, nodes[-1])
    revision, changed_at, access_revision, *due = rows[0][len(_COLUMNS) :]
    due_at = max((moment for moment in due if moment is not None), default=None)
    return Lineage(nodes, revision, changed_at, access_revision, due_at)


def _persistent(session: Session, values: dict[str, Any], types: Container[str]) -> Node:
    """Return the session's node with these attributes, made from them if it has none yet.

    This is what loading an entity comes down to, without the preparations that the ORM makes for
    each statement anew; they cost more than all else on the way to a node, and grow with depth.
    """
    key = (Node, (values["id"],), None)
    known = session.identity_map.get(key)
    if known is not None:
        if "parent" in values:
            set_committed_value(known, "parent", values["parent"])
        return known
    name = values["type"] if values["type"] in types else UNAVAILABLE
    node = _CLASSES[name].class_manager.new_instance()
    state = instance_state(node)
    state.dict.update(values)
    state.key, state.session_id = key, session.hash_key
    session.identity_map.add(state)
    return node


@cache
def _own_columns(cls: type[Node]) -> tuple[tuple[str, ...], Select[Any] | None]:
    mapper, base = class_mapper(cls), Node.__table__
    # A type may add to another one's columns, as one below Page does.
    tables = own_tables(cls)
    properties = [
        prop
        for prop in mapper.iterate_properties
        if isinstance(prop, ColumnProperty)
        and not prop.deferred
        and prop.key != "id"
        and prop.columns[0].table is not base
    ]
    if not properties:
        return (), None
    joined: Any = tables[0]
    for table in tables[1:]:
        joined = joined.join(table, table.c.id == tables[0].c.id)
    query = select(*(prop.columns[0] for prop in properties)).select_from(joined)
    query = query.where(tables[0].c.id == bindparam("id"))
    return tuple(prop.key for prop in properties), query


def load_own_columns(session: Session, node: Node) -> None:
    """Load what *node*'s type adds to the base row, unless it is there already."""
    keys, query = _own_columns(type(node))
    if query is None or keys[0] in node.__dict__:
        return
    row = session.connection().execute(query, {"id": node.id}).one_or_none()
    if row is not None:
        for key, value in zip(keys, row, strict=True):
            set_committed_value(node, key, value)


@implementer(ITraverser)
class NodeTraverser:
    """Pyramid's traverser for a node of a loaded tree: ``find_resource``, ``traverse``.

    :param root: the node to start from.
    """

    def __init__(self, root: Node) -> None:
        self.root = root

    def __call__(self, request: Any) -> dict[str, Any]:
        path, subpath = _path_and_subpath(request)
        vroot = virtual_root_in(request.environ)
        return self.traverse(split_path_info(path), subpath, vroot)

    def load(self, segments: Sequence[str]) -> Lineage:
        """Return the lineage that exists along *segments*."""
        session = object_session(self.root)
        if session is None:
            raise TreeError(f"{self.root!r} belongs to no session, so it cannot be traversed.")
        return load_lineage(session, segments, self.root.id)

    def traverse(
        self, path: tuple[str, ...], subpath: tuple[str, ...], vroot: tuple[str, ...]
    ) -> dict[str, Any]:
        """Return the dictionary that :class:`pyramid.interfaces.ITraverser` describes.

        The router makes its items attributes of the request, so ``lineage`` (the nodes from the
        root down), ``site_revision``, ``site_changed_at``, ``access_revision`` and ``site_due_at``
        are found there as well.
        """
        segments = vroot + path
        lineage, revision, changed_at, access_revision, due_at = self.load(names_in(segments))
        consumed = len(lineage) - 1
        rest = segments[consumed:]
        if rest:
            view_name, subpath = rest[0].removeprefix(VIEW_SELECTOR), rest[1:]
        else:
            view_name = ""
        return {
            "context": lineage[-1],
            "view_name": view_name,
            "subpath": subpath,
            "traversed": segments[:consumed],
            "virtual_root": lineage[len(vroot)] if consumed >= len(vroot) else lineage[0],
            "virtual_root_path": vroot,
            "root": lineage[0],
            "lineage": lineage,
            "site_revision": revision,
            "site_changed_at": changed_at,
            "access_revision": access_revision,
            "site_due_at": due_at,
        }


class SiteRoot:
    """What the root factory returns: a promise of the root, kept by the traversal's own query.

    :param session: the session to load from.
    :param types: the content types that are switched on.
    """

    __parent__ = None
    __name__ = ""

    def __init__(self, session: Session, types: Container[str] = ALL_TYPES) -> None:
        self.session = session
        self.types = types


class NoRoot(dict[str, Any]):
    """The root of routes that have nothing to do with the tree."""


def no_root(request: Any) -> NoRoot:
    """Root factory of routes that have nothing to do with the tree: there is nothing to load."""
    return NoRoot()


@implementer(ITraverser)
class NoTraverser:
    """The traverser of such routes: there is no way to go, whatever the virtual root is called.

    :param root: what there is.
    """

    def __init__(self, root: NoRoot) -> None:
        self.root = root

    def __call__(self, request: Any) -> dict[str, Any]:
        # What a route has matched below itself is its own: static files are found by it.
        _, subpath = _path_and_subpath(request)
        return {
            "context": self.root,
            "view_name": "",
            "subpath": subpath,
            "traversed": (),
            "virtual_root": self.root,
            "virtual_root_path": virtual_root_in(request.environ),
            "root": self.root,
        }


class SiteTraverser(NodeTraverser):
    """The traverser of every request: refuses impossible addresses before any statement.

    :param site: the root factory's promise of a root.
    """

    def __init__(self, site: SiteRoot) -> None:
        self.site = site

    def __call__(self, request: Any) -> dict[str, Any]:
        path, subpath = _path_and_subpath(request)
        vroot = virtual_root_in(request.environ)
        check_path(path)
        return self.traverse(split_path_info(path), subpath, vroot)

    def load(self, segments: Sequence[str]) -> Lineage:
        return load_lineage(self.site.session, segments, types=self.site.types)


def check_path(path: str) -> None:
    """Raise ``ImpossiblePath`` unless the decoded *path* could be the address of something.

    Empty segments pass: they are spelling, and are redirected to the canonical address.
    """
    if len(path) > MAX_PATH_BYTES or len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        raise ImpossiblePath(f"The address is longer than {MAX_PATH_BYTES} bytes.")
    segments = path.split("/")
    # A slash in front, and the deepest page has views too.
    if len(segments) > MAX_DEPTH + 2:
        raise ImpossiblePath(f"The address has more than {MAX_DEPTH} parts.")
    for segment in segments:
        # "@@" alone selects the default view: an odd spelling, not an impossible one.
        name = normalize(segment.removeprefix(VIEW_SELECTOR))
        if name and (reason := problem_with(name)):
            raise ImpossiblePath(f"A part of the address is impossible: it {reason}.")


def names_in(segments: tuple[str, ...]) -> list[str]:
    """Return the leading segments that can be names of nodes; a view's name cannot."""
    names = [normalize(segment) for segment in segments]
    return list(takewhile(lambda name: problem_with(name) is None, names))


def _path_and_subpath(request: Any) -> tuple[str, tuple[str, ...]]:
    matchdict: Mapping[str, Any] | None = request.matchdict
    if matchdict is None:
        return _path_info(request), ()
    path = matchdict.get("traverse", "/") or "/"
    if not isinstance(path, str):
        # A ``*traverse`` pattern: the route has decoded and split it already.
        path = "/" + "/".join(path)
    subpath = matchdict.get("subpath", ())
    if isinstance(subpath, str):
        subpath = split_path_info(subpath)
    return path, tuple(subpath)


def _path_info(request: Any) -> str:
    try:
        return request.path_info or "/"
    except KeyError:
        return "/"
    except UnicodeDecodeError as error:
        raise URLDecodeError(
            error.encoding, error.object, error.start, error.end, error.reason
        ) from error
