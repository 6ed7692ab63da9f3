"""Exporting: the same tree gives the same bytes, whatever it is called and whatever links where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myproject.content.registry import ContentTypes
from myproject.content.transfer import exporter
from myproject.content.transfer.exporter import CannotExport, export_directory
from myproject.content.types import Folder, Link
from myproject.testing import Site, sqlite_only
from tests.content.conftest import (
    export_files,
    field_of,
    id_of,
    import_files,
    outline,
    read_files,
)
from tests.content.transfer.test_importer import counts

NewSite = Callable[[], Site]
DAY = {
    "created_at": dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
    "modified_at": dt.datetime(2026, 5, 2, tzinfo=dt.UTC),
}


def body_of(text: bytes) -> str:
    return text.decode().partition("\n---\n\n")[2]


def assert_round_trip(site: Site, other: Site, tmp_path: Path, at: str = "") -> dict[str, bytes]:
    """Export, import into an empty site, export: the same bytes; and importing again is nothing."""
    first = export_files(site, tmp_path / "first", at)
    import_files(other, tmp_path / "first", at)
    assert export_files(other, tmp_path / "second", at) == first
    report = import_files(other, tmp_path / "first", at)
    assert (report.created, report.updated, report.reordered) == ([], [], 0)
    return first


def test_a_page_is_a_file(site: Site, tmp_path: Path) -> None:
    site.add("/a", "# Text\n", title="The page: A", nav_title="A", summary="Short.", **DAY)
    assert export_files(site, tmp_path / "out")["a.md"].decode() == (
        "---\n"
        "title: 'The page: A'\n"
        "linkTitle: A\n"
        "description: Short.\n"
        "date: 2026-05-01T00:00:00Z\n"
        "lastmod: 2026-05-02T00:00:00Z\n"
        "---\n"
        "\n"
        "# Text\n"
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a"], ["a.md"]),
        (["a", "a/b"], ["a/_index.md", "a/b.md"]),
        (["index"], ["index/_index.md"]),
        (["README"], ["README/_index.md"]),
        (["_index"], ["_index/_index.md"]),
        (["b", "b.md"], ["b.md.md", "b/_index.md"]),
        (["b", "b.md", "b.md/c"], ["b.md/_index.md", "b.md/c.md", "b/_index.md"]),
        (["b.md", "b.md.md"], ["b.md.md.md", "b.md/_index.md"]),
        (["B", "b"], ["B.md", "b.md"]),
        (["node_modules", "node_modules/a"], ["node_modules/_index.md", "node_modules/a.md"]),
        ([".git", ".git/HEAD"], [".git/HEAD.md", ".git/_index.md"]),
        (["a b#?%", "é"], ["a b#?%.md", "é.md"]),
    ],
)
@sqlite_only
def test_every_name_has_a_file_of_its_own_and_comes_back(
    site: Site, new_site: NewSite, tmp_path: Path, names: list[str], expected: list[str]
) -> None:
    for name in names:
        site.add(f"/{name}")
    other = new_site()
    files = assert_round_trip(site, other, tmp_path)
    assert sorted(files) == sorted([*expected, "_index.md"])
    assert outline(other) == outline(site)


@pytest.mark.parametrize(
    ("fields", "children", "has_file"),
    [
        ({"title": "My docs"}, True, False),
        ({"title": "My docs"}, False, True),
        ({"title": "Other"}, True, True),
        ({"title": "My docs", "state": "draft"}, True, True),
        ({"title": "My docs", "extra": {"a": 1}}, True, True),
    ],
)
@sqlite_only
def test_a_folder_has_a_file_where_its_directory_does_not_say_all(
    site: Site, new_site: NewSite, tmp_path: Path, fields: Any, children: bool, has_file: bool
) -> None:
    site.add("/my-docs", cls=Folder, **fields)
    if children:
        site.add("/my-docs/a")
    files = assert_round_trip(site, new_site(), tmp_path)
    assert any(name.startswith("my-docs") and name != "my-docs/a.md" for name in files) is has_file


def test_links_to_pages_become_links_between_files(site: Site, tmp_path: Path) -> None:
    b = site.add("/b")
    site.add("/plain", cls=Folder, title="Plain")
    c = site.add("/plain/c")
    plain = id_of(site, "/plain")
    body = f"[b](node:{b}#f) [folder](node:{plain}) `node:{c}`\n\n[r]: <node:{c}>\n\n[r]"
    site.add("/plain/a", body)
    files = export_files(site, tmp_path / "out")
    assert body_of(files["plain/a.md"]) == (
        f"[b](../b.md#f) [folder](../plain/) `node:{c}`\n\n[r]: <c.md>\n\n[r]"
    )


def test_links_by_address_are_written_like_those_by_node(
    site: Site, new_site: NewSite, tmp_path: Path
) -> None:
    site.add("/docs", extra={"aliases": ["/old"]})
    site.add("/docs/install", "[x](/docs) [y](/docs/install/#f) [z](/old) [n](/nowhere) [v](/@@s)")
    files = assert_round_trip(site, new_site(), tmp_path)
    assert body_of(files["docs/install.md"]) == (
        "[x](_index.md) [y](install.md#f) [z](_index.md) [n](/nowhere) [v](/@@s)"
    )


def test_a_reference_to_a_deleted_page_is_marked_as_lost(
    site: Site, new_site: NewSite, tmp_path: Path
) -> None:
    gone = site.add("/gone")
    site.add("/a", f"[x](node:{gone}#f) `node:{gone}`")
    with site.tree() as tree:
        tree.purge(site.node(tree, "/gone"))
    files = assert_round_trip(site, new_site(), tmp_path)
    assert body_of(files["a.md"]) == f"[x](lost:{gone}#f) `node:{gone}`"


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"url": "https://example.org/"}, "https://example.org/"),
        ({"target": "/a"}, "a/_index.md"),
        ({"target": "/a/b"}, "a/b.md"),
        ({"url": "/a/b"}, "a/b.md"),
        ({"url": "/a/b?q#f"}, "a/b.md?q#f"),
        ({"url": "/nowhere"}, "/nowhere"),
        ({"url": ""}, "''"),
        ({"extra": {"url": "gone.md"}}, "gone.md"),
        ({"extra": {"weight": 3, "x": 1}, "target": "/a"}, "a/_index.md"),
    ],
)
@sqlite_only
def test_links_come_back_whatever_they_lead_to(
    site: Site, new_site: NewSite, tmp_path: Path, fields: dict[str, Any], url: str
) -> None:
    site.add("/a")
    site.add("/a/b")
    target = fields.pop("target", None)
    site.add("/link", cls=Link, target_id=target and id_of(site, target), **fields)
    files = assert_round_trip(site, new_site(), tmp_path)
    assert f"\nurl: {url}\n" in files["link.md"].decode()


def test_a_page_whose_description_was_emptied_keeps_its_summary_apart(
    site: Site, new_site: NewSite, tmp_path: Path
) -> None:
    site.add("/a", summary="", extra={"summary": "long"})
    other = new_site()
    assert_round_trip(site, other, tmp_path)
    assert field_of(other, "/a", "summary") == ""


@pytest.mark.parametrize("cls", [None, Folder, Link])
def test_an_order_made_by_hand_is_kept_by_weights(
    site: Site, new_site: NewSite, tmp_path: Path, cls: Any
) -> None:
    for name in "abc":
        site.add(f"/{name}", **({"cls": cls} if cls else {}), extra={"x": 1})
    with site.tree() as tree:
        tree.reorder(site.node(tree, "/c"), site.node(tree, "/a"))
    other = new_site()
    files = assert_round_trip(site, other, tmp_path)
    assert list(outline(other)) == ["c", "a", "b"]
    assert [b"weight: 10" in files[f"{name}.md"] for name in "cab"] == [True, False, False]
    # The site itself learns the weights once.
    assert counts(import_files(site, tmp_path / "first")) == (0, 3, 1, 0)
    assert counts(import_files(site, tmp_path / "first")) == (0, 0, 4, 0)


# -- a part of the tree ----------------------------------------------------------------------------


@pytest.fixture
def partial(site: Site) -> Site:
    """A site with a part, /docs, that links to what is outside of it and is alike inside."""
    install, docs = site.add("/install"), site.add("/docs", cls=Folder, title="Docs")
    own = site.add("/docs/install")
    site.add("/docs/deep")
    body = (
        f"[out](node:{install}) [own](node:{own}) [top](node:{docs}) [root](node:1) [raw](/install)"
    )
    site.add("/docs/deep/a", body)
    return site


def test_a_part_links_out_of_its_directory(partial: Site, tmp_path: Path) -> None:
    files = export_files(partial, tmp_path / "out", at="docs")
    assert sorted(files) == ["_index.md", "deep/_index.md", "deep/a.md", "install.md"]
    assert body_of(files["deep/a.md"]) == (
        "[out](/../install) [own](../install.md) [top](../_index.md) [root](/..) [raw](/../install)"
    )


def test_a_part_imported_where_it_was_finds_everything_again(partial: Site, tmp_path: Path) -> None:
    export_files(partial, tmp_path / "out", at="docs")
    with partial.tree() as tree:
        tree.purge(partial.node(tree, "/docs"))
    report = import_files(partial, tmp_path / "out", at="docs")
    assert report.broken_links == []
    install, own, docs = (id_of(partial, path) for path in ("/install", "/docs/install", "/docs"))
    assert field_of(partial, "/docs/deep/a", "body") == (
        f"[out](node:{install}) [own](node:{own}) [top](node:{docs}) [root](node:1) "
        f"[raw](node:{install})"
    )


@pytest.mark.parametrize("at", ["", "docs"])
def test_a_part_gives_the_same_bytes_from_an_empty_site(
    partial: Site, new_site: NewSite, tmp_path: Path, at: str
) -> None:
    first = export_files(partial, tmp_path / "first", at="docs")
    other = new_site()
    report = import_files(other, tmp_path / "first", at=at)
    second = export_files(other, tmp_path / "second", at=at)
    if at:
        # The root is there on every site, the page beside the part is not.
        assert report.broken_links == [("deep/a.md", "/../install")] * 2
    assert second == first


# -- the directory ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["new", "made/on/the/way", "empty"])
@sqlite_only
def test_a_new_or_an_empty_directory_is_filled(site: Site, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    site.add("/a/".rstrip("/"))
    assert sorted(export_files(site, tmp_path / name)) == ["_index.md", "a.md"]


@sqlite_only
def test_the_current_directory_can_be_filled(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(export_files(site, Path())) == ["_index.md"]
    assert Path("_index.md").is_file()


@pytest.mark.parametrize(
    ("target", "at", "message"),
    [
        ("full", "", "is not empty"),
        ("full/file", "", "is not empty"),
        ("full/file/below", "", "cannot be written"),
        ("new", "nowhere", "no page at /nowhere"),
        ("new", "@@view", "no page at"),
    ],
)
@sqlite_only
def test_what_cannot_be_exported_is_said_and_nothing_written(
    site: Site, tmp_path: Path, target: str, at: str, message: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    with pytest.raises(CannotExport, match=message):
        export_files(site, tmp_path / target, at)
    assert read_files(tmp_path) == {"full/file": b"mine"}


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
@sqlite_only
def test_an_interrupted_export_leaves_nothing_behind(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool, error: Any
) -> None:
    site.add("/a")
    written = []

    def fail_at_the_second(*args: Any) -> str:
        written.append(args)
        if len(written) == 2:
            raise error
        return "text"

    monkeypatch.setattr(exporter, "dump", fail_at_the_second)
    out = tmp_path / "out"
    if exists:
        out.mkdir()
    with (
        site.database.read_session() as session,
        pytest.raises((KeyboardInterrupt, CannotExport)),
    ):
        export_directory(session, out, types=ContentTypes())
    assert list(tmp_path.rglob("*")) == ([out] if exists else [])


@sqlite_only
def test_two_pages_that_a_file_system_takes_for_one_are_never_mixed_up(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("/a")
    site.add("/A")
    opened = Path.open

    def open_ignoring_case(self: Path, *args: Any, **kw: Any) -> Any:
        return opened(self.with_name(self.name.lower()), *args, **kw)

    monkeypatch.setattr(Path, "open", open_ignoring_case)
    with pytest.raises(CannotExport, match="File exists"):
        export_files(site, tmp_path / "out")


def test_an_export_asks_the_database_a_few_times_only(
    site: Site, tmp_path: Path, count_statements: Any
) -> None:
    above = ""
    for number in range(12):
        above += f"/f{number}"
        site.add(above, cls=Folder, title="Untrue")
    with count_statements(site.database) as seen:
        export_files(site, tmp_path / "out")
    # Types, drafts, places, old addresses, rows, and bodies.
    assert len(seen) == 6
