"""Links between nodes, stored by number so that they survive every rename and move.

In a Markdown source and in its stored HTML a link to another page reads ``node:123#fragment``;
the numbers are also rows of one table, so that "what links here" is a look-up. Addresses are put
in when a page is shown, all of a page's with one statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

from markupsafe import Markup
from sqlalchemy import ForeignKey, String, bindparam, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.content.destinations import link_destinations, rewrite_destinations
from myproject.content.markup import markup
from myproject.db.base import Base, Id
from myproject.db.transaction import mark_changed
from myproject.tree.node import Node
from myproject.tree.urls import climb_query, paths_from_rows
from myproject.tree.visibility import Visibility, ids_in

# Sanitised HTML always has double quotes around values, and none within. A tag is matched from its
# start, because text may well say href="node:1".
_TAG = r'(<a(?: [\w-]+="[^"]*")*?)'
_HREF = re.compile(_TAG + r' href="node:([0-9]{1,18})(?=["?#])')
_BROKEN = re.compile(_TAG + r' href="node:[^"]*"')
_DESTINATION = re.compile(r"node:([0-9]{1,18})([?#].*)?", re.DOTALL)

#: A reference that can be in HTML or be an autolink; a Markdown link in pointed brackets also fits.
_MAYBE_STRAY = re.compile(r"<[^<>]*node:[0-9]")
#: A number that no node has.
_NOWHERE = "node:0"
#: What a reference is called whose number this site cannot know, see ``transfer.links``.
LOST = "lost:"


class Reference(Base):
    """A row says that one node's content points to another node.

    It outlives its target, or nobody could find the links that have broken.
    """

    __tablename__ = "reference"

    source_id: Mapped[int] = mapped_column(
        Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True
    )
    #: No foreign key; 0 stands for all targets whose number this site never knew.
    target_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False, index=True)


_TARGETS = climb_query(
    select(Reference.target_id).where(Reference.source_id == bindparam("source_id", type_=Id))
)

_NUMBERED = climb_query(
    select(Node.id).where(
        # One parameter, however many there are.
        Node.id.op("IN", is_comparison=True)(ids_in(bindparam("ids", type_=String)))
    )
)


def references_in(html: str) -> set[int]:
    """Return the ids of the nodes that rendered *html* links to."""
    return {int(number) for _, number in _HREF.findall(html)}


def reference_id(destination: str) -> int | None:
    """Return the id of the node that a destination in Markdown refers to, if it refers to one."""
    match = _DESTINATION.fullmatch(destination)
    return int(match[1]) if match else None


def without_strays(html: str, source: str) -> str:
    """Return the *html* of Markdown *source* without references that are not Markdown links.

    In raw HTML and in autolinks nobody could rewrite them: a copy would lead back into its
    original, and an imported page to a stranger. They lead nowhere instead.
    """
    if not _MAYBE_STRAY.search(source):
        return html
    known = {reference_id(destination) for destination in link_destinations(source)}
    return replace_in_html(html, lambda node_id: None if node_id in known else _NOWHERE)


def with_lost_references(source: str) -> str:
    """Return Markdown *source* whose lost references lead nowhere in the way that others do, so
    that the page's HTML says that it has some."""
    if LOST not in source:
        return source
    return rewrite_destinations(source, lambda to: _NOWHERE if to.startswith(LOST) else None)


def replace_in_html(html: str, replacement: Callable[[int], str | None]) -> str:
    """Return rendered *html* with other destinations for its references.

    :param replacement: id -> new destination (unescaped), or None to leave the link as it is.
    """

    def replaced(match: re.Match[str]) -> str:
        new = replacement(int(match[2]))
        return match[0] if new is None else f'{match[1]} href="{escape(new)}'

    return _HREF.sub(replaced, html)


def replace_in_source(source: str, replacement: Callable[[int], str | None]) -> str:
    """Return Markdown *source* with other destinations for its references.

    Only links are touched: ``node:18`` in a code block is somebody's Docker image.

    :param replacement: id -> new destination, or None to leave the link as it is.
    """
    if "node:" not in source:
        return source

    def replaced(destination: str) -> str | None:
        match = _DESTINATION.fullmatch(destination)
        new = replacement(int(match[1])) if match else None
        return None if match is None or new is None else new + (match[2] or "")

    return rewrite_destinations(source, replaced)


def store_references(session: Session, node: Node, target_ids: set[int]) -> None:
    """Make the stored references of *node* exactly *target_ids*, those that are gone included."""
    table, connection = Reference.__table__, session.connection()
    stored = set(connection.scalars(select(table.c.target_id).where(table.c.source_id == node.id)))
    if stored == target_ids:
        return
    if gone := stored - target_ids:
        connection.execute(
            delete(table).where(table.c.source_id == node.id, table.c.target_id.in_(gone))
        )
    if new := target_ids - stored:
        rows = [{"source_id": node.id, "target_id": target} for target in sorted(new)]
        connection.execute(insert(table), rows)
    mark_changed(session)


def target_paths(
    session: Session, node_id: int, visibility: Visibility
) -> dict[int, tuple[str, ...]]:
    """Return target id -> names from the root, of all visible nodes that a node points to."""
    rows = session.connection().execute(_TARGETS, {"source_id": node_id}).all()
    return paths_from_rows(rows, visibility)


def resolve_references(
    session: Session,
    node_id: int,
    html: str,
    visibility: Visibility,
    url_of: Callable[[tuple[str, ...]], str | None],
) -> Markup:
    """Return stored *html* with addresses for its references, ready to be shown.

    A link whose target is gone, or that this reader may not see, loses its ``href`` and gets the
    class ``broken-link``: nobody is led to a dead end. Asks the database only if there is a
    reference.

    :param html: sanitised HTML as it was stored.
    :param url_of: names from the root -> URL.
    """
    if 'href="node:' not in html:
        return markup(html)
    return _with_addresses(html, target_paths(session, node_id, visibility), url_of).html


class Resolved(NamedTuple):
    """HTML with addresses for its references.

    :ivar urls: id -> URL of those that lead somewhere.
    :ivar broken: ids of those that do not, for this reader.
    """

    html: Markup
    urls: Mapping[int, str]
    broken: frozenset[int]


def resolve_unsaved(
    session: Session,
    html: str,
    visibility: Visibility,
    url_of: Callable[[tuple[str, ...]], str | None],
) -> Resolved:
    """Return rendered *html* as :func:`resolve_references` does, before its references are stored.

    One statement, and none if there is no reference.
    """
    paths = paths_to(session, references_in(html), visibility)
    return _with_addresses(html, paths, url_of)


def paths_to(
    session: Session, ids: Iterable[int], visibility: Visibility
) -> dict[int, tuple[str, ...]]:
    """Return id -> names from the root, of those nodes that are visible.

    One statement, and none if there is no id.
    """
    listed = ",".join(map(str, sorted(ids)))
    if not listed:
        return {}
    rows = session.connection().execute(_NUMBERED, {"ids": listed}).all()
    return paths_from_rows(rows, visibility)


def _with_addresses(
    html: str,
    paths: Mapping[int, tuple[str, ...]],
    url_of: Callable[[tuple[str, ...]], str | None],
) -> Resolved:
    urls: dict[int, str] = {}
    broken = set()

    def address(node_id: int) -> str | None:
        path = paths.get(node_id)
        url = None if path is None else url_of(path)
        if url is None:
            broken.add(node_id)
        else:
            urls[node_id] = url
        return url

    resolved = _BROKEN.sub(r'\1 class="broken-link"', replace_in_html(html, address))
    return Resolved(markup(resolved), urls, frozenset(broken))


def backlinks(session: Session, node_id: int) -> list[Any]:
    """Return the ids of the nodes whose content points to a node."""
    table = Reference.__table__
    return list(
        session.connection().scalars(
            select(table.c.source_id)
            .where(table.c.target_id == node_id)
            .order_by(table.c.source_id)
        )
    )
