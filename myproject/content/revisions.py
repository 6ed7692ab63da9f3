"""Revisions: what a node said, and where it stood, each time somebody saved it.

A revision is complete: it can be shown, compared and brought back without any other one. It is
written in the transaction of the save that it is about.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import ForeignKey, Index, String, func, inspect, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.content.merging import same
from myproject.db.base import Base, Id, TaggedJSON, UTCDateTime, utcnow
from myproject.security.models import Principal
from myproject.tree.actor import Actor
from myproject.tree.history import moment_of
from myproject.tree.node import Node

#: Columns that no revision has among its fields: structure, which it has apart, and what the
#: database or a save fills in.
_APART = frozenset(
    {
        *("id", "parent_id", "name", "position", "boundary_id", "type", "state"),
        *("created_at", "modified_at", "draft_id", "stage", "publish_at", "expire_at"),
    }
)


class Revision(Base):
    """What a node said and where it stood from one save to the next."""

    __tablename__ = "revision"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    node_id: Mapped[int] = mapped_column(Id, ForeignKey("node.id", ondelete="CASCADE"))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    actor_id: Mapped[int | None] = mapped_column(Id)
    actor: Mapped[str] = mapped_column(String(200), default="")
    #: Why it was saved, in the words of whoever did.
    comment: Mapped[str] = mapped_column(String(500), default="")
    #: The name that somebody gave to this very revision.
    label: Mapped[str] = mapped_column(String(200), default="")
    type: Mapped[str] = mapped_column(String(50))
    parent_id: Mapped[int | None] = mapped_column(Id)
    name: Mapped[str] = mapped_column(String(255))
    position: Mapped[int] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(20))
    #: Field -> value, of all that are edited.
    fields: Mapped[dict[str, Any]] = mapped_column(TaggedJSON)
    #: From when until when the node's row said this; no beginning of a draft, no end while it
    #: still does.
    valid_from: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    valid_to: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    #: The release of several pages that it belongs to.
    changeset_id: Mapped[int | None] = mapped_column(Id)

    __table_args__ = (
        Index(None, "node_id", "id"),
        Index(None, "node_id", "valid_from", "id"),
        # What happened, to the whole site and by one person.
        Index(None, "at", "id"),
        Index(None, "actor_id", "at", "id"),
        # The form of an edited page names a revision; it must never come to name another one.
        {"sqlite_autoincrement": True},
    )


@cache
def revised_fields(cls: type[Node]) -> tuple[str, ...]:
    """Return the names of the attributes that a revision of a type keeps."""
    return tuple(
        prop.key
        for prop in inspect(cls).column_attrs
        if prop.key not in _APART and not prop.columns[0].info.get("derived")
    )


def snapshot(node: Node) -> dict[str, Any]:
    """Return field -> value of all that is edited of a node."""
    return {name: getattr(node, name) for name in revised_fields(type(node))}


def record_revision(
    session: Session,
    node: Node,
    actor: Actor,
    comment: str = "",
    *,
    is_new: bool = False,
    is_live: bool = True,
) -> Revision:
    """Keep what *node* says now, and say of the revision before that it no longer does.

    :param is_new: whether there can be none before.
    :param is_live: whether this is what the node's row says, and not a draft ahead of it.
    """
    now = moment_of(session)
    if is_live and not is_new:
        before = (
            (Revision.node_id == node.id)
            & Revision.valid_from.is_not(None)
            & Revision.valid_to.is_(None)
        )
        session.execute(
            update(Revision)
            .where(before)
            .values(valid_to=now)
            .execution_options(synchronize_session=False)
        )
    revision = Revision(
        node_id=node.id,
        at=now,
        actor_id=actor.id,
        actor=actor.name[:200],
        comment=comment[:500],
        type=node.type,
        parent_id=node.parent_id,
        name=node.name,
        position=node.position,
        state=node.state,
        fields=snapshot(node),
        valid_from=now if is_live else None,
    )
    session.add(revision)
    session.flush()
    return revision


def latest_revision_id(session: Session, node_id: int) -> int:
    """Return the number of a node's newest revision, 0 where it has none."""
    return session.scalar(select(func.max(Revision.id)).where(Revision.node_id == node_id)) or 0


def newest_revision_id(session: Session, node: Node) -> int:
    """Return the number of the revision that the next one is made from; 0 where there is none.

    That is the draft, where there is one: brought back, it may be older than what readers see.
    One statement at most.
    """
    return node.draft_id or latest_revision_id(session, node.id)


def latest_savers(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Return node id -> who has saved it last, as people are called now; one statement.

    Nodes without a revision are left out.
    """
    node, revision, principal = Node.__table__, Revision.__table__, Principal.__table__
    newest = (
        select(func.max(revision.c.id)).where(revision.c.node_id == node.c.id).scalar_subquery()
    )
    chosen = select(newest).where(node.c.id.in_(list(ids)))
    query = (
        select(revision.c.node_id, func.coalesce(principal.c.title, revision.c.actor))
        .outerjoin(principal, principal.c.id == revision.c.actor_id)
        .where(revision.c.id.in_(chosen))
    )
    return {row[0]: row[1] for row in session.connection().execute(query)}


def load_revision(session: Session, node_id: int, revision_id: int) -> Revision | None:
    """Return one of a node's revisions; None where it has none of this number.

    One statement, and none for one that the session has already.
    """
    found = session.get(Revision, revision_id)
    return found if found is not None and found.node_id == node_id else None


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the names of fields that two snapshots have different values of."""
    names = [*old, *(name for name in new if name not in old)]
    return [name for name in names if not same(old.get(name), new.get(name))]
