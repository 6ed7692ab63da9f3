"""The children of a node as editors work with them: sorted, filtered, page by page.

As with all lists a page continues from a key, the value that the list is sorted by and the id, so
what was added or taken away before it changes nothing. There is an index for each order but by
type, so a page of a hundred thousand children is read as quickly as one of a hundred.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from myproject.db.base import Id, UTCDateTime
from myproject.db.caseless import caseless
from myproject.exceptions import NoSuchPlace
from myproject.tree.finding import has_words, word_parameters, words_in
from myproject.tree.node import PUBLISHED, Node
from myproject.tree.timing import seen_state
from myproject.tree.visibility import Kind, Visibility, ids_in, visible

_NODE = Node.__table__
_CHILD = _NODE.alias("child")


class Order(StrEnum):
    """What contents are sorted by."""

    POSITION = "position"
    TITLE = "title"
    MODIFIED = "modified"
    TYPE = "type"
    NAME = "name"


class Line(NamedTuple):
    """A node as the list of contents has it."""

    id: int
    name: str
    position: int
    type: str
    title: str
    state: str
    boundary_id: int
    modified_at: dt.datetime
    draft_id: int | None
    stage: str
    publish_at: dt.datetime | None
    expire_at: dt.datetime | None
    has_children: bool


_COLUMNS = [_NODE.c[field] for field in Line._fields[:-1]]

_SORTED: Mapping[Order, tuple[ColumnElement[Any], Any]] = {
    Order.POSITION: (_NODE.c.position, Id),
    Order.TITLE: (caseless(_NODE.c.title), String),
    Order.MODIFIED: (_NODE.c.modified_at, UTCDateTime),
    Order.TYPE: (_NODE.c.type, String),
    Order.NAME: (_NODE.c.name, String),
}

_KEY = re.compile(r"([0-9]{1,18})\.(.*)", re.DOTALL)
_POSITION = re.compile(r"-?[0-9]{1,18}")


class Key(NamedTuple):
    """A place in a sorted list, just behind or before a node."""

    value: Any
    id: int

    def __str__(self) -> str:
        value = self.value.isoformat() if isinstance(self.value, dt.datetime) else self.value
        return f"{self.id}.{value}"

    @classmethod
    def parse(cls, order: Order, text: str) -> Key:
        """Return the key that ``str()`` wrote for a list sorted by *order*.

        :raises InvalidValue: for anything else.
        """
        match = _KEY.fullmatch(text[:600].replace("\0", ""))
        value: Any = None if match is None else match[2]
        if order is Order.POSITION and value is not None:
            value = int(value) if _POSITION.fullmatch(value) else None
        elif order is Order.MODIFIED and value is not None:
            value = _moment(value)
        if match is None or value is None:
            raise NoSuchPlace("after", text)
        return cls(value, int(match[1]))


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


@dataclass(frozen=True, slots=True)
class Listing:
    """Which contents, and in what order.

    :ivar after, before: where the page begins, or where it ends; the first page for neither.
    :ivar text: what is in the title or the name of each.
    :ivar type, state: empty for all.
    :ivar stages: the states between a draft and a published page: a page is a draft where its
        stage is none of these.
    """

    order: Order = Order.POSITION
    descending: bool = False
    after: Key | None = None
    before: Key | None = None
    text: str = ""
    type: str = ""
    state: str = ""
    stages: tuple[str, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """Whether some of the contents may be left out."""
        return bool(self.text or self.type or self.state)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of contents.

    :ivar earlier, later: whether there is more on that side.
    :ivar following: the first line of the next page.
    """

    lines: Sequence[Line]
    earlier: bool
    later: bool
    following: Line | None = None


class _Shape(NamedTuple):
    """What the text of a statement depends on."""

    kind: Kind
    order: Order
    descending: bool
    starts: bool
    words: tuple[int, ...]
    typed: bool
    stated: Literal["", "state", "stage"]
    stages: tuple[str, ...] = ()


def key_of(line: Line, order: Order) -> Key:
    """Return the key of a line in a list sorted by *order*."""
    field = "modified_at" if order is Order.MODIFIED else order.value
    return Key(getattr(line, field), line.id)


def load_contents(
    session: Session, parent_id: int, below: Visibility, listing: Listing, *, size: int = 50
) -> Page:
    """Return a page of the visible children of a node; one statement.

    :param below: what of the children and theirs may be seen.
    :param size: lines at most.
    """
    backwards = listing.before is not None
    key = listing.before or listing.after
    shape, parameters = _shape(parent_id, below, listing, key, backwards=backwards)
    parameters["limit"] = size + 1
    found = session.connection().execute(_page_query(shape), parameters).all()
    lines = [Line._make(row) for row in found]
    rest = len(lines) > size
    following = None
    if backwards:
        lines = lines[:size][::-1]
        return Page(lines, earlier=rest, later=True)
    if rest:
        following = lines[size]
    return Page(lines[:size], key is not None, rest, following)


def count_contents(
    session: Session, parent_id: int, below: Visibility, listing: Listing, *, most: int
) -> int:
    """Return how many visible children a listing has on all of its pages, *most* at most."""
    shape, parameters = _shape(parent_id, below, listing, None)
    inside = _ids_query(shape).limit(bindparam("limit")).subquery()
    query = select(func.count()).select_from(inside)
    return session.connection().scalar(query, {**parameters, "limit": most}) or 0


def ids_of_contents(
    session: Session, parent_id: int, below: Visibility, listing: Listing, *, most: int
) -> list[int]:
    """Return the ids of a listing's nodes on all of its pages, in order, *most* at most."""
    shape, parameters = _shape(parent_id, below, listing, None)
    query = _ids_query(shape).order_by(*_ordered(shape)).limit(bindparam("limit"))
    return list(session.connection().execute(query, {**parameters, "limit": most}).scalars())


def kept_of(session: Session, parent_id: int, below: Visibility, ids: Sequence[int]) -> list[int]:
    """Return those of some ids that are visible children of a node, in the order given."""
    if not ids:
        return []
    query = select(_NODE.c.id).where(
        _NODE.c.parent_id == parent_id,
        visible(_NODE.c, below.kind, "below"),
        _NODE.c.id.op("IN", is_comparison=True)(ids_in(bindparam("ids", type_=String))),
    )
    parameters = {"ids": ",".join(map(str, ids)), **below.parameters("below")}
    there = set(session.connection().execute(query, parameters).scalars())
    return [number for number in ids if number in there]


def neighbour_at(
    session: Session, node: Node, below: Visibility, direction: str
) -> tuple[bool, int | None]:
    """Return whether *node* can go one up or down among its siblings, and which to stand before.

    :param below: what of the siblings may be seen: those that may not do not count.
    :param direction: ``up``, ``down``, ``top`` or ``bottom``.
    :returns: the id of a sibling; None for the end.
    """
    if direction in ("top", "bottom"):
        first = _siblings(node, below).order_by(_NODE.c.position, _NODE.c.id).limit(1)
        ids = _ids(session, first, below)
        return bool(ids), (ids[0] if ids and direction == "top" else None)
    here = and_(
        _NODE.c.position >= node.position,
        or_(_NODE.c.position > node.position, _NODE.c.id > node.id),
    )
    if direction == "down":
        query = _siblings(node, below).where(here).order_by(_NODE.c.position, _NODE.c.id).limit(2)
        ids = _ids(session, query, below)
        return bool(ids), ids[1] if len(ids) == 2 else None
    above = and_(
        _NODE.c.position <= node.position,
        or_(_NODE.c.position < node.position, _NODE.c.id < node.id),
    )
    query = _siblings(node, below).where(above)
    query = query.order_by(_NODE.c.position.desc(), _NODE.c.id.desc()).limit(1)
    ids = _ids(session, query, below)
    return bool(ids), ids[0] if ids else None


def sibling_at(session: Session, node: Node, below: Visibility, number: int) -> int | None:
    """Return which of its siblings *node* has to stand before to be the *number*-th, from 1.

    :returns: None for the end.
    """
    query = _siblings(node, below).order_by(_NODE.c.position, _NODE.c.id)
    ids = _ids(session, query.offset(max(0, number - 1)).limit(1), below)
    return ids[0] if ids else None


def number_of(session: Session, node: Node, below: Visibility) -> tuple[int, int]:
    """Return the how-manieth of its siblings *node* is, from 1, and how many there are."""
    before = or_(
        _NODE.c.position < node.position,
        and_(_NODE.c.position == node.position, _NODE.c.id < node.id),
    )
    siblings = _siblings(node, below).subquery()
    ahead = _siblings(node, below).where(before).subquery()
    query = select(
        *(
            select(func.count()).select_from(part).scalar_subquery().label(name)
            for name, part in (("ahead", ahead), ("others", siblings))
        )
    )
    row = session.connection().execute(query, below.parameters("below")).one()
    return row.ahead + 1, row.others + 1


def _siblings(node: Node, below: Visibility) -> Select[int]:
    mine = and_(_NODE.c.parent_id == node.parent_id, _NODE.c.id != node.id)
    return select(_NODE.c.id).where(mine, visible(_NODE.c, below.kind, "below"))


def _ids(session: Session, query: Select[int], below: Visibility) -> list[int]:
    return list(session.connection().execute(query, below.parameters("below")).scalars())


def _shape(
    parent_id: int,
    below: Visibility,
    listing: Listing,
    key: Key | None,
    *,
    backwards: bool = False,
) -> tuple[_Shape, dict[str, Any]]:
    words, parameters = word_parameters(words_in(listing.text))
    values: dict[str, Any] = {
        "parent_id": parent_id, **parameters, **below.parameters("below")
    }  # fmt: skip
    if key is not None:
        values |= {"value": key.value, "id": key.id}
    for name in ("type", "state"):
        if getattr(listing, name):
            values[f"{name}_wanted"] = getattr(listing, name)
    stated = "stage" if listing.state in listing.stages else "state" if listing.state else ""
    shape = _Shape(
        below.kind,
        listing.order,
        listing.descending is not backwards,
        key is not None,
        words,
        bool(listing.type),
        stated,
        listing.stages if stated and listing.state != PUBLISHED else (),
    )
    return shape, values


@cache
def _ids_query(shape: _Shape) -> Select[*tuple[Any, ...]]:
    """Return the statement for a listing's ids, on all of its pages and in no order."""
    return select(_NODE.c.id).where(*_matching(shape))


@cache
def _page_query(shape: _Shape) -> Select[*tuple[Any, ...]]:
    """Return the statement for one page.

    Whether each line has children is asked outside of the limit, see ``tree/listing.py``.
    """
    matching = select(*_COLUMNS).where(*_matching(shape))
    if shape.starts:
        matching = matching.where(_beyond(shape))
    limited = matching.order_by(*_ordered(shape)).limit(bindparam("limit")).subquery()
    first_child = (
        select(_CHILD.c.id)
        .where(_CHILD.c.parent_id == limited.c.id, visible(_CHILD.c, shape.kind, "below"))
        .order_by(_CHILD.c.position, _CHILD.c.id)
        .limit(1)
        .scalar_subquery()
    )
    # Sorted once more: what is looked up for each line need not leave them in order.
    return select(limited, first_child.is_not(None)).order_by(*_ordered(shape, limited.c))


def _matching(shape: _Shape) -> list[ColumnElement[bool]]:
    found = [
        _NODE.c.parent_id == bindparam("parent_id", type_=Id),
        visible(_NODE.c, shape.kind, "below"),
    ]
    if shape.words:
        found.append(has_words(shape.words, _NODE.c.title, _NODE.c.name))
    if shape.typed:
        found.append(_NODE.c.type == bindparam("type_wanted", type_=String))
    wanted = bindparam("state_wanted", type_=String)
    if shape.stated == "stage":
        hidden = or_(seen_state(_NODE.c) != PUBLISHED, _NODE.c.draft_id.is_not(None))
        found += [_NODE.c.stage == wanted, hidden]
    elif shape.stated:
        found.append(seen_state(_NODE.c) == wanted)
        if shape.stages:
            found.append(_NODE.c.stage.not_in(shape.stages))
    return found


def _beyond(shape: _Shape) -> ColumnElement[bool]:
    """Return "this row comes after the key", in a form of which SQLite uses the index."""
    column, kind = _SORTED[shape.order]
    value: ColumnElement[Any] = bindparam("value", type_=kind)
    if shape.order is Order.TITLE:
        value = caseless(value)
    number = bindparam("id", type_=Id)
    if shape.descending:
        return and_(column <= value, or_(column < value, _NODE.c.id < number))
    return and_(column >= value, or_(column > value, _NODE.c.id > number))


def _ordered(shape: _Shape, columns: Any = None) -> list[ColumnElement[Any]]:
    """Return what rows are sorted by.

    :param columns: those of a subquery; the table's own when left out.
    """
    key = _SORTED[shape.order][0]
    if columns is not None:
        by_title = shape.order is Order.TITLE
        field = "modified_at" if shape.order is Order.MODIFIED else shape.order.value
        key = caseless(columns[field]) if by_title else columns[field]
    number = _NODE.c.id if columns is None else columns.id
    return [column.desc() if shape.descending else column for column in (key, number)]
