"""Forms that are made from fields: what they show, what was posted, and widgets of add-ons."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from myproject.exceptions import ConfigurationProblem
from myproject.testing import sqlite_only
from tests.views.parcels import includeme, make_package, without_colours

pytestmark = sqlite_only


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


@pytest.fixture
def package(tmp_path, monkeypatch) -> Iterator[Path]:
    """The folder of a package ``parcels``, for templates."""
    folder = make_package(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    sys.modules.pop("parcels", None)


@pytest.fixture
def make(make_site, package):
    """A factory of sites with the form at ``/@@parcel``."""

    def make(*, with_colours: bool = True) -> Any:
        return make_site(includeme if with_colours else without_colours)

    return make


@pytest.fixture
def show(make):
    """The same of clients of such a site."""
    return lambda **options: make(**options).client


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
    assert control(page, "sent")["value"] == "2026-05-01T12:00:30"
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
                "target_id": None,
                "remark": "",
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
    summary = page.html.select_one("[data-error-summary]")
    links = [link["href"] for link in summary.select("a")]
    # In the order of the form; that of a choice leads to its first button.
    assert links[:3] == ["#site-label", "#site-grams", "#site-price"]
    assert "#site-way-1" in links
    for link in links:
        assert page.html.find(id=link[1:]), link


def test_nothing_posted_at_all(show):
    client = show()
    form = client.get("/@@parcel").forms["f"]
    page = client.post("/@@parcel", {"csrf_token": form["csrf_token"].value})
    assert page.html.find(id="site-label-text").text == "It needs a value.Short <b>."


def test_moments_are_those_of_the_person_s_time_zone(make):
    site = make()
    client = site.sign_in("ann", "reader")
    form = client.get("/@@account/preferences").forms["site-preferences"]
    form["time_zone"] = "Europe/Berlin"
    form.submit()
    page = client.get("/@@parcel")
    assert control(page, "sent")["value"] == "2026-05-01T14:00:30"
    assert page.html.select_one(".input-group-text").text == "Europe/Berlin"
    form = page.forms["f"]
    # Nobody has touched it: it is the same to the microsecond, which the form does not show.
    assert repr(dt.datetime(2026, 5, 1, 12, 0, 30, 5, tzinfo=dt.UTC)) in form.submit().text
    form["sent"] = "2026-12-01T12:30"
    assert repr(dt.datetime(2026, 12, 1, 11, 30, tzinfo=dt.UTC)) in form.submit().text
    form["sent"] = "2026-03-29T02:30"
    assert "clocks are put forward" in form.submit().html.find(id="site-sent-text").text


@pytest.fixture
def places(make):
    """A site with pages to choose from, and an editor of some of them."""
    site = make()
    ids = {path: site.add(path, title=path.rpartition("/")[2].title()) for path in PLACES}
    site.add("/docs/draft", title="Draft", state="draft")
    ids["/hidden"] = site.add("/hidden", title="Hidden")
    site.make_private("/hidden")
    return site, site.sign_in("eva", "reader"), ids


PLACES = ("/docs", "/docs/install", "/docs/50% off", "/docs/été")


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("/docs/install", "/docs/install"),
        (" docs/install/ ", "/docs/install"),
        ("http://localhost/docs/install?x=1#y", "/docs/install"),
        ("/docs/50%25%20off", "/docs/50% off"),
        ("/docs/50% off", "/docs/50% off"),
        ("/docs/e\u0301te\u0301", "/docs/été"),
        ("{/docs}", "/docs"),
        ("node:{/docs}", "/docs"),
        ("#{/docs}", "/docs"),
    ],
)
def test_a_page_is_named_by_its_path_its_address_or_its_number(places, typed, path):
    _, client, ids = places
    form = client.get("/@@parcel").forms["f"]
    form["target_id"] = typed.replace("{/docs}", str(ids["/docs"]))
    assert f"('target_id', {ids[path]})" in form.submit().text


def test_what_is_no_page_is_told_with_what_was_perhaps_meant(places):
    _, client, ids = places
    form = client.get("/@@parcel").forms["f"]
    for typed, said in {
        "/docs/instal": "There is no page /docs/instal. Did you mean /docs/install?",
        "/nowhere/at/all": "There is no page /nowhere/at/all that you may see.",
        "/hidden": "There is no page /hidden that you may see.",
        "/docs/draft": "There is no page /docs/draft",
        f"node:{ids['/hidden']}": "There is no such page, or you may not see it.",
        "999999": "There is no such page, or you may not see it.",
        "https://example.org/docs": "That is no address of this site.",
        "/a\0b": "There is no page",
        "/" + "x/" * 900: "There is no page",
        "//": "",
    }.items():
        form["target_id"] = typed
        page = form.submit()
        if not said:
            # The root.
            assert "('target_id', 1)" in page.text
            continue
        # HTML has no NUL: browsers read it as what stands for a character that cannot be shown.
        assert control(page, "target_id")["value"] == typed.replace("\0", "\ufffd")
        assert page.html.find(id="site-target_id-text").text.startswith(said[:200]), typed


def test_a_page_that_is_chosen_is_shown_and_stays_although_it_moves(places):
    site, client, ids = places
    address = f"/@@parcel?target={ids['/docs/install']}"
    page = client.get(address)
    assert control(page, "target_id")["value"] == "/docs/install"
    described = control(page, "target_id")["aria-describedby"].split()
    assert described == ["site-target_id-text", "site-target_id-place"]
    assert page.html.find(id=described[1]).text == "Install"
    with site.tree() as tree:
        tree.rename(site.node(tree, "/docs/install"), "setup")
    assert f"('target_id', {ids['/docs/install']})" in page.forms["f"].submit().text


def test_a_page_that_may_not_be_seen_stays_chosen_and_cannot_be_chosen(places):
    _, client, ids = places
    page = client.get(f"/@@parcel?target={ids['/hidden']}")
    assert control(page, "target_id")["value"] == f"node:{ids['/hidden']}"
    assert "Hidden" not in page.text
    assert f"('target_id', {ids['/hidden']})" in page.forms["f"].submit().text
    form = client.get(f"/@@parcel?target={ids['/docs/install']}").forms["f"]
    # Somebody else's number beside a path that seems untouched.
    form["target_id.shown"] = f"{ids['/hidden']} /docs/install"
    assert "you may not see it" in form.submit().text


def test_what_is_seldom_needed_is_folded_up_unless_something_is_wrong_there(show):
    client = show()
    page = client.get("/@@parcel")
    (group,) = page.html.select("details.field-group")
    assert group.find("summary").text == "More"
    assert group.find(id="site-remark")
    assert not group.has_attr("open")
    form = page.forms["f"]
    form["label"], form["remark"] = "Books", "x" * 101
    assert form.submit().html.select_one("details.field-group").has_attr("open")


def test_a_draft_may_do_without(show):
    page = show().get("/@@parcel?incomplete=1")
    assert not control(page, "label").has_attr("required")
    assert "needed to publish" in page.text
    form = page.forms["f"]
    form["label"] = ""
    assert "('label', '')" in form.submit().text


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
