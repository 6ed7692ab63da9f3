"""Directives about what people see, each in a small application of its own."""

import logging
import sys

import pytest
from markupsafe import Markup
from pyramid.response import Response
from sqlalchemy import text

from myproject.content.types import Folder, Page
from myproject.exceptions import ConfigurationProblem
from myproject.extend.points import SLOTS
from myproject.testing import links
from myproject.views.rendering import layout, page_screen

KITCHEN = "tests.extend.kitchen"


def introspected(site, category):
    """Return what the introspector knows of a category: key -> value."""
    found = site.registry.introspector.get_category(category)
    return {item["introspectable"].discriminator: item["introspectable"]["value"] for item in found}


# -- panels ---------------------------------------------------------------------------------------


def test_a_panel_with_a_template_is_shown_in_its_slot(make_site):
    def dish(context, request):
        return {"dish": f"<soup> on {context.title} at {request.path}"}

    def include(config):
        config.add_slot_panel(
            dish, "after-content", renderer=f"{KITCHEN}:templates/dish.jinja2", context=Page
        )

    site = make_site(include)
    site.add("/menu", "Text.", title="Menu")
    site.add("/folder", cls=Folder)
    page = site.client.get("/menu").text
    assert '<p class="dish">Dish of the day: &lt;soup&gt; on Menu at /menu</p>' in page
    assert page.index("Text.") < page.index("Dish of the day")
    assert "Dish of the day" not in site.client.get("/folder")
    (panel,) = introspected(site, "panels").values()
    addon = site.registry.addons[0].name
    assert (panel.name, panel.slot) == (f"{addon}:dish", "after-content")
    assert panel.origin.file == __file__
    assert panel.origin.addon == addon


@pytest.mark.parametrize("slot", SLOTS)
def test_every_slot_is_on_every_page_that_has_room_for_it(make_site, slot):
    def include(config):
        config.add_slot_panel(lambda context, request: Markup(f"<b>in {slot}</b>"), slot, name="x")

    site = make_site(include)
    site.add("/menu")
    assert site.client.get("/menu").text.count(f"<b>in {slot}</b>") == 1
    if slot in ("head", "tools", "footer"):
        assert f"<b>in {slot}</b>" in site.client.get("/nope", status=404)
        assert f"<b>in {slot}</b>" in site.client.get("/@@sign-in")


def test_panels_come_in_order_and_show_text_markup_or_nothing(make_site):
    def include(config):
        for name, shown, order in (
            ("second", Markup("<i>second</i>"), 200),
            ("first", "<first>", 100),
            ("nothing", None, 150),
            ("zeroth", Markup("<i>zeroth</i>"), 10),
        ):
            config.add_slot_panel(
                lambda context, request, shown=shown: shown, "footer", name=name, order=order
            )

    page = make_site(include).client.get("/").text
    assert "<i>zeroth</i>&lt;first&gt;<i>second</i>" in page


def test_a_panel_is_for_those_who_have_the_permission(make_site):
    def include(config):
        config.add_slot_panel(
            lambda context, request: "for editors", "footer", name="x", permission="edit"
        )

    site = make_site(include)
    site.add("/menu")
    editor, reader = site.sign_in("ann", "editor", "/menu"), site.sign_in("bob")
    assert "for editors" in editor.get("/menu")
    for client, path in ((editor, "/"), (reader, "/menu"), (site.client, "/menu")):
        assert "for editors" not in client.get(path)
    assert "for editors" not in site.client.get("/nope", status=404)


@pytest.mark.parametrize("development", ["true", "false"])
@pytest.mark.parametrize("renderer", [None, f"{KITCHEN}:templates/broken.jinja2"])
def test_a_panel_that_raises_takes_nothing_else_with_it(make_site, caplog, development, renderer):
    def broken(context, request):
        if renderer is None:
            raise ValueError("burnt <b>milk</b>")
        return {}

    def include(config):
        config.add_slot_panel(broken, "after-content", renderer=renderer)
        config.add_slot_panel(lambda context, request: "the other one", "footer", name="other")

    site = make_site(include, development=development)
    site.add("/menu", "Text.")
    with caplog.at_level(logging.ERROR):
        page = site.client.get("/menu")
    assert page.status_int == 200
    assert "Text." in page
    assert "the other one" in page
    (record,) = [r for r in caplog.records if r.name == "myproject.views.slots"]
    addon = site.registry.addons[0].name
    assert f"The panel '{addon}:broken' of {addon} ({__file__}, line " in record.getMessage()
    assert record.exc_info
    shown = f"registered by {addon} ({__file__}, line" in page
    assert shown is (development == "true")
    assert "<b>milk</b>" not in page


def test_a_failed_statement_of_a_panel_does_not_spoil_a_transaction(make_site):
    def broken(context, request):
        request.dbsession.execute(text("SELECT * FROM no_such_table"))

    def save(context, request):
        context.title = "Saved"
        return layout(request, "Saving")

    def include(config):
        config.add_slot_panel(broken, "footer")
        config.add_view(
            save, name="save", context=Page, request_method="POST", permission="view",
            require_csrf=False, renderer=f"{KITCHEN}:templates/saved.jinja2",
        )  # fmt: skip

    site = make_site(include)
    site.add("/menu")
    assert "Saved" not in site.client.get("/menu")
    site.client.post("/menu/@@save")
    assert "Saved" in site.client.get("/menu")


def test_a_slot_that_does_not_exist_is_told(make_site):
    def include(config):
        config.add_slot_panel(print, "cellar")

    with pytest.raises(ConfigurationProblem, match=r"no slot 'cellar'.*Slots: head, tools"):
        make_site(include)


# -- menus ----------------------------------------------------------------------------------------


def test_actions_and_tabs_are_links_for_those_who_may_use_them(make_site):
    def include(config):
        config.add_toolbar_action(
            "cook", "Cook this", view="cook", context=Page, prominent=True, shortcut="k"
        )
        config.add_toolbar_action("eat", "Eat this", view="eat")
        config.add_tab("cook", "Cooking", group="page", view="cook", permission="edit")
        config.add_tab("taste", "Taste", group="page", view="taste", permission="edit")
        config.add_tab("stove", "Stove", group="site", view="stove", permission="manage-users")
        for name in ("cook", "taste"):
            config.add_view(
                lambda context, request: page_screen(request, context, "Cook", "cook"),
                name=name,
                context=Page,
                permission="edit",
                renderer=f"{KITCHEN}:templates/saved.jinja2",
            )

    site = make_site(include)
    site.add("/menu")
    site.add("/folder", cls=Folder)
    editor, chief = site.sign_in("ann", "editor"), site.sign_in("eve", "administrator")
    offered = links(editor.get("/menu"))
    assert (offered["/menu/@@cook"], offered["/menu/@@taste"]) == ("Cook this", "Taste")
    # Nobody has registered a view of this name.
    assert "/menu/@@eat" not in offered
    assert "/folder/@@cook" not in links(editor.get("/folder"))
    assert "/menu/@@cook" not in links(site.sign_in("bob").get("/menu"))
    # The same on each screen of the page, which marks itself.
    assert links(chief.get("/menu/@@sharing"))["/menu/@@cook"] == "Cook this"
    bar = editor.get("/menu/@@cook").html.select_one("nav.bar")
    (current,) = bar.select("[aria-current]")
    assert (current.text, current["data-shortcut"]) == ("Cook this", "k")
    assert current.find_parent("details") is None
    assert bar.select_one("a[href='/menu/@@taste']").find_parent("details") is not None
    assert links(chief.get("/@@users"))["/@@stove"] == "Stove"
    assert "/@@users" not in links(editor.get("/menu"))


def test_bulk_actions_are_buttons_that_post_what_was_chosen(make_site):
    def cook(context, request):
        return Response(",".join(request.POST.getall("ids")))

    def include(config):
        config.add_bulk_action(
            "cook", "Cook them", view="cook-many", field=("heat", "low"), order=2
        )
        config.add_bulk_action("eat", "Eat them", view="cook-many", order=1)
        config.add_bulk_action("bin", "Throw away", view="cook-many", permission="share")
        config.add_bulk_action("lost", "Lose them", view="nowhere")
        config.add_view(
            cook, name="cook-many", context=Page, request_method="POST", permission="edit"
        )

    site = make_site(include)
    site.add("/menu")
    ids = [str(site.add(f"/menu/dish-{number}")) for number in range(3)]
    actions = introspected(site, "bulk actions")
    assert actions["eat"].origin.file == __file__
    editor = site.sign_in("ann", "editor")
    screen = editor.get("/menu/@@contents?sort=name")
    names = [button.text for button in screen.html.select("[data-bulk]")]
    # The core's own appear with their views, and are not what this is about.
    ours = [name for name in names if name.endswith("them") or name == "Throw away"]
    assert ours == ["Eat them", "Cook them"]
    token = screen.html.select_one("form.chosen input[name=csrf_token]")["value"]
    assert screen.html.select_one("form.chosen input[name=back]")["value"] == (
        "/menu/@@contents?sort=name"
    )
    boxes = screen.html.select("tbody input[name=ids]")
    assert [box["value"] for box in boxes] == ids
    button = screen.html.find("button", string="Cook them")
    assert (button["formaction"], button["name"], button["value"]) == (
        "/menu/@@cook-many", "heat", "low",
    )  # fmt: skip
    fields = [("csrf_token", token), ("ids", ids[0]), ("ids", ids[2])]
    assert editor.post(button["formaction"], fields).text == ",".join([ids[0], ids[2]])


def test_tabs_of_no_known_group_are_told(make_site):
    def include(config):
        config.add_tab("x", "X", group="cellar", view="x", permission="view")

    with pytest.raises(ConfigurationProblem, match="There are no tabs 'cellar'"):
        make_site(include)


# -- templates and static files -------------------------------------------------------------------


def test_a_template_takes_the_place_of_another_and_may_extend_it(make_site):
    def include(config):
        config.add_template_override(
            "myproject:templates/page.jinja2", f"{KITCHEN}:templates/page.jinja2"
        )

    site, plain = make_site(include), make_site()
    site.add("/menu", "Text.")
    page = site.client.get("/menu")
    assert "From the kitchen" in page
    assert "Text." in page
    # Another application in the same process goes on as before.
    assert "From the kitchen" not in plain.client.get("/menu")


@pytest.mark.parametrize(
    ("template", "by", "missing"),
    [
        ("myproject:templates/nope.jinja2", f"{KITCHEN}:templates/page.jinja2", "nope"),
        ("myproject:templates/page.jinja2", f"{KITCHEN}:templates/nope.jinja2", "nope"),
        ("myproject:templates/page.jinja2", "no_such_package:templates/page.jinja2", "no_such_pac"),
    ],
)
def test_an_override_of_or_by_nothing_is_told(make_site, template, by, missing):
    def include(config):
        config.add_template_override(template, by)

    with pytest.raises(ConfigurationProblem, match=f"There is no .*{missing}") as caught:
        make_site(include)
    assert f"{__file__}, line" in str(caught.value)


def test_static_files_of_a_bundle_are_served_and_loaded_by_every_page(make_site):
    def include(config):
        config.add_static_bundle(
            "kitchen", f"{KITCHEN}:static", styles=["kitchen.css"], scripts=["kitchen.js"]
        )

    client = make_site(include).client
    for path in ("/", "/nope", "/@@sign-in"):
        page = client.get(path, status="*")
        style = page.html.select_one('link[href*="kitchen.css"]')["href"]
        script = page.html.select_one('script[src*="kitchen.js"]')
        assert style.startswith("/%40%40static-kitchen/kitchen.css?v=")
        assert script["nonce"] in page.headers["Content-Security-Policy"]
    served = client.get(style)
    assert ".dish" in served
    assert "max-age=31536000" in served.headers["Cache-Control"]


def test_a_bundle_that_is_not_there_is_told(make_site):
    for styles in ([], ["nope.css"]):

        def include(config, styles=styles):
            folder = "static" if styles else "nope"
            config.add_static_bundle("kitchen", f"{KITCHEN}:{folder}", styles=styles)

        with pytest.raises(ConfigurationProblem, match=r"There is no tests\.extend\.kit.*nope"):
            make_site(include)


def test_what_an_add_on_shows_is_part_of_the_fingerprint(make_site, tmp_path, monkeypatch):
    folder = tmp_path / "pantry"
    folder.mkdir()
    (folder / "__init__.py").write_text("def includeme(config):\n    pass\n")
    (folder / "x.jinja2").write_text("one")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pantry", raising=False)
    before = make_site(addons="pantry").registry.fingerprint
    assert make_site(addons="pantry").registry.fingerprint == before
    (folder / "x.jinja2").write_text("two")
    assert make_site(addons="pantry").registry.fingerprint != before


def test_a_template_that_takes_its_own_place_is_told(make_site):
    def include(config):
        config.add_template_override(
            f"{KITCHEN}:templates/saved.jinja2", f"{KITCHEN}:templates/circle.jinja2"
        )

    with pytest.raises(ConfigurationProblem, match=r"Write original:tests\.extend\.kitchen"):
        make_site(include)


@pytest.mark.parametrize("name", ["", "x:y", "../x", "a/b", "{x}", "A", 's">'])
def test_a_bundle_s_name_is_part_of_addresses(make_site, name):
    def include(config):
        config.add_static_bundle(name, f"{KITCHEN}:static")

    with pytest.raises(ConfigurationProblem, match="cannot be the name of a static bundle"):
        make_site(include)


def test_files_outside_of_a_bundle_are_not_its_own(make_site):
    def include(config):
        config.add_static_bundle("kitchen", f"{KITCHEN}:static", styles=["../__init__.py"])

    with pytest.raises(ConfigurationProblem, match="is outside of"):
        make_site(include)


@pytest.mark.parametrize("error", [SystemExit(0), ValueError("a\0b")])
def test_whatever_a_panel_raises_the_page_is_there(make_site, error):
    class Mute(Exception):
        def __str__(self):
            raise ValueError

    def panel(context, request):
        raise error

    def mute(context, request):
        raise Mute

    def include(config):
        config.add_slot_panel(panel, "footer")
        config.add_slot_panel(mute, "footer")

    page = make_site(include, development="true").client.get("/")
    assert "Mute: it cannot say what happened" in page
    assert type(error).__name__ in page


def test_a_savepoint_in_a_get_leaves_nothing_open(make_site):
    def panel(context, request):
        with request.dbsession.begin_nested():
            request.dbsession.execute(text("SELECT 1"))

    site = make_site(lambda config: config.add_slot_panel(panel, "footer"))
    site.client.get("/")
    site.add("/new")
    for _ in range(6):
        assert site.client.get("/new").status_int == 200
