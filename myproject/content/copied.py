"""What copies of a section refer to: each other, where their originals referred to each other.

Works on tables, as copying does: a type whose add-on is switched off is copied like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnClause, bindparam, column, insert, inspect, select, table, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from myproject.content.columns import reference_fields
from myproject.content.known import stored_references
from myproject.content.references import Reference, replace_in_html, replace_in_source
from myproject.content.types import Page
from myproject.db.base import Id
from myproject.db.transaction import mark_changed
from myproject.tree.copying import descend
from myproject.tree.events import NodeCopied
from myproject.tree.node import Node

_BATCH = 500
_NEW_TEXT = (
    update(Page.__table__)
    .where(Page.__table__.c.id == bindparam("page"))
    .values(body=bindparam("text"), body_html=bindparam("html"))
)


def redirect_copied_references(event: NodeCopied) -> None:
    """Subscriber: copies get the references of their originals, to each other where they can.

    Without this the links within a copied section would lead back into the original.
    """
    session = inspect(event.node).session
    if session is None:
        return
    copies, stored = event.copies, Reference.__table__
    section = descend(event.source_id)
    found = session.connection().execute(
        select(stored.c.source_id, stored.c.target_id).join_from(
            section, stored, stored.c.source_id == section.c.id
        )
    )
    # The copy may lie inside its original, whose section is then larger than what was copied.
    rows = [(source, target) for source, target in found if source in copies]

    _redirect(session, {source for source, target in rows if target in copies}, copies)
    if rows:
        session.connection().execute(
            insert(stored),
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
    connection, page = session.connection(), Page.__table__
    columns = _reference_columns(session, ids)
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
        for own, name in columns:
            _redirect_column(session, own, name, batch, copies)
        for node_id in batch:
            _forget_links(session, node_id)


def _reference_columns(session: Session, ids: Sequence[int]) -> list[tuple[str, str]]:
    """Return table and column in which any of these nodes may refer to others."""
    node, names = Node.__table__, set()
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        types = select(node.c.type).where(node.c.id.in_(batch)).distinct()
        names |= set(session.connection().scalars(types))
    found = stored_references(session, sorted(names))
    return [(own, name) for own, columns in found.items() for name in columns]


def _redirect_column(
    session: Session, own: str, name: str, ids: Sequence[int], copies: Mapping[int, int]
) -> None:
    target: ColumnClause[int] = column(name, Id)
    rows, connection = table(own, column("id", Id), target), session.connection()
    found = connection.execute(
        select(rows.c.id, target).where(rows.c.id.in_(ids), target.is_not(None))
    )
    redirected = [
        {"node": node_id, "target": copies[old]} for node_id, old in found if old in copies
    ]
    if redirected:
        new = update(rows).where(rows.c.id == bindparam("node", type_=Id))
        connection.execute(new.values({name: bindparam("target", type_=Id)}), redirected)


def _forget_links(session: Session, node_id: int) -> None:
    """Have what a loaded node says of its links read again."""
    node = session.identity_map.get(identity_key(Node, node_id))
    if node is None:
        return
    names = [field.name for field in reference_fields(type(node))]
    if isinstance(node, Page):
        names += ["body", "body_html"]
    if names:
        session.expire(node, names)
