"""Content as JSON: its schema, a node's fields in it, and values out of it.

The same columns that make forms make this, so what the schema says, what :func:`to_json` gives and
what :func:`from_json` takes are one thing. Dates, times and moments are texts as ISO 8601 has them,
exact numbers are texts, a reference is the number of a page. In fields that hold anything with its
type (``TaggedJSON``) what JSON lacks is marked as ``{"$date": "2026-05-01"}`` and the like.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pyramid.i18n import TranslationStringFactory

from myproject.content.columns import Field, editable_fields
from myproject.content.fields import model_of, validate
from myproject.db.base import Base, from_tagged, to_tagged
from myproject.exceptions import InvalidValue

_ = TranslationStringFactory("myproject")


@cache
def json_schema_of(cls: type[Base]) -> dict[str, Any]:
    """Return the JSON schema of all that people edit of a class; not to be changed."""
    return model_of(cls).model_json_schema()


def to_json(node: Base) -> dict[str, Any]:
    """Return field -> value of all that people edit of a node, as JSON can hold it."""
    return {
        field.name: _plain(field, getattr(node, field.name))
        for field in editable_fields(type(node))
    }


def from_json(
    cls: type[Base], data: Mapping[str, Any], *, incomplete: bool = False
) -> dict[str, Any]:
    """Return the values of all fields of a class as its columns take them.

    :param data: what :func:`to_json` gives; fields that are not in it get their defaults, and are
        left out where only the database knows those.
    :param incomplete: whether required fields may be empty, as those of a draft.
    :raises InvalidValue: for the first value that cannot be, and for a field that is not there.
    """
    given = dict(data)
    values: dict[str, Any] = {}
    for field in editable_fields(cls):
        if field.name in given:
            values[field.name] = _value(field, given.pop(field.name))
        elif field.required:
            values[field.name] = None
        elif not field.generated:
            values[field.name] = field.new_default()
    for name in given:
        raise InvalidValue(str(name)[:100], f"{cls.__name__} has no such field.")
    return validate(cls, values, incomplete=incomplete)


def _plain(field: Field, value: Any) -> Any:
    match value:
        case None:
            return None
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case dt.date() | dt.time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
    return to_tagged(value) if field.kind == "tagged" else value


def _value(field: Field, value: Any) -> Any:
    if field.kind == "tagged":
        try:
            return from_tagged(value)
        except (ValueError, TypeError, AttributeError):
            reason = _("Something in it is marked as what it is not.")
            raise InvalidValue(field.name, reason) from None
    return value
