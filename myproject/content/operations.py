"""Saving content: the one way from edited values to stored columns.

Structure (where a node stands, what it is called in the URL) is the tree's business; this module
writes what a node says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import delete, insert, inspect, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from myproject.content.references import (
    Reference,
    replace_in_html,
    replace_in_source,
    store_references,
)
from myproject.content.registry import ContentTypes
from myproject.content.types import Content, Link, Page
from myproject.db.base import utcnow
from myproject.db.transaction import mark_changed
from myproject.exceptions import InvalidValue
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.copying import descend
from myproject.tree.events import NodeCopied
from myproject.tree.node import Node

#: Written by the tree's operations, never by a save.
STRUCTURE = frozenset({"id", "parent_id", "name", "position", "type"})


def set_fields(node: Node, values: Mapping[str, Any]) -> set[str]:
    """Set columns of *node* and return the names of those that changed.

    :raises InvalidValue: for a field the type does not have, and for structure.
    """
    columns = inspect(type(node)).column_attrs
    changes = {}
    for field, value in values.items():
        if field in STRUCTURE or field not in columns:
            raise InvalidValue(field, f"{type(node).__name__} has no such field to edit.")
        if _differs(getattr(node, field), value):
            changes[field] = value
    # Not before all were read: reading a deferred column would write those set already.
    for field, value in changes.items():
        setattr(node, field, value)
        # SQLAlchemy would not write what only _differs tells apart.
        flag_modified(node, field)
    return set(changes)


def _differs(old: Any, new: Any) -> bool:
    if isinstance(new, dict | list):
        # To Python 1, 1.0 and True are equal, and keys have no order; to a document they differ.
        return repr(old) != repr(new)
    return old != new


def save(
    session: Session, node: Node, values: Mapping[str, Any], renderer: IMarkdownRenderer
) -> set[str]:
    """Change a node's content: set fields, derive what follows from them, store its references.

    :param values: field -> value. ``modified_at`` becomes now unless it is given.
    :returns: names of the fields that changed; nothing is written when there are none.
    :raises InvalidValue: and *node* is what it was.
    """
    changed = set_fields(node, values)
    if changed:
        if "modified_at" not in values:
            node.modified_at = utcnow()
        try:
            finish(session, node, renderer)
        except InvalidValue:
            # Or the transaction's next flush would write it all the same.
            session.expire(node)
            raise
    return changed


def finish(session: Session, node: Node, renderer: IMarkdownRenderer) -> None:
    """Check a node whose fields were set, compute its derived columns, store its references."""
    if isinstance(node, Content):
        with session.no_autoflush:
            node.check()
            node.derive(renderer)
        session.flush()
        store_references(session, node, node.referenced_ids())


def change_type(session: Session, node: Node, type_name: str, types: ContentTypes) -> Node:
    """Turn *node* into another type where it stands, keeping what both types have.

    Columns that only the old type has are lost, and so are the references in them.

    :returns: the node as an instance of its new class; the old instance is detached.
    :raises UnknownContentType: also for a node whose present type is unknown here: nobody could
        say what of it would be lost.
    """
    target = types.require(type_name)
    if node.type == type_name:
        return node
    types.require(node.type)
    session.flush()
    connection = session.connection()
    base = Node.__table__
    for table in _own_tables(type(node)):
        connection.execute(delete(table).where(table.c.id == node.id))
    connection.execute(update(base).where(base.c.id == node.id).values(type=type_name))
    for table in _own_tables(target.cls):
        connection.execute(insert(table), {"id": node.id})
    mark_changed(session)
    session.expunge(node)
    changed = session.get_one(Node, node.id)
    store_references(
        session, changed, changed.referenced_ids() if isinstance(changed, Content) else set()
    )
    return changed


def _own_tables(cls: type[Node]) -> Iterable[Any]:
    return [table for table in inspect(cls).tables if table is not Node.__table__]


def redirect_copied_references(event: NodeCopied) -> None:
    """Subscriber: copies get the references of their originals, to each other where they can.

    Without this the links within a copied section would lead back into the original.
    """
    session = inspect(event.node).session
    if session is None:
        return
    copies, table = event.copies, Reference.__table__
    section = descend(event.source_id)
    found = session.connection().execute(
        select(table.c.source_id, table.c.target_id).join_from(
            section, table, table.c.source_id == section.c.id
        )
    )
    # The copy may lie inside its original, whose section is then larger than what was copied.
    rows = [(source, target) for source, target in found if source in copies]

    def copied_reference(node_id: int) -> str | None:
        return f"node:{copies[node_id]}" if node_id in copies else None

    for source_id in {source for source, target in rows if target in copies}:
        _redirect(session.get_one(Node, copies[source_id]), copied_reference, copies)
    if rows:
        session.connection().execute(
            insert(table),
            [
                {"source_id": copies[source], "target_id": copies.get(target, target)}
                for source, target in rows
            ],
        )
    session.flush()
    mark_changed(session)


def _redirect(
    copy: Node, reference: Callable[[int], str | None], copies: Mapping[int, int]
) -> None:
    if isinstance(copy, Page):
        copy.body = replace_in_source(copy.body, reference)
        copy.body_html = replace_in_html(copy.body_html, reference)
    elif isinstance(copy, Link) and copy.target_id is not None:
        copy.target_id = copies.get(copy.target_id, copy.target_id)
