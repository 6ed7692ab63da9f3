"""Forms that are made from the fields of a class: what they show, and what was posted.

Templates show them with the macro ``fields`` of ``widgets/fields.jinja2``; each control is written
by the template of its widget.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyramid.config import Configurator

from myproject.content.fields import Field, fields_of, validate
from myproject.db.base import Base
from myproject.exceptions import InvalidValue
from myproject.extend.points import Widget
from myproject.views.forms import Form

WIDGETS = "myproject:templates/widgets/"

#: Widgets of the core -> the Python types that they are the default for.
CORE: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "textarea": (),
    "number": (int, float, Decimal),
    "date-time": (dt.datetime, dt.date, dt.time),
    "boolean": (bool,),
    "choice": (),
    "radio": (),
}


@dataclass(frozen=True, slots=True)
class FormField:
    """A field as a form shows it.

    :ivar label, help: in the language of the screens.
    :ivar choices: pairs of value and label, the same.
    :ivar value: what was typed, else what is stored, as a text or a boolean; for widgets of
        add-ons and types that forms do not know, the value itself.
    :ivar error: a sentence, or empty.
    :ivar id: of its control.
    :ivar widget: name of its widget.
    :ivar template: asset spec of its widget's template.
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


def form_fields(request: Any, fields: Iterable[Field], form: Form) -> list[FormField]:
    """Return *fields* as a template shows them; those that no widget is for are left out.

    :param form: what they hold (missing ones their default), and what is wrong with it.
    """
    translate = request.localizer.translate
    shown = []
    for field in fields:
        widget = widget_of(request, field)
        if widget is None:
            continue
        shown.append(
            FormField(
                field,
                translate(field.label),
                translate(field.help),
                tuple((value, translate(label)) for value, label in field.choices),
                _shown(form.values.get(field.name, field.default)),
                form.errors.get(field.name, ""),
                f"site-{field.name}",
                widget.name,
                widget.template,
            )
        )
    return shown


def posted_fields(
    request: Any, cls: type[Base], fields: Iterable[Field] | None = None
) -> tuple[dict[str, Any], Form]:
    """Return what was posted: the values that are right, and the form to show if some are not.

    :param cls: whose fields they are.
    :param fields: those that the form has; all of the class when left out.
    """
    wanted = fields_of(cls) if fields is None else fields
    asked = [field for field in wanted if widget_of(request, field) is not None]
    form = Form(values={field.name: _typed(request, field) for field in asked})
    values: dict[str, Any] = {}
    for field in asked:
        # One by one: all that is wrong is shown at once.
        try:
            values |= validate(cls, {field.name: _read(field, form.values[field.name])})
        except InvalidValue as error:
            form.refuse(error)
    return values, form


def widget_of(request: Any, field: Field) -> Widget | None:
    """Return what shows a field: the widget that its column names, if its add-on is on, or else
    the one for what it holds."""
    named = request.registry.extensions.widget_of
    found = named(field.widget, field.type) if field.widget else None
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
    return value if isinstance(value, str) else ""


def _read(field: Field, typed: Any) -> Any:
    """Return what was typed as :func:`validate` takes it."""
    if typed == "" and field.nullable:
        return None
    if field.type is dt.datetime and _lacks_zone(typed):
        # Browsers send no time zone; forms say that it is UTC.
        return f"{typed.strip()}+00:00"
    return typed


def _lacks_zone(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text.strip()).tzinfo is None
    except ValueError:
        return False


def _shown(value: Any) -> Any:
    match value:
        case None:
            return ""
        case dt.datetime():
            moment = value.astimezone(dt.UTC) if value.tzinfo else value
            return moment.replace(tzinfo=None, microsecond=0).isoformat()
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
