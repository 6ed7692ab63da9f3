"""What readers do not see yet goes out and comes in beside what they see, and so do times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from myproject.content.publishing import newest_of, publish, save_newest, schedule, unpublish
from myproject.content.revisions import Revision
from myproject.content.transfer import exporter
from myproject.content.transfer.importer import ImportFailed
from myproject.content.types import Folder, Link
from myproject.db.base import utcnow
from myproject.testing import Site
from myproject.tree.node import DRAFT, PUBLISHED
from tests.content.conftest import export_files, id_of, import_files, outline
from tests.content.transfer.test_exporter import DAY, assert_round_trip

Files = Callable[[Mapping[str, str | bytes]], Path]
NewSite = Callable[[], Site]
HOUR = dt.timedelta(hours=1)
MAY, JUNE = (dt.datetime(2091, month, 1, tzinfo=dt.UTC) for month in (5, 6))


def change(site: Site, path: str, **values: Any) -> None:
    with site.tree() as tree:
        save_newest(tree, site.node(tree, path), values, site.renderer)


def plan(site: Site, path: str, begin: dt.datetime | None, end: dt.datetime | None) -> None:
    with site.tree() as tree:
        schedule(tree, site.node(tree, path), begin, end)


def set_times(site: Site, path: str, **times: dt.datetime) -> None:
    """Let time pass: what was planned is due."""
    with site.tree() as tree:
        for name, time in times.items():
            setattr(site.node(tree, path), name, time)


def seen(site: Site, path: str) -> tuple[str, str, str]:
    """Return what readers see of a page, what was saved last, and whether they see anything."""
    with site.tree() as tree:
        node = site.node(tree, path)
        return node.body, newest_of(tree.session, node).body, node.seen_state


def times_of(site: Site, path: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    with site.tree() as tree:
        node = site.node(tree, path)
        return node.publish_at, node.expire_at


# -- out ------------------------------------------------------------------------------------------


def test_a_draft_is_a_file_beside_that_of_its_page(new_site: NewSite, tmp_path: Path) -> None:
    site, other = new_site(), new_site()
    site.add("/a", "Live.", title="A", **DAY)
    site.add("/a/b", title="B", **DAY)
    site.add("/c", "C.", title="C", **DAY)
    change(site, "/a", body=f"To [c](node:{id_of(site, '/c')}).", title="New")
    change(site, "/c", body="Next.")
    files = assert_round_trip(site, other, tmp_path)
    assert sorted(files) == [
        *("_index.md", "a/_index.draft.md", "a/_index.md", "a/b.md", "c.draft.md", "c.md"),
    ]
    assert files["a/_index.draft.md"].decode() == (
        "---\ntitle: New\ndraft: true\n---\n\nTo [c](../c.md)."
    )
    assert files["a/_index.md"].decode().endswith("\n\nLive.")
    assert seen(other, "/c") == ("C.", "Next.", PUBLISHED)


def test_times_to_come_are_front_matter(new_site: NewSite, tmp_path: Path) -> None:
    site, other = new_site(), new_site()
    for name in ("coming", "going", "ahead"):
        site.add(f"/{name}", "Text", state=DRAFT if name == "coming" else PUBLISHED, **DAY)
    change(site, "/ahead", body="Next.")
    plan(site, "/coming", MAY, JUNE)
    plan(site, "/going", None, JUNE)
    plan(site, "/ahead", MAY, JUNE)
    files = {name: text.decode() for name, text in assert_round_trip(site, other, tmp_path).items()}
    begin, end = "publishDate: 2091-05-01T00:00:00Z\n", "expiryDate: 2091-06-01T00:00:00Z\n"
    assert begin + end in files["coming.md"]
    assert "draft:" not in files["coming.md"]
    assert end in files["going.md"]
    assert "publishDate" not in files["going.md"]
    assert end in files["ahead.md"]
    assert "publishDate" not in files["ahead.md"]
    assert "draft: true\n" + begin in files["ahead.draft.md"]
    assert "expiryDate" not in files["ahead.draft.md"]
    assert seen(other, "/coming")[2] == DRAFT
    assert times_of(other, "/coming") == times_of(other, "/ahead") == (MAY, JUNE)
    assert times_of(other, "/going") == (None, JUNE)


def test_what_is_due_is_written_as_done(new_site: NewSite, tmp_path: Path) -> None:
    site, other = new_site(), new_site()
    for name in ("come", "gone", "next", "back"):
        site.add(f"/{name}", "Old.", state=DRAFT if name == "come" else PUBLISHED, **DAY)
    for name in ("next", "back"):
        change(site, f"/{name}", body="New.")
    with site.tree() as tree:
        unpublish(tree, site.node(tree, "/back"))
    set_times(site, "/come", publish_at=utcnow() - HOUR)
    set_times(site, "/gone", expire_at=utcnow() - HOUR)
    set_times(site, "/next", publish_at=utcnow() - HOUR)
    assert not [name for name in assert_round_trip(site, other, tmp_path) if "draft" in name]
    assert seen(other, "/come") == ("Old.", "Old.", PUBLISHED)
    assert seen(other, "/gone") == ("Old.", "Old.", DRAFT)
    assert seen(other, "/next") == ("New.", "New.", PUBLISHED)
    assert seen(other, "/back") == ("New.", "New.", DRAFT)


def test_a_draft_that_says_what_readers_see_needs_no_file(site: Site, tmp_path: Path) -> None:
    site.add("/a", "Live.")
    change(site, "/a", body="Next.")
    change(site, "/a", body="Live.")
    assert sorted(export_files(site, tmp_path / "out")) == ["_index.md", "a.md"]


def test_what_a_type_adds_is_drafted_too(new_site: NewSite, tmp_path: Path) -> None:
    site, other = new_site(), new_site()
    site.add("/a", **DAY)
    site.add("/to", cls=Link, title="To", url="https://example.com/", **DAY)
    change(site, "/to", url="", target_id=id_of(site, "/a"))
    files = assert_round_trip(site, other, tmp_path)
    assert "url: a.md" in files["to.draft.md"].decode()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["b", "b.draft"], ["b.draft.md", "b.draft/_index.md", "b.md"]),
        (["b", "b.draft.md", "b.draft.md/c"], ["b/_index.draft.md", "b/_index.md"]),
        (["b", "b/_index.draft.md", "b/_index.draft.md/c"], ["b/index.draft.md", "b/index.md"]),
        (["b", "b/_index.md", "b/_index.md/c"], ["b/index.draft.md", "b/index.md"]),
    ],
)
def test_names_that_look_like_drafts_are_none(
    new_site: NewSite, tmp_path: Path, names: list[str], expected: list[str]
) -> None:
    site, other = new_site(), new_site()
    for name in names:
        site.add(f"/{name}", cls=Folder, title=f"Title of {name}", **DAY)
    change(site, "/b", title="Next")
    assert set(expected) <= set(assert_round_trip(site, other, tmp_path))
    assert outline(other) == outline(site)


def test_a_time_that_was_overtaken_does_not_come_back_with_a_draft(
    new_site: NewSite, files: Files, tmp_path: Path
) -> None:
    site, other = new_site(), new_site()
    head = "---\ntitle: A\ndraft: true\npublishDate: 2091-05-01\n---\n\n"
    import_files(site, files({"a.md": head + "Old."}))
    with site.tree() as tree:
        publish(tree, site.node(tree, "/a"), site.renderer)
    change(site, "/a", body="Next.")
    assert "publishDate" not in assert_round_trip(site, other, tmp_path)["a.draft.md"].decode()
    assert times_of(other, "/a") == (None, None)


def test_what_becomes_due_during_an_export_is_written_as_it_was_before(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("/a", "Live.")
    change(site, "/a", body="Next.")
    plan(site, "/a", utcnow() + HOUR, None)
    places = exporter._places

    def slowly(*given: Any) -> Any:
        found = places(*given)
        monkeypatch.setattr("myproject.tree.node.utcnow", lambda: utcnow() + 2 * HOUR)
        return found

    monkeypatch.setattr(exporter, "_places", slowly)
    files = export_files(site, tmp_path / "out")
    assert b"Live." in files["a.md"]
    assert b"publishDate: " in files["a.draft.md"]


# -- in -------------------------------------------------------------------------------------------


def test_a_draft_comes_in_ahead_of_what_readers_see(site: Site, files: Files) -> None:
    site.add("/a", "Live.", title="A")
    report = import_files(site, files({"a.draft.md": "---\ntitle: A\n---\n\nNext."}))
    assert (report.created, report.updated, report.drafted) == ([], [], [("a",)])
    assert seen(site, "/a") == ("Live.", "Next.", PUBLISHED)
    report = import_files(site, files({"a.draft.md": "---\ntitle: A\n---\n\nNext."}))
    assert (report.updated, report.drafted) == ([], [])


def test_importing_what_was_exported_from_here_changes_nothing(site: Site, tmp_path: Path) -> None:
    site.add("/a", "Live.", **DAY)
    site.add("/b", "B.", state=DRAFT, **DAY)
    change(site, "/a", body="Next.")
    plan(site, "/a", MAY, None)
    plan(site, "/b", MAY, JUNE)
    export_files(site, tmp_path / "out")
    with site.tree() as tree:
        before = tree.session.scalars(select(Revision.id)).all()
    report = import_files(site, tmp_path / "out")
    assert (report.created, report.updated, report.drafted) == ([], [], [])
    with site.tree() as tree:
        assert tree.session.scalars(select(Revision.id)).all() == before
    assert (times_of(site, "/a"), times_of(site, "/b")) == ((MAY, None), (MAY, JUNE))


def test_where_readers_see_nothing_the_draft_is_the_page(site: Site, files: Files) -> None:
    page = "---\ntitle: A\ndraft: true\nweight: 5\ndate: 2026-05-01\n---\n\nOld."
    import_files(site, files({"a.md": page, "a.draft.md": "---\ntitle: New\n---\n\nNew."}))
    assert seen(site, "/a") == ("New.", "New.", DRAFT)
    with site.tree() as tree:
        node = site.node(tree, "/a")
        assert (node.title, node.extra, node.draft_id) == ("New", {"weight": 5}, None)
        assert node.created_at == dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("head", "state", "times", "extra"),
    [
        ("publishDate: 2091-05-01", DRAFT, (MAY, None), {}),
        ("publishDate: '2091-05-01T00:00:00Z'\ndraft: false", DRAFT, (MAY, None), {}),
        ("publishDate: 2001-05-01", PUBLISHED, (None, None), {"publishDate"}),
        ("publishDate: 2091-05-01\ndraft: true", DRAFT, (None, None), {"publishDate"}),
        ("expiryDate: 2091-06-01", PUBLISHED, (None, JUNE), {}),
        ("expiryDate: 2001-06-01", DRAFT, (None, None), {"expiryDate"}),
        ("expiryDate: 2091-06-01\ndraft: true", DRAFT, (None, JUNE), {}),
        ("publishDate: 2091-05-01\nexpiryDate: 2091-06-01", DRAFT, (MAY, JUNE), {}),
        ("publishDate:\nexpiryDate: ''", PUBLISHED, (None, None), {"publishDate", "expiryDate"}),
    ],
)
def test_times_decide_what_readers_see(
    site: Site, files: Files, head: str, state: str, times: Any, extra: Any
) -> None:
    import_files(site, files({"a.md": f"---\ntitle: A\n{head}\n---\n\nText."}))
    assert seen(site, "/a")[2] == state
    assert times_of(site, "/a") == times
    with site.tree() as tree:
        assert set(site.node(tree, "/a").extra) == set(extra)


def test_a_record_of_a_time_is_not_written_once_it_is_wrong(site: Site, tmp_path: Path) -> None:
    site.add("/a", extra={"expiryDate": dt.date(2001, 5, 1), "publishDate": dt.date(2091, 5, 1)})
    site.add("/b", extra={"publishDate": dt.date(2001, 5, 1)})
    files = export_files(site, tmp_path / "out")
    assert b"Date: " not in files["a.md"]
    assert b"publishDate: 2001-05-01" in files["b.md"]


def test_a_file_that_says_nothing_of_times_leaves_them(site: Site, files: Files) -> None:
    site.add("/a", "Live.", title="A")
    change(site, "/a", body="Next.")
    plan(site, "/a", MAY, JUNE)
    report = import_files(site, files({"a.md": "---\ntitle: A\n---\n\nOther."}))
    assert report.updated == [("a",)]
    assert seen(site, "/a") == ("Other.", "Next.", PUBLISHED)
    assert times_of(site, "/a") == (MAY, JUNE)


def test_what_a_file_publishes_is_no_longer_to_come(site: Site, files: Files) -> None:
    site.add("/a", "Text.", title="A", state=DRAFT, stage="review")
    plan(site, "/a", MAY, None)
    import_files(site, files({"a.md": "---\ntitle: A\n---\n\nText."}))
    assert (seen(site, "/a")[2], times_of(site, "/a")) == (PUBLISHED, (None, None))
    with site.tree() as tree:
        assert site.node(tree, "/a").stage == ""


def test_what_a_file_says_is_newer_than_a_draft_of_what_readers_saw(
    site: Site, files: Files
) -> None:
    site.add("/a", "Live.", title="A")
    change(site, "/a", body="Next.")
    with site.tree() as tree:
        unpublish(tree, site.node(tree, "/a"))
    import_files(site, files({"a.md": "---\ntitle: A\ndraft: true\n---\n\nLive."}))
    assert seen(site, "/a") == ("Live.", "Live.", DRAFT)


def test_what_is_due_is_done_before_a_file_is_read(site: Site, files: Files) -> None:
    site.add("/a", "Live.", title="A")
    change(site, "/a", body="Next.")
    set_times(site, "/a", publish_at=utcnow() - HOUR)
    import_files(site, files({"a.md": "---\ntitle: A\n---\n\nFile."}))
    assert seen(site, "/a") == ("File.", "File.", PUBLISHED)
    with site.tree() as tree:
        bodies = [each.fields["body"] for each in tree.session.scalars(select(Revision))]
    assert "Next." in bodies
    assert bodies[-1] == "File."


def test_a_draft_of_what_readers_do_not_see_can_come_on_time(site: Site, files: Files) -> None:
    site.add("/a", "Old.", title="A", state=DRAFT)
    head = "---\ntitle: A\npublishDate: 2091-05-01\n---\n\n"
    import_files(site, files({"a.draft.md": head + "Next."}))
    assert seen(site, "/a") == ("Next.", "Next.", DRAFT)
    assert times_of(site, "/a") == (MAY, None)


def test_what_a_file_takes_back_does_not_come_at_the_time_of_a_draft_that_it_replaces(
    site: Site, files: Files
) -> None:
    site.add("/a", "Live.", title="A")
    change(site, "/a", body="Next.")
    plan(site, "/a", MAY, None)
    with site.tree() as tree:
        tree.set_stage(site.node(tree, "/a"), "review")
    import_files(site, files({"a.md": "---\ntitle: A\ndraft: true\n---\n\nOther."}))
    assert seen(site, "/a") == ("Other.", "Other.", DRAFT)
    assert times_of(site, "/a") == (None, None)
    with site.tree() as tree:
        assert site.node(tree, "/a").stage == ""


@pytest.mark.parametrize(
    ("planned", "head", "times"),
    [
        ((None, MAY), "publishDate: 2091-06-01", (JUNE, None)),
        ((None, JUNE), "publishDate: 2091-05-01", (MAY, JUNE)),
        ((JUNE, None), "expiryDate: 2091-05-01\ndraft: true", (None, MAY)),
        ((MAY, None), "expiryDate: 2091-06-01\ndraft: true", (MAY, JUNE)),
    ],
)
def test_of_times_that_contradict_each_other_that_of_the_file_holds(
    site: Site, files: Files, planned: Any, head: str, times: Any
) -> None:
    site.add("/a", "Text.", title="A", state=DRAFT)
    plan(site, "/a", *planned)
    import_files(site, files({"a.md": f"---\ntitle: A\n{head}\n---\n\nText."}))
    assert times_of(site, "/a") == times


def test_drafts_that_say_the_same_take_no_statement_each(
    site: Site, files: Files, count_statements: Any
) -> None:
    counts = []
    for count in (2, 20):
        pages = {f"p{number}{kind}.md": kind for number in range(count) for kind in ("", ".draft")}
        directory = files(pages)
        import_files(site, directory)
        with count_statements(site.database) as statements:
            assert import_files(site, directory).drafted == []
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({"a.draft.md": "x"}, "a.draft.md: there is no page /a; call a new one a.md, with draft"),
        (
            {"a.draft.Draft.MD": "x"},
            "a.draft.Draft.MD: there is no page /a.draft; call a new one a.draft.md, with draft",
        ),
        (
            {"a.md": "x", "a.draft.md": "---\ncontentType: folder\n---\n"},
            "a.draft.md: /a is a 'page', its draft a 'folder'",
        ),
        (
            {"a.md": "---\npublishDate: 2091-05-01\nexpiryDate: 2091-05-01\n---\n"},
            "a.md:3: expiryDate must come after publishDate",
        ),
        ({"a.md": "---\npublishDate: soon\n---\n"}, "a.md:2: publishDate must be a date"),
        (
            {"_index.draft.md": "x", "index.draft.md": "x"},
            "index.draft.md: has the same address as _index.draft.md: /",
        ),
        (
            {
                "a.md": "---\nexpiryDate: 2091-05-01\n---\n",
                "a.draft.md": "---\npublishDate: 2091-06-01\n---\n\nNew.",
            },
            "a.draft.md: expiryDate: The end must come after the beginning.",
        ),
    ],
)
def test_what_cannot_be_is_named_and_nothing_is_imported(
    site: Site, files: Files, tree: dict[str, str], reason: str
) -> None:
    with pytest.raises(ImportFailed) as failed:
        import_files(site, files(tree))
    assert [str(problem).startswith(reason) for problem in failed.value.problems] == [True]


def test_a_draft_of_nothing_can_be_left_out(site: Site, files: Files) -> None:
    report = import_files(site, files({"a.draft.md": "x", "b.md": "x"}), skip_errors=True)
    assert report.created == [("b",)]
    assert [problem.file for problem in report.problems] == ["a.draft.md"]
