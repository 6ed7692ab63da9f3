"""Starting the application: what is wrong is told at once, in plain words, and add-ons fit in."""

import json
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest
from pyramid.response import Response
from webtest import TestApp

from myproject import configure, main
from myproject.boot import reserved_names
from myproject.content.types import Page
from myproject.exceptions import ConfigurationProblem, InvalidName
from myproject.interfaces import IContentTypes, IRoles
from myproject.registry import registry_of
from myproject.settings import Setting
from myproject.testing import DEFAULTS, Site


class Recipe(Page):
    """A content type as an add-on would bring it, without columns of its own."""

    __mapper_args__ = {"polymorphic_identity": "recipe"}


@pytest.fixture
def ini(sqlite_backend):
    """The least that an ini file has to say."""
    url = sqlite_backend.create()
    yield {"sqlalchemy.url": url.render_as_string(hide_password=False), **DEFAULTS}
    sqlite_backend.drop(url)


@pytest.fixture
def addons(monkeypatch):
    """``addons(includeme, ...)``: the value of ``myproject.addons`` that switches them on."""

    def make(*includes):
        names = []
        for number, include in enumerate(includes):
            name = f"an_add_on_{number}"
            module = type(sys)(name)
            module.includeme = include
            module.__path__ = []
            monkeypatch.setitem(sys.modules, name, module)
            names.append(name)
        return " ".join(names)

    return make


def refusal(capsys, **ini):
    """Start with bad settings and return what is told."""
    with pytest.raises(SystemExit) as end:
        main({"__file__": "/srv/site.ini"}, **{**DEFAULTS, **ini})
    assert end.value.code == 2
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert told.out == ""
    return told.err


def test_an_unknown_setting_is_refused_with_a_suggestion(capsys, ini):
    told = refusal(capsys, **ini, **{"myproject.site_titel": "x"})
    assert "myproject.site_titel (site.ini)" in told
    assert "did you mean myproject.site_title?" in told


def test_all_problems_are_told_at_once(capsys):
    wrong = {
        "sqlalchemy.url": "mysql://localhost/x",
        "myproject.listing_size": "many",
        "myproject.retry_attempts": "0",
        "myproject.canonical_host": "example.org/",
    }
    told = refusal(capsys, **wrong)
    assert all(key in told for key in wrong)


def test_all_unknown_settings_are_told_at_once(capsys, ini):
    wrong = ["myproject.a", "myproject.b", "sqlalchemy.c"]
    told = refusal(capsys, **ini, **dict.fromkeys(wrong, "1"))
    assert all(key in told for key in wrong)


def test_a_missing_database_is_told_and_its_password_is_not(capsys):
    assert "sqlalchemy.url is missing" in refusal(capsys)
    told = refusal(capsys, **{"sqlalchemy.url": "postgresql://me:hush@127.0.0.1:1/none"})
    assert "cannot be reached" in told
    assert "hush" not in told


def test_an_empty_database_is_told_with_the_command_that_helps(capsys, tmp_path):
    told = refusal(capsys, **{"sqlalchemy.url": f"sqlite:///{tmp_path}/new.sqlite"})
    assert "myproject" in told
    assert "init" in told or "upgrade" in told


def test_a_process_that_cannot_start_ends_with_two_and_no_traceback():
    code = "from myproject import main; main({}, **{'myproject.nonsense': '1'})"
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("myproject cannot start:")


def test_a_server_s_entry_point_returns_an_application(ini):
    client = TestApp(main({}, **ini))
    assert client.get("/").status_int == 200
    client.app.registry.database.dispose()


def test_two_applications_in_one_process_do_not_meet(sqlite_backend):
    sites = [
        Site(sqlite_backend.create(), site_title=title, listing_size=size)
        for title, size in (("First", "1"), ("Second", "2"))
    ]
    for site in sites:
        for name in "abc":
            site.add(f"/{site.registry.settings['myproject.site_title'].lower()}-{name}")
    for site, title, listed in zip(sites, ("First", "Second"), (1, 2), strict=True):
        page = site.client.get("/").text
        assert title in page
        assert page.count(f'href="/{title.lower()}-') == listed
    assert sites[0].registry.getUtility(IContentTypes) is not sites[1].registry.getUtility(
        IContentTypes
    )
    for site in sites:
        site.database.dispose()


def test_an_add_on_brings_a_setting_a_type_and_a_route(ini, addons):
    seen = []

    def include(config):
        seen.append(
            config.add_settings(Setting("myproject.kitchen.stars", int, 3, "How many stars."))
        )
        config.add_content_type(Recipe, "Recipe", addable_in=["folder"])
        config.add_route("kitchen", "/kitchen")
        config.add_route("menu", "/menu/{day}")
        config.add_route("any", "/{anything}/x")
        config.add_route("dish", "/dish-{number:[0-9]{1,3}}.html")
        config.add_view(lambda request: Response("kitchen"), route_name="kitchen")

    settings = {"myproject.addons": addons(include), "myproject.kitchen.stars": "5"}
    config = configure({}, **ini, **settings)
    registry = registry_of(config)
    assert seen == [5]
    assert registry.getUtility(IContentTypes).require("recipe").addable_in == {"folder"}
    reserved = reserved_names(config)
    assert set(reserved) == set(registry.reserved_names) == {"kitchen", "menu"}
    assert "dish-12.html" in reserved
    for name in ("dish-.html", "dish-12.htm", "dish-1234.html", "anything"):
        assert name not in reserved
    client = TestApp(config.make_wsgi_app())
    assert client.get("/kitchen").text == "kitchen"
    registry.database.dispose()


def test_pages_cannot_take_the_names_of_routes(sqlite_backend, addons):
    def include(config):
        config.add_route("kitchen", "/kitchen")

    site = Site(sqlite_backend.create(), addons=addons(include))
    with pytest.raises(InvalidName):
        site.add("/kitchen")
    site.add("/docs")
    site.add("/docs/kitchen")
    site.database.dispose()


def test_a_wrong_value_of_an_add_on_s_setting_is_told(capsys, ini, addons):
    def include(config):
        config.add_settings(Setting("myproject.kitchen.stars", int, 3, "How many stars."))

    told = refusal(
        capsys, **ini, **{"myproject.addons": addons(include), "myproject.kitchen.stars": "x"}
    )
    assert "myproject.kitchen.stars" in told


def test_a_setting_declared_twice_names_both_owners(ini, addons):
    def include(config):
        config.add_settings(Setting("myproject.kitchen.stars", int, 3, "How many stars."))

    expected = r"an_add_on_1: myproject.kitchen.stars is declared twice, by an_add_on_0 and by an_"
    with pytest.raises(ConfigurationProblem, match=expected) as caught:
        configure({}, **ini, **{"myproject.addons": addons(include, include)})
    assert "test_boot.py, line" in str(caught.value)


def test_two_add_ons_that_claim_one_type_conflict(ini, addons):
    def one(config):
        config.add_content_type(Recipe, "Recipe")

    def other(config):
        config.add_content_type(Recipe, "Another recipe")

    with pytest.raises(
        ConfigurationProblem, match="2 includes want the same content type 'recipe'"
    ):
        configure({}, **ini, **{"myproject.addons": addons(one, other)})


@pytest.mark.parametrize("name", ["no_such_package", "json"])
def test_an_add_on_that_cannot_be_included_is_named(capsys, ini, name):
    told = refusal(capsys, **ini, **{"myproject.addons": name})
    assert f"myproject.addons: {name} cannot be included" in told


def test_an_add_on_may_rename_a_type_of_the_core(ini, addons):
    def include(config):
        config.add_content_type(Page, "Article")

    config = configure({}, **ini, **{"myproject.addons": addons(include)})
    assert registry_of(config).getUtility(IContentTypes).require("page").title == "Article"


def test_an_add_on_can_replace_a_screen_of_the_core(sqlite_backend, addons):
    def include(config):
        config.add_view(
            lambda context, request: Response("my own"), context=Page, request_method="GET"
        )

    site = Site(sqlite_backend.create(), addons=addons(include))
    site.add("/docs")
    assert site.client.get("/docs").text == "my own"
    site.database.dispose()


def test_add_ons_come_after_the_core_and_before_what_depends_on_all(ini, addons):
    order = []

    def include(config):
        registry = registry_of(config)
        order.append("core is complete" if registry.getUtility(IContentTypes).get("page") else "")
        order.append("reserved" if hasattr(registry, "reserved_names") else "not yet reserved")

    config = configure({}, **ini, **{"myproject.addons": addons(include)})
    assert order == ["core is complete", "not yet reserved"]
    assert registry_of(config).reserved_names == frozenset()


def test_importing_starts_nothing():
    code = (
        "import sys, json, myproject;"
        "print(json.dumps([n for n in sys.modules if n.startswith('myproject.addons')]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


# -- roles and permissions ------------------------------------------------------------------------


def roles_of(ini, **settings):
    return registry_of(configure({}, **{**ini, **settings})).getUtility(IRoles)


def test_add_ons_add_permissions_and_roles_in_any_order(ini, addons):
    def first(config):
        config.grant("moderator", "moderate")
        config.grant("editor", "moderate")

    def second(config):
        config.add_role("moderator", "Moderator", ["view"])
        config.add_permission("moderate", "moderate comments")

    roles = roles_of(ini, **{"myproject.addons": addons(first, second)})
    assert roles["moderator"].permissions == {"view", "moderate"}
    assert "moderate" in roles["editor"].permissions
    assert "moderate" in roles["administrator"].permissions
    assert "moderate" not in roles["reader"].permissions
    assert list(roles)[-2:] == ["moderator", "administrator"]


@pytest.mark.parametrize(
    ("include", "message"),
    [
        (lambda config: config.grant("nobody", "view"), "There is no role 'nobody'"),
        (lambda config: config.grant("reader", "fly"), "There is no permission fly"),
        (lambda config: config.add_role("x", "X", ["fly"]), "There is no permission fly"),
        (lambda config: config.add_role("A b", "X", []), "cannot be the name of a role"),
        (
            lambda config: config.add_permission("A b", "X"),
            "cannot be the name of a permission",
        ),
    ],
)
def test_what_an_add_on_says_of_roles_is_checked(ini, addons, capsys, include, message):
    told = refusal(capsys, **ini, **{"myproject.addons": addons(include)})
    assert message in told
    assert "test_boot.py" in told


def test_two_add_ons_that_add_one_role_conflict(ini, addons, capsys):
    def include(config):
        config.add_role("x", "X", ["view"])

    told = refusal(capsys, **ini, **{"myproject.addons": addons(include, lambda c: include(c))})
    assert "2 includes want the same role 'x'" in told


def test_the_operator_has_the_last_word_on_roles(ini, addons):
    def include(config):
        config.add_role("auditor", "Auditor", ["view"])

    lines = "auditor = view-drafts\nauthor = publish, share\nhelper = view edit"
    settings = {"myproject.addons": addons(include), "myproject.roles": lines}
    roles = roles_of(ini, **settings)
    assert roles["auditor"].permissions == {"view", "view-drafts"}
    assert {"publish", "share", "edit"} <= roles["author"].permissions
    assert roles["helper"].permissions == {"view", "edit"}
    assert roles["helper"].title == "Helper"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("reader", "NAME = permission"),
        ("= view", "NAME = permission"),
        ("reader = fly", "There is no permission fly"),
        ("Bad Name = view", "cannot be the name of a role"),
    ],
)
def test_what_the_operator_says_of_roles_is_checked(ini, capsys, lines, message):
    told = refusal(capsys, **ini, **{"myproject.roles": lines})
    assert "myproject.roles" in told
    assert message in told


# -- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ("", "is missing"),
        ("CHANGE-ME", "everybody knows"),
        ("development-sample", "everybody knows"),
        ("my-very-long-secret-that-is-a-sample-for-sure", "everybody knows"),
        ("Zq8x", "at least 32 characters"),
        ("abababababababababababababababababababab", "too few different characters"),
    ],
)
def test_a_secret_that_is_none_is_refused_and_a_good_one_offered(ini, capsys, secret, message):
    told = refusal(capsys, **{**ini, "myproject.session_secret": secret})
    assert "myproject.session_secret" in told
    assert message in told
    offered = told.split()[-1]
    assert len(offered) >= 32
    configure({}, **{**ini, "myproject.session_secret": offered})


def test_development_takes_any_secret_and_none(ini):
    for secret in ("", "x"):
        settings = {"myproject.session_secret": secret, "myproject.development": "true"}
        configure({}, **{**ini, **settings})


def test_production_ini_does_not_start_as_it_comes(ini, capsys):
    path = Path(__file__).parent.parent / "production.ini"
    parser = RawConfigParser()
    parser.read(path)
    shipped = dict(parser["app:main"])
    shipped.pop("use")
    shipped["sqlalchemy.url"] = ini["sqlalchemy.url"]
    with pytest.raises(SystemExit):
        main({"__file__": str(path)}, **shipped)
    assert "myproject.session_secret" in capsys.readouterr().err
    shipped["myproject.session_secret"] = ini["myproject.session_secret"]
    main({"__file__": str(path)}, **shipped)


def test_settings_of_an_add_on_that_is_off_may_stay(ini):
    for key, known in (
        ("myproject.search.page_size", True),
        ("myproject.search.typo", True),
        ("myproject.serch.page_size", False),
    ):
        settings = {**ini, key: "10"}
        if known:
            configure({}, **settings)
        else:
            with pytest.raises(ConfigurationProblem, match="there is no such setting"):
                configure({}, **settings)
    with pytest.raises(ConfigurationProblem, match="there is no such setting"):
        configure({}, **ini, **{"myproject.addons": "search", "myproject.search.typo": "1"})
