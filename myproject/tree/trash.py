"""The trash: what a node was called before it went there, and who put it there.

A node in the trash stays where it is. Its name becomes one that no address can reach, and its
state one that nobody is shown, so putting a section there writes one row of it whatever hangs
below; permissions go on to hold, and it moves along when the place around it is moved.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Select, String, func, or_, select, tuple_
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, Id, UTCDateTime, utcnow
from myproject.tree.node import TRASHED, Node
from myproject.tree.urls import climb
from myproject.tree.visibility import ALL, BoundarySet, is_member

#: What is read of a search: this many characters, and of those so many words.
LONGEST, MOST_WORDS = 200, 8


class Trashed(Base):
    """A row for each node that was put into the trash; none for what lies below it."""

    __tablename__ = "trash"

    node_id: Mapped[int] = mapped_column(
        Id, ForeignKey("node.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: What it is called when it comes back.
    name: Mapped[str] = mapped_column(String(255), index=True)
    state: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow, index=True)
    actor_id: Mapped[int | None] = mapped_column(Id)
    actor: Mapped[str] = mapped_column(String(200), default="")


def hidden_name(node_id: int) -> str:
    """Return the name of a node in the trash: free at its place, and no segment of an address."""
    return f"@@{node_id}"


class Key(NamedTuple):
    """A place in the list of the trash, the newest first."""

    at: dt.datetime
    node_id: int

    def __str__(self) -> str:
        return f"{self.at.timestamp():.6f}.{self.node_id}"

    @classmethod
    def parse(cls, text: str) -> Key | None:
        """Return the key that ``str()`` wrote; None for anything else."""
        seconds, _, number = text.rpartition(".")
        try:
            return cls(dt.datetime.fromtimestamp(float(seconds), dt.UTC), int(number))
        except (ValueError, OverflowError, OSError):
            return None


class Discarded(NamedTuple):
    """What the list shows of a node in the trash.

    :ivar name: what it is called when it comes back.
    :ivar place_id: where it was, and comes back to.
    """

    id: int
    title: str
    type: str
    name: str
    place_id: int
    boundary_id: int
    at: dt.datetime
    actor_id: int | None
    actor: str

    @property
    def key(self) -> Key:
        """Its place in the list."""
        return Key(self.at, self.id)


class OldPlace(NamedTuple):
    """Where something in the trash was.

    :ivar names: from the root down; those from before of what is in the trash itself.
    :ivar in_trash: whether it, or something above it, is in the trash itself.
    """

    title: str
    names: tuple[str, ...]
    in_trash: bool
    boundary_id: int


def load_trash(
    session: Session,
    where: BoundarySet = ALL,
    *,
    search: str = "",
    before: Key | None = None,
    limit: int = 50,
) -> tuple[list[Discarded], bool]:
    """Return what is in the trash, the newest first, and whether there is more; one statement.

    :param where: the boundaries within which things are shown.
    :param search: words that all have to be in title or name.
    :param before: the key of the last one on the page before.
    """
    node = Node.__table__
    columns = (
        *(node.c.id, node.c.title, node.c.type, Trashed.name, node.c.parent_id),
        *(node.c.boundary_id, Trashed.at, Trashed.actor_id, Trashed.actor),
    )
    query = _inside(select(*columns).join(node, node.c.id == Trashed.node_id), where)
    for word in search[:LONGEST].replace("\0", " ").split()[:MOST_WORDS]:
        # Databases know of ASCII letters that big and small ones are the same.
        spellings = {word} if word.isascii() else {word, word.lower(), word.capitalize()}
        query = query.where(
            or_(
                *(
                    text.icontains(spelling, autoescape=True)
                    for spelling in spellings
                    for text in (node.c.title, Trashed.name)
                )
            )
        )
    if before is not None:
        query = query.where(tuple_(Trashed.at, Trashed.node_id) < tuple_(*before))
    ordered = query.order_by(Trashed.at.desc(), Trashed.node_id.desc()).limit(limit + 1)
    rows = [Discarded(*row) for row in session.execute(ordered, _parameters(where))]
    return rows[:limit], len(rows) > limit


def in_trash(session: Session, ids: Collection[int], where: BoundarySet = ALL) -> list[int]:
    """Return those of *ids* that are in the trash, and within these boundaries."""
    node = Node.__table__
    query = select(Trashed.node_id).join(node, node.c.id == Trashed.node_id)
    query = _inside(query.where(Trashed.node_id.in_(list(ids))), where)
    found = set(session.scalars(query, _parameters(where)))
    return [number for number in ids if number in found]


def expired(session: Session, since: dt.datetime, limit: int) -> list[int]:
    """Return ids of what has been in the trash since before *since*, the oldest first."""
    query = select(Trashed.node_id).where(Trashed.at < since)
    return list(session.scalars(query.order_by(Trashed.at, Trashed.node_id).limit(limit)))


def sizes(session: Session, ids: Collection[int]) -> Mapping[int, int]:
    """Return node -> how many pages lie below it; one statement."""
    node = Node.__table__
    down = select(node.c.id.label("origin"), node.c.id).where(node.c.id.in_(ids))
    down = down.cte("down", recursive=True)
    down = down.union_all(
        select(down.c.origin, node.c.id).join_from(down, node, node.c.parent_id == down.c.id)
    )
    query = select(down.c.origin, func.count() - 1).group_by(down.c.origin)
    return {row[0]: row[1] for row in session.execute(query)}


def old_places(session: Session, ids: Collection[int]) -> Mapping[int, OldPlace]:
    """Return node -> what there is to say of it, for places that things were in.

    Two statements, one if none of these is in the trash itself.
    """
    node = Node.__table__
    up = climb(select(node.c.id).where(node.c.id.in_(ids)))
    query = (
        select(up.c.origin, up.c.parent_id, up.c.name, up.c.state, node.c.title, node.c.boundary_id)
        .join_from(up, node, node.c.id == up.c.origin)
        .order_by(up.c.origin, up.c.height.desc())
    )
    rows = session.execute(query).all()
    hidden = {int(row.name.removeprefix("@@")) for row in rows if row.state == TRASHED}
    real = select(Trashed.node_id, Trashed.name).where(Trashed.node_id.in_(hidden))
    names = {hidden_name(row[0]): row[1] for row in session.execute(real)} if hidden else {}
    found: dict[int, OldPlace] = {}
    for row in rows:
        above = found.get(row.origin, OldPlace(row.title, (), False, row.boundary_id))
        name = () if row.parent_id is None else (names.get(row.name, row.name),)
        found[row.origin] = above._replace(
            names=(*above.names, *name), in_trash=above.in_trash or row.state == TRASHED
        )
    return found


def _inside(query: Select[*tuple[Any, ...]], where: BoundarySet) -> Select[*tuple[Any, ...]]:
    return query.where(is_member(Node.__table__.c.boundary_id, where.kind, "inside"))


def _parameters(where: BoundarySet) -> dict[str, Any]:
    return {"inside": where.parameter} if where.ids else {}
