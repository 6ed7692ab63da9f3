"""Words as the index has them: small letters without accents, and nothing but letters and digits.

Folded here and not by the databases, so that both find the same: what is stored is folded, and so
is what is asked for. Scripts that put no spaces between words are split into their characters, and
a word of theirs is looked for as a phrase.
"""

from __future__ import annotations

import re
import unicodedata

#: Letters in a longer word do not count: the index of PostgreSQL takes no longer ones.
LONGEST = 100

#: Thai, Lao, Burmese, Khmer, Kana and Han: no spaces between words.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_ONE = rf"(?=[^\W_])[{_UNSPACED}]"
_WORD = re.compile(rf"{_ONE}|[^\W_{_UNSPACED}]+")
#: What belongs to a word as it is written and is lost when it is folded.
_LOST = (
    "\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f"
    "\u0900-\u0903\u093a-\u094f\u200b-\u200d\u2060"
)
_SHOWN_WORD = re.compile(rf"{_ONE}|[^\W_{_UNSPACED}](?:[^\W_{_UNSPACED}]|[{_LOST}])*")
#: What looks like a letter with an ornament and is not taken apart by Unicode.
_PLAIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i"}
)


class _Marks(dict[int, "int | None"]):
    """Table for ``str.translate`` that removes accents and invisible characters, made as needed."""

    def __missing__(self, code: int) -> int | None:
        category = unicodedata.category(chr(code))
        self[code] = kept = None if category[0] == "M" or category == "Cf" else code
        return kept


_MARKS = _Marks()


def fold(text: str) -> str:
    """Return *text* without case and accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = apart.translate(_MARKS).translate(_PLAIN)
    return unicodedata.normalize("NFC", bare)


def words_of(text: str) -> list[str]:
    """Return the folded words of *text*, in order."""
    words = _WORD.findall(fold(text))
    return [word[:LONGEST] for word in words]


def spans_of(text: str) -> tuple[list[tuple[int, int]], list[str]]:
    """Return where each word of a text begins and ends, and what it becomes when folded."""
    spans = [match.span() for match in _SHOWN_WORD.finditer(text)]
    words = words_of(text)
    if len(words) == len(spans):
        return spans, words
    # There are signs that stand for several words, or for none.
    pairs = [(span, word) for span in spans for word in words_of(text[slice(*span)])]
    return [span for span, _ in pairs], [word for _, word in pairs]
