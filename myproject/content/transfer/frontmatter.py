"""Front matter: the YAML, TOML or JSON at the head of a Markdown file.

YAML is read as version 1.2, so that ``no`` is a word and ``12:30`` no number. Values keep their
types, mappings their order. It is always written as YAML.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import tomllib
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.representer import RoundTripRepresenter

from myproject.exceptions import UNSTORABLE, MyprojectError

#: Values in one front matter; a few lines of YAML whose aliases name each other can mean billions.
MAX_VALUES = 100_000
MAX_NESTING = 50

_FENCES = {"---": "yaml", "+++": "toml"}
#: An object, and not a template's ``{{``, a ``{: .note}`` or whatever else begins with a brace.
_JSON = re.compile(r"\{\s*(?:[\"}]|\n)|\{\s*\Z")
_LINE_ENDS = re.compile(r"[\x85\u2028\u2029\ufeff]")
_MAX_BITS = 10_000


class FrontMatterError(MyprojectError):
    """The head of a file cannot be read.

    :param line: the line of the file, counted from 1.
    :param reason: what is wrong there.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


class Parts(NamedTuple):
    """A file taken apart.

    :ivar meta: the front matter, empty where there is none.
    :ivar body: the Markdown after it.
    """

    meta: dict[str, Any]
    body: str


def parse(text: str) -> Parts:
    """Take a file's text apart.

    One empty line between front matter and body belongs to neither. Line ends become ``\\n``, a
    byte order mark goes.

    :raises FrontMatterError:
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise FrontMatterError(text.count("\n", 0, text.index("\0")) + 1, "a NUL character")
    fence = text.partition("\n")[0].rstrip()
    if fence in _FENCES:
        return _parse_fenced(text, fence)
    if _JSON.match(text):
        return _parse_json(text)
    return Parts({}, text)


def _parse_fenced(text: str, fence: str) -> Parts:
    rest = text.partition("\n")[2]
    end = re.search(rf"(?m)^{re.escape(fence)}[ \t]*$\n?", rest)
    if end is None:
        raise FrontMatterError(1, f"the front matter is not closed by a line {fence}")
    source, body = rest[: end.start()], rest[end.end() :]
    meta = _load_yaml(source) if _FENCES[fence] == "yaml" else _load_toml(source)
    return Parts(_checked(meta, text), body.removeprefix("\n"))


def _parse_json(text: str) -> Parts:
    try:
        meta, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        raise FrontMatterError(error.lineno, f"JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise FrontMatterError(1, f"JSON: {error}") from error
    body = re.sub(r"\A[ \t]*\n?", "", text[end:])
    return Parts(_checked(meta, text), body.removeprefix("\n"))


class _Constructor(SafeConstructor):
    """Names the line of a value that cannot be, such as 2026-02-30."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from error


def _load_yaml(source: str) -> Any:
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    # The opening fence is line 1, and YAML counts lines from 0.
    try:
        return yaml.load(source)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join((error.problem or error.context or "not valid").split())
        raise FrontMatterError((mark.line if mark else 0) + 2, f"YAML: {reason}") from error
    except ReaderError as error:
        line = source.count("\n", 0, error.position) + 2
        raise FrontMatterError(line, "YAML: a control character") from error
    except (YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split()) or "nested too deeply"
        raise FrontMatterError(2, f"YAML: {reason}") from error


def _load_toml(source: str) -> Any:
    try:
        return tomllib.loads(source)
    except (ValueError, RecursionError) as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) + 1 if found else source.count("\n") + 1
        raise FrontMatterError(line, f"TOML: {error}") from error


def _checked(meta: Any, text: str) -> dict[str, Any]:
    if meta is None:
        return {}
    if not isinstance(meta, dict):
        raise FrontMatterError(2, "the front matter must consist of keys and values")
    values, checked = _Values(), {}
    for name, value in meta.items():
        key = str(name)
        if key in checked:
            raise FrontMatterError(line_of(text, key), f"{key!r} is given twice")
        try:
            checked[values.plain_key(name if isinstance(name, tuple) else key)] = values.plain(
                value
            )
        except _Unfit as error:
            raise FrontMatterError(line_of(text, key), f"{key!r} {error}") from None
    return checked


class _Unfit(Exception):
    """A value cannot be kept, for a reason that completes a sentence about its key."""


class _Values:
    """Makes plain, storable values of what a parser returned."""

    def __init__(self) -> None:
        self.left = MAX_VALUES

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return *value*, or raise ``_Unfit`` with what is wrong with it."""
        self.left -= 1
        if self.left < 0:
            raise _Unfit(f"has more than {MAX_VALUES} values")
        if depth > MAX_NESTING:
            raise _Unfit("is nested too deeply, or refers to itself")
        match value:
            case dict():
                return {
                    self.plain_key(key): self.plain(item, depth + 1) for key, item in value.items()
                }
            case list() | tuple():
                return [self.plain(item, depth + 1) for item in value]
        return self._scalar(value)

    def plain_key(self, key: Any) -> Any:
        if isinstance(key, dict | list | tuple):
            raise _Unfit("has a list for a key")
        return self._scalar(key)

    def _scalar(self, value: Any) -> Any:
        match value:
            case str() if UNSTORABLE.search(value):
                raise _Unfit("has a character that cannot be stored")
            case int() if value.bit_length() > _MAX_BITS:
                raise _Unfit("has a number that is too long")
            case dt.datetime() if value.utcoffset() is not None:
                # Parsers make time zones of their own, which compare but do not read alike.
                return value.replace(tzinfo=dt.timezone(value.utcoffset() or dt.timedelta()))
            case dt.time():
                # YAML, which it will be written as, has no times of day.
                return value.isoformat()
            case None | bool() | int() | float() | str() | dt.date():
                return value
        raise _Unfit(f"has a value of type {type(value).__name__}, which cannot be kept")


class _Representer(RoundTripRepresenter):
    """Writes times in the form that people write them: ``2026-05-01T12:00:00Z``."""

    def represent_text(self, data: str) -> Any:
        # Characters that other versions of YAML take for the end of a line.
        style = '"' if _LINE_ENDS.search(data) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def represent_datetime(self, data: dt.datetime) -> Any:
        text = data.isoformat().replace("+00:00", "Z")
        return self.represent_scalar("tag:yaml.org,2002:timestamp", text)


_Representer.add_representer(str, _Representer.represent_text)
_Representer.add_representer(dt.datetime, _Representer.represent_datetime)


def dump(meta: dict[str, Any], body: str) -> str:
    """Return the text of a file, the inverse of :func:`parse`."""
    if not meta:
        # Something that looks like front matter may be all there is of the body.
        return f"---\n---\n\n{body}"
    yaml = YAML(typ="rt", pure=True)
    yaml.Representer = _Representer
    yaml.width = 1 << 16
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(meta, out)
    head = out.getvalue()
    return f"---\n{head if head.endswith(chr(10)) else head + chr(10)}---\n\n{body}"


def line_of(text: str, key: str) -> int:
    """Return the line of the file on which a top-level *key* stands, 1 if it cannot be told."""
    found = re.search(rf"""(?m)^[ \t{{]*["']?{re.escape(key)}["']?[ \t]*[:=]""", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
