"""Lists of nodes for reading screens, as plain rows: no entity is built for a mere link.

All lists are limited and continue from a key (position and id of the last row), so that the
thousandth page of ten thousand children costs what the first one does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Tuple,
    bindparam,
    case,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from myproject.db.base import Id
from myproject.exceptions import NoSuchPlace
from myproject.tree.node import Node
from myproject.tree.visibility import Kind, Visibility, visible


class Row(NamedTuple):
    """What a list shows of a node."""

    id: int
    name: str
    position: int
    type: str
    title: str
    nav_title: str
    summary: str
    has_children: bool


#: Two numbers of at most 18 digits, which fit into 64 bits.
_KEY_TEXT = re.compile(r"(-?[0-9]{1,18})\.([0-9]{1,18})")


class Key(NamedTuple):
    """A place between two siblings: everything after it has a greater ``(position, id)``."""

    position: int
    id: int

    def __str__(self) -> str:
        return f"{self.position}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """Return the key that ``str()`` wrote.

        :raises InvalidValue: for anything else.
        """
        match = _KEY_TEXT.fullmatch(text)
        if match is None:
            raise NoSuchPlace("after", text)
        return cls(int(match[1]), int(match[2]))


#: Before every sibling.
START = Key(-(1 << 63), 0)


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The surroundings of a node: a window of its siblings, itself included, and its children.

    :ivar siblings: in order; empty at the root.
    :ivar more_before, more_after: whether siblings were left out on that side.
    :ivar children: in order, from the key that was asked for.
    :ivar more_children: whether there are more behind the last one.
    """

    siblings: Sequence[Row]
    more_before: bool
    more_after: bool
    children: Sequence[Row]
    more_children: bool


_order = attrgetter("position", "id")
_NODE = Node.__table__
_row_key = tuple_(_NODE.c.position, _NODE.c.id)
_ASCENDING = (_NODE.c.position, _NODE.c.id)
_DESCENDING = tuple(column.desc() for column in _ASCENDING)


def _key(position: str, id: str) -> Tuple:  # noqa: A002 - the column's name
    """Return a key out of two bound parameters."""
    return tuple_(bindparam(position, type_=Id), bindparam(id, type_=Id))


def _rows(
    part: int,
    parent_id: str,
    stretch: ColumnElement[bool],
    order: Sequence[Any],
    limit: str,
    kind: Kind,
    where: str,
    but: str | None = None,
) -> Select[*tuple[Any, ...]]:
    """Return the statement for a limited stretch of a node's visible children.

    :param kind, where: see :func:`myproject.tree.visibility.visible`.
    :param but: the parameter with the id of one of them of which it is not asked whether it has
        children.

    Whether they have children themselves is asked outside of the limit. Inside, PostgreSQL would
    plan it for all siblings, and rather read the whole table once than look up so many.
    """
    beside = _NODE.c.parent_id == bindparam(parent_id, type_=Id)
    columns = [_NODE.c[field] for field in Row._fields[:-1]]
    rows = select(*columns).where(beside, stretch, visible(_NODE.c, kind, where))
    limited = rows.order_by(*order).limit(bindparam(limit)).subquery()
    child = _NODE.alias("child")
    # Not EXISTS: where nodes have many children on average, PostgreSQL expects to meet one soon and
    # reads the whole table for each that has none. The order leaves it nothing but the index.
    first_child = (
        select(child.c.id)
        .where(child.c.parent_id == limited.c.id, visible(child.c, kind, where))
        .order_by(child.c.position, child.c.id)
        .limit(1)
        .scalar_subquery()
    )
    has_children: ColumnElement[bool] = first_child.is_not(None)
    if but is not None:
        itself = limited.c.id == bindparam(but, type_=Id)
        has_children = case((itself, null()), else_=has_children)
    return select(literal(part).label("part"), limited, has_children.label("has_children"))


@cache
def _children_query(kind: Kind) -> Select[*tuple[Any, ...]]:
    after = _row_key > _key("after_position", "after_id")
    return _rows(2, "id", after, _ASCENDING, "page", kind, "below")


@cache
def _neighbourhood_query(beside: Kind, below: Kind) -> CompoundSelect[*tuple[Any, ...]]:
    here = _key("position", "id")
    before = _rows(0, "parent_id", _row_key < here, _DESCENDING, "window", beside, "beside", "id")
    onward = _rows(1, "parent_id", _row_key >= here, _ASCENDING, "window", beside, "beside", "id")
    return union_all(before, onward, _children_query(below))


def load_neighbourhood(
    session: Session,
    node: Node,
    below: Visibility,
    beside: Visibility | None = None,
    *,
    after: Key = START,
    window: int = 30,
    page: int = 50,
) -> Neighbourhood:
    """Return what somebody may see around *node*, in one statement.

    :param below: what of the children and theirs.
    :param beside: what of the siblings and their children; the same when left out.
    :param after: where the children's list begins.
    :param window: siblings at most, before the node as well as from it on.
    :param page: children at most.
    """
    beside = below if beside is None else beside
    parameters = {
        "parent_id": node.parent_id,
        "id": node.id,
        "position": node.position,
        "window": window + 1,
        "page": page + 1,
        "after_position": after.position,
        "after_id": after.id,
        **beside.parameters("beside"),
        **below.parameters("below"),
    }
    query = _neighbourhood_query(beside.kind, below.kind)
    found = session.connection().execute(query, parameters)
    parts: tuple[list[Row], list[Row], list[Row]] = ([], [], [])
    # All at once: SQLite lets go of the interpreter at every single fetch.
    for part, *columns in found.all():
        parts[part].append(Row._make(columns))
    for rows in parts:
        rows.sort(key=_order)
    before, onward, children = parts
    if onward and onward[0].id == node.id:
        # The first page of them says so.
        onward[0] = onward[0]._replace(has_children=bool(children) or after != START)
    return Neighbourhood(
        siblings=[*before[max(0, len(before) - window) :], *onward[:window]],
        more_before=len(before) > window,
        more_after=len(onward) > window,
        children=children[:page],
        more_children=len(children) > page,
    )


def load_children(
    session: Session, node_id: int, below: Visibility, *, after: Key = START, page: int = 50
) -> tuple[list[Row], bool]:
    """Return the visible children of a node from a key on, and whether there are more.

    :param below: what of the children and theirs may be seen.
    """
    parameters = {
        "id": node_id,
        "page": page + 1,
        "after_position": after.position,
        "after_id": after.id,
        **below.parameters("below"),
    }
    found = session.connection().execute(_children_query(below.kind), parameters)
    rows = sorted((Row._make(columns) for _, *columns in found.all()), key=_order)
    return rows[:page], len(rows) > page


def load_similar(
    session: Session, parent_id: int, name: str, visibility: Visibility, limit: int = 200
) -> list[int]:
    """Return ids of visible nodes that somebody who asked for *name* may have meant.

    Children of *parent_id* that begin alike, and nodes of this very name anywhere; at most
    *limit* of each.
    """
    node = _NODE
    start = func.lower(name[:3])
    alike = (
        (node.c.parent_id == parent_id) & (func.lower(func.substr(node.c.name, 1, 3)) == start),
        or_(node.c.name == name, node.c.name == name.lower()),
    )
    ids: dict[int, None] = {}
    connection = session.connection()
    for condition in alike:
        query = (
            select(node.c.id)
            .where(condition, visible(node.c, visibility.kind))
            .order_by(node.c.id)
            .limit(limit)
        )
        ids.update(dict.fromkeys(connection.scalars(query, visibility.parameters())))
    return list(ids)
