"""What subscribers learn of content that was saved, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from myproject.content.events import ContentSaved
from myproject.content.operations import change_type, finish, save
from myproject.content.references import Reference
from myproject.content.types import Folder, Page
from myproject.interfaces import IContentTypes
from myproject.testing import Site, sqlite_only
from myproject.tree.events import Committed, NodeAdded, NodeCopied
from myproject.tree.operations import Tree
from tests.content.conftest import field_of, import_files


def saved(told: list[Any]) -> list[ContentSaved]:
    return [event for event in told if isinstance(event, ContentSaved)]


def with_tree(site: Site, told: Callable[[Any], None], act: Callable[[Tree], Any]) -> Any:
    with site.database.transaction() as session:
        return act(Tree(session, notify=told))


def save_at(site: Site, told: Callable[[Any], None], path: str, **values: Any) -> set[str]:
    return with_tree(
        site, told, lambda tree: save(tree, site.node(tree, path), values, site.renderer)
    )


def test_a_save_is_told_when_everything_is_written_and_again_after_the_commit(site: Site) -> None:
    b, a = site.add("/b"), site.add("/a")
    told: list[Any] = []

    def subscriber(event: Any) -> None:
        told.append(event)
        if isinstance(event, ContentSaved):
            page = event.node
            assert isinstance(page, Page)
            html = session.connection().scalar(select(Page.body_html).where(Page.id == a))
            assert html == page.body_html == f'<p><a href="node:{b}">b</a></p>\n'
            found = session.connection().scalars(select(Reference.target_id))
            assert list(found) == [b]

    with site.database.transaction() as session:
        tree = Tree(session, notify=subscriber)
        node = site.node(tree, "/a")
        save(tree, node, {"title": " New ", "body": f"[b](node:{b})"}, site.renderer)
        event = ContentSaved(a, node, frozenset({"title", "body"}))
        assert told == [event]
    assert told == [event, Committed(event)]


@sqlite_only
def test_a_save_that_changes_nothing_is_not_told(site: Site) -> None:
    site.add("/a", "text")
    told: list[Any] = []
    assert save_at(site, told.append, "/a", title="a", body="text") == set()
    assert told == []


@sqlite_only
def test_a_new_node_is_told_with_all_its_fields_after_it_was_added(site: Site) -> None:
    told: list[Any] = []

    def add(tree: Tree) -> None:
        node = tree.add(site.node(tree, "/"), Page(title="A"), "a")
        finish(tree, node, site.renderer)

    with_tree(site, told.append, add)
    assert [type(event) for event in told[:2]] == [NodeAdded, ContentSaved]
    assert {"title", "body", "body_html", "state"} <= told[1].changed
    assert not {"id", "parent_id", "name", "position", "boundary_id", "type"} & told[1].changed


def test_a_subscriber_that_raises_vetoes_the_save(site: Site) -> None:
    site.add("/a", "text")

    def veto(event: Any) -> None:
        raise PermissionError("not today")

    with pytest.raises(PermissionError):
        save_at(site, veto, "/a", body="other")
    assert field_of(site, "/a", "body") == "text"


@sqlite_only
def test_another_type_is_told(site: Site) -> None:
    a = site.add("/a", "text")
    told: list[Any] = []

    def retype(tree: Tree) -> None:
        types = site.registry.getUtility(IContentTypes)
        node = change_type(tree, site.node(tree, "/a"), "folder", types)
        assert told == [ContentSaved(a, node, frozenset({"type"}))]
        assert isinstance(told[0].node, Folder)
        change_type(tree, node, "folder", types)

    with_tree(site, told.append, retype)
    assert [type(event) for event in told] == [ContentSaved, Committed]


@sqlite_only
def test_a_copied_page_is_told_as_a_copy_only(site: Site) -> None:
    a = site.add("/a")
    site.add("/a/b", f"[a](node:{a})")
    told: list[Any] = []
    with_tree(
        site,
        told.append,
        lambda tree: tree.copy(site.node(tree, "/a"), site.node(tree, "/"), "copy"),
    )
    assert [type(event) for event in told] == [NodeCopied, Committed]


@sqlite_only
def test_an_import_tells_what_it_saved_and_nothing_else(
    site: Site, files: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add("/same", "text", title="Same")
    site.add("/changed", "text", title="Changed")
    directory = files(
        {
            "same.md": "---\ntitle: Same\n---\n\ntext",
            "changed.md": "---\ntitle: Changed\n---\n\nother",
            "new.md": "new",
            "sub/a.md": "a",
        }
    )
    told: list[Any] = []
    monkeypatch.setattr(site.registry, "notify", told.append)
    import_files(site, directory)
    by_name = {event.node.name: event.changed for event in saved(told)}
    assert set(by_name) == {"changed", "new", "sub", "a"}
    assert by_name["changed"] == {"body"}
    assert len(saved(told)) == 4
