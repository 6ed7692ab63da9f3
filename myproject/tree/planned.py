"""What is planned: which pages readers begin to see, and which they no longer see, and when."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from sqlalchemy import literal, select, tuple_, union_all
from sqlalchemy.orm import Session

from myproject.db.base import UTCDateTime, from_microseconds, to_microseconds
from myproject.tree.node import PUBLISHED, TRASHED, Node
from myproject.tree.timing import database_now
from myproject.tree.urls import out_of_reach
from myproject.tree.visibility import BoundarySet, is_member, parameters_of

_KEY = re.compile(r"([0-9]{1,18})[.]([0-9]{1,18})[.]([01])")


class Key(NamedTuple):
    """A place in the list of what is planned, what comes first at its beginning.

    :ivar is_end: whether readers see the page no longer then.
    """

    at: dt.datetime
    node_id: int
    is_end: bool

    def __str__(self) -> str:
        return f"{to_microseconds(self.at)}.{self.node_id}.{self.is_end:d}"

    @classmethod
    def parse(cls, text: str) -> Key | None:
        """Return the key that ``str()`` wrote; None for anything else."""
        match = _KEY.fullmatch(text)
        if match is None:
            return None
        try:
            at = from_microseconds(int(match[1]))
        except OverflowError:
            return None
        return cls(at, int(match[2]), match[3] == "1")


class Planned(NamedTuple):
    """Something that happens at a time to come.

    :ivar is_draft: whether it is a draft that is published then, and readers see the page before.
    """

    key: Key
    title: str
    boundary_id: int
    is_draft: bool


def load_planned(
    session: Session,
    places: BoundarySet,
    drafts: BoundarySet,
    *,
    after: Key | None = None,
    limit: int = 50,
) -> list[Planned]:
    """Return what is planned, in the order of time; one statement.

    :param places: the boundaries within which somebody may know of it.
    :param drafts: those within which they may see drafts, and so what lies below these.
    :param after: where to go on.
    """
    node = Node.__table__.c
    times = union_all(
        *(
            select(node.id, column.label("at"), literal(number).label("is_end")).where(
                column > database_now(),
                node.state != TRASHED,
                is_member(node.boundary_id, places.kind, "places"),
            )
            for number, column in enumerate((node.publish_at, node.expire_at))
        )
    ).cte("times")
    place = tuple_(times.c.at, times.c.id, times.c.is_end)
    query = (
        select(*times.c, node.title, node.boundary_id, node.draft_id, node.state)
        .join_from(times, Node.__table__, node.id == times.c.id)
        .where(times.c.id.not_in(out_of_reach(select(times.c.id), drafts, "drafts")))
        .order_by(*place)
        .limit(limit)
    )
    if after is not None:
        at = literal(after.at, UTCDateTime())
        query = query.where(place > tuple_(at, literal(after.node_id), literal(int(after.is_end))))
    parameters = parameters_of({"places": places, "drafts": drafts})
    return [
        Planned(
            Key(row.at, row.id, bool(row.is_end)),
            row.title,
            row.boundary_id,
            row.draft_id is not None and row.state == PUBLISHED,
        )
        for row in session.connection().execute(query, parameters)
    ]
