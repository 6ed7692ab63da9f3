"""A class with all kinds of columns, and a screen with its form, as an add-on would have them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyramid.renderers import render_to_response
from sqlalchemy import JSON, Date, ForeignKey, Numeric, String, Text, Time
from sqlalchemy.orm import Mapped, mapped_column

from myproject.content.fields import fields_of
from myproject.db.base import Base, Id, UTCDateTime
from myproject.views.fields import form_fields, posted_fields
from myproject.views.forms import Form
from myproject.views.rendering import layout


class Parcel(Base):
    """Has all kinds of columns that forms know, and one that they do not."""

    __tablename__ = "fields_parcel"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    label: Mapped[str] = mapped_column(String(10), info={"label": "Label", "help": "Short <b>."})
    note: Mapped[str] = mapped_column(Text, default="")
    grams: Mapped[int] = mapped_column(default=5)
    price: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    ratio: Mapped[float | None]
    fragile: Mapped[bool] = mapped_column(default=True)
    sent: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    day: Mapped[dt.date | None] = mapped_column(Date)
    hour: Mapped[dt.time | None] = mapped_column(Time)
    size: Mapped[str | None] = mapped_column(String(2), info={"choices": [("s", "Small"), "m"]})
    way: Mapped[str] = mapped_column(
        String(5), default="road", info={"choices": ["road", "sea"], "widget": "radio"}
    )
    colour: Mapped[str] = mapped_column(String(7), default="", info={"widget": "colour"})
    target_id: Mapped[int | None] = mapped_column(
        Id,
        ForeignKey("node.id", ondelete="SET NULL"),
        info={"label": "Page about it", "help": "Where readers learn more."},
    )
    remark: Mapped[str] = mapped_column(
        String(100), default="", info={"label": "Remark", "group": "More"}
    )
    tags: Mapped[Any] = mapped_column(JSON, default=list)


# No migration makes it.
Base.metadata.remove(Parcel.__table__)

STORED = {"label": "A", "sent": dt.datetime(2026, 5, 1, 12, 0, 30, 5, tzinfo=dt.UTC)}

FORM = (
    '{% extends "myproject:templates/screen.jinja2" %}'
    '{% from "myproject:templates/widgets/fields.jinja2" import assets, error_summary, '
    "fields as show with context %}"
    '{% from "myproject:templates/forms.jinja2" import token with context %}'
    "{% block head %}{{ super() }}{{ assets() }}{% endblock %}"
    '{% block screen %}<form method="post" id="f" class="asking-first">{{ token() }}'
    "{{ error_summary(fields, form) }}{{ show(fields) }}"
    '<p class="submit"><button class="btn btn-primary">Save</button></p></form>{% endblock %}'
)
COLOUR = (
    '<input type="color" class="form-control form-control-color" name="{{ field.name }}" '
    'id="{{ id }}" value="{{ value or "#000000" }}"'
    '{% if error %} aria-invalid="true"{% endif %} data-title="{{ _("Save") }}">'
)


def make_package(folder: Path) -> Path:
    """Make the package ``parcels``, which has the templates."""
    package = folder / "parcels"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "form.jinja2").write_text(FORM, encoding="utf-8")
    (package / "colour.jinja2").write_text(COLOUR, encoding="utf-8")
    return package


def view(request: Any) -> Any:
    """Show a form of parcels; answer what was posted in it."""
    stored = {**STORED}
    if "target" in request.GET:
        stored["target_id"] = int(request.GET["target"])
    incomplete = "incomplete" in request.GET
    if request.method == "POST":
        values, form = posted_fields(request, Parcel, current=stored, incomplete=incomplete)
        if not form.errors:
            request.response.text = repr(sorted(values.items()))
            return request.response
    else:
        form = Form(values=stored)
    fields = form_fields(request, fields_of(Parcel), form, incomplete=incomplete)
    values = {**layout(request, "Parcel"), "fields": fields, "form": form}
    return render_to_response("parcels:form.jinja2", values, request)


def without_colours(config: Any) -> None:
    """Add the screen at ``/@@parcel``."""
    config.add_route("parcel", "/@@parcel")
    config.add_view(view, route_name="parcel", permission="view")


def includeme(config: Any) -> None:
    """Add the screen, and the widget that one of its columns asks for."""
    without_colours(config)
    config.add_field_widget("colour", "parcels:colour.jinja2")
