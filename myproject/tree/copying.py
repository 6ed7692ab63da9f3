"""Copying a section row by row, level by level, whatever types it holds.

Works on tables, not on mapped objects: a copy of 100,000 pages builds no object, and columns of
add-ons are copied without knowing them, also of those that are switched off.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from typing import Any

from pyramid.i18n import TranslationStringFactory
from sqlalchemy import (
    CTE,
    TableClause,
    bindparam,
    case,
    column,
    insert,
    inspect,
    literal,
    select,
    table,
    update,
)
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.orm import Session

from myproject.db.base import Id, utcnow
from myproject.exceptions import NotAddable
from myproject.tree.known import CORE, KnownType, known_types, own_tables
from myproject.tree.node import DRAFT, TRASHED, UNAVAILABLE, Node

_ = TranslationStringFactory("myproject")

_CHUNK = 500
_NOTHING_WAITS = {"draft_id": None, "stage": "", "publish_at": None, "expire_at": None}
_OWN_BOUNDARY = (
    update(Node.__table__)
    .where(Node.__table__.c.id == bindparam("node"))
    .values(boundary_id=bindparam("node"))
)


def descend(*node_ids: int, trash: bool = True) -> CTE:
    """Return a recursive query over sections: columns ``id`` and ``depth`` (0 at their tops).

    :param trash: whether to include what lies in the trash below a top.
    """
    node = Node.__table__
    down = select(node.c.id, literal(0).label("depth")).where(node.c.id.in_(node_ids))
    down = down.cte("down", recursive=True)
    below = node.c.parent_id == down.c.id
    if not trash:
        below &= node.c.state != TRASHED
    return down.union_all(select(node.c.id, down.c.depth + 1).join_from(down, node, below))


def copy_section(session: Session, node_id: int, placed: Mapping[str, Any]) -> dict[int, int]:
    """Copy the section below *node_id*, its top included.

    :param placed: ``parent_id``, ``name``, ``position`` and inherited ``boundary_id`` of the top's
        copy. Copies of boundaries become boundaries.
    :returns: id of each original -> id of its copy.
    :raises NotAddable: when nobody knows in which tables a type in the section has its columns.
    """
    connection = session.connection()
    node, down = Node.__table__, descend(node_id, trash=False)
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
    tables = _own_tables(session, ids_by_type)
    now = utcnow()
    for depth, level in groupby(rows, key=lambda row: row.depth):
        originals = list(level)
        values = [
            _without(row._mapping, "id", "depth")
            # What waits to be published waits there, and not in the copy.
            | {"created_at": now, "modified_at": now, **_NOTHING_WAITS}
            # And what readers see no longer is not brought back to them by being copied.
            | {"state": DRAFT if _is_over(row, now) else row.state}
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
        for own in tables[type_name]:
            _copy_rows(session, own, ids, copies)
    return copies


def _is_over(row: Any, now: dt.datetime) -> bool:
    """Whether the time has come from which readers do not see a page any more."""
    return row.expire_at is not None and row.expire_at <= now


def _own_tables(session: Session, type_names: Collection[str]) -> dict[str, list[TableClause]]:
    """Return the tables that hold the own columns of types."""
    tables: dict[str, list[TableClause]] = {}
    known: dict[str, KnownType] | None = None
    for name in type_names:
        mapper = Node.__mapper__.polymorphic_map.get(name) if name != UNAVAILABLE else None
        mapped: list[Any] = own_tables(mapper.class_) if mapper else []
        if mapper is None or not all(CORE in own.info for own in mapped):
            # What this site remembers counts: a class may be there for another site only.
            known = known_types(session) if known is None else known
            if name in known:
                mapped = [_described(session, table) for table in known[name].tables]
            elif mapper is None:
                raise NotAddable(
                    _(
                        "The section holds a page of type “${type}”, whose add-on is not "
                        "installed. Switch the add-on on, or leave that page out.",
                        mapping={"type": name},
                    )
                )
        tables[name] = mapped
    return tables


def _described(session: Session, name: str) -> TableClause:
    """Return a table as the database describes it, without columns where there is none."""
    names = columns_in_database(session, name)
    return table(name, *(column(each, Id if each == "id" else None) for each in names))


def columns_in_database(session: Session, name: str) -> list[str]:
    """Return the names of a table's columns; none where the database has no such table."""
    try:
        return [found["name"] for found in inspect(session.connection()).get_columns(name)]
    except NoSuchTableError:
        return []


def _copy_rows(
    session: Session, own: TableClause, ids: list[int], copies: Mapping[int, int]
) -> None:
    """Copy rows within the database: no value is read, so every type of column will do."""
    if "id" not in own.c:
        return
    others = [each for each in own.c if each.name != "id"]
    names = ["id", *(each.name for each in others)]
    for chunk in _chunks(ids):
        numbers = case({each: literal(copies[each], Id) for each in chunk}, value=own.c.id)
        rows = select(numbers, *others).where(own.c.id.in_(chunk))
        session.connection().execute(insert(own).from_select(names, rows, include_defaults=False))


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _without(row: Mapping[Any, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in keys}
