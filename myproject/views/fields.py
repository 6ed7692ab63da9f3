"""Forms that are made from the fields of a class: what they show, and what was posted.

Templates show them with the macros ``error_summary`` and ``fields`` of ``widgets/fields.jinja2``;
each control is written by the template of its widget.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyramid.config import Configurator

from myproject.content.columns import REFERENCE
from myproject.content.fields import Field, fields_of, validate
from myproject.db.base import Base
from myproject.exceptions import InvalidValue
from myproject.extend.points import Widget
from myproject.views.forms import Form
from myproject.views.picking import Place, chosen_id, load_places
from myproject.views.times import from_local, to_local, zone_name_of

WIDGETS = "myproject:templates/widgets/"

#: Widgets of the core -> the Python types that they are the default for.
CORE: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "textarea": (),
    "markdown": (),
    "number": (int, float, Decimal),
    "date-time": (dt.datetime, dt.date, dt.time),
    "boolean": (bool,),
    "choice": (),
    "radio": (),
    REFERENCE: (),
}

#: Letters of what was typed for a number or a page that a form gives back.
_LONGEST_LINE = 2000


@dataclass(frozen=True, slots=True)
class FormField:
    """A field as a form shows it.

    :ivar label, help, group: in the language of the screens.
    :ivar choices: pairs of value and label, the same.
    :ivar value: what was typed, else what is stored, as a text or a boolean; for widgets of
        add-ons and types that forms do not know, the value itself.
    :ivar error: a sentence, or empty.
    :ivar id: of its control.
    :ivar widget: name of its widget.
    :ivar template: asset spec of its widget's template.
    :ivar required: whether the form cannot be sent without a value.
    :ivar needed_later: whether a value is not needed now, but before the page can be published.
    :ivar zone: name of the time zone in which a moment is shown and read.
    :ivar place: the page that a reference holds, if it is known and may be seen.
    """

    field: Field
    label: str
    help: str
    choices: tuple[tuple[Any, str], ...]
    value: Any
    error: str
    id: str
    widget: str
    template: str
    group: str = ""
    required: bool = False
    needed_later: bool = False
    zone: str = ""
    place: Place | None = None

    @property
    def anchor(self) -> str:
        """Id of the first thing that can be focused."""
        return f"{self.id}-1" if self.widget == "radio" else self.id


def form_fields(
    request: Any, fields: Iterable[Field], form: Form, *, incomplete: bool = False
) -> list[FormField]:
    """Return *fields* as a template shows them; those that no widget is for are left out.

    One statement where a reference holds a page, else none.

    :param form: what they hold (missing ones their default), and what is wrong with it.
    :param incomplete: whether required fields may be left empty as in :func:`posted_fields`.
    """
    translate = request.localizer.translate
    fields = list(fields)
    values = {field.name: form.values.get(field.name, field.default) for field in fields}
    chosen = [values[field.name] for field in fields if field.kind == REFERENCE]
    places = load_places(request, [each for each in chosen if isinstance(each, int)])
    zone = zone_name_of(request) if any(field.kind == "datetime" for field in fields) else ""
    shown = []
    for field in fields:
        widget = widget_of(request, field)
        if widget is None:
            continue
        value = values[field.name]
        place = places.get(value) if field.kind == REFERENCE else None
        shown.append(
            FormField(
                field,
                translate(field.label),
                translate(field.help),
                tuple((value, translate(label)) for value, label in field.choices),
                _shown_reference(value, place)
                if field.kind == REFERENCE
                else _shown(request, value),
                form.errors.get(field.name, ""),
                f"site-{field.name}",
                widget.name,
                widget.template,
                group=translate(field.group),
                required=field.required and not (incomplete and field.may_wait),
                needed_later=incomplete and field.may_wait,
                zone=zone,
                place=place,
            )
        )
    return shown


def posted_fields(
    request: Any,
    cls: type[Base],
    fields: Iterable[Field] | None = None,
    *,
    current: Mapping[str, Any] | None = None,
    incomplete: bool = False,
) -> tuple[dict[str, Any], Form]:
    """Return what was posted: the values that are right, and the form to show if some are not.

    :param cls: whose fields they are.
    :param fields: those that the form has; all that the class adds itself when left out. All that
        people edit of a content type is ``editable_fields(cls)``.
    :param current: field -> stored value. A page that a reference holds already stays chosen
        although whoever posts the form may not see it, and a moment that was not changed stays
        what it is to the microsecond.
    :param incomplete: whether required fields may be empty, as far as a draft can be without them.
    """
    wanted = fields_of(cls) if fields is None else fields
    asked = [field for field in wanted if widget_of(request, field) is not None]
    form = Form(values={field.name: _typed(request, field) for field in asked})
    values: dict[str, Any] = {}
    for field in asked:
        # One by one: all that is wrong is shown at once.
        try:
            value = _read(request, field, form.values[field.name], current or {})
            values |= validate(cls, {field.name: value}, incomplete=incomplete)
        except InvalidValue as error:
            form.refuse(request, error)
    return values, form


def values_of(node: Base, fields: Iterable[Field]) -> dict[str, Any]:
    """Return field -> value as it is stored, for the form of an existing node."""
    return {field.name: getattr(node, field.name) for field in fields}


def widget_of(request: Any, field: Field) -> Widget | None:
    """Return what shows a field: the widget that its column names, if its add-on is on, or else
    the one for what it holds."""
    named = request.registry.extensions.widget_of
    found = named(field.widget, field.type) if field.widget else None
    if found is None and field.kind == REFERENCE:
        found = named(REFERENCE, field.type)
    if found is None and field.choices:
        found = named("choice", field.type)
    if found is None and field.kind == "text" and field.max_length is None:
        found = named("textarea", field.type)
    return found or named(None, field.type)


def _typed(request: Any, field: Field) -> Any:
    if field.type is bool:
        # Browsers do not send boxes that are not ticked.
        return field.name in request.POST
    value = request.POST.get(field.name, "")
    if not isinstance(value, str):
        return ""
    return value if field.type is str else value[:_LONGEST_LINE]


def _read(request: Any, field: Field, typed: Any, current: Mapping[str, Any]) -> Any:
    """Return what was typed as :func:`validate` takes it.

    :raises InvalidValue: for a page that is not there.
    """
    if field.kind == REFERENCE:
        return chosen_id(request, field.name, typed, current.get(field.name))
    if typed == "" and field.nullable:
        return None
    if field.type is dt.datetime:
        return _read_moment(request, field.name, typed.strip(), current.get(field.name))
    return typed


def _read_moment(request: Any, name: str, text: str, current: dt.datetime | None) -> Any:
    """Return the moment that is meant; browsers send no time zone, so it is the person's own.

    :raises InvalidValue: for a time that is left out where clocks are put forward.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        return moment
    if current is not None and _on_clock(request, current) == moment:
        return current
    return from_local(request, moment, field=name)


def _on_clock(request: Any, moment: dt.datetime) -> dt.datetime:
    """Return a moment as a form shows it: what clocks show where the person is."""
    return to_local(request, moment).replace(tzinfo=None, microsecond=0, fold=0)


def _shown_reference(value: Any, place: Place | None) -> str:
    if isinstance(value, int):
        # One that may not be seen has a number only, and keeps it when the form is sent.
        return f"node:{value}" if place is None else place.path
    return value or ""


def _shown(request: Any, value: Any) -> Any:
    match value:
        case None:
            return ""
        case dt.datetime():
            return (_on_clock(request, value) if value.tzinfo else value).isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case int() | float() if not isinstance(value, bool):
            return str(value)
    return value


def includeme(config: Configurator) -> None:
    """Register the widgets of the core."""
    for name, types in CORE.items():
        template = f"{WIDGETS}{name.replace('-', '_')}.jinja2"
        config.add_field_widget(name, template, types=types)
