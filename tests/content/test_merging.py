"""Putting together what two people have made of a page: nothing is lost in silence."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from myproject.content.comparing import RowKind, compare, inlined, matching_blocks, words_of
from myproject.content.merging import Outcome, merge_fields, merge_text

LINES = st.lists(st.sampled_from(["", "a", "b", "c", "d", "e f", "e g", "h"]), max_size=12)
TEXTS = LINES.map("\n".join)


@st.composite
def edited(draw):
    """A text of lines that stand once each, and two people's versions with lines of their own."""
    base = [f"base {number}" for number in range(draw(st.integers(0, 10)))]

    def edit(who):
        lines, deleted = [], set()
        for number, line in enumerate([*base, None]):
            if draw(st.integers(0, 5)) == 0:
                lines.append(f"{who} {number}")
            if line is None:
                continue
            if draw(st.integers(0, 5)) == 0:
                deleted.add(line)
            else:
                lines.append(line)
        return lines, deleted

    return base, edit("theirs"), edit("mine")


@given(edited())
def test_every_line_that_somebody_has_written_is_in_what_is_proposed(texts):
    base, (theirs, their_deleted), (mine, my_deleted) = texts
    merged = merge_text(*map("\n".join, (base, theirs, mine)))
    lines = set(merged.text.split("\n"))
    written = {line for line in theirs + mine if not line.startswith("base")}
    if merged.certain:
        # Word by word, lines may have been joined to others.
        assert {word for line in written for word in words_of(line)} <= set(words_of(merged.text))
    else:
        assert written <= lines
    if merged.clean:
        assert written <= lines
        kept = {line for line in base if line not in their_deleted | my_deleted}
        assert kept <= lines
        assert not (their_deleted | my_deleted) & lines


@given(TEXTS, TEXTS, TEXTS)
@example("a", "", "b")
@example("", "a", "a")
def test_who_is_called_what_makes_no_difference_to_a_clean_merge(base, theirs, mine):
    one, other = merge_text(base, theirs, mine), merge_text(base, mine, theirs)
    assert one.clean == other.clean
    if one.clean:
        assert one.text == other.text


@given(TEXTS, TEXTS)
def test_what_one_has_changed_is_taken_as_it_is(base, changed):
    assert merge_text(base, changed, base) == (changed, True, True)
    assert merge_text(base, base, changed) == (changed, True, True)
    assert merge_text(base, changed, changed) == (changed, True, True)


@given(st.lists(st.sampled_from("abcde")), st.lists(st.sampled_from("abcde")))
def test_blocks_are_in_both_and_in_order(a, b):
    at = (0, 0)
    for block in matching_blocks(a, b):
        assert block.size > 0
        assert (block.a, block.b) >= at
        assert block.a >= at[0]
        assert block.b >= at[1]
        assert a[block.a : block.a + block.size] == b[block.b : block.b + block.size]
        at = (block.a + block.size, block.b + block.size)


@given(TEXTS, TEXTS)
def test_a_comparison_shows_all_that_differs(left, right):
    assume(left != right)
    rows = compare(left, right, context=100)
    for side, text in (("left", left), ("right", right)):
        shown = [
            "".join(span.text for span in getattr(row, side))
            for row in rows
            if row.kind is RowKind.SAME or getattr(row, side)
        ]
        assert "\n".join(shown).replace("\n", "") == text.replace("\n", "")
    assert any(row.kind is RowKind.CHANGED for row in rows)


def test_a_comparison_marks_words_and_leaves_out_what_is_the_same():
    lines = [f"Line {number}." for number in range(9)]
    changed = [*lines[:4], "Line four.", *lines[5:]]
    first, before, change, after, last = compare("\n".join(lines), "\n".join(changed), context=1)
    assert (first.skipped, last.skipped) == (3, 3)
    assert before.left == (("Line 3.", False),)
    assert after.right == (("Line 5.", False),)
    assert change.left == (("Line ", False), ("4", True), (".", False))
    assert change.right == (("Line ", False), ("four", True), (".", False))
    same = (("same\nsame", False),)
    assert compare("same\nsame", "same\nsame") == [(RowKind.SKIPPED, same, same, 2)]
    (many,) = compare("same\n" * 500, "same\n" * 500)
    assert many == (RowKind.SKIPPED, (), (), 501)


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("A quick fox.", "A slow fox!", "A [-quick][+slow] fox[-.][+!]"),
        ("", "New.", "[+New.]"),
        ("Old words", "", "[-Old words]"),
        ("a b", "b a", "[-a ]b[+ a]"),
        ("same", "same", "same"),
    ],
)
def test_two_texts_are_shown_as_one(left, right, shown):
    marks = {"both": "{}", "left": "[-{}]", "right": "[+{}]"}
    pieces = [piece for row in compare(left, right) for piece in inlined(row)]
    assert "".join(marks[piece.side].format(piece.text) for piece in pieces) == shown
    for but, whole in (("right", left), ("left", right)):
        assert "".join(piece.text for piece in pieces if piece.side != but) == whole


def test_different_places_are_merged():
    base = "# Title\n\nOne.\n\nTwo.\n\nThree.\n"
    merged = merge_text(base, base.replace("One", "First"), base + "\nFour.\n")
    assert merged == ("# Title\n\nFirst.\n\nTwo.\n\nThree.\n\nFour.\n", True, True)


def test_one_line_is_proposed_word_by_word_and_still_decided_by_a_person():
    base = "The quick fox jumps over the dog."
    merged = merge_text(base, base.replace("quick", "brown"), base.replace("dog", "cat"))
    assert merged == ("The brown fox jumps over the cat.", False, True)


def test_the_same_words_are_proposed_twice():
    merged = merge_text("a\nold\nz", "a\ntheirs\nz", "a\nmine\nz")
    assert merged == ("a\ntheirs\nmine\nz", False, False)


def test_what_one_has_deleted_and_the_other_changed_is_kept():
    merged = merge_text("a\nold\nz", "a\nz", "a\nold and new\nz")
    assert merged == ("a\nold and new\nz", False, False)


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "outcome", "value"),
    [
        ("a", "a", "a", Outcome.SAME, "a"),
        ("a", "b", "b", Outcome.SAME, "b"),
        ("a", "b", "a", Outcome.THEIRS, "b"),
        ("a", "a", "b", Outcome.MINE, "b"),
        ("a", "b", "c", Outcome.CONFLICT, "c"),
        (1, 1.0, 1, Outcome.THEIRS, 1.0),
        (None, 2, 3, Outcome.CONFLICT, 3),
        (None, None, "", Outcome.MINE, ""),
    ],
)
def test_fields(base, theirs, mine, outcome, value):
    (merged,) = merge_fields({"x": base}, {"x": theirs}, {"x": mine})
    assert (merged.outcome, merged.value) == (outcome, value)


def test_without_a_base_every_difference_is_a_conflict():
    theirs, mine = {"x": "a\nb", "y": 1}, {"x": "a\nc", "y": 1}
    x, y = merge_fields(None, theirs, mine, {"x"})
    assert (x.outcome, x.value, y.outcome) == (Outcome.CONFLICT, "a\nb\nc", Outcome.SAME)


@pytest.mark.parametrize(
    "lines",
    [
        [f"line {number}" for number in range(20_000)],
        ["", "x"] * 10_000,
        ["same"] * 20_000,
        [f"{number % 150}" for number in range(20_000)],
    ],
    ids=["reversed", "pairs", "equal", "periods"],
)
def test_no_text_takes_long(lines):
    started = time.perf_counter()
    merge_text("\n".join(lines), "\n".join(lines[::-1]), "\n".join(lines[5000:] + lines[:5000]))
    compare("\n".join(lines), "\n".join(lines[::-1]))
    assert time.perf_counter() - started < 15
