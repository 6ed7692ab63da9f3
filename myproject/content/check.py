"""Looking for what went stale in content: types without an add-on, references, broken links.

Works on a tree that is itself broken: what cannot be reached from the root is named by number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urljoin

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from myproject.content.columns import REFERENCE, fields_of, reference_fields
from myproject.content.destinations import link_destinations
from myproject.content.known import stored_types
from myproject.content.references import LOST, Reference, reference_id
from myproject.content.registry import ContentTypes
from myproject.content.transfer.links import (
    Names,
    is_internal,
    split_destination,
    split_path,
)
from myproject.content.types import Content, Link, Page
from myproject.tree.copying import descend
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.timing import seen_state
from myproject.tree.urls import join_path
from myproject.tree.visibility import PUBLISHED_ONLY, Visibility

_BATCH = 500
_LINK = re.compile(r'<a(?: [\w-]+="[^"]*")*? href="([^"]*)"')


class BrokenLink(NamedTuple):
    """A link that readers cannot follow.

    :ivar page: path of the page that has it.
    :ivar destination: as its HTML says; the path of the target where that is there but hidden.
    :ivar reason: what is wrong, in a few words.
    """

    page: str
    destination: str
    reason: str


def absent_types(session: Session, types: ContentTypes) -> Iterator[str]:
    """Yield a sentence for each type whose add-on is off: no fault, since its nodes are kept."""
    counts = select(Node.type, func.count()).group_by(Node.type).order_by(Node.type)
    stored_here = stored_types(session, types)
    for name, count in session.execute(counts).all():
        if types.get(name) is None:
            nodes = "1 node has" if count == 1 else f"{count} nodes have"
            known = stored_here.get(name)
            addon = f" of the add-on {known.addon!r}, which" if known else ", whose add-on"
            yield f"{nodes} the type {name!r}{addon} is not switched on."


def check_content(session: Session, types: ContentTypes) -> Iterator[str]:
    """Yield a sentence for each node whose references are stale."""
    stored: dict[int, set[int]] = {}
    for source, target in session.execute(select(Reference.source_id, Reference.target_id)):
        stored.setdefault(source, set()).add(target)
    outline = _Outline(session)
    for cls, names in _with_references(types).items():
        for (node,) in _in_batches(session, cls, cls, types=names):
            # Those of pages that are gone are kept for as long as the text has them.
            if (node.referenced_ids() ^ stored.get(node.id, set())) & outline.ids:
                where = outline.describe(node.id)
                yield f"{where}: its stored references are not those of its text; save it again."


def _with_references(types: ContentTypes) -> dict[type[Content], list[str]]:
    """Return the classes whose content may refer to nodes, and the types that belong to each."""
    found: dict[type[Content], list[str]] = {}
    for content_type in types:
        cls = content_type.cls
        if not issubclass(cls, Content):
            continue
        if cls.referenced_ids is not Content.referenced_ids or reference_fields(cls):
            # Those that refer by columns of their own are loaded with them, not one by one.
            cores = () if _own_references(cls) else (Page, Link)
            top = next((core for core in cores if issubclass(cls, core)), cls)
            found.setdefault(top, []).append(content_type.name)
    return found


def _own_references(cls: type[Node]) -> list[str]:
    return [field.name for field in fields_of(cls) if field.kind == REFERENCE]


def broken_links(
    session: Session,
    types: ContentTypes,
    visibility: Visibility,
    reserved: frozenset[str] = frozenset(),
) -> list[BrokenLink]:
    """Return the links within the site that readers cannot follow, by page.

    A page that readers can see must lead to pages that they can see; what they cannot see may
    lead anywhere.

    :param visibility: of readers without an account.
    :param reserved: first names of routes, behind which anything may be.
    """
    outline = _Outline(session, types, visibility)
    broken: list[tuple[Names, BrokenLink]] = []
    for page_id, url, body, html in _links(session, types):
        names = outline.names.get(page_id)
        if names is None:
            continue
        page = join_path(names)
        public = page_id in outline.public
        destinations = [] if url is None else [url]
        destinations += [unescape(href) for href in _LINK.findall(html)]
        if LOST in body:
            # As they are written, and not as their HTML has them.
            destinations = [to for to in destinations if reference_id(to) != 0]
            destinations += [to for to in link_destinations(body) if to.startswith(LOST)]
        for destination in destinations:
            problem = outline.problem(page, destination, public, reserved)
            if problem:
                broken.append((names, BrokenLink(page, *problem)))
    return [link for _, link in sorted(broken, key=lambda item: item[0])]


def _links(session: Session, types: ContentTypes) -> Iterator[tuple[int, str | None, str, str]]:
    """Yield id, URL (of a Link, or of another reference), source and HTML (of a Page) of everything
    that may have links."""
    for page_id, body, html in _in_batches(session, Page, Page.id, Page.body, Page.body_html):
        yield page_id, None, body, html
    columns = (Link.id, Link.url, Link.target_id, Link.extra)
    for link_id, url, target_id, extra in _in_batches(session, Link, *columns):
        kept = url or str(extra.get("url") or "")
        yield link_id, kept if target_id is None else f"node:{target_id}", "", ""
    for cls in (content_type.cls for content_type in types):
        names = _own_references(cls)
        own = [getattr(cls, name) for name in names]
        for node_id, *targets in _in_batches(session, cls, cls.id, *own) if own else ():
            yield from ((node_id, f"node:{each}", "", "") for each in targets if each is not None)


def _in_batches(
    session: Session, cls: type[Node], *columns: Any, types: Iterable[str] | None = None
) -> Iterator[Any]:
    """Yield rows of all nodes of a class: a few at a time, and without a transaction.

    :param types: only of these: rows of others cannot be loaded as objects of the class.
    """
    last = 0
    while True:
        query = select(cls.id, *columns).where(cls.id > last).order_by(cls.id).limit(_BATCH)
        if types is not None:
            query = query.where(cls.type.in_(types))
        rows = session.execute(query).all()
        if not rows:
            return
        yield from (row[1:] for row in rows)
        last = rows[-1][0]


class _Outline:
    """The whole tree, as far as links and messages need it.

    :ivar ids: of all nodes, also of those that cannot be reached.
    :ivar names: id -> names from the root down, of those that can.
    :ivar public: ids of those that readers can see.
    """

    def __init__(
        self,
        session: Session,
        types: ContentTypes | None = None,
        visibility: Visibility = PUBLISHED_ONLY,
    ) -> None:
        self.visibility = visibility
        node, down = Node.__table__, descend(ROOT_ID)
        self.ids = set(session.connection().scalars(select(node.c.id)))
        self.names: dict[int, Names] = {}
        self.public: set[int] = set()
        self._open: set[int] = set()
        self._ids_by_names: dict[Names, int] = {}
        query = (
            select(
                node.c.id,
                node.c.parent_id,
                node.c.name,
                seen_state(node.c).label("state"),
                node.c.type,
            )
            .add_columns(node.c.boundary_id)
            .join_from(down, node, node.c.id == down.c.id)
            .order_by(down.c.depth)
        )
        for row in session.connection().execute(query):
            self._add(row, known=types is None or types.get(row.type) is not None)

    def _add(self, row: Any, *, known: bool) -> None:
        is_top = row.id == ROOT_ID
        names = () if is_top else (*self.names[row.parent_id], row.name)
        self.names[row.id] = names
        self._ids_by_names[names] = row.id
        if not known or not (is_top or row.parent_id in self._open):
            return
        if self.visibility.leads_through(row.boundary_id, row.state):
            self._open.add(row.id)
        if self.visibility.shows(row.boundary_id, row.state):
            self.public.add(row.id)

    def describe(self, node_id: int) -> str:
        """Return a node's path, or its number where it has none."""
        names = self.names.get(node_id)
        return f"Node {node_id}" if names is None else join_path(names)

    def problem(
        self, page: str, destination: str, public: bool, reserved: frozenset[str]
    ) -> tuple[str, str] | None:
        """Return what is wrong with a link on *page*: the destination to show, and the reason."""
        if not destination:
            return destination, "it has no target"
        if destination.startswith(("node:", LOST)):
            target = reference_id(destination)
            if target not in self.names:
                return destination, "the page it led to is gone"
        elif is_internal(destination):
            names = split_path(urljoin(page, split_destination(destination)[0]))
            if names and (names[0].startswith("@@") or names[0] in reserved):
                return None
            views = [index for index, name in enumerate(names) if name.startswith("@@")]
            target = self._ids_by_names.get(names[: views[0]] if views else names)
            if target is None:
                return destination, "there is no such page"
        else:
            return None
        if public and target not in self.public:
            return join_path(self.names[target]), "readers cannot see that page"
        return None
