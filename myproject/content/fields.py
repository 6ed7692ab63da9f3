"""Values for fields: a pydantic model per content type, and checks in plain words.

The fields themselves come from the columns, see :mod:`myproject.content.columns`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Optional

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic import Field as Constraints
from pyramid.i18n import TranslationStringFactory

from myproject.content.columns import (
    DOCUMENT_KEYS,
    REFERENCE,
    Field,
    base_fields,
    editable_fields,
    fields_of,
    problem_with_fields,
)
from myproject.db.base import Base
from myproject.exceptions import UNSTORABLE, InvalidValue, TooLong
from myproject.translation import PluralStringFactory

__all__ = [
    "DOCUMENT_KEYS",
    "Field",
    "base_fields",
    "editable_fields",
    "fields_of",
    "missing_fields",
    "model_of",
    "problem_with_fields",
    "validate",
]

_ = TranslationStringFactory("myproject")
ngettext = PluralStringFactory("myproject")

#: As deep as front matter may be nested, with room for what is around a value.
_MAX_NESTING = 40
_MAX_BITS = 10_000
#: Dates beyond have no place in some time zone.
_YEARS = range(2, 9999)

_NEEDED = _("It needs a value.")
_UNSTORABLE = _("A character in it cannot be stored; remove it.")
_PAGE = _("It must be the number of a page.")
_WORDS: Mapping[type, str] = {
    str: _("It must be a text. (In a file, put it in quotation marks.)"),
    int: _("It must be a whole number."),
    float: _("It must be a number."),
    Decimal: _("It must be a number such as 12.50."),
    bool: _("It must be true or false."),
    dt.date: _("It must be a date such as 2026-05-01."),
    dt.datetime: _("It must be a date and time with its time zone, such as 2026-05-01T12:00:00Z."),
    dt.time: _("It must be a time such as 12:30."),
}


@cache
def model_of(cls: type[Base]) -> type[BaseModel]:
    """Return the pydantic model of all that people edit of a class."""
    members: dict[str, Any] = {}
    for field in editable_fields(cls):
        constraints: dict[str, Any] = {"title": str(field.label), "description": field.help or None}
        if said := _said_of(field):
            constraints["json_schema_extra"] = said
        if field.required:
            default: Any = ...
        elif isinstance(field.default, list | dict):
            default, constraints["default_factory"] = None, field.new_default
        else:
            default = field.default
        if "default_factory" in constraints:
            members[field.name] = (_annotated(field), Constraints(**constraints))
        else:
            members[field.name] = (_annotated(field), Constraints(default, **constraints))
    return create_model(
        cls.__name__, __config__=ConfigDict(extra="forbid"), __doc__=cls.__doc__, **members
    )


def _said_of(field: Field) -> dict[str, Any]:
    """Return what the schema says of a field beyond what its Python type tells."""
    if field.choices:
        values = [value for value, _ in field.choices]
        return {"enum": [*values, None] if field.nullable and None not in values else values}
    if field.kind == REFERENCE:
        return {"format": "node-id"}
    return {"contentMediaType": "text/markdown"} if field.widget == "markdown" else {}


def validate(
    cls: type[Base], values: Mapping[str, Any], *, incomplete: bool = False
) -> dict[str, Any]:
    """Return the values of some of a type's fields as its columns take them.

    Texts, as forms and files give them, become numbers, dates and so on.

    :param values: field -> value; fields that are not in it are not looked at.
    :param incomplete: as for a draft: a required field may be empty where its column can hold
        that. The title, which lists and addresses are made from, never may.
    :raises InvalidValue: for the first wrong one, with a sentence that says what is expected.
    """
    fields = _fields(cls, incomplete)
    checked = {}
    for name, value in values.items():
        if name not in fields:
            raise InvalidValue(name, f"{cls.__name__} has no such field.")
        field, adapter = fields[name]
        try:
            checked[name] = adapter.validate_python(value)
        except ValidationError as error:
            raise InvalidValue(name, _sentence(field, error)) from None
    return checked


def missing_fields(node: Base) -> list[Field]:
    """Return the required fields of a node that are empty, which a page cannot be published
    with; those of columns that are not loaded are read."""
    fields = editable_fields(type(node))
    return [each for each in fields if each.required and each.is_empty(getattr(node, each.name))]


@cache
def _fields(cls: type[Base], incomplete: bool) -> dict[str, tuple[Field, TypeAdapter[Any]]]:
    return {
        field.name: (field, TypeAdapter(_annotated(field, wait=incomplete and field.may_wait)))
        for field in editable_fields(cls)
    }


def _sentence(field: Field, error: ValidationError) -> str:
    found = error.errors()[0]
    context = found.get("ctx", {})
    match found["type"]:
        case "value_error":
            return context["error"].args[0]
        case "string_too_long":
            return TooLong(field.name, field.max_length or 0).reason
        case "greater_than_equal" | "less_than_equal" if field.limits and field.kind != REFERENCE:
            least, most = field.limits
            return _(
                "It must be between ${least} and ${most}.", mapping={"least": least, "most": most}
            )
        case "decimal_max_places":
            return ngettext(
                "It can have at most ${n} decimal place.",
                "It can have at most ${n} decimal places.",
                context["decimal_places"],
            )
        case "decimal_max_digits" | "decimal_whole_digits":
            precision, scale = field.digits
            return ngettext(
                "It can have at most ${n} digit before the point.",
                "It can have at most ${n} digits before the point.",
                (precision or 0) - (scale or 0),
            )
    if field.kind == REFERENCE:
        return _PAGE
    return _WORDS.get(field.type, _("It is not valid."))


def _annotated(field: Field, *, wait: bool = False) -> Any:
    """Return the type of a field's values with all that they must fulfil, for pydantic.

    :param wait: whether a required one may be empty.
    """
    required = field.required and not wait
    rules: list[Any] = [Constraints(**_constraints(field))]
    after = _AFTER.get(field.kind)
    if after is not None:
        rules.append(AfterValidator(after))
    if field.kind == "decimal":
        rules.append(AfterValidator(_rounded_to(field.digits[1] or 0)))
    if field.choices:
        rules.append(AfterValidator(_one_of(field, or_empty=wait)))
    if field.kind == "text" and required:
        rules.append(AfterValidator(_filled))
    annotated = Annotated[_PYDANTIC.get(field.type, field.type), *rules]  # type: ignore[valid-type]
    if field.nullable and not required:
        annotated = Optional[annotated]  # noqa: UP045 - what is annotated is no type to an operator
    return Annotated[annotated, BeforeValidator(_plain(field, wait=wait))]


#: JSON may be anything.
_PYDANTIC: Mapping[type, Any] = {object: Any}


def _constraints(field: Field) -> dict[str, Any]:
    if field.limits:
        return {"ge": field.limits[0], "le": field.limits[1]}
    if field.kind == "decimal":
        return {"max_digits": field.digits[0], "decimal_places": field.digits[1]}
    if field.kind == "float":
        return {"allow_inf_nan": False}
    return {} if field.max_length is None else {"max_length": field.max_length}


def _plain(field: Field, *, wait: bool) -> Callable[[Any], Any]:
    """Return what is done before pydantic looks at a value, which takes much for a number."""
    convert = {str: _text, object: lambda value: value}.get(field.type, _from_text(field.type))
    may_be_none = field.nullable and (wait or not field.required)

    def plain(value: Any) -> Any:
        value = None if value is None else convert(value)
        if value is None and not may_be_none:
            if wait:
                # A text that cannot be none can be empty.
                return ""
            raise ValueError(_NEEDED)
        return value

    return plain


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError(_WORDS[str])  # noqa: TRY004 - the error that pydantic expects
    if UNSTORABLE.search(value):
        raise ValueError(_UNSTORABLE)
    # One kind of line end, whatever browsers and files send.
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _from_text(kind: type) -> Callable[[Any], Any]:
    """Return what reads a value of some type from a text, and refuses those of other types."""

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            value = value.strip()
            if not value:
                return None
            if kind in _READERS:
                try:
                    value = _READERS[kind](value)
                except ValueError:
                    raise ValueError(_WORDS[kind]) from None
        is_fit = isinstance(value, kind) if kind in _READERS else True
        # To Python a moment is a date, and true is a number.
        is_fit &= kind is not dt.date or not isinstance(value, dt.datetime)
        is_fit &= kind is bool or not isinstance(value, bool)
        if not is_fit:
            raise ValueError(_WORDS[kind])
        return value

    return convert


_READERS: Mapping[type, Callable[[str], Any]] = {
    dt.date: dt.date.fromisoformat,
    dt.datetime: dt.datetime.fromisoformat,
    dt.time: dt.time.fromisoformat,
}


def _aware(value: dt.datetime) -> dt.datetime:
    if value.utcoffset() is None or value.year not in _YEARS:
        raise ValueError(_WORDS[dt.datetime])
    return value.astimezone(dt.UTC)


def _local(value: dt.time) -> dt.time:
    if value.tzinfo is not None:
        raise ValueError(_WORDS[dt.time])
    return value


def _filled(value: str) -> str:
    if not value.strip():
        raise ValueError(_NEEDED)
    return value


def _rounded_to(scale: int) -> Callable[[Decimal], Decimal]:
    # A database gives them back with all their places.
    return lambda value: value.quantize(Decimal(1).scaleb(-scale)) + 0


def _one_of(field: Field, *, or_empty: bool) -> Callable[[Any], Any]:
    allowed = [value for value, _ in field.choices]

    def one_of(value: Any) -> Any:
        if value not in allowed and not (or_empty and value == ""):
            values = tuple(map(str, allowed))
            raise ValueError(_("It must be one of: ${values}.", mapping={"values": values}))
        return value

    return one_of


def _json(value: Any) -> Any:
    _check_json(value, tagged=False)
    return value


def _tagged(value: Any) -> Any:
    if value is not None and not isinstance(value, dict):
        raise ValueError(_("It must consist of keys and values."))
    _check_json(value, tagged=True)
    return value


def _check_json(value: Any, *, tagged: bool, depth: int = 0) -> None:
    """Raise ``ValueError`` unless both a database and a file give back exactly this value."""
    if depth > _MAX_NESTING:
        raise ValueError(_("It is nested too deeply."))
    match value:
        case None | bool():
            return
        case str():
            if UNSTORABLE.search(value):
                raise ValueError(_UNSTORABLE)
            return
        case int() if value.bit_length() <= _MAX_BITS:
            return
        case float() if tagged or math.isfinite(value):
            return
        case dt.date() | dt.time() if tagged:
            return
        case list():
            for item in value:
                _check_json(item, tagged=tagged, depth=depth + 1)
            return
        case dict() if tagged or all(isinstance(key, str) for key in value):
            for key, item in value.items():
                _check_json(key, tagged=tagged, depth=depth + 1)
                _check_json(item, tagged=tagged, depth=depth + 1)
            return
    kind = type(value).__name__
    raise ValueError(_("A value of the type ${type} cannot be kept in it.", mapping={"type": kind}))


_AFTER: Mapping[str, Callable[[Any], Any]] = {
    "datetime": _aware,
    "time": _local,
    "json": _json,
    "tagged": _tagged,
}
