"""Saving content: the one way from edited values to stored columns.

Structure (where a node stands, what it is called in the URL) is the tree's business; this module
writes what a node says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, inspect, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.util import identity_key

from myproject.content.columns import own_columns
from myproject.content.events import ContentSaved
from myproject.content.fields import fields_of, validate
from myproject.content.references import (
    Reference,
    replace_in_html,
    replace_in_source,
    store_references,
)
from myproject.content.registry import ContentTypes
from myproject.content.revisions import (
    latest_revision_id,
    record_revision,
    revised_fields,
)
from myproject.content.types import Content, Link, Page
from myproject.db.base import utcnow
from myproject.db.transaction import mark_changed
from myproject.exceptions import InvalidValue
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.actor import Actor
from myproject.tree.copying import descend
from myproject.tree.events import NodeCopied
from myproject.tree.known import own_tables
from myproject.tree.node import Node
from myproject.tree.operations import Tree

#: Written by the tree's operations, never by a save.
STRUCTURE = frozenset({"id", "parent_id", "name", "position", "boundary_id", "type"})

_BATCH = 500
_NEW_TEXT = (
    update(Page.__table__)
    .where(Page.__table__.c.id == bindparam("page"))
    .values(body=bindparam("text"), body_html=bindparam("html"))
)
_NEW_TARGET = (
    update(Link.__table__)
    .where(Link.__table__.c.id == bindparam("link"))
    .values(target_id=bindparam("target"))
)


def set_fields(
    node: Node, values: Mapping[str, Any], before: Callable[[], object] | None = None
) -> set[str]:
    """Set columns of *node* and return the names of those that changed.

    :param before: called before the first one is set.
    :raises InvalidValue: for a field the type does not have, and for structure.
    """
    columns = inspect(type(node)).column_attrs
    changes = {}
    for field, value in values.items():
        if field in STRUCTURE or field not in columns:
            raise InvalidValue(field, f"{type(node).__name__} has no such field to edit.")
        if _differs(getattr(node, field), value):
            changes[field] = value
    if changes and before is not None:
        before()
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
    tree: Tree,
    node: Node,
    values: Mapping[str, Any],
    renderer: IMarkdownRenderer,
    *,
    comment: str = "",
) -> set[str]:
    """Change a node's content: set fields, derive what follows from them, store its references,
    keep a revision.

    :param values: field -> value. ``modified_at`` becomes now unless it is given.
    :param comment: why, for the revision.
    :returns: names of the fields that changed; nothing is written or told when there are none.
    :raises InvalidValue: and *node* is what it was.
    """
    changed = set_fields(node, values, before=lambda: begin_history(tree, node))
    if changed:
        if "modified_at" not in values:
            node.modified_at = utcnow()
        try:
            finish(tree, node, renderer, changed=changed, comment=comment)
        except InvalidValue:
            # Or the transaction's next flush would write it all the same.
            tree.session.expire(node)
            raise
    return changed


def create(
    tree: Tree,
    parent: Node,
    node: Node,
    renderer: IMarkdownRenderer,
    name: str | None = None,
    *,
    before: Node | None = None,
    comment: str = "",
) -> Node:
    """Put a new node with its content below *parent*.

    It is checked before anything is written: a database says of a wrong value only that it is one.

    :param name: made from the title when left out.
    :param before: the sibling to stand before; at the end when left out.
    :raises InvalidValue: for its content.
    :raises InvalidName, NameTaken, TooDeep, NodeGone: for its place. Nothing has been added.
    """
    if isinstance(node, Content):
        for field in fields_of(type(node)):
            if field.default is not None and field.name not in node.__dict__:
                # Otherwise it would be set on the way to the database, where a check misses it.
                setattr(node, field.name, field.new_default())
        node.check()
    tree.add(parent, node, name, before=before)
    finish(tree, node, renderer, comment=comment)
    return node


def begin_history(tree: Tree, node: Node) -> None:
    """Keep what a node says before it is changed, if that is not kept yet.

    Copies have no history of their own until then, nor has what add-ons put into the tree with
    no more than :meth:`Tree.add`.
    """
    with tree.session.no_autoflush:
        if not latest_revision_id(tree.session, node.id):
            revision = record_revision(tree.session, node, Actor(), is_new=True)
            revision.at = revision.valid_from = node.modified_at


def finish(
    tree: Tree,
    node: Node,
    renderer: IMarkdownRenderer,
    *,
    changed: Iterable[str] | None = None,
    comment: str = "",
) -> None:
    """Check a node whose fields were set, compute its derived columns, store its references, keep
    a revision.

    :param changed: names of the fields that were set to something else, for ``ContentSaved``,
        which is not told if there are none; all fields when left out, as for a new node.
    :param comment: why, for the revision.
    :raises InvalidValue:
    """
    if isinstance(node, Content):
        with tree.session.no_autoflush:
            node.check()
            node.derive(renderer)
        tree.session.flush()
        store_references(tree.session, node, node.referenced_ids())
    is_new = changed is None
    if changed is None:
        changed = set(inspect(type(node)).column_attrs.keys()) - STRUCTURE
    if fields := frozenset(changed):
        # Rendered anew is not edited.
        if fields & {*revised_fields(type(node)), "state"}:
            record_revision(tree.session, node, tree.actor, comment, is_new=is_new)
        tree.tell(ContentSaved(node.id, node, fields))


def change_type(
    tree: Tree,
    node: Node,
    type_name: str,
    types: ContentTypes,
    values: Mapping[str, Any] | None = None,
) -> Node:
    """Turn *node* into another type where it stands, keeping what both types have.

    Columns that only the old type has are lost, and so are the references in them.

    :param values: field -> value of fields that the new type adds; the others get their defaults.
    :returns: the node as an instance of its new class; the old instance is detached.
    :raises UnknownContentType: also for a node whose present type is unknown here: nobody could
        say what of it would be lost.
    :raises InvalidValue: for a value that cannot be, and for one that the new type must have; then
        nothing was written.
    """
    target = types.require(type_name)
    if node.type == type_name:
        return node
    types.require(node.type)
    begin_history(tree, node)
    session, before, after = tree.session, own_tables(type(node)), own_tables(target.cls)
    rows = _new_rows(target.cls, [table for table in after if table not in before], values or {})
    session.flush()
    connection = session.connection()
    base = Node.__table__
    for table in reversed(before):
        if table not in after:
            connection.execute(delete(table).where(table.c.id == node.id))
    connection.execute(update(base).where(base.c.id == node.id).values(type=type_name))
    for table, row in rows:
        connection.execute(insert(table), {**row, "id": node.id})
    mark_changed(session)
    session.expunge(node)
    changed = session.get_one(Node, node.id)
    store_references(
        session, changed, changed.referenced_ids() if isinstance(changed, Content) else set()
    )
    record_revision(session, changed, tree.actor)
    tree.tell(ContentSaved(changed.id, changed, frozenset({"type"})))
    return changed


def _new_rows(
    cls: type[Node], tables: list[Table], values: Mapping[str, Any]
) -> list[tuple[Table, dict[str, Any]]]:
    """Return the row that each of a type's tables gets, with the given values of its fields."""
    fields = {field.name: field for field in fields_of(cls)}
    places = {name: column for name, column in own_columns(cls) if column.table in tables}
    needed = {name: None for name in places if fields[name].required}
    checked = validate(cls, needed | {k: v for k, v in values.items() if k in places})
    return [
        (
            table,
            {
                column.name: checked[name]
                for name, column in places.items()
                if name in checked and column.table is table
            },
        )
        for table in tables
    ]


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

    _redirect(session, {source for source, target in rows if target in copies}, copies)
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


def _redirect(session: Session, sources: Collection[int], copies: Mapping[int, int]) -> None:
    """Rewrite the links in the copies of *sources*, by table: a type may be switched off."""

    def reference(node_id: int) -> str | None:
        return f"node:{copies[node_id]}" if node_id in copies else None

    ids = sorted(copies[source] for source in sources)
    connection, page, link = session.connection(), Page.__table__, Link.__table__
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        texts = select(page.c.id, page.c.body, page.c.body_html).where(page.c.id.in_(batch))
        rewritten = [
            {
                "page": row.id,
                "text": replace_in_source(row.body, reference),
                "html": replace_in_html(row.body_html, reference),
            }
            for row in connection.execute(texts)
        ]
        if rewritten:
            connection.execute(_NEW_TEXT, rewritten)
        targets = select(link.c.id, link.c.target_id).where(link.c.id.in_(batch))
        redirected = [
            {"link": row.id, "target": copies.get(row.target_id, row.target_id)}
            for row in connection.execute(targets)
        ]
        if redirected:
            connection.execute(_NEW_TARGET, redirected)
        for node_id in batch:
            _forget_links(session, node_id)


def _forget_links(session: Session, node_id: int) -> None:
    """Have what a loaded node says of its links read again."""
    node = session.identity_map.get(identity_key(Node, node_id))
    if isinstance(node, Page):
        session.expire(node, ["body", "body_html"])
    elif isinstance(node, Link):
        session.expire(node, ["target_id"])
