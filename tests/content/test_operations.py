"""Saving content, changing its type, and copies that link to each other."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select, text

from myproject.content.operations import change_type, create, save, set_fields
from myproject.content.references import Reference
from myproject.content.types import Folder, Link, Page
from myproject.exceptions import InvalidValue, UnknownContentType
from myproject.interfaces import IContentTypes
from myproject.testing import Site, sqlite_only
from myproject.tree.node import Node
from tests.content.conftest import field_of, id_of

LONG_AGO = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)


def save_at(site: Site, path: str, **values: Any) -> set[str]:
    with site.tree() as tree:
        return save(tree, site.node(tree, path), values, site.renderer)


def references(site: Site) -> set[tuple[int, int]]:
    with site.tree() as tree:
        query = select(Reference.source_id, Reference.target_id)
        return {(source, target) for source, target in tree.session.execute(query)}


def retype(site: Site, path: str, type_name: str) -> None:
    with site.tree() as tree:
        types = site.registry.getUtility(IContentTypes)
        change_type(tree, site.node(tree, path), type_name, types)


def test_a_save_derives_what_follows_from_the_fields(site: Site) -> None:
    b = site.add("/b")
    a = site.add("/a", modified_at=LONG_AGO)
    changed = save_at(site, "/a", title=" New ", body=f"# New\r\n\n## Part\n\n[b](node:{b})\n")
    assert changed == {"title", "body"}
    assert field_of(site, "/a", "title") == "New"
    assert field_of(site, "/a", "body") == f"# New\n\n## Part\n\n[b](node:{b})\n"
    assert f'<a href="node:{b}">b</a>' in field_of(site, "/a", "body_html")
    assert field_of(site, "/a", "toc") == [[2, "part", "Part"]]
    assert field_of(site, "/a", "modified_at") > LONG_AGO
    assert references(site) == {(a, b)}


def test_a_save_that_changes_nothing_writes_nothing(site: Site) -> None:
    site.add("/a", "text", modified_at=LONG_AGO)
    assert save_at(site, "/a", title="a", body="text") == set()
    assert field_of(site, "/a", "modified_at") == LONG_AGO


@sqlite_only
def test_a_date_that_is_given_is_kept(site: Site) -> None:
    site.add("/a")
    save_at(site, "/a", title="b", modified_at=LONG_AGO)
    assert field_of(site, "/a", "modified_at") == LONG_AGO


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "  "),
        ("title", "x" * 501),
        ("nav_title", "x" * 501),
        ("title", "a\0b"),
        ("summary", "a\0b"),
        ("body", "a\0b"),
        ("body", "\ud800"),
    ],
)
def test_a_value_that_cannot_be_is_refused_and_never_written(
    site: Site, field: str, value: str
) -> None:
    site.add("/a", "text", summary="short")
    with site.tree() as tree:
        node = site.node(tree, "/a")
        with pytest.raises(InvalidValue) as caught:
            save(tree, node, {"body": "other", field: value}, site.renderer)
        assert caught.value.field == field
        # Whoever caught the error goes on, and the transaction is committed.
        tree.add(site.node(tree, "/"), Folder(title="x"), "x")
    assert field_of(site, "/a", "title") == "a"
    assert field_of(site, "/a", "body") == "text"
    assert field_of(site, "/a", "summary") == "short"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//host", "relative", "ftp://x", "https://", "/\\host", "x" * 2001],
)
@sqlite_only
def test_a_link_leads_only_where_it_may(site: Site, url: str) -> None:
    site.add("/a", cls=Link, url="/")
    with pytest.raises(InvalidValue) as caught:
        save_at(site, "/a", url=url)
    assert caught.value.field == "url"


@pytest.mark.parametrize(
    "url", ["https://example.org", "HTTP://x", "mailto:a@b.c", "/path?q#f", ""]
)
@sqlite_only
def test_a_link_may_lead_to_the_web_and_to_paths(site: Site, url: str) -> None:
    site.add("/a", cls=Link, url="/x")
    assert save_at(site, "/a", url=url) == {"url"}


@pytest.mark.parametrize(
    "field",
    ["id", "parent_id", "name", "position", "boundary_id", "type", "parent", "nonsense"],
)
@sqlite_only
def test_structure_and_unknown_fields_cannot_be_saved(site: Site, field: str) -> None:
    site.add("/a")
    with site.tree() as tree:
        node = site.node(tree, "/a")
        with pytest.raises(InvalidValue, match=field):
            set_fields(node, {"title": "changed", field: 5})
        assert node.title == "a"


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ({"a": 1}, {"a": 1}, False),
        ({"a": 1}, {"a": True}, True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": float("nan")}, {"a": float("nan")}, False),
    ],
)
def test_metadata_changes_when_a_document_would_read_differently(
    site: Site, old: Any, new: Any, changed: bool
) -> None:
    site.add("/a", extra=old)
    assert bool(save_at(site, "/a", extra=new)) is changed
    assert repr(field_of(site, "/a", "extra")) == repr(new)


# -- types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "type_name", "new_cls"),
    [(Page, "folder", Folder), (Folder, "page", Page), (Page, "link", Link), (Link, "page", Page)],
)
def test_a_node_changes_its_type_where_it_stands(
    site: Site, cls: Any, type_name: str, new_cls: Any
) -> None:
    node_id = site.add("/a", cls=cls, title="Title", extra={"x": 1})
    site.add("/a/below")
    retype(site, "/a", type_name)
    with site.tree() as tree:
        node = site.node(tree, "/a")
        assert type(node) is new_cls
        assert (node.id, node.title, node.extra) == (node_id, "Title", {"x": 1})
        assert node["below"].name == "below"
        assert getattr(node, "body", "") == getattr(node, "url", "") == ""
        tables = {"page", "link"} - {type_name}
        for table in tables:
            query = text(f"SELECT count(*) FROM {table} WHERE id = {node_id}")
            assert tree.session.scalar(query) == 0
    retype(site, "/a", cls.__mapper__.polymorphic_identity)
    site.client.get("/a", status="*")


def test_references_go_with_the_text_that_had_them(site: Site) -> None:
    b = site.add("/b")
    site.add("/a", f"[b](node:{b})")
    retype(site, "/a", "folder")
    assert references(site) == set()


@sqlite_only
def test_the_same_type_changes_nothing(site: Site) -> None:
    site.add("/a", "text")
    retype(site, "/a", "page")
    assert field_of(site, "/a", "body") == "text"


def test_unknown_types_are_left_alone(site: Site) -> None:
    a = site.add("/a", cls=Folder)
    with pytest.raises(UnknownContentType, match="nonsense"):
        retype(site, "/a", "nonsense")
    with site.tree() as tree:
        tree.session.execute(text(f"UPDATE node SET type = 'product' WHERE id = {a}"))
        site.node(tree, "/").title = "New"
    with pytest.raises(UnknownContentType, match="product"):
        retype(site, "/a", "page")


# -- copies ----------------------------------------------------------------------------------------


def copy_of(site: Site, path: str, name: str) -> None:
    with site.tree() as tree:
        node = site.node(tree, path)
        tree.copy(node, node.parent, name)


def test_links_within_a_copied_section_lead_to_the_copies(site: Site) -> None:
    outside = site.add("/outside")
    s = site.add("/s")
    b = site.add("/s/b")
    body = f"[b](node:{b}#f) [self](node:{s}) [out](node:{outside}) `node:{b}`"
    save_at(site, "/s", body=body)
    site.add("/s/link", cls=Link, target_id=b)
    site.add("/s/away", cls=Link, target_id=outside)
    before = references(site)
    copy_of(site, "/s", "t")
    t, tb = id_of(site, "/t"), id_of(site, "/t/b")
    assert field_of(site, "/t", "body") == (
        f"[b](node:{tb}#f) [self](node:{t}) [out](node:{outside}) `node:{b}`"
    )
    html = field_of(site, "/t", "body_html")
    assert f'href="node:{tb}#f"' in html
    assert f"<code>node:{b}</code>" in html
    assert field_of(site, "/t/link", "target_id") == tb
    assert field_of(site, "/t/away", "target_id") == outside
    assert field_of(site, "/s", "body") == body
    assert references(site) - before == {
        (t, tb),
        (t, t),
        (t, outside),
        (id_of(site, "/t/link"), tb),
        (id_of(site, "/t/away"), outside),
    }


def test_a_copy_inside_its_original_has_references_of_its_own(site: Site) -> None:
    s = site.add("/s")
    save_at(site, "/s", body=f"[self](node:{s})")
    with site.tree() as tree:
        node = site.node(tree, "/s")
        tree.copy(node, node, "copy")
    copy = id_of(site, "/s/copy")
    assert references(site) == {(s, s), (copy, copy)}
    with site.tree() as tree:
        assert tree.session.get_one(Node, copy).name == "copy"


def test_a_new_node_is_checked_before_anything_is_written(site: Site) -> None:
    with site.tree() as tree:
        root = site.node(tree)
        with pytest.raises(InvalidValue, match="longer than 500"):
            create(tree, root, Page(title="x" * 501, body=""), site.renderer)
        # Nothing was sent that the database would have refused, so the transaction goes on.
        page = create(tree, root, Page(title="A page", body="*Text*"), site.renderer)
        assert page.name == "a-page"
        other = create(tree, root, Page(title="Other", body=""), site.renderer, "x", before=page)
        assert other.position < page.position
    assert "<em>Text</em>" in site.client.get("/a-page")
