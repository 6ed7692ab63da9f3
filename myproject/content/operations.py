"""Saving content: the one way from edited values to stored columns.

Structure (where a node stands, what it is called in the URL) is the tree's business; this module
writes what a node says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import Table, delete, insert, inspect, update
from sqlalchemy.orm.attributes import flag_modified

from myproject.content.columns import Field, editable_fields, own_columns, reference_fields
from myproject.content.events import ContentSaved
from myproject.content.fields import fields_of, missing_fields, validate
from myproject.content.references import (
    store_references,
)
from myproject.content.registry import ContentTypes
from myproject.content.revisions import (
    latest_revision_id,
    record_revision,
    revised_fields,
)
from myproject.content.types import Content
from myproject.db.base import utcnow
from myproject.db.transaction import mark_changed
from myproject.exceptions import InvalidValue, NotComplete
from myproject.interfaces import IMarkdownRenderer
from myproject.tree.actor import Actor
from myproject.tree.events import NodeStateChanged
from myproject.tree.history import keep_place
from myproject.tree.known import own_tables
from myproject.tree.node import PUBLISHED, Node
from myproject.tree.operations import Tree
from myproject.tree.urls import paths_of
from myproject.tree.visibility import EVERYTHING

_ = TranslationStringFactory("myproject")

#: Written by the tree's operations and by publishing, never by a save.
STRUCTURE = frozenset(
    {
        *("id", "parent_id", "name", "position", "boundary_id", "type"),
        *("draft_id", "stage", "publish_at", "expire_at"),
    }
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
    incomplete: bool = False,
) -> set[str]:
    """Change a node's content: set fields, derive what follows from them, store its references,
    keep a revision.

    :param values: field -> value. ``modified_at`` becomes now unless it is given.
    :param comment: why, for the revision.
    :param incomplete: whether required fields may be empty, see :func:`finish`.
    :returns: names of the fields that changed; nothing is written or told when there are none.
    :raises InvalidValue: and *node* is what it was.
    """
    changed = set_fields(node, values, before=lambda: begin_history(tree, node))
    if changed:
        if "modified_at" not in values:
            node.modified_at = utcnow()
        try:
            finish(tree, node, renderer, changed=changed, comment=comment, incomplete=incomplete)
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
    incomplete: bool = False,
) -> Node:
    """Put a new node with its content below *parent*.

    It is checked before anything is written: a database says of a wrong value only that it is one.

    :param name: made from the title when left out.
    :param before: the sibling to stand before; at the end when left out.
    :param incomplete: whether required fields may be empty, see :func:`finish`.
    :raises InvalidValue: for its content.
    :raises InvalidName, NameTaken, TooDeep, NodeGone: for its place. Nothing has been added.
    """
    if isinstance(node, Content):
        for field in fields_of(type(node)):
            if field.default is not None and field.name not in node.__dict__:
                # Otherwise it would be set on the way to the database, where a check misses it.
                setattr(node, field.name, field.new_default())
        check_content(tree, node, incomplete=incomplete)
    tree.add(parent, node, name, before=before)
    finish(tree, node, renderer, comment=comment, incomplete=incomplete)
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
    incomplete: bool = False,
) -> None:
    """Check a node whose fields were set, compute its derived columns, store its references, keep
    a revision.

    :param changed: names of the fields that were set to something else, for ``ContentSaved``,
        which is not told if there are none; all fields when left out, as for a new node.
    :param comment: why, for the revision.
    :param incomplete: whether required fields may be empty, where the columns can hold that and as
        long as the node is a draft. Only types that say so should be saved like this.
    :raises InvalidValue:
    """
    if isinstance(node, Content):
        with tree.session.no_autoflush:
            references = [
                field
                for field in reference_fields(type(node))
                if changed is None or field.name in changed
            ]
            _check(tree, node, references, incomplete=incomplete)
            node.derive(renderer)
        tree.session.flush()
        store_references(tree.session, node, node.referenced_ids())
    is_new = changed is None
    if changed is None:
        changed = set(inspect(type(node)).column_attrs.keys()) - STRUCTURE
    if fields := frozenset(changed):
        # Rendered anew is not edited.
        if "state" in fields and not is_new:
            keep_place(tree.session, node)
        if fields & {*revised_fields(type(node)), "state"}:
            record_revision(tree.session, node, tree.actor, comment, is_new=is_new)
        tree.tell(ContentSaved(node.id, node, fields))


def check_content(tree: Tree, node: Content, *, incomplete: bool = False) -> None:
    """Raise ``InvalidValue`` if a node cannot be stored like this.

    :param incomplete: see :func:`finish`.
    """
    _check(tree, node, reference_fields(type(node)), incomplete=incomplete)


def _check(tree: Tree, node: Content, references: Iterable[Field], *, incomplete: bool) -> None:
    """Raise ``InvalidValue`` if a node cannot be stored like this.

    :param references: those whose pages are looked for.
    """
    if incomplete and is_unpublished(node) and missing_fields(node):
        node.check_incomplete()
    else:
        node.check()
    chosen = {field.name: getattr(node, field.name) for field in references}
    ids = {each for each in chosen.values() if each is not None}
    there = paths_of(tree.session, ids, EVERYTHING) if ids else {}
    for name, node_id in chosen.items():
        if node_id is not None and node_id not in there:
            raise InvalidValue(name, _("There is no such page."))


def is_unpublished(node: Node) -> bool:
    """Whether readers do not see *node* whatever is above it, so that it may be incomplete."""
    return (node.state or PUBLISHED) != PUBLISHED


def refuse_incomplete(event: NodeStateChanged) -> None:
    """Subscriber: what is published must be complete.

    :raises NotComplete: for the fields that are empty.
    :raises InvalidValue: when those that could wait make no sense together.
    """
    node = event.node
    if not isinstance(node, Content) or is_unpublished(node):
        return
    if any(field.may_wait for field in editable_fields(type(node))):
        if missing := missing_fields(node):
            raise NotComplete(node.title, tuple(field.label for field in missing))
        node.check()


def change_type(
    tree: Tree,
    node: Node,
    type_name: str,
    types: ContentTypes,
    values: Mapping[str, Any] | None = None,
    *,
    incomplete: bool = False,
) -> Node:
    """Turn *node* into another type where it stands, keeping what both types have.

    Columns that only the old type has are lost, and so are the references in them.

    :param values: field -> value of fields that the new type adds; the others get their defaults.
    :param incomplete: whether required ones may be empty, as far as their columns can hold that.
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
    new = [table for table in after if table not in before]
    rows = _new_rows(target.cls, new, values or {}, incomplete=incomplete)
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
    cls: type[Node], tables: list[Table], values: Mapping[str, Any], *, incomplete: bool
) -> list[tuple[Table, dict[str, Any]]]:
    """Return the row that each of a type's tables gets, with the given values of its fields."""
    fields = {field.name: field for field in fields_of(cls)}
    places = {name: column for name, column in own_columns(cls) if column.table in tables}
    needed = {name: None for name in places if fields[name].required}
    given = needed | {k: v for k, v in values.items() if k in places}
    checked = validate(cls, given, incomplete=incomplete)
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
