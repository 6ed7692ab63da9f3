"""Directives about content, each in a small application of its own."""

import pytest
from markdown_it import MarkdownIt
from webtest import TestApp

from myproject.content.types import Folder, Page
from myproject.exceptions import ConfigurationProblem
from myproject.interfaces import IContentTypes

KITCHEN = "tests.extend.kitchen"


class Menu(Page):
    """A content type without columns of its own."""

    __mapper_args__ = {"polymorphic_identity": "menu"}


def test_a_content_type_is_one_of_the_site_with_the_name_of_its_add_on(make_site):
    site = make_site(lambda c: c.add_content_type(Menu, "Menu", addable_in=["folder"]))
    menu = site.registry.getUtility(IContentTypes).require("menu")
    assert (menu.cls, menu.addable_in, menu.addon) == (
        Menu,
        {"folder"},
        site.registry.addons[0].name,
    )
    assert site.registry.getUtility(IContentTypes).require("page").addon == ""
    site.add("/menu", "Soup.", cls=Menu, title="Today")
    assert "Soup." in site.client.get("/menu")


def shout(md: MarkdownIt) -> None:
    """Make emphasis loud."""
    md.add_render_rule("em_open", lambda *_: '<em class="loud rude" onclick="x()">')


def test_a_markdown_plugin_and_what_may_survive_of_it(make_site):
    def include(config):
        config.add_markdown_plugin(shout)
        config.add_sanitizer_rule("em", classes=["loud"])
        config.add_sanitizer_rule("figure", attributes=["data-caption"], classes=["wide"])
        config.add_sanitizer_rule("figure", attributes=["data-more"])
        config.add_sanitizer_rule("meter", attributes=["value"])

    site = make_site(include)
    raw = '<figure class="wide x" data-caption="c" data-more="m" data-no="n">F</figure>'
    site.add("/menu", f'*Soup*\n\n{raw}\n\n<meter value="3" onclick="x()">three</meter>')
    page = site.client.get("/menu").text
    assert '<em class="loud">Soup</em>' in page
    assert 'class="wide"' in page
    assert 'data-caption="c"' in page
    assert 'data-more="m"' in page
    assert "data-no" not in page
    assert '<meter value="3">three</meter>' in page
    plain = make_site()
    plain.add("/other", '*Soup*\n\n<meter value="3">three</meter>')
    assert "<em>Soup</em>" in plain.client.get("/other")
    assert "<meter" not in plain.client.get("/other")


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        *(("script", []), ("iframe", []), ("SVG", []), ("plaintext", []), ("noembed", [])),
        *(("div", [name]) for name in ("onclick", "style", "hx-post", "data-hx-get", "role")),
        *(("img", [name]) for name in ("srcset", "longdesc", "attributionsrc", "OnError")),
    ],
)
def test_what_could_do_harm_never_passes(make_site, tag, attributes):
    def include(config):
        config.add_sanitizer_rule(tag, attributes=attributes)

    with pytest.raises(ConfigurationProblem, match="must not let") as caught:
        make_site(include)
    assert f"{__file__}, line" in str(caught.value)


def test_pages_are_rendered_anew_when_asked_for(make_site):
    plain = make_site()
    plain.add("/menu", "*Soup*")
    plain.add("/other", "Nothing to shout.")
    with plain.tree() as tree:
        changed = plain.node(tree, "/menu").modified_at

    def include(config):
        config.add_markdown_plugin(shout)
        config.add_sanitizer_rule("em", classes=["loud"])

    site = make_site(include)
    assert "<em>" in site.client.get("/menu")
    told = site.run("tree", "render")
    assert told.stdout == "1 page came out different.\n"
    assert '<em class="loud">' in site.client.get("/menu")
    assert site.run("tree", "render").stdout == "0 pages came out different.\n"
    with site.tree() as tree:
        assert site.node(tree, "/menu").modified_at == changed


def test_a_widget_is_known_by_name_and_by_type_and_the_add_on_s_wins(make_site):
    def include(config):
        config.add_field_widget("colour", f"{KITCHEN}:templates/colour.jinja2", types=[str])

    extensions = make_site(include).registry.extensions
    assert extensions.widget_of("colour", int).template == f"{KITCHEN}:templates/colour.jinja2"
    assert extensions.widget_of(None, str).name == "colour"
    assert make_site().registry.extensions.widget_of("colour", int) is None


def test_a_widget_without_a_template_is_told(make_site):
    def include(config):
        config.add_field_widget("colour", f"{KITCHEN}:templates/nope.jinja2")

    with pytest.raises(ConfigurationProblem, match=r"There is no .*nope\.jinja2"):
        make_site(include)


# -- content that is switched off -----------------------------------------------------------------


@pytest.fixture
def closed(make_site):
    """A site with a menu and a page below it whose add-on is switched off again."""
    site = make_site(lambda c: c.add_content_type(Menu, "Menu"))
    site.add("/menu", "Soup.", cls=Menu, title="Today")
    site.add("/menu/wine", title="Wine")
    site.add("/rest", cls=Folder)
    return site, make_site()


def test_readers_do_not_find_it_and_editors_see_that_it_is_kept(closed):
    before, site = closed
    editor = site.sign_in("ann", "editor")
    for client in (site.client, site.sign_in("bob")):
        assert "Today" not in client.get("/menu", status=404)
        assert "Today" not in client.get("/")
    page = editor.get("/menu")
    assert page.status_int == 200
    assert "Today" in page
    assert f"<code>{before.registry.addons[0].name}</code>" in page
    assert 'href="/menu/wine"' in page
    assert "Soup." not in page
    assert "no-store" in page.headers["Cache-Control"]
    listing = editor.get("/").text
    assert '<a href="/menu">Today</a> <small class="unavailable">Not available</small>' in listing
    assert editor.get("/menu/@@source", status=404)
    assert editor.post("/menu", status="4*")


def test_it_comes_back_unchanged(closed, make_site):
    closed_again = closed[1]
    with closed_again.tree() as tree:
        tree.move(closed_again.node(tree, "/menu"), closed_again.node(tree, "/rest"))
    site = make_site(lambda c: c.add_content_type(Menu, "Menu"))
    assert "Soup." in TestApp(site.app).get("/rest/menu")


def test_editors_of_other_places_do_not_see_it(closed):
    _, site = closed
    site.add("/other")
    editor = site.sign_in("cat", "editor", "/other")
    assert "Today" not in editor.get("/")
    assert editor.get("/menu", status=404)


def test_names_are_no_single_text(make_site):
    def include(config):
        config.add_sanitizer_rule("figure", attributes="wide")

    with pytest.raises(ConfigurationProblem, match="are lists of names"):
        make_site(include)


def test_a_plugin_that_raises_is_told(make_site):
    def broken(md):
        raise ValueError("no such rule")

    with pytest.raises(ConfigurationProblem, match=r"plugin .*broken.* cannot be used: ValueError"):
        make_site(lambda config: config.add_markdown_plugin(broken))
