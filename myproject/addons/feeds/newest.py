"""The newest pages below a place, found without reading all that lies there.

Nobody knows beforehand whether to look among the newest pages of the whole site for those that lie
below the place (quick where much is changed there), or to walk through the place and sort what is
found (quick where it is small). So both are tried in turns, each time with more patience: what is
read is bounded, and not much more than the better of the two would have read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from myproject.db.base import Id, UTCDateTime, from_microseconds, to_microseconds
from myproject.exceptions import NoSuchPlace
from myproject.tree.listing import Key
from myproject.tree.node import Node
from myproject.tree.timing import seen_state
from myproject.tree.visibility import Kind, Visibility, leads, visible

NODE = Node.__table__

SCAN, WALK = "scan", "walk"

#: How much each attempt reads: nodes among the newest, nodes of the place. A node of the first
#: costs ten times as much, because it is climbed from.
ATTEMPTS = (
    (SCAN, 120),
    (WALK, 2_000),
    (SCAN, 1_000),
    (WALK, 20_000),
    (SCAN, 5_000),
    (WALK, 200_000),
)

#: Newer than everything.
NOW = (dt.datetime.max.replace(tzinfo=dt.UTC), 0)

#: A node's place in the order: when it was changed, and its id.
Moment = tuple[dt.datetime, int]


class Place(NamedTuple):
    """What is known of a node on the way to a page, the page included."""

    id: int
    parent_id: int | None
    name: str
    title: str
    boundary_id: int
    state: str


class Found(NamedTuple):
    """A page that was found.

    :ivar places: the way to it, from the root down to the page itself.
    """

    places: Sequence[Place]
    modified_at: dt.datetime

    @property
    def id(self) -> int:
        """The page's id."""
        return self.places[-1].id

    @property
    def names(self) -> tuple[str, ...]:
        """The names from the root down to the page."""
        return tuple(place.name for place in self.places[1:])


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest pages.

    :ivar after: where the rest begins; None if there is no more.
    """

    found: Sequence[Found]
    after: Moment | None


def key_of(moment: Moment) -> Key:
    """Return what an address says for a place in the order."""
    at, node_id = moment
    return Key(to_microseconds(at), node_id)


def moment_of(key: str) -> Moment:
    """Return the place in the order that an address names.

    :raises InvalidValue: when it names none.
    """
    parsed = Key.parse(key)
    try:
        return from_microseconds(parsed.position), parsed.id
    except OverflowError as error:
        raise NoSuchPlace("after", key) from error


def newest(
    session: Session,
    node_id: int,
    visibility: Visibility,
    types: Iterable[str],
    size: int,
    after: Moment = NOW,
) -> Newest:
    """Return the newest pages of a place, itself included, that somebody may see.

    Usually one statement. Where :data:`ATTEMPTS` do not suffice (a section of more than 200,000
    nodes, none of them among the newest 5,000 of the site) there may be fewer than *size*, and
    more behind them all the same.

    :param types: those that are switched on.
    :param after: where to go on.
    """
    parameters = {
        "start": node_id,
        "types": sorted(types),
        "at": after[0],
        "id": after[1],
        **visibility.parameters(),
    }
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    best = Newest((), None)
    for method, limit in ATTEMPTS:
        attempt = _ATTEMPTS[method](is_sqlite, visibility.kind, limit, size + 1)
        rows = connection.execute(attempt, parameters).all()
        end = next(row for row in rows if row.part == 2)
        complete = end.read < limit
        if method == WALK and not complete:
            # There may be newer ones among those that were not reached.
            continue
        found = _resolve(rows, node_id, visibility)
        if len(found) > size:
            last = found[size - 1]
            return Newest(found[:size], (last.modified_at, last.id))
        if complete:
            return Newest(found, None)
        best = Newest(found, (end.modified_at, end.id))
    return best


def _resolve(rows: Iterable[Any], node_id: int, visibility: Visibility) -> list[Found]:
    """Return the pages among *rows* that lie in a place and below no draft that hides them."""
    above: dict[int, Place] = {}
    candidates: list[tuple[Place, dt.datetime]] = []
    for part, *columns, at, _ in rows:
        if part == 1:
            place = Place(*columns)
            above[place.id] = place
        elif part == 0:
            candidates.append((Place(*columns), at))
    candidates.sort(key=lambda pair: (pair[1], pair[0].id), reverse=True)
    ways = ((_way(place, above), at) for place, at in candidates)
    return [
        Found(way, at)
        for way, at in ways
        if any(place.id == node_id for place in way)
        and all(visibility.leads_through(place.boundary_id, place.state) for place in way[:-1])
    ]


def _way(place: Place, above: Mapping[int, Place]) -> list[Place]:
    way = [place]
    while way[-1].parent_id is not None and way[-1].parent_id in above:
        way.append(above[way[-1].parent_id])
    way.reverse()
    return way


# -- statements -----------------------------------------------------------------------------------


#: Newest first. Where the place is walked through, the order must not tempt a database to read the
#: index of the whole site down to where pages of the place begin.
_AT = NODE.c.modified_at
_AT_OF_WALKED: ColumnElement[dt.datetime] = func.coalesce(_AT, null())


def _columns(columns: Any) -> list[ColumnElement[Any]]:
    return [columns[name] for name in Place._fields]


def _places(columns: Any) -> list[ColumnElement[Any]]:
    """Return what is known of a node, for the columns of its table."""
    state = seen_state(columns).label("state")
    return [state if name == "state" else columns[name] for name in Place._fields]


def _number(number: int) -> Any:
    # In the statement's text, where PostgreSQL's planner can see it.
    return bindparam(None, number, literal_execute=True)


def _is_older(at: ColumnElement[Any]) -> ColumnElement[bool]:
    here = tuple_(bindparam("at", type_=UTCDateTime), bindparam("id", type_=Id))
    return tuple_(at, NODE.c.id) < here


def _may_be_listed(columns: Any, kind: Kind) -> ColumnElement[bool]:
    return columns.type.in_(bindparam("types", expanding=True)) & visible(columns, kind)


@cache
def _scan(is_sqlite: bool, kind: Kind, limit: int, size: int) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the statement for those of the newest nodes of the site that may be seen."""
    scanned = (
        select(*_places(NODE.c), NODE.c.type, _AT)
        .where(_is_older(_AT))
        .order_by(_AT.desc(), NODE.c.id.desc())
        .limit(_number(limit))
        .cte("scanned")
    )
    candidates = select(scanned).where(_may_be_listed(scanned.c, kind)).cte("candidates")
    last = select(scanned.c.id, scanned.c.modified_at)
    last = last.order_by(scanned.c.modified_at, scanned.c.id).limit(_number(1))
    return _with_places(candidates, scanned, last, is_sqlite)


@cache
def _walk(is_sqlite: bool, kind: Kind, limit: int, size: int) -> CompoundSelect[*tuple[Any, ...]]:
    """Return the statement for the newest of the first nodes that walking down a place meets."""
    child = NODE.alias("child")
    start = select(NODE.c.id, leads(NODE.c, kind[1])).where(
        NODE.c.id == bindparam("start", type_=Id)
    )
    down = start.cte("down", recursive=True)
    step = (
        select(child.c.id, leads(child.c, kind[1]))
        .join_from(down, child, child.c.parent_id == down.c.id)
        .where(down.c.leads)
    )
    # SQLite would otherwise walk to the end before it counts. PostgreSQL does not take a limit
    # here, but stops when nobody asks for more.
    down = down.union_all(step.suffix_with(f"LIMIT {limit:d}", dialect="sqlite"))
    walked = select(down.c.id).limit(_number(limit)).cte("walked")
    candidates = (
        select(*_places(NODE.c), _AT)
        .where(_is_one_of(select(walked.c.id), is_sqlite))
        .where(_is_older(_AT_OF_WALKED), _may_be_listed(NODE.c, kind))
        .order_by(_AT_OF_WALKED.desc(), NODE.c.id.desc())
        .limit(_number(size))
        .cte("candidates")
    )
    return _with_places(candidates, walked, None, is_sqlite)


_ATTEMPTS = {SCAN: _scan, WALK: _walk}


def _is_one_of(ids: Select[*tuple[Any, ...]], is_sqlite: bool) -> ColumnElement[bool]:
    if is_sqlite:
        return NODE.c.id.in_(ids)
    # As an array they count as a few for the planner; as a table as so many that it would rather
    # read all nodes.
    return NODE.c.id == func.any(func.array(ids.scalar_subquery()))


def _with_places(
    candidates: CTE, read: CTE, last: Select[*tuple[Any, ...]] | None, is_sqlite: bool
) -> CompoundSelect[*tuple[Any, ...]]:
    """Return a statement with the candidates (part 0), all places above them (part 1), and how
    many nodes were read, with the last of them (part 2)."""
    parents = select(candidates.c.parent_id).distinct()
    up = select(*_places(NODE.c)).where(_is_one_of(parents, is_sqlite)).cte("up", recursive=True)
    above = NODE.alias("above")
    up = up.union(select(*_places(above.c)).join_from(up, above, above.c.id == up.c.parent_id))
    # PostgreSQL wants to know of which type it is that there is nothing of.
    nothing, never = (
        [cast(null(), column.type) for column in _columns(NODE.c)],
        cast(null(), _AT.type),
    )
    count = select(func.count()).select_from(read).scalar_subquery()
    last_id, last_at = nothing[0], never
    if last is not None:
        last_id, last_at = (select(column).scalar_subquery() for column in last.subquery("last").c)
    here = candidates.c.modified_at
    return union_all(
        select(
            literal(0).label("part"), *_columns(candidates.c), here, cast(null(), Id).label("read")
        ),
        select(literal(1), *_columns(up.c), never, cast(null(), Id)),
        select(literal(2), last_id, *nothing[1:], last_at, count),
    )
