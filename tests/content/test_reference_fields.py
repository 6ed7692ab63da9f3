"""Columns whose values are other pages: kept, checked, copied, exported and imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from myproject.content.check import broken_links, check_content
from myproject.content.columns import reference_fields
from myproject.content.known import record_types
from myproject.content.operations import save
from myproject.content.references import backlinks
from myproject.content.registry import ContentType
from myproject.content.types import Folder, Link
from myproject.exceptions import InvalidValue
from myproject.interfaces import IContentTypes
from myproject.testing import Site, sqlite_only
from myproject.tree.node import Node
from myproject.tree.visibility import PUBLISHED_ONLY
from tests.content.conftest import export_files, field_of, id_of, import_files
from tests.content.sample import Sample, create_tables

HEAD = "---\ntitle: T\ncontentType: sample\nsku: A\n"


@pytest.fixture
def shop(site: Site) -> Site:
    create_tables(site.database)
    site.registry.getUtility(IContentTypes).add(ContentType("sample", Sample, "Sample"))
    return site


def add(shop: Site, path: str, **values: Any) -> int:
    return shop.add(path, cls=Sample, **{"title": "T", "sku": "A", **values})


def test_they_are_fields_of_their_own_kind() -> None:
    (field,) = reference_fields(Sample)
    assert (field.name, field.kind, field.type, field.key) == (
        *("related_id", "reference", int, "related"),
    )
    assert [each.name for each in reference_fields(Link)] == ["target_id"]


def test_backlinks_know_them_and_revisions_keep_them(shop: Site) -> None:
    docs = shop.add("/docs")
    node_id = add(shop, "/a", related_id=docs)
    with shop.database.read_session() as session:
        assert backlinks(session, docs) == [node_id]
        assert list(check_content(session, shop.registry.getUtility(IContentTypes))) == []


def test_a_page_that_is_not_there_or_in_the_trash_is_refused(shop: Site) -> None:
    docs, below = shop.add("/docs"), shop.add("/docs/below")
    add(shop, "/a", related_id=docs)
    with shop.tree() as tree:
        tree.trash(shop.node(tree, "/docs"))
    with shop.tree() as tree:
        node: Any = shop.node(tree, "/a")
        for number in (999_999, below):
            with pytest.raises(InvalidValue, match="There is no such page") as caught:
                save(tree, node, {"related_id": number}, shop.renderer)
            assert caught.value.field == "related_id"
        # What it held before it may go on to hold.
        assert save(tree, node, {"sku": "B"}, shop.renderer) == {"sku"}
    with pytest.raises(InvalidValue, match="There is no such page"):
        add(shop, "/b", related_id=docs)
    with pytest.raises(InvalidValue, match="There is no such page"):
        shop.add("/c", cls=Link, title="C", target_id=999_999)


@pytest.mark.parametrize("off", [False, True])
def test_copies_refer_to_each_other_where_their_originals_did(shop: Site, off: bool) -> None:
    outside = shop.add("/outside")
    shop.add("/section", cls=Folder)
    inside = shop.add("/section/inside")
    add(shop, "/section/a", related_id=inside)
    add(shop, "/section/b", related_id=outside)
    shop.add("/section/link", cls=Link, title="L", target_id=inside)
    types = shop.registry.getUtility(IContentTypes)
    with shop.database.transaction() as session:
        record_types(session, types)
    kept = types._types.pop("sample") if off else None
    with shop.tree() as tree:
        tree.copy(shop.node(tree, "/section"), shop.node(tree, "/"), "copy")
    if kept:
        types.add(kept)
    copied = id_of(shop, "/copy/inside")
    assert field_of(shop, "/copy/a", "related_id") == copied
    assert field_of(shop, "/copy/b", "related_id") == outside
    assert field_of(shop, "/copy/link", "target_id") == copied
    assert field_of(shop, "/section/a", "related_id") == inside
    with shop.database.read_session() as session:
        assert len(backlinks(session, copied)) == 2
        assert list(check_content(session, types)) == []


def test_files_say_where_they_lead(
    new_site: Callable[[], Site], shop: Site, tmp_path: Path
) -> None:
    shop.add("/guide")
    docs = shop.add("/guide/docs")
    add(shop, "/guide/a", related_id=docs)
    add(shop, "/guide/none")
    first = export_files(shop, tmp_path / "first")
    assert "related: docs.md\n" in first["guide/a.md"].decode()
    assert "related" not in first["guide/none.md"].decode()
    # One that lies elsewhere leads out of the directory.
    elsewhere = shop.add("/elsewhere")
    with shop.tree() as tree:
        save(tree, shop.node(tree, "/guide/a"), {"related_id": elsewhere}, shop.renderer)
    part = export_files(shop, tmp_path / "part", at="guide")
    assert "related: /../elsewhere\n" in part["a.md"].decode()

    other = new_site()
    create_tables(other.database)
    other.registry.getUtility(IContentTypes).add(ContentType("sample", Sample, "Sample"))
    import_files(other, tmp_path / "first")
    assert field_of(other, "/guide/a", "related_id") == id_of(other, "/guide/docs")
    assert export_files(other, tmp_path / "second") == first
    assert import_files(other, tmp_path / "first").updated == []


def test_what_leads_nowhere_is_kept_and_told(
    shop: Site, files: Callable[..., Path], tmp_path: Path
) -> None:
    wanted = {
        "broken.md": HEAD + "related: nowhere.md\n---\n",
        "lost.md": HEAD + "related: lost:7\n---\n",
        "foreign.md": HEAD + "related: node:1\n---\n",
        "link.md": "---\ntitle: L\ncontentType: link\nurl: lost:8\n---\n",
    }
    report = import_files(shop, files(wanted))
    assert report.broken_links == [("broken.md", "nowhere.md")]
    for name in ("broken", "lost", "foreign"):
        assert field_of(shop, f"/{name}", "related_id") is None
    written = export_files(shop, tmp_path / "out")
    for name, said in {
        "broken": "related: nowhere.md",
        "lost": "related: lost:7",
        "foreign": "related: lost:1",
        "link": "url: lost:8",
    }.items():
        assert f"{said}\n" in written[f"{name}.md"].decode()
    # A page that is chosen takes its place.
    docs = shop.add("/docs")
    with shop.tree() as tree:
        save(tree, shop.node(tree, "/lost"), {"related_id": docs}, shop.renderer)
    assert "related: docs.md\n" in export_files(shop, tmp_path / "again")["lost.md"].decode()


@sqlite_only
def test_a_file_with_something_else_is_refused(shop: Site, files: Callable[..., Path]) -> None:
    found = import_files(shop, files({"a.md": HEAD + "related: 5\n---\n"}), skip_errors=True)
    assert "must be a link to a page" in str(found.problems[0])


@sqlite_only
def test_the_trash_is_led_to_by_nothing(shop: Site, tmp_path: Path) -> None:
    docs = shop.add("/docs")
    add(shop, "/a", related_id=docs)
    types = shop.registry.getUtility(IContentTypes)
    with shop.database.read_session() as session:
        assert broken_links(session, types, PUBLISHED_ONLY) == []
    with shop.tree() as tree:
        tree.trash(shop.node(tree, "/docs"))
    assert f"related: lost:{docs}\n" in export_files(shop, tmp_path / "out")["a.md"].decode()
    with shop.database.read_session() as session:
        (broken,) = broken_links(session, types, PUBLISHED_ONLY)
        assert broken.page == "/a"


def test_a_page_that_goes_for_good_leaves_none(shop: Site) -> None:
    docs = shop.add("/docs")
    add(shop, "/a", related_id=docs)
    with shop.tree() as tree:
        tree.purge(shop.node(tree, "/docs"))
    assert field_of(shop, "/a", "related_id") is None
    with shop.tree() as tree:
        assert tree.session.scalar(select(Node.id).where(Node.name == "a"))
