"""The bar on pages and their screens: for whom, with what, and at what cost."""

import pytest
from pyramid.response import Response

from myproject.content.types import Folder, Link, Page
from myproject.testing import links, sign_in
from myproject.tree.node import DRAFT, Node
from myproject.views.adding_types import addable_types


@pytest.fixture(scope="module")
def site(shared_site):
    site = shared_site
    site.add("/docs", "Text.", title="Docs")
    site.add("/docs/page", "Text.", title="Page")
    site.add("/docs/draft", "Text.", title="Draft page", state=DRAFT)
    site.add("/docs/draft/below", "Text.", title="Below")
    site.add("/hidden", "Text.", title="Hidden")
    site.make_private("/hidden")
    return site


@pytest.fixture(scope="module")
def manager(site):
    return sign_in(site, "mia", "manager")


def bar_of(answer):
    return answer.html.select_one("nav.bar")


def test_nobody_else_s_page_has_anything_of_it(site, fetch):
    """Neither visitors nor readers who are signed in may do anything."""
    for answer in (fetch(site, "/docs"), sign_in(site, "rae").get("/docs")):
        assert bar_of(answer) is None
        assert "/bar." not in answer


def test_it_takes_no_statement(site, manager, fetch, count_statements):
    # What grants give is in memory from the first request on.
    manager.get("/")
    for path in ("/docs", "/docs/page"):
        with count_statements(site.database) as anonymous:
            fetch(site, path)
        with count_statements(site.database) as seen:
            answer = manager.get(path)
        assert bar_of(answer) is not None
        # Who it is that asks.
        assert len(seen) == len(anonymous) + 1


@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/docs/page", "public", "Published"),
        ("/docs/draft", "draft", "Draft"),
        ("/docs/draft/below", "private", "Not public"),
        ("/hidden", "private", "Not public"),
    ],
)
def test_it_says_who_can_see_the_page(site, manager, path, kind, text):
    site.grant("mia", "manager", "/hidden")
    answer = manager.get(path)
    state = bar_of(answer).select_one(".bar-state")
    assert (state["class"], state.text.strip()) == (["bar-state", kind], text)
    # Said once.
    assert answer.html.select_one(".restricted") is None


def test_screens_of_the_page_have_it_too_and_mark_themselves(manager):
    bar = bar_of(manager.get("/docs/page/@@sharing"))
    (current,) = bar.select("a[aria-current]")
    assert (current["href"], current.text) == ("/docs/page/@@sharing", "Access")
    assert bar.select_one("a[href='/docs/page']") is not None
    assert bar.select_one("summary.current").text == "More"
    page = bar_of(manager.get("/docs/page"))
    assert [a["href"] for a in page.select("a[aria-current]")] == ["/docs/page"]


def test_screens_of_no_page_and_errors_have_none(manager):
    for path, status in (("/@@account", 200), ("/docs/nope", 404)):
        assert bar_of(manager.get(path, status=status)) is None


def test_each_link_is_for_those_who_may_follow_it(site):
    editor = sign_in(site, "ed", "editor", "/docs")
    assert "/docs/@@sharing" not in links(editor.get("/docs"))
    assert bar_of(editor.get("/hidden", status=403)) is None
    assert bar_of(editor.get("/")) is None


class Parcel(Folder):
    __mapper_args__ = {"polymorphic_identity": "parcel"}


def test_what_may_be_added_depends_on_place_and_person(make_site):
    def include(config):
        config.add_permission("send", "send")
        config.grant("manager", "send")
        config.add_content_type(
            Parcel, "Parcel", description="By post.", addable_in=["folder"], permission="send"
        )
        for name in ("add", "ask"):
            config.add_view(
                lambda context, request: Response(
                    ",".join(found.name for found in addable_types(request, context))
                ),
                name=name,
                context=Node,
                permission="view",
            )

    site = make_site(include)
    site.add("/page", cls=Page)
    site.add("/folder", cls=Folder)
    site.add("/folder/link", cls=Link)
    author, manager = site.sign_in("ann", "author"), site.sign_in("mia", "manager")
    core = ["page", "folder", "link"]
    for client, path, expected in (
        (author, "/folder", core),
        (author, "/page", core),
        (manager, "/page", core),
        (manager, "/folder", [*core, "parcel"]),
        (site.sign_in("rae"), "/folder", []),
    ):
        asked = client.get(f"{path}/@@ask").text
        assert asked.split(",") == (expected or [""])
    offered = bar_of(manager.get("/folder")).select("details a[href*='@@add']")
    assert [a["href"] for a in offered][-1] == "/folder/@@add?type=parcel"
    assert offered[-1].text == "Parcel By post."
