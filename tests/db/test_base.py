"""Column types: what goes in comes out, on every database."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, insert, select
from sqlalchemy.exc import StatementError

from myproject.db.base import NAMING_CONVENTION, Base, Id, TaggedJSON, UTCDateTime, utcnow

TABLE = Table(
    "sample",
    MetaData(),
    Column("id", Id, primary_key=True),
    Column("at", UTCDateTime),
    Column("data", TaggedJSON),
)


@pytest.fixture
def connection(database):
    with database.writer.connect() as connection:
        TABLE.create(connection)
        yield connection


def stored(connection, column, value):
    (key,) = connection.execute(insert(TABLE).values({column: value})).inserted_primary_key
    return connection.scalar(select(TABLE.c[column]).where(TABLE.c.id == key))


@pytest.fixture
def examples():
    return settings(max_examples=100, deadline=None, derandomize=True, database=None)


def test_a_naive_time_is_refused(connection):
    with pytest.raises(StatementError, match="has no time zone"):
        stored(connection, "at", dt.datetime(2026, 5, 1, 12))


def test_times_come_back_in_utc_to_the_microsecond(connection, examples):
    offsets = st.integers(-14 * 60, 14 * 60).map(lambda n: dt.timezone(dt.timedelta(minutes=n)))
    times = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2400, 1, 1), timezones=offsets)

    @examples
    @given(times)
    def check(value):
        result = stored(connection, "at", value)
        assert result == value
        assert result.tzinfo is dt.UTC

    check()


def test_times_are_compared_as_times_whatever_their_zone(connection):
    noon = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
    stored(connection, "at", noon)
    east = dt.timezone(dt.timedelta(hours=9))
    for value, earlier in [(noon.astimezone(east), False), (noon + dt.timedelta.resolution, True)]:
        found = connection.scalars(select(TABLE.c.id).where(TABLE.c.at < value.astimezone(east)))
        assert bool(found.all()) == earlier


def test_no_time_stays_no_time(connection):
    assert stored(connection, "at", None) is None


def test_now_is_aware():
    assert utcnow().tzinfo is dt.UTC


keys = st.text(max_size=10) | st.sampled_from(["$date", "$map", "$float", "$", "a"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | keys
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=st.just(dt.UTC))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
        | st.dictionaries(keys | st.integers() | st.dates(), inner, max_size=3)
    ),
    max_leaves=10,
)


def exactly(value):
    """Something to compare that knows types and the order of keys."""
    if isinstance(value, dict):
        return dict, [(exactly(key), exactly(item)) for key, item in value.items()]
    if isinstance(value, list):
        return list, [exactly(item) for item in value]
    return type(value), value


def test_tagged_json_gives_back_what_it_was_given(connection, examples):
    @examples
    @given(st.dictionaries(keys, values, max_size=4))
    def check(value):
        assert exactly(stored(connection, "data", value)) == exactly(value)

    check()


def test_tagged_json_keeps_what_json_does_not_have(connection):
    value = {
        "z": dt.date(2026, 5, 1),
        "a": [dt.time(12, 30), math.inf, -math.inf],
        "m": {1: "one", False: "no", None: {"$date": "not a date"}},
        "$map": [],
    }
    result = stored(connection, "data", value)
    assert exactly(result) == exactly(value)
    assert list(result) == ["z", "a", "m", "$map"]
    assert math.isnan(stored(connection, "data", {"n": math.nan})["n"])


def test_every_constraint_has_a_name_that_a_migration_can_use():
    assert Base.metadata.naming_convention == NAMING_CONVENTION
    for table in Base.metadata.tables.values():
        assert all(constraint.name for constraint in table.constraints)
        assert all(index.name for index in table.indexes)
