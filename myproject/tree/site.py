"""The site's one row: it counts the transactions that changed anything.

Whatever a reader sees depends on more than one node (its siblings, its children, the targets of
its links), so caches and conditional requests compare this number instead of a page's own date.
Another number counts the changes of who may do what; what follows from those is kept in memory
until it grows.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, UTCDateTime, utcnow
from myproject.db.transaction import mark_changed

SITE_ID = 1

#: Key of ``session.info``: set where readers will not notice the transaction.
_UNSEEN = "unseen"


class Site(Base):
    """The single row of facts about the whole site."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger, default=1)
    changed_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    access_revision: Mapped[int] = mapped_column(BigInteger, default=1)


def count_revision(session: Session) -> None:
    """Listener for ``before_commit``: raise the revision as the last statement of a transaction.

    Last, so that the row's lock is held as briefly as can be.
    """
    if not session.in_nested_transaction() and not session.info.get(_UNSEEN):
        session.connection().execute(
            update(Site.__table__)  # type: ignore[arg-type]
            .where(Site.__table__.c.id == SITE_ID)
            .values(revision=Site.__table__.c.revision + 1, changed_at=utcnow())
        )


def leave_revision(session: Session) -> None:
    """Say that no page looks different for what this transaction writes: a sign-in, for example."""
    session.info[_UNSEEN] = True


def count_access_revision(session: Session) -> None:
    """Say that from this transaction on somebody may do more, or less, somewhere."""
    session.connection().execute(
        update(Site.__table__)  # type: ignore[arg-type]
        .where(Site.__table__.c.id == SITE_ID)
        .values(access_revision=Site.__table__.c.access_revision + 1)
    )
    mark_changed(session)
