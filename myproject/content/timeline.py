"""What happened to the site, or to a place and below it: saves and operations in one list.

Two tables are read side by side, each the newest first and at most so many rows at a time. First
it is looked whether enough of the latest that happened on the site belongs to the place. If not, a
small section is walked through, so that its list is complete however long ago it changed; for a
large one more of the latest is looked through, and where only little of that belongs to the place,
a page has fewer entries than it could, and says where to go on. So what is read is bounded, and
does not grow with the section.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    String,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from myproject.content.operations_log import Audience, Kind, Operation, Step, selected
from myproject.content.revision_log import by_person
from myproject.content.revisions import Revision
from myproject.db.base import Id, UTCDateTime, from_microseconds, to_microseconds
from myproject.exceptions import NoSuchPlace
from myproject.tree.node import PUBLISHED, ROOT_ID, TRASHED, Node
from myproject.tree.timing import seen_state
from myproject.tree.urls import climb
from myproject.tree.visibility import BoundarySet, ids_in, is_member, parameters_of

#: Rows of each table that are looked through at a time, the newest first: at first, and where too
#: few of them belong to the place.
WINDOWS = (500, 10_000)

#: Nodes of a section up to which it is walked through, and rows about them up to which these are
#: sorted.
SMALL, FEW = 2_000, 20_000

#: The two tables. At the same moment an operation counts as later than a save.
SAVE, OPERATION = "s", "o"

_KEY = re.compile(r"(-?[0-9]{1,18})\.([so])([0-9]{1,18})")
_LAST_ID = (1 << 62) - 1


class Moment(NamedTuple):
    """A place in the order of what happened."""

    at: dt.datetime
    table: str
    id: int

    def __str__(self) -> str:
        return f"{to_microseconds(self.at)}.{self.table}{self.id}"

    @classmethod
    def parse(cls, text: str) -> Moment:
        """Return the moment that ``str()`` wrote.

        :raises InvalidValue: for anything else.
        """
        match = _KEY.fullmatch(text)
        try:
            if match is not None:
                at = from_microseconds(int(match[1]))
                return cls(at, match[2], int(match[3]))
        except OverflowError:
            pass
        raise NoSuchPlace("before", text)

    @property
    def order(self) -> tuple[dt.datetime, bool, int]:
        """What moments are sorted by."""
        return self.at, self.table == OPERATION, self.id


class Entry(NamedTuple):
    """Something that happened: the moment, with the number of the row in its table."""

    moment: Moment
    node_id: int


@dataclass(frozen=True)
class Watcher:
    """Whose list it is.

    :ivar audience: which operations they are shown.
    :ivar writable: the boundaries within which they may edit, and see drafts: what was saved there
        is in the list. Its screen leads to histories, which take the same.
    :ivar drafts: the boundaries within which a draft does not hide from them what is below it.
    """

    audience: Audience
    writable: BoundarySet
    drafts: BoundarySet

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters of statements."""
        return parameters_of(
            {
                "writable": self.writable,
                "drafts": self.drafts,
                "editable": self.audience.editable,
            }
        )


class Filters(NamedTuple):
    """What a list is narrowed to.

    :ivar person: a part of the name of whoever did it.
    :ivar user_id: the one who did it; the tables have indexes for this.
    :ivar since, until: the first moment that counts, and the first one that does not any more.
    """

    person: str = ""
    user_id: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


ALL_THAT_HAPPENED = Filters()


class Timeline(NamedTuple):
    """A page of a list.

    :ivar following: where the next page begins; None on the last one.
    """

    entries: Sequence[Entry]
    following: Moment | None


class _Read(NamedTuple):
    """What was found in a table.

    :ivar end: how far it was looked through; None for to the end.
    """

    entries: list[Entry]
    end: Moment | None


def load_timeline(
    session: Session,
    node_id: int,
    watcher: Watcher,
    filters: Filters = ALL_THAT_HAPPENED,
    *,
    before: Moment | None = None,
    limit: int = 30,
    windows: Sequence[int] = WINDOWS,
    small: int = SMALL,
) -> Timeline:
    """Return what happened at a node and below it, the newest first; at most eleven statements.

    :param node_id: :data:`~myproject.tree.node.ROOT_ID` for the whole site.
    :param before: only what is older.
    :param windows: see :data:`WINDOWS`.
    :param small: see :data:`SMALL`.
    """
    section = _Section(session, node_id, watcher, small)
    sources = (_Saves(watcher, filters, before), _Operations(watcher, filters, before))
    reads = [source.read(session, section, limit, windows) for source in sources]
    entries = sorted(
        (entry for read in reads for entry in read.entries),
        key=lambda entry: entry.moment.order,
        reverse=True,
    )
    ends = [read.end for read in reads if read.end is not None]
    end = max(ends, key=lambda moment: moment.order, default=None)
    if end is not None:
        # What is older in one table may be preceded by what was not reached in the other.
        entries = [entry for entry in entries if entry.moment.order >= end.order]
    if len(entries) > limit:
        return Timeline(entries[:limit], entries[limit - 1].moment)
    return Timeline(entries, end)


class _Section:
    """A place and what lies below it.

    :param small: nodes up to which it is walked through, when somebody asks.
    """

    def __init__(self, session: Session, node_id: int, watcher: Watcher, small: int) -> None:
        self.node_id = node_id
        self._session, self._watcher, self._small = session, watcher, small

    @cached_property
    def ids(self) -> Sequence[int] | None:
        """The ids of its nodes; None for the whole site, and where there are too many of them."""
        if self.node_id == ROOT_ID:
            return None
        return _walk(self._session, self.node_id, self._watcher, self._small)


class _Source:
    """One of the two tables.

    :ivar table: its letter.
    :ivar rows: its class.
    """

    table: str
    rows: Any

    def __init__(self, watcher: Watcher, filters: Filters, before: Moment | None) -> None:
        self.watcher, self.filters, self.before = watcher, filters, before

    # -- reading ----------------------------------------------------------------------------------

    def read(
        self, session: Session, section: _Section, limit: int, windows: Sequence[int]
    ) -> _Read:
        """Return the newest that is about a section."""
        read = self._scanned(session, section.node_id, limit, windows[0])
        for window in windows[1:]:
            if len(read.entries) > limit or read.end is None:
                return read
            if (ids := section.ids) is not None and (whole := self._of(session, ids, limit)):
                return whole
            read = self._scanned(session, section.node_id, limit, window)
        return read

    def _scanned(self, session: Session, node_id: int, limit: int, window: int) -> _Read:
        """Look through the newest for what belongs to a place."""
        scanned = self.scan().limit(_number(window)).cte("scanned")
        found = self._entries(session, self.inside(scanned, node_id), limit)
        if len(found) > limit:
            return _Read(found, None)
        count, end = self._reach(session, scanned)
        return _Read(found, None if count < window else end)

    def _of(self, session: Session, ids: Sequence[int], limit: int) -> _Read | None:
        """Return what is about one of these nodes; None where that is too much to be sorted."""
        about = self.about(ids_in(bindparam("ids", type_=String)))
        parameters = {"ids": ",".join(map(str, ids))}
        some = select(self.rows.id).where(about).limit(_number(FEW + 1)).subquery()
        if (session.scalar(select(func.count()).select_from(some), parameters) or 0) > FEW:
            return None
        scanned = self.scan().where(about).cte("scanned")
        return _Read(self._entries(session, self.inside(scanned, None), limit, parameters), None)

    def scan(self) -> Select[*tuple[Any, ...]]:
        """Return the rows of the table in order, from where the page begins."""
        rows, filters = self.rows, self.filters
        query = select(rows.id, rows.at, rows.node_id, rows.actor_id, rows.actor)
        if filters.user_id is not None:
            query = query.where(rows.actor_id == filters.user_id)
        if filters.since is not None:
            query = query.where(rows.at >= filters.since)
        if filters.until is not None:
            query = query.where(rows.at < filters.until)
        if self.before is not None:
            query = query.where(self._is_older(self.before))
        return query.order_by(rows.at.desc(), rows.id.desc())

    def about(self, ids: Any) -> ColumnElement[bool]:
        """Return "this row is about one of these nodes"."""
        raise NotImplementedError

    def inside(self, scanned: CTE, node_id: int | None) -> Select[*tuple[Any, ...]]:
        """Return those of some rows that are shown, as ``id``, ``at`` and ``node_id``.

        :param node_id: the place that they have to belong to; None where they do.
        """
        raise NotImplementedError

    def _is_older(self, moment: Moment) -> ColumnElement[bool]:
        number = moment.id
        if self.table != moment.table:
            # All of this moment, or nothing of it, has been shown.
            number = 0 if self.table == OPERATION else _LAST_ID
        here = tuple_(literal(moment.at, UTCDateTime), literal(number, Id))
        return tuple_(self.rows.at, self.rows.id) < here

    def _entries(
        self,
        session: Session,
        query: Select[*tuple[Any, ...]],
        limit: int,
        parameters: Mapping[str, Any] | None = None,
    ) -> list[Entry]:
        given = {**self.watcher.parameters, **(parameters or {})}
        rows = session.execute(query.limit(_number(limit + 1)), given)
        return [Entry(Moment(row.at, self.table, row.id), row.node_id) for row in rows]

    def _reach(self, session: Session, scanned: CTE) -> tuple[int, Moment | None]:
        last = select(scanned.c.at, scanned.c.id).order_by(scanned.c.at, scanned.c.id).limit(1)
        last_row = last.subquery("last")
        count = select(func.count()).select_from(scanned).scalar_subquery()
        row = session.execute(select(last_row.c.at, last_row.c.id, count)).one_or_none()
        if row is None:
            return 0, None
        return row[2], Moment(row[0], self.table, row[1])

    def _named(self, columns: Any) -> list[ColumnElement[bool]]:
        person = self.filters.person
        return [by_person(columns, person)] if person else []


class _Saves(_Source):
    """Revisions, of pages that are there and that the watcher may edit."""

    table, rows = SAVE, Revision

    def about(self, ids: Any) -> ColumnElement[bool]:
        return Revision.node_id.op("IN", is_comparison=True)(ids)

    def inside(self, scanned: CTE, node_id: int | None) -> Select[*tuple[Any, ...]]:
        node, columns = Node.__table__, scanned.c
        query = (
            select(columns.id, columns.at, columns.node_id)
            .join_from(scanned, node, node.c.id == columns.node_id)
            .where(
                node.c.state != TRASHED,
                is_member(node.c.boundary_id, self.watcher.writable.kind, "writable"),
                *self._named(columns),
                _is_a_deed(columns),
            )
        )
        mine = query.cte("mine")
        up = climb(select(mine.c.node_id).distinct())
        # Joined, and not NOT IN or NOT EXISTS: of these each database has one for which it looks
        # through all that is hidden again for each row.
        hides = select(up.c.origin).where(up.c.height > 0, _hides(up.c, self.watcher))
        hidden = hides.distinct().cte("hidden")
        shown = select(mine).outerjoin(hidden, hidden.c.origin == mine.c.node_id)
        shown = shown.where(hidden.c.origin.is_(None))
        if node_id not in (None, ROOT_ID):
            inside = select(up.c.origin).where(_is_within(up.c, node_id))
            shown = shown.where(mine.c.node_id.in_(inside))
        return shown.order_by(mine.c.at.desc(), mine.c.id.desc())


class _Operations(_Source):
    """Operations, but for pages that were added: of these the first save tells."""

    table, rows = OPERATION, Operation

    def about(self, ids: Any) -> ColumnElement[bool]:
        steps = select(Step.operation_id).where(Step.node_id.op("IN", is_comparison=True)(ids))
        return Operation.id.in_(steps)

    def scan(self) -> Select[*tuple[Any, ...]]:
        query = super().scan().add_columns(Operation.target_id)
        return query.where(or_(Operation.kind != Kind.ADD, Operation.undoes_id.is_not(None)))

    def inside(self, scanned: CTE, node_id: int | None) -> Select[*tuple[Any, ...]]:
        mine = selected(self.watcher.audience).with_only_columns(
            Operation.id, Operation.at, Operation.node_id
        )
        mine = mine.where(Operation.id.in_(select(scanned.c.id)), *self._named(Operation))
        if node_id not in (None, ROOT_ID):
            places = select(scanned.c.node_id).union(
                select(scanned.c.target_id).where(scanned.c.target_id.is_not(None))
            )
            up = climb(select(places.subquery().c[0]))
            inside = select(up.c.origin).where(_is_within(up.c, node_id))
            own = select(Step.operation_id).where(Step.node_id == node_id)
            about = or_(
                Operation.node_id.in_(inside),
                Operation.target_id.in_(inside),
                Operation.id.in_(own),
            )
            mine = mine.where(about)
        return mine.order_by(Operation.at.desc(), Operation.id.desc())


def _is_a_deed(columns: Any) -> ColumnElement[bool]:
    """Return "somebody has saved this": what a page said before its first change is kept, too."""
    earlier = aliased(Revision)
    is_later = (
        select(earlier.id)
        .where(earlier.node_id == columns.node_id, earlier.id < columns.id)
        .exists()
    )
    return or_(columns.actor != "", columns.actor_id.is_not(None), is_later)


def _number(number: int) -> Any:
    # In the statement's text, where PostgreSQL's planner can see it.
    return bindparam(None, number, literal_execute=True)


def _is_within(up: Any, node_id: int | None) -> ColumnElement[bool]:
    return or_(up.parent_id == node_id, up.origin == node_id)


def _hides(up: Any, watcher: Watcher) -> ColumnElement[bool]:
    """Return "what lies below this place is not shown", as ``Visibility.leads_through`` has it."""
    drafts = is_member(up.boundary_id, watcher.drafts.kind, "drafts")
    return or_(up.state == TRASHED, (up.state != PUBLISHED) & ~drafts)


def _walk(session: Session, node_id: int, watcher: Watcher, small: int) -> list[int] | None:
    """Return the ids of a section's nodes, what is in its trash included but nothing below that;
    None where there are more than *small*. One statement."""
    node = Node.__table__
    columns = [node.c.id, seen_state(node.c).label("state"), node.c.boundary_id]
    start = select(*columns).where(node.c.id == node_id)
    down = start.cte("down", recursive=True)
    child = node.alias("child")
    step = (
        select(child.c.id, seen_state(child.c), child.c.boundary_id)
        .join_from(down, child, child.c.parent_id == down.c.id)
        .where(~_hides(down.c, watcher))
    )
    # SQLite would otherwise walk to the end before it counts.
    down = down.union_all(step.suffix_with(f"LIMIT {small + 1:d}", dialect="sqlite"))
    ids = session.scalars(select(down.c.id).limit(_number(small + 1)), watcher.parameters).all()
    return None if len(ids) > small else list(ids)
