"""Content as JSON: there and back without loss, and what is refused on the way."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myproject.content.as_json import from_json, json_schema_of, to_json
from myproject.content.fields import editable_fields, validate
from myproject.content.types import Link, Page
from myproject.exceptions import InvalidValue
from tests.content.sample import Sample
from tests.content.transfer.test_own_columns import SAMPLES

BASE = {"title": "T", "sku": "1"}


@settings(max_examples=150, deadline=None, database=None)
@given(SAMPLES, st.none() | st.integers(1, (1 << 63) - 1))
def test_whatever_a_node_says_comes_back_out_of_json(values: Any, related: int | None) -> None:
    given_values = {key: value for key, value in values.items() if key != "extra"}
    fields = {field.name: field.new_default() for field in editable_fields(Sample)}
    fields |= {"title": "T", "since": dt.datetime(2026, 5, 1, tzinfo=dt.UTC), "related_id": related}
    wanted = validate(Sample, fields | given_values)
    text = json.dumps(to_json(Sample(**wanted)), allow_nan=False)
    found = from_json(Sample, json.loads(text))
    assert {key: type(value) for key, value in found.items()} == {
        key: type(value) for key, value in wanted.items()
    }
    # As text, which tells 1, 1.0 and true apart.
    assert json.dumps(to_json(Sample(**found)), allow_nan=False) == text
    plain = [key for key in wanted if key != "facts"]
    assert [found[key] for key in plain] == [wanted[key] for key in plain]


def test_what_each_kind_of_column_becomes() -> None:
    node = Sample(
        **BASE,
        nav_title="",
        summary="",
        unit_price=Decimal("12.50"),
        stock=3,
        sold=True,
        born=dt.date(2026, 5, 1),
        since=dt.datetime(2026, 5, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        opens=dt.time(12, 30),
        facts={1: dt.date(2026, 5, 1)},
        related_id=12,
    )
    data = to_json(node)
    assert (data["unit_price"], data["stock"], data["sold"]) == ("12.50", 3, True)
    assert (data["born"], data["since"]) == ("2026-05-01", "2026-05-01T10:00:00Z")
    assert (data["opens"], data["related_id"]) == ("12:30:00", 12)
    assert data["facts"] == {"$map": [[1, {"$date": "2026-05-01"}]]}
    assert "shouted" not in data


def test_fields_that_are_left_out_get_their_defaults() -> None:
    values = from_json(Sample, BASE)
    assert (values["stock"], values["size"], values["tags"]) == (3, "m", [])
    # Another one each time, so only the database makes it.
    assert "since" not in values
    assert from_json(Page, {"title": "T"})["body"] == ""
    assert set(from_json(Link, {"title": "T", "target_id": 5})) == {
        *("title", "summary", "target_id", "url", "nav_title")
    }


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"title": "T"}, "sku", "needs a value"),
        ({"sku": "1"}, "title", "needs a value"),
        ({**BASE, "shouted": "X"}, "shouted", "no such field"),
        ({**BASE, "id": 5}, "id", "no such field"),
        ({**BASE, "related_id": 0}, "related_id", "number of a page"),
        ({**BASE, "related_id": "docs"}, "related_id", "number of a page"),
        ({**BASE, "facts": {"a": {"$date": "soon"}}}, "facts", "marked as what it is not"),
        ({**BASE, "facts": {"$map": 5}}, "facts", "marked as what it is not"),
        ({**BASE, "facts": {"$map": [[{}, 1]]}}, "facts", "marked as what it is not"),
        ({**BASE, "since": "2026-05-01T12:00:00"}, "since", "time zone"),
        ({**BASE, "stock": True}, "stock", "whole number"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(data: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidValue, match=words) as caught:
        from_json(Sample, data)
    assert caught.value.field == field


def test_a_draft_may_be_incomplete_where_its_columns_can_hold_that() -> None:
    assert from_json(Sample, {"title": "T"}, incomplete=True)["sku"] == ""
    with pytest.raises(InvalidValue, match="title"):
        from_json(Sample, {"title": " "}, incomplete=True)


def test_the_schema_says_what_forms_say() -> None:
    schema = json_schema_of(Sample)
    properties = schema["properties"]
    assert schema["required"] == ["title", "sku"]
    assert schema["additionalProperties"] is False
    assert (properties["sku"]["title"], properties["sku"]["description"]) == ("SKU", "As printed.")
    assert properties["size"]["enum"] == ["s", "m", None]
    assert properties["related_id"]["format"] == "node-id"
    body = json_schema_of(Page)["properties"]["body"]
    assert (body["title"], body["contentMediaType"]) == ("Text", "text/markdown")
    assert json.loads(json.dumps(schema)) == schema
