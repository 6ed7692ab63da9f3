"""The screen that lists redirects, makes them by hand, and changes them."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from myproject.content.types import Folder
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.redirects import Redirect, add, address_of


@pytest.fixture
def editor(site):
    site.add("/docs", title="Documents")
    site.add("/docs/install", title="Install")
    site.add("/blog", title="Blog")
    return site.sign_in("ann", "editor")


def listed(page):
    """Return (old address, where it leads) of each row."""
    return [
        (row.th.code.text, row.find_all("td")[0].a["href"])
        for row in page.html.select("table.redirects tbody tr")
    ]


def make(client, address, target, **options):
    form = form_with(client.get("/@@redirects/new"), "address")
    form["address"], form["target"] = address, target
    return form.submit(**options)


def form_with(page, field):
    return next(form for form in page.forms.values() if field in form.fields)


def error_of(page, field):
    found = page.html.find(id=f"site-{field}-text")
    return found.text if found and "invalid-feedback" in found["class"] else None


def test_by_hand_an_address_leads_elsewhere_until_it_is_deleted(site, editor):
    page = make(editor, "/old/page", "/docs/install")
    assert page.status_int == 303
    page = page.follow()
    assert "/old/page leads elsewhere now." in page
    assert listed(page) == [("/old/page", "/docs/install")]
    assert "By hand" in page
    assert "ann" in page
    assert site.client.get("/old/page").location == "http://localhost/docs/install"
    # Followed a moment ago, and counted already.
    page = editor.get("/@@redirects")
    assert page.html.select_one("table.redirects tbody tr").find_all("td")[2].b.text == "1"

    page = page.click("Change", href=r"/@@redirects/\d+")
    form = form_with(page, "target")
    assert form["target"].value == "/docs/install"
    form["target"] = "https://example.org/"
    page = form.submit().follow()
    assert listed(page) == [("/old/page", "https://example.org/")]
    assert site.client.get("/old/page").location == "https://example.org/"

    page = page.click("Change", href=r"/@@redirects/\d+")
    form = next(form for form in page.forms.values() if form.action.endswith("/delete"))
    page = form.submit().follow()
    assert "/old/page no longer leads anywhere." in page
    assert "There are no redirects yet." in page
    assert site.client.get("/old/page", status=404)


@pytest.mark.parametrize(
    ("address", "target", "field", "reason"),
    [
        ("old", "/docs", "address", "such as /old/page"),
        ("//host/x", "/docs", "address", "such as /old/page"),
        ("https://example.org/x", "/docs", "address", "such as /old/page"),
        ("/old?x=1", "/docs", "address", "Leave out"),
        ("/", "/docs", "address", "start page"),
        ("/@@edit", "/docs", "address", "@@"),
        ("/a/../b", "/docs", "address", "browsers take"),
        ("/a\x01b", "/docs", "address", "invisible character"),
        ("/" + "x" * 300, "/docs", "address", "longer than 240"),
        ("/docs", "/docs", "target", "itself"),
        ("/old", "", "target", "https://"),
        ("/old", "/nowhere", "target", "no page at /nowhere"),
        ("/old", "javascript:alert(1)", "target", "https://"),
        ("/old", "//example.org/", "target", "https://"),
        ("/old", "https://example.org/" + "x" * 2000, "target", "https://"),
        ("/taken", "/blog", "address", "already"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(site, editor, address, target, field, reason):
    with site.tree() as tree:
        add(tree.session, address_of(tree.session, ("taken",)), target_id=ROOT_ID)
    page = make(editor, address, target, status=422)
    assert reason in error_of(page, field)
    assert form_with(page, "target")["target"].value == target[:2001]
    with site.database.read_session() as session:
        assert len(session.scalars(select(Redirect)).all()) == 1


def test_the_address_of_a_page_is_taken_with_a_warning(site, editor):
    page = make(editor, "http://localhost/docs/", "/blog").follow()
    assert "rests until that page is gone" in page
    assert "a page has this address" in page
    assert site.client.get("/docs").status_int == 200
    assert site.client.get("/docs/2024", status=404)
    site.add("/blog/2024")
    assert site.client.get("/docs/2024").location == "http://localhost/blog/2024"


def test_a_pasted_address_is_understood_and_found(site, editor):
    make(editor, "http://localhost/old%20page/b", "http://localhost/docs?x")
    page = editor.get("/@@redirects", {"q": "http://localhost/old%20page/b?y"})
    assert listed(page) == [("/old%20page/b", "/docs")]
    assert listed(editor.get("/@@redirects?q=documents")) == [("/old%20page/b", "/docs")]
    assert "There is no such redirect." in editor.get("/@@redirects?q=nothing")
    assert "There is no such redirect." in editor.get("/@@redirects?origin=moved")
    assert listed(editor.get("/@@redirects?origin=nonsense&after=nonsense"))
    assert listed(editor.get("/@@redirects?after=99999999999999999999.1"))


def test_what_is_moved_to_the_trash_is_said_to_be_there(site, editor):
    with site.tree() as tree:
        tree.rename(site.node(tree, "/docs"), "manual")
        tree.trash(site.node(tree, "/manual"))
    page = editor.get("/@@redirects")
    row = page.html.select_one("table.redirects tbody tr")
    assert "in the trash" in row.text
    assert "Documents" in row.text


def test_only_what_one_may_move_is_listed_and_changed(site, editor):
    secret = site.add("/secret", title="Secret")
    site.add("/secret/old")
    site.make_private("/secret")
    with site.tree() as tree:
        add(tree.session, address_of(tree.session, ("a",)), target_id=secret)
        number = add(tree.session, address_of(tree.session, ("secret", "b")), target_id=ROOT_ID)
        add(tree.session, address_of(tree.session, ("c",)), target_id=ROOT_ID)
    assert listed(editor.get("/@@redirects")) == [("/c", "/")]
    assert editor.get(f"/@@redirects/{number}", status=404)
    page = make(editor, "/x", "/secret", status=422)
    assert error_of(page, "target") == "There is no page at /secret."
    page = make(editor, "/secret/x", "/docs", status=422)
    assert "may not move pages at this address" in error_of(page, "address")
    admin = site.sign_in("root", "administrator")
    assert len(listed(admin.get("/@@redirects"))) == 3
    author = site.sign_in("bob", "author")
    assert author.get("/@@redirects", status=403)
    assert "/@@redirects" not in author.get("/")
    assert re.search(r'href="/@@redirects"', editor.get("/@@redirects").text)


def test_the_list_has_pages_and_takes_few_statements(site, editor, links):
    with site.tree() as tree:
        root = tree.session.get_one(Node, ROOT_ID)
        for number in range(120):
            node = tree.add(root, Folder(title=f"N{number}"), f"old-{number:03}")
            tree.rename(node, f"new-{number:03}")
    url, found = "/@@redirects", []
    while url:
        page = editor.get(url)
        found += [old for old, _ in listed(page)]
        url = next((href for href, text in links(page).items() if text == "Older"), None)
    assert found == [f"/old-{number:03}" for number in range(119, -1, -1)]
    with site.statements() as seen:
        editor.get("/@@redirects")
    assert len(seen) <= 6, "\n\n".join(seen)


def test_whoever_meets_an_address_without_a_page_can_have_it_lead_to_one(site, editor):
    text = "Have this address lead to a page"
    page = editor.get("/no%20such/p%C3%A4ge", status=404).click(text)
    form = form_with(page, "address")
    assert form["address"].value == "/no such/päge"
    form["target"] = "/docs"
    form.submit()
    assert site.client.get("/no%20such/p%C3%A4ge").location == "http://localhost/docs"
    assert text not in site.client.get("/nothing", status=404)
    assert text not in site.sign_in("bob", "author").get("/nothing", status=404)
    assert text not in editor.get("/docs/@@nothing", status=404)
