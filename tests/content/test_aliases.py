"""Aliases in files become redirects, and redirects aliases in files."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from myproject.content.aliases import place_of, remove
from myproject.testing import Site
from myproject.tree.node import ROOT_ID, Node
from myproject.tree.redirects import Redirect, add, address_of, addresses_of
from myproject.tree.urls import join_path, paths_of
from myproject.tree.visibility import EVERYTHING
from tests.content.conftest import export_files, import_files, write_files
from tests.content.transfer.test_exporter import assert_round_trip


def page(aliases: str) -> str:
    return f"---\ntitle: T\ndate: 2026-05-01\nlastmod: 2026-05-01\naliases: {aliases}\n---\n"


def leading(site: Site) -> dict[str, tuple[str, str]]:
    """Return old address -> (where it leads, origin)."""
    with site.database.read_session() as session:
        rows = session.scalars(select(Redirect)).all()
        addresses = addresses_of(session, rows, EVERYTHING)
        paths = paths_of(session, {row.target_id or 0 for row in rows}, EVERYTHING)
        return {
            join_path(addresses[row.id] or ()): (
                row.url or join_path(paths[row.target_id or 0]),
                row.origin,
            )
            for row in rows
        }


@pytest.fixture
def load(site: Site, tmp_path: Any) -> Any:
    count = iter(range(100))

    def load(files: dict[str, str], at: str = "", **options: Any) -> Any:
        return import_files(site, write_files(tmp_path / f"in{next(count)}", files), at, **options)

    return load


@pytest.mark.parametrize(
    ("alias", "at", "address"),
    [
        ("/old/page/", "", "/old/page"),
        ("/old/page.html", "", "/old/page.html"),
        ("/old", "docs", "/docs/old"),
        ("old", "", "/a/old"),
        ("old", "docs", "/docs/a/old"),
        ("../old/x/", "", "/old/x"),
        ("/../old", "docs", "/old"),
        ("/caf%C3%A9", "", "/caf%C3%A9"),
        ("/../old", "", None),
        ("https://example.org/", "", None),
        ("//example.org/x", "", None),
        ("/old#part", "", None),
        ("/old?x", "", None),
        ("", "", None),
        ("/", "", "/"),
    ],
)
def test_an_alias_is_read_as_hugo_reads_it(alias, at, address):
    found = place_of(alias, ("a", "b"), tuple(filter(None, at.split("/"))))
    assert (None if found is None else join_path(found)) == address


def test_aliases_become_redirects_once(site: Site, load: Any) -> None:
    files = {"a/b.md": page("[/old/page/, gone, /a/b]"), "c.md": page("/old"), "d.md": page("~")}
    report = load(files)
    expected = {
        "/old/page": ("/a/b", "alias"),
        "/a/gone": ("/a/b", "alias"),
        "/old": ("/c", "alias"),
    }
    assert leading(site) == expected
    assert (report.aliases.made, report.aliases.removed) == (3, 0)
    assert site.client.get("/old/page").location == "http://localhost/a/b"
    again = load(files)
    assert (again.aliases.made, again.aliases.removed) == (0, 0)
    assert (again.updated, leading(site)) == ([], expected)
    changed = load({"a/b.md": page("[/old/page/, /new]")})
    assert (changed.aliases.made, changed.aliases.removed) == (1, 1)
    assert set(leading(site)) == {"/old/page", "/new", "/old"}


def test_those_that_cannot_be_are_reported_and_nothing_else_is_lost(
    site: Site, load: Any, tmp_path: Any
) -> None:
    with site.tree() as tree:
        add(tree.session, address_of(tree.session, ("mine",)), target_id=ROOT_ID)
    bad = "[/b, 'https://x.org/', /, /x#y, /good, 7, /mine, '/a//@@edit']"
    report = load({"a.md": page(bad), "b.md": page("/good")})
    assert report.aliases.shadowed == [("a.md", "/b")]
    assert [(file, alias) for file, alias, _ in report.aliases.refused] == [
        ("a.md", "https://x.org/"),
        ("a.md", "/"),
        ("a.md", "/x#y"),
        ("a.md", "/a//@@edit"),
        ("b.md", "/good"),
        ("a.md", "/mine"),
    ]
    assert leading(site) == {
        "/good": ("/a", "alias"),
        "/b": ("/a", "alias"),
        "/mine": ("/", "manual"),
    }
    written = export_files(site, tmp_path / "out")
    assert b"- https://x.org/" in written["a.md"]


def test_every_address_goes_into_files_and_comes_back(
    site: Site, new_site: Any, load: Any, tmp_path: Any
) -> None:
    load({"a/b.md": page("[old, /x]"), "c.md": page("/y"), "e/f.md": ""}, at="docs")
    with site.tree() as tree:
        tree.move(site.node(tree, "/docs/a/b"), site.node(tree, "/docs"))
        tree.rename(site.node(tree, "/docs/e"), "g")
        tree.move(site.node(tree, "/docs/g/f"), site.node(tree, "/docs/g"), "h")
        add(tree.session, address_of(tree.session, ("by", "hand")), target_id=ROOT_ID)
        node = site.node(tree, "/docs/c").id
        add(tree.session, address_of(tree.session, ("up", "there")), target_id=node)
    written = assert_round_trip(site, new_site(), tmp_path, "docs")
    # Where it was written from is not where it is; so it is written as it is meant.
    assert b"aliases:\n  - /x\n  - /a/b\n  - /a/old\n" in written["b.md"]
    assert b"aliases:\n  - /y\n  - /../up/there\n" in written["c.md"]
    # A folder that needed no file has something to say now.
    assert b"aliases:\n  - /e\n" in written["g/_index.md"]
    whole = assert_round_trip(site, new_site(), tmp_path / "whole")
    assert b"aliases:\n  - /docs/a/b\n  - /docs/a/old\n  - /docs/x\n" in whole["docs/b.md"]
    assert b"- /by/hand" in whole["_index.md"]


def test_what_is_deleted_by_hand_is_not_exported_again(
    site: Site, load: Any, tmp_path: Any
) -> None:
    load({"a.md": page("[/one, two, /three]"), "b.md": page("/only")})
    with site.tree() as tree:
        for row in tree.session.scalars(select(Redirect)).all():
            if row.name in ("one", "two", "only"):
                remove(tree.session, row)
    written = export_files(site, tmp_path / "out")
    assert b"aliases:\n  - /three\n" in written["a.md"]
    assert b"aliases" not in written["b.md"]
    with site.tree() as tree:
        assert "aliases" not in site.node(tree, "/b").extra
        assert tree.session.get_one(Node, ROOT_ID).extra == {}


def test_a_place_that_another_page_has_taken_is_no_alias_of_the_one_that_left(
    site: Site, tmp_path: Any
) -> None:
    site.add("/a")
    with site.tree() as tree:
        tree.rename(site.node(tree, "/a"), "b")
    site.add("/a")
    assert b"aliases" not in export_files(site, tmp_path / "out")["b.md"]
