"""Every finding of the content check has something that makes it appear."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from myproject.content.check import BrokenLink, absent_types, broken_links, check_content
from myproject.content.types import Folder, Link
from myproject.interfaces import IContentTypes
from myproject.testing import Site, sqlite_only
from myproject.tree.visibility import PUBLISHED_ONLY

GONE = "the page it led to is gone"
MISSING = "there is no such page"
HIDDEN = "readers cannot see that page"


def findings(site: Site) -> list[str]:
    with site.database.read_session() as session:
        types = site.registry.getUtility(IContentTypes)
        return [*absent_types(session, types), *check_content(session, types)]


def broken(site: Site) -> list[tuple[str, str, str]]:
    with site.database.read_session() as session:
        types = site.registry.getUtility(IContentTypes)
        return [tuple(link) for link in broken_links(session, types, PUBLISHED_ONLY, {"api"})]


def execute(site: Site, statement: str) -> None:
    with site.database.writer.begin() as connection:
        connection.execute(text(statement))


def test_a_sound_site_has_no_findings(site: Site) -> None:
    b = site.add("/b")
    site.add("/a", f"[b](node:{b}) [b](/b)")
    site.add("/link", cls=Link, target_id=b)
    assert (findings(site), broken(site)) == ([], [])


def test_types_without_an_add_on_are_counted(site: Site) -> None:
    for name in ("a", "b"):
        execute(
            site, f"UPDATE node SET type = 'product' WHERE id = {site.add(f'/{name}', cls=Folder)}"
        )
    assert findings(site) == ["2 nodes have the type 'product', whose add-on is not switched on."]


@pytest.mark.parametrize("path", ["/a", "/link"])
def test_stale_references_are_found(site: Site, path: str) -> None:
    b = site.add("/b")
    site.add("/a", f"[b](node:{b})")
    site.add("/link", cls=Link, target_id=b)
    execute(
        site,
        f"DELETE FROM reference WHERE source_id IN (SELECT id FROM node WHERE name = '{path[1:]}')",
    )
    assert findings(site) == [
        f"{path}: its stored references are not those of its text; save it again."
    ]


def test_a_node_that_cannot_be_reached_is_named_by_its_number(site: Site) -> None:
    b = site.add("/b")
    x = site.add("/x", f"[b](node:{b})")
    y = site.add("/x/y")
    execute(site, f"DELETE FROM reference WHERE source_id = {x}")
    execute(site, f"UPDATE node SET parent_id = {y} WHERE id = {x}")
    assert findings(site) == [
        f"Node {x}: its stored references are not those of its text; save it again."
    ]
    assert broken(site) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[x](node:999)", [("node:999", GONE)]),
        ("[x](lost:5#f)", [("lost:5#f", GONE)]),
        ("<node:1>", [("node:0", GONE)]),
        ("[x](node:{draft})", [("/draft", HIDDEN)]),
        ("[x](node:{below})", [("/draft/below", HIDDEN)]),
        ("[x](node:{product})", [("/product", HIDDEN)]),
        ("[x](/draft)", [("/draft", HIDDEN)]),
        ("[x](/nowhere?q#f)", [("/nowhere?q#f", MISSING)]),
        ("[x](nowhere.md) [x](nowhere.md)", [("nowhere.md", MISSING)] * 2),
        ('<a title="t" href="/nowhere">x</a>', [("/nowhere", MISSING)]),
        ("[x](/a%20b)", [("/a%20b", MISSING)]),
        ("[x](/%00)", [("/%00", MISSING)]),
        (
            "[x](/a/@@source) [x](/@@anything) [x](/api/v1) [x](/nowhere/@@v)",
            [("/nowhere/@@v", MISSING)],
        ),
        ("[x](a) [x](./a/) [x](../../a) [x](/e%CC%81) [x](/) [x](..)", []),
        ("[x](#here) [x](?q) [x](https://x.org) [x](//x.org) `[x](/nowhere)` ![x](/no.png)", []),
    ],
)
@sqlite_only
def test_links_that_readers_cannot_follow_are_found(
    site: Site, body: str, expected: list[tuple[str, str]]
) -> None:
    ids = {
        "draft": site.add("/draft", state="draft"),
        "below": site.add("/draft/below"),
        "product": site.add("/product", cls=Folder),
    }
    execute(site, f"UPDATE node SET type = 'product' WHERE id = {ids['product']}")
    site.add("/é")
    site.add("/a", body.format(**ids))
    assert broken(site) == [("/a", *link) for link in expected]


@sqlite_only
def test_a_draft_may_lead_to_drafts_but_not_to_nothing(site: Site) -> None:
    draft = site.add("/draft", state="draft")
    site.add("/a", f"[x](node:{draft}) [y](/nowhere)", state="draft")
    assert broken(site) == [("/a", "/nowhere", MISSING)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"url": ""}, [("", "it has no target")]),
        ({"url": "", "extra": {"url": "gone.md"}}, [("gone.md", MISSING)]),
        ({"url": "/nowhere"}, [("/nowhere", MISSING)]),
        ({"url": "/"}, []),
        ({"url": "https://example.org"}, []),
    ],
)
@sqlite_only
def test_links_without_a_target_are_found(
    site: Site, fields: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    site.add("/link", cls=Link, **fields)
    assert broken(site) == [("/link", *link) for link in expected]


@sqlite_only
def test_a_link_to_a_draft_is_found(site: Site) -> None:
    site.add("/link", cls=Link, target_id=site.add("/draft", state="draft"))
    assert broken(site) == [BrokenLink("/link", "/draft", HIDDEN)]


def test_findings_are_in_the_order_of_their_addresses(site: Site) -> None:
    for path in ("/b", "/a", "/b/c", "/a/z"):
        site.add(path, "[x](/nowhere)")
    assert [page for page, _, _ in broken(site)] == ["/a", "/a/z", "/b", "/b/c"]
