"""Drafts that lack required fields: where they may, and that none of them is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myproject.content.fields import missing_fields, validate
from myproject.content.operations import create, save
from myproject.content.registry import ContentType
from myproject.exceptions import InvalidValue, NotComplete
from myproject.interfaces import IContentTypes
from myproject.testing import Site
from myproject.tree.node import DRAFT, PUBLISHED
from tests.content.conftest import export_files, field_of, import_files
from tests.content.sample import Sample, create_tables


@pytest.fixture
def shop(site: Site) -> Site:
    create_tables(site.database)
    types = site.registry.getUtility(IContentTypes)
    types.add(ContentType("sample", Sample, "Sample", incomplete_drafts=True))
    return site


def test_empty_is_what_the_column_can_hold() -> None:
    assert validate(Sample, {"sku": None}, incomplete=True) == {"sku": ""}
    assert validate(Sample, {"sku": "  "}, incomplete=True) == {"sku": "  "}
    # A number that must be there must be there: its column could not be without.
    with pytest.raises(InvalidValue, match="needs a value"):
        validate(Sample, {"stock": None}, incomplete=True)
    with pytest.raises(InvalidValue, match="needs a value"):
        validate(Sample, {"title": ""}, incomplete=True)
    # What is there must be right.
    with pytest.raises(InvalidValue, match="longer than 20"):
        validate(Sample, {"sku": "x" * 21}, incomplete=True)


def test_a_draft_is_saved_without_and_published_only_with(shop: Site) -> None:
    with shop.tree() as tree:
        root = shop.node(tree, "/")
        draft: Any = Sample(title="Cup", state=DRAFT)
        with pytest.raises(InvalidValue, match="sku"):
            create(tree, root, Sample(title="Cup", state=DRAFT), shop.renderer)
        with pytest.raises(InvalidValue, match="sku"):
            create(tree, root, Sample(title="Cup"), shop.renderer, incomplete=True)
        create(tree, root, draft, shop.renderer, incomplete=True)
        assert draft.sku == ""
        assert [field.name for field in missing_fields(draft)] == ["sku"]
        save(tree, draft, {"stock": 5}, shop.renderer, incomplete=True)
        with pytest.raises(InvalidValue, match="sku"):
            save(tree, draft, {"stock": 6}, shop.renderer)
    with (
        pytest.raises(NotComplete, match=r"“Cup” cannot be published yet.*needs: SKU\."),
        shop.tree() as tree,
    ):
        tree.set_state(shop.node(tree, "/cup"), PUBLISHED)
    assert field_of(shop, "/cup", "state") == DRAFT


def test_what_is_complete_is_published(shop: Site) -> None:
    with shop.tree() as tree:
        draft = Sample(title="Cup", state=DRAFT)
        create(tree, shop.node(tree, "/"), draft, shop.renderer, incomplete=True)
        save(tree, draft, {"sku": "A"}, shop.renderer, incomplete=True)
        assert missing_fields(draft) == []
        tree.set_state(draft, PUBLISHED)
    assert field_of(shop, "/cup", "state") == PUBLISHED


def test_files_may_be_incomplete_in_the_same_way(
    shop: Site, files: Callable[..., Path], tmp_path: Path
) -> None:
    head = "---\ntitle: T\ncontentType: sample\n"
    report = import_files(
        shop, files({"a.md": head + "draft: true\n---\n", "b.md": head + "---\n"}), skip_errors=True
    )
    assert report.created == [("a",)]
    assert "needs a value" in str(report.problems[0])
    assert "sku: ''\n" in export_files(shop, tmp_path / "out")["a.md"].decode()
    assert import_files(shop, tmp_path / "out").updated == []
