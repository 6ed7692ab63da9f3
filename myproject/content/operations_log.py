"""What people have done to the tree, as rows, and lists of it.

An operation is a row, and what it did to each node is another one, its step. The journal writes
them; see :mod:`myproject.content.journal`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    and_,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, Id, TaggedJSON, UTCDateTime, utcnow
from myproject.tree.actor import Actor
from myproject.tree.node import DRAFT, Node
from myproject.tree.placement import Placement, standing_of
from myproject.tree.urls import climb
from myproject.tree.visibility import BoundarySet, is_member

#: Pseudo-kind of operations that have undone others.
UNDO = "undo"

#: Operations that are looked through, the newest first, for those below a place: at first, and
#: where too few of these are.
WINDOWS = (500, 10_000)

#: What of a name is looked for.
LONGEST = 200


class Kind(StrEnum):
    """What was done."""

    ADD = "add"
    RENAME = "rename"
    MOVE = "move"
    COPY = "copy"
    REORDER = "reorder"
    STATE = "state"
    SCHEDULE = "schedule"
    DISCARD = "discard"
    REVERT = "revert"
    TRASH = "trash"
    RESTORE = "restore"
    PURGE = "purge"


#: Kinds that have taken away what was ahead of what readers see.
DISCARDING = (Kind.DISCARD, Kind.REVERT)


class Operation(Base):
    """Something that somebody has done to one or more nodes at once."""

    __tablename__ = "operation"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    actor_id: Mapped[int | None] = mapped_column(Id)
    actor: Mapped[str] = mapped_column(String(200), default="")
    #: The first of its nodes, and the title that it had.
    node_id: Mapped[int] = mapped_column(Id)
    title: Mapped[str] = mapped_column(String(500))
    #: How many nodes it was about, not counting what lies below them.
    count: Mapped[int] = mapped_column(Integer)
    #: The place where they went to, if they did.
    target_id: Mapped[int | None] = mapped_column(Id)
    target_title: Mapped[str] = mapped_column(String(500), default="")
    #: The operation that this one has undone.
    undoes_id: Mapped[int | None] = mapped_column(Id)
    undone_by_id: Mapped[int | None] = mapped_column(Id)
    #: How it has taken its nodes to another state of their workflow, the permissions that this took
    #: (with spaces between them), and why, in the words of whoever did; empty for other operations.
    transition: Mapped[str] = mapped_column(String(50), default="", server_default=text("''"))
    permissions: Mapped[str] = mapped_column(String(200), default="", server_default=text("''"))
    comment: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))

    __table_args__ = (
        # What happened, to the whole site and by one person.
        Index(None, "at", "id"),
        Index(None, "actor_id", "at", "id"),
        {"sqlite_autoincrement": True},
    )


class Step(Base):
    """What an operation did to one node.

    ``before`` is null for a node that came into being, ``after`` for one that went for good.
    """

    __tablename__ = "operation_step"

    operation_id: Mapped[int] = mapped_column(
        Id, ForeignKey("operation.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    node_id: Mapped[int] = mapped_column(Id)
    title: Mapped[str] = mapped_column(String(500))
    before: Mapped[dict[str, Any] | None] = mapped_column(TaggedJSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(TaggedJSON(none_as_null=True))

    __table_args__ = (Index(None, "node_id", "operation_id"),)

    @property
    def came_from(self) -> Placement | None:
        """Where the node stood before."""
        return None if self.before is None else Placement(**self.before)

    @property
    def went_to(self) -> Placement | None:
        """Where it stood after."""
        return None if self.after is None else Placement(**self.after)


@dataclass(frozen=True, slots=True)
class OperationKept:
    """Somebody has done something to pages, or has undone it, and the journal has it.

    Told in the transaction, which a subscriber ends by raising.

    :ivar scope: the request, or the scope of a job.
    :ivar operation: who, what and why.
    :ivar nodes: those that it was about, without what lies below them; none that was deleted for
        good.
    :ivar before: node id -> where the node stood before; None for one that is new.
    """

    scope: Any
    operation: Operation
    nodes: Sequence[Node]
    before: Mapping[int, Placement | None]


@dataclass(frozen=True)
class Audience:
    """Which operations somebody is shown: their own, and those at places that they may edit.

    :ivar user_id: None for nobody in particular.
    :ivar editable: the boundaries within which they may edit.
    :ivar gone: whether they are shown those about pages that were deleted for good, too, which lie
        within no boundary any more.
    """

    user_id: int | None
    editable: BoundarySet
    gone: bool = False


class Filters(NamedTuple):
    """What a list of operations is narrowed to.

    :ivar kind: one of :class:`Kind`, or :data:`UNDO`; all where empty.
    :ivar person: a part of the name that whoever did it signs in with.
    :ivar user_id: the one who did it.
    """

    kind: str = ""
    person: str = ""
    user_id: int | None = None


ALL_KINDS = Filters()


class Listed(NamedTuple):
    """A page of a list of operations.

    :ivar following: the ``before`` of the next page; None on the last one.
    """

    operations: Sequence[Operation]
    following: int | None


def load_operations(
    session: Session,
    audience: Audience,
    filters: Filters = ALL_KINDS,
    *,
    before: int | None = None,
    limit: int = 50,
) -> Listed:
    """Return what was done, the newest first; one statement.

    :param before: the number of an operation: only older ones.
    """
    query = selected(audience, filters, before).order_by(Operation.id.desc()).limit(limit + 1)
    rows = session.scalars(query, _parameters(audience)).all()
    return _page(rows, limit)


def load_operations_within(
    session: Session,
    node_id: int,
    audience: Audience,
    filters: Filters = ALL_KINDS,
    *,
    before: int | None = None,
    limit: int = 50,
) -> Listed:
    """Return what was done to a node and below it, the newest first; two statements, or four.

    The newest operations of the site are looked through for those that are about a page which is
    there now, or came from or went there; of this very node all are found. Where only few are,
    the page has fewer than *limit* and says where to go on.
    """
    rows, last = list[Operation](), before
    for window in WINDOWS:
        query = selected(audience, filters, before).with_only_columns(
            Operation.id, Operation.node_id, Operation.target_id
        )
        candidates = query.order_by(Operation.id.desc()).limit(window).cte("candidates")
        found = _within(candidates, node_id).limit(limit + 1)
        rows = list(session.scalars(found, _parameters(audience)))
        if len(rows) > limit:
            return _page(rows, limit)
        reach = select(func.count(), func.min(candidates.c.id)).select_from(candidates)
        count, last = session.execute(reach, _parameters(audience)).one()
        if count < window:
            return Listed(rows, None)
    return Listed(rows, last)


def _within(candidates: Any, node_id: int) -> Select[Operation]:
    origins = select(candidates.c.node_id).union(
        select(candidates.c.target_id).where(candidates.c.target_id.is_not(None))
    )
    up = climb(select(origins.subquery().c[0]))
    inside = select(up.c.origin).where(or_(up.c.parent_id == node_id, up.c.origin == node_id))
    own = select(Step.operation_id).where(Step.node_id == node_id)
    about = or_(
        candidates.c.node_id.in_(inside),
        candidates.c.target_id.in_(inside),
        candidates.c.id.in_(own),
    )
    chosen = select(candidates.c.id).where(about)
    return select(Operation).where(Operation.id.in_(chosen)).order_by(Operation.id.desc())


def _page(rows: Sequence[Operation], limit: int) -> Listed:
    return Listed(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def selected(
    audience: Audience, filters: Filters = ALL_KINDS, before: int | None = None
) -> Select[Operation]:
    """Return the operations that somebody is shown; the parameter ``editable`` goes with it, unless
    the set has none.

    :param before: the number of an operation: only older ones.
    """
    node = Node.__table__
    there = node.c.id.is_not(None)
    inside = is_member(node.c.boundary_id, audience.editable.kind, "editable")
    may: ColumnElement[bool] = and_(there, inside)
    if audience.gone:
        may |= node.c.id.is_(None)
    if audience.user_id is not None:
        may |= Operation.actor_id == audience.user_id
    query = select(Operation).outerjoin(node, node.c.id == Operation.node_id).where(may)
    if filters.kind == UNDO:
        query = query.where(Operation.undoes_id.is_not(None))
    elif filters.kind:
        query = query.where(Operation.kind == filters.kind, Operation.undoes_id.is_(None))
    if person := filters.person[:LONGEST]:
        query = query.where(Operation.actor.icontains(person, autoescape=True))
    if filters.user_id is not None:
        query = query.where(Operation.actor_id == filters.user_id)
    return query if before is None else query.where(Operation.id < before)


def _parameters(audience: Audience) -> Mapping[str, Any]:
    return {"editable": audience.editable.parameter} if audience.editable.ids else {}


def load_operation(session: Session, number: int, audience: Audience) -> Operation | None:
    """Return an operation that somebody is shown; None for others."""
    query = selected(audience, ALL_KINDS, None).where(Operation.id == number)
    return session.scalars(query, _parameters(audience)).one_or_none()


def begin_operation(
    session: Session,
    actor: Actor,
    kind: Kind,
    node: Node,
    count: int = 1,
    target: Node | None = None,
    *,
    at: dt.datetime | None = None,
) -> Operation:
    """Keep that somebody has done something; what, its steps say.

    :param node: the first of those that it was about.
    :param count: how many these are.
    :param target: where they went to.
    :param at: when; now when left out.
    """
    operation = Operation(
        kind=kind.value,
        actor_id=actor.id,
        actor=actor.name[:200],
        node_id=node.id,
        title=node.title,
        count=count,
        target_id=None if target is None else target.id,
        target_title="" if target is None else target.title,
    )
    if at is not None:
        operation.at = at
    session.add(operation)
    session.flush()
    return operation


def add_step(
    session: Session, operation: Operation, number: int, node: Node, before: Placement | None
) -> None:
    """Keep where a node stood before an operation, and where it stands now; written with the next
    flush, as many steps take one statement.

    :param before: None for a node that is new.
    """
    session.add(
        Step(
            operation_id=operation.id,
            number=number,
            node_id=node.id,
            title=node.title,
            before=None if before is None else before._asdict(),
            after=standing_of(node)._asdict(),
        )
    )


class Taken(NamedTuple):
    """A step of a node through its workflow, or the end of its way because what was on it was
    discarded; also that one of these was taken back.

    :ivar source, target: the states that the node was in before and after, as they are stored.
    :ivar is_discarded: whether its newest version was taken away.
    """

    operation: Operation
    source: str
    target: str
    is_discarded: bool


def load_taken(session: Session, node_id: int, *, limit: int = 20) -> list[Taken]:
    """Return how a node went through its workflow, the newest first; one statement."""
    query = (
        select(Operation, Step)
        .join(Step, Step.operation_id == Operation.id)
        .where(Step.node_id == node_id, Operation.kind.in_((Kind.STATE, *DISCARDING)))
        .order_by(Operation.id.desc())
        .limit(limit)
    )
    found = []
    for operation, step in session.execute(query):
        before, after = step.came_from, step.went_to
        if before is not None and after is not None:
            is_discarded = operation.kind in DISCARDING and after.draft_id is None
            states = (state_stored(before), state_stored(after))
            found.append(Taken(operation, *states, is_discarded))
    return found


def state_stored(place: Placement) -> str:
    """Return the state of the newest version of a node that stood there, as it is stored."""
    return place.stage or (place.state if place.draft_id is None else DRAFT)


def recent_targets(session: Session, user_id: int, limit: int = 5) -> list[int]:
    """Return ids of the places where somebody has put pages, the latest first; one statement."""
    last = func.max(Operation.id)
    query = (
        select(Operation.target_id)
        .where(Operation.actor_id == user_id, Operation.target_id.is_not(None))
        .group_by(Operation.target_id)
        .order_by(last.desc())
        .limit(limit)
    )
    return [number for number in session.scalars(query) if number is not None]


def undo_depths(session: Session, ids: Collection[int]) -> dict[int, int]:
    """Return operation -> 0 for what was done, 1 for what has undone that, 2 for what has undone
    this again, and so on; one statement."""
    start = (
        select(Operation.id.label("origin"), Operation.undoes_id, literal(0).label("depth"))
        .where(Operation.id.in_(ids))
        .cte("chain", recursive=True)
    )
    above = Operation.__table__.alias("above")
    chain = start.union_all(
        select(start.c.origin, above.c.undoes_id, start.c.depth + 1).join_from(
            start, above, above.c.id == start.c.undoes_id
        )
    )
    query = select(chain.c.origin, func.max(chain.c.depth)).group_by(chain.c.origin)
    return {row[0]: row[1] for row in session.execute(query)}
