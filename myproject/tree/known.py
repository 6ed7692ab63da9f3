"""What a site remembers of its content types, for when the add-on of one is switched off.

The tree needs it to copy rows whose class nobody has registered; what is remembered is up to
:mod:`myproject.content.known`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, String, Table, inspect, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from myproject.db.base import Base
from myproject.tree.node import Node

#: In a table's ``info``: it holds columns of the core, so it is there whatever is switched on.
CORE = "core"


class KnownType(Base):
    """A content type that this site has had."""

    __tablename__ = "known_type"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    #: Name of the add-on that it belongs to; empty for the core.
    addon: Mapped[str] = mapped_column(String(200), default="")
    title: Mapped[str] = mapped_column(String(500), default="")
    #: Names of the tables below that of all nodes that hold its columns, joined by id.
    tables: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: What exports need to know of its fields, see :class:`myproject.content.known.StoredField`.
    fields: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)


def known_types(session: Session) -> dict[str, KnownType]:
    """Return all types that the site has had, by name; one statement."""
    return {known.name: known for known in session.scalars(select(KnownType))}


def own_tables(cls: type[Base]) -> list[Table]:
    """Return the tables that hold the columns of a class below that of all nodes, in the order in
    which rows can be added to them."""
    tables: list[Any] = []
    for mapper in inspect(cls).iterate_to_root():
        if mapper.local_table not in (*tables, Node.__table__):
            tables.insert(0, mapper.local_table)
    return tables
