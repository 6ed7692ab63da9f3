"""Sentences with names in them, as lists show them: names lead to what they name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_SLOT = re.compile(r"\$\{(\w+)\}")


class Part(NamedTuple):
    """A piece of a sentence: its own words, or somebody or something that it is about.

    :ivar is_name: whether these are not the sentence's own words.
    """

    text: str
    is_name: bool = False
    url: str | None = None


def parts_of(sentence: str, names: Mapping[str, Sequence[Part]]) -> list[Part]:
    """Return a sentence in pieces.

    Names are never put into the words, which would have to be HTML.

    :param sentence: translated, with a name for ``${this}``.
    :param names: what stands for each; nothing where one is missing.
    """
    parts: list[Part] = []
    # Words and names in turn.
    for number, piece in enumerate(_SLOT.split(sentence)):
        parts += names.get(piece, []) if number % 2 else [Part(piece)]
    return [part for part in parts if part.text]
