"""A page as it was at a time: where its address led to then, and what it said."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, case, select
from sqlalchemy.orm import Session

from myproject.content.revisions import Revision
from myproject.db.base import Id, UTCDateTime
from myproject.tree.history import PastNode, held_at, past_lineage
from myproject.tree.node import PUBLISHED, ROOT_ID


class PastPage(NamedTuple):
    """What an address led to at a time.

    :ivar lineage: the places on the way, from the root down, as they stood then; shorter than the
        address where nothing was there.
    :ivar revision_id: of what the page said then; None where no revision was kept of it yet, so
        that it says now what it said then.
    :ivar type: its content type then; empty without a revision.
    :ivar fields: field -> value; None without a revision.
    """

    lineage: Sequence[PastNode]
    revision_id: int | None
    type: str
    fields: Mapping[str, Any] | None

    @property
    def was_public(self) -> bool:
        """Whether visitors could see it, as far as states say: it and all above it published."""
        return all(place.state == PUBLISHED for place in self.lineage)


@cache
def _query() -> Select[*tuple[Any, ...]]:
    walk, revision = past_lineage(), Revision.__table__
    at = bindparam("at", type_=UTCDateTime)
    # One look-up, however long the history is: the latest that had begun, if it still held.
    earlier = revision.alias("earlier")
    latest = (
        select(earlier.c.id)
        .where(earlier.c.node_id == walk.c.id, earlier.c.valid_from <= at)
        .order_by(earlier.c.valid_from.desc(), earlier.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    # Only at the end of the way is it asked what the page said.
    is_last = walk.c.depth == bindparam("last", type_=Id)
    said = (revision.c.id == case((is_last, latest))) & held_at(revision.c, at)
    return (
        select(
            *(walk.c[name] for name in PastNode._fields),
            *(revision.c.id.label("revision_id"), revision.c.type, revision.c.fields),
        )
        .join_from(walk, revision, said, isouter=True)
        .order_by(walk.c.depth)
    )


def load_past_page(session: Session, segments: Sequence[str], at: dt.datetime) -> PastPage | None:
    """Return what the address *segments* led to at a time; one statement, whatever its depth.

    :param segments: decoded names in NFC, as they were then.
    :param at: an aware time.
    :returns: None where the address led nowhere.
    """
    names = json.dumps(segments)
    parameters = {"start": ROOT_ID, "names": names, "at": at, "last": len(segments)}
    rows = session.connection().execute(_query(), parameters).all()
    if len(rows) <= len(segments):
        return None
    width = len(PastNode._fields)
    revision_id, type_name, fields = rows[-1][width:]
    lineage = [PastNode(*row[:width]) for row in rows]
    return PastPage(lineage, revision_id, type_name or "", fields)
