"""Two texts side by side: which lines and which words are the same, which are not.

Alignment is *patience diff*: first what stands exactly once in both texts, which is what a reader
would take hold of, and only between such lines whatever else is equal. The work is bounded
whatever the texts are.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import chain
from typing import NamedTuple

#: Product of the lengths of two stretches up to which they are compared item by item. Beyond it,
#: those without a single item that stands once in both count as altogether different.
_THOROUGH = 160_000

#: Stretches that are looked at before the rest counts as different: texts that were made to be
#: slow are aligned worse, not slower.
_STRETCHES = 20_000

#: Lines that are the same, in one stretch, up to which a comparison has them at all.
_KEPT = 400

_WORDS = re.compile(r"\w+|[^\S\n]+|\n|[^\w\s]")


class Block(NamedTuple):
    """A stretch that two sequences have in common: where it begins in each, and how long it is."""

    a: int
    b: int
    size: int


def matching_blocks(a: Sequence[str], b: Sequence[str]) -> list[Block]:
    """Return what two sequences have in common, in order, without gaps between whole blocks."""
    return _joined(_blocks(a, b))


def words_of(text: str) -> list[str]:
    """Return the words of a text, and what is between them, so that joined they are the text."""
    return _WORDS.findall(text)


def _blocks(a: Sequence[str], b: Sequence[str]) -> Iterator[Block]:
    todo, left = [(0, len(a), 0, len(b))], _STRETCHES
    found: list[Block] = []
    while todo and left:
        left -= 1
        a_from, a_to, b_from, b_to = todo.pop()
        size = 0
        while (
            a_from + size < a_to and b_from + size < b_to and a[a_from + size] == b[b_from + size]
        ):
            size += 1
        if size:
            found.append(Block(a_from, b_from, size))
        a_from, b_from, size = a_from + size, b_from + size, 0
        while (
            a_to - size > a_from
            and b_to - size > b_from
            and a[a_to - size - 1] == b[b_to - size - 1]
        ):
            size += 1
        a_to, b_to = a_to - size, b_to - size
        if size:
            found.append(Block(a_to, b_to, size))
        if a_from == a_to or b_from == b_to:
            continue
        anchors = _anchors(a, a_from, a_to, b, b_from, b_to)
        if anchors:
            for a_at, b_at in anchors:
                todo.append((a_from, a_at, b_from, b_at))
                found.append(Block(a_at, b_at, 1))
                a_from, b_from = a_at + 1, b_at + 1
            todo.append((a_from, a_to, b_from, b_to))
        elif (a_to - a_from) * (b_to - b_from) <= _THOROUGH:
            matcher = SequenceMatcher(None, a[a_from:a_to], b[b_from:b_to], autojunk=False)
            for block in matcher.get_matching_blocks():
                found.append(Block(a_from + block.a, b_from + block.b, block.size))
    yield from sorted(found)


def _anchors(
    a: Sequence[str], a_from: int, a_to: int, b: Sequence[str], b_from: int, b_to: int
) -> list[tuple[int, int]]:
    """Return the longest run, in the order of both, of items that stand once in each stretch."""
    in_a, in_b = Counter(a[a_from:a_to]), Counter(b[b_from:b_to])
    where = {b[at]: at for at in range(b_from, b_to) if in_b[b[at]] == 1}
    pairs = [
        (at, where[a[at]]) for at in range(a_from, a_to) if in_a[a[at]] == 1 and a[at] in where
    ]
    # The longest increasing subsequence of the places in b: patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (_, at) in enumerate(pairs):
        pile = bisect_left(tops, at)
        before.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1], piles[pile : pile + 1] = [at], [number]
    run, number = [], piles[-1] if piles else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _joined(blocks: Iterator[Block]) -> list[Block]:
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if not block.size:
            continue
        if last and (last.a + last.size, last.b + last.size) == (block.a, block.b):
            joined[-1] = Block(last.a, last.b, last.size + block.size)
        else:
            joined.append(block)
    return joined


class RowKind(StrEnum):
    """What a row of a comparison shows."""

    SAME = "same"
    CHANGED = "changed"
    #: Lines that are the same and not shown.
    SKIPPED = "skipped"


class Span(NamedTuple):
    """A piece of a line; *marked* where the other side has something else."""

    text: str
    marked: bool = False


class Row(NamedTuple):
    """Lines of two texts that stand beside each other.

    :ivar skipped: how many of them need not be shown; of many of these the lines are left out.
    """

    kind: RowKind
    left: tuple[Span, ...] = ()
    right: tuple[Span, ...] = ()
    skipped: int = 0


def compare(left: str, right: str, context: int = 2) -> list[Row]:
    """Return two texts as rows that stand beside each other, what differs marked by the word.

    :param context: how many lines around what differs are shown.
    """
    a, b = left.split("\n"), right.split("\n")
    ends = [Block(len(a), len(b), 0)]
    rows: list[Row] = []
    a_at = b_at = 0
    for block in chain(matching_blocks(a, b), ends):
        if a_at < block.a or b_at < block.b:
            rows.append(_changed("\n".join(a[a_at : block.a]), "\n".join(b[b_at : block.b])))
        same = a[block.a : block.a + block.size]
        is_last = block.a + block.size == len(a) and block.b + block.size == len(b)
        rows += _same(same, context, is_first=not block.a and not block.b, is_last=is_last)
        a_at, b_at = block.a + block.size, block.b + block.size
    return rows


class Side(StrEnum):
    """In which of two texts a piece stands."""

    BOTH = "both"
    LEFT = "left"
    RIGHT = "right"


class Piece(NamedTuple):
    """A piece of two texts that are shown as one."""

    text: str
    side: Side


def inlined(row: Row) -> list[Piece]:
    """Return a row as one text: what is in both, and in turn what is only in the left one and what
    is only in the right one."""
    if row.kind is not RowKind.CHANGED:
        return [Piece(span.text, Side.BOTH) for span in row.left]
    pieces: list[Piece] = []
    others = list(row.right)
    for span in row.left:
        if span.marked:
            pieces.append(Piece(span.text, Side.LEFT))
            continue
        # What both have stands in both in the same order.
        while others[0].marked:
            pieces.append(Piece(others.pop(0).text, Side.RIGHT))
        others.pop(0)
        pieces.append(Piece(span.text, Side.BOTH))
    return [*pieces, *(Piece(span.text, Side.RIGHT) for span in others)]


def _same(lines: list[str], context: int, *, is_first: bool, is_last: bool) -> Iterator[Row]:
    if not lines:
        return
    head, tail = 0 if is_first else context, 0 if is_last else context
    # A row that says "1 line" is no shorter than the line.
    if len(lines) <= head + tail + 1:
        yield _same_row(lines)
        return
    if head:
        yield _same_row(lines[:head])
    rest = lines[head : len(lines) - tail]
    yield (_same_row(rest) if len(rest) <= _KEPT else Row(RowKind.SKIPPED))._replace(
        kind=RowKind.SKIPPED, skipped=len(rest)
    )
    if tail:
        yield _same_row(lines[-tail:])


def _same_row(lines: list[str]) -> Row:
    spans = (Span("\n".join(lines)),)
    return Row(RowKind.SAME, spans, spans)


def _changed(left: str, right: str) -> Row:
    a, b = words_of(left), words_of(right)
    blocks = matching_blocks(a, b)
    if not any(a[at].strip() for block in blocks for at in range(block.a, block.a + block.size)):
        # Spaces alone in common: marks around each word would only be harder to read.
        blocks = []
    return Row(
        RowKind.CHANGED,
        _spans(a, [(block.a, block.size) for block in blocks]),
        _spans(b, [(block.b, block.size) for block in blocks]),
    )


def _spans(words: list[str], same: list[tuple[int, int]]) -> tuple[Span, ...]:
    spans, at = [], 0
    for start, size in [*same, (len(words), 0)]:
        if at < start:
            spans.append(Span("".join(words[at:start]), marked=True))
        if size:
            spans.append(Span("".join(words[start : start + size])))
        at = start + size
    return tuple(spans)
