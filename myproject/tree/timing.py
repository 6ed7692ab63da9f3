"""What becomes of pages on time: they appear, and they disappear, even if nobody does anything.

A page has a time from which readers see it, and one from which they do not. Whoever reads decides
by the database's clock; that a job then says the same of the state of the page changes nothing of
what is seen.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from myproject.db.base import UTCDateTime
from myproject.tree.node import DRAFT, PUBLISHED, TRASHED, Node


class database_now(FunctionElement[dt.datetime]):
    """The time of the database's clock, the same all through a statement."""

    type = UTCDateTime()
    inherit_cache = True


@compiles(database_now)
def _database_now(element: Any, compiler: Any, **kw: Any) -> str:
    # As times are stored, to the millisecond, so that texts compare as times do.
    return "strftime('%Y-%m-%d %H:%M:%f', 'now')"


@compiles(database_now, "postgresql")
def _database_now_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return "statement_timestamp()"


def seen_state(columns: Any) -> ColumnElement[str]:
    """Return the state that holds for readers now, as ``Node.seen_state`` does.

    :param columns: of the node table, or of an alias of it; or of a query that has worked this
        out as its ``state`` already, and so has no times.
    """
    if "publish_at" not in columns:
        return columns.state
    now = database_now()
    return case(
        # Nearly all are like this.
        (and_(columns.publish_at.is_(None), columns.expire_at.is_(None)), columns.state),
        (columns.state == TRASHED, columns.state),
        (columns.expire_at <= now, literal(DRAFT)),
        (columns.publish_at <= now, literal(PUBLISHED)),
        else_=columns.state,
    )


def is_due(columns: Any) -> ColumnElement[bool]:
    """Return "something is to be done about this page, for what readers see of it already"."""
    now = database_now()
    return and_(or_(columns.publish_at <= now, columns.expire_at <= now), columns.state != TRASHED)


def latest_due(name: str) -> ScalarSelect[dt.datetime]:
    """Return the time at which a page appeared or disappeared last, that nothing was done about.

    :param name: ``publish_at`` or ``expire_at``.
    """
    column = Node.__table__.c[name]
    return select(func.max(column)).where(column <= database_now()).scalar_subquery()
