"""Remembering content types: what is needed to keep, copy and export those that are switched off.

Exports read the columns that a type adds in the way described here whether it is on or off, so
both write the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import BigInteger, insert, select, update
from sqlalchemy import types as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myproject.content.columns import REFERENCE, fields_of, own_columns, reference_columns
from myproject.content.registry import ContentType, ContentTypes
from myproject.content.types import Link
from myproject.db.base import TaggedJSON, UTCDateTime
from myproject.db.transaction import mark_changed
from myproject.tree.copying import columns_in_database
from myproject.tree.known import KnownType, known_types, own_tables
from myproject.tree.node import Node
from myproject.tree.site import leave_revision

__all__ = [
    "KnownType",
    "StoredField",
    "StoredType",
    "known_types",
    "record_types",
    "stored_references",
    "stored_types",
]

_TYPES: Mapping[str, Any] = {
    "datetime": UTCDateTime(),
    "tagged": TaggedJSON(),
    "json": sql.JSON(),
    "text": sql.Text(),
    "boolean": sql.Boolean(),
    "integer": BigInteger(),
    "reference": BigInteger(),
    "float": sql.Float(),
    "date": sql.Date(),
    "time": sql.Time(),
}


@dataclass(frozen=True, slots=True)
class StoredField:
    """Where a field is stored and how a file says it.

    :ivar name: of the attribute, by which revisions know it.
    :ivar table, column: where.
    :ivar kind: how its values are stored, see :class:`myproject.content.columns.Field`.
    :ivar key: in front matter.
    :ivar scale: decimal places of a decimal number.
    :ivar write_none: whether a file must say that there is no value, lest it gets the default.
    """

    name: str
    table: str
    column: str
    kind: str
    key: str
    scale: int = 0
    write_none: bool = False

    def read_as(self) -> Any:
        """Return the type that reads the column, without the class that declares it."""
        return sql.Numeric(30, self.scale) if self.kind == "decimal" else _TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class StoredType:
    """A content type as far as its rows go.

    :ivar tables: names of the tables below that of all nodes, joined by id.
    """

    name: str
    addon: str
    title: str
    tables: tuple[str, ...]
    fields: tuple[StoredField, ...]

    def fields_in(self, table: str) -> list[StoredField]:
        """Return the fields whose columns are in one of the tables."""
        return [field for field in self.fields if field.table == table]


def stored_types(session: Session, types: ContentTypes) -> dict[str, StoredType]:
    """Return the types that are registered, and those that the site has had, by name."""
    known = {
        name: StoredType(
            name,
            row.addon,
            row.title,
            tuple(row.tables),
            tuple(StoredField(**field) for field in row.fields),
        )
        for name, row in known_types(session).items()
    }
    return known | {content_type.name: _stored(content_type) for content_type in types}


def _stored(content_type: ContentType) -> StoredType:
    cls = content_type.cls
    columns = dict(own_columns(cls))
    return StoredType(
        content_type.name,
        content_type.addon,
        str(content_type.title),
        tuple(table.name for table in own_tables(cls)),
        tuple(
            StoredField(
                name=field.name,
                table=columns[field.name].table.name,
                column=columns[field.name].name,
                kind=field.kind,
                key=field.key,
                scale=field.digits[1] or 0,
                write_none=field.nullable and field.has_default,
            )
            for field in fields_of(cls)
        ),
    )


def stored_references(session: Session, type_names: Iterable[str]) -> dict[str, list[str]]:
    """Return table -> columns in which nodes of some types refer to others, whether the add-on of
    a type is on or off."""
    known = known_types(session)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in type_names:
        if name in known:
            fields = known[name].fields
            places = [(f["table"], f["column"]) for f in fields if f["kind"] == REFERENCE]
            if Link.__tablename__ in known[name].tables:
                places.append((Link.__tablename__, "target_id"))
        elif (mapper := Node.__mapper__.polymorphic_map.get(name)) is not None:
            columns = reference_columns(mapper.class_)
            places = [(column.table.name, column.name) for column in columns]
        else:
            places = []
        for table, column in places:
            if column not in found[table]:
                found[table].append(column)
    return {
        table: columns
        for table, columns in found.items()
        # An add-on may be gone with its tables.
        if table == Link.__tablename__
        or {"id", *columns} <= set(columns_in_database(session, table))
    }


def unrecorded(session: Session, types: ContentTypes) -> dict[str, dict[str, Any]]:
    """Return what :func:`record_types` would write: type -> columns."""
    rows, names = KnownType.__table__, ("addon", "title", "tables", "fields")
    present = {
        row.name: {name: getattr(row, name) for name in names}
        for row in session.connection().execute(select(rows))
    }
    wanted = {content_type.name: _values(content_type) for content_type in types}
    return {name: values for name, values in wanted.items() if present.get(name) != values}


def record_types(session: Session, types: ContentTypes) -> bool:
    """Remember the types that are registered, for when they no longer are.

    :returns: whether something was written. Another server that starts at the same time may write
        the same.
    """
    rows, connection = KnownType.__table__, session.connection()
    changes = unrecorded(session, types)
    for name, values in changes.items():
        written = connection.execute(update(rows).where(rows.c.name == name).values(values))
        if not written.rowcount:
            with suppress(IntegrityError), connection.begin_nested():
                connection.execute(insert(rows).values(name=name, **values))
    if changes:
        # No page looks different for it.
        leave_revision(session)
        session.expire_all()
        mark_changed(session)
    return bool(changes)


def _values(content_type: ContentType) -> dict[str, Any]:
    stored = _stored(content_type)
    return {
        "addon": stored.addon,
        "title": stored.title,
        "tables": list(stored.tables),
        "fields": [asdict(field) for field in stored.fields],
    }
