"""Fields of a node out of a file, and back."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest

from myproject.content.transfer.document import (
    Document,
    document_from,
    front_matter_of,
    is_bare_folder,
    weight_of,
)
from myproject.content.transfer.frontmatter import FrontMatterError, parse
from myproject.content.types import Folder, Link, Page

NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
MIDNIGHT = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def document(text: str, name: str = "some-page") -> Document:
    return document_from(text, *parse(text), name)


def page(cls: Any = Page, **fields: Any) -> Any:
    values = {
        "title": "A",
        "nav_title": "",
        "summary": "",
        "state": "published",
        "created_at": NOON,
        "modified_at": NOON,
        "extra": {},
        "type": cls.__mapper__.polymorphic_identity,
    }
    return cls(**{**values, **fields})


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: Given\n---\n# Heading\n", "Given"),
        ('---\ntitle: "  spaced\\n"\n---\n', "spaced"),
        ("---\ntitle: 2026\n---\n", "2026"),
        ("---\ntitle:\n---\n# Heading\n", "Heading"),
        ("# Heading #\n\ntext", "Heading"),
        ("\n\n# The `code` and **bold** [link](/x)\ntext", "The code and bold link"),
        ("Underlined\n==========\n", "Underlined"),
        ("## Too small\n", "Some page"),
        ("text\n\n# Later\n", "Some page"),
        ("# " + "x" * 600, "x" * 500),
        ("#\n", "Some page"),
        ("", "Some page"),
    ],
)
def test_a_page_has_the_best_title_that_can_be_found(text: str, title: str) -> None:
    assert document(text).fields["title"] == title


@pytest.mark.parametrize(
    ("meta", "summary", "extra"),
    [
        ("description: d", "d", {}),
        ("summary: s", "s", {}),
        ("description: d\nsummary: s", "d", {"summary": "s"}),
        ("description:\nsummary: s", "s", {}),
        ("description: ''\nsummary: s", "", {"summary": "s"}),
        ("description: >\n  folded\n  text\n", "folded text", {}),
    ],
)
def test_the_description_is_the_summary(meta: str, summary: str, extra: dict[str, Any]) -> None:
    found = document(f"---\n{meta}\n---\n")
    assert (found.fields["summary"], found.extra) == (summary, extra)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-05-01", MIDNIGHT),
        ("2026-05-01T12:00:00", NOON),
        ("2026-05-01T12:00:00Z", NOON),
        ("2026-05-01T14:00:00+02:00", NOON),
        ("'2026-05-01T12:00:00Z'", NOON),
        ("2026-05-01T12:00:00.5Z", NOON.replace(microsecond=500000)),
    ],
)
def test_dates_become_moments_in_utc(value: str, moment: dt.datetime) -> None:
    fields = document(f"---\ndate: {value}\nlastmod: {value}\n---\n").fields
    assert (fields["created_at"], fields["modified_at"]) == (moment, moment)


@pytest.mark.parametrize("value", ["", "''", "null"])
def test_an_empty_date_is_none(value: str) -> None:
    assert "created_at" not in document(f"---\ndate: {value}\n---\n").fields


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("true", "draft"),
        ("yes", "draft"),
        ("'True'", "draft"),
        ("false", "published"),
        ("", "published"),
    ],
)
def test_draft_is_a_flag(value: str, state: str) -> None:
    assert document(f"---\ndraft: {value}\n---\n").fields["state"] == state


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("---\na: 1\ntitle: [x]\n---\n", 3, "title must be a text"),
        ("---\na: 1\ntitle: " + "x" * 501 + "\n---\n", 3, "longer than 500"),
        ("---\nlinkTitle: {}\n---\n", 2, "linkTitle"),
        ("---\na: 1\ndraft: 1\n---\n", 3, "true or false"),
        ("---\na: 1\ndate: soon\n---\n", 3, "date must be"),
        ("---\na: 1\nlastmod: 5\n---\n", 3, "lastmod must be"),
        ("---\ndate: 0001-01-01T00:00:00+10:00\n---\n", 2, "date must be"),
        ("---\ncontentType: folder\n---\n\ntext\nmore", 5, "can have no text"),
        ("---\r\ncontentType: link\r\n---\r\ntext", 4, "can have no text"),
        ("---\ncontentType: link\nurl: javascript:x\n---\n", 3, "url must"),
        ("---\ncontentType: link\nurl: //host\n---\n", 3, "url must"),
        ("---\ncontentType: link\nurl: node:5\n---\n", 3, "url must"),
        ("---\ncontentType: link\nurl: [a]\n---\n", 3, "url must"),
        ("---\ncontentType: link\nurl: /" + "x" * 2000 + "\n---\n", 3, "2000"),
    ],
)
def test_a_value_without_sense_is_named_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(FrontMatterError) as caught:
        document(text.replace("\r\n", "\n"))
    assert caught.value.line == line
    assert reason in caught.value.reason


def test_what_no_column_claims_is_kept_in_order() -> None:
    found = document("---\nz: 1\ntitle: A\na: {b: [1]}\nurl: /x\n---\n")
    assert list(found.extra.items()) == [("z", 1), ("a", {"b": [1]}), ("url", "/x")]


@pytest.mark.parametrize(
    ("extra", "weight"),
    [
        ({}, None),
        ({"weight": 0}, None),
        ({"weight": 5}, 5),
        ({"weight": -1.5}, -1.5),
        ({"order": 3}, 3),
        ({"weight": "heavy", "order": 3}, 3),
        ({"weight": True}, None),
        ({"weight": math.nan, "order": 2}, 2),
        ({"weight": math.inf}, math.inf),
    ],
)
def test_the_first_number_is_the_weight(extra: dict[str, Any], weight: float | None) -> None:
    assert weight_of(extra) == weight


@pytest.mark.parametrize(
    ("aliases", "expected"),
    [("/a", ("/a",)), (["/a", 5, "/b"], ("/a", "/b")), (None, ()), ({"x": 1}, ())],
)
def test_aliases_are_texts(aliases: Any, expected: tuple[str, ...]) -> None:
    assert document_from("", {"aliases": aliases}, "", "x").aliases == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (page(), ["title", "date", "lastmod"]),
        (page(state="draft"), ["title", "date", "lastmod", "draft"]),
        (
            page(nav_title="N", summary="S"),
            ["title", "linkTitle", "description", "date", "lastmod"],
        ),
        (page(extra={"summary": "x"}), ["title", "description", "date", "lastmod", "summary"]),
        (page(extra={"title": "x", "a": 1}), ["title", "date", "lastmod", "a"]),
        (page(Folder), ["title", "contentType", "date", "lastmod"]),
        (page(Link, url="/x"), ["title", "contentType", "date", "lastmod", "url"]),
    ],
)
def test_front_matter_has_known_keys_first_and_nothing_needless(
    node: Any, expected: list[str]
) -> None:
    assert list(front_matter_of(node)) == expected


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"a": 1}, {"weight": 10, "a": 1}),
        ({"a": 1, "weight": 5}, {"a": 1, "weight": 10}),
        ({"order": 5, "a": 1}, {"order": 10, "a": 1}),
        ({"weight": "heavy"}, {"order": 10, "weight": "heavy"}),
        ({"weight": "heavy", "order": "x"}, {"weight": 10, "order": "x"}),
    ],
)
def test_a_written_weight_takes_the_place_of_the_old_one(
    extra: dict[str, Any], expected: dict[str, Any]
) -> None:
    meta = front_matter_of(page(extra=extra), weight=10)
    assert list(meta.items())[3:] == list(expected.items())


@pytest.mark.parametrize(
    ("fields", "bare"),
    [
        ({}, True),
        ({"title": "Other"}, False),
        ({"nav_title": "N"}, False),
        ({"summary": "S"}, False),
        ({"state": "draft"}, False),
        ({"extra": {"a": 1}}, False),
    ],
)
def test_a_folder_that_says_nothing_needs_no_file(fields: dict[str, Any], bare: bool) -> None:
    assert is_bare_folder(page(Folder, name="my-docs", **{"title": "My docs", **fields})) is bare
    assert not is_bare_folder(page(name="my-docs", **{"title": "My docs", **fields}))
