"""What a link between files means."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from myproject.content.transfer.links import (
    Names,
    Resolver,
    is_internal,
    outward_link,
    relative_link,
    split_destination,
    split_path,
)

PLACES: dict[Names, tuple[str, ...]] = {
    (): (),
    ("a",): ("/old/a", "relative"),
    ("a", "b"): (),
    ("a", "b.md"): (),
    ("a", "index"): (),
    ("Top Page",): (),
    ("é",): (),
    ("Case",): (),
    ("Twin",): (),
    ("twin",): (),
    ("x:y",): (),
}


def resolve(
    destination: str, file: str = "a/b/_index.md", at: Names = (), site: Names = ()
) -> str | None:
    parts = PurePosixPath(file)
    names = parts.parent.parts if parts.stem == "_index" else (*parts.parent.parts, parts.stem)
    found = Resolver(PLACES, at, lambda place: place == site != ()).resolve(
        names, parts, destination
    )
    return None if found is None else "/" + "/".join(found)


@pytest.mark.parametrize(
    ("destination", "file", "expected"),
    [
        ("b.md", "a/c.md", "/a/b"),
        ("./b.md", "a/c.md", "/a/b"),
        ("b.md.md", "a/c.md", "/a/b.md"),
        ("b.md/", "a/c.md", "/a/b.md"),
        ("b.MD", "a/c.md", "/a/b"),
        ("b", "a/c.md", "/a/b"),
        ("../b", "a/c.md", "/a/b"),
        ("../a/b/", "a/c.md", "/a/b"),
        ("_index.md", "a/c.md", "/a"),
        ("README.md", "a/c.md", "/a"),
        ("index/_index.md", "a/c.md", "/a/index"),
        ("index", "a/c.md", "/a/index"),
        ("..", "a/c.md", "/"),
        ("../..", "a/c.md", "/"),
        ("../../../..", "a/c.md", None),
        ("/a/b", "x.md", "/a/b"),
        ("/a/b.md#f", "x.md", "/a/b"),
        ("/a/b?q=1#f", "x.md", "/a/b"),
        ("/", "x.md", "/"),
        ("Top%20Page.md", "x.md", "/Top Page"),
        ("Top Page", "x.md", "/Top Page"),
        ("e\u0301.md", "x.md", "/é"),
        ("%C3%A9", "x.md", "/é"),
        ("case", "x.md", "/Case"),
        ("twin", "x.md", "/twin"),
        ("Twin", "x.md", "/Twin"),
        ("TWIN", "x.md", None),
        ("./x:y", "x.md", "/x:y"),
        ("/old/a", "x.md", "/a"),
        ("/OLD/a/", "x.md", "/a"),
        ("relative", "x.md", None),
        ("nowhere.md", "x.md", None),
    ],
)
def test_a_link_between_files_finds_its_page(
    destination: str, file: str, expected: str | None
) -> None:
    assert resolve(destination, file) == expected


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("/a/b", "/docs/a/b"),
        ("/old/a", "/docs/a"),
        ("/", "/docs"),
        ("/other", "/other"),
        ("../../../other", "/other"),
        ("/docs/a", "/docs/a"),
        ("../../../docs/a", "/docs/a"),
        ("/../other", "/other"),
        ("/..", None),
        ("/../../other", None),
    ],
)
def test_below_a_place_the_directory_comes_before_the_site(
    destination: str, expected: str | None
) -> None:
    assert resolve(destination, "a/b/_index.md", at=("docs",), site=("other",)) == expected


@pytest.mark.parametrize(
    ("destination", "internal"),
    [
        ("a", True),
        ("/a", True),
        ("../a?b#c", True),
        ("", False),
        ("#f", False),
        ("?q", False),
        ("//host/a", False),
        ("https://example.org", False),
        ("mailto:a@example.org", False),
        ("node:5", False),
        ("./x:y", True),
        ("a/x:y", True),
    ],
)
def test_paths_are_internal(destination: str, internal: bool) -> None:
    assert is_internal(destination) is internal


@pytest.mark.parametrize(
    ("destination", "parts"),
    [
        ("a", ("a", "")),
        ("a?b#c", ("a", "?b#c")),
        ("a#b?c", ("a", "#b?c")),
        ("a#\nb", ("a", "#\nb")),
    ],
)
def test_query_and_fragment_are_split_off(destination: str, parts: tuple[str, str]) -> None:
    assert split_destination(destination) == parts


def test_a_path_is_split_into_decoded_names() -> None:
    assert split_path("/a//b%20c/../d/./e%CC%81") == ("a", "d", "é")
    assert split_path("/..") == ()


@pytest.mark.parametrize(
    ("source", "target", "directory", "link"),
    [
        ("", "a.md", False, "a.md"),
        ("", "a/_index.md", False, "a/_index.md"),
        ("a", "a/_index.md", False, "_index.md"),
        ("a/b", "a/c.md", False, "../c.md"),
        ("a/b", "_index.md", False, "../../_index.md"),
        ("a", "b/c/d.md", False, "../b/c/d.md"),
        ("a", "a", True, "../a/"),
        ("", "a", True, "a/"),
        ("", "x:y.md", False, "./x:y.md"),
        ("", "a b#?.md", False, "a%20b%23%3F.md"),
        ("", "é.md", False, "%C3%A9.md"),
    ],
)
def test_links_are_written_from_file_to_file(
    source: str, target: str, directory: bool, link: str
) -> None:
    parts = (tuple(filter(None, path.split("/"))) for path in (source, target))
    assert relative_link(*parts, is_directory=directory) == link


@pytest.mark.parametrize(
    ("at", "target", "link"),
    [
        (("docs",), ("a b",), "/../a%20b"),
        (("docs", "x"), ("docs", "y"), "/../../docs/y"),
        (("docs",), (), "/.."),
    ],
)
def test_links_out_of_the_directory_climb_over_its_top(at: Names, target: Names, link: str) -> None:
    assert outward_link(at, target) == link
    places = {(): (), ("a",): ()}
    resolver = Resolver(places, at, lambda names: names == target)
    assert resolver.resolve(("a",), PurePosixPath("a.md"), link) == target
