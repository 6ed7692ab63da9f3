"""Links between nodes: stored by number, shown by address."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from myproject.content.references import (
    Reference,
    backlinks,
    reference_id,
    references_in,
    replace_in_html,
    replace_in_source,
    resolve_references,
    store_references,
    without_strays,
)
from myproject.content.types import Link
from myproject.testing import Site, sqlite_only
from myproject.tree.urls import join_path
from myproject.tree.visibility import PUBLISHED_ONLY
from tests.content.conftest import field_of, id_of


@pytest.mark.parametrize(
    ("html", "ids"),
    [
        ("", set()),
        ('<a href="node:5">x</a>', {5}),
        ('<a href="node:5#f">x</a> <a href="node:6?q">y</a>', {5, 6}),
        ('<a title="a &gt; b" href="node:5">x</a>', {5}),
        ('<a title="a > b" id="i" href="node:5" rel="x">x</a>', {5}),
        ('<code>href="node:5"</code>', set()),
        ('<a title="href=node:5" href="/x">x</a>', set()),
        ('<a href="node:5x">x</a>', set()),
        ('<a href="node:">x</a>', set()),
        ('<a href="node:1234567890123456789">x</a>', set()),
        ('<img src="node:5">', set()),
    ],
)
def test_references_are_found_in_links_only(html: str, ids: set[int]) -> None:
    assert references_in(html) == ids


@pytest.mark.parametrize(
    ("destination", "expected"),
    [("node:5", 5), ("node:5#f", 5), ("node:5?q#f", 5), ("node:5x", None), ("/node:5", None)],
)
def test_a_destination_is_a_reference_or_not(destination: str, expected: int | None) -> None:
    assert reference_id(destination) == expected


def test_references_in_html_are_replaced_where_they_are_links() -> None:
    html = '<a id="i" href="node:5#f">x</a> <code>href="node:5"</code> <a href="node:6">y</a>'
    assert replace_in_html(html, {5: '/a&"b'}.get) == (
        '<a id="i" href="/a&amp;&quot;b#f">x</a> <code>href="node:5"</code> <a href="node:6">y</a>'
    )


def test_references_in_markdown_are_replaced_where_they_are_links() -> None:
    source = "[x](node:5#f) `node:5` [y](node:6)\n\n    node:5\n\n[r]: node:5 't'\n"
    assert replace_in_source(source, {5: "/a"}.get) == (
        "[x](/a#f) `node:5` [y](node:6)\n\n    node:5\n\n[r]: /a 't'\n"
    )


@pytest.mark.parametrize(
    ("source", "html", "expected"),
    [
        ("[x](node:5)", '<a href="node:5">x</a>', '<a href="node:5">x</a>'),
        ("[x](<node:5>)", '<a href="node:5">x</a>', '<a href="node:5">x</a>'),
        ("<node:5>", '<a href="node:5">x</a>', '<a href="node:0">x</a>'),
        ("<a\nhref='node:5#f'>", '<a href="node:5#f">x</a>', '<a href="node:0#f">x</a>'),
    ],
)
def test_only_markdown_links_can_be_references(source: str, html: str, expected: str) -> None:
    assert without_strays(html, source) == expected


def show(site: Site, path: str) -> str:
    with site.database.read_session() as session:
        html = field_of(site, path, "body_html")
        return resolve_references(session, id_of(site, path), html, PUBLISHED_ONLY, join_path)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/b", '<a href="/b#f" title="t">x</a>'),
        ("/b/c d", '<a href="/b/c%20d#f" title="t">x</a>'),
        ("/draft", '<a class="broken-link" title="t">x</a>'),
        ("/draft/below", '<a class="broken-link" title="t">x</a>'),
        ("/gone", '<a class="broken-link" title="t">x</a>'),
    ],
)
def test_a_page_shows_where_its_references_lead_now(site: Site, target: str, expected: str) -> None:
    for path in ("/b", "/b/c d", "/gone"):
        site.add(path)
    site.add("/draft", state="draft")
    site.add("/draft/below")
    site.add("/a", f'[x](node:{id_of(site, target)}#f "t")')
    with site.tree() as tree:
        tree.purge(site.node(tree, "/gone"))
    assert expected in show(site, "/a")
    assert expected in site.client.get("/a").text


def test_links_survive_renames_and_moves(site: Site) -> None:
    b = site.add("/b")
    site.add("/c")
    site.add("/a", f"[x](node:{b})")
    with site.tree() as tree:
        tree.move(site.node(tree, "/b"), site.node(tree, "/c"), "new")
    assert 'href="/c/new"' in show(site, "/a")


@pytest.mark.parametrize("source", ['<a title="t" href="node:{}">x</a>', "<node:{}>"])
@sqlite_only
def test_references_that_are_no_markdown_links_lead_nowhere(site: Site, source: str) -> None:
    site.add("/a", source.format(site.add("/b")))
    shown = show(site, "/a")
    assert "href" not in shown
    assert 'class="broken-link"' in shown


@sqlite_only
def test_text_about_references_is_text(site: Site) -> None:
    b = site.add("/b")
    site.add("/a", f'Write `href="node:{b}"`, or [b](node:{b}).')
    assert (
        show(site, "/a") == f'<p>Write <code>href="node:{b}"</code>, or <a href="/b">b</a>.</p>\n'
    )


@sqlite_only
def test_a_page_without_references_asks_nothing(site: Site, count_statements: Any) -> None:
    with site.database.read_session() as session, count_statements(site.database) as seen:
        assert resolve_references(session, 1, "<p>x</p>", PUBLISHED_ONLY, join_path) == "<p>x</p>"
    assert seen == []


def stored(site: Site, source: str, *targets: int) -> list[int]:
    with site.tree() as tree:
        store_references(tree.session, site.node(tree, source), set(targets))
    with site.tree() as tree:
        query = select(Reference.target_id).where(Reference.source_id == id_of(site, source))
        return sorted(tree.session.scalars(query))


def test_stored_references_become_exactly_those_given(site: Site) -> None:
    a, b, c = (site.add(f"/{name}") for name in "abc")
    assert stored(site, "/a", b, c) == [b, c]
    assert stored(site, "/a", a, c) == [a, c]
    # What is gone, or not there yet, is kept: it is a broken link that somebody may look for.
    assert stored(site, "/a", a, c, 999) == [a, c, 999]
    assert stored(site, "/a", 999) == [999]
    assert stored(site, "/a") == []


def test_backlinks_name_what_points_to_a_node(site: Site) -> None:
    b = site.add("/b")
    a = site.add("/a", f"[x](node:{b})")
    link = site.add("/link", cls=Link, target_id=b)
    with site.tree() as tree:
        assert backlinks(tree.session, b) == [a, link]
        assert backlinks(tree.session, a) == []
        tree.purge(site.node(tree, "/a"))
        assert backlinks(tree.session, b) == [link]
