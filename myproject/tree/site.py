"""The site's revision: one row that counts the transactions that changed anything.

Whatever a reader sees depends on more than one node (its siblings, its children, the targets of
its links), so caches and conditional requests compare this number instead of a page's own date.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base, UTCDateTime, utcnow

SITE_ID = 1


class Site(Base):
    """The single row of facts about the whole site."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger, default=1)
    changed_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)


def count_revision(session: Session) -> None:
    """Listener for ``before_commit``: raise the revision as the last statement of a transaction.

    Last, so that the row's lock is held as briefly as can be.
    """
    if not session.in_nested_transaction():
        session.connection().execute(
            update(Site.__table__)  # type: ignore[arg-type]
            .where(Site.__table__.c.id == SITE_ID)
            .values(revision=Site.__table__.c.revision + 1, changed_at=utcnow())
        )
