"""Copying a section row by row, level by level, whatever types it holds.

Works on tables, not on mapped objects: a copy of 100,000 pages builds no object, and columns of
add-ons are copied without knowing them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from sqlalchemy import CTE, Table, bindparam, insert, literal, select, update
from sqlalchemy.orm import Session

from myproject.db.base import utcnow
from myproject.exceptions import NotAddable
from myproject.tree.node import UNAVAILABLE, Node

_CHUNK = 500
_OWN_BOUNDARY = (
    update(Node.__table__)
    .where(Node.__table__.c.id == bindparam("node"))
    .values(boundary_id=bindparam("node"))
)


def descend(node_id: int) -> CTE:
    """Return a recursive query over a section: columns ``id`` and ``depth`` (0 at its top)."""
    node = Node.__table__
    down = select(node.c.id, literal(0).label("depth")).where(node.c.id == node_id)
    down = down.cte("down", recursive=True)
    return down.union_all(
        select(node.c.id, down.c.depth + 1).join_from(down, node, node.c.parent_id == down.c.id)
    )


def copy_section(session: Session, node_id: int, placed: Mapping[str, Any]) -> dict[int, int]:
    """Copy the section below *node_id*, its top included.

    :param placed: ``parent_id``, ``name``, ``position`` and inherited ``boundary_id`` of the top's
        copy. Copies of boundaries become boundaries.
    :returns: id of each original -> id of its copy.
    :raises NotAddable: when a type in the section has no mapped class here.
    """
    connection = session.connection()
    node, down = Node.__table__, descend(node_id)
    address = (node.c.parent_id, node.c.name)
    # Read as a whole before the first insert: the copy may be placed inside its own original.
    rows = connection.execute(
        select(node, down.c.depth)
        .join_from(down, node, node.c.id == down.c.id)
        .order_by(down.c.depth, node.c.id)
    ).all()
    copies: dict[int, int] = {}
    ids_by_type: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        ids_by_type[row.type].append(row.id)
    tables = {name: _own_tables(name) for name in ids_by_type}
    now = utcnow()
    for depth, level in groupby(rows, key=lambda row: row.depth):
        originals = list(level)
        values = [
            _without(row._mapping, "id", "depth")
            | {"created_at": now, "modified_at": now}
            | (dict(placed) if depth == 0 else {"parent_id": copies[row.parent_id]})
            # One from outside of the section is that of the place where the copy goes.
            | {"boundary_id": copies.get(row.boundary_id, placed["boundary_id"])}
            for row in originals
        ]
        # Matched by what is unique: rows come back in any order, and SQLite would have to insert
        # them one by one to give them back in this one.
        inserted = connection.execute(insert(node).returning(node.c.id, *address), values)
        ids = {(row.parent_id, row.name): row.id for row in inserted}
        for row, value in zip(originals, values, strict=True):
            copies[row.id] = ids[value["parent_id"], value["name"]]
        own = [{"node": copies[row.id]} for row in originals if row.boundary_id == row.id]
        if own:
            connection.execute(_OWN_BOUNDARY, own)
    for type_name, ids in ids_by_type.items():
        for table in tables[type_name]:
            _copy_rows(session, table, ids, copies)
    return copies


def _own_tables(type_name: str) -> list[Table]:
    types = Node.__mapper__.polymorphic_map
    if type_name not in types or type_name == UNAVAILABLE:
        raise NotAddable(
            f"The section holds a page of type {type_name!r}, whose add-on is not installed. "
            "Switch the add-on on, or leave that page out."
        )
    return [table for table in types[type_name].tables if table is not Node.__table__]  # type: ignore[misc]


def _copy_rows(session: Session, table: Table, ids: list[int], copies: dict[int, int]) -> None:
    (key,) = table.primary_key.columns
    connection = session.connection()
    for chunk in _chunks(ids):
        rows = connection.execute(select(table).where(key.in_(chunk)))
        values = [{**row._mapping, key.name: copies[row._mapping[key]]} for row in rows]
        if values:
            connection.execute(insert(table), values)


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _without(row: Mapping[Any, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}
