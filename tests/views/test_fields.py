"""Forms that are made from fields: what they show, what was posted, and widgets of add-ons."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyramid.renderers import render_to_response
from sqlalchemy import JSON, Date, Numeric, String, Text, Time
from sqlalchemy.orm import Mapped, mapped_column

from myproject.content.fields import fields_of
from myproject.db.base import Base, Id, UTCDateTime
from myproject.exceptions import ConfigurationProblem
from myproject.testing import sqlite_only
from myproject.views.fields import form_fields, posted_fields
from myproject.views.forms import Form
from myproject.views.rendering import layout

pytestmark = sqlite_only


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
    tags: Mapped[Any] = mapped_column(JSON, default=list)


# No migration makes it.
Base.metadata.remove(Parcel.__table__)

GOOD = {
    "label": "Books",
    "note": "Two\r\nlines",
    "grams": "12",
    "price": "12.50",
    "ratio": "0.5",
    "sent": "2026-05-01T12:30",
    "day": "2026-05-01",
    "hour": "12:30",
    "size": "m",
    "way": "sea",
    "colour": "#ff0000",
}


def view(request: Any) -> Any:
    """Show a form of parcels; answer what was posted in it."""
    if request.method == "POST":
        values, form = posted_fields(request, Parcel)
        if not form.errors:
            request.response.text = repr(sorted(values.items()))
            return request.response
    else:
        form = Form(values={"label": "A", "sent": dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)})
    fields = form_fields(request, fields_of(Parcel), form)
    values = {**layout(request, "Parcel"), "fields": fields}
    return render_to_response("parcels:form.jinja2", values, request)


@pytest.fixture
def package(tmp_path, monkeypatch) -> Iterator[Path]:
    """The folder of a package ``parcels``, for templates."""
    folder = tmp_path / "parcels"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    sys.modules.pop("parcels", None)


@pytest.fixture
def show(make_site, package):
    """A client of a site with the form at ``/@@parcel``."""
    (package / "form.jinja2").write_text(
        '{% extends "myproject:templates/screen.jinja2" %}'
        '{% from "myproject:templates/widgets/fields.jinja2" import fields as show with context %}'
        '{% from "myproject:templates/forms.jinja2" import token with context %}'
        '{% block screen %}<form method="post" id="f">{{ token() }}{{ show(fields) }}</form>'
        "{% endblock %}",
        encoding="utf-8",
    )
    (package / "colour.jinja2").write_text(
        '<input type="color" name="{{ field.name }}" id="{{ id }}" value="{{ value }}"'
        '{% if error %} aria-invalid="true"{% endif %} data-title="{{ _("Save") }}">',
        encoding="utf-8",
    )

    def make(*, with_colours: bool = True) -> Any:
        def include(config: Any) -> None:
            config.add_route("parcel", "/@@parcel")
            config.add_view(view, route_name="parcel", permission="view")
            if with_colours:
                config.add_field_widget("colour", "parcels:colour.jinja2")

        return make_site(include).client

    return make


def control(page, name):
    found = page.html.find(attrs={"name": name, "id": f"site-{name}"})
    assert page.html.find("label", attrs={"for": found["id"]}), f"{name} has no label"
    return found


def test_each_field_has_the_control_of_its_kind(show):
    page = show().get("/@@parcel")
    kinds = {name: control(page, name).get("type") for name in GOOD if name not in ("way", "note")}
    assert kinds == {
        "label": "text",
        "grams": "number",
        "price": "number",
        "ratio": "number",
        "sent": "datetime-local",
        "day": "date",
        "hour": "time",
        "size": None,
        "colour": "color",
    }
    assert control(page, "note").name == "textarea"
    assert control(page, "size").name == "select"
    assert control(page, "fragile")["type"] == "checkbox"
    assert len(page.html.select("fieldset legend")) == 1
    assert len(page.html.find_all("input", type="radio")) == 2
    # Nothing can show it.
    assert page.html.find(attrs={"name": "tags"}) is None


def test_they_hold_what_is_there_or_the_default(show):
    page = show().get("/@@parcel")
    assert control(page, "label")["value"] == "A"
    assert control(page, "sent")["value"] == "2026-05-01T12:00:00"
    assert control(page, "grams")["value"] == "5"
    assert control(page, "fragile").has_attr("checked")
    assert page.html.find("input", type="radio", checked=True)["value"] == "road"
    assert [option.text for option in control(page, "size").find_all("option")] == [
        "–",
        "Small",
        "m",
    ]


def test_limits_and_help(show):
    page = show().get("/@@parcel")
    label = control(page, "label")
    assert label.has_attr("required")
    assert label["maxlength"] == "10"
    assert page.html.find(id=label["aria-describedby"]).text == "Short <b>."
    assert control(page, "price")["step"] == "0.01"
    assert control(page, "ratio")["step"] == "any"
    assert control(page, "grams")["step"] == "1"
    assert not control(page, "price").has_attr("required")


def test_what_is_right_becomes_values(show):
    form = show().get("/@@parcel").forms["f"]
    for name, value in GOOD.items():
        form[name] = value
    form["fragile"] = False
    assert form.submit().text == repr(
        sorted(
            {
                "label": "Books",
                "note": "Two\nlines",
                "grams": 12,
                "price": Decimal("12.50"),
                "ratio": 0.5,
                "fragile": False,
                "sent": dt.datetime(2026, 5, 1, 12, 30, tzinfo=dt.UTC),
                "day": dt.date(2026, 5, 1),
                "hour": dt.time(12, 30),
                "size": "m",
                "way": "sea",
                "colour": "#ff0000",
            }.items()
        )
    )


def test_what_may_be_empty_becomes_none(show):
    form = show().get("/@@parcel").forms["f"]
    for name in ("price", "sent", "day", "hour", "size"):
        form[name] = ""
    text = form.submit().text
    for name in ("price", "sent", "day", "hour", "size"):
        assert f"('{name}', None)" in text
    assert "('note', '')" in text


def test_everything_that_is_wrong_is_said_at_once(show):
    form = show().get("/@@parcel").forms["f"]
    wrong = {
        "label": " ",
        "grams": "many",
        "price": "1.234",
        "ratio": "x",
        "sent": "yesterday",
        "day": "2026-02-30",
        "hour": "25:00",
        "size": "xl",
        "way": "air",
        "colour": "#ff0000ff",
    }
    for name, value in wrong.items():
        form[name].force_value(value)
    page = form.submit()
    for name in wrong.keys() - {"way", "colour"}:
        found = control(page, name)
        assert found["aria-invalid"] == "true", name
        assert page.html.find(id=found["aria-describedby"]).text, name
        if found.name != "select":
            assert found["value"] == wrong[name]
    assert control(page, "colour")["aria-invalid"] == "true"
    assert page.html.find(id="site-colour-text").text == "It is longer than 7 characters."
    assert page.html.find("fieldset")["aria-describedby"] == "site-way-text"


def test_nothing_posted_at_all(show):
    client = show()
    form = client.get("/@@parcel").forms["f"]
    page = client.post("/@@parcel", {"csrf_token": form["csrf_token"].value})
    assert page.html.find(id="site-label-text").text == "It needs a value.Short <b>."


def test_without_the_add_on_of_a_widget_there_is_the_usual_one(show):
    assert control(show(with_colours=False).get("/@@parcel"), "colour")["type"] == "text"


def test_what_is_typed_is_shown_as_text(show):
    form = show().get("/@@parcel").forms["f"]
    form["note"] = '\n</textarea><script>alert("x")</script>'
    form["label"] = '"><script>'
    form["grams"].force_value("x")
    page = form.submit()
    assert control(page, "note").text.lstrip("\n").startswith("</textarea><script>")
    assert control(page, "label")["value"] == '"><script>'


def test_a_widget_without_its_template(make_site):
    def include(config: Any) -> None:
        config.add_field_widget("lost", "myproject:templates/widgets/lost.jinja2")

    with pytest.raises(ConfigurationProblem, match="lost"):
        make_site(include)


def test_an_add_on_decides_for_a_python_type(make_site, package):
    (package / "wide.jinja2").write_text("x", encoding="utf-8")

    def include(config: Any) -> None:
        config.add_field_widget("wide", "parcels:wide.jinja2", types=[str])

    site = make_site(include)
    assert site.registry.extensions.widget_of(None, str).name == "wide"
    assert site.registry.extensions.widget_of(None, bool).name == "boolean"
