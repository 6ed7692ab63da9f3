"""The index follows what happens to pages, in the same transaction."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text

from myproject.addons.search.models import DOCUMENT
from myproject.addons.search.texts import LONGEST_TEXT
from myproject.content.operations import change_type, save
from myproject.content.types import Folder
from myproject.interfaces import IContentTypes
from myproject.testing import Site


class Note(Folder):
    """A type that shares a table, as those of add-ons may."""

    __mapper_args__ = {"polymorphic_identity": "search_note"}

    def search_text(self) -> str:
        """What is searched besides the title."""
        return "marjoram"


def notes(config):
    config.add_content_type(Note, "Note")


class Stop(Exception):
    """Ends a transaction."""


def documents(site: Site) -> int:
    with site.database.read_session() as session:
        return session.scalar(select(func.count()).select_from(DOCUMENT)) or 0


def test_a_save_is_found_at_once(site, found):
    site.add("/page", "First words.", title="Page")
    assert found(site.client, "first") == ["Page"]
    with site.tree() as tree:
        save(tree, site.node(tree, "/page"), {"body": "Other.", "title": "Leaf"}, site.renderer)
    assert found(site.client, "first") == found(site.client, "page") == []
    assert found(site.client, "other leaf") == ["Leaf"]


def take_back(site: Site, act) -> None:
    """Do something in a transaction that is aborted."""

    def run() -> None:
        with site.tree() as tree:
            act(tree, site.node(tree, "/page"))
            raise Stop

    with pytest.raises(Stop):
        run()


def test_what_is_taken_back_leaves_the_index_as_it_was(site, found):
    site.add("/page", "First words.", title="Page")
    take_back(site, lambda tree, page: save(tree, page, {"body": "Second."}, site.renderer))
    take_back(site, lambda tree, page: tree.copy(page, site.node(tree), "copy"))
    take_back(site, lambda tree, page: tree.purge(page))
    assert found(site.client, "first") == ["Page"]
    assert found(site.client, "second") == []
    assert documents(site) == 2


def test_moving_and_renaming_write_nothing(site, found):
    site.add("/a", title="A")
    site.add("/a/page", "Salt.", title="Page")
    site.add("/b", title="B")
    with site.tree() as tree:
        page = site.node(tree, "/a/page")
        with site.statements() as seen:
            tree.move(page, site.node(tree, "/b"), "moved")
        assert not any("search" in statement for statement in seen)
    assert found(site.client, "salt", "/a/@@search") == []
    assert found(site.client, "salt", "/b/@@search") == ["Page"]
    site.make_private("/b")
    assert found(site.client, "salt") == []


def test_a_copied_section_is_found_and_takes_one_statement(site, found):
    site.add("/a", "Salt.", title="Top")
    for number in range(30):
        site.add(f"/a/p{number}", "Salt.", title=f"Page {number}")
    with site.tree() as tree:
        with site.statements() as seen:
            tree.copy(site.node(tree, "/a"), site.node(tree), "b")
        writing = [statement for statement in seen if "search_document" in statement]
    assert len(writing) == 1
    assert len(found(site.client, "salt", "/b/@@search", page="2")) == 11
    assert site.run("search", "check").exit_code == 0


def test_what_is_deleted_is_gone_with_all_below(site, found):
    before = documents(site)
    site.add("/a", "Salt.")
    for path in ("/a/b", "/a/b/c", "/a/b/c/d"):
        site.add(path, "Salt.")
    assert documents(site) == before + 4
    with site.tree() as tree:
        tree.purge(site.node(tree, "/a"))
    assert documents(site) == before
    assert found(site.client, "salt") == []
    if site.database.is_sqlite:
        with site.database.writer.begin() as connection:
            # Fails where the full-text tables have what the documents do not, and vice versa.
            for name in ("search_index", "search_titles"):
                check = f"INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)"
                connection.execute(text(check))
            left = connection.scalar(
                text("SELECT count(*) FROM search_index WHERE search_index MATCH 'salt'")
            )
        assert left == 0


def test_a_type_says_itself_what_is_searched(make_site, found):
    site = make_site(notes, addons="search")
    site.add("/note", cls=Note, title="A note")
    assert found(site.client, "marjoram") == ["A note"]
    off = make_site(addons="search")
    assert found(off.client, "marjoram") == []
    assert "A note" not in off.client.get("/@@search-suggestions?q=note").text
    assert off.run("search", "check").exit_code == 0
    assert found(make_site(notes, addons="search").client, "marjoram") == ["A note"]


def test_changing_the_type_changes_what_is_found(site, found):
    site.add("/page", "Salt.", title="Page")
    with site.tree() as tree:
        change_type(
            tree, site.node(tree, "/page"), "folder", site.registry.getUtility(IContentTypes)
        )
    assert found(site.client, "salt") == []
    assert found(site.client, "page") == ["Page"]


def test_a_huge_page_can_be_saved(site, found):
    words = " ".join(f"{number:x}" for number in range(0x1000, 0x1000 + LONGEST_TEXT // 4))
    site.add("/huge", f"begin {words} end", title="Huge")
    assert found(site.client, "begin 1000") == ["Huge"]
    many = " ".join(chr(0x4E00 + number) + chr(0x3400 + number % 6000) for number in range(20_000))
    site.add("/han", many * 5, title="Han")
    assert found(site.client, "\u4e00\u3400") == ["Han"]


def test_switched_on_later_the_index_is_made_by_command(make_site, found):
    before = make_site()
    for number in range(130):
        before.add(f"/p{number}", "Salt.", title=f"Page {number}")
    site = make_site(addons="search")
    boss = site.sign_in("ada", "administrator")
    assert found(site.client, "salt") == []
    assert "search reindex" in boss.get("/@@search?q=salt").text
    assert "search reindex" not in site.client.get("/@@search?q=salt").text
    checked = site.run("search", "check")
    assert checked.exit_code == 1
    assert "131 pages missing in the index, 0 stale." in checked.output
    assert "Indexed 131 pages." in site.run("search", "reindex").output
    assert site.run("search", "check").output == "The index is up to date.\n"
    assert "up to date" in site.run("search", "reindex").output
    assert "Indexed 131 pages." in site.run("search", "reindex", "--all").output
    assert len(found(site.client, "salt")) == 20
    assert "search reindex" not in boss.get("/@@search?q=nothing").text


def test_reindexing_goes_on_with_what_is_left(make_site, found):
    before = make_site()
    for number in range(5):
        before.add(f"/p{number}", "Salt.", title=f"Page {number}")
    site = make_site(addons="search")
    with site.tree() as tree:
        save(tree, site.node(tree, "/p1"), {"body": "Pepper."}, site.renderer)
        page = site.node(tree, "/p1")
        page.modified_at = page.modified_at.replace(microsecond=1, year=2000)
    assert "5 pages missing in the index, 1 stale." in site.run("search", "check").output
    assert "Indexed 6 pages." in site.run("search", "reindex").output
    assert found(site.client, "pepper") == ["Page 1"]


def test_another_language_makes_documents_stale(make_site, found):
    site = make_site(addons="search")
    site.add("/page", "She was installing things.", title="Page")
    assert found(site.client, "installed") == []
    english = make_site(addons="search", **{"search.language": "english"})
    if site.database.is_sqlite:
        assert english.run("search", "check").exit_code == 0
        return
    assert english.run("search", "check").exit_code == 1
    english.run("search", "reindex")
    assert found(english.client, "installed") == ["Page"]
    assert found(english.client, "the") == []
    assert "<mark>installing</mark>" in english.client.get("/@@search?q=installed").text


def test_the_health_check_passes(site):
    assert site.run("health").exit_code == 0
