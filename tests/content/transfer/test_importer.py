"""Importing directories: everything or nothing, and again without doubling anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from myproject.content.references import Reference
from myproject.content.transfer.importer import ImportFailed, Report
from myproject.content.types import Folder, Link, Page
from myproject.exceptions import InvalidName, TooDeep
from myproject.testing import Site, sqlite_only
from myproject.tree.names import MAX_DEPTH
from tests.content.conftest import (
    field_of,
    id_of,
    import_files,
    outline,
    write_files,
)

Files = Callable[..., Path]

SMALL = {
    "_index.md": "---\ntitle: Top\n---\n",
    "a/_index.md": "---\ntitle: A\n---\n[b](b.md#part)\n",
    "a/b.md": "[up](..)\n",
    "plain/c.md": "",
}


def paths(names: list[tuple[str, ...]]) -> list[str]:
    return ["/" + "/".join(place) for place in names]


def counts(report: Report) -> tuple[int, int, int, int]:
    return len(report.created), len(report.updated), report.unchanged, report.reordered


def test_a_directory_becomes_a_part_of_the_tree(site: Site, files: Files) -> None:
    report = import_files(site, files(SMALL))
    assert outline(site) == {"a": {"b": {}}, "plain": {"c": {}}}
    assert paths(report.created) == ["/a", "/plain", "/a/b", "/plain/c"]
    assert paths(report.updated) == ["/"]
    assert field_of(site, "/", "title") == "Top"
    assert field_of(site, "/plain", "type") == "folder"
    assert field_of(site, "/plain", "title") == "Plain"


def test_links_between_files_are_stored_by_node(site: Site, files: Files) -> None:
    import_files(site, files(SMALL))
    b = id_of(site, "/a/b")
    assert field_of(site, "/a", "body") == f"[b](node:{b}#part)\n"
    assert field_of(site, "/a/b", "body") == f"[up](node:{id_of(site, '/')})\n"
    with site.tree() as tree:
        a = site.node(tree, "/a")
        query = select(Reference.target_id).where(Reference.source_id == a.id)
        assert tree.session.scalars(query).all() == [b]


def test_a_second_import_changes_nothing(site: Site, files: Files) -> None:
    directory = files(SMALL)
    import_files(site, directory)
    assert counts(import_files(site, directory)) == (0, 0, 5, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: T", "title: U"),
        ("text", "text "),
        ("weight: 1", "weight: true"),
        ("weight: 1", "weight: 1.0"),
        ("nested: {a: 1, b: 2}", "nested: {b: 2, a: 1}"),
        ("draft: false", "draft: true"),
        ("date: 2026-05-01", "date: 2026-05-02"),
    ],
)
def test_what_has_changed_in_a_file_is_updated(
    site: Site, files: Files, old: str, new: str
) -> None:
    text = (
        "---\ntitle: T\nweight: 1\nnested: {a: 1, b: 2}\ndraft: false\ndate: 2026-05-01\n---\ntext"
    )
    directory = files({"a.md": text, "b.md": text})
    import_files(site, directory)
    write_files(directory, {"a.md": text.replace(old, new)})
    assert paths(import_files(site, directory).updated) == ["/a"]
    assert counts(import_files(site, directory)) == (0, 0, 2, 0)


def test_not_a_number_does_not_count_as_changed(site: Site, files: Files) -> None:
    directory = files({"a.md": "---\nx: [.nan, .inf]\n---\n"})
    import_files(site, directory)
    assert counts(import_files(site, directory)) == (0, 0, 1, 0)


def test_pages_that_only_the_site_has_stay(site: Site, files: Files) -> None:
    site.add("/a", "mine")
    site.add("/a/mine", "mine")
    import_files(site, files({"a/_index.md": "theirs", "a/b.md": "[mine](mine.md)"}))
    assert outline(site) == {"a": {"mine": {}, "b": {}}}
    assert field_of(site, "/a", "body") == "theirs"
    assert field_of(site, "/a/b", "body") == f"[mine](node:{id_of(site, '/a/mine')})"


def test_after_a_rename_the_files_make_the_page_anew_where_they_say(
    site: Site, files: Files
) -> None:
    directory = files({"a.md": "[b](b.md)", "b.md": "text"})
    import_files(site, directory)
    old = id_of(site, "/b")
    with site.tree() as tree:
        tree.rename(site.node(tree, "/b"), "renamed")
    report = import_files(site, directory)
    assert (paths(report.created), paths(report.updated)) == (["/b"], ["/a"])
    assert id_of(site, "/renamed") == old
    assert field_of(site, "/a", "body") == f"[b](node:{id_of(site, '/b')})"


def test_an_edited_page_says_again_what_its_file_says(site: Site, files: Files) -> None:
    directory = files({"a.md": "from the file"})
    import_files(site, directory)
    with site.tree() as tree:
        site.node(tree, "/a").body = "edited"
    assert paths(import_files(site, directory).updated) == ["/a"]
    assert field_of(site, "/a", "body") == "from the file"


def test_siblings_are_ordered_by_weight_and_then_by_label(site: Site, files: Files) -> None:
    directory = files(
        {
            "zero.md": "---\nweight: 0\n---\n",
            "heavy.md": "---\nweight: 20\n---\n",
            "light.md": "---\norder: -1.5\n---\n",
            "b.md": "---\ntitle: x\nlinkTitle: Beta\n---\n",
            "a.md": "---\ntitle: alpha\n---\n",
            "folder/x.md": "",
            "nan.md": "---\nweight: .nan\n---\n",
        }
    )
    import_files(site, directory)
    expected = ["light", "heavy", "a", "b", "folder", "nan", "zero"]
    assert list(outline(site)) == expected
    with site.tree() as tree:
        tree.reorder(site.node(tree, "/light"))
    assert counts(import_files(site, directory)) == (0, 0, 8, 1)
    assert list(outline(site)) == expected


def test_a_new_page_takes_its_place_without_being_news(site: Site, files: Files) -> None:
    directory = files({"b.md": "", "d.md": ""})
    import_files(site, directory)
    write_files(directory, {"a.md": "", "c.md": ""})
    assert counts(import_files(site, directory)) == (2, 0, 2, 0)
    assert list(outline(site)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("first", "second", "types"),
    [
        ({"a/b.md": ""}, {"a/_index.md": "text"}, ("folder", "page")),
        ({"a.md": "text"}, {"a.md": "---\ncontentType: folder\n---\n"}, ("page", "folder")),
        ({"a.md": "---\ncontentType: link\nurl: /b\n---\n"}, {"a.md": "text"}, ("link", "page")),
        ({"a.md": ""}, {"a.md": "---\ncontentType: link\n---\n"}, ("page", "link")),
    ],
)
def test_a_page_turns_into_what_its_file_says(
    site: Site, files: Files, first: Any, second: Any, types: tuple[str, str]
) -> None:
    directory = files(first)
    import_files(site, directory)
    before = id_of(site, "/a"), field_of(site, "/a", "type")
    write_files(directory, second)
    assert ("a",) in import_files(site, directory).updated
    after = id_of(site, "/a"), field_of(site, "/a", "type")
    assert (before[1], after[1]) == types
    assert before[0] == after[0]
    assert counts(import_files(site, directory))[:2] == (0, 0)


@sqlite_only
def test_a_directory_without_an_index_leaves_the_page_there_as_it_is(
    site: Site, files: Files
) -> None:
    site.add("/a", "text", title="Mine")
    import_files(site, files({"a/b.md": ""}))
    assert (field_of(site, "/a", "type"), field_of(site, "/a", "title")) == ("page", "Mine")


@pytest.mark.parametrize(
    ("url", "files_", "expected"),
    [
        ("https://example.org/x", {}, ("https://example.org/x", None)),
        ("/b", {"b.md": ""}, ("", "/b")),
        ("b.md", {"b.md": ""}, ("", "/b")),
        ("b.md#part", {"b.md": ""}, ("/b#part", None)),
        ("/nowhere", {}, ("/nowhere", None)),
        ("''", {}, ("", None)),
    ],
)
@sqlite_only
def test_a_link_leads_to_a_node_or_to_a_url(
    site: Site, files: Files, url: str, files_: dict[str, str], expected: tuple[str, str | None]
) -> None:
    import_files(site, files({"a.md": f"---\ncontentType: link\nurl: {url}\n---\n", **files_}))
    target = field_of(site, "/a", "target_id")
    wanted = None if expected[1] is None else id_of(site, expected[1])
    assert (field_of(site, "/a", "url"), target) == (expected[0], wanted)


@sqlite_only
def test_a_link_to_a_file_that_is_missing_is_reported_and_not_lost(
    site: Site, files: Files
) -> None:
    report = import_files(site, files({"a.md": "---\ncontentType: link\nurl: gone.md\n---\n"}))
    assert report.broken_links == [("a.md", "gone.md")]
    assert field_of(site, "/a", "extra") == {"url": "gone.md"}
    assert site.client.get("/a", status=404)


@pytest.mark.parametrize(
    ("body", "stored"),
    [
        ("[x](node:{root})", "[x](lost:{root})"),
        ("[x](node:{root}#f)", "[x](lost:{root}#f)"),
        ("[x]\n\n[x]: node:{root}\n", "[x]\n\n[x]: lost:{root}\n"),
        ("`node:{root}`", "`node:{root}`"),
        ("    FROM node:{root}\n", "    FROM node:{root}\n"),
        ("```\n[x](node:{root})\n```\n", "```\n[x](node:{root})\n```\n"),
        ("<node:{root}>", "<node:{root}>"),
        ('<a href="node:{root}">x</a>', '<a href="node:{root}">x</a>'),
    ],
)
@sqlite_only
def test_numbers_of_another_site_never_lead_to_a_stranger(
    site: Site, files: Files, body: str, stored: str
) -> None:
    import_files(site, files({"a.md": body.format(root=1)}))
    assert field_of(site, "/a", "body") == stored.format(root=1)
    article = site.client.get("/a").text
    assert 'href="/"' not in article.partition("<article")[2].partition("</article>")[0]
    with site.tree() as tree:
        # No node has the number 0, which stands for all that lead nowhere.
        assert set(tree.session.scalars(select(Reference.target_id))) <= {0}


@sqlite_only
def test_links_that_lead_nowhere_stay_as_they_are_and_are_reported(
    site: Site, files: Files
) -> None:
    body = "[a](gone.md) [b](https://example.org) [c](#here) [d](../../up) ![e](e.png)"
    report = import_files(site, files({"x.md": body}))
    assert report.broken_links == [("x.md", "gone.md"), ("x.md", "../../up")]
    assert field_of(site, "/x", "body") == body


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[x](<b c.md>)", "[x](<node:{id}>)"),
        ("[x](b%20c.md 'title')", "[x](node:{id} 'title')"),
        ("[x](b%20c?q=1#f)", "[x](node:{id}?q=1#f)"),
        ('[x][r]\n\n[r]: <b c.md> "t"\n', '[x][r]\n\n[r]: <node:{id}> "t"\n'),
        ("[x](/b%20c/)", "[x](node:{id})"),
        ("[x](/old)", "[x](node:{id})"),
        ("[x](B%20C.md)", "[x](node:{id})"),
    ],
)
@sqlite_only
def test_links_are_understood_however_they_are_written(
    site: Site, files: Files, link: str, expected: str
) -> None:
    import_files(site, files({"a.md": link, "b c.md": "---\naliases: /old\n---\n"}))
    assert field_of(site, "/a", "body") == expected.format(id=id_of(site, "/b c"))


# -- where -----------------------------------------------------------------------------------------


def test_an_import_can_go_to_a_place_that_exists(site: Site, files: Files) -> None:
    site.add("/docs", title="Docs")
    report = import_files(site, files(SMALL), at="/docs")
    assert outline(site) == {"docs": {"a": {"b": {}}, "plain": {"c": {}}}}
    assert paths(report.updated) == ["/docs"]
    assert field_of(site, "/docs/a/b", "body") == f"[up](node:{id_of(site, '/docs')})\n"


@sqlite_only
def test_folders_are_made_on_the_way_to_a_place(site: Site, files: Files) -> None:
    report = import_files(site, files({"x.md": "[top](/)"}), at="/one/two-three")
    assert outline(site) == {"one": {"two-three": {"x": {}}}}
    assert paths(report.created) == ["/one", "/one/two-three", "/one/two-three/x"]
    assert field_of(site, "/one/two-three", "title") == "Two three"
    assert (
        field_of(site, "/one/two-three/x", "body") == f"[top](node:{id_of(site, '/one/two-three')})"
    )


@sqlite_only
def test_the_top_of_the_directory_says_what_the_new_place_is(site: Site, files: Files) -> None:
    report = import_files(site, files(SMALL), at="/new")
    assert (paths(report.created)[0], report.updated) == ("/new", [])
    assert (field_of(site, "/new", "type"), field_of(site, "/new", "title")) == ("page", "Top")


@sqlite_only
def test_absolute_links_are_read_from_the_directory_and_then_from_the_site(
    site: Site, files: Files
) -> None:
    site.add("/b", "of the site")
    site.add("/c", "of the site")
    import_files(site, files({"a.md": "[b](/b) [c](/c)", "b.md": ""}), at="/docs")
    assert field_of(site, "/docs/a", "body") == (
        f"[b](node:{id_of(site, '/docs/b')}) [c](node:{id_of(site, '/c')})"
    )


@pytest.mark.parametrize(
    ("at", "error"), [("/../x", InvalidName), ("/@@view", InvalidName), ("/x" * 201, TooDeep)]
)
@sqlite_only
def test_an_impossible_place_is_refused(
    site: Site, files: Files, at: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        import_files(site, files({"a.md": ""}), at=at)
    assert outline(site) == {}


# -- what goes wrong -------------------------------------------------------------------------------

BROKEN = {
    "good.md": "[bad](bad.md)",
    "bad.md": "---\ntitle: [\n---\n",
    "type/_index.md": "---\ncontentType: nonsense\n---\n",
    "type/below.md": "",
}


def test_a_broken_file_stops_the_import_and_nothing_is_left(site: Site, files: Files) -> None:
    with pytest.raises(ImportFailed) as caught:
        import_files(site, files(BROKEN))
    assert [(problem.file, problem.line) for problem in caught.value.problems] == [
        ("bad.md", 3),
        ("type/_index.md", 0),
    ]
    assert outline(site) == {}


def test_broken_files_can_be_left_out_and_are_listed(site: Site, files: Files) -> None:
    report = import_files(site, files(BROKEN), skip_errors=True)
    assert [problem.file for problem in report.problems] == ["bad.md", "type/_index.md"]
    assert outline(site) == {"good": {}, "type": {"below": {}}}
    assert field_of(site, "/type", "type") == "folder"
    assert report.broken_links == [("good.md", "bad.md")]


@sqlite_only
def test_names_that_routes_have_taken_are_refused_at_the_root_only(
    site: Site, files: Files
) -> None:
    directory = files({"api/a.md": "", "b/api.md": ""})

    def imported(at: str, **options: Any) -> Report:
        site.registry.reserved_names = frozenset({"api"})
        return import_files(site, directory, at=at, **options)

    with pytest.raises(ImportFailed, match=r"api/a\.md: “api” cannot be a name\. This name"):
        imported("")
    imported("", skip_errors=True)
    imported("/docs")
    assert outline(site) == {"b": {"api": {}}, "docs": {"api": {"a": {}}, "b": {"api": {}}}}


@sqlite_only
def test_what_would_lie_too_deep_is_named(site: Site, files: Files) -> None:
    with pytest.raises(ImportFailed, match=f"more than {MAX_DEPTH} levels"):
        import_files(site, files({"a/b/c.md": ""}), at="/x" * (MAX_DEPTH - 2))


def test_a_page_of_an_absent_add_on_is_never_overwritten(site: Site, files: Files) -> None:
    site.add("/product", cls=Folder, title="Product")
    with site.tree() as tree:
        node = site.node(tree, "/product")
        tree.session.connection().exec_driver_sql(
            f"UPDATE node SET type = 'product' WHERE id = {node.id}"
        )
        tree.session.expire_all()
        tree.session.expunge_all()
        tree.add(site.node(tree, "/"), Folder(title="x"), "x")
    directory = files({"product/_index.md": "text", "product/below.md": ""})
    with pytest.raises(ImportFailed, match="/product is a 'product'"):
        import_files(site, directory)
    import_files(site, directory, skip_errors=True)
    assert field_of(site, "/product", "type") == "product"
    assert outline(site, "/product") == {"below": {}}


@sqlite_only
def test_progress_counts_every_page(site: Site, files: Files) -> None:
    seen: list[tuple[int, int]] = []

    def progress(items: Any, total: int) -> Any:
        for number, item in enumerate(items, 1):
            seen.append((number, total))
            yield item

    import_files(site, files(SMALL), progress=progress)
    assert seen == [(number, 5) for number in range(1, 6)]


@sqlite_only
def test_pages_show_what_was_imported(site: Site, files: Files) -> None:
    import_files(site, files({"a.md": "# Ignored title\n\n**bold** [b](b.md)\n", "b.md": ""}))
    assert "<strong>bold</strong>" in site.client.get("/a").text
    assert 'href="/b"' in site.client.get("/a").text
    with site.tree() as tree:
        assert isinstance(site.node(tree, "/a"), Page)
        assert not isinstance(site.node(tree, "/a"), Link)
