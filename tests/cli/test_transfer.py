"""``import`` and ``export``."""

from __future__ import annotations

from pathlib import Path

import pytest

from myproject.testing import Run, Site
from tests.content.conftest import outline, read_files, write_files


@pytest.fixture
def content(tmp_path: Path) -> Path:
    files = {
        "_index.md": "---\ntitle: Top\n---\n",
        "a/b.md": "[x](gone.md) [y](gone.md) [z](c.md)",
        "a/c.md": "",
        "a/d.png": "",
        "notes.txt": "",
    }
    return write_files(tmp_path / "content", files)


def test_an_import_reports_what_it_did(site: Site, run: Run, content: Path) -> None:
    result = run("import", str(content))
    assert result.exit_code == 0
    assert result.stdout == (
        "Imported:\n"
        "  created    3 pages\n"
        "  updated    1 page\n"
        "  unchanged  0 pages\n"
        "  reordered  0 pages\n"
        "  ignored    1 image\n"
        "  ignored    1 other file\n"
        "2 links to no page:\n"
        "  a/b.md: gone.md (2 times)\n"
    )
    assert result.stderr == "Importing: 4 of 4\n"
    assert outline(site) == {"a": {"b": {}, "c": {}}}


def test_a_plan_says_what_would_change_and_changes_nothing(
    site: Site, run: Run, content: Path
) -> None:
    result = run("import", str(content), "--plan")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:4] == ["create  /a", "create  /a/b", "create  /a/c", "update  /"]
    assert lines[4] == "Nothing was changed; an import would make of it:"
    assert lines[5] == "  created    3 pages"
    assert outline(site) == {}
    run("import", str(content))
    again = run("import", str(content), "--plan").stdout
    assert again.startswith("Nothing was changed")
    assert "  unchanged  4 pages\n" in again


def test_drafts_of_what_readers_see_are_counted_and_planned(
    site: Site, run: Run, content: Path
) -> None:
    write_files(content, {"a/c.draft.md": "Next."})
    plan = run("import", str(content), "--plan").stdout.splitlines()
    assert plan[3:5] == ["update  /", "draft   /a/c"]
    assert "  drafted    1 page\n" in run("import", str(content)).stdout
    assert "  drafted " not in run("import", str(content)).stdout


def test_an_import_goes_where_it_is_told(site: Site, run: Run, content: Path) -> None:
    assert run("import", str(content), "--at", "/e\u0301/new").exit_code == 0
    assert outline(site) == {"é": {"new": {"a": {"b": {}, "c": {}}}}}


@pytest.mark.parametrize("command", ["import", "export"])
@pytest.mark.parametrize("path", ["/../x", "/@@view", "/a\nb", "/" + "x" * 241])
def test_an_impossible_place_is_a_wrong_call(
    site: Site, run: Run, content: Path, command: str, path: str
) -> None:
    result = run(command, str(content), "--at", path)
    assert result.exit_code == 2
    assert "cannot be a name" in result.stderr
    assert outline(site) == {}


def test_a_broken_file_is_named_with_its_line_and_nothing_imported(
    site: Site, run: Run, content: Path
) -> None:
    write_files(content, {"bad.md": "---\na: 1\nb: [\n---\n", "worse.md": b"\xff"})
    result = run("import", str(content))
    assert result.exit_code == 1
    bad, worse, advice = result.stderr.splitlines()
    assert bad.startswith("bad.md:4: YAML: ")
    assert worse == "worse.md:1: is not UTF-8 (invalid start byte)"
    assert advice.startswith("Nothing was imported.")
    assert "--skip-errors" in advice
    assert outline(site) == {}


def test_broken_files_can_be_skipped_and_are_listed(site: Site, run: Run, content: Path) -> None:
    write_files(content, {"bad.md": b"\xff"})
    result = run("import", str(content), "--skip-errors")
    assert result.exit_code == 0
    assert "1 file skipped:\n  bad.md:1: is not UTF-8" in result.stderr
    assert outline(site) == {"a": {"b": {}, "c": {}}}


def test_a_directory_that_does_not_exist_is_said(run: Run, tmp_path: Path) -> None:
    result = run("import", str(tmp_path / "missing"))
    assert (result.exit_code, result.stderr) == (1, f"{tmp_path}/missing is not a directory.\n")


def test_many_broken_links_are_counted_and_a_plan_lists_them_all(run: Run, content: Path) -> None:
    write_files(content, {"many.md": " ".join(f"[x](gone{number})" for number in range(30))})
    plan = run("import", str(content), "--plan").stdout
    assert plan.count("many.md: gone") == 30
    done = run("import", str(content)).stdout
    assert done.count("many.md: gone") == 20
    assert done.endswith("  ... all of them: myproject tree check --links\n")


def test_an_export_writes_files(run: Run, content: Path, tmp_path: Path) -> None:
    run("import", str(content))
    result = run("export", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert result.stdout == f"Wrote 3 files to {tmp_path}/out.\n"
    assert list(read_files(tmp_path / "out")) == ["_index.md", "a/b.md", "a/c.md"]
    part = run("export", str(tmp_path / "part"), "--at", "/a")
    assert part.exit_code == 0
    assert list(read_files(tmp_path / "part")) == ["_index.md", "b.md", "c.md"]


def test_an_export_that_cannot_be_is_refused(run: Run, content: Path, tmp_path: Path) -> None:
    full = run("export", str(content))
    assert full.exit_code == 1
    assert "is not empty" in full.stderr
    nowhere = run("export", str(tmp_path / "out"), "--at", "/nowhere")
    assert (nowhere.exit_code, nowhere.stderr) == (1, "There is no page at /nowhere.\n")
