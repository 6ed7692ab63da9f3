"""Which file is which page, and what cannot be one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from myproject.content.transfer.scan import NotADirectory, Scan, scan

Files = Callable[..., Path]


def places(found: Scan) -> dict[str, str]:
    return {"/" + "/".join(names): str(entry.file) for names, entry in found.entries.items()}


def problems(found: Scan) -> list[str]:
    return [str(problem) for problem in found.problems]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a.md"], {"/a": "a.md"}),
        (["a/_index.md"], {"/a": "a/_index.md"}),
        (["a/index.md"], {"/a": "a/index.md"}),
        (["a/README.md"], {"/a": "a/README.md"}),
        (["a/Readme.MD"], {"/a": "a/Readme.MD"}),
        (["_index.md"], {"/": "_index.md"}),
        (
            ["a/_index.md", "a/index.md", "a/README.md"],
            {"/a": "a/_index.md", "/a/index": "a/index.md", "/a/README": "a/README.md"},
        ),
        (["a/index.md", "a/README.md"], {"/a": "a/index.md", "/a/README": "a/README.md"}),
        (["README.md", "readme.md"], {"/": "README.md", "/readme": "readme.md"}),
        (["a/b/c.md"], {"/a": "a", "/a/b": "a/b", "/a/b/c": "a/b/c.md"}),
        (["a.md/b.md", "a.md.md"], {"/a.md": "a.md.md", "/a.md/b": "a.md/b.md"}),
        (["A.md", "a.md"], {"/A": "A.md", "/a": "a.md"}),
        (["a/picture.png", "b/notes.txt"], {}),
        (["e\u0301.md"], {"/é": "e\u0301.md"}),
        ([".hidden/a.md"], {"/.hidden": ".hidden", "/.hidden/a": ".hidden/a.md"}),
        ([".git/HEAD", ".git/a.md", "b.md"], {"/b": "b.md"}),
        (["package.json", "node_modules/a.md"], {}),
        (["node_modules/_index.md"], {"/node_modules": "node_modules/_index.md"}),
    ],
)
def test_files_have_their_places(files: Files, names: list[str], expected: dict[str, str]) -> None:
    found = scan(files(dict.fromkeys(names, "")))
    found.add_folders()
    assert (places(found), problems(found)) == (expected, [])


def test_parents_come_before_their_children(files: Files) -> None:
    found = scan(files({"z/y/x.md": "", "a.md": "", "z/_index.md": ""}))
    found.add_folders()
    assert list(places(found)) == ["/a", "/z", "/z/y", "/z/y/x"]


def test_a_directory_without_an_index_is_a_folder_titled_from_its_name(files: Files) -> None:
    found = scan(files({"getting-started/a.md": ""}))
    found.add_folders()
    document = found.entries["getting-started",].document
    assert (document.type, document.fields, document.implied) == (
        "folder",
        {"title": "Getting started"},
        True,
    )


def test_other_files_are_counted(files: Files) -> None:
    found = scan(files({"a.png": "", "b.SVG": "", "c.txt": "", "d.md": ""}))
    assert (found.files, dict(found.ignored)) == (1, {"image": 2, "other": 1})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"a.md": b"ok\nnot \xff utf-8"}, ["a.md:2: is not UTF-8 (invalid start byte)"]),
        ({"a.md": "---\nx: [\n---\n"}, ["a.md:3: YAML: "]),
        ({"a.md": "", "a/_index.md": ""}, ["a/_index.md: has the same address as a.md: /a"]),
        ({"é.md": "", "e\u0301.md": ""}, ["has the same address as"]),
        ({" a.md": ""}, [" a.md: “ a” cannot be a name"]),
        ({"@@view.md": ""}, ["@@view.md: “@@view” cannot be a name"]),
        ({".md": ""}, [".md: “” cannot be a name. A name cannot be empty"]),
        ({"a\nb.md": ""}, ["invisible character"]),
        ({"b\x85/c.md": ""}, ["invisible character"]),
        ({"x" * 241 + ".md": ""}, ["longer than 240 bytes"]),
    ],
)
def test_a_file_that_cannot_be_a_page_is_named(
    files: Files, content: dict[str, str | bytes], expected: list[str]
) -> None:
    found = problems(scan(files(content)))
    assert len(found) == len(expected)
    for problem, part in zip(found, expected, strict=True):
        assert part in problem


def test_file_names_of_any_bytes_can_be_shown(files: Files) -> None:
    directory = files({})
    os.mknod(os.fsencode(directory) + b"/\xff.md")
    (problem,) = problems(scan(directory))
    assert problem.startswith("\\udcff.md: ")
    problem.encode()


def test_files_that_are_none_are_named_and_not_waited_for(files: Files) -> None:
    directory = files({"a.md": ""})
    (directory / "gone.md").symlink_to("nowhere")
    os.mkfifo(directory / "pipe.md")
    assert problems(scan(directory)) == [
        "gone.md: is not a regular file",
        "pipe.md: is not a regular file",
    ]


def test_a_link_to_a_file_is_read_and_one_to_a_directory_is_not(files: Files) -> None:
    directory = files({"a.md": "", "d/x.md": ""})
    (directory / "b.md").symlink_to("a.md")
    (directory / "loop").symlink_to(".")
    found = scan(directory)
    assert list(places(found)) == ["/a", "/b", "/d/x"]
    assert found.ignored == {"link": 1}


def test_what_the_system_refuses_to_read_is_named(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = files({"a.md": "", "d/x.md": ""})

    def refused(self: Path, *args: object, **kw: object) -> str:
        raise PermissionError(13, "Permission denied", str(self))

    def walk(
        top: Path, onerror: Callable[[OSError], None]
    ) -> list[tuple[str, list[str], list[str]]]:
        onerror(PermissionError(13, "Permission denied", str(top / "d")))
        return [(str(top), ["d"], ["a.md"])]

    monkeypatch.setattr(Path, "read_text", refused)
    monkeypatch.setattr(os, "walk", walk)
    assert problems(scan(directory)) == [
        "d: cannot be read: Permission denied",
        "a.md: cannot be read: Permission denied",
    ]


@pytest.mark.parametrize("name", ["missing", "file.md"])
def test_only_a_directory_can_be_scanned(files: Files, name: str) -> None:
    directory = files({"file.md": ""})
    with pytest.raises(NotADirectory, match=name):
        scan(directory / name)
