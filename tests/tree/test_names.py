"""Names: what may be one, and how one is made."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myproject.exceptions import InvalidName
from myproject.translation import in_english
from myproject.tree.names import (
    MAX_NAME_BYTES,
    check_name,
    free_name,
    name_from_title,
    normalize,
    problem_with,
    title_from_name,
)


@pytest.mark.parametrize(
    "name",
    [
        *("a", "a b", "A.B", "...", ".hidden", "@", "@a", "a@@", "a?b#c", "50%", "-", "_"),
        *("über", "中文", "\U0001f600", "a" * MAX_NAME_BYTES, "ü" * (MAX_NAME_BYTES // 2)),
    ],
)
def test_a_possible_name_is_stored_as_it_is(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "cannot be empty"),
        (".", "cannot be . or .."),
        ("..", "cannot be . or .."),
        ("@@", "cannot begin with @@"),
        ("@@edit", "cannot begin with @@"),
        ("a/b", "a slash"),
        ("/", "a slash"),
        ("a\0b", "invisible character"),
        ("a\nb", "invisible character"),
        ("a\x7f", "invisible character"),
        ("a\x85b", "invisible character"),
        ("a\u2028b", "invisible character"),
        ("a\ud800b", "invisible character"),
        (" a", "begin or end with a space"),
        ("a\u3000", "begin or end with a space"),
        ("a" * (MAX_NAME_BYTES + 1), "longer than 240 bytes"),
        ("ü" * (MAX_NAME_BYTES // 2 + 1), "longer than 240 bytes"),
    ],
)
def test_an_impossible_name_is_refused_with_the_reason(name, reason):
    with pytest.raises(InvalidName, match=re.escape(reason)) as caught:
        check_name(name)
    assert reason in in_english(caught.value.reason)
    assert caught.value.name == name


def test_what_no_terminal_can_show_of_a_name_is_not_quoted():
    with pytest.raises(InvalidName, match="“a\ufffdb” cannot be a name"):
        check_name("a\ud800b")


def test_names_are_stored_composed():
    assert check_name("u\u0308ber") == "über"
    assert check_name("e\u0301" * 120) == "é" * 120


def test_a_reserved_name_is_refused_in_any_spelling():
    with pytest.raises(InvalidName, match="belongs to the site itself"):
        check_name("sta\u0308tic", frozenset({"stätic"}))


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Getting started", "getting-started"),
        ("  Hello,   World!  ", "hello-world"),
        ("Ärger über Öl", "arger-uber-ol"),
        ("Straße", "strasse"),
        ("Crème brûlée", "creme-brulee"),
        ("İstanbul", "istanbul"),
        ("snake_case and--dashes", "snake-case-and-dashes"),
        ("½ ﬁne", "1-2-fine"),
        ("Мой район", "мой-район"),
        ("ガイド", "ガイド"),
        ("हिन्दी", "हिन्दी"),
        ("한국어 문서", "한국어-문서"),
        ("Ελλάδα", "ελλάδα"),
        ("???", "page"),
        ("", "page"),
        ("@@edit", "edit"),
        ("../..", "page"),
    ],
)
def test_a_title_becomes_a_readable_name(title, name):
    assert name_from_title(title) == name


any_text = st.text(max_size=300) | st.text(st.characters(max_codepoint=0x17F), max_size=300)


@given(any_text)
def test_every_title_becomes_a_name_that_is_possible(title):
    name = name_from_title(title)
    assert problem_with(name) is None
    assert normalize(name) == name
    assert check_name(f"{name}.md"[:255]) == f"{name}.md"


@given(any_text)
def test_whatever_is_accepted_is_composed_and_accepted_again(name):
    try:
        stored = check_name(name)
    except InvalidName:
        return
    assert unicodedata.is_normalized("NFC", stored)
    assert check_name(stored) == stored


def test_a_name_that_is_taken_gets_the_next_number():
    assert free_name("a", set()) == "a"
    assert free_name("a", {"a"}) == "a-2"
    assert free_name("a", {"a", "a-2", "a-3", "a-5"}) == "a-4"


@given(any_text.map(name_from_title), st.integers(0, 12))
def test_a_free_name_is_free_and_possible(name, others):
    taken: set[str] = set()
    for _ in range(others + 1):
        free = free_name(name, taken)
        assert free not in taken
        assert problem_with(free) is None
        assert normalize(free) == free
        taken.add(free)


def test_a_free_name_of_the_longest_name_still_fits():
    for name in ("a" * MAX_NAME_BYTES, "ü" * (MAX_NAME_BYTES // 2)):
        assert problem_with(free_name(name, {name})) is None


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("getting-started", "Getting started"),
        ("snake_case", "Snake case"),
        ("--", "--"),
        ("A", "A"),
    ],
)
def test_a_folder_without_a_title_gets_one_from_its_name(name, title):
    assert title_from_name(name) == title
