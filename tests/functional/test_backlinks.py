"""What links here, and what leads nowhere."""

from __future__ import annotations

import datetime as dt

import pytest

from myproject.content.types import Link
from myproject.db.base import utcnow
from myproject.tree.node import DRAFT


@pytest.fixture
def linked(site):
    """``/a`` links to pages of every fate."""
    ids = {
        name: site.add(f"/{name}", title=name.title()) for name in ("ok", "bin", "away", "draft")
    }
    site.add("/section", title="Section")
    ids["below"] = site.add("/section/below", title="Below")
    ids["secret"] = site.add("/secret", title="Secret")
    ids["moved"] = site.add("/moved", title="Moved")
    body = " ".join(f"[x](node:{number})" for number in ids.values())
    site.add("/a", f"{body} [y](lost:77) [z](node:987654)", title="Page A")
    site.add("/b", f"[x](node:{ids['ok']})", title="Page B", state=DRAFT)
    site.add("/c", cls=Link, target_id=ids["away"], title="Link C")
    site.make_private("/secret")
    with site.tree() as tree:
        tree.trash(site.node(tree, "/bin"))
        tree.purge(site.node(tree, "/away"))
        tree.set_state(site.node(tree, "/draft"), DRAFT)
        tree.trash(site.node(tree, "/section"))
        tree.rename(site.node(tree, "/moved"), "elsewhere")
    return ids


def reasons(page):
    """Return (page, where to, why) of each broken link."""
    found = []
    for row in page.html.select("table.broken tbody tr"):
        cells = row.find_all("td")
        found.append((row.th.a.text, cells[0].text, cells[1].span.text))
    return found


def test_links_that_lead_nowhere_are_listed_by_why(site, linked):
    editor = site.sign_in("ann", "editor")
    found = reasons(editor.get("/@@broken-links"))
    assert ("Page A", "an unknown page", "Gone") in found
    assert ("Page A", "page number 987654", "Gone") in found
    assert ("Page A", f"page number {linked['away']}", "Gone") in found
    assert ("Link C", f"page number {linked['away']}", "Gone") in found
    assert ("Page A", "Bin", "In the trash") in found
    assert ("Page A", "Below", "In the trash") in found
    assert ("Page A", "Draft", "Draft") in found
    assert ("Page A", "a page that you cannot see", "Private") in found
    assert len(found) == 8
    only = reasons(editor.get("/@@broken-links?kind=draft"))
    assert only == [("Page A", "Draft", "Draft")]
    assert len(reasons(editor.get("/@@broken-links?kind=nonsense&after=x"))) == 8
    with site.tree() as tree:
        tree.set_state(site.node(tree, "/draft"), "published")
        tree.trash(site.node(tree, "/c"))
    assert len(reasons(editor.get("/@@broken-links"))) == 6


def test_only_pages_that_one_may_edit_and_see_are_listed(site, linked):
    site.add("/secret/page", "[x](lost:1)", title="Hidden page")
    editor = site.sign_in("ann", "editor")
    assert "Hidden page" not in editor.get("/@@broken-links")
    assert "Hidden page" in site.sign_in("root", "administrator").get("/@@broken-links")
    assert site.sign_in("bob", "reader").get("/@@broken-links", status=403)


def test_the_list_has_pages_and_takes_few_statements(site, links):
    for number in range(60):
        site.add(f"/p{number:02}", f"[x](node:{9000 + number}) [y](lost:1)", title=f"P{number:02}")
    editor = site.sign_in("ann", "editor")
    url, found = "/@@broken-links", []
    while url:
        page = editor.get(url)
        found += reasons(page)
        url = next((href for href, text in links(page).items() if text == "More"), None)
    assert len(found) == len(set(found)) == 120
    with site.statements() as seen:
        editor.get("/@@broken-links")
    assert len(seen) <= 4, "\n\n".join(seen)


def test_a_page_says_what_links_to_it(site, linked):
    editor = site.sign_in("ann", "editor")
    page = editor.get("/ok/@@backlinks")
    assert [a.text for a in page.html.select(".linking a")] == ["Page A", "Page B"]
    assert "Draft" in page.html.select_one(".linking").text
    page = editor.get("/a/@@backlinks")
    assert "No page that you can see links here." in page
    assert len(page.html.select("table.broken tbody tr")) == 7
    assert "2 pages link here" in editor.get("/ok/@@backlinks?count")
    assert "1 page links here" in editor.get("/elsewhere/@@backlinks?count")
    assert "No page links here" in editor.get("/a/@@backlinks?count")
    assert site.client.get("/ok/@@backlinks", status=302)
    assert site.sign_in("bob", "reader").get("/ok/@@backlinks", status=403)


def test_what_one_may_not_see_links_to_nothing(site, linked):
    site.add("/secret/page", f"[x](node:{linked['ok']})", title="Hidden page")
    with site.tree() as tree:
        tree.trash(site.node(tree, "/b"))
    editor = site.sign_in("ann", "editor")
    assert [a.text for a in editor.get("/ok/@@backlinks").html.select(".linking a")] == ["Page A"]
    admin = site.sign_in("root", "administrator")
    assert "Hidden page" in admin.get("/ok/@@backlinks")


def test_many_backlinks_have_pages(site, links):
    target = site.add("/target")
    for number in range(120):
        site.add(f"/p{number:03}", f"[x](node:{target})", title=f"P{number:03}")
    editor = site.sign_in("ann", "editor")
    url, found = "/target/@@backlinks", []
    while url:
        page = editor.get(url)
        found += [a.text for a in page.html.select(".linking a")]
        url = next((href for href, text in links(page).items() if text == "More pages"), None)
    assert found == [f"P{number:03}" for number in range(120)]
    assert "More than 100 pages link here" in editor.get("/target/@@backlinks?count")
    with site.statements() as seen:
        editor.get("/target/@@backlinks")
    assert len(seen) <= 6, "\n\n".join(seen)


def test_a_link_stays_broken_when_its_page_is_saved_again(site, linked):
    with site.tree() as tree:
        node = site.node(tree, "/a")
        node.derive(site.renderer)
        assert linked["away"] in node.referenced_ids()
        assert 0 in node.referenced_ids()
    assert 'class="broken-link"' in site.client.get("/a")


def test_what_has_disappeared_on_time_is_no_place_to_lead_to(site):
    target = site.add("/target", title="Target", expire_at=utcnow() - dt.timedelta(days=1))
    site.add("/a", f"[x](node:{target})", title="A")
    editor = site.sign_in("ann", "editor")
    assert reasons(editor.get("/@@broken-links")) == [("A", "Target", "Draft")]
