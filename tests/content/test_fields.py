"""What columns say about fields, and which values the fields take."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import DateTime, ForeignKey, LargeBinary, Numeric, String, Time
from sqlalchemy.orm import mapped_column

from myproject.content.fields import (
    base_fields,
    editable_fields,
    fields_of,
    model_of,
    problem_with_fields,
    validate,
)
from myproject.content.registry import ContentType, ContentTypes
from myproject.content.types import Content, Folder, Link, Page
from myproject.db.base import Base, Id
from myproject.exceptions import ConfigurationProblem, InvalidValue
from myproject.tree.node import Node
from tests.content.sample import Sample, SamplePage


def names(cls: type[Node]) -> list[str]:
    return [field.name for field in fields_of(cls)]


def test_the_core_s_own_types_add_no_fields() -> None:
    for cls in (Page, Folder, Link):
        assert names(cls) == []
        assert problem_with_fields(cls) is None
    assert [field.name for field in editable_fields(Page)] == [
        *("title", "summary", "body", "nav_title"),
    ]
    assert [field.name for field in editable_fields(Link)] == [
        *("title", "summary", "target_id", "url", "nav_title"),
    ]
    assert [(field.name, field.key) for field in base_fields()] == [
        ("title", "title"),
        ("nav_title", "linkTitle"),
        ("summary", "description"),
    ]


def test_fields_are_the_columns_that_people_edit() -> None:
    assert names(SamplePage) == ["author"]
    assert "shouted" not in names(Sample)
    fields = {field.name: field for field in fields_of(Sample)}
    sku = fields["sku"]
    assert (sku.label, sku.help, sku.widget, sku.key) == ("SKU", "As printed.", "barcode", "sku")
    assert (sku.type, sku.required, sku.max_length) == (str, True, 20)
    assert fields["unit_price"].label == "Unit price"
    assert fields["unit_price"].key == "price"
    assert (fields["unit_price"].type, fields["unit_price"].digits) == (Decimal, (8, 2))
    assert fields["size"].choices == (("s", "Small"), ("m", "m"))
    assert (fields["stock"].default, fields["stock"].has_default) == (3, True)
    assert not fields["stock"].required
    assert not fields["stock"].nullable
    assert (fields["tags"].default, fields["tags"].generated) == ([], False)
    assert fields["tags"].new_default() is not fields["tags"].default
    assert fields["since"].generated
    assert fields["note"].nullable


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("sku", "a\r\nb", "a\nb"),
        ("unit_price", "12.5", Decimal("12.50")),
        ("unit_price", 12.5, Decimal("12.50")),
        ("unit_price", "-0", Decimal("0.00")),
        ("unit_price", "", None),
        ("stock", " 7 ", 7),
        ("stock", 7.0, 7),
        ("weight_kg", "1e3", 1000.0),
        ("sold", "true", True),
        ("sold", 0, False),
        ("born", "2026-05-01", dt.date(2026, 5, 1)),
        (
            "since",
            "2026-05-01T12:00:00+02:00",
            dt.datetime(2026, 5, 1, 10, tzinfo=dt.UTC),
        ),
        ("opens", "12:30", dt.time(12, 30)),
        ("tags", [1, {"a": None}], [1, {"a": None}]),
        ("facts", {1: dt.date(2026, 5, 1)}, {1: dt.date(2026, 5, 1)}),
        ("size", "s", "s"),
        ("size", None, None),
        ("note", "", ""),
        ("title", "Title", "Title"),
    ],
)
def test_values_become_what_the_column_takes(field: str, value: Any, expected: Any) -> None:
    result = validate(Sample, {field: value})[field]
    assert (type(result), result, str(result)) == (type(expected), expected, str(expected))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("sku", "x" * 21, "longer than 20 characters"),
        ("sku", "", "needs a value"),
        ("sku", None, "needs a value"),
        ("sku", 5, "must be a text"),
        ("sku", "a\0", "cannot be stored"),
        ("unit_price", "12.505", "at most 2 decimal places"),
        ("unit_price", "1234567", "at most 6 digits before the point"),
        ("unit_price", "NaN", "a number such as"),
        ("unit_price", "much", "a number such as"),
        ("unit_price", True, "a number such as"),
        ("stock", "many", "a whole number"),
        ("stock", 1.5, "a whole number"),
        ("stock", True, "a whole number"),
        ("stock", 1 << 31, "between -2147483648 and 2147483647"),
        ("stock", None, "needs a value"),
        ("weight_kg", "nan", "must be a number"),
        ("weight_kg", float("inf"), "must be a number"),
        ("sold", "perhaps", "true or false"),
        ("born", "yesterday", "a date such as"),
        ("born", 5, "a date such as"),
        ("born", dt.datetime(2026, 5, 1, 12), "a date such as"),
        ("since", dt.datetime(2026, 5, 1), "with its time zone"),
        ("since", dt.datetime(1, 1, 1, tzinfo=dt.UTC), "with its time zone"),
        ("since", dt.date(2026, 5, 1), "with its time zone"),
        ("opens", dt.time(1, tzinfo=dt.UTC), "a time such as"),
        ("tags", {1: 2}, "dict cannot be kept"),
        ("tags", [dt.date(2026, 5, 1)], "date cannot be kept"),
        ("tags", float("nan"), "float cannot be kept"),
        ("tags", None, "needs a value"),
        ("tags", ["\ud800"], "cannot be stored"),
        ("facts", [1], "keys and values"),
        ("size", "xl", "one of: s, m"),
        ("title", "x" * 501, "longer than 500"),
        ("shouted", "X", "no such field"),
        ("name", "x", "no such field"),
    ],
)
def test_wrong_values_are_refused_in_plain_words(field: str, value: Any, words: str) -> None:
    with pytest.raises(InvalidValue, match=words) as caught:
        validate(Sample, {field: value})
    assert caught.value.field == field


def test_nesting_without_an_end_is_refused() -> None:
    nested: list[Any] = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(InvalidValue, match="too deeply"):
        validate(Sample, {"tags": nested})


def test_the_model_has_all_fields_their_defaults_and_their_limits() -> None:
    model = model_of(Sample)
    made = model(title="T", sku="1")
    assert (made.stock, made.tags, made.unit_price) == (3, [], None)  # type: ignore[attr-defined]
    schema = model.model_json_schema()
    assert schema["properties"]["sku"]["maxLength"] == 20
    assert schema["properties"]["sku"]["title"] == "SKU"
    assert schema["required"] == ["title", "sku"]
    with pytest.raises(ValueError, match="shouted"):
        model(title="T", sku="1", shouted="X")


def test_a_node_is_checked_and_its_values_become_what_columns_take() -> None:
    node = Sample(title="T", sku="1", unit_price="12.5", born="2026-05-01")
    node.check()
    assert node.unit_price == Decimal("12.50")
    assert node.born == dt.date(2026, 5, 1)
    with pytest.raises(InvalidValue, match="sku"):
        Sample(title="T").check()
    with pytest.raises(InvalidValue, match="stock"):
        Sample(title="T", sku="1", stock="many").check()


def _column(*args: Any, **kwargs: Any) -> Any:
    return mapped_column(*args, nullable=True, **kwargs)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (_column("weight", String), "'weight', which every page has already"),
        (_column(String, info={"key": "aliases"}), "'aliases', which every page"),
        (_column(String, info={"key": "first"}), "which the field 'first' has already"),
        (_column(String, info={"key": ""}), "must be a word"),
        (_column(LargeBinary), "cannot be edited"),
        (_column(DateTime(timezone=True)), "Use String"),
        (_column(Numeric), "must say its digits"),
        (_column(Numeric(30, 2)), "at most 15"),
        (_column(Numeric(5, 2, asdecimal=False)), "cannot be edited"),
        (_column(Time(timezone=True)), "cannot be edited"),
        (_column(ForeignKey("site.id")), "another table"),
        (_column(ForeignKey("node.id")), "may be removed one day"),
        (_column(ForeignKey("node.id", ondelete="CASCADE")), "may be removed one day"),
        (_column(ForeignKey("node.id", ondelete="SET NULL"), default=1), "no default"),
        (_column(ForeignKey("node.id", ondelete="SET NULL")), None),
        (_column(LargeBinary, info={"derived": True}), None),
        (_column(ForeignKey("node.id"), info={"derived": True}), None),
    ],
)
def test_columns_that_no_file_could_hold_are_refused(
    request: pytest.FixtureRequest, column: Any, words: str | None
) -> None:
    name = f"refused_{request.node.callspec.indices['column']}"
    key = mapped_column(Id, ForeignKey("node.id"), primary_key=True)
    members = {
        "__module__": __name__,
        "__tablename__": name,
        "__mapper_args__": {
            "polymorphic_identity": name,
            "inherit_condition": key.column == Node.__table__.c.id,
        },
        "id": key,
        "first": mapped_column(String),
        "second": column,
    }
    cls: Any = type(name, (Content,), members)
    Base.metadata.remove(cls.__table__)
    problem = problem_with_fields(cls)
    types = ContentTypes()
    if words is None:
        assert problem is None
        types.add(ContentType(name, cls, "Refused"))
        return
    assert problem is not None
    assert words in problem
    assert problem.startswith(f"{__name__}.{name}.second ")
    with pytest.raises(ConfigurationProblem):
        types.add(ContentType(name, cls, "Refused"))
