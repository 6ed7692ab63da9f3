"""How a setting is declared, and how the text that an operator wrote becomes its value.

Any type that pydantic can validate will do; those it does not have are in `setting_types`. Which
settings the core has is in `core_settings`; where a value comes from, and which one wins, is
decided in `settings`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

# -- declaring -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """One setting, as it is declared.

    :param key: its name in the ini file, such as `myproject.site_title`.
    :param type: any type pydantic can validate. Give choices as a `Literal` of strings, limits as
        `Annotated[int, Field(ge=1)]`; a `Field(description=...)` is used to say what is expected.
    :param default: the value if nobody gives one; it has to pass the same validation.
    :param help: one or two plain sentences for operators.
    :param secret: the value is never shown, and may come from a file named by `<key>_file`.
    :param required: there is no default; somebody has to give a value that is not empty.
    :param check: gets the typed value, returns what is wrong with it or None. The text follows
        the key ("must be ...") and must not quote a secret.
    :param show: for a secret of which a part may be shown: returns that part for display.
    """

    key: str
    type: Any
    default: Any
    help: str
    secret: bool = False
    required: bool = False
    check: Callable[[Any], str | None] | None = None
    show: Callable[[Any], str] | None = None

    @property
    def file_key(self) -> str:
        """The key under which a secret's file is named."""
        return f"{self.key}_file"

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What validates values; made once for all applications."""
        return TypeAdapter(self.type)

    @property
    def all_keys(self) -> tuple[str, ...]:
        """All ini keys this setting answers to."""
        return (self.key, self.file_key) if self.secret else (self.key,)


# -- reading text ---------------------------------------------------------------------------------


def parse(
    declared: Any,
    value: Any,
    *,
    quotable: bool = True,
    adapter: TypeAdapter[Any] | None = None,
) -> Any:
    """Turn what an operator wrote into a typed value.

    :param declared: a type as pydantic understands it. Text for a list, tuple or set is split
        at spaces, commas and new lines first.
    :param value: the text, or a value that already has the type, such as a default.
    :param quotable: false if the message must not repeat any of the value.
    :param adapter: what validates the type, where it has been made already.
    :raises ValueError: with what was expected, in words for an operator.
    """
    if isinstance(value, str) and _is_collection(declared):
        value = [part for part in re.split(r"[\s,]+", value) if part]
    adapter = adapter or TypeAdapter(declared)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise ValueError(_refusal(adapter, error, quotable)) from None


def _refusal(adapter: TypeAdapter[Any], error: ValidationError, quotable: bool) -> str:
    first = error.errors()[0]
    expected = _expectation(adapter)
    # A validator of the type's author knows more than the schema does, but may quote the value.
    by_author = first["type"] in ("value_error", "assertion_error")
    if quotable and (by_author or not expected):
        message = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return f"is not accepted: {message}"
    return f"must be {expected}" if expected else "is not accepted"


def _is_collection(declared: Any) -> bool:
    if get_origin(declared) is Annotated:
        declared = get_args(declared)[0]
    return (get_origin(declared) or declared) in (list, tuple, set, frozenset)


def expectation(declared: Any) -> str | None:
    """Return in words what a type accepts; None where there are none for it."""
    return _expectation(TypeAdapter(declared))


# -- saying what is expected ----------------------------------------------------------------------


def _expectation(adapter: TypeAdapter[Any]) -> str | None:
    # The words come from the type and not from pydantic's message: "a whole number from 1 to
    # 500" helps whoever wrote "many" more than "unable to parse string as an integer", and the
    # type cannot repeat a secret.
    try:
        return _describe(adapter.json_schema())
    except PydanticUserError:
        return None


def _describe(schema: Mapping[str, Any]) -> str | None:
    """Say what a JSON schema accepts, or nothing if it says more than we have words for."""
    if "description" in schema:
        return schema["description"]
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        parts = [_describe(part) for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(part for part in parts if part) if all(parts) else None
    write = _WORDS.get(schema.get("type", ""))
    return write(schema) if write else None


def _describe_number(noun: str, schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{noun} from {low} to {high}"
    limits = [
        words.format(schema[limit])
        for limit, words in {
            "minimum": "{} or more",
            "exclusiveMinimum": "more than {}",
            "maximum": "{} or less",
            "exclusiveMaximum": "less than {}",
        }.items()
        if limit in schema
    ]
    return f"{noun}, {' and '.join(limits)}" if limits else noun


def _describe_text(schema: Mapping[str, Any]) -> str | None:
    if "format" in schema or "pattern" in schema:
        return None
    short, long = schema.get("minLength"), schema.get("maxLength")
    if short and long:
        return f"text of {short} to {long} characters"
    if short:
        return f"text of at least {short} characters" if short > 1 else "text that is not empty"
    return f"text of at most {long} characters" if long else "text"


def _describe_list(schema: Mapping[str, Any]) -> str | None:
    item = _describe(schema.get("items", {}))
    return item and f"a list separated by spaces, commas or new lines, each item {item}"


_WORDS = {
    "boolean": lambda schema: "true or false",
    "integer": partial(_describe_number, "a whole number"),
    "number": partial(_describe_number, "a number"),
    "string": _describe_text,
    "array": _describe_list,
}
