"""Columns made into fields: what forms, files and checks need to know of them.

A column is the single declaration. What its type cannot say stands in its ``info``: ``label``,
``help``, ``widget``, ``choices`` (values, or pairs of value and label), ``required`` (there must be
a value although the column could do without), ``group`` (a heading under which forms keep it),
``rows`` (of a long text), ``key`` (in front matter) and ``derived`` (computed by ``derive``, so
nobody edits it and no file holds it).

A column with a foreign key to ``node.id`` is a *reference*: its value is another page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Column, inspect
from sqlalchemy import types as sql

from myproject.db.base import Base, TaggedJSON, UTCDateTime
from myproject.tree.known import CORE, own_tables
from myproject.tree.node import Node

#: Front matter keys that mean something in every document, so that no field can have them.
DOCUMENT_KEYS = frozenset(
    {
        *("title", "linkTitle", "description", "summary", "date", "lastmod", "draft"),
        *("contentType", "weight", "order", "url", "aliases", "publishDate", "expiryDate"),
    }
)

#: Kind of the fields whose values are other pages, and what their columns point to.
REFERENCE = "reference"
_NODE_ID = "node.id"

#: More digits than that a database without exact numbers, such as SQLite, does not keep.
_MAX_DIGITS = 15

#: Types of columns, the more special ones first, and how their values are called in records.
_KINDS: tuple[tuple[type[Any], str, type], ...] = (
    (UTCDateTime, "datetime", dt.datetime),
    (TaggedJSON, "tagged", object),
    (sql.JSON, "json", object),
    (sql.Enum, "", str),
    (sql.String, "text", str),
    (sql.Boolean, "boolean", bool),
    (sql.Integer, "integer", int),
    (sql.Float, "float", float),
    (sql.Numeric, "decimal", Decimal),
    (sql.Date, "date", dt.date),
    (sql.Time, "time", dt.time),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One editable field of a content type.

    :ivar name: of the attribute.
    :ivar label: what a person calls it.
    :ivar help: a sentence beside it.
    :ivar type: the Python type of its values; ``object`` for JSON.
    :ivar kind: how its column stores it, in a word.
    :ivar required: whether there must be a value.
    :ivar nullable: whether there may be none, None.
    :ivar max_length: of a text.
    :ivar choices: pairs of value and label where only these are allowed.
    :ivar widget: name of the widget in forms; empty for the one of its type.
    :ivar group: heading under which forms keep it, behind the others; empty for none.
    :ivar rows: lines of a long text that are seen at once; None for as many as usual.
    :ivar key: in front matter.
    :ivar default: of a new node.
    :ivar generated: whether the default is another one each time, so that *default* is unknown.
    :ivar limits: smallest and largest number, as its column can hold them.
    :ivar digits: precision and scale of a decimal number.
    """

    name: str
    label: str
    help: str = ""
    type: type = str
    kind: str = "text"
    required: bool = False
    nullable: bool = False
    max_length: int | None = None
    choices: tuple[tuple[Any, str], ...] = ()
    widget: str = ""
    group: str = ""
    rows: int | None = None
    key: str = ""
    default: Any = None
    generated: bool = False
    limits: tuple[int, int] | None = None
    digits: tuple[int | None, int | None] = (None, None)

    @property
    def has_default(self) -> bool:
        """Whether a new node has a value without anybody giving one."""
        return self.generated or self.default is not None

    def new_default(self) -> Any:
        """Return the default, a list or a mapping of its own where it is one."""
        return self.default.copy() if isinstance(self.default, list | dict) else self.default

    @property
    def may_wait(self) -> bool:
        """Whether an incomplete draft can do without its value: its column can hold that there is
        none. The title, which lists and addresses are made from, is needed from the beginning."""
        return self.required and self.name != "title" and (self.nullable or self.kind == "text")

    def is_empty(self, value: Any) -> bool:
        """Whether *value* is none, as far as what is required goes."""
        return value is None or (isinstance(value, str) and not value.strip())


@cache
def base_fields() -> tuple[Field, ...]:
    """Return the fields that all types have."""
    table = Node.__table__
    return tuple(
        _field(column.name, column, column.info) for column in table.c if "label" in column.info
    )


@cache
def editable_fields(cls: type[Base]) -> tuple[Field, ...]:
    """Return all that people edit of a class, in the order in which forms show it.

    For a content type: what every page has, what the core's own type adds, what the type itself
    adds, and then what is kept under a heading. For another mapped class its own fields.
    """
    if not issubclass(cls, Node):
        return fields_of(cls)
    core = (_field(name, column, column.info) for name, column in _columns(cls, of_core=True))
    fields = (*base_fields(), *core, *fields_of(cls))
    groups = dict.fromkeys(field.group for field in fields if field.group)
    return tuple(field for group in ("", *groups) for field in fields if field.group == group)


@cache
def reference_fields(cls: type[Base]) -> tuple[Field, ...]:
    """Return those fields of a class whose values are other pages."""
    return tuple(field for field in editable_fields(cls) if field.kind == REFERENCE)


@cache
def fields_of(cls: type[Base]) -> tuple[Field, ...]:
    """Return the fields that a type adds to those of the core, in the order of its columns; or
    those of another mapped class."""
    return tuple(_field(name, column, column.info) for name, column in own_columns(cls))


def own_columns(cls: type[Base]) -> list[tuple[str, Column[Any]]]:
    """Return attribute and column of each field that a type adds to those of the core."""
    return _columns(cls, of_core=False)


def reference_columns(cls: type[Base]) -> list[Column[Any]]:
    """Return the columns of a class that hold other pages, the core's and its own."""
    columns = (*_columns(cls, of_core=True), *_columns(cls, of_core=False))
    return [column for _, column in columns if _kind(column)[0] == REFERENCE]


def _columns(cls: type[Base], *, of_core: bool) -> list[tuple[str, Column[Any]]]:
    """Return attribute and column of each field in the tables of the core, or in the others."""
    mapper = inspect(cls)
    found = []
    for table in own_tables(cls):
        if (CORE in table.info) is not of_core:
            continue
        for column in table.columns:
            if not column.primary_key and not column.info.get("derived"):
                found.append((mapper.get_property_by_column(column).key, column))
    return found


def problem_with_fields(cls: type[Node]) -> str | None:
    """Return what keeps a type's columns from being edited and exported, in a sentence."""
    keys: dict[str, str] = {}
    for table in own_tables(cls):
        if [column.name for column in table.primary_key] != ["id"]:
            return f"The table {table.name!r} must have the column id, and no other, as its key."
    for name, column in own_columns(cls):
        where = f"{cls.__module__}.{cls.__qualname__}.{name}"
        if reason := _problem_with_column(column):
            return f"{where} {reason}"
        field = _field(name, column, column.info)
        if not isinstance(field.key, str) or not field.key or field.key.strip() != field.key:
            return f"{where} has {field.key!r} for its front matter key, which must be a word."
        if field.key in DOCUMENT_KEYS or field.key in keys:
            owner = f"the field {keys[field.key]!r}" if field.key in keys else "every page"
            return (
                f"{where} has the front matter key {field.key!r}, which {owner} has already. "
                'Give it another one: info={"key": ...}.'
            )
        keys[field.key] = name
    return None


def _problem_with_column(column: Column[Any]) -> str | None:
    kind = _kind(column)[0]
    if kind == REFERENCE:
        return _problem_with_reference(column)
    if column.foreign_keys:
        return (
            "refers to another table, and a file could not say to what. "
            'Mark it info={"derived": True} if derive() sets it.'
        )
    if not kind:
        return (
            f"has the type {column.type!r}, which cannot be edited. Use String, Text, Integer, "
            "Float, Numeric, Boolean, Date, Time, UTCDateTime, JSON or TaggedJSON, or mark it "
            'info={"derived": True}.'
        )
    if kind == "decimal":
        precision, scale = column.type.precision, column.type.scale  # type: ignore[attr-defined]
        if precision is None or scale is None or not 0 <= scale <= precision <= _MAX_DIGITS:
            return f"must say its digits, at most {_MAX_DIGITS}, as in Numeric(10, 2)."
    return None


def _problem_with_reference(column: Column[Any]) -> str | None:
    (key,) = column.foreign_keys
    # Else nobody could remove a page for good that another one refers to; or the database would
    # remove the other's row as well, and leave a page of which half is missing.
    if not column.nullable or (key.ondelete or "").upper() != "SET NULL":
        return (
            "refers to a page, which may be removed one day. Let it be nullable and say "
            'ForeignKey("node.id", ondelete="SET NULL"); info={"required": True} asks for a page.'
        )
    if column.default is not None or column.server_default is not None:
        return "refers to a page, so it can have no default."
    return None


def _kind(column: Column[Any]) -> tuple[str, type]:
    if [key.target_fullname for key in column.foreign_keys] == [_NODE_ID]:
        return REFERENCE, int
    kinds = (found for found in _KINDS if isinstance(column.type, found[0]))
    kind = next(kinds, (None, "", object))
    if kind[1] in {"decimal", "float"}:
        as_decimal = column.type.asdecimal  # type: ignore[attr-defined]
        return (kind[1], kind[2]) if as_decimal is (kind[1] == "decimal") else ("", object)
    if kind[1] == "time" and column.type.timezone:  # type: ignore[attr-defined]
        return "", dt.time
    return kind[1], kind[2]


def _limits(column: Column[Any], kind: str) -> tuple[int, int] | None:
    if kind == REFERENCE:
        return 1, (1 << 63) - 1
    if not isinstance(column.type, sql.Integer):
        return None
    big, small = (isinstance(column.type, kind) for kind in (sql.BigInteger, sql.SmallInteger))
    bits = 63 if big else 15 if small else 31
    return -(1 << bits), (1 << bits) - 1


def _default(column: Column[Any]) -> tuple[Any, bool]:
    """Return the default of a column, and whether it is made anew each time."""
    default: Any = column.default
    if default is None:
        return None, column.server_default is not None
    if default.is_scalar:
        return default.arg, False
    if default.is_callable:
        try:
            made = default.arg(None)
        except Exception:  # it wants to know of the statement that it is made for
            return None, True
        if isinstance(made, list | dict) and not made:
            return made, False
    return None, True


def _field(name: str, column: Column[Any], info: Mapping[Any, Any]) -> Field:
    kind, python_type = _kind(column)
    default, generated = _default(column)
    numeric: Any = column.type
    return Field(
        name=name,
        label=info.get("label") or name.replace("_", " ").capitalize(),
        help=info.get("help", ""),
        type=python_type,
        kind=kind,
        required=bool(
            info.get("required", not column.nullable and default is None and not generated)
        ),
        nullable=bool(column.nullable),
        max_length=getattr(column.type, "length", None) if kind == "text" else None,
        choices=_pairs(info.get("choices", ())),
        widget=info.get("widget", ""),
        group=info.get("group", ""),
        rows=info.get("rows"),
        key=info.get("key", column.name),
        default=default,
        generated=generated,
        limits=_limits(column, kind),
        digits=(numeric.precision, numeric.scale) if kind == "decimal" else (None, None),
    )


def _pairs(choices: Iterable[Any]) -> tuple[tuple[Any, str], ...]:
    return tuple(
        choice if isinstance(choice, tuple) else (choice, str(choice)) for choice in choices
    )
