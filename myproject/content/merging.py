"""What two people have made of the same page, put together: three-way, field by field.

A field that one of them has changed is theirs; a text that both have changed is merged by lines.
Where both have changed the same lines it is for a person to decide, and nothing is left out in
silence: what is proposed holds what either has written.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from myproject.content.comparing import Block, matching_blocks, words_of


class Outcome(StrEnum):
    """What became of a field."""

    #: Both hold the same.
    SAME = "same"
    #: One of them has changed it.
    THEIRS = "theirs"
    MINE = "mine"
    #: Both have changed the text, at different places.
    MERGED = "merged"
    #: Both have changed it at the same place.
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class FieldMerge:
    """A field as each of them has it, and what is proposed.

    :ivar base: what both began with; None where that is not known.
    :ivar value: the merged value; of a conflict the proposal.
    :ivar proposed: whether there is a proposal besides the two versions: in a conflict of texts.
    """

    name: str
    base: Any
    theirs: Any
    mine: Any
    value: Any
    outcome: Outcome
    proposed: bool = False


class TextMerge(NamedTuple):
    """A merged text.

    :ivar clean: whether no place was changed by both.
    :ivar certain: whether each such place could at least be merged word by word; else both
        versions of it stand one after the other.
    """

    text: str
    clean: bool
    certain: bool


def merge_fields(
    base: Mapping[str, Any] | None,
    theirs: Mapping[str, Any],
    mine: Mapping[str, Any],
    texts: Container[str] = (),
) -> list[FieldMerge]:
    """Merge those fields that *mine* has.

    :param base: field -> what both began with; None if that is not known any more, which makes
        every difference a conflict.
    :param theirs, mine: field -> what each has made of it.
    :param texts: names of fields that are merged by lines.
    """
    merged = []
    for name, my_value in mine.items():
        their_value = theirs.get(name)
        base_value = None if base is None else base.get(name)
        known = base is not None and name in base
        merged.append(_merge_field(name, base_value, their_value, my_value, known, name in texts))
    return merged


def _merge_field(
    name: str, base: Any, theirs: Any, mine: Any, known: bool, is_text: bool
) -> FieldMerge:
    if same(theirs, mine):
        return FieldMerge(name, base, theirs, mine, mine, Outcome.SAME)
    if known and same(base, mine):
        return FieldMerge(name, base, theirs, mine, theirs, Outcome.THEIRS)
    if known and same(base, theirs):
        return FieldMerge(name, base, theirs, mine, mine, Outcome.MINE)
    if is_text and isinstance(theirs, str) and isinstance(mine, str):
        text = merge_text(
            base if known and isinstance(base, str) else common(theirs, mine), theirs, mine
        )
        outcome = Outcome.MERGED if text.clean and known else Outcome.CONFLICT
        return FieldMerge(name, base, theirs, mine, text.text, outcome, proposed=True)
    return FieldMerge(name, base, theirs, mine, mine, Outcome.CONFLICT)


def same(one: Any, other: Any) -> bool:
    """Whether two values of a field are the same, to a file as well."""
    # To Python 1, 1.0 and True are equal, and keys have no order; to a document they differ.
    return repr(one) == repr(other)


def common(one: str, other: str) -> str:
    """Return the lines that two texts have in common."""
    lines, others = one.split("\n"), other.split("\n")
    blocks = matching_blocks(lines, others)
    return "\n".join(line for block in blocks for line in lines[block.a : block.a + block.size])


def merge_text(base: str, theirs: str, mine: str) -> TextMerge:
    """Merge two texts that were made from *base*, by lines, and by words where both have changed
    the same lines.

    Where words do not help either, their lines come first and then mine.
    """
    merged: list[str] = []
    clean = certain = True
    for region in _regions(base.split("\n"), theirs.split("\n"), mine.split("\n")):
        lines = region.resolved()
        if lines is None:
            clean = False
            lines = _by_words(region)
        if lines is None:
            certain = False
            lines = [*region.theirs, *region.mine]
        merged += lines
    return TextMerge("\n".join(merged), clean, certain)


def _by_words(region: _Region) -> list[str] | None:
    """Merge lines that both have changed word by word; None where they have changed the same
    words, and where one of them has taken all of it away."""
    if not all((region.base, region.theirs, region.mine)):
        return None
    base, theirs, mine = (words_of("\n".join(lines)) for lines in region)
    words: list[str] = []
    for part in _regions(base, theirs, mine):
        resolved = part.resolved()
        if resolved is None:
            return None
        words += resolved
    return "".join(words).split("\n")


class _Region(NamedTuple):
    """A stretch of the base and what each has made of it."""

    base: Sequence[str]
    theirs: Sequence[str]
    mine: Sequence[str]

    def resolved(self) -> list[str] | None:
        """Return what it is to be; None if both have changed it, and not to the same."""
        if self.theirs == self.mine or self.theirs == self.base:
            return list(self.mine)
        return list(self.theirs) if self.mine == self.base else None


def _regions(base: Sequence[str], theirs: Sequence[str], mine: Sequence[str]) -> Iterator[_Region]:
    """Cut three sequences where all of them agree, as diff3 does."""
    at = their_at = my_at = 0
    for start, their_start, my_start, size in _agreements(base, theirs, mine):
        region = _Region(base[at:start], theirs[their_at:their_start], mine[my_at:my_start])
        if any(region):
            yield region
        at, their_at, my_at = start + size, their_start + size, my_start + size
        if size:
            yield _Region(*([base[start:at]] * 3))


def _agreements(
    base: Sequence[str], theirs: Sequence[str], mine: Sequence[str]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield the stretches that are in all three, and an empty one at the end."""
    left = matching_blocks(base, theirs)
    right = matching_blocks(base, mine)
    i = j = 0
    while i < len(left) and j < len(right):
        one, other = left[i], right[j]
        start = max(one.a, other.a)
        end = min(_end(one), _end(other))
        if start < end:
            yield start, one.b + start - one.a, other.b + start - other.a, end - start
        if _end(one) < _end(other):
            i += 1
        else:
            j += 1
    yield len(base), len(theirs), len(mine), 0


def _end(block: Block) -> int:
    return block.a + block.size
