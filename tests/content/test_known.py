"""Content whose type is switched off: copied, exported and named as if it were not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from myproject.content.check import absent_types, broken_links, check_content
from myproject.content.known import KnownType, known_types, record_types
from myproject.content.operations import change_type
from myproject.content.registry import ContentType, ContentTypes
from myproject.content.types import Page
from myproject.db.transaction import mark_changed
from myproject.exceptions import InvalidValue, NotAddable
from myproject.interfaces import IContentTypes
from myproject.testing import Site, sqlite_only
from myproject.tree.node import Node
from myproject.tree.visibility import PUBLISHED_ONLY
from tests.content.conftest import export_files, field_of, id_of
from tests.content.sample import Sample, SamplePage, create_tables

VALUES: dict[str, Any] = {
    "sku": "A-1",
    "unit_price": Decimal("12.50"),
    "stock": 7,
    "weight_kg": 0.1,
    "sold": True,
    "born": dt.date(2026, 5, 1),
    "since": dt.datetime(2026, 5, 1, 12, 0, 0, 5, tzinfo=dt.UTC),
    "opens": dt.time(12, 30),
    "tags": ["b", {"a": 1.0}],
    "facts": {"when": dt.date(2026, 5, 1), 1: "x"},
    "note": "Two\nlines",
    "size": "s",
}


def types_of(site: Site) -> ContentTypes:
    return site.registry.getUtility(IContentTypes)


def record(site: Site) -> bool:
    with site.database.transaction() as session:
        return record_types(session, types_of(site))


def switch_off(site: Site, *names: str) -> ContentTypes:
    """Have the site forget types, and return those that it still has."""
    types = types_of(site)
    for name in names:
        del types._types[name]
    return types


@pytest.fixture
def shop(site: Site) -> Site:
    """A site with the sample's types, some content of them, and all of it on record."""
    create_tables(site.database)
    types = types_of(site)
    types.add(ContentType("sample", Sample, "Sample", addon="samples"))
    types.add(ContentType("sample-page", SamplePage, "Page by", addon="samples"))
    site.add("/s", title="Shop")
    site.add("/s/one", cls=Sample, title="One", **VALUES)
    site.add("/s/one/two", cls=Sample, title="Two", sku="2", extra={"price": 5, "x": 1})
    below = id_of(site, "/s/one")
    site.add("/s/page", f"[one](node:{below})", cls=SamplePage, title="Page", author="Ann")
    record(site)
    return site


def test_types_are_recorded_once(shop: Site) -> None:
    with shop.database.read_session() as session:
        known = known_types(session)
    assert {"page", "folder", "link", "sample", "sample-page"} <= known.keys()
    sample = known["sample"]
    assert (sample.addon, sample.title, sample.tables) == ("samples", "Sample", ["sample"])
    assert known["sample-page"].tables == ["page", "sample_page"]
    assert record(shop) is False
    types_of(shop).add(ContentType("sample", Sample, "Other", addon="samples"))
    assert record(shop) is True
    with shop.database.read_session() as session:
        assert known_types(session)["sample"].title == "Other"


def copy(site: Site) -> None:
    with site.tree() as tree:
        tree.copy(site.node(tree, "/s"), site.node(tree, "/"), "copy")


@contextmanager
def unheard_of(*names: str) -> Iterator[None]:
    """As in a process that has never imported the add-on."""
    mappers = Node.__mapper__.polymorphic_map
    kept = {name: mappers.pop(name) for name in names}
    try:
        yield
    finally:
        mappers.update(kept)


@pytest.mark.parametrize("imported", [True, False])
def test_a_copy_has_the_columns_of_types_that_are_switched_off(shop: Site, imported: bool) -> None:
    switch_off(shop, "sample", "sample-page")
    with unheard_of(*() if imported else ("sample", "sample-page")):
        copy(shop)
    for name, value in VALUES.items():
        assert field_of(shop, "/copy/one", name) == value
    assert field_of(shop, "/copy/one", "shouted") == "ONE"
    assert field_of(shop, "/copy/one/two", "stock") == 3
    assert field_of(shop, "/copy/page", "author") == "Ann"
    assert id_of(shop, "/copy/one") != id_of(shop, "/s/one")


def test_links_in_copies_of_what_is_switched_off_lead_to_the_copies(shop: Site) -> None:
    switch_off(shop, "sample", "sample-page")
    with unheard_of("sample", "sample-page"):
        copy(shop)
    one = id_of(shop, "/copy/one")
    assert field_of(shop, "/copy/page", "body") == f"[one](node:{one})"
    assert f'href="node:{one}"' in field_of(shop, "/copy/page", "body_html")


@sqlite_only
def test_nobody_copies_what_nobody_knows(shop: Site) -> None:
    with shop.tree() as tree:
        tree.session.execute(text("DELETE FROM known_type WHERE name = 'sample'"))
        mark_changed(tree.session)
    with unheard_of("sample", "sample-page"), pytest.raises(NotAddable, match="“sample”"):
        copy(shop)


def test_a_class_whose_tables_another_site_has_is_copied_without_them(site: Site) -> None:
    with site.database.transaction() as session:
        record_types(session, types_of(site))
    site.add("/s")
    site.add("/s/one")
    with site.tree() as tree:
        tree.session.add(KnownType(name="sample", addon="samples", tables=["sample"], fields=[]))
        tree.session.execute(text("UPDATE node SET type = 'sample' WHERE name = 'one'"))
    copy(site)
    with site.tree() as tree:
        query = select(Node.__table__.c.type).where(Node.__table__.c.name == "one")
        assert list(tree.session.scalars(query)) == ["sample", "sample"]


def test_an_export_is_the_same_byte_by_byte_whether_a_type_is_on_or_off(
    shop: Site, tmp_path: Path
) -> None:
    on = export_files(shop, tmp_path / "on")
    assert on["s/one/_index.md"].decode().splitlines()[5:] == [
        *("sku: A-1", "price: '12.50'", "stock: 7", "weight_kg: 0.1", "sold: true"),
        *("born: 2026-05-01", "since: 2026-05-01T12:00:00.000005Z", "opens: 12:30:00"),
        *("tags:", "  - b", "  - a: 1.0", "facts:", "  when: 2026-05-01", "  1: x"),
        *('note: "Two\\nlines"', "size: s", "---", ""),
    ]
    assert b"price" not in on["s/one/two.md"]
    assert on["s/page.md"].endswith(b"author: Ann\n---\n\n[one](one/_index.md)")
    switch_off(shop, "sample", "sample-page")
    assert export_files(shop, tmp_path / "off") == on
    with unheard_of("sample", "sample-page"):
        assert export_files(shop, tmp_path / "gone") == on


def test_what_is_switched_off_is_named_with_its_add_on(shop: Site) -> None:
    types = switch_off(shop, "sample", "sample-page")
    for names in ((), ("sample", "sample-page")):
        with unheard_of(*names), shop.database.read_session() as session:
            assert list(check_content(session, types)) == []
            assert list(absent_types(session, types)) == [
                "2 nodes have the type 'sample' of the add-on 'samples', which is not switched on.",
                "1 node has the type 'sample-page' of the add-on 'samples', "
                "which is not switched on.",
            ]
            assert broken_links(session, types, PUBLISHED_ONLY) == []


def test_stale_references_of_an_add_on_s_pages_are_found(shop: Site) -> None:
    with shop.tree() as tree:
        tree.session.execute(text("DELETE FROM reference"))
        mark_changed(tree.session)
    with shop.database.read_session() as session:
        (finding,) = check_content(session, types_of(shop))
    assert finding.startswith("/s/page: its stored references")


# -- changing types --------------------------------------------------------------------------------


def retype(site: Site, path: str, name: str, values: dict[str, Any] | None = None) -> None:
    with site.tree() as tree:
        change_type(tree, site.node(tree, path), name, types_of(site), values)


def test_a_page_that_becomes_a_page_with_more_keeps_its_text(shop: Site) -> None:
    site = shop
    site.add("/p", "Text.", title="P")
    retype(site, "/p", "sample-page", {"author": "Ann"})
    assert (field_of(site, "/p", "body"), field_of(site, "/p", "author")) == ("Text.", "Ann")
    retype(site, "/p", "page")
    assert field_of(site, "/p", "__class__") is Page
    assert field_of(site, "/p", "body") == "Text."
    with site.tree() as tree:
        assert tree.session.scalar(text("SELECT count(*) FROM sample_page")) == 1


def test_a_type_gets_the_values_that_it_must_have(shop: Site) -> None:
    shop.add("/p", "Text.", title="P")
    with pytest.raises(InvalidValue, match="sku"):
        retype(shop, "/p", "sample")
    with pytest.raises(InvalidValue, match="price"):
        retype(shop, "/p", "sample", {"sku": "1", "unit_price": "much"})
    assert field_of(shop, "/p", "body") == "Text."
    retype(shop, "/p", "sample", {"sku": "1", "unit_price": "1.5"})
    assert field_of(shop, "/p", "unit_price") == Decimal("1.50")
    assert field_of(shop, "/p", "stock") == 3
