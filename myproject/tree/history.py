"""Where each node stood at any time, and the lineage of an address as it was then.

A row says where a node stood from one moment to another; the one that still holds has no end. All
that one transaction changes changes at one moment, so nobody ever sees half of a release. What was
deleted for good has no history either.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, Id, UTCDateTime, utcnow
from myproject.db.transaction import mark_changed
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.traversal import segment_at

#: Key of ``session.info``: when what its transaction writes begins to hold.
_MOMENT = "moment"

_CHUNK = 500


class Place(Base):
    """Where a node stood for a time."""

    __tablename__ = "place"

    node_id: Mapped[int] = mapped_column(
        Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    valid_from: Mapped[dt.datetime] = mapped_column(UTCDateTime, primary_key=True)
    valid_to: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    parent_id: Mapped[int | None] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(255))
    position: Mapped[int] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(20))
    #: The release of several pages that it belongs to.
    changeset_id: Mapped[int | None] = mapped_column(Id)

    __table_args__ = (
        # An address as of a time is walked by it, as one of today is by that of the nodes.
        Index(None, "parent_id", "name", "valid_from"),
    )


_PLACE = Place.__table__
_NODE = Node.__table__
#: What a node has in common with its places.
_STANDING = ("parent_id", "name", "position", "state")


def moment_of(session: Session) -> dt.datetime:
    """Return when what the session's transaction writes begins to hold: always the same."""
    return session.info.setdefault(_MOMENT, utcnow())


def set_moment(session: Session, moment: dt.datetime) -> None:
    """Say when what is written from now on begins to hold, as for an import of a history."""
    session.info[_MOMENT] = moment


def keep_place(session: Session, node: Node) -> None:
    """Keep where *node* stands now, and that it no longer stands where it did."""
    now = moment_of(session)
    standing = {name: getattr(node, name) for name in _STANDING}
    connection = session.connection()
    mine = _PLACE.c.node_id == node.id
    # Changed twice in one transaction: nobody has seen what was in between.
    again = update(_PLACE).where(mine, _PLACE.c.valid_from == now).values(standing)
    if not connection.execute(again).rowcount:
        ended = update(_PLACE).where(mine, _PLACE.c.valid_to.is_(None)).values(valid_to=now)
        connection.execute(ended)
        connection.execute(insert(_PLACE).values(node_id=node.id, valid_from=now, **standing))
    mark_changed(session)


def standing_since(session: Session, node_id: int) -> dt.datetime:
    """Return since when a node stands where it does; now, for one of which nothing is kept."""
    query = select(func.max(_PLACE.c.valid_from)).where(_PLACE.c.node_id == node_id)
    return session.connection().scalar(query) or moment_of(session)


def begin_places(session: Session, nodes: Iterable[Node]) -> None:
    """Keep where nodes stand that are new."""
    now = moment_of(session)
    rows = [
        {"node_id": node.id, "valid_from": now} | {name: getattr(node, name) for name in _STANDING}
        for node in nodes
    ]
    if rows:
        session.connection().execute(insert(_PLACE), rows)
        mark_changed(session)


def keep_places(session: Session, condition: ColumnElement[bool]) -> None:
    """Keep where many nodes stand now, as :func:`keep_place` does for one; three statements.

    :param condition: which, for the columns of the node table.
    """
    now, connection = moment_of(session), session.connection()
    ids = select(_NODE.c.id).where(condition)
    mine = _PLACE.c.node_id.in_(ids)
    connection.execute(delete(_PLACE).where(mine, _PLACE.c.valid_from == now))
    connection.execute(update(_PLACE).where(mine, _PLACE.c.valid_to.is_(None)).values(valid_to=now))
    names = ["node_id", "valid_from", *_STANDING]
    columns = [_NODE.c.id, literal(now, UTCDateTime), *(_NODE.c[name] for name in _STANDING)]
    rows = select(*columns).where(condition)
    connection.execute(insert(_PLACE).from_select(names, rows, include_defaults=False))
    mark_changed(session)


def keep_places_of(session: Session, ids: Collection[int]) -> None:
    """Keep where these nodes stand now."""
    listed = sorted(ids)
    for start in range(0, len(listed), _CHUNK):
        keep_places(session, _NODE.c.id.in_(listed[start : start + _CHUNK]))


# -- the site as it was ---------------------------------------------------------------------------


class PastNode(NamedTuple):
    """A node on the way to an address, as it stood then."""

    id: int
    parent_id: int | None
    name: str
    position: int
    state: str


def held_at(columns: Any, at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return "this row held at a time", for columns ``valid_from`` and ``valid_to``."""
    return and_(columns.valid_from <= at, or_(columns.valid_to.is_(None), at < columns.valid_to))


@cache
def past_lineage() -> Any:
    """Return the recursive query of :func:`load_past_lineage`: the columns of ``PastNode`` and
    ``depth``; parameters ``names``, ``at`` and ``start``.

    It is guided by the segments of an address like that of the traversal, and so touches the rows
    on the way, each as often as something with this name has stood there.
    """
    names: ColumnElement[str] = bindparam("names", type_=String)
    at = bindparam("at", type_=UTCDateTime)
    columns = [_PLACE.c.node_id.label("id"), *(_PLACE.c[name] for name in _STANDING)]
    start = _PLACE.c.node_id == bindparam("start", type_=Id)
    walk = select(*columns, literal(0).label("depth")).where(start, held_at(_PLACE.c, at))
    walk = walk.cte("past", recursive=True)
    child = _PLACE.alias("child")
    columns = [child.c.node_id, *(child.c[name] for name in _STANDING)]
    on = (child.c.parent_id == walk.c.id) & (child.c.name == segment_at(names, walk.c.depth))
    step = select(*columns, walk.c.depth + 1).join_from(walk, child, on & held_at(child.c, at))
    return walk.union_all(step)


@cache
def _past_lineage_query() -> Select[*tuple[Any, ...]]:
    walk = past_lineage()
    return select(*(walk.c[name] for name in PastNode._fields)).order_by(walk.c.depth)


def load_past_lineage(
    session: Session, segments: Sequence[str], at: dt.datetime, start: int = ROOT_ID
) -> list[PastNode]:
    """Return the nodes from *start* down along *segments*, as far as they existed at a time.

    One statement; the states say what readers could see.

    :param segments: decoded names in NFC, as they were then.
    :param at: an aware time.
    :returns: nothing for a time before there was anything.
    """
    parameters = {"start": start, "names": json.dumps(segments), "at": at}
    rows = session.connection().execute(_past_lineage_query(), parameters).all()
    return [PastNode(*row) for row in rows]


def load_past_children(session: Session, node_id: int, at: dt.datetime) -> list[PastNode]:
    """Return the children that a node had at a time, in the order that they had; one statement."""
    columns = [_PLACE.c.node_id, *(_PLACE.c[name] for name in _STANDING)]
    query = (
        select(*columns)
        .where(_PLACE.c.parent_id == node_id, held_at(_PLACE.c, literal(at, UTCDateTime)))
        .order_by(_PLACE.c.position, _PLACE.c.node_id)
    )
    return [PastNode(*row) for row in session.connection().execute(query)]


def unplaced(session: Session) -> list[int]:
    """Return the ids of nodes of which it is not kept that they stand where they do."""
    present = and_(
        _PLACE.c.node_id == _NODE.c.id,
        _PLACE.c.valid_to.is_(null()),
        _PLACE.c.parent_id.is_not_distinct_from(_NODE.c.parent_id),
        *(_PLACE.c[name] == _NODE.c[name] for name in _STANDING[1:]),
    )
    query = select(_NODE.c.id).where(~select(_PLACE.c.node_id).where(present).exists())
    return list(session.connection().scalars(query.order_by(_NODE.c.id)))


def repair(session: Session) -> int:
    """Have the history end with where each node stands; return for how many it did not."""
    wrong = unplaced(session)
    keep_places_of(session, wrong)
    return len(wrong)
