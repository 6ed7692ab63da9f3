"""Taking files apart and putting them together again."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myproject.content.transfer.frontmatter import FrontMatterError, dump, line_of, parse

UTC = dt.UTC
EAST = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(
    ("text", "meta", "body"),
    [
        ("", {}, ""),
        ("just text", {}, "just text"),
        ("---\ntitle: A\n---\nbody", {"title": "A"}, "body"),
        ("---\ntitle: A\n---\n\nbody", {"title": "A"}, "body"),
        ("---\ntitle: A\n---\n\n\n\nbody\n\n", {"title": "A"}, "\n\nbody\n\n"),
        ("---\ntitle: A\n---", {"title": "A"}, ""),
        ("--- \ntitle: A\n---\t\nbody", {"title": "A"}, "body"),
        ("---\n---\n\n---\na: 1\n---\n", {}, "---\na: 1\n---\n"),
        ("---\n# only a comment\n---\nbody", {}, "body"),
        ("---\na: 1\n---\nb\n---\nc", {"a": 1}, "b\n---\nc"),
        ("---\r\ntitle: A\r\n---\r\nb\r\nc\rd", {"title": "A"}, "b\nc\nd"),
        ("\ufeff---\ntitle: A\n---\nbody", {"title": "A"}, "body"),
        (
            '+++\ntitle = "A"\n[params]\nx = 1\n+++\n\nbody',
            {"title": "A", "params": {"x": 1}},
            "body",
        ),
        ('{"title": "A"}\n\nbody', {"title": "A"}, "body"),
        ('{\n  "title": "A"\n}  \nbody', {"title": "A"}, "body"),
        ("{}", {}, ""),
        ("{{< shortcode >}} text", {}, "{{< shortcode >}} text"),
        ("{% tag %} text", {}, "{% tag %} text"),
        ("{: .note}\ntext", {}, "{: .note}\ntext"),
        ("text\n---\na: 1\n---\n", {}, "text\n---\na: 1\n---\n"),
    ],
)
def test_a_file_is_front_matter_and_body(text: str, meta: dict[str, Any], body: str) -> None:
    assert parse(text) == (meta, body)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("no", "no"),
        ("12:30", "12:30"),
        ("2026-05-01", dt.date(2026, 5, 1)),
        ("2026-05-01T12:00:00", dt.datetime(2026, 5, 1, 12)),
        ("2026-05-01T12:00:00Z", dt.datetime(2026, 5, 1, 12, tzinfo=UTC)),
        ("2026-05-01T12:00:00.25+02:00", dt.datetime(2026, 5, 1, 12, 0, 0, 250000, EAST)),
        (".inf", math.inf),
        ("{1: a, 2026-05-01: b}", {1: "a", dt.date(2026, 5, 1): "b"}),
        ("[a, [1, 2.5, true, null]]", ["a", [1, 2.5, True, None]]),
        ("&x [1]", [1]),
        ("|\n  two\n  lines", "two\nlines\n"),
    ],
)
def test_yaml_values_keep_their_types(source: str, value: Any) -> None:
    assert repr(parse(f"---\nkey: {source}\n---\n").meta) == repr({"key": value})


def test_a_time_of_day_becomes_text_because_yaml_has_none() -> None:
    assert parse("+++\nat = 12:30:00\n+++\n").meta == {"at": "12:30:00"}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("---\ntitle: A\n", 1, "not closed"),
        ("+++\ntitle = 1\n---\n", 1, "not closed"),
        ("---\na: 1\nb: [\n---\n", 4, "YAML"),
        ("---\na: 1\na: 2\n---\n", 3, "duplicate key"),
        ("---\na: 1\nb: 2026-02-30\n---\n", 3, "YAML: day"),
        ("---\na: 1\n? {x: y}\n: z\n---\n", 3, "unhashable"),
        ("---\na: 1\n[b, c]: d\n---\n", 1, "a list for a key"),
        ("---\na: {[b, c]: d}\n---\n", 2, "a list for a key"),
        ("---\na: 1\nb: !!set {x}\n---\n", 3, "type set"),
        ("---\na: !foo bar\n---\n", 2, "YAML"),
        ("---\na: b\nc: \x01\n---\n", 3, "control character"),
        ('---\na: 1\nb: "\\0"\n---\n', 3, "cannot be stored"),
        ('---\na: 1\nb: ["\\ud800"]\n---\n', 3, "cannot be stored"),
        ('---\n1: a\n"1": b\n---\n', 2, "given twice"),
        ("---\n- a list\n---\n", 2, "keys and values"),
        ("---\na: &a [*a]\n---\n", 2, "refers to itself"),
        ("---\na: " + "[" * 60 + "]" * 60 + "\n---\n", 2, "nested too deeply"),
        ("---\na: " + "[" * 3000 + "]" * 3000 + "\n---\n", 2, ""),
        ("---\na: 0x" + "f" * 5000 + "\n---\n", 2, "too long"),
        ("---\na: " + "9" * 5000 + "\n---\n", 2, "YAML"),
        ("+++\na = 1\nb = \n+++\n", 3, "TOML"),
        ("+++\na = 1\nb = 2026-02-30\n+++\n", 3, "TOML"),
        ('{"a": 1,\n "b": }', 2, "JSON"),
        ('{"a": ' + "[" * 100_000, 1, "JSON"),
        ('{"a": ' + "9" * 5000 + "}", 1, "JSON"),
        ('{\n"a": 1', 2, "JSON"),
        ("text\nwith \0 in it", 2, "NUL"),
    ],
)
def test_a_broken_head_is_named_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(FrontMatterError) as caught:
        parse(text)
    assert caught.value.line == line
    assert reason in caught.value.reason


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(FrontMatterError, match="more than"):
        parse("---\n" + "\n".join(lines) + "\n---\n")


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("---\na: 1\ndate: x\n---\n", "date", 3),
        ("---\n\n\n'date' : x\n---\n", "date", 4),
        ('{"a": 1,\n  "date": 1}', "date", 2),
        ('{"date": 1}', "date", 1),
        ("+++\na = 1\ndate = 1\n+++\n", "date", 3),
        ("---\na: 1\n---\n", "date", 1),
    ],
)
def test_the_line_of_a_key_is_found_in_every_format(text: str, key: str, line: int) -> None:
    assert line_of(text, key) == line


def test_front_matter_reads_like_a_person_wrote_it() -> None:
    meta = {
        "title": "no",
        "date": dt.datetime(2026, 5, 1, 12, tzinfo=UTC),
        "aliases": ["/a", "/b"],
        "nested": {"x": None, "emoji": "🎈"},
    }
    assert dump(meta, "body\n") == (
        "---\n"
        "title: no\n"
        "date: 2026-05-01T12:00:00Z\n"
        "aliases:\n"
        "  - /a\n"
        "  - /b\n"
        "nested:\n"
        "  x:\n"
        "  emoji: 🎈\n"
        "---\n"
        "\n"
        "body\n"
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
OFFSETS = st.integers(-12 * 60, 12 * 60).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
)
TIMES = st.datetimes(timezones=OFFSETS | st.none()).map(lambda moment: moment.replace(fold=0))
SCALARS = TEXT | st.integers() | st.floats() | st.booleans() | st.none() | st.dates() | TIMES
KEYS = TEXT | st.integers() | st.dates()
VALUES = st.recursive(
    SCALARS,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(KEYS, parts, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4), TEXT)
def test_whatever_is_written_is_read_back(meta: dict[str, Any], body: str) -> None:
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    read = parse(dump(meta, body))
    # By repr, because True equals 1 and not-a-number nothing.
    assert (repr(read.meta), read.body) == (repr(meta), body)
