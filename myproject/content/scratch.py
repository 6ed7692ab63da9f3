"""Work that somebody has begun and not saved: one row per person, place and purpose.

It is written while they type, so that nothing is lost when a browser, a session or a connection
ends. It never becomes a revision, and nobody else sees it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import JSON, ForeignKey, String, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, Id, UTCDateTime, utcnow
from myproject.db.transaction import mark_changed


class Scratch(Base):
    """What a form held when it was kept last."""

    __tablename__ = "scratch"

    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: The page that is edited, or the one below which a new one is written.
    node_id: Mapped[int] = mapped_column(
        Id,
        ForeignKey("node.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    )
    #: ``edit``, or ``add:`` with the name of a type.
    purpose: Mapped[str] = mapped_column(String(60), primary_key=True)
    saved_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    #: The revision that the form began with; 0 for none.
    base_revision_id: Mapped[int] = mapped_column(Id, default=0)
    #: Field -> what was typed.
    values: Mapped[dict[str, str]] = mapped_column(JSON)


def load_scratch(session: Session, user_id: int, node_id: int, purpose: str) -> Scratch | None:
    """Return what somebody has begun here, if anything."""
    return session.get(Scratch, (user_id, node_id, purpose))


def store_scratch(
    session: Session,
    user_id: int,
    node_id: int,
    purpose: str,
    values: Mapping[str, str],
    base_revision_id: int = 0,
) -> Scratch:
    """Keep what somebody has begun, instead of what was kept of it before."""
    kept = session.merge(
        Scratch(
            user_id=user_id,
            node_id=node_id,
            purpose=purpose,
            saved_at=utcnow(),
            base_revision_id=base_revision_id,
            values=dict(values),
        )
    )
    session.flush()
    return kept


def drop_scratch(session: Session, user_id: int, node_id: int, purpose: str) -> None:
    """Forget what somebody had begun: it was saved, or thrown away."""
    session.execute(
        delete(Scratch).where(
            Scratch.user_id == user_id, Scratch.node_id == node_id, Scratch.purpose == purpose
        )
    )
    mark_changed(session)
