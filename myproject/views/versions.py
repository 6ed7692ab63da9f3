"""Two versions of a page as people compare them: field by field, values in words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from pyramid.i18n import TranslationStringFactory

from myproject.content.columns import REFERENCE, Field, editable_fields
from myproject.content.comparing import Piece, Row, RowKind, compare, inlined
from myproject.content.revision_log import STANDING
from myproject.content.revisions import Revision
from myproject.db.base import to_tagged
from myproject.tree.node import DRAFT, PUBLISHED, TRASHED
from myproject.views.picking import Place, load_places
from myproject.views.times import to_local

_ = TranslationStringFactory("myproject")

#: What a version says besides the values of fields.
_STANDING: Mapping[str, Any] = {
    "type": _("Content type"),
    "state": _("State"),
    "name": _("Name in the address"),
    "parent_id": _("Place"),
    "extra": _("Other values"),
}
_STATES: Mapping[str, Any] = {
    PUBLISHED: _("Published"),
    DRAFT: _("Draft"),
    TRASHED: _("In the trash"),
}


class Value(NamedTuple):
    """A value in words.

    :ivar text: empty where there is none.
    :ivar url: of the page that it is.
    """

    text: str
    url: str | None = None


NOTHING = Value("")


class ShownRow(NamedTuple):
    """A row of a compared text, with both sides for itself and as one."""

    row: Row
    pieces: Sequence[Piece]

    @property
    def kind(self) -> RowKind:
        """What it shows."""
        return self.row.kind


@dataclass(frozen=True, slots=True)
class Compared:
    """A field that two versions have different values of.

    :ivar rows: of a text; nothing for other values.
    :ivar left, right: the values; of a text they are empty.
    """

    name: str
    label: str
    rows: Sequence[ShownRow] = ()
    left: Value = NOTHING
    right: Value = NOTHING


def labels_of(request: Any, types: Iterable[str]) -> Mapping[str, str]:
    """Return field -> what people call it, for the fields of some content types."""
    translate = request.localizer.translate
    return {name: translate(field.label) for name, field in _fields(request, types).items()}


def label_of(request: Any, name: str, labels: Mapping[str, str]) -> str:
    """Return what people call something that a version says.

    :param labels: of :func:`labels_of`. A field that no type has any more is called as its column.
    """
    if name in _STANDING and name not in labels:
        return request.localizer.translate(_STANDING[name])
    return labels.get(name) or name.replace("_", " ").capitalize()


def compared(request: Any, old: Revision, new: Revision, names: Iterable[str]) -> list[Compared]:
    """Return what two versions differ in, in the order of the form; one statement at most.

    :param names: of fields, and of :data:`myproject.content.revision_log.STANDING`.
    """
    sides = [
        {**side.fields, **{name: getattr(side, name) for name in STANDING}} for side in (old, new)
    ]
    return compared_values(request, sides[0], sides[1], names, (new.type, old.type))


def compared_values(
    request: Any,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    names: Iterable[str],
    types: Iterable[str],
) -> list[Compared]:
    """Return some values as they were and as they are, as :func:`compared` does.

    :param types: the content types whose fields they are.
    """
    fields, wanted = _fields(request, types), list(names)
    order = [name for name in fields if name in wanted]
    order += [name for name in wanted if name not in fields]
    pairs = {name: (old.get(name), new.get(name)) for name in order}
    places = _places(request, fields, pairs)
    labels = {name: request.localizer.translate(field.label) for name, field in fields.items()}
    shown = []
    for name, (left, right) in pairs.items():
        label, field = label_of(request, name, labels), fields.get(name)
        if _is_text(field, name, left, right):
            rows = compare(_text(left), _text(right))
            shown.append(Compared(name, label, [ShownRow(row, inlined(row)) for row in rows]))
        else:
            both = [in_words(request, name, value, field, places) for value in (left, right)]
            shown.append(Compared(name, label, (), *both))
    return shown


def in_words(
    request: Any, name: str, value: Any, field: Field | None, places: Mapping[int, Place]
) -> Value:
    """Return a value as people read it.

    :param places: of the pages that values are.
    """
    translate = request.localizer.translate
    if value is None or value == "":
        return Value("")
    if name == "parent_id" or (field is not None and field.kind == REFERENCE):
        place = places.get(value)
        if place is None:
            return Value(translate(_("A page that is gone, or that you may not see")))
        return Value(f"{place.title} ({place.path})", place.url)
    if name == "state":
        return Value(translate(_STATES.get(value, value)))
    if name == "type":
        content_type = request.content_types.get(value)
        return Value(value if content_type is None else translate(content_type.title))
    labels = {repr(each): label for each, label in (field.choices if field else ())}
    if repr(value) in labels:
        return Value(translate(labels[repr(value)]))
    match value:
        case bool():
            return Value(translate(_("yes") if value else _("no")))
        case dt.datetime() if value.tzinfo is not None:
            return Value(f"{to_local(request, value):%Y-%m-%d %H:%M}")
        case dt.datetime() | dt.date() | dt.time():
            return Value(value.isoformat())
        case Decimal():
            return Value(f"{value:f}")
    return Value(_text(value))


def all_in_words(request: Any, revision: Revision) -> list[tuple[str, Value]]:
    """Return everything that a version says, as pairs of label and value."""
    fields = _fields(request, (revision.type,))
    pairs = {name: (value, value) for name, value in revision.fields.items()}
    places = _places(request, fields, pairs)
    labels = labels_of(request, (revision.type,))
    return [
        (label_of(request, name, labels), said)
        for name, value in revision.fields.items()
        if (said := in_words(request, name, value, fields.get(name), places)).text
    ]


def _fields(request: Any, types: Iterable[str]) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for name in types:
        content_type = request.content_types.get(name)
        if content_type is not None:
            for field in editable_fields(content_type.cls):
                fields.setdefault(field.name, field)
    return fields


def _places(
    request: Any, fields: Mapping[str, Field], pairs: Mapping[str, tuple[Any, Any]]
) -> Mapping[int, Place]:
    ids = {
        value
        for name, pair in pairs.items()
        for value in pair
        if isinstance(value, int)
        and (name == "parent_id" or (name in fields and fields[name].kind == REFERENCE))
    }
    return load_places(request, ids)


def _is_text(field: Field | None, name: str, left: Any, right: Any) -> bool:
    """Whether two values are compared by lines and words."""
    if name in ("state", "type", "parent_id") or (field is not None and field.choices):
        return False
    kinds = {type(value) for value in (left, right) if value is not None}
    return kinds <= {str} or bool(kinds & {dict, list})


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value.replace("\r\n", "\n")
        case dict() | list():
            return json.dumps(to_tagged(value), indent=2, ensure_ascii=False) if value else ""
    return str(value)
