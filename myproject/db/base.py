"""The declarative base, its naming convention, and the column types that every table uses."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, Table
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import JSON, TypeDecorator

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base class of all mapped classes, add-ons' included: one metadata, one mapper registry."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)

    if TYPE_CHECKING:
        __table__: ClassVar[Table]  # type: ignore[assignment]


#: Primary keys: 64 bits, in the one spelling that SQLite numbers by itself.
Id = BigInteger().with_variant(Integer, "sqlite")


EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def utcnow() -> dt.datetime:
    """Return the present time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def to_microseconds(moment: dt.datetime) -> int:
    """Return a moment as whole microseconds since 1970, by which addresses name it."""
    return (moment - EPOCH) // _MICROSECOND


def from_microseconds(number: int) -> dt.datetime:
    """Return the moment that :func:`to_microseconds` was given.

    :raises OverflowError: for one that no calendar has.
    """
    return EPOCH + number * _MICROSECOND


class UTCDateTime(TypeDecorator[dt.datetime]):
    """An aware ``datetime``, stored in UTC with microseconds on every database.

    Naive values are refused with ``ValueError``: guessing a time zone is how times go wrong.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware datetime.")
        value = value.astimezone(dt.UTC)
        # SQLite stores text without an offset, and then compares text.
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$date": dt.date.fromisoformat,
    "$datetime": dt.datetime.fromisoformat,
    "$time": dt.time.fromisoformat,
    "$float": float,
    "$decimal": Decimal,
    "$map": lambda pairs: {from_tagged(key): from_tagged(value) for key, value in pairs},
}


def to_tagged(value: Any) -> Any:
    """Return a value as :class:`TaggedJSON` stores it: plain JSON, with marks for the rest."""
    match value:
        case dt.datetime():
            return {"$datetime": value.isoformat()}
        case dt.date():
            return {"$date": value.isoformat()}
        case dt.time():
            return {"$time": value.isoformat()}
        case Decimal():
            return {"$decimal": str(value)}
        case float() if not math.isfinite(value):
            return {"$float": str(value)}
        case dict() if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: to_tagged(item) for key, item in value.items()}
        case dict():
            return {"$map": [[to_tagged(key), to_tagged(item)] for key, item in value.items()]}
        case list() | tuple():
            return [to_tagged(item) for item in value]
    return value


def from_tagged(value: Any) -> Any:
    """Return the value that :func:`to_tagged` has made JSON of.

    :raises ValueError, TypeError: for a mark around something that it does not fit.
    """
    if isinstance(value, dict):
        if len(value) == 1:
            (key, content), *_ = value.items()
            if key in _READERS:
                return _READERS[key](content)
        return {key: from_tagged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_tagged(item) for item in value]
    return value


class TaggedJSON(TypeDecorator[dict[str, Any]]):
    """A JSON object whose values come back as what they were.

    JSON has no dates, no infinity and no keys but strings, front matter has; they are stored as
    ``{"$date": "2026-05-01"}`` and the like. The order of keys is kept, which PostgreSQL's JSONB
    would not do.
    """

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> Any:
        return to_tagged(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return from_tagged(value)
