"""The registry of content types."""

from __future__ import annotations

import pytest

from myproject.content.registry import ContentType, ContentTypes
from myproject.content.types import Folder, Page
from myproject.exceptions import ConfigurationProblem, UnknownContentType


@pytest.fixture
def types() -> ContentTypes:
    types = ContentTypes()
    types.add(ContentType("page", Page, "Page"))
    return types


def test_types_are_found_by_name(types: ContentTypes) -> None:
    assert types.require("page").cls is Page
    assert types.get("page") is types.require("page")
    assert [each.name for each in types] == ["page"]


def test_an_unknown_type_is_none_or_an_error_that_names_the_known_ones(types: ContentTypes) -> None:
    assert types.get("folder") is None
    with pytest.raises(UnknownContentType, match=r"'folder'\. Known types: page\."):
        types.require("folder")


def test_metadata_of_a_type_can_be_replaced_and_its_class_cannot(types: ContentTypes) -> None:
    types.add(ContentType("page", Page, "Article"))
    assert types.require("page").title == "Article"
    with pytest.raises(ConfigurationProblem, match=r"twice: by .*\.Page and by .*\.Folder"):
        types.add(ContentType("page", Folder, "Folder"))
