"""``redirects``."""

from __future__ import annotations

from myproject.testing import Run, Site


def test_redirects_are_added_listed_and_removed(site: Site, run: Run) -> None:
    site.add("/docs", title="Documents")
    assert run("redirects", "list").stdout == ""
    result = run("redirects", "add", "/old/päge", "/docs")
    assert (result.exit_code, result.stdout) == (0, "/old/p%C3%A4ge leads to /docs now.\n")
    assert run("redirects", "add", "/out", "https://example.org/").exit_code == 0
    with site.tree() as tree:
        tree.rename(site.node(tree, "/docs"), "manual")
    assert run("redirects", "list").stdout.splitlines() == [
        "/docs\t/manual\tmoved\t0",
        "/out\thttps://example.org/\tmanual\t0",
        "/old/p%C3%A4ge\t/manual\tmanual\t0",
    ]
    assert run("redirects", "list", "--origin", "moved", "--search", "doc").stdout.count("\n") == 1
    result = run("redirects", "remove", "/old/päge")
    assert (result.exit_code, result.stdout) == (0, "/old/p%C3%A4ge no longer leads anywhere.\n")
    assert run("redirects", "list").stdout.count("\n") == 2


def test_what_cannot_be_is_refused(site: Site, run: Run) -> None:
    site.add("/docs")
    taken = run("redirects", "add", "/docs", "/")
    assert taken.exit_code == 0
    assert "rests until" in taken.stderr
    for arguments, reason in (
        (("add", "/docs", "/"), "leads elsewhere already"),
        (("add", "/x", "/nowhere"), "There is no page at /nowhere."),
        (("add", "/", "/docs"), "start page"),
        (("remove", "/y"), "Nothing leads away from /y."),
    ):
        result = run("redirects", *arguments)
        assert result.exit_code == 1
        assert reason in result.stderr
    assert run("redirects", "add", "/x", "ftp://example.org/").exit_code == 2
    assert run("redirects", "add", "/a/../b", "/docs").exit_code == 2
