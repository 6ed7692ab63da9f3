"""Pages by title, name or address, for whoever is making a link."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def site(shared_site):
    shared_site.add("/finding", title="Finding things")
    shared_site.add("/finding/install", title="Zebra installation guide")
    shared_site.add("/finding/install/linux", title="Zebra on Linux")
    shared_site.add("/finding/zebra", title="Zebra")
    shared_site.add("/finding/a", title="The zebra 100%_sure\\")
    shared_site.add("/finding/oeuvre", title="Œuvre d’Été")
    shared_site.add("/finding/draft", title="Zebra draft", state="draft")
    shared_site.add("/finding/draft/below", title="Zebra below a draft")
    shared_site.add("/finding/hidden", title="Zebra hidden")
    shared_site.add("/finding/hidden/below", title="Zebra below what is hidden")
    shared_site.make_private("/finding/hidden")
    return shared_site


@pytest.fixture(scope="module")
def reader(site):
    return site.sign_in("rob", "reader")


@pytest.fixture(scope="module")
def editor(site):
    return site.sign_in("eva", "editor", "/finding")


def titles(client, q, **more):
    return [page["title"] for page in client.get("/@@pages", {"q": q, **more}).json["pages"]]


def test_the_likeliest_come_first(reader):
    assert titles(reader, "zebra") == [
        "Zebra",
        "Zebra on Linux",
        "Zebra installation guide",
        "The zebra 100%_sure\\",
    ]
    assert titles(reader, "ZEBRA guide") == ["Zebra installation guide"]
    assert titles(reader, "zebra", limit="1") == ["Zebra"]


def test_what_is_said_of_a_page(reader, site):
    (page,) = reader.get("/@@pages", {"q": "zebra linux"}).json["pages"]
    with site.tree() as tree:
        number = site.node(tree, "/finding/install/linux").id
    assert page == {
        "id": number,
        "title": "Zebra on Linux",
        "path": "/finding/install/linux",
        "url": "/finding/install/linux",
        "type": "page",
        "type_title": "Page",
        "draft": False,
    }


def test_drafts_and_what_lies_below_them_are_for_those_who_may_see_them(reader, editor):
    assert titles(reader, "zebra draft") == []
    assert titles(editor, "zebra draft") == ["Zebra draft", "Zebra below a draft"]
    assert titles(reader, "hidden") == titles(editor, "hidden") == []


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("install", ["Zebra installation guide"]),
        ("/finding/install", ["Zebra installation guide"]),
        ("/finding/install/", ["Zebra installation guide"]),
        ("install/li", ["Zebra on Linux"]),
        ("elsewhere/li", []),
        ("100%_", ["The zebra 100%_sure\\"]),
        ("sure\\", ["The zebra 100%_sure\\"]),
        ("%%%", []),
        ("œuvre", ["Œuvre d’Été"]),
        ("été", ["Œuvre d’Été"]),
        ("x" * 5000, []),
        ("zebra " * 500, None),
        ("\0", None),
        ("' OR 1=1 --", []),
    ],
)
def test_whatever_is_typed(reader, q, found):
    assert found is None or titles(reader, q) == found


def test_nothing_typed_finds_nothing_and_a_strange_limit_is_none(reader):
    assert titles(reader, "") == titles(reader, "/") == []
    for limit in ("0", "x", "-1", "²", "9" * 30):
        assert titles(reader, "zebra", limit=limit)


def test_only_as_many_statements_as_it_takes(site, reader):
    with site.statements() as seen:
        titles(reader, "zebra")
    assert len(seen) <= 4, seen


def test_it_looks_on_where_what_it_found_was_hidden(site, reader):
    site.add("/finding/draft2", title="Drafts", state="draft")
    for number in range(80):
        site.add(f"/finding/draft2/p{number}", title=f"Yak {number}")
    site.add("/finding/yak", title="Yak, the only one to be seen")
    assert titles(reader, "yak") == ["Yak, the only one to be seen"]


def test_visitors_have_to_sign_in(site):
    assert "/@@sign-in" in site.client.get("/@@pages?q=x", status=302).location


def test_outside_of_the_virtual_root_there_is_nothing(make_site):
    site = make_site(virtual_root_header="true", trusted_proxies="127.0.0.1")
    site.add("/inside")
    site.add("/inside/yak", title="Yak inside")
    site.add("/outside", title="Yak outside")
    client = site.sign_in("rob", "reader")
    environ = {"REMOTE_ADDR": "127.0.0.1"}
    answer = client.get("/@@pages?q=yak", headers={"X-Vhm-Root": "/inside"}, extra_environ=environ)
    (page,) = answer.json["pages"]
    assert (page["title"], page["path"], page["url"]) == ("Yak inside", "/yak", "/yak")
