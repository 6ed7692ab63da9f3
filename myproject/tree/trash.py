"""The trash: what a node was called before it went there, and who put it there.

A node in the trash stays where it is. Its name becomes one that no address can reach, and its
state one that nobody is shown, so putting a section there writes one row of it whatever hangs
below; permissions go on to hold, and it moves along when the place around it is moved.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from myproject.db.base import Base, Id, UTCDateTime, utcnow


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
