"""Who has written what was copied: a copy has no history of its own, but the same authors."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session, object_session

from myproject.content.revisions import Revision, record_revision
from myproject.content.types import UnavailableContent
from myproject.content.workflow import authors_of_newest
from myproject.tree.actor import Actor
from myproject.tree.events import NodeCopied
from myproject.tree.node import PUBLISHED, Node
from myproject.tree.timing import seen_state

#: Pages that one statement looks for.
_BATCH = 500


def keep_authors(event: NodeCopied) -> None:
    """Keep with copies of what readers have not seen who has written it; otherwise they could be
    published by whoever did. Few statements for each of these pages, none for others."""
    session = object_session(event.node)
    if session is None:
        return
    originals, hidden = list(event.copies), seen_state(Node.__table__.c) != PUBLISHED
    for start in range(0, len(originals), _BATCH):
        ids = originals[start : start + _BATCH]
        for node in session.scalars(select(Node).where(Node.id.in_(ids), hidden)).all():
            if not isinstance(node, UnavailableContent):
                _keep(session, node, session.get_one(Node, event.copies[node.id]))


def _keep(session: Session, node: Node, copy: Node) -> None:
    query = (
        select(Revision.actor_id, func.max(Revision.actor))
        .where(Revision.node_id == node.id, Revision.actor_id.in_(authors_of_newest(session, node)))
        .group_by(Revision.actor_id)
        .order_by(Revision.actor_id)
    )
    for actor_id, name in session.execute(query).all():
        record_revision(session, copy, Actor(actor_id, name))
