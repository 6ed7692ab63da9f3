"""Where a node stands, as it is remembered to put it back there."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from myproject.tree.node import ROOT_ID, TRASHED, Node
from myproject.tree.trash import Trashed


class Placement(NamedTuple):
    """A place in the tree and what was around it.

    :ivar previous_id, next_id: the siblings that it stood between, those in the trash included;
        None where there was none on that side.
    :ivar draft_id: the revision ahead of what readers saw.
    :ivar stage: where what readers do not see stood in its workflow.
    :ivar publish_at, expire_at: what was planned.
    :ivar kept_name: what a node in the trash was called before; empty for all others, and where
        that was not remembered yet.
    """

    parent_id: int
    name: str
    position: int
    state: str
    previous_id: int | None = None
    next_id: int | None = None
    draft_id: int | None = None
    stage: str = ""
    publish_at: dt.datetime | None = None
    expire_at: dt.datetime | None = None
    kept_name: str = ""

    @property
    def standing(self) -> tuple[Any, ...]:
        """Where it is, and in which state; without what was around it and what was planned."""
        return (*self[:4], self.stage)

    @property
    def times(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        """What was planned."""
        return self.publish_at, self.expire_at

    def is_free(self, session: Session) -> bool:
        """Whether the position is still between the siblings that it was between.

        It is not when they were numbered anew, or have changed places.
        """
        previous, following = (
            self._sibling(session, self.previous_id),
            self._sibling(session, self.next_id),
        )
        return (previous is None or previous.position < self.position) and (
            following is None or self.position < following.position
        )

    def neighbour(self, session: Session) -> tuple[bool, Node | None]:
        """Return whether one of the siblings is still there, and the one to stand before.

        That is None for the end.
        """
        following = self._sibling(session, self.next_id)
        if following is not None:
            return True, following
        previous = self._sibling(session, self.previous_id)
        if previous is None:
            return False, None
        query = _siblings(self.parent_id).where(
            tuple_(Node.position, Node.id) > tuple_(previous.position, previous.id)
        )
        return True, session.scalars(query.order_by(Node.position, Node.id).limit(1)).first()

    def _sibling(self, session: Session, node_id: int | None) -> Node | None:
        if node_id is None:
            return None
        return session.scalars(_siblings(self.parent_id).where(Node.id == node_id)).one_or_none()


def placement_of(session: Session, node: Node) -> Placement:
    """Return where *node* stands; two statements, and one more for one in the trash."""
    here = tuple_(Node.position, Node.id)
    position, ascending = tuple_(node.position, node.id), (Node.position, Node.id)
    siblings = select(Node.id).where(Node.parent_id == node.parent_id)
    descending = tuple(column.desc() for column in ascending)
    trashed = session.get(Trashed, node.id) if node.state == TRASHED else None
    return Placement(
        node.parent_id or ROOT_ID,
        node.name,
        node.position,
        node.state,
        session.scalar(siblings.where(here < position).order_by(*descending).limit(1)),
        session.scalar(siblings.where(here > position).order_by(*ascending).limit(1)),
        *(node.draft_id, node.stage, node.publish_at, node.expire_at),
        "" if trashed is None else trashed.name,
    )


def standing_of(node: Node) -> Placement:
    """Return where *node* stands, but for what is around it; no statement."""
    return Placement(
        *(node.parent_id or ROOT_ID, node.name, node.position, node.state),
        draft_id=node.draft_id,
        stage=node.stage,
        publish_at=node.publish_at,
        expire_at=node.expire_at,
    )


def _siblings(parent_id: int) -> Select[Any]:
    return select(Node).where(Node.parent_id == parent_id)
